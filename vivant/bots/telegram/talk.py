"""Hands what arrives to the conversation, and its answers to the chat."""

import asyncio
import contextlib
import logging
from dataclasses import dataclass, field, replace
from typing import Any, Final

from telegram import CallbackQuery, Message, SuccessfulPayment, Update

from vivant.bots.telegram.admins import Admins
from vivant.bots.telegram.albums import Albums, Item, wants_each
from vivant.bots.telegram.downloads import Downloads
from vivant.bots.telegram.earlier import EarlierWords
from vivant.bots.telegram.incoming import (
    Command,
    Film,
    Picture,
    Reader,
    Wanted,
    Words,
    event_of,
    person,
    reply_to,
    sender_of,
)
from vivant.bots.telegram.outgoing import TelegramPlatform
from vivant.bots.telegram.refusals import our_errors
from vivant.bots.telegram.stars import Stars, clips_of
from vivant.chat import Button, PhotoMessage, Press, Sender, TextMessage, Verb
from vivant.clips import Note, RefusalReason, ReplyTo
from vivant.conversation import Conversation
from vivant.errors import PlatformError, Refused
from vivant.messages import Messages

#: What `Talk` wants to be told of.
KINDS: Final = ("message", "edited_message", "callback_query", "pre_checkout_query")

#: Photos in memory at once, each up to 20 MB and its decoded self.
_PHOTOS_AT_ONCE: Final = 6
#: https://core.telegram.org/bots/api#answercallbackquery
_MOST_ALERT: Final = 200
_SEEN: Final = "👀"
#: "/settings topic here", said in the topic where answers shall go.
_TOPIC: Final = {"topic here": True, "topic -": False}

logger = logging.getLogger(__name__)


class _Told(Exception):
    """A photo was refused, and its sender knows why."""


