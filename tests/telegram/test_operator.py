"""The operator's words in a private chat with the bot."""

import pytest

from tests.engines import QuickEngine
from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person
from tests.telegram.stage import at_work
from vivant.services import Services
from vivant.settings import Settings


@pytest.fixture
def settings(settings: Settings, ada: Person) -> Settings:
    """Ada runs this bot."""
    return settings.model_copy(update={"admins": (f"telegram:{ada.id}",)})


async def test_whoever_runs_the_bot_may_say_the_operators_words(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    account: BotAccount,
    ada: Person,
) -> None:
    """A grant adds clips, once, and is written down."""
    chat = ada.chat_with(account)
    before = await services.ledger.people.credit("telegram:77")
    async with at_work(services):
        ada.says(account, "/admin grant telegram:77 5")
        await telegram.until(lambda: bool(telegram.visible(chat, by=account)))
    after = await services.ledger.people.credit("telegram:77")

    assert after.paid - before.paid == 5
    (noted, *_) = await services.ledger.audit.latest(1)
    assert "grant telegram:77 5" in str(noted)


async def test_nobody_else_may(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    account: BotAccount,
) -> None:
    """They get help, like for any word that is no command."""
    ben = telegram.add_person("Ben")
    chat = ben.chat_with(account)
    async with at_work(services):
        ben.says(account, "/admin grant telegram:77 5")
        await telegram.until(lambda: bool(telegram.visible(chat, by=account)))
    (answer,) = telegram.visible(chat, by=account)

    assert "Send me a photo" in answer.text
    assert (await services.ledger.people.credit("telegram:77")).paid == 0
    assert list(await services.ledger.audit.latest(1)) == []
