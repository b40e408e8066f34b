"""Updates by asking and by being told: confirmed by offset, one poller, or a webhook."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from telegram import Bot
from telegram.error import BadRequest, Conflict

from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person


async def test_what_is_not_confirmed_comes_again(
    bot: Bot, account: BotAccount, ada: Person
) -> None:
    for text in ("one", "two", "three"):
        ada.says(account, text)
    first, *_ = await bot.get_updates(limit=1)
    again = await bot.get_updates()
    rest = await bot.get_updates(offset=first.update_id + 1)
    last = await bot.get_updates(offset=-1)

    assert [update.update_id for update in again] == [1, 2, 3]
    assert [update.update_id for update in rest] == [2, 3]
    assert [update.update_id for update in last] == [3]
    assert await bot.get_updates(offset=4) == ()


async def test_a_long_poll_returns_as_soon_as_somebody_speaks(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    asked = asyncio.create_task(bot.get_updates(timeout=30))
    await telegram.until(lambda: telegram.is_polled(account))
    ada.says(account, "hello")

    (update,) = await asked
    assert update.message is not None
    assert update.message.text == "hello"


async def test_a_second_poller_puts_the_first_out(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=30))
    await telegram.until(lambda: telegram.is_polled(account))
    async with Bot(account.token, base_url=telegram.base_url) as elsewhere:
        second = asyncio.create_task(elsewhere.get_updates(timeout=30))
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await first
        ada.says(account, "hello")

        assert len(await second) == 1


async def test_who_hangs_up_waits_no_longer(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    asked = asyncio.create_task(bot.get_updates(timeout=30))
    await telegram.until(lambda: telegram.is_polled(account))
    asked.cancel()
    await telegram.until(lambda: not telegram.is_polled(account))
    ada.says(account, "hello")

    assert len(await bot.get_updates()) == 1
    assert not any(call.refusal for call in telegram.calls)


async def test_a_bot_gets_the_kinds_it_asked_for(
    bot: Bot, account: BotAccount, ada: Person
) -> None:
    await bot.get_updates(allowed_updates=["edited_message"])
    said = ada.says(account, "one")
    ada.edits(said, "two")
    (only,) = await bot.get_updates()
    await bot.get_updates(allowed_updates=[])
    ada.says(account, "three")

    assert only.edited_message is not None
    assert len(await bot.get_updates()) == 2


async def test_an_update_can_be_told_twice(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    ada.says(account, "one")
    (update,) = account.updates
    await bot.get_updates(offset=2)
    telegram.tells_again(account, update)

    assert [again.update_id for again in await bot.get_updates()] == [1]


HANDSHAKE = "a-word_of_ours"


class Hook:
    """A bot's own web server; it refuses the first `failures` posts."""

    def __init__(self) -> None:
        self.heard: list[tuple[str | None, int]] = []
        self.failures = 0
        self.url = ""

    async def hear(self, request: web.Request) -> web.Response:
        if self.failures:
            self.failures -= 1
            return web.Response(status=503)
        told = await request.json()
        secret = request.headers.get("X-Telegram-Bot-Api-Secret-Token")
        self.heard.append((secret, told["update_id"]))
        return web.Response()


@pytest.fixture
async def hook() -> AsyncIterator[Hook]:
    hook = Hook()
    app = web.Application()
    app.router.add_post("/hook", hook.hear)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield hook
    await runner.cleanup()


async def test_a_webhook_is_told_with_its_secret_until_it_takes_the_update(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person, hook: Hook
) -> None:
    hook.failures = 1
    ada.says(account, "one")
    await bot.set_webhook(hook.url, secret_token=HANDSHAKE)
    ada.says(account, "two")
    await telegram.until(lambda: not account.updates)

    assert hook.heard == [(HANDSHAKE, 1), (HANDSHAKE, 2)]
    info = await bot.get_webhook_info()
    assert info.url == hook.url
    assert info.last_error_message == ("Wrong response from the webhook: 503 Service Unavailable")


async def test_with_a_webhook_nobody_may_ask(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, hook: Hook
) -> None:
    asked = asyncio.create_task(bot.get_updates(timeout=30))
    await telegram.until(lambda: telegram.is_polled(account))
    await bot.set_webhook(hook.url)
    with pytest.raises(Conflict, match="terminated by setWebhook request"):
        await asked
    with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()

    assert await bot.get_updates() == ()


async def test_a_webhook_elsewhere_must_be_https(bot: Bot) -> None:
    with pytest.raises(BadRequest, match="an https url must be provided for webhook"):
        await bot.set_webhook("http://bots.example/hook")
