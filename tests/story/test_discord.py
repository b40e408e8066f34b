"""The whole story on Discord: a photo and a few words in, a clip in the same channel out."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conftest import frames_of
from tests.discord_bot.stage import at_work, set_up
from tests.engines import QuickEngine
from tests.fakes.discord_api import Channel, DiscordServer, Person
from vivant.services import Services
from vivant.settings import Settings


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    """REST, gateway and files on loopback, refusing what Discord refuses."""
    async with DiscordServer() as server:
        yield server


@pytest.fixture
def settings(settings: Settings, discord: DiscordServer) -> Settings:
    return set_up(settings, discord)


@pytest.fixture
def ada(discord: DiscordServer) -> Person:
    return discord.person("ada")


@pytest.fixture
def general(discord: DiscordServer, ada: Person) -> Channel:
    return discord.channel(discord.guild("Home", ada), "general")


async def test_a_photo_on_discord_comes_back_as_a_clip(
    services: Services,
    quick_engine: QuickEngine,
    discord: DiscordServer,
    ada: Person,
    general: Channel,
    photo: bytes,
    tmp_path: Path,
) -> None:
    """One message of ours in the channel: it says "thinking", "on it", and becomes the clip."""
    async with at_work(services, discord):
        asked = ada.runs("animate", general, photo=photo, action="slow zoom in")
        await discord.until(lambda: asked.reply and asked.reply.attachments, within_s=20)
    (answer,) = general.seen_by(ada)

    assert answer is asked.reply
    assert answer.interaction is asked
    assert "slow zoom in" in answer.content
    assert "AI-generated" in answer.content
    (clip,) = answer.attachments
    assert clip.filename.endswith(".mp4")
    assert clip.content_type == "video/mp4"
    assert clip.description is not None
    assert "slow zoom in" in clip.description
    frames = frames_of(clip.data, tmp_path)
    assert len(frames) == 8
    assert frames[0].shape == (120, 160, 3)
    assert abs(frames[0].astype(int) - frames[-1].astype(int)).mean() > 3
    assert discord.refused == []
    assert await services.ledger.people.discrepancies() == []
