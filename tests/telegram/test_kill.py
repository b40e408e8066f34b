"""The bot's own process, killed where it hurts, and started again."""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from tests.conftest import wait_until
from tests.engines import QuickEngine
from tests.fakes.telegram_api import BotAccount, FakeTelegram, FaultKind, Person
from vivant.services import Services


@asynccontextmanager
async def bot_process(services: Services) -> AsyncGenerator[asyncio.subprocess.Process]:
    """`vivant bot telegram`, with the ledger and the Redis of *services*."""
    settings = services.settings
    token = settings.telegram_token
    assert token is not None
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "vivant", "bot", "telegram",
        env=os.environ | {
            "PYTHONPATH": os.pathsep.join(sys.path),
            "VIVANT_TELEGRAM_TOKEN": token.get_secret_value(),
            "VIVANT_TELEGRAM_API_URL": settings.telegram_api_url,
            "VIVANT_DATA_DIR": str(settings.data_dir),
            "VIVANT_REDIS_URL": services.redis_url,
            "VIVANT_LEASE_S": str(settings.lease_s),
            "VIVANT_BEAT_S": str(settings.beat_s),
            "VIVANT_UPKEEP_S": str(settings.upkeep_s),
        },
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        _, said = await process.communicate()
        assert token.get_secret_value() not in said.decode()


@pytest.mark.parametrize("where", ["accepted", "delivering"])
async def test_a_bot_that_is_killed_still_answers_once(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    account: BotAccount,
    ada: Person,
    photo: bytes,
    where: str,
) -> None:
    """SIGKILL after it accepted, or while the clip is on its way to Telegram."""
    chat = ada.chat_with(account)
    quick_engine.go.clear()
    async with bot_process(services) as first:
        await telegram.until(lambda: telegram.is_polled(account), timeout_s=30)
        ada.sends_photo(account, photo, caption="slow zoom in")
        await telegram.until(lambda: telegram.visible(chat, by=account))
        await wait_until(lambda: quick_engine.renders == 1)
        if where == "delivering":
            telegram.faults.add(FaultKind.DELAY, method="editMessageMedia", delay_s=5)
            quick_engine.go.set()
            await telegram.until(lambda: telegram.called("editMessageMedia"))
        first.kill()
        await first.wait()
    quick_engine.go.set()

    async with bot_process(services):
        await telegram.until(
            lambda: any(m.media for m in telegram.visible(chat, by=account)), timeout_s=30
        )

        async def is_over() -> bool:
            credit = await services.ledger.people.credit(f"telegram:{ada.id}")
            return credit.reserved == 0

        await wait_until(is_over)

    assert sum(m.media is not None for m in telegram.visible(chat, by=account)) == 1
    credit = await services.ledger.people.credit(f"telegram:{ada.id}")
    assert credit.free == services.settings.free_clips_per_day - 1
    assert await services.ledger.people.discrepancies() == []
