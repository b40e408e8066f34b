"""Who comes next, and how much one person may ask for."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import func, select, update

from tests.ledger.conftest import Opener
from tests.ledger.orders import (
    ANN,
    BOB,
    LIMITS,
    PUPPET,
    accepted,
    claimed,
    clip,
    delivered,
    order,
    pass_midnight,
)
from vivant.clips import RefusalReason
from vivant.errors import Refused
from vivant.jobs import Job
from vivant.ledger import Ledger
from vivant.ledger.schema import requests


async def in_order(ledger: Ledger) -> list[Job]:
    """All that wait, as they are claimed."""
    found: list[Job] = []
    while (job := await ledger.jobs.claim("w", ["puppet"])) is not None:
        found.append(job)
    return found


async def test_a_sender_with_many_jobs_waits_behind_one_with_few(ledger: Ledger) -> None:
    for _ in range(5):
        await accepted(ledger, ANN)
    await accepted(ledger, BOB)

    owners = [job.owner for job in await in_order(ledger)]

    assert owners == [ANN, BOB, ANN, ANN, ANN, ANN]


async def test_a_newcomer_is_not_ahead_of_all_that_was_claimed_before(ledger: Ledger) -> None:
    """Having asked for nothing yesterday is not a credit of turns."""
    for _ in range(3):
        await accepted(ledger, ANN)
    for _ in range(3):
        await claimed(ledger)
    for owner in (ANN, BOB, ANN, BOB):
        await accepted(ledger, owner)

    assert [job.owner for job in await in_order(ledger)] == [BOB, ANN, BOB, ANN]


async def test_equals_are_served_first_come_first_served(ledger: Ledger) -> None:
    senders = [f"telegram:{n}" for n in range(8)]
    for sender in senders:
        await accepted(ledger, sender)

    came = [(job.created_at_ms, job.owner) for job in await in_order(ledger)]

    assert [at for at, _ in came] == sorted(at for at, _ in came)
    assert {owner for _, owner in came} == set(senders)


async def test_paid_jobs_wait_half_as_long_behind_each_other(opened: Opener) -> None:
    async with opened(limits=replace(LIMITS, free_clips_per_day=4)) as ledger:
        await ledger.people.grant(BOB, 4, source="grant:1")
        for _ in range(4):
            await delivered(ledger, BOB)
        for _ in range(4):
            await accepted(ledger, ANN)
        for _ in range(4):
            await accepted(ledger, BOB)

        owners = [job.owner for job in await in_order(ledger)]

        # Bob comes in one turn behind Ann; from there on, two of his for one of hers.
        assert owners == [ANN, ANN, BOB, BOB, ANN, BOB, BOB, ANN]


async def test_a_job_handed_back_keeps_its_turn(ledger: Ledger) -> None:
    first = await accepted(ledger, ANN)
    await accepted(ledger, BOB)
    await ledger.jobs.hand_back(await claimed(ledger))

    assert (await claimed(ledger)).id == first.id


async def test_two_workers_never_claim_the_same_job(opened: Opener) -> None:
    async with opened() as ledger, opened() as other:
        for n in range(12):
            await accepted(ledger, f"telegram:{n % 3}")

        claims = await asyncio.gather(
            *((ledger, other)[n % 2].jobs.claim(f"w{n}", ["puppet"]) for n in range(16))
        )

        ids = [job.id for job in claims if job is not None]
        assert len(ids) == len(set(ids)) == 12


async def test_two_bots_processes_never_send_the_same_answer(opened: Opener) -> None:
    async with opened() as ledger, opened() as other:
        for _ in range(8):
            await accepted(ledger)
            await ledger.jobs.finish(await claimed(ledger), clip(), {})

        claims = await asyncio.gather(
            *((ledger, other)[n % 2].jobs.claim_delivery("telegram", "7") for n in range(12))
        )

        ids = [job.id for job in claims if job is not None]
        assert len(ids) == len(set(ids)) == 8


# ---- where a job stands


async def test_a_place_counts_who_is_ahead_and_measures_the_wait(ledger: Ledger) -> None:
    await ledger.fleet.here("w1", PUPPET, slots=1)
    await delivered(ledger, "telegram:4")
    rendering = await accepted(ledger, "telegram:3")
    await claimed(ledger)
    await accepted(ledger, ANN)
    last = await accepted(ledger, BOB)

    place = await ledger.fleet.place(last)

    assert place.ahead == 2
    assert place.engine_alive
    assert place.expected_s is not None
    assert (await ledger.fleet.place(rendering)).ahead == 0


async def test_nobody_is_ahead_while_a_slot_is_free(ledger: Ledger) -> None:
    await ledger.fleet.here("w1", PUPPET, slots=2)
    await accepted(ledger, ANN)
    await claimed(ledger)

    assert (await ledger.fleet.place(await accepted(ledger, BOB))).ahead == 0


async def test_jobs_of_another_engine_are_not_ahead(ledger: Ledger) -> None:
    await ledger.fleet.here("w1", PUPPET, slots=1)
    for _ in range(3):
        await accepted(ledger, ANN, engine="ltx")

    assert (await ledger.fleet.place(await accepted(ledger, BOB))).ahead == 0


async def test_without_an_engine_no_time_is_promised(ledger: Ledger) -> None:
    place = await ledger.fleet.place(await accepted(ledger))

    assert (place.engine_alive, place.expected_s) == (False, None)


# ---- limits


async def refusal(ledger: Ledger, owner: str = ANN) -> RefusalReason:
    with pytest.raises(Refused) as refused:
        await ledger.jobs.accept(order(owner))
    return refused.value.reason


async def test_the_fourth_open_job_is_refused(opened: Opener) -> None:
    async with opened(limits=replace(LIMITS, max_open_jobs=3)) as ledger:
        jobs = [await accepted(ledger) for _ in range(3)]
        await claimed(ledger)
        assert await refusal(ledger) is RefusalReason.TOO_MANY_OPEN

        await ledger.jobs.cancel(jobs[2].id)

        await accepted(ledger)
        await accepted(ledger, BOB)


async def test_ten_messages_at_once_with_room_for_three_are_three_jobs(opened: Opener) -> None:
    limits = replace(LIMITS, max_open_jobs=3)
    async with opened(limits=limits) as ledger, opened(limits=limits) as other:
        outcomes = await asyncio.gather(
            *((ledger, other)[n % 2].jobs.accept(order()) for n in range(10)),
            return_exceptions=True,
        )

        assert sum(isinstance(outcome, tuple) for outcome in outcomes) == 3
        assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 7


async def test_refunded_renders_count_toward_the_days_limit(opened: Opener) -> None:
    async with opened(limits=replace(LIMITS, max_renders_per_day=3)) as ledger:
        for _ in range(3):
            job = await accepted(ledger)
            await ledger.jobs.cancel(job.id)
        assert await refusal(ledger) is RefusalReason.TOO_MANY_TODAY

        await pass_midnight(ledger)

        await accepted(ledger)


async def test_being_forgotten_gives_no_new_renders(opened: Opener) -> None:
    async with opened(limits=replace(LIMITS, max_renders_per_day=2)) as ledger:
        for _ in range(2):
            await delivered(ledger)

        await ledger.people.forget(ANN)

        assert await refusal(ledger) is RefusalReason.TOO_MANY_TODAY


async def test_the_sixth_request_of_a_minute_is_refused(ledger: Ledger) -> None:
    for _ in range(5):
        await ledger.people.knock(ANN)

    with pytest.raises(Refused) as refused:
        await ledger.people.knock(ANN)

    assert refused.value.reason is RefusalReason.TOO_FAST
    await ledger.people.knock(BOB)


async def test_many_requests_at_once_are_counted_one_by_one(opened: Opener) -> None:
    async with opened() as ledger, opened() as other:
        outcomes = await asyncio.gather(
            *((ledger, other)[n % 2].people.knock(ANN) for n in range(12)),
            return_exceptions=True,
        )

        assert sum(outcome is None for outcome in outcomes) == 5
        assert sum(isinstance(outcome, Refused) for outcome in outcomes) == 7


async def test_old_requests_do_not_count_and_are_tidied_away(ledger: Ledger) -> None:
    for _ in range(5):
        await ledger.people.knock(ANN)
    async with ledger.db.writing() as conn:
        await conn.execute(update(requests).values(at=requests.c.at - 61_000))
    await ledger.people.knock(ANN)

    await ledger.people.tidy()

    async with ledger.db.reading() as conn:
        kept = (await conn.execute(select(func.count()).select_from(requests))).scalar_one()
    assert kept == 1
