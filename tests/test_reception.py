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
from vivant.ledger import Inbox, Ledger, Letter, open_ledger
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

    await inbox.put([Letter("1", "deadly")])
    for _ in range(MAX_DEATHS):
        assert await inbox.claim() is not None
        async with ledger.db.writing() as conn:
            await conn.execute(update(table).values(lease_until=0))
    await inbox.put([Letter("2", "fine")])

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

    await inbox.put([Letter("1", "a photo")])

    async with at_work(inbox, see_to) as given_up:
        await wait_until(lambda: is_done(ledger, "1"))

    assert (tries, given_up) == (2, [])


async def test_whoever_floods_the_bot_keeps_nobody_else_waiting(inbox: Inbox) -> None:
    """Their own messages wait for each other; not one of them is lost."""
    seen: list[str] = []
    open_again = asyncio.Event()

    async def see_to(payload: str) -> None:
        seen.append(payload)
        if payload.startswith("flood"):
            await open_again.wait()

    flood = [Letter(f"{n:03d}", f"flood {n}", "eve") for n in range(300)]
    await inbox.put([*flood, Letter("300", "a photo", "ada"), Letter("301", "of nobody")])

    async with at_work(inbox, see_to):
        await wait_until(lambda: "of nobody" in seen)
        assert seen == ["flood 0", "flood 1", "flood 2", "a photo", "of nobody"]
        open_again.set()
        await wait_until(lambda: len(seen) == 302)

    assert [one for one in seen if one.startswith("flood")] == [one.payload for one in flood]


async def test_an_album_is_whole_however_few_of_one_sender_are_seen_to(inbox: Inbox) -> None:
    """Its items wait for each other, so that all of them are let in; a third album is not."""
    seen: list[str] = []

    async def see_to(payload: str) -> None:
        seen.append(payload)
        await asyncio.Event().wait()

    albums = [
        Letter(f"{album}{item}", f"{album}{item}", "ada", album)
        for album in ("a", "b", "c", "d")
        for item in range(10)
    ]
    await inbox.put([*albums[:5], *albums[10:], *albums[5:10], Letter("z", "of bob", "bob")])

    reception = Reception(inbox, see_to, see_to, beat_s=10, at_once=40, of_one=3)
    working = asyncio.create_task(reception.run())
    await wait_until(lambda: "of bob" in seen)
    working.cancel()
    await reception.drain(0)

    assert sorted(seen) == sorted([one.payload for one in albums[:30]] + ["of bob"])
