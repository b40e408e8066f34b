"""The process of one bot: log in, wait for its turn, talk, and leave with nothing undone."""

import asyncio
import contextlib
import logging
import os
import secrets
import socket
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

import discord
from pydantic import SecretStr

from vivant.bots.discord.api_url import point_at
from vivant.bots.discord.attachments import open_downloads
from vivant.bots.discord.bot import VivantBot
from vivant.bots.discord.commands import add_commands
from vivant.bots.discord.outgoing import DiscordPlatform
from vivant.bots.discord.place import PLATFORM
from vivant.bots.discord.premium import Till, packs_of
from vivant.bots.discord.reading import reading
from vivant.bots.discord.refusals import our_errors
from vivant.bots.discord.translating import Translator
from vivant.errors import LedgerDown, SettingsError, VivantError
from vivant.houses import Houses
from vivant.services import Services, open_conversation
from vivant.settings import Settings

#: Discord is away, or lets nobody in: tried again after this, and ever more seldom.
_FIRST_RETRY_S: Final = 1.0
_LAST_RETRY_S: Final = 60.0
_HANG_UP_S: Final = 3.0

logger = logging.getLogger(__name__)


async def whoami(settings: Settings) -> str:
    """The name of the bot; raises `SettingsError`, or `PlatformError` where Discord is away."""
    async with logged_in(settings) as bot:
        return str(bot.user)


async def run(services: Services, stop: asyncio.Event) -> None:
    """Talk until *stop*. Of several processes with one token one talks; the others stand by."""
    pause_s = _FIRST_RETRY_S
    while not stop.is_set():
        started = time.monotonic()
        try:
            async with logged_in(services.settings) as bot:
                await _Turn(services, bot).take(stop)
        except SettingsError:
            raise
        except VivantError as exc:
            if time.monotonic() - started > _LAST_RETRY_S:
                pause_s = _FIRST_RETRY_S
            logger.warning("no line to Discord; again in %g s", pause_s, extra={"why": str(exc)})
            await _either(stop, asyncio.sleep(pause_s))
            pause_s = min(pause_s * 2, _LAST_RETRY_S)


@asynccontextmanager
async def logged_in(settings: Settings) -> AsyncGenerator[VivantBot]:
    """A bot that Discord knows, not yet on the gateway. Raises as `whoami` does."""
    if settings.discord_token is None:
        raise SettingsError("VIVANT_DISCORD_TOKEN is not set")
    point_at(settings.discord_api_url)
    async with (
        open_downloads(settings.discord_api_url) as downloads,
        VivantBot(downloads, settings) as bot,
    ):
        add_commands(bot.tree, sells=bool(settings.discord_packs))
        await _log_in(bot, settings.discord_token)
        yield bot


async def _log_in(bot: VivantBot, token: SecretStr) -> None:
    try:
        with our_errors():
            await bot.login(token.get_secret_value())
    except discord.LoginFailure as exc:
        raise SettingsError("VIVANT_DISCORD_TOKEN: Discord does not know this token") from exc
    except discord.GatewayNotFound as exc:
        raise SettingsError("VIVANT_DISCORD_API_URL: no gateway is named there") from exc


@dataclass(slots=True)
class _Turn:
    """One process's turn at one token."""

    services: Services
    bot: VivantBot

    async def take(self, stop: asyncio.Event) -> None:
        """Wait for the turn, and talk until *stop* or until the turn is lost."""
        me = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"
        if not await self._mine(me, stop):
            return
        lost = asyncio.create_task(self._lost(me), name="the turn at the token")
        try:
            await self._talk(stop, lost)
        finally:
            lost.cancel()
            await asyncio.wait([lost])
            with contextlib.suppress(LedgerDown):  # then it lapses by itself
                await self.services.ledger.fleet.release(self._role, me)

    @property
    def _role(self) -> str:
        shards = ",".join(str(shard) for shard in self.bot.shard_ids or ())
        return f"{PLATFORM}:{self.bot.account}:{shards}"

    async def _hold(self, me: str) -> bool:
        hold_s = self.services.settings.lease_s
        return await self.services.ledger.fleet.hold(self._role, me, for_s=hold_s)

    async def _mine(self, me: str, stop: asyncio.Event) -> bool:
        is_told = False
        while not stop.is_set():
            if await self._hold(me):
                return True
            if not is_told:
                logger.warning("another process talks with this token; standing by")
                is_told = True
            await _either(stop, asyncio.sleep(self.services.settings.beat_s))
        return False

    async def _lost(self, me: str) -> None:
        while True:
            await asyncio.sleep(self.services.settings.beat_s)
            try:
                if not await self._hold(me):
                    logger.warning("another process took over; standing by")
                    return
            except LedgerDown:  # nobody else can take it either
                logger.warning("the ledger does not answer")

    async def _talk(self, stop: asyncio.Event, lost: asyncio.Task[None]) -> None:
        bot = self.bot
        await bot.tree.set_translator(Translator())
        with our_errors():
            await bot.tree.sync()
        platform = DiscordPlatform(bot, bot.account, Houses(self.services.ledger))
        async with (
            open_conversation(self.services, platform) as conversation,
            reading(self.services, bot, conversation, bot.downloads) as reader,
        ):
            packs = packs_of(self.services.settings.discord_packs)
            bot.talks(conversation, reader, Till(bot, conversation, packs))
            line = asyncio.create_task(bot.connect(), name="the gateway")
            logger.info("talking on Discord", extra={"bot": str(bot.user)})
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait((line, stopped, lost), return_when=asyncio.FIRST_COMPLETED)
            stopped.cancel()
            logger.info("stopping")
            await bot.attention.finish(self.services.settings.drain_s)
            if line.done():
                _say_why(line)
        # Deliveries are over too: only now the line may close.
        await bot.close()
        _, trying = await asyncio.wait([line], timeout=_HANG_UP_S)
        if trying:  # to connect, which discord.py would do for ever
            line.cancel()
            await asyncio.wait([line])


def _say_why(line: asyncio.Task[None]) -> None:
    """Raise what the gateway said when it hung up for good; it decides whether to come back."""
    exc = line.exception()
    if isinstance(exc, discord.PrivilegedIntentsRequired):
        raise SettingsError(
            "VIVANT_DISCORD_READS_MESSAGES: switch 'Message Content Intent' on in the developer "
            "portal, or leave this unset"
        ) from exc
    if exc is not None:
        raise VivantError(f"the gateway hung up: {type(exc).__name__}") from exc


async def _either(stop: asyncio.Event, other: Any) -> None:
    """Come back when *stop* is set or *other* is over."""
    waits = [asyncio.ensure_future(stop.wait()), asyncio.ensure_future(other)]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
