"""The bot's own process, killed where it hurts, and started again."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from tests.conftest import wait_until
from tests.discord_bot.test_promise import ANSWERS, ended
from tests.discord_bot.test_ways_in import clips
from tests.engines import QuickEngine
from tests.fakes.discord_api import Channel, DiscordServer, Person, Trouble
from vivant.services import Services

#: Three processes start one after another.
pytestmark = pytest.mark.timeout(180)


@asynccontextmanager
async def bot_process(services: Services) -> AsyncGenerator[asyncio.subprocess.Process]:
    """`vivant bot discord`, with the ledger and the Redis of *services*."""
    settings = services.settings
    token = settings.discord_token
    assert token is not None
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "vivant", "bot", "discord",
        env=os.environ | {
            "PYTHONPATH": os.pathsep.join(sys.path),
            "VIVANT_DISCORD_TOKEN": token.get_secret_value(),
            "VIVANT_DISCORD_API_URL": settings.discord_api_url,
            "VIVANT_DATA_DIR": str(settings.data_dir),
            "VIVANT_REDIS_URL": services.redis_url,
            "VIVANT_LEASE_S": str(settings.lease_s),
            "VIVANT_BEAT_S": str(settings.beat_s),
            "VIVANT_UPKEEP_S": str(settings.upkeep_s),
        },
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        _, said = await process.communicate()
        assert token.get_secret_value() not in said.decode()


@pytest.mark.parametrize("where", ["accepted", "delivering"])
async def test_a_bot_that_is_killed_still_answers_once(
    where: str,
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    """SIGKILL after it accepted, or after Discord took the clip and before it could say so."""
    quick_engine.go.clear()
    async with bot_process(services) as first:
        await discord.until(lambda: discord.is_ready, within_s=60)
        asked = ada.runs("animate", general, photo=photo, action="slow zoom in")
        await wait_until(lambda: quick_engine.renders == 1)
        await discord.until(lambda: asked.reply and "▰" in asked.reply.text, within_s=30)
        if where == "delivering":
            discord.fails(Trouble.DELAY, "PATCH", ANSWERS, times=-1, delay_s=10)
            quick_engine.go.set()
            await discord.until(lambda: clips(general, ada), within_s=20)
        first.kill()
        await first.wait()
    discord.faults.clear()
    quick_engine.go.set()
    async with bot_process(services):
        await ended(services)

    assert clips(general, ada) == [asked.reply]
    assert general.seen_by(ada) == [asked.reply]
    credit = await services.ledger.people.credit(f"discord:{ada.id}")
    assert (credit.free, credit.reserved) == (services.settings.free_clips_per_day - 1, 0)
    assert await services.ledger.people.discrepancies() == []


async def test_a_message_that_was_heard_is_seen_to_by_the_next_process(
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    """SIGKILL while its photo is fetched: nothing was said yet, and nothing is lost."""
    discord.fails(Trouble.DELAY, "GET", "/attachments/*", delay_s=20)
    async with bot_process(services) as first:
        await discord.until(lambda: discord.is_ready, within_s=60)
        asked = ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
        await discord.until(lambda: discord.faults[0].hits, within_s=20)
        first.kill()
        await first.wait()
    async with bot_process(services):
        await ended(services)

    assert [clip.reply_to for clip in clips(general, ada)] == [asked]
    assert quick_engine.renders == 1
