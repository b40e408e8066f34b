"""What goes wrong on demand: lost replies, errors, floods."""

import asyncio
from datetime import timedelta

import pytest
from telegram import Bot
from telegram.error import NetworkError, RetryAfter

from tests.fakes.telegram.conftest import jpeg
from tests.fakes.telegram_api import BotAccount, FakeTelegram, FaultKind, FloodLimits, Person


async def test_a_lost_reply_leaves_the_message_there(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    ada.starts(account)
    telegram.faults.add(FaultKind.DROP_REPLY, method="sendMessage")
    with pytest.raises(NetworkError):
        await bot.send_message(ada.id, "in line")
    await bot.send_message(ada.id, "in line")

    shown = telegram.visible(ada.chat_with(account), by=account)
    assert [message.text for message in shown] == ["in line", "in line"]
    assert telegram.called("sendMessage")[0].fault is FaultKind.DROP_REPLY


async def test_a_lost_call_and_an_error_leave_nothing(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    ada.starts(account)
    telegram.faults.add(FaultKind.DROP_CALL)
    telegram.faults.add(FaultKind.ERROR, method="sendMessage", status=502, times=2)
    with pytest.raises(NetworkError):
        await bot.send_message(ada.id, "x")
    for _ in range(2):
        with pytest.raises(NetworkError, match="Bad Gateway"):
            await bot.send_message(ada.id, "x")

    assert telegram.visible(ada.chat_with(account), by=account) == []
    await bot.send_message(ada.id, "through")


async def test_a_flood_says_how_long_to_wait(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    ada.starts(account)
    telegram.faults.add(FaultKind.FLOOD, method="sendMessage", retry_after=7)
    with pytest.raises(RetryAfter) as raised:
        await bot.send_message(ada.id, "x")

    assert raised.value.retry_after == timedelta(seconds=7)
    assert telegram.calls[-1].refusal is not None
    assert telegram.calls[-1].refusal.description == "Too Many Requests: retry after 7"


async def test_a_photo_that_cannot_be_fetched_at_first(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    ada.sends_photo(account, jpeg())
    (update,) = await bot.get_updates()
    assert update.message is not None
    file = await update.message.photo[-1].get_file()
    telegram.faults.add(FaultKind.ERROR, method="download", status=504)
    telegram.faults.add(FaultKind.DROP_REPLY, method="download")
    with pytest.raises(NetworkError, match="Gateway Timeout"):
        await file.download_as_bytearray()
    with pytest.raises(NetworkError):
        await file.download_as_bytearray()

    assert len(await file.download_as_bytearray()) == file.file_size


async def test_a_late_reply_is_a_reply(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    ada.starts(account)
    telegram.faults.add(FaultKind.DELAY, method="sendMessage", delay_s=0.05)
    sending = asyncio.create_task(bot.send_message(ada.id, "slow"))
    await telegram.until(lambda: telegram.visible(ada.chat_with(account), by=account))
    assert not sending.done()

    assert (await sending).text == "slow"


async def test_edits_count_against_the_limits_of_a_group(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    group = telegram.add_supergroup("Friends", ada, account)
    telegram.limit_flood(FloodLimits(chat_per_s=100, group_per_min=3))
    sent = await bot.send_message(group.id, "0 %")
    for done in (10, 20):
        await bot.edit_message_text(f"{done} %", group.id, sent.message_id)

    with pytest.raises(RetryAfter):
        await bot.edit_message_text("30 %", group.id, sent.message_id)
    ada.starts(account)
    await bot.send_message(ada.id, "another chat has limits of its own")
