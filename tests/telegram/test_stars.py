"""Packs of clips for Stars: agreed to at once, counted once, taken back with the money."""

import pytest
from telegram import Bot, LabeledPrice

from tests.conftest import wait_until
from tests.fakes.telegram_api import BotAccount, FakeTelegram, FaultKind, NotPaid, Person
from tests.telegram.stage import says, set_up
from vivant.bots.telegram import give_stars_back
from vivant.errors import PlatformError
from vivant.messages import Messages
from vivant.services import Services
from vivant.settings import Settings


@pytest.fixture
def settings(settings: Settings, telegram: FakeTelegram, account: BotAccount) -> Settings:
    sold = settings.model_copy(update={"telegram_star_packs": ("10:50", "1:9")})
    return set_up(sold, telegram, account)


async def bought(services: Services, ada: Person) -> int:
    return (await services.ledger.people.credit(f"telegram:{ada.id}")).paid


async def test_a_pack_is_offered_paid_and_counted_once(
    services: Services, telegram: FakeTelegram, bot: BotAccount, ada: Person
) -> None:
    """Even when the message of the payment comes again under another number."""
    chat = ada.chat_with(bot)
    ada.says(bot, "/buy")
    await telegram.until(lambda: telegram.visible(chat, by=bot))
    (shop,) = telegram.visible(chat, by=bot)
    assert shop.button_texts == [Messages().pack_button(10, 50), Messages().pack_button(1, 9)]

    ada.presses(shop.post, shop.button_texts[0])
    await telegram.until(lambda: len(telegram.visible(chat, by=bot)) == 2)
    invoice = telegram.visible(chat, by=bot)[1]
    await ada.pays(invoice.post)
    (paid,) = [update for update in bot.updates if "successful_payment" in update["message"]]

    async def has_ten() -> bool:
        return await bought(services, ada) == 10

    await wait_until(has_ten)
    telegram.tells_again(bot, paid | {"update_id": bot.next_update_id + 3})
    thanks = Messages().thanks_for(10)
    await telegram.until(
        lambda: [m.text for m in telegram.visible(chat, by=bot)].count(thanks) == 2
    )
    assert await bought(services, ada) == 10
    assert await services.ledger.people.discrepancies() == []


async def test_a_pack_that_is_not_sold_any_more_is_not_paid(
    services: Services, telegram: FakeTelegram, bot: BotAccount, ada: Person
) -> None:
    """An old invoice stands in the chat for ever; its price does not."""
    async with Bot(bot.token, telegram.base_url, telegram.base_file_url) as other:
        link = await other.create_invoice_link(
            "10 clips", "cheap", "clips:10", "XTR", [LabeledPrice("10 clips", 1)]
        )

    with pytest.raises(NotPaid, match="not for sale"):
        await ada.pays(link)

    assert await bought(services, ada) == 0


async def test_a_payment_is_agreed_to_while_downloads_are_stuck(
    services: Services, telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> None:
    """Telegram waits ten seconds and no longer; the inbox may take minutes."""
    telegram.faults.add(FaultKind.DELAY, method="getFile", times=40, delay_s=20)
    chat = ada.chat_with(bot)
    ada.says(bot, "/buy")
    await telegram.until(lambda: telegram.visible(chat, by=bot))
    (shop,) = telegram.visible(chat, by=bot)
    ada.presses(shop.post, shop.button_texts[1])
    await telegram.until(lambda: len(telegram.visible(chat, by=bot)) == 2)
    for _ in range(40):
        ada.sends_photo(bot, photo, caption="hug")

    payment = await ada.pays(telegram.visible(chat, by=bot)[1].post)

    assert payment.amount == 9


async def test_stars_that_are_given_back_take_their_clips_with_them(
    services: Services, telegram: FakeTelegram, bot: BotAccount, ada: Person
) -> None:
    """The operator refunds; Telegram tells the bot; what is not spent goes, and is said."""
    chat = ada.chat_with(bot)
    ada.says(bot, "/buy")
    await telegram.until(lambda: telegram.visible(chat, by=bot))
    ada.presses(telegram.visible(chat, by=bot)[0].post, Messages().pack_button(10, 50))
    await telegram.until(lambda: len(telegram.visible(chat, by=bot)) == 2)
    payment = await ada.pays(telegram.visible(chat, by=bot)[1].post)

    async def has(clips: int) -> bool:
        return await bought(services, ada) == clips

    await wait_until(lambda: has(10))
    await services.ledger.people.grant(f"telegram:{ada.id}", -3, source="three are spent")
    await give_stars_back(services.settings, ada.id, payment.charge_id)
    await says(telegram, chat, bot, Messages().paid_back(7))
    await wait_until(lambda: has(0))
    with pytest.raises(PlatformError, match=r"(?i)CHARGE_ALREADY_REFUNDED"):
        await give_stars_back(services.settings, ada.id, payment.charge_id)

    assert await services.ledger.people.discrepancies() == []
