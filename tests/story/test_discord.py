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


async def test_a_photo_that_somebody_posted_comes_back_as_a_clip(
    services: Services,
    quick_engine: QuickEngine,
    discord: DiscordServer,
    ada: Person,
    general: Channel,
    photo: bytes,
    tmp_path: Path,
) -> None:
    """The menu of its message, a few words in the form, and more by a button."""
    async with at_work(services, discord):
        posted = ada.posts(general, "us at the lake", files=[photo])
        used = ada.uses_on(posted, "Animate")
        await discord.until(lambda: used.modal)
        assert used.modal is not None
        field = used.modal["components"][0]["component"]["custom_id"]
        sent = ada.submits(used, {field: "slow zoom in"})
        await discord.until(lambda: sent.reply and sent.reply.attachments, within_s=20)
        clip = sent.reply
        assert clip is not None
        ada.clicks(clip, "Stronger")
        # What it costs is told to whoever pressed, in a message below.
        await discord.until(lambda: len(general.seen_by(ada)) > 2, within_s=20)
        _, first, second, *_ = general.seen_by(ada)
        await discord.until(lambda: second.attachments, within_s=20)

    assert first is clip
    assert second.reply_to is first
    assert second.pinged == {ada}
    assert len(frames_of(second.attachments[0].data, tmp_path)) == 8
    assert quick_engine.renders == 2
    assert discord.refused == []


async def test_a_message_that_mentions_the_bot_is_answered_as_a_reply(
    services: Services,
    quick_engine: QuickEngine,
    discord: DiscordServer,
    ada: Person,
    general: Channel,
    photo: bytes,
) -> None:
    """One message of ours: "on it" becomes the clip. Nobody else is named."""
    del quick_engine
    async with at_work(services, discord):
        asked = ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
        await discord.until(lambda: len(general.seen_by(ada)) == 2, within_s=20)
        answer = general.seen_by(ada)[-1]
        await discord.until(lambda: answer.attachments, within_s=20)

    assert answer.reply_to is asked
    assert answer.pinged == {ada}
    assert discord.refused == []
