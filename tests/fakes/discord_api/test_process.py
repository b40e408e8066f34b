"""The fake Discord as a process of its own."""

import asyncio
import sys
from typing import Any

import aiohttp
import discord
import pytest

from tests.fakes.discord_api.trial import Bot, png
from vivant.bots.discord.api_url import point_at


async def test_as_a_process_its_people_are_played_over_http() -> None:
    """A bot in this process, Discord in another: a command, and an answer that is lost."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.discord_api", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    api_url, token = (await process.stdout.readline()).decode().split()
    control = api_url.removesuffix("/api/v10") + "/control"
    lost = asyncio.Event()

    async def animates(interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        with pytest.raises((aiohttp.ClientError, OSError)):
            await interaction.edit_original_response(content="Done")
        lost.set()

    point_at(api_url)
    async with Bot() as bot, aiohttp.ClientSession() as session:
        bot.does = animates

        async def act(verb: str, body: bytes = b"", **query: str) -> int:
            url = f"{control}/{verb}"
            async with session.post(url, params=query, data=body) as answer:
                return answer.status

        async def look(what: str) -> Any:
            async with session.get(f"{control}/{what}", params={"person": "alice"}) as answer:
                return await answer.json()

        running_bot = asyncio.create_task(bot.start(token))
        await bot.came.wait()
        unknown = await act("run", person="alice", command="animat")
        await act("fault", trouble="loses_answer", method="PATCH")
        await act("run", png(), person="alice", command="animate", **{"option.action": "hug"})
        await lost.wait()
        seen = (await look("channels"))["general"]
        calls = await look("calls")
        await bot.close()
        await running_bot
    process.terminate()

    assert unknown == 409
    assert [message["text"] for message in seen] == ["Done"]
    assert (calls[-1]["status"], calls[-1]["applied"]) == (None, True)
    assert await process.wait() == 0
