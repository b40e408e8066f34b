"""Updates out of the inbox: each is seen to until it is done, or given up and said to be."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests.conftest import wait_until
from tests.ledger.orders import LEASES, LIMITS
from vivant.errors import MediaMissing
from vivant.ledger import Inbox, Ledger, open_ledger
from vivant.ledger.inbox import MAX_DEATHS
from vivant.ledger.schema import inbox as table
from vivant.reception import Reception

See = Callable[[str], Awaitable[None]]


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncGenerator[Ledger]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite3'}"
    async with open_ledger(url, LEASES, LIMITS) as ledger:
        yield ledger


@pytest.fixture
def inbox(ledger: Ledger) -> Inbox:
    return ledger.inbox("telegram", "7")


@asynccontextmanager
async def at_work(inbox: Inbox, see_to: See) -> AsyncGenerator[list[str]]:
    """A reception; what it gave up."""
    given_up: list[str] = []

    async def give_up(payload: str) -> None:
        given_up.append(payload)

    working = asyncio.create_task(Reception(inbox, see_to, give_up, beat_s=10).run())
    try:
        yield given_up
    finally:
        working.cancel()
        await asyncio.wait([working])


async def is_done(ledger: Ledger, event: str) -> bool:
    found = select(table.c.state).where(table.c.event == event)
    async with ledger.db.reading() as conn:
        state: str = (await conn.execute(found)).scalar_one()
    return state == "done"


async def test_an_update_that_no_process_outlived_is_given_up_and_said_to_be(
    ledger: Ledger, inbox: Inbox
) -> None:
    """To the person as far as their place is known, and to the operator; the next one is fine."""
    seen: list[str] = []

    async def see_to(payload: str) -> None:
        seen.append(payload)

    await inbox.put([("1", "deadly")])
    for _ in range(MAX_DEATHS):
        assert await inbox.claim() is not None
        async with ledger.db.writing() as conn:
            await conn.execute(update(table).values(lease_until=0))
    await inbox.put([("2", "fine")])

    async with at_work(inbox, see_to) as given_up:
        await wait_until(lambda: seen == ["fine"] and given_up == ["deadly"])

    (deed,) = await ledger.audit.latest(10)
    assert (deed.by, deed.words) == ("telegram:7", "see to update 1")


async def test_a_store_that_is_away_is_waited_for(ledger: Ledger, inbox: Inbox) -> None:
    """A full disk or an outage of S3 breaks no update: it is no try that counts."""
    tries = 0

    async def see_to(payload: str) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise MediaMissing("could not store")

    await inbox.put([("1", "a photo")])

    async with at_work(inbox, see_to) as given_up:
        await wait_until(lambda: is_done(ledger, "1"))

    assert (tries, given_up) == (2, [])
