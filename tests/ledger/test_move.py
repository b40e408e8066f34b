"""`vivant ledger move`: everything is on the other side, or nothing is."""

from pathlib import Path

import pytest
from sqlalchemy import update

from tests.ledger.orders import (
    ANN,
    BOB,
    LEASES,
    LIMITS,
    PUPPET,
    accepted,
    claimed,
    clip,
    delivered,
    order,
    rendered,
    rows,
    sending,
)
from tests.postgres import Postgres
from vivant.clips import JobState
from vivant.errors import LedgerDown
from vivant.ledger import Ledger, Letter, open_ledger
from vivant.ledger.move import move
from vivant.ledger.schema import accounts, metadata, workers


@pytest.fixture
def here(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite3'}"


@pytest.fixture
async def there(postgres: Postgres) -> str:
    return await postgres.fresh_database()


async def fill(ledger: Ledger) -> None:
    """Something in every table, and more than one batch of jobs."""
    for number in range(600):
        await accepted(ledger, f"telegram:{1000 + number}")
    shown = await delivered(ledger, ANN)
    await ledger.jobs.purge(shown.id)
    await rendered(ledger, BOB)
    await ledger.jobs.hand_back(await claimed(ledger))
    await ledger.people.grant(ANN, 7, source="payment:1", kind="payment")
    await ledger.people.ban("telegram:666")
    await ledger.people.knock(ANN)
    await ledger.fleet.drain(on=True)
    await ledger.fleet.drain(on=False)
    await ledger.fleet.here("long gone", PUPPET, slots=1)
    await ledger.fleet.hold("poller", "somebody", for_s=0)
    await ledger.inbox("telegram", "7").put([Letter("1", "{}"), Letter("2", "{}")])
    await ledger.drafts.keep(order(ANN))
    await ledger.houses.put("telegram", "-5", "{}")
    await ledger.early_words.keep(ANN, order(ANN).reply_to, "hug")
    await ledger.reports.file(shown.id, BOB, "harmful")
    await ledger.audit.note("telegram:9", "drain on", "draining")
    async with ledger.db.writing() as conn:
        await conn.execute(update(workers).values(seen_at=0))


async def contents(ledger: Ledger) -> dict[str, set[tuple[object, ...]]]:
    return {
        name: {tuple(row) for row in await rows(ledger, table)}
        for name, table in metadata.tables.items()
    }


@pytest.mark.timeout(180)
async def test_everything_arrives_and_the_work_goes_on(here: str, there: str) -> None:
    async with open_ledger(here, LEASES, LIMITS) as old:
        await fill(old)
        before = await contents(old)

    counts = await move(here, there)

    assert counts == {name: len(found) for name, found in before.items()}
    assert all(count for name, count in counts.items() if name != "flags")
    async with open_ledger(there, LEASES, LIMITS) as new:
        assert await contents(new) == before
        assert await new.people.discrepancies() == []
        # Numbers go on where they were, and so does every job.
        await new.audit.note("telegram:9", "drain off")
        await new.people.knock(BOB)
        job = await accepted(new, ANN)
        await new.jobs.cancel(job.id)
        assert await new.jobs.finish(await claimed(new), clip(), {})
        assert (await sending(new)).state is JobState.SENDING
        assert await new.people.discrepancies() == []
    async with open_ledger(here, LEASES, LIMITS) as old:
        assert await contents(old) == before


async def test_a_target_that_holds_something_is_left_alone(here: str, there: str) -> None:
    async with open_ledger(here, LEASES, LIMITS) as old:
        await accepted(old, ANN)
    async with open_ledger(there, LEASES, LIMITS) as new:
        await new.people.ban(BOB)

    with pytest.raises(LedgerDown, match="not empty: bans"):
        await move(here, there)

    async with open_ledger(there, LEASES, LIMITS) as new:
        assert await new.jobs.waiting() == 0


async def test_nothing_is_moved_while_somebody_is_at_work(here: str, there: str) -> None:
    async with open_ledger(here, LEASES, LIMITS) as old:
        await old.fleet.here("engine-1", PUPPET, slots=1)
        await old.fleet.hold("upkeep", "bot-1", for_s=60)

    with pytest.raises(LedgerDown, match="bot-1, engine-1"):
        await move(here, there)


async def test_books_that_do_not_add_up_are_not_moved(here: str, there: str) -> None:
    async with open_ledger(here, LEASES, LIMITS) as old:
        await accepted(old, ANN)
        async with old.db.writing() as conn:
            await conn.execute(update(accounts).values(balance=99))

    with pytest.raises(LedgerDown, match="paid is 99"):
        await move(here, there)

    async with open_ledger(there, LEASES, LIMITS) as new:
        assert await rows(new, accounts) == []
