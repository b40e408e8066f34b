"""How bots are set up: several of them, a webhook, the commands that apps offer."""

import asyncio
import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.conftest import wait_until
from tests.fakes.telegram_api import BotAccount, FakeTelegram, FaultKind, Person
from tests.telegram.stage import at_work, set_up
from vivant.bots.telegram import run, whoami
from vivant.errors import SettingsError
from vivant.services import Services, open_services
from vivant.settings import Settings


async def test_whoami_is_the_name_that_telegram_knows(settings: Settings) -> None:
    """For `vivant doctor`."""
    assert await whoami(settings) == "vivant_bot"


async def test_a_token_that_telegram_does_not_know_is_a_wrong_setting(
    settings: Settings, telegram: FakeTelegram
) -> None:
    """Said once, by the setting's name; the token is not printed."""
    stranger = telegram.add_bot("stranger_bot")
    broken = set_up(settings, telegram, stranger)
    del telegram.world.bots[stranger.id]

    with pytest.raises(SettingsError, match="VIVANT_TELEGRAM_TOKEN") as said:
        await whoami(broken)
    assert stranger.token not in str(said.value)

    async with open_services(broken) as services:
        with pytest.raises(SettingsError, match="VIVANT_TELEGRAM_TOKEN"):
            await run(services, asyncio.Event())


async def test_several_bots_in_one_process_answer_for_themselves(
    settings: Settings,
    telegram: FakeTelegram,
    account: BotAccount,
    ada: Person,
) -> None:
    """Tokens with commas between them; each has its own poller, chats and inbox."""
    second = telegram.add_bot("other_bot")
    both = set_up(settings, telegram, account, second)
    async with open_services(both) as services, at_work(services):
        for bot in (account, second):
            ada.says(bot, "/help")
        await telegram.until(lambda: telegram.visible(ada.chat_with(account), by=account))
        await telegram.until(lambda: telegram.visible(ada.chat_with(second), by=second))

    assert await whoami(both) == "vivant_bot, @other_bot"


async def test_apps_offer_commands_by_place_and_language(
    telegram: FakeTelegram, bot: BotAccount, ada: Person
) -> None:
    """Settings to admins; nothing about money where nothing is sold."""
    bob = telegram.add_person("Bob", language_code="de")
    group = telegram.add_supergroup("Family", ada, bob, bot)
    await telegram.until(lambda: len(telegram.called("setMyCommands")) >= 15)

    assert "settings" in telegram.commands(ada, group, bot)
    assert "settings" not in telegram.commands(bob, group, bot)
    assert "animate" in telegram.commands(bob, group, bot)
    alone = telegram.commands(ada, bot, bot)
    assert {"privacy", "forget", "terms", "status"} <= set(alone)
    assert "buy" not in alone


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
async def hooked(
    settings: Settings, telegram: FakeTelegram, account: BotAccount, port: int
) -> AsyncIterator[Services]:
    """A bot whose updates are posted to it."""
    posted = settings.model_copy(
        update={
            "telegram_webhook_url": f"http://127.0.0.1:{port}",
            "telegram_webhook_listen": f"127.0.0.1:{port}",
        }
    )
    async with open_services(posted) as services, at_work(services):
        await telegram.until(lambda: account.webhook)
        yield services


async def test_updates_that_are_posted_are_answered(
    hooked: Services, telegram: FakeTelegram, account: BotAccount, ada: Person
) -> None:
    """Nobody polls."""
    ada.says(account, "/help")

    await telegram.until(lambda: telegram.visible(ada.chat_with(account), by=account))
    assert telegram.called("getUpdates") == []


async def test_a_post_without_the_secret_is_turned_away(
    hooked: Services, telegram: FakeTelegram, account: BotAccount, ada: Person, port: int
) -> None:
    """Nothing of it is kept; a wrong secret, none, and an unknown bot look alike."""
    webhook = account.webhook
    assert webhook is not None
    assert webhook.secret_token is not None
    update = {"update_id": 7, "message": {"text": "/help"}}
    header = "X-Telegram-Bot-Api-Secret-Token"
    async with aiohttp.ClientSession() as session:
        for url, headers, status in (
            (webhook.url, {}, 403),
            (webhook.url, {header: "wrong"}, 403),
            (webhook.url, {header: "größer"}, 403),
            (f"http://127.0.0.1:{port}/telegram/1", {header: webhook.secret_token}, 403),
            (f"http://127.0.0.1:{port}/", {header: webhook.secret_token}, 404),
        ):
            async with session.post(url, json=update, headers=headers) as response:
                assert response.status == status
        async with session.post(
            webhook.url, data=b"{", headers={header: webhook.secret_token}
        ) as response:
            assert response.status == 400

    assert await kept_by(hooked) == 0


async def kept_by(services: Services) -> int:
    async with services.ledger.db.reading() as conn:
        rows = await conn.exec_driver_sql("SELECT count(*) FROM inbox")
        return int(rows.scalar_one())


@pytest.mark.parametrize(
    ("body", "charset"),
    [(b"\xff", "utf-8"), (b"[" * 100_000, "utf-8"), (b"{}", "klingon"), (b"[7]", "utf-8")],
)
async def test_a_post_that_cannot_be_read_is_told_so(
    hooked: Services, account: BotAccount, body: bytes, charset: str
) -> None:
    """With the right secret too: no bytes are an error of ours."""
    webhook = account.webhook
    assert webhook is not None
    headers = {
        "X-Telegram-Bot-Api-Secret-Token": webhook.secret_token or "",
        "Content-Type": f"application/json; charset={charset}",
    }

    async with (
        aiohttp.ClientSession() as session,
        session.post(webhook.url, data=body, headers=headers) as response,
    ):
        assert response.status == 400
    assert await kept_by(hooked) == 0


async def test_a_secret_that_is_no_text_is_a_wrong_secret(
    hooked: Services, account: BotAccount, port: int
) -> None:
    """Anybody can send any bytes."""
    head = (
        f"POST /telegram/{account.id} HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n".encode()
        + b"X-Telegram-Bot-Api-Secret-Token: \xff\xfe\r\n\r\n{}"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head)

    status = await reader.readline()

    writer.close()
    await writer.wait_closed()
    assert status.split()[1] == b"403"


async def test_a_webhook_of_earlier_days_gives_way_to_polling(
    services: Services, telegram: FakeTelegram, account: BotAccount, ada: Person
) -> None:
    """Telegram: "can't use getUpdates method while webhook is active". What waited there comes."""
    async with aiohttp.ClientSession() as session:
        url = f"{telegram.base_url}{account.token}/setWebhook"
        async with session.post(url, json={"url": "http://127.0.0.1:9/old"}) as response:
            assert response.status == 200
    ada.says(account, "/help")

    async with at_work(services):
        await telegram.until(lambda: telegram.visible(ada.chat_with(account), by=account))

    assert account.webhook is None


async def test_a_telegram_that_is_away_at_the_start_is_waited_for(
    services: Services, telegram: FakeTelegram, account: BotAccount, ada: Person,
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The bot does not die of an outage that it was started in."""
    monkeypatch.setattr("vivant.bots.telegram.bot._RETRY_S", 0.05)
    for _ in range(2):
        telegram.faults.add(FaultKind.ERROR, method="getMe")

    async with at_work(services):
        await wait_until(lambda: "does not answer" in caplog.text)
        await telegram.until(lambda: telegram.is_polled(account))
