"""The whole story on Telegram: a photo and a few words in, a clip in the same thread out."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conftest import frames_of
from tests.engines import QuickEngine
from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person
from tests.telegram.stage import at_work, set_up
from vivant.services import Services
from vivant.settings import Settings


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    """A Bot API server on loopback that refuses what Telegram refuses."""
    async with FakeTelegram() as running:
        yield running


@pytest.fixture
def account(telegram: FakeTelegram) -> BotAccount:
    return telegram.add_bot("vivant_bot")


@pytest.fixture
def settings(settings: Settings, telegram: FakeTelegram, account: BotAccount) -> Settings:
    return set_up(settings, telegram, account)


@pytest.fixture
def ada(telegram: FakeTelegram) -> Person:
    return telegram.add_person("Ada")


async def test_a_photo_on_telegram_comes_back_as_a_clip(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    account: BotAccount,
    ada: Person,
    photo: bytes,
    tmp_path: Path,
) -> None:
    """One message of ours in the chat: it says "on it", moves on, and becomes the clip."""
    chat = ada.chat_with(account)
    async with at_work(services):
        asked = ada.sends_photo(account, photo, caption="slow zoom in")
        await telegram.until(lambda: any(m.media for m in telegram.visible(chat, by=account)))
    (answer,) = telegram.visible(chat, by=account)

    assert answer.reply_to == asked.message_id
    assert "slow zoom in" in answer.text
    assert "AI-generated" in answer.text
    clip = answer.media
    assert clip is not None
    assert clip.kind == "animation"
    assert (clip.width, clip.height, clip.duration_s) == (160, 120, 1)
    assert clip.thumbnail is not None
    assert clip.file_name is not None
    assert clip.file_name.endswith(".mp4")
    frames = frames_of(clip.data, tmp_path)
    assert len(frames) == 8
    assert frames[0].shape == (120, 160, 3)
    assert abs(frames[0].astype(int) - frames[-1].astype(int)).mean() > 3
    assert telegram.shown(asked).reactions == {account.id: ["👀"]}
    assert await services.ledger.people.discrepancies() == []
