"""Where the real client is told to find Discord."""

import discord
import pytest
from discord.gateway import DiscordWebSocket

from tests.fakes.discord_api import (
    DiscordServer,
)
from tests.fakes.discord_api.trial import Bot, Place
from vivant.bots.discord.api_url import point_at


async def test_rest_and_gateway_follow_the_setting(place: Place) -> None:
    """Login and gateway both used the address that was set; nothing was refused."""
    assert place.discord.api_url == discord.http.Route.BASE
    assert str(DiscordWebSocket.DEFAULT_GATEWAY) == place.discord.gateway.url
    assert place.bot.user is not None
    assert place.bot.user.id == place.discord.bot.id
    assert [guild.name for guild in place.bot.guilds] == ["Home"]
    assert place.discord.refused == []


async def test_a_slash_at_the_end_of_the_setting_does_no_harm() -> None:
    point_at("http://127.0.0.1:9/api/v10/")

    assert discord.http.Route.BASE == "http://127.0.0.1:9/api/v10"


async def test_a_wrong_token_is_refused(server: DiscordServer) -> None:
    point_at(server.api_url)

    async with Bot() as bot:
        with pytest.raises(discord.LoginFailure):
            await bot.login("wrong")
