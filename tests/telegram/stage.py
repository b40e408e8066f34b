"""A bot at work on a Telegram on loopback, run as its process runs it."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from tests.fakes.telegram_api import BotAccount, FakeTelegram
from vivant.bots.telegram import run
from vivant.services import Services
from vivant.settings import Settings


def set_up(settings: Settings, telegram: FakeTelegram, *accounts: BotAccount) -> Settings:
    """*settings* with the tokens of *accounts*."""
    tokens = SecretStr(", ".join(account.token for account in accounts))
    return settings.model_copy(update={"telegram_token": tokens, "telegram_api_url": telegram.url})


@asynccontextmanager
async def at_work(services: Services) -> AsyncGenerator[None]:
    """The bot, from its start to its stop."""
    stop = asyncio.Event()
    running = asyncio.create_task(run(services, stop))
    try:
        yield
    finally:
        stop.set()
        await running
