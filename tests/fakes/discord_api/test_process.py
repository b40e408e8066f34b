"""The fake Discord as a process of its own."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
import pytest

from tests.fakes.discord_api.trial import Bot, png
from vivant.bots.discord.api_url import point_at


@asynccontextmanager
async def a_discord() -> AsyncIterator[tuple[str, str]]:
    """Runs the process; the address of its API, and the token."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.discord_api", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        api_url, token = (await process.stdout.readline()).decode().split()
        yield api_url, token
    finally:
        process.terminate()
    assert await process.wait() == 0


class Remote:
    """The routes under /control."""

    def __init__(self, api_url: str, session: aiohttp.ClientSession) -> None:
        self._control = api_url.removesuffix("/api/v10") + "/control"
        self._session = session

    async def act(self, verb: str, body: bytes = b"", **query: str) -> tuple[int, Any]:
        url = f"{self._control}/{verb}"
        async with self._session.post(url, params=query, data=body) as answer:
            return answer.status, await answer.json() if answer.ok else await answer.text()

    async def look(self, what: str, **query: str) -> Any:
        async with self._session.get(f"{self._control}/{what}", params=query) as answer:
            return await (answer.json() if "json" in answer.content_type else answer.read())


async def test_a_bot_works_with_a_discord_in_another_process() -> None:
    """A command, and an answer that is lost on the way."""
    lost = asyncio.Event()

    async def animates(interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        with pytest.raises((aiohttp.ClientError, OSError)):
            await interaction.edit_original_response(content="Done")
        lost.set()

    async with (
        a_discord() as (api_url, token),
        aiohttp.ClientSession() as session,
        Bot() as bot,
    ):
        point_at(api_url)
        bot.does = animates
        remote = Remote(api_url, session)
        running_bot = asyncio.create_task(bot.start(token))
        await bot.came.wait()
        unknown, why = await remote.act("run", person="alice", command="animat")
        await remote.act("fault", trouble="loses_answer", method="PATCH")
        asked = {"person": "alice", "command": "animate", "option.action": "hug"}
        await remote.act("run", png(), **asked)
        await lost.wait()
        seen = await remote.look("channels", person="alice")
        calls = await remote.look("calls")
        acts = await remote.look("interactions")
        await bot.close()
        await running_bot

    assert (unknown, "animat" in why) == (409, True)
    assert [message["text"] for message in seen["general"]] == ["Done"]
    assert (calls[-1]["status"], calls[-1]["applied"]) == (None, True)
    assert [(act["delivered"], act["answered_by"]) for act in acts] == [(True, 5)]


async def test_people_talk_over_http() -> None:
    async with a_discord() as (api_url, _), aiohttp.ClientSession() as session:
        remote = Remote(api_url, session)
        await remote.act("channel", name="clips")
        _, first = await remote.act("post", png(), person="alice", channel="clips", text="look")
        reply = {"person": "bob", "channel": "clips", "text": "nice", "reply_to": first["id"]}
        await remote.act("post", **reply)
        _, gone = await remote.act("post", person="bob", channel="clips", text="oops")
        await remote.act("delete", person="bob", message=gone["id"])
        await remote.act("post", person="bob", channel="@dm", text="psst")
        seen = await remote.look("channels", person="bob")
        photo = await remote.look("file", message=first["id"])
        nobody, _ = await remote.act("press", person="bob", message=first["id"], button="Again")
        nowhere, _ = await remote.act("post", person="bob", channel="none", text="x")

    assert [message["text"] for message in seen["clips"]] == ["look", "nice"]
    assert seen["clips"][1]["reply_to"] == first["id"]
    assert seen["clips"][1]["pinged"] == ["alice"]
    assert [message["text"] for message in seen["@dm"]] == ["psst"]
    assert photo == png()
    assert (nobody, nowhere) == (409, 404)
