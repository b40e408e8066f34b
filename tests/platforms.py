"""A chat platform in memory, as strict as a real one: what cannot be shown there is an error.

It loses replies, floods, forgets messages and refuses files when a test says so.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from vivant.chat import Answer, Button, Film, PhotoMessage, Press, Sender, TextMessage, Verb
from vivant.clips import ReplyTo
from vivant.conversation import Conversation
from vivant.errors import FileTooLarge, MessageGone, PlatformError

_LONGEST_TEXT = 2000
_LONGEST_DATA = 64


@dataclass
class Shown:
    """One message of the bot, as the chat shows it now."""

    id: str
    to: ReplyTo
    text: str
    buttons: tuple[Button, ...] = ()
    film: Film | None = None
    #: Every text that it has had, the first one included.
    history: list[str] = field(default_factory=list)
    #: It is an answer: nothing but the same answer may be written over it.
    is_answer: bool = False

    def button(self, verb: Verb, choice: str = "") -> Button:
        found = [b for b in self.buttons if b.verb is verb and choice in ("", b.choice)]
        assert found, f"no button {verb} {choice} under {self.text!r}: {self.buttons}"
        return found[0]


@dataclass
class Fault:
    """What happens to the next call of one kind."""

    error: PlatformError
    #: It is done all the same; only the reply is lost.
    is_done: bool = False


@dataclass
class MemoryPlatform:
    """One bot, and all its chats."""

    name: str = "memory"
    bot: str = "bot"
    shows: frozenset[Verb] = frozenset(Verb) - {Verb.BUY}
    edits_every_s: float = 0.0
    #: The same nonce twice is one message.
    knows_nonces: bool = False
    limit_bytes: int = 50_000_000
    messages: dict[str, Shown] = field(default_factory=dict)
    files: list[Film] = field(default_factory=list)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    #: (call, message or "", monotonic seconds), in the order in which they arrived.
    calls: list[tuple[str, str, float]] = field(default_factory=list)
    #: Called with each call's name before anything is done about it.
    on_call: Callable[[str], object] = lambda call: None
    #: What a real platform would not have forgiven; it must stay empty.
    violations: list[str] = field(default_factory=list)
    _nonces: dict[str, str] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # ---- what a test looks at

    def in_chat(self, chat: str = "home") -> list[Shown]:
        return [shown for shown in self.messages.values() if shown.to.chat_id == chat]

    def only(self, chat: str = "home") -> Shown:
        shown = self.in_chat(chat)
        assert len(shown) == 1, [message.text for message in shown]
        return shown[0]

    def clips(self, chat: str = "home") -> list[Shown]:
        return [shown for shown in self.in_chat(chat) if shown.film is not None]

    def count(self, call: str) -> int:
        return sum(name == call for name, _, _ in self.calls)

    def fails(self, call: str, *errors: PlatformError, is_done: bool = False) -> None:
        """The next calls of that kind raise *errors*, one each."""
        self.faults.setdefault(call, []).extend(Fault(error, is_done) for error in errors)

    def delete(self, message: Shown) -> None:
        """Somebody deletes a message of the bot's."""
        del self.messages[message.id]

    # ---- ChatPlatform

    def edit_every_s(self, to: ReplyTo) -> float:
        del to
        return self.edits_every_s

    def moment(self, at: float, language: str = "en") -> str:
        return f"<{language}:{at - time.time():.0f}>"

    async def send_text(
        self, to: ReplyTo, text: str, *, buttons: tuple[Button, ...] = (), nonce: str | None = None
    ) -> str:
        lost = self._arrives("send_text", "")
        self._check(to, text, buttons)
        if self.knows_nonces and nonce in self._nonces:
            message_id = self._nonces[nonce or ""]
        else:
            message_id = str(next(self._numbers))
            self.messages[message_id] = Shown(message_id, to, text, buttons, history=[text])
            if nonce is not None:
                self._nonces[nonce] = message_id
        if lost is not None:
            raise lost
        return message_id

    async def edit_text(
        self, to: ReplyTo, message_id: str, text: str, *, buttons: tuple[Button, ...] = ()
    ) -> None:
        lost = self._arrives("edit_text", message_id)
        self._check(to, text, buttons)
        shown = self._find(to, message_id)
        self._require(not shown.is_answer, f"{text!r} over the answer {shown.text!r}")
        shown.text, shown.buttons = text, buttons
        shown.history.append(text)
        if lost is not None:
            raise lost

    async def edit_into(self, to: ReplyTo, message_id: str, answer: Answer) -> None:
        lost = self._arrives("edit_into", message_id)
        self._check(to, answer.text, answer.buttons)
        shown = self._find(to, message_id)
        if answer.film is not None and len(answer.film.video) > self.limit_bytes:
            raise FileTooLarge(message_id)
        had = shown.film and shown.film.video
        if shown.is_answer:
            same = had == (answer.film and answer.film.video)
            self._require(same, "another clip over the answer")
        shown.text, shown.buttons, shown.film = answer.text, answer.buttons, answer.film
        shown.history.append(answer.text)
        shown.is_answer = True
        if lost is not None:
            raise lost

    async def send_file(self, to: ReplyTo, film: Film) -> None:
        lost = self._arrives("send_file", "")
        self._check(to, film.file_name, ())
        self.files.append(film)
        if lost is not None:
            raise lost

    async def remove(self, to: ReplyTo, message_id: str) -> None:
        lost = self._arrives("remove", message_id)
        self._require(to.platform == self.name, "another platform's message")
        self.messages.pop(message_id, None)
        if lost is not None:
            raise lost

    async def alone_with(self, user_id: str) -> ReplyTo | None:
        return ReplyTo(platform=self.name, bot=self.bot, chat_id=f"alone with {user_id}")

    def _arrives(self, call: str, message_id: str) -> PlatformError | None:
        self.calls.append((call, message_id, time.monotonic()))
        self.on_call(call)
        faults = self.faults.get(call)
        if not faults:
            return None
        fault = faults.pop(0)
        if not fault.is_done:
            raise fault.error
        return fault.error

    def _find(self, to: ReplyTo, message_id: str) -> Shown:
        shown = self.messages.get(message_id)
        if shown is None:
            raise MessageGone(message_id)
        self._require(shown.to.chat_id == to.chat_id, "a message of another chat")
        return shown

    def _check(self, to: ReplyTo, text: str, buttons: tuple[Button, ...]) -> None:
        self._require((to.platform, to.bot) == (self.name, self.bot), "another bot's chat")
        self._require(0 < len(text) <= _LONGEST_TEXT, f"{len(text)} characters")
        self._require("{" not in text, f"a placeholder was not filled in: {text}")
        for button in buttons:
            self._require(bool(button.label), "a button without a label")
            self._require(len(button.data.encode()) <= _LONGEST_DATA, button.data)
            read = Press.read(button.data)
            self._require(read == (button.verb, button.target, button.choice), button.data)
            self._require(button.verb in self.shows, f"{button.verb} is not shown here")

    def _require(self, holds: bool, what: str) -> None:
        if not holds:
            self.violations.append(what)
            raise AssertionError(what)


