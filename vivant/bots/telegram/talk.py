"""Hands what arrives to the conversation, and its answers to the chat."""

import asyncio
import contextlib
from dataclasses import dataclass, field, replace
from typing import Any, Final

from telegram import Message, RefundedPayment, SuccessfulPayment, Update
from telegram.constants import ChatType

from vivant.bots.telegram.admins import Admins
from vivant.bots.telegram.albums import Albums, Item
from vivant.bots.telegram.commands import Commands
from vivant.bots.telegram.downloads import Downloads
from vivant.bots.telegram.incoming import (
    Command,
    Film,
    Picture,
    Reader,
    Wanted,
    Words,
    album_event,
    event_of,
    reply_to,
    sender_of,
)
from vivant.bots.telegram.outgoing import TelegramPlatform, is_group
from vivant.bots.telegram.presses import Presses
from vivant.bots.telegram.stars import Stars, clips_of
from vivant.chat import PhotoMessage, Sender, TextMessage
from vivant.clips import Note, RefusalReason, ReplyTo
from vivant.conversation import Conversation
from vivant.director.several import leads_over, wants_each
from vivant.errors import Refused
from vivant.messages import Messages

#: What `Talk` wants to be told of.
KINDS: Final = ("message", "edited_message", "callback_query", "pre_checkout_query")

