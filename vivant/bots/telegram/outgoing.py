"""Our answers, as Telegram takes them: plain text, replies in the topic, clips by edits."""

import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar

from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaAnimation,
    InputMediaDocument,
    InputMediaVideo,
    LinkPreviewOptions,
    ReplyParameters,
)
from telegram.constants import ChatAction

from vivant.bots.telegram.pace import Pace
from vivant.bots.telegram.refusals import (
    Moved,
    NoRights,
    NotModified,
    ReplyGone,
    ThreadGone,
    our_errors,
)
from vivant.chat import Answer, Button, Film, Verb
from vivant.clips import ReplyTo
from vivant.errors import ClipRefused, MessageGone, PlatformError
from vivant.houses import Houses
from vivant.messages import Messages

_T = TypeVar("_T")
_Media = InputMediaAnimation | InputMediaVideo | InputMediaDocument

PLATFORM: Final = "telegram"

#: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits: about one message a second in a
#: chat, 20 a minute in a group, edits included. The rest is left for answers.
_PRIVATE_EDIT_S: Final = 1.5
_GROUP_EDIT_S: Final = 5.0
#: Buttons of a row: as many as a phone shows without cutting their labels.
_ROW_BUTTONS: Final = 3
_ROW_LETTERS: Final = 30

#: Words in quotation marks may hold an address; nobody asked for its picture.
_NO_PREVIEW: Final = LinkPreviewOptions(is_disabled=True)


@dataclass(frozen=True, slots=True)
class TelegramPlatform:
    """One bot's voice."""

    api: Bot
    #: The bot's own id.
    bot: str
    houses: Houses
    name: str = PLATFORM
    pace: Pace = field(default_factory=Pace)

    @property
    def shows(self) -> frozenset[Verb]:
        """Every button there is."""
        return frozenset(Verb)

    def edit_every_s(self, to: ReplyTo) -> float:
        """Groups bear fewer edits."""
        return _GROUP_EDIT_S if is_group(to) else _PRIVATE_EDIT_S

    def moment(self, at: float, language: str = "en") -> str:
        """Seconds or minutes for what is soon; else the hour, in the one zone that we know."""
        return Messages(language).moment(at)

    async def send_text(
        self, to: ReplyTo, text: str, *, buttons: tuple[Button, ...] = (), nonce: str | None = None
    ) -> str:
        """Reply in the topic; beside it where the topic is gone. Telegram knows no nonce."""
        del nonce

        async def send(chat_id: int, thread_id: int | None) -> str:
            with our_errors():
                sent = await self.api.send_message(
                    chat_id,
                    text,
                    message_thread_id=thread_id,
                    reply_parameters=reply_parameters(to, chat_id),
                    reply_markup=_keyboard(buttons),
                    link_preview_options=_NO_PREVIEW,
                )
            return _shown(to, chat_id, sent.message_id)

        try:
            return await in_thread(to, send, self.pace)
        except ReplyGone:
            if to.message_id is None:
                raise
            return await self.send_text(replace(to, message_id=None), text, buttons=buttons)

    async def edit_text(
        self, to: ReplyTo, message_id: str, text: str, *, buttons: tuple[Button, ...] = ()
    ) -> None:
        """Change a message of ours."""

        async def edit(chat_id: int, number: int) -> None:
            with our_errors():
                await self.api.edit_message_text(
                    text,
                    chat_id,
                    number,
                    reply_markup=_keyboard(buttons),
                    link_preview_options=_NO_PREVIEW,
                )

        await self._unless_shown(to, message_id, edit)

    async def edit_into(self, to: ReplyTo, message_id: str, answer: Answer) -> None:
        """Turn a text of ours into a clip: silent ones loop as animations, others are videos.

        Where a chat forbids that kind, the clip comes as the next one that it allows; raises
        `ClipRefused` where it allows none.
        """
        film = answer.film
        if film is None:
            await self.edit_text(to, message_id, answer.text, buttons=answer.buttons)
            return
        has_spoiler = (await self.houses.at(to)).spoiler
        await self.show_action(to, ChatAction.UPLOAD_VIDEO)
        for media in _ways_to_show(film, _ringless(answer.text), has_spoiler=has_spoiler):
            with contextlib.suppress(NoRights):
                await self._edit_media(to, message_id, media, answer.buttons)
                return
        raise ClipRefused("no kind of clip may be sent there")

    async def _edit_media(
        self, to: ReplyTo, message_id: str, media: _Media, buttons: tuple[Button, ...]
    ) -> None:
        async def edit(chat_id: int, number: int) -> None:
            with our_errors():
                await self.api.edit_message_media(
                    media, chat_id, number, reply_markup=_keyboard(buttons)
                )

        await self._unless_shown(to, message_id, edit)

    async def send_file(self, to: ReplyTo, film: Film) -> None:
        """Send the clip as it was made: a file is not squeezed, and plays nowhere by itself.

        Raises `ClipRefused` where the chat forbids files.
        """

        async def send(chat_id: int, thread_id: int | None) -> None:
            with our_errors():
                await self.api.send_document(
                    chat_id,
                    film.video,
                    filename=film.file_name,
                    caption=_ringless(film.text),
                    thumbnail=film.thumbnail,
                    disable_content_type_detection=True,
                    message_thread_id=thread_id,
                    reply_parameters=reply_parameters(to, chat_id),
                )

        try:
            await in_thread(to, send, self.pace)
        except NoRights as exc:
            raise ClipRefused("no files may be sent there") from exc

    async def remove(self, to: ReplyTo, message_id: str) -> None:
        """Delete a message of ours, as long as Telegram lets us."""

        async def delete(chat_id: int, number: int) -> None:
            with our_errors():
                await self.api.delete_message(chat_id, number)

        try:
            await _at(to, message_id, delete)
        except MessageGone:
            return

    async def alone_with(self, user_id: str) -> ReplyTo | None:
        """Their own chat, by the same id; whoever writes in the name of a chat has none."""
        if user_id.startswith("-"):
            return None
        return ReplyTo(platform=PLATFORM, bot=self.bot, chat_id=user_id)

    async def show_action(self, to: ReplyTo, action: ChatAction) -> None:
        """Let "… is sending a video" stand for five seconds; nobody misses one that fails."""

        async def show(chat_id: int, thread_id: int | None) -> None:
            with our_errors():
                await self.api.send_chat_action(chat_id, action, message_thread_id=thread_id)

        try:
            await in_thread(to, show)
        except PlatformError:
            return

    async def _unless_shown(
        self, to: ReplyTo, message_id: str, edit: Callable[[int, int], Awaitable[None]]
    ) -> None:
        try:
            await _at(to, message_id, edit, self.pace)
        except NotModified:
            return

    async def react(self, to: ReplyTo, message_id: str, emoji: str) -> None:
        """Put a reaction on a message; where reactions are closed, nothing happens."""

        async def put(chat_id: int, number: int) -> None:
            with our_errors():
                await self.api.set_message_reaction(chat_id, number, emoji)

        try:
            await _at(to, message_id, put)
        except PlatformError:
            return


