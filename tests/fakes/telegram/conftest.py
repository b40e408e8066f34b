"""A fake Telegram with one bot on the real library, and one person."""

import io
from collections.abc import AsyncIterator

import pytest
from PIL import Image
from telegram import Bot

from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person

#: The fake does not look into clips, as the real one does not into large ones.
CLIP = b"\x00\x00\x00\x18ftypmp42" + bytes(2000)


def jpeg(width: int = 640, height: int = 480, colour: str = "teal") -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(written, "JPEG")
    return written.getvalue()


@pytest.fixture(autouse=True)
def _spans_are_timedeltas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without this the library warns at each RetryAfter, and warnings are errors here."""
    monkeypatch.setenv("PTB_TIMEDELTA", "1")


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as running:
        yield running


@pytest.fixture
def account(telegram: FakeTelegram) -> BotAccount:
    return telegram.add_bot("vivant_bot")


@pytest.fixture
async def bot(telegram: FakeTelegram, account: BotAccount) -> AsyncIterator[Bot]:
    async with Bot(
        account.token, base_url=telegram.base_url, base_file_url=telegram.base_file_url
    ) as started:
        yield started


@pytest.fixture
def ada(telegram: FakeTelegram) -> Person:
    return telegram.add_person("Ada")