@dataclass(frozen=True, slots=True)
class Talk:
    """One bot's side of all its chats."""

    platform: TelegramPlatform
    reader: Reader
    downloads: Downloads
    conversation: Conversation
    admins: Admins
    stars: Stars
    #: The largest clip that the server takes.
    limit_bytes: int
    albums: Albums = field(default_factory=Albums, init=False)
    earlier: EarlierWords = field(default_factory=EarlierWords, init=False)
    _photos: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(_PHOTOS_AT_ONCE), init=False
    )

    async def see_to(self, raw: dict[str, Any]) -> None:
        """Do what one update asks for. Doing it twice is harmless."""
        update = Update.de_json(raw, self.platform.api)
        if update.message is not None:
            await self._on_message(update.message)
        elif update.edited_message is not None:
            await self._on_edited(update.edited_message)
        elif update.callback_query is not None:
            await self._on_press(update.callback_query)

    async def give_up(self, raw: dict[str, Any]) -> None:
        """Say that it broke, to whoever was told that we are on it."""
        message = Update.de_json(raw, self.platform.api).message
        wanted = None if message is None else self.reader.read(message)
        if message is None or not isinstance(wanted, Wanted) or not wanted.is_addressed:
            return
        await self._say(message, Messages(sender_of(message).language).went_wrong())

    async def _on_message(self, message: Message) -> None:
        if message.successful_payment is not None:
            await self._on_paid(message, message.successful_payment)
            return
        if message.refunded_payment is not None:
            await self.stars.refunded(sender_of(message).id, message.refunded_payment)
            return
        match self.reader.read(message):
            case Wanted() as wanted:
                await self._on_photo(message, wanted)
            case Words() as words:
                await self._on_words(message, words)
            case Film():
                hint = self.conversation.video_hint(await self._sender(message))
                await self._say(message, hint)
            case Command() as command:
                await self._on_command(message, command)
            case None:
                return

    async def _on_paid(self, message: Message, paid: SuccessfulPayment) -> None:
        clips, charge = clips_of(paid.invoice_payload), paid.telegram_payment_charge_id
        thanks = await self.conversation.paid(await self._sender(message), clips, charge)
        await self._say(message, thanks)

    async def _on_photo(self, message: Message, wanted: Wanted) -> None:
        if wanted.album is not None:
            album = f"{message.chat.id}:{wanted.album}"
            await self.albums.join(album, Item(message, wanted), self._on_album)
            return
        words = wanted.words or self._said_before(message)
        if await self._is_meant(message, wanted, words):
            with contextlib.suppress(_Told):
                await self._take(message, replace(wanted, words=words))

    async def _is_meant(self, message: Message, wanted: Wanted, words: str) -> bool:
        """Whether a photo is for us: it names us, or words that did came before it."""
        if wanted.is_addressed or (words and not wanted.words):
            return True
        if not words:
            return False
        return (await self.conversation.house(str(message.chat.id))).every_photo

    async def _on_edited(self, message: Message) -> None:
        """Other words under a photo, or the first ones that name us."""
        wanted = self.reader.read(message)
        if not isinstance(wanted, Wanted) or not wanted.words:
            return
        said = TextMessage(
            event_id=_album_event(message) or wanted.event_id,
            reply_to=self._to(message, wanted.picture),
            sender=await self._sender(message),
            words=wanted.words,
        )
        # The words of an album are its captioned photo's: it was asked about when it came.
        if await self.conversation.on_caption(said) or wanted.album is not None:
            return
        await self._on_photo(message, wanted)

    async def _on_album(self, items: list[Item]) -> None:
        """One clip of the first photo; or of each, if the words say so."""
        first = items[0]
        named = next((item for item in items if item.wanted.is_addressed), first)
        captioned = next((item for item in items if item.wanted.words), named)
        words = captioned.wanted.words or self._said_before(first.message)
        wanted = replace(captioned.wanted, is_addressed=named.wanted.is_addressed)
        if not await self._is_meant(first.message, wanted, words):
            return
        with contextlib.suppress(_Told):  # what stops one photo stops the rest
            if wants_each(words):
                for item in items:
                    await self._take(item.message, replace(item.wanted, words=words))
                return
            # The same event, however many of its photos have come.
            event_id = _album_event(first.message) or first.wanted.event_id
            notes = (Note.FIRST_OF_ALBUM,) if len(items) > 1 else ()
            wanted = replace(first.wanted, words=words, event_id=event_id)
            await self._take(first.message, wanted, notes)

    def _said_before(self, message: Message) -> str:
        to, sender = self._to(message), sender_of(message)
        return self.earlier.take(to, sender, event_of(message)) or ""

    async def _take(self, message: Message, wanted: Wanted, notes: tuple[Note, ...] = ()) -> None:
        """Acknowledge and ask for a clip; raises `_Told` once a refusal was told."""
        to = self._to(message, wanted.picture)
        seen = self.platform.react(to, str(message.message_id), _SEEN)
        await asyncio.gather(seen, self._ask(message, wanted, to, notes))

    async def _ask(
        self, message: Message, wanted: Wanted, to: ReplyTo, notes: tuple[Note, ...]
    ) -> None:
        asked = PhotoMessage(
            event_id=wanted.event_id,
            reply_to=to,
            sender=await self._sender(message),
            words=wanted.words,
            photo=b"",
            limit_bytes=self.limit_bytes,
            notes=notes,
        )
        answers_in = (await self.conversation.house(to.house_id)).answers_in
        if answers_in is not None:
            asked = replace(asked, reply_to=replace(to, thread_id=answers_in))
        async with self._photos:
            try:
                photo = await self.downloads.fetch(wanted.picture)
                await self.conversation.take(replace(asked, photo=photo))
            except Refused as refusal:
                await self.conversation.refuse(asked, refusal)
                if refusal.reason is RefusalReason.NO_CREDIT and self.stars.packs:
                    await self._on_buy(message, asked.sender)
                raise _Told from refusal

    async def _on_words(self, message: Message, words: Words) -> None:
        to, asker = self._to(message), sender_of(message)
        if words.is_addressed and words.words:
            # Before anything is waited for: the photo may be right behind them.
            self.earlier.keep(to, asker, words.words)
        said = TextMessage(
            event_id=event_of(message),
            reply_to=to,
            sender=asker,
            words=words.words,
            answers=words.answers,
        )
        if words.words and await self.conversation.on_words(said):
            self.earlier.take(to, asker, said.event_id)
            return
        if words.is_addressed and not (words.words and await self.earlier.were_taken(to, asker)):
            await self._say(message, self.conversation.usage(await self._sender(message)))

    async def _on_command(self, message: Message, command: Command) -> None:
        sender = await self._sender(message)
        match command.name:
            case "status":
                answer = await self.conversation.status(sender)
            case "cancel":
                answer = await self.conversation.cancel(sender)
            case "start" | "help":
                answer = self.conversation.help(sender)
            case "privacy":
                answer = self.conversation.privacy(sender)
            case "forget":
                answer = await self.conversation.forget(sender)
            case "terms":
                answer = self.conversation.terms(sender)
            case "paysupport":
                answer = self.conversation.paysupport(sender)
            case "settings":
                answer = await self._on_settings(message, command.argument, sender)
            case "buy" if self.stars.packs:
                await self._on_buy(message, sender)
                return
            case _ if command.is_addressed:
                answer = self.conversation.help(sender)
            case _:  # another bot's
                return
        await self._say(message, answer)

    async def _on_settings(self, message: Message, argument: str, sender: Sender) -> str:
        house_id = str(message.chat.id)
        if argument.lower() not in _TOPIC:
            return await self.conversation.settings(house_id, sender, argument)
        here = self._to(message).thread_id if _TOPIC[argument.lower()] else None
        house = await self.conversation.house(house_id)
        return await self.conversation.change_house(
            house_id, sender, replace(house, answers_in=here)
        )

    async def _on_buy(self, message: Message, sender: Sender) -> None:
        words = Messages(sender.language)
        buttons = tuple(
            Button(label=words.pack_button(clips, stars), verb=Verb.BUY, target=str(clips))
            for clips, stars in self.stars.packs.items()
        )
        said = words.shop(self.conversation.limits.free_clips_per_day)
        await self.platform.send_text(self._to(message), said, buttons=buttons)

    async def _on_press(self, query: CallbackQuery) -> None:
        read = Press.read(query.data or "")
        word = None
        shown = query.message
        if read is not None and shown is not None:
            verb, target, choice = read
            press = Press(
                event_id=f"press:{query.id}",
                verb=verb,
                target=target,
                choice=choice,
                sender=await self.admins.sender(person(query.from_user, shown.chat), shown.chat),
                reply_to=reply_to(shown, self.platform.bot, message_id=str(shown.message_id)),
                message_id=str(shown.message_id),
            )
            word = await self._pressed(press)
        await self._answer(query, word)

    async def _pressed(self, press: Press) -> str | None:
        if press.verb is not Verb.BUY:
            return await self.conversation.on_press(press)
        clips = int(press.target) if press.target.isdecimal() else 0
        is_sold = await self.stars.offer(press.reply_to, clips, press.sender.language)
        return None if is_sold else Messages(press.sender.language).not_sold()

    async def _answer(self, query: CallbackQuery, word: str | None) -> None:
        """End the turning wheel on the button; one that nobody waits for any more is let go."""
        if word is not None and len(word) > _MOST_ALERT:
            word = word[: _MOST_ALERT - 1] + "…"
        try:
            with our_errors():
                await self.platform.api.answer_callback_query(
                    query.id, word, show_alert=word is not None
                )
        except PlatformError as exc:  # what it said is done
            logger.info("a button was not answered", extra={"why": type(exc).__name__})

    async def _sender(self, message: Message) -> Sender:
        sender = await self.admins.sender(sender_of(message), message.chat)
        return await self.conversation.guest(self._to(message), sender)

    async def _say(self, message: Message, text: str) -> None:
        await self.platform.send_text(self._to(message), text)

    def _to(self, message: Message, picture: Picture | None = None) -> ReplyTo:
        """A reply to *message*, or to the photo that it is about."""
        about = str(message.message_id)
        if picture is not None and picture.message_id is not None:
            about = picture.message_id
        return reply_to(message, self.platform.bot, message_id=about)


def _album_event(message: Message) -> str | None:
    """One event for all photos of an album."""
    if message.media_group_id is None:
        return None
    return f"{message.chat.id}:album:{message.media_group_id}"
