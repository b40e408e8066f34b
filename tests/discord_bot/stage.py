"""The bot at work in this process, before the strict Discord on loopback."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from pydantic import SecretStr

from tests.conftest import wait_until
from tests.fakes.discord_api import DiscordServer
from vivant.bots.discord import run
from vivant.services import Services
from vivant.settings import Settings


def set_up(settings: Settings, discord: DiscordServer) -> Settings:
    """Point the bot at the fake."""
    return settings.model_copy(
        update={
            "discord_token": SecretStr(discord.token),
            "discord_api_url": discord.api_url,
        }
    )


@asynccontextmanager
async def at_work(services: Services, discord: DiscordServer) -> AsyncGenerator[None]:
    """The bot runs as `vivant bot discord` runs it; it is on the gateway within the block."""
    stop = asyncio.Event()
    running = asyncio.create_task(run(services, stop), name="the discord bot")
    try:
        await wait_until(lambda: discord.is_ready or running.done())
        yield
    finally:
        stop.set()
        await running
