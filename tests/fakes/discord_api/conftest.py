"""What the tests of the fake Discord run on."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.fakes.discord_api import DiscordServer
from tests.fakes.discord_api.trial import Bot, Http, Place, running


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as discord_server:
        yield discord_server


@pytest.fixture
async def place(server: DiscordServer) -> AsyncIterator[Place]:
    here = Place(server, Bot())
    async with running(server, here.bot):
        yield here


@pytest.fixture
async def http(server: DiscordServer) -> AsyncIterator[Http]:
    headers = {"Authorization": f"Bot {server.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        yield Http(server, session)