def is_group(to: ReplyTo) -> bool:
    """Whether it is no private chat: those have the ids of people, which are positive."""
    return to.chat_id.startswith("-")


def reply_parameters(to: ReplyTo, chat_id: int) -> ReplyParameters | None:
    """A reply, even if the message that asked has been deleted meanwhile.

    None in the supergroup that *to* has become: there its number is another message's.
    """
    if to.message_id is None or str(chat_id) != to.chat_id:
        return None
    return ReplyParameters(int(to.message_id), allow_sending_without_reply=True)


async def in_thread(
    to: ReplyTo, send: Callable[[int, int | None], Awaitable[_T]], pace: Pace | None = None
) -> _T:
    """Send to the topic, or to the chat where the topic is gone."""
    thread_id = None if to.thread_id is None else int(to.thread_id)

    async def send_there(chat_id: int) -> _T:
        try:
            return await send(chat_id, thread_id)
        except ThreadGone:
            if thread_id is None:
                raise
            return await send(chat_id, None)

    try:
        return await _paced(int(to.chat_id), send_there, pace)
    except Moved as moved:
        return await _paced(moved.chat_id, send_there, pace)


async def _at(
    to: ReplyTo,
    message_id: str,
    call: Callable[[int, int], Awaitable[None]],
    pace: Pace | None = None,
) -> None:
    """Call for the chat and the number of one message; raises `MessageGone` where both moved.

    A supergroup counts its messages anew: the number is there, and is somebody else's message.
    """
    chat, _, number = message_id.rpartition("/")
    try:
        await _paced(int(chat or to.chat_id), lambda chat_id: call(chat_id, int(number)), pace)
    except Moved as moved:
        raise MessageGone(str(moved)) from moved


def _shown(to: ReplyTo, chat_id: int, number: int) -> str:
    """The id of a message of ours, with its chat where that is not the one of *to*."""
    return str(number) if str(chat_id) == to.chat_id else f"{chat_id}/{number}"


async def _paced(chat_id: int, call: Callable[[int], Awaitable[_T]], pace: Pace | None) -> _T:
    """Call for a chat; at its *pace*, if given."""
    if pace is None:
        return await call(chat_id)
    return await pace.keep(chat_id, lambda: call(chat_id))


def _keyboard(buttons: tuple[Button, ...]) -> InlineKeyboardMarkup | None:
    rows: list[list[InlineKeyboardButton]] = []
    letters = 0
    for button in buttons:
        letters += len(button.label)
        if not rows or len(rows[-1]) == _ROW_BUTTONS or letters > _ROW_LETTERS:
            rows.append([])
            letters = len(button.label)
        rows[-1].append(InlineKeyboardButton(button.label, callback_data=button.data))
    return InlineKeyboardMarkup(rows) if rows else None


def _ringless(caption: str) -> str:
    """*caption* with names that ring nobody: each clip would call them once more."""
    return caption.replace("@", "@\N{WORD JOINER}")


def _ways_to_show(film: Film, caption: str, *, has_spoiler: bool) -> list[_Media]:
    """Best first. With size and length: Telegram does not look into larger files by itself."""
    clip = film.clip
    duration = max(1, round(clip.duration_s))
    animation = InputMediaAnimation(
        film.video,
        caption=caption,
        width=clip.width,
        height=clip.height,
        duration=duration,
        thumbnail=film.thumbnail,
        filename=film.file_name,
        has_spoiler=has_spoiler,
    )
    video = InputMediaVideo(
        film.video,
        caption=caption,
        width=clip.width,
        height=clip.height,
        duration=duration,
        thumbnail=film.thumbnail,
        filename=film.file_name,
        supports_streaming=True,
        has_spoiler=has_spoiler,
    )
    document = InputMediaDocument(
        film.video, caption=caption, thumbnail=film.thumbnail, filename=film.file_name
    )
    return [video, document] if clip.has_sound else [animation, video, document]
