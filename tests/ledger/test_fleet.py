"""Who is alive, which role is whose, and whether anything new is taken."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest
from sqlalchemy import update

from tests.ledger.conftest import Opener
from tests.ledger.orders import ANN, LEASES, PUPPET, accepted, claimed, order, rows
from vivant.clips import RefusalReason
from vivant.errors import Refused
from vivant.ledger import Ledger
from vivant.ledger.schema import leases, workers

LTX = replace(PUPPET, name="ltx")


async def silence(ledger: Ledger, seconds: float) -> None:
    async with ledger.db.writing() as conn:
        await conn.execute(update(workers).values(seen_at=workers.c.seen_at - int(seconds * 1000)))


async def test_what_living_workers_can_make_is_known_once_an_engine(ledger: Ledger) -> None:
    await ledger.fleet.here("w1", PUPPET, slots=1)
    await ledger.fleet.here("w2", PUPPET, slots=1)
    await ledger.fleet.here("w3", LTX, slots=1)

    assert await ledger.fleet.profiles() == [LTX, PUPPET]


async def test_a_silent_worker_counts_as_gone_until_it_speaks_again(ledger: Ledger) -> None:
    await ledger.fleet.here("w1", PUPPET, slots=1)
    await silence(ledger, LEASES.lease_s + 1)
    assert await ledger.fleet.profiles() == []

    await ledger.fleet.here("w1", PUPPET, slots=1)

    assert await ledger.fleet.profiles() == [PUPPET]


async def test_a_worker_of_another_version_hides_no_other(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    """What it can make cannot be read; the log says so once, and not at every photo."""
    strange = uuid4().hex
    await ledger.fleet.here(strange, LTX, slots=1)
    await ledger.fleet.here("w2", PUPPET, slots=1)
    async with ledger.db.writing() as conn:
        await conn.execute(
            update(workers).where(workers.c.id == strange).values(profile='{"name": "ltx"}')
        )

    assert [await ledger.fleet.profiles() for _ in range(2)] == [[PUPPET], [PUPPET]]
    assert caplog.text.count("a row cannot be read") == 1


async def test_a_worker_that_says_goodbye_is_gone_at_once(ledger: Ledger) -> None:
    await ledger.fleet.here("w1", PUPPET, slots=1)

    await ledger.fleet.gone("w1")

    assert await ledger.fleet.profiles() == []


async def test_a_role_has_one_holder_until_it_lapses_or_is_given_up(ledger: Ledger) -> None:
    fleet = ledger.fleet
    assert await fleet.hold("poller", "a", for_s=60)
    assert await fleet.hold("poller", "a", for_s=60)
    assert not await fleet.hold("poller", "b", for_s=60)
    await fleet.release("poller", "b")
    assert not await fleet.hold("poller", "b", for_s=60)

    await fleet.release("poller", "a")

    assert await fleet.hold("poller", "b", for_s=-1)
    assert await fleet.hold("poller", "a", for_s=60)


async def test_of_many_that_reach_for_a_role_one_gets_it(opened: Opener) -> None:
    async with opened() as ledger, opened() as other:
        got = await asyncio.gather(
            *((ledger, other)[n % 2].fleet.hold("upkeep", f"p{n}", for_s=60) for n in range(12))
        )

        assert sum(got) == 1


async def test_the_long_dead_are_buried(ledger: Ledger) -> None:
    await ledger.fleet.here("dead", PUPPET, slots=1)
    await silence(ledger, 86_401)
    await ledger.fleet.here("alive", PUPPET, slots=1)
    await ledger.fleet.hold("hushed:1", "x", for_s=-86_401)
    await ledger.fleet.hold("upkeep", "alive", for_s=60)

    await ledger.tidy()

    assert [row.id for row in await rows(ledger, workers)] == ["alive"]
    assert [row.name for row in await rows(ledger, leases)] == ["upkeep"]


async def test_while_draining_nothing_new_is_taken_and_the_rest_is_finished(
    ledger: Ledger,
) -> None:
    waiting = await accepted(ledger)

    await ledger.fleet.drain(on=True)

    assert await ledger.fleet.is_draining()
    for ask in (ledger.people.knock(ANN), ledger.jobs.accept(order())):
        with pytest.raises(Refused) as refused:
            await ask
        assert refused.value.reason is RefusalReason.DRAINING
    assert (await claimed(ledger)).id == waiting.id


async def test_after_the_drain_all_is_as_before(ledger: Ledger) -> None:
    await ledger.fleet.drain(on=True)
    await ledger.fleet.drain(on=True)

    await ledger.fleet.drain(on=False)

    assert not await ledger.fleet.is_draining()
    await ledger.people.knock(ANN)
    await accepted(ledger)
