"""A Discord on loopback with a bot that is at work, two people, and a server with a channel."""

from collections.abc import AsyncIterator

import pytest

from tests.discord_bot.stage import at_work, set_up
from tests.fakes.discord_api import Channel, DiscordServer, Guild, Person
from vivant.services import Services
from vivant.settings import Settings


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, discord: DiscordServer) -> Settings:
    return set_up(settings, discord)


@pytest.fixture
def ada(discord: DiscordServer) -> Person:
    return discord.person("ada")


@pytest.fixture
def bob(discord: DiscordServer) -> Person:
    return discord.person("bob")


@pytest.fixture
def home(discord: DiscordServer, ada: Person, bob: Person) -> Guild:
    return discord.guild("Home", ada, bob)


@pytest.fixture
def general(discord: DiscordServer, home: Guild) -> Channel:
    return discord.channel(home, "general")


@pytest.fixture
async def bot(
    services: Services, discord: DiscordServer, general: Channel
) -> AsyncIterator[DiscordServer]:
    """The bot, once it is on the gateway and in the server."""
    del general
    async with at_work(services, discord):
        yield discord
