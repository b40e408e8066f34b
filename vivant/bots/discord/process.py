"""The process of one bot: log in, wait for its turn, talk, and leave with nothing undone."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Final

import discord
from pydantic import SecretStr

from vivant.bots.discord.api_url import point_at
from vivant.bots.discord.asking import Asking
from vivant.bots.discord.attachments import open_downloads
from vivant.bots.discord.bot import VivantBot
from vivant.bots.discord.commands import add_commands
from vivant.bots.discord.outgoing import DiscordPlatform
from vivant.bots.discord.place import PLATFORM
from vivant.bots.discord.premium import Till, packs_of
from vivant.bots.discord.reading import reading
from vivant.bots.discord.refusals import our_errors
from vivant.bots.discord.translating import Translator
from vivant.errors import SettingsError, VivantError
from vivant.houses import Houses
from vivant.role import Role, until
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
                await until(stop, _role(services, bot).play(partial(_talk, services, bot)))
        except SettingsError:
            raise
        except VivantError as exc:
            if time.monotonic() - started > _LAST_RETRY_S:
                pause_s = _FIRST_RETRY_S
            logger.warning("no line to Discord; again in %g s", pause_s, extra={"why": str(exc)})
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause_s)
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


def _role(services: Services, bot: VivantBot) -> Role:
    """Each set of shards is a role of its own."""
    settings = services.settings
    shards = ",".join(str(shard) for shard in bot.shard_ids or ())
    name = f"{PLATFORM}:{bot.account}:{shards}"
    return Role(services.ledger.fleet, name, settings.lease_s, settings.beat_s)


async def _talk(services: Services, bot: VivantBot) -> None:
    """Talk until cancelled, or until the gateway hangs up for good."""
    settings = services.settings
    await bot.tree.set_translator(Translator())
    with our_errors():
        await bot.tree.sync()
    platform = DiscordPlatform(bot, bot.account, Houses(services.ledger))
    async with (
        # The last to go: what is delivered until then needs the client.
        AsyncExitStack() as line,
        open_conversation(services, platform) as conversation,
        reading(services, bot, Asking(conversation, bot.downloads)) as reader,
    ):
        bot.talks(conversation, reader, Till(bot, conversation, packs_of(settings.discord_packs)))
        connected = asyncio.create_task(bot.connect(), name="the gateway")
        line.push_async_callback(_hang_up, bot, connected)
        logger.info("talking on Discord", extra={"bot": str(bot.user)})
        try:
            await asyncio.wait([connected])
        finally:
            # Cancelled until here; from here on a time limit is to end in `TimeoutError` again.
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
            logger.info("stopping")
            await bot.attention.finish(settings.drain_s)
        _say_why(connected)


async def _hang_up(bot: VivantBot, connected: asyncio.Task[None]) -> None:
    await bot.close()
    _, trying = await asyncio.wait([connected], timeout=_HANG_UP_S)
    if trying:  # to connect, which discord.py would do for ever
        connected.cancel()
        await asyncio.wait([connected])


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