#: Photos in memory at once, each up to 20 MB and its decoded self.
_PHOTOS_AT_ONCE: Final = 6
#: An album of so many photos can be the beginning and the end of one clip.
_PAIR: Final = 2
_SEEN: Final = "👀"
#: A forward follows its comment within this, in seconds.
_AT_ONCE_S: Final = 1.0


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
    commands: Commands
    presses: Presses
    #: The largest clip that the server takes.
    limit_bytes: int
    albums: Albums = field(default_factory=Albums, init=False)
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
            await self.presses.on_press(update.callback_query)

    async def give_up(self, raw: dict[str, Any]) -> None:
        """Say that it broke, to whoever was told that we are on it."""
        message = Update.de_json(raw, self.platform.api).message
        wanted = None if message is None else self.reader.read(message)
        if message is None or not isinstance(wanted, Wanted) or not wanted.is_addressed:
            return
        event_id = album_event(message) or wanted.event_id
        if await self.conversation.was_accepted(self._to(message, wanted.picture), event_id):
            return
        await self._say(message, Messages(sender_of(message).language).went_wrong())

    async def _on_message(self, message: Message) -> None:
        here = str(message.chat.id)
        if message.migrate_to_chat_id is not None:
            await self.conversation.move_house(here, str(message.migrate_to_chat_id))
            return
        if message.migrate_from_chat_id is not None:
            await self.conversation.move_house(str(message.migrate_from_chat_id), here)
            return
        if message.successful_payment is not None:
            await self._on_paid(message, message.successful_payment)
            return
        if message.refunded_payment is not None:
            await self._on_paid_back(message, message.refunded_payment)
            return
        match self.reader.read(message):
            case Wanted() as wanted:
                await self._on_photo(message, wanted)
            case Words() as words:
                await self._on_words(message, words)
            case Film(album=None):
                await self._on_film(message)
            case Film():
                await self._join_album(message, None)
            case Command() as command:
                await self.commands.on_command(
                    command, self._to(message), await self._sender(message)
                )
            case None:
                return

    async def _on_paid(self, message: Message, paid: SuccessfulPayment) -> None:
        clips, charge = clips_of(paid.invoice_payload), paid.telegram_payment_charge_id
        thanks = await self.conversation.paid(await self._sender(message), clips, charge)
        await self._say(message, thanks)

    async def _on_paid_back(self, message: Message, payment: RefundedPayment) -> None:
        sender = await self._sender(message)
        is_alone = message.chat.type == ChatType.PRIVATE
        # By the chat, for Telegram's own word on a payment may come in our name.
        gone = await self.stars.refunded(str(message.chat.id) if is_alone else sender.id, payment)
        if gone is not None:
            await self._say(message, Messages(sender.language).paid_back(gone))

    async def _on_photo(self, message: Message, wanted: Wanted) -> None:
        if wanted.album is not None:
            await self._join_album(message, wanted)
            return
        if await self._waits_for(message, wanted):
            return
        words = wanted.words or await self._said_before(message)
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

    async def _waits_for(self, message: Message, wanted: Wanted) -> bool:
        """Whether the words answer a photo that was asked about and waits for them."""
        if wanted.answers is None or not wanted.words:
            return False
        said = self._said(message, wanted, wanted.event_id)
        return await self.conversation.on_words_for(wanted.answers, said)

    def _said(self, message: Message, wanted: Wanted, event_id: str) -> TextMessage:
        return TextMessage(
            event_id=event_id,
            reply_to=self._to(message, wanted.picture),
            sender=sender_of(message),
            words=wanted.words,
        )

    async def _on_edited(self, message: Message) -> None:
        """Other words under a photo, or the first ones that name us."""
        wanted = self.reader.read(message)
        if not isinstance(wanted, Wanted) or not wanted.words:
            return
        said = self._said(message, wanted, album_event(message) or wanted.event_id)
        # The words of an album are its captioned photo's: it was asked about when it came.
        if await self.conversation.on_caption(said) or wanted.album is not None:
            return
        await self._on_photo(message, wanted)

    async def _on_film(self, message: Message) -> None:
        hint = self.conversation.video_hint(await self._sender(message))
        await self._say(message, hint)

    async def _join_album(self, message: Message, wanted: Wanted | None) -> None:
        album = album_event(message) or event_of(message)
        await self.albums.join(album, Item(message, wanted), self._on_album)

    async def _on_album(self, items: list[Item]) -> None:
        """One clip of the first photo; or of each, if the words say so. Videos are left out."""
        photos = [(item.message, item.wanted) for item in items if item.wanted is not None]
        if not photos:
            await self._on_film(items[0].message)
            return
        message, first = photos[0]
        words = next((photo.words for _, photo in photos if photo.words), "")
        meant = replace(
            first, words=words, is_addressed=any(photo.is_addressed for _, photo in photos)
        )
        words = words or await self._said_before(message)
        if not await self._is_meant(message, meant, words):
            return
        with contextlib.suppress(_Told):  # what stops one photo stops the rest
            if wants_each(words):
                for each, photo in photos:
                    await self._take(each, replace(photo, words=words))
                return
            # The same event, however many of its photos have come.
            event_id = album_event(message) or first.event_id
            one = replace(first, words=words, event_id=event_id)
            if len(photos) == _PAIR and leads_over(words):
                await self._take(message, one, last=photos[1][1])
                return
            notes = (Note.FIRST_OF_ALBUM,) if len(photos) > 1 else ()
            await self._take(message, one, notes)

    async def _said_before(self, message: Message) -> str:
        event_id = album_event(message) or event_of(message)
        return await self.conversation.words_before(self._to(message), sender_of(message), event_id)

    async def _take(
        self,
        message: Message,
        wanted: Wanted,
        notes: tuple[Note, ...] = (),
        *,
        last: Wanted | None = None,
    ) -> None:
        """Acknowledge and ask for a clip; raises `_Told` once a refusal was told."""
        to = self._to(message, wanted.picture)
        seen = self.platform.react(to, str(message.message_id), _SEEN)
        await asyncio.gather(seen, self._ask(message, wanted, to, notes, last))

    async def _ask(
        self,
        message: Message,
        wanted: Wanted,
        to: ReplyTo,
        notes: tuple[Note, ...],
        last: Wanted | None,
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
                if last is not None:
                    last_photo = await self.downloads.fetch(last.picture)
                    asked = replace(asked, last_photo=last_photo)
                await self.conversation.take(replace(asked, photo=photo))
            except Refused as refusal:
                await self.conversation.refuse(asked, refusal)
                if refusal.reason is RefusalReason.NO_CREDIT and self.stars.packs:
                    await self.commands.show_packs(to, asked.sender)
                raise _Told from refusal

    async def _on_words(self, message: Message, words: Words) -> None:
        said = TextMessage(
            event_id=event_of(message),
            reply_to=self._to(message),
            sender=sender_of(message),
            words=words.words,
            answers=words.answers,
        )
        if words.words:
            if words.is_addressed:  # first of all: the photo may be right behind them
                await self.conversation.keep_words(said)
            if await self.conversation.on_words(said):
                await self._said_before(message)  # so that they are no other photo's as well
                return
        if words.is_addressed and not (words.words and await self._is_followed(said)):
            sender = await self._sender(message)
            usage = self.conversation.usage(sender, in_group=is_group(said.reply_to))
            await self._say(message, usage)

    async def _is_followed(self, said: TextMessage) -> bool:
        """Whether the photo of these words comes right behind them."""
        await asyncio.sleep(_AT_ONCE_S)
        return not await self.conversation.words_wait(said)

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
