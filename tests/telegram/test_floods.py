"""One person floods the bot, and Telegram's limits hold."""

import pytest

from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person
from tests.telegram.stage import at_work
from vivant.services import Services


@pytest.mark.usefixtures("quick_engine")
async def test_a_photo_does_not_wait_for_the_flood_of_somebody_else(
    services: Services, telegram: FakeTelegram, account: BotAccount, ada: Person, photo: bytes
) -> None:
    """Telegram takes one answer a second in Eve's chat: it is Eve who waits for the rest."""
    eve = telegram.add_person("Eve")
    for _ in range(300):
        eve.says(account, "/help")
    ada.sends_photo(account, photo, caption="slow zoom in")
    telegram.limit_flood()

    async with at_work(services):
        await telegram.until(lambda: telegram.visible(ada.chat_with(account), by=account))
        answered = len(telegram.visible(eve.chat_with(account), by=account))

    assert answered < 30