@dataclass
class Person:
    """Somebody in a chat."""

    platform: MemoryPlatform
    conversation: Conversation
    sender: Sender
    chat: str = "home"
    thread: str | None = None
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def called(self, name: str, **what: object) -> "Person":
        """Somebody else in the same chat."""
        sender = replace(self.sender, id=name, **what)  # type: ignore[arg-type]
        return replace(self, sender=sender)

    def at(self, chat: str, thread: str | None = None) -> "Person":
        """The same one elsewhere."""
        return replace(self, chat=chat, thread=thread)

    @property
    def owner(self) -> str:
        return f"{self.platform.name}:{self.sender.id}"

    def _place(self, event: str) -> ReplyTo:
        return ReplyTo(
            platform=self.platform.name,
            bot=self.platform.bot,
            chat_id=self.chat,
            thread_id=self.thread,
            message_id=event,
        )

    async def sends(self, photo: bytes, words: str = "", event: str | None = None) -> str:
        """A photo with words; the number of that event."""
        event = event or f"{self.sender.id}-{next(self.numbers)}"
        await self.conversation.on_photo(
            PhotoMessage(
                event_id=event,
                reply_to=self._place(event),
                sender=self.sender,
                words=words,
                photo=photo,
                limit_bytes=10_000_000,
            )
        )
        return event

    async def says(self, words: str, answering: Shown | None = None) -> bool:
        """Words alone; whether a photo waited for them."""
        event = f"{self.sender.id}-{next(self.numbers)}"
        return await self.conversation.on_words(
            TextMessage(
                event_id=event,
                reply_to=self._place(event),
                sender=self.sender,
                words=words,
                answers=None if answering is None else answering.id,
            )
        )

    async def rewords(self, event: str, words: str) -> bool:
        """Other words for a photo that was sent; whether it was asked about at all."""
        return await self.conversation.on_caption(
            TextMessage(
                event_id=event, reply_to=self._place(event), sender=self.sender, words=words
            )
        )

    async def presses(
        self, message: Shown, verb: Verb, choice: str = "", event: str | None = None
    ) -> str | None:
        """A button under *message*; what the presser alone is told."""
        return await self.pushes(message, message.button(verb, choice), event)

    async def pushes(self, message: Shown, button: Button, event: str | None = None) -> str | None:
        """A button that may be gone from *message* by now."""
        return await self.conversation.on_press(
            Press(
                event_id=event or f"press-{self.sender.id}-{next(self.numbers)}",
                verb=button.verb,
                target=button.target,
                choice=button.choice,
                sender=self.sender,
                reply_to=self._place(message.id),
                message_id=message.id,
            )
        )
