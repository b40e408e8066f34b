"""When calls, answers and files are lost, late or limited."""

import asyncio
import io

import aiohttp
import discord
import pytest

from tests.fakes.discord_api import Trouble
from tests.fakes.discord_api.trial import ANSWERS, MESSAGES, Http, Place, refused


async def test_a_lost_answer_leaves_what_was_done(place: Place) -> None:
    place.discord.fails(Trouble.LOSES_ANSWER, "POST", MESSAGES)
    with pytest.raises((aiohttp.ClientError, OSError)):
        await place.channel().send("Here it comes", nonce="job7-1")
    again = await place.channel().send("Here it comes", nonce="job7-1")

    assert [message.id for message in place.general.seen_by(place.bob)] == [again.id]


async def test_a_lost_call_leaves_nothing(place: Place) -> None:
    fault = place.discord.fails(Trouble.LOSES_CALL, "POST", MESSAGES)
    with pytest.raises((aiohttp.ClientError, OSError)):
        await place.channel().send("Here it comes")

    assert fault.hits == 1
    assert place.general.seen_by(place.bob) == []


async def test_a_bot_that_dies_in_the_middle_of_a_call_sends_nothing(place: Place) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", place.discord.port)
    path = f"/api/v10/channels/{place.general.id}/messages"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bot {place.discord.token}\r\n"
    head += "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    writer.write(head.encode() + b'{"content": "Here')
    await place.discord.until(lambda: place.discord.calls_to("POST", MESSAGES))
    writer.close()
    await writer.wait_closed()
    await place.channel().send("Alive")

    assert [message.text for message in place.general.seen_by(place.bob)] == ["Alive"]
    assert place.discord.broken is None


async def test_a_server_error_is_answered_and_nothing_is_done(place: Place) -> None:
    place.discord.fails(Trouble.STATUS, "POST", MESSAGES, status=503)

    assert await refused(place.channel().send("x")) == (503, 0)
    assert place.general.seen_by(place.bob) == []


@pytest.mark.parametrize("trouble", [Trouble.RATE_LIMIT, Trouble.GLOBAL_RATE_LIMIT])
async def test_a_rate_limit_says_how_long_to_wait(place: Place, trouble: Trouble) -> None:
    place.discord.fails(trouble, "POST", MESSAGES, retry_after_s=0.05)
    await place.channel().send("x")
    first, second = place.discord.calls_to("POST", MESSAGES)

    assert (first.status, second.status) == (429, 200)
    assert first.answer["retry_after"] == 0.05
    assert first.answer["global"] is (trouble is Trouble.GLOBAL_RATE_LIMIT)
    assert second.at - first.at >= 0.05


async def test_a_limit_of_a_route_is_kept_by_the_client_and_enforced_by_the_server(
    place: Place, http: Http
) -> None:
    place.discord.limits("POST", MESSAGES, calls=2, per_s=0.3)
    for _ in range(4):
        await place.channel().send("x")
    polite = place.discord.calls_to("POST", MESSAGES)
    path = f"/channels/{place.general.id}/messages"
    hasty = [await http("POST", path, {"content": "x"}) for _ in range(6)]

    assert [call.status for call in polite] == [200] * 4
    assert 429 in [status for status, _ in hasty]


async def test_a_late_answer_is_an_answer(place: Place) -> None:
    place.discord.fails(Trouble.DELAY, "PATCH", ANSWERS, delay_s=0.05)
    asked = await place.asked()
    webhook = discord.Webhook.partial(place.discord.bot.id, asked.token, client=place.bot)
    assert asked.reply is not None
    await webhook.edit_message(asked.reply.id, content="Late")

    assert asked.reply.text == "Late"


async def test_a_link_to_a_file_expires(place: Place) -> None:
    sent = await place.channel().send(file=discord.File(io.BytesIO(b"one"), "1.txt"))
    place.discord.clock.advance(90_000)

    with pytest.raises(discord.NotFound):
        await sent.attachments[0].read()
