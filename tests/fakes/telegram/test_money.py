"""Stars: an invoice, a question that must be answered, a payment, a refund."""

import asyncio

import pytest
from telegram import Bot, LabeledPrice
from telegram.error import BadRequest

from tests.fakes.telegram_api import BotAccount, FakeTelegram, NotPaid, Person

PACK = [LabeledPrice("10 clips", 100)]


async def test_stars_are_paid_when_the_bot_agrees_and_refunded_once(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    ada.starts(account)
    await bot.send_invoice(ada.id, "10 clips", "Ten more", "pack:10", "XTR", PACK)
    (shown,) = telegram.visible(ada.chat_with(account), by=account)
    paying = asyncio.create_task(ada.pays(shown.post))
    asked = (await bot.get_updates(offset=2, timeout=10))[0].pre_checkout_query
    assert asked is not None
    assert (asked.currency, asked.total_amount, asked.invoice_payload) == ("XTR", 100, "pack:10")
    await asked.answer(ok=True)
    payment = await paying

    paid = (await bot.get_updates(offset=3, timeout=10))[0].message
    assert paid is not None
    assert paid.successful_payment is not None
    assert paid.successful_payment.telegram_payment_charge_id == payment.charge_id
    assert await bot.refund_star_payment(ada.id, payment.charge_id)
    with pytest.raises(BadRequest, match="Charge_already_refunded"):
        await bot.refund_star_payment(ada.id, payment.charge_id)
    refunded = (await bot.get_updates(offset=4))[0].message
    assert refunded is not None
    assert refunded.refunded_payment is not None
    assert len((await bot.get_star_transactions()).transactions) == 1


async def test_a_bot_that_declines_is_not_paid(bot: Bot, account: BotAccount, ada: Person) -> None:
    ada.starts(account)
    link = await bot.create_invoice_link("10 clips", "Ten more", "pack:10", "XTR", PACK)
    paying = asyncio.create_task(ada.pays(link))
    asked = (await bot.get_updates(offset=2, timeout=10))[0].pre_checkout_query
    assert asked is not None
    await asked.answer(ok=False, error_message="Sold out")

    with pytest.raises(NotPaid, match="Sold out"):
        await paying
    assert await bot.get_updates(offset=3) == ()


async def test_a_bot_that_says_nothing_is_not_paid_and_too_late_then(
    bot: Bot, account: BotAccount, ada: Person
) -> None:
    link = await bot.create_invoice_link("10 clips", "Ten more", "pack:10", "XTR", PACK)
    with pytest.raises(NotPaid, match="did not answer"):
        await ada.pays(link, waiting_s=0.01)
    asked = (await bot.get_updates())[0].pre_checkout_query
    assert asked is not None

    with pytest.raises(BadRequest, match="Query is too old"):
        await asked.answer(ok=True)


async def test_an_offer_that_stars_do_not_know(bot: Bot, account: BotAccount, ada: Person) -> None:
    ada.starts(account)
    with pytest.raises(BadRequest, match="Currency_invalid"):
        await bot.send_invoice(ada.id, "10 clips", "Ten more", "pack:10", "EUR", PACK)
    with pytest.raises(BadRequest, match="Stars_invoice_invalid"):
        await bot.send_invoice(ada.id, "10 clips", "Ten more", "pack:10", "XTR", PACK * 2)
