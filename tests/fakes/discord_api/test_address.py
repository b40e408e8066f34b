"""Where the real client is told to find Discord."""

import discord
import pytest
from discord.gateway import DiscordWebSocket

from tests.fakes.discord_api import DiscordServer
from tests.fakes.discord_api.trial import Bot, Place, running
from vivant.bots.discord.api_url import follow_gateway, point_at


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


async def test_a_bot_of_several_shards_follows_too(server: DiscordServer) -> None:
    """It takes the number of shards that the API recommends."""
    server.gateway.recommended_shards = 2
    guild_ids = {server.guild("One").id, server.guild("Two").id}

    class Sharded(discord.AutoShardedClient):
        async def setup_hook(self) -> None:
            await follow_gateway(self)

        async def before_identify_hook(
            self, shard_id: int | None, *, initial: bool = False
        ) -> None:
            """The real one waits five seconds."""

    bot = Sharded(intents=discord.Intents.default(), guild_ready_timeout=0.01)
    async with running(server, bot):
        assert [session.shard for session in server.gateway.connected] == [(0, 2), (1, 2)]
        assert {guild.id for guild in bot.guilds} == guild_ids


async def test_the_client_finds_a_discord_that_was_gone(place: Place) -> None:
    port = place.discord.port
    await place.discord.close()
    await place.discord.start(port)
    place.bob.posts(place.discord.dm(place.bob), "still there?")
    await place.discord.until(lambda: place.bot.heard)

    assert place.bot.resumed == 1
