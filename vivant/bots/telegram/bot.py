"""The bot's process: which bots, who reads their updates, and what runs beside."""

import asyncio
import contextlib
import json
import logging
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Final

import httpx
from telegram import Bot
from telegram.request import HTTPXRequest

from vivant.bots.telegram.action import Action
from vivant.bots.telegram.admins import Admins
from vivant.bots.telegram.commands import Commands, offer_commands
from vivant.bots.telegram.downloads import Downloads
from vivant.bots.telegram.incoming import Reader
from vivant.bots.telegram.letterbox import Letterbox
from vivant.bots.telegram.outgoing import PLATFORM, TelegramPlatform
from vivant.bots.telegram.poller import Poller
from vivant.bots.telegram.presses import Presses
from vivant.bots.telegram.server import Server, number_of, open_bot
from vivant.bots.telegram.stars import Stars, packs_of, refund
from vivant.bots.telegram.talk import KINDS, Talk
from vivant.errors import PlatformError, SettingsError, TryLater
from vivant.houses import Houses
from vivant.queue import hearing_progress
from vivant.reception import Reception
from vivant.role import Role, until
from vivant.services import Services, open_conversation
from vivant.settings import Settings

if TYPE_CHECKING:
    from vivant.bots.telegram.webhook import Door

#: How long a connection may be silent during a download, in seconds.
_DOWNLOAD_S: Final = 20
_RETRY_S: Final = 5.0

logger = logging.getLogger(__name__)


async def run(services: Services, stop: asyncio.Event) -> None:
    """Talk on Telegram until *stop*, for each token that is set."""
    settings = services.settings
    server = Server(settings.telegram_api_url.rstrip("/"))
    async with AsyncExitStack() as stack:
        door = await _door(stack, settings)
        try:
            # In a task of its own: Python 3.11.2 leaves one half cancelled where a group fails.
            await asyncio.create_task(_run_each(services, server, door, stop), name=PLATFORM)
        except ExceptionGroup as group:
            wrong = group.subgroup(SettingsError)
            if wrong is None:
                raise
            raise SettingsError(str(_first_of(wrong))) from group


async def _door(stack: AsyncExitStack, settings: Settings) -> "Door | None":
    if settings.telegram_webhook_url is None:
        return None
    try:
        from vivant.bots.telegram.webhook import open_door  # noqa: PLC0415  # needs aiohttp
    except ImportError as exc:
        raise SettingsError("a webhook needs aiohttp: pip install 'vivant[webhook]'") from exc
    door = open_door(
        settings.telegram_webhook_url, settings.telegram_webhook_listen, settings.identity_secret()
    )
    return await stack.enter_async_context(door)


def _first_of(group: ExceptionGroup[SettingsError]) -> Exception:
    first: Exception = group
    while isinstance(first, ExceptionGroup):
        first = first.exceptions[0]
    return first


async def whoami(settings: Settings) -> str:
    """The name of the bot, as Telegram knows it; raises what `open_bot` raises."""
    server = Server(settings.telegram_api_url.rstrip("/"))
    names = []
    for token in tokens_of(settings):
        async with open_bot(server, token) as api:
            names.append(api.username)
    return ", @".join(names)


async def give_stars_back(settings: Settings, user_id: int, charge_id: str) -> None:
    """Refund a payment for the operator, whichever bot it was made to.

    The bot that is at work takes the clips back once Telegram tells it. Raises `PlatformError`
    with Telegram's reason, and what `open_bot` raises.
    """
    server = Server(settings.telegram_api_url.rstrip("/"))
    tokens = tokens_of(settings)
    for token in tokens:
        async with open_bot(server, token) as api:
            try:
                await refund(api, user_id, charge_id)
            except TryLater:
                raise
            except PlatformError:
                if token == tokens[-1]:
                    raise
            else:
                return


def tokens_of(settings: Settings) -> list[str]:
    """One token, or several with commas between them."""
    if settings.telegram_token is None:
        raise SettingsError("VIVANT_TELEGRAM_TOKEN is not set; BotFather on Telegram gives one")
    told = settings.telegram_token.get_secret_value()
    return [token.strip() for token in told.split(",") if token.strip()]


async def _run_each(
    services: Services, server: Server, door: "Door | None", stop: asyncio.Event
) -> None:
    async with asyncio.TaskGroup() as bots:
        for token in tokens_of(services.settings):
            talking = _run_one(services, server, token, door, stop)
            bots.create_task(talking, name=number_of(token))


async def _run_one(
    services: Services, server: Server, token: str, door: "Door | None", stop: asyncio.Event
) -> None:
    settings = services.settings
    async with AsyncExitStack() as stack:
        api = await _connected(stack, server, token, stop)
        if api is None:
            return
        platform = TelegramPlatform(api, number_of(token), Houses(services.ledger))
        http = await stack.enter_async_context(httpx.AsyncClient(timeout=_DOWNLOAD_S))
        conversation = await stack.enter_async_context(open_conversation(services, platform))
        action = Action(platform, services.ledger)
        await stack.enter_async_context(
            hearing_progress(services.redis_url, PLATFORM, platform.bot, action.on_progress)
        )
        stars = Stars(api, services.ledger.people, packs_of(settings.telegram_star_packs))
        admins = Admins(api)
        talk = Talk(
            platform,
            Reader(bot_id=api.id, username=api.username),
            Downloads(api, http),
            conversation,
            admins,
            stars,
            Commands(platform, conversation, stars),
            Presses(platform, conversation, admins, stars),
            server.upload_limit_bytes,
        )
        inbox = services.ledger.inbox(PLATFORM, platform.bot)
        reception = Reception(
            inbox,
            lambda raw: talk.see_to(json.loads(raw)),
            lambda raw: talk.give_up(json.loads(raw)),
            settings.beat_s,
        )
        letterbox = Letterbox(inbox, reception.wake, stars.agree)
        stack.push_async_callback(letterbox.close)
        line = await stack.enter_async_context(HTTPXRequest(connection_pool_size=1))
        poller = Poller(api, line, KINDS, letterbox.put)
        if door is not None:
            door.open(platform.bot, letterbox.put)

        async def work() -> None:
            logger.info("talking on Telegram", extra={"bot": f"@{api.username}"})
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(reception.run())
                tasks.create_task(offer_commands(api, sells=bool(stars.packs)))
                tasks.create_task(door.tell_telegram(api, KINDS) if door else poller.run())

        role = Role(
            services.ledger.fleet, f"telegram:{platform.bot}", settings.lease_s, settings.beat_s
        )
        while not stop.is_set():
            await until(stop, role.play(work))
        await reception.drain(settings.drain_s)


async def _connected(
    stack: AsyncExitStack, server: Server, token: str, stop: asyncio.Event
) -> Bot | None:
    """The bot once Telegram has answered; None when *stop* came first."""
    while not stop.is_set():
        try:
            return await stack.enter_async_context(open_bot(server, token))
        except TryLater:
            logger.warning("Telegram does not answer; trying again")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), _RETRY_S)
    return None
