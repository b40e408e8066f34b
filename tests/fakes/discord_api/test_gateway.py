"""The gateway: resuming, identifying anew, and why it closes."""

import json
from typing import Any

import aiohttp
import pytest

from tests.fakes.discord_api import DiscordServer
from tests.fakes.discord_api.trial import Bot, Place, png, running


async def test_what_happens_while_the_line_is_down_comes_after_resuming(place: Place) -> None:
    """One session, two messages; but not an interaction: it is told once or never."""
    place.discord.gateway.closes()
    missed = place.alice.runs("animate", place.general, photo=png(), action="hug")
    place.bob.posts(place.discord.dm(place.bob), "one")
    place.bob.posts(place.discord.dm(place.bob), "two")
    await place.discord.until(lambda: len(place.bot.heard) == 2)

    assert [message.content for message in place.bot.heard] == ["one", "two"]
    assert place.bot.resumed == 1
    assert len(place.discord.gateway.sessions) == 1
    assert not missed.delivered


async def test_the_client_resumes_when_it_is_asked_to_reconnect(place: Place) -> None:
    place.discord.gateway.asks_to_reconnect()
    await place.discord.until(lambda: place.bot.resumed == 1)

    assert len(place.discord.gateway.sessions) == 1


async def test_an_invalid_session_makes_the_client_identify_anew(place: Place) -> None:
    (before,) = place.discord.gateway.sessions
    place.discord.gateway.invalidates_sessions()
    await place.discord.until(lambda: place.discord.gateway.sessions)

    assert before not in place.discord.gateway.sessions
    assert place.bot.resumed == 0


async def test_a_session_that_was_forgotten_cannot_be_resumed(place: Place) -> None:
    place.discord.gateway.forgets_sessions()
    await place.discord.until(lambda: place.discord.gateway.sessions)
    await place.asked()

    assert place.bot.resumed == 0


async def test_a_dead_line_is_noticed_by_its_missing_heartbeats(server: DiscordServer) -> None:
    server.gateway.heartbeat_interval_s = 0.1
    here = Place(server, Bot(heartbeat_timeout=0.5))
    async with running(server, here.bot):
        await server.until(lambda: server.gateway.heartbeats > 2)
        server.gateway.goes_silent()
        here.bob.posts(server.dm(here.bob), "anybody?")
        await server.until(lambda: here.bot.heard)

    assert here.bot.resumed == 1


async def test_a_shard_hears_of_its_own_servers_only(server: DiscordServer) -> None:
    guilds = [server.guild(f"Server {number}") for number in range(2)]
    shard = next(n for n in range(2) if (guilds[0].id >> 22) % 2 == n)
    bot = Bot(shard_id=shard, shard_count=2)
    async with running(server, bot):
        heard = {guild.id for guild in bot.guilds}

    assert heard == {guild.id for guild in guilds if (guild.id >> 22) % 2 == shard}


IDENTIFY = {"token": Ellipsis, "intents": 1, "properties": {}}


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (["{"], 4002),
        ([{"op": 99}], 4002),
        ([{"op": 3, "d": {}}], 4003),
        ([{"op": 2, "d": {**IDENTIFY, "token": "wrong"}}], 4004),
        ([{"op": 2, "d": IDENTIFY}, {"op": 2, "d": IDENTIFY}], 4005),
        ([{"op": 2, "d": {**IDENTIFY, "shard": [2, 2]}}], 4010),
        ([{"op": 2, "d": {**IDENTIFY, "intents": 1 << 40}}], 4013),
        ([{"op": 10, "d": {}}], 4001),
    ],
)
async def test_the_gateway_closes_with_the_code_that_says_why(
    server: DiscordServer, frames: list[Any], code: int
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(server.gateway.url + "?v=10&encoding=json") as line,
    ):
        for frame in frames:
            text = json.dumps(frame, default=lambda _: server.token)
            await line.send_str("{" if frame == "{" else text)
        async for _ in line:
            pass

    assert line.close_code == code


async def test_who_sends_no_heartbeats_is_disconnected(server: DiscordServer) -> None:
    server.gateway.heartbeat_interval_s = 0.05
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(server.gateway.url + "?v=10&encoding=json") as line,
    ):
        async for _ in line:
            pass

    assert line.close_code == 4009
