"""Messages posted in channels and DMs: heard, or caught up with, and answered."""

import asyncio
import datetime as dt
import logging
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final, TypeAlias

import discord

from vivant.bots.discord.addressing import Wanted, wanted
from vivant.bots.discord.asking import Asking, events
from vivant.bots.discord.incoming import author_of, limit_of, place_of_message
from vivant.bots.discord.languages import Languages
from vivant.bots.discord.mailbox import Mailbox, Posted
from vivant.bots.discord.place import PLATFORM, Place
from vivant.bots.discord.refusals import our_errors
from vivant.chat import PhotoMessage, Sender, TextMessage
from vivant.clips import ReplyTo
from vivant.conversation import Conversation
from vivant.director.several import wants_each
from vivant.errors import LedgerDown, MessageGone, PlatformError, Undeliverable
from vivant.messages import Messages
from vivant.reception import Reception
from vivant.services import Services, running

#: How far back, and how many of each channel, is read after the bot was away.
WINDOW: Final = dt.timedelta(minutes=60)
MOST_OF_A_CHANNEL: Final = 100
#: Channels read at once, far below what Discord lets a bot ask in a second.
_CHANNELS_AT_ONCE: Final = 4

#: DMs read after the bot was away.
_MOST_DMS: Final = 100

Readable: TypeAlias = discord.TextChannel | discord.VoiceChannel | discord.Thread
#: Messages seen to at once.
_AT_ONCE: Final = 8
_OF_ONE: Final = 2

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Reader:
    """Reads for one bot."""

    client: discord.Client
    account: str
    conversation: Conversation
    asking: Asking
    languages: Languages = field(default_factory=Languages, init=False)
    mailbox: Mailbox = field(init=False)
    #: Just heard, so that they need not be asked for again.
    _heard: dict[int, discord.Message] = field(default_factory=dict, init=False)

    async def hear(self, message: discord.Message) -> None:
        """A message was posted."""
        if await self._wanted(message) is not None:
            self._heard[message.id] = message
            if not await self.mailbox.keep([_posted(message)]):
                self._heard.pop(message.id, None)

    async def hear_anew(self, message: discord.Message) -> None:
        """A message was changed: other words count until an engine has the photo.

        One that names the bot only now is as good as new. Discord tells of a change too where it
        only found a preview for a link; the same words again do no harm.
        """
        asks = await self._wanted(message)
        if asks is None:
            return
        said = self._said(message, asks)
        known = [
            await self.conversation.on_caption(replace(said, event_id=event_id))
            for event_id in _events(message, asks)
        ]
        if not any(known):
            await self.hear(message)

    # ---- what was posted while nobody listened

    async def catch_up(self, guilds: Iterable[discord.Guild]) -> None:
        """Find messages of the last hour that nobody has seen to."""
        free = asyncio.Semaphore(_CHANNELS_AT_ONCE)

        async def read(channel: Readable) -> None:
            async with free:
                await self._catch_up_with(channel)

        since = discord.utils.time_snowflake(discord.utils.utcnow() - WINDOW)
        stirred: list[Readable] = []
        for guild in guilds:
            here: list[Readable] = [*guild.text_channels, *guild.voice_channels, *guild.threads]
            stirred += [
                channel
                for channel in here
                if (channel.last_message_id or 0) > since and _may_read(channel, guild.me)
            ]
        await asyncio.gather(*(read(channel) for channel in stirred))

    async def catch_up_in_private(self) -> None:
        """The same for DMs: of those where somebody asked lately, since Discord does not list them.

        One after another: each costs a call, stirred or not.
        """
        jobs = self.conversation.ledger.jobs
        try:
            asked = await jobs.places(PLATFORM, self.account, limit=_MOST_DMS)
        except LedgerDown as exc:
            logger.warning("DMs could not be caught up with", extra={"why": str(exc)})
            return
        for place in map(Place.of, asked):
            if place.server_id is None and not place.is_away:
                chat = self.client.get_partial_messageable(
                    place.channel_id, type=discord.ChannelType.private
                )
                await self._catch_up_with(chat)

    async def _catch_up_with(self, channel: Readable | discord.PartialMessageable) -> None:
        since = discord.utils.utcnow() - WINDOW
        answered: set[int] = set()
        missed: list[discord.Message] = []
        try:
            with our_errors():
                async for message in channel.history(limit=MOST_OF_A_CHANNEL):
                    if message.created_at < since:
                        break
                    if message.author.id == int(self.account) and message.reference is not None:
                        answered.add(message.reference.message_id or 0)
                    if await self._wanted(message) is not None:
                        missed.append(message)
        except (PlatformError, LedgerDown) as exc:
            logger.warning("a channel could not be caught up with", extra={"why": str(exc)})
            return
        # Oldest first, as they would have been heard.
        unanswered = [_posted(one) for one in reversed(missed) if one.id not in answered]
        await self.mailbox.keep(unanswered)

    # ---- one message

    async def see_to(self, posted: Posted) -> None:
        """Do what it asks. Doing it twice is harmless."""
        message = self._heard.get(posted.message_id) or await self.fetched(posted)
        asks = None if message is None else await self._wanted(message)
        if message is not None and asks is not None:
            try:
                await self._answer(message, asks)
            except Undeliverable as exc:
                logger.info("may not answer there", extra={"why": str(exc)})
        self._heard.pop(posted.message_id, None)

    async def give_up(self, posted: Posted) -> None:
        """Say that it broke."""
        message = self._heard.pop(posted.message_id, None) or await self.fetched(posted)
        asks = None if message is None else await self._wanted(message)
        if message is None or asks is None:
            return
        to = self._to(message)
        taken = [
            await self.conversation.was_accepted(to, event_id)
            for event_id in _events(message, asks)
        ]
        if all(taken):
            return
        words = Messages(self._author(message).language)
        await self.conversation.platform.send_text(to, words.went_wrong())

    async def _wanted(self, message: discord.Message) -> Wanted | None:
        bot_id = int(self.account)
        asks = wanted(message, bot_id)
        if asks is not None or message.guild is None or not self.client.intents.message_content:
            return asks
        every_photo = wanted(message, bot_id, every_photo=True)
        if every_photo is None:
            return None
        house = await self.conversation.house(str(message.guild.id))
        return every_photo if house.every_photo else None

    async def _answer(self, message: discord.Message, asks: Wanted) -> None:
        if message.guild is None and await self._operates(message):
            return
        if asks.photos and asks.answers is None:
            await self._animate(message, asks)
        elif asks.words and await self._are_words_for_a_photo(message, asks):
            return
        elif asks.photos:
            await self._animate(message, asks)
        elif asks.is_video:
            await self._say(message, self.conversation.video_hint(self._author(message)))
        elif asks.is_blind:
            await self._say(message, Messages(self._author(message).language).hidden_photo())
        elif asks.is_named or message.guild is None:
            await self._say(message, self.conversation.usage(self._author(message)))

    async def _operates(self, message: discord.Message) -> bool:
        """The operator's words in a DM: "admin jobs"."""
        word, _, said = message.content.strip().partition(" ")
        if word.lower() != "admin":
            return False
        answer = await self.conversation.operate(self._author(message), said, str(message.id))
        if answer is None:
            return False
        await self._say(message, answer)
        return True

    async def _animate(self, message: discord.Message, asks: Wanted) -> None:
        asked = PhotoMessage(
            event_id=str(message.id),
            reply_to=self._to(message),
            sender=self._author(message),
            words=asks.words,
            photo=b"",
            limit_bytes=limit_of(message),
        )
        await self.asking.as_said(asked, asks.photos)

    async def _are_words_for_a_photo(self, message: discord.Message, asks: Wanted) -> bool:
        said = self._said(message, asks)
        if await self.conversation.on_words(said):
            return True
        # A question that stands in an interaction's response is known by another name.
        answers = None if asks.answers is None else f"@{asks.answers}"
        return answers is not None and await self.conversation.on_words(
            replace(said, answers=answers)
        )

    def _said(self, message: discord.Message, asks: Wanted) -> TextMessage:
        return TextMessage(
            event_id=str(message.id),
            reply_to=self._to(message),
            sender=self._author(message),
            words=asks.words,
            answers=None if asks.answers is None else str(asks.answers),
        )

    async def _say(self, message: discord.Message, text: str) -> None:
        await self.conversation.platform.send_text(self._to(message), text, nonce=f"{message.id}.s")

    async def fetched(self, posted: Posted) -> discord.Message | None:
        """The message, as far as Discord shows it to the bot; None where it does not."""
        channel: discord.abc.Messageable = self.client.get_partial_messageable(
            posted.channel_id, guild_id=posted.guild_id or None
        )
        known = self.client.get_channel(posted.channel_id)
        if isinstance(known, discord.abc.Messageable):
            channel = known
        try:
            with our_errors():
                return await channel.fetch_message(posted.message_id)
        except (MessageGone, Undeliverable):
            return None

    def _author(self, message: discord.Message) -> Sender:
        return author_of(message, self.languages.of(message))

    def _to(self, message: discord.Message) -> ReplyTo:
        return place_of_message(message).reply_to(self.account)


