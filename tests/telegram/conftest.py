"""A Telegram on loopback with one bot that is at work, and one person who knows it."""

from collections.abc import AsyncIterator

import pytest

from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person
from tests.telegram.stage import at_work, set_up
from vivant.services import Services
from vivant.settings import Settings


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as running:
        yield running


@pytest.fixture
def account(telegram: FakeTelegram) -> BotAccount:
    return telegram.add_bot("vivant_bot")


@pytest.fixture
def settings(settings: Settings, telegram: FakeTelegram, account: BotAccount) -> Settings:
    return set_up(settings, telegram, account)


@pytest.fixture
async def bot(
    services: Services, telegram: FakeTelegram, account: BotAccount
) -> AsyncIterator[BotAccount]:
    """The bot, once it is at work."""
    async with at_work(services):
        await telegram.until(lambda: telegram.is_polled(account))
        yield account


@pytest.fixture
def ada(telegram: FakeTelegram) -> Person:
    return telegram.add_person("Ada")