@asynccontextmanager
async def reading(
    services: Services, client: discord.Client, asking: Asking
) -> AsyncGenerator[Reader]:
    """See to messages until the block ends; then finish those under way."""
    account = asking.conversation.platform.bot
    reader = Reader(client, account, asking.conversation, asking)
    inbox = services.ledger.inbox(PLATFORM, account)
    reception = Reception(
        inbox,
        lambda kept: reader.see_to(Posted.of(kept)),
        lambda kept: reader.give_up(Posted.of(kept)),
        services.settings.beat_s,
        at_once=_AT_ONCE,
        of_one=_OF_ONE,
    )
    reader.mailbox = Mailbox(inbox, reception)
    try:
        async with running(reception.run(), "the reception"):
            yield reader
    finally:
        await reception.drain(services.settings.drain_s)


def _events(message: discord.Message, asks: Wanted) -> list[str]:
    """What it may have been taken as."""
    return events(str(message.id), len(asks.photos) if wants_each(asks.words) else 1)


def _posted(message: discord.Message) -> Posted:
    guild_id = 0 if message.guild is None else message.guild.id
    return Posted(
        message_id=message.id,
        channel_id=message.channel.id,
        guild_id=guild_id,
        author_id=message.author.id,
    )


def _may_read(channel: Readable, me: discord.Member) -> bool:
    may = channel.permissions_for(me)
    return may.view_channel and may.read_message_history
