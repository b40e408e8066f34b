"""Credit: reserved with the job, closed once, renewed at midnight, and always explained."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import update

from tests.ledger.conftest import Opener
from tests.ledger.orders import (
    ANN,
    LIMITS,
    accepted,
    claimed,
    clip,
    delivered,
    kinds,
    order,
    pass_midnight,
    rendered,
    sending,
)
from vivant.clips import FailureReason, RefusalReason, Work
from vivant.errors import Refused
from vivant.jobs import Job
from vivant.ledger import Ledger
from vivant.ledger.schema import accounts, jobs

TWO_A_DAY = replace(LIMITS, free_clips_per_day=2)


async def left(ledger: Ledger, owner: str = ANN) -> tuple[int, int, int]:
    """Free, paid, reserved; and the books add up."""
    credit = await ledger.people.credit(owner)
    assert await ledger.people.discrepancies() == []
    return credit.free, credit.paid, credit.reserved


async def settled(ledger: Ledger) -> None:
    assert await ledger.jobs.finish(await claimed(ledger), clip(), {})
    assert await ledger.jobs.delivered(await sending(ledger))


async def test_a_job_holds_one_clip_until_it_is_settled(opened: Opener) -> None:
    async with opened(limits=TWO_A_DAY) as ledger:
        await accepted(ledger)
        assert await left(ledger) == (1, 0, 1)

        await settled(ledger)

        assert await left(ledger) == (1, 0, 0)


async def test_a_job_that_comes_to_nothing_gives_its_clip_back(opened: Opener) -> None:
    async with opened(limits=TWO_A_DAY) as ledger:
        job = await accepted(ledger)

        await ledger.jobs.cancel(job.id)

        assert await left(ledger) == (2, 0, 0)


async def test_free_clips_go_first_and_paid_ones_after(opened: Opener) -> None:
    async with opened(limits=TWO_A_DAY) as ledger:
        await ledger.people.grant(ANN, 5, source="grant:1")
        jobs = [await accepted(ledger) for _ in range(3)]
        assert await left(ledger) == (0, 4, 3)

        for job in jobs:
            await ledger.jobs.cancel(job.id)

        assert await left(ledger) == (2, 5, 0)


async def test_without_a_clip_left_nothing_is_queued(opened: Opener) -> None:
    async with opened(limits=TWO_A_DAY) as ledger:
        for _ in range(2):
            await accepted(ledger)

        with pytest.raises(Refused) as refused:
            await ledger.jobs.accept(order())

        assert refused.value.reason is RefusalReason.NO_CREDIT
        renews_at = (await ledger.people.credit(ANN)).renews_at
        assert refused.value.details["renews_at"] == renews_at
        assert renews_at % 86_400 == 0
        assert await ledger.jobs.waiting() == 2
        assert await left(ledger) == (0, 0, 2)


async def test_ten_messages_at_once_with_two_clips_left_are_two_jobs(opened: Opener) -> None:
    async with opened(limits=TWO_A_DAY) as ledger, opened(limits=TWO_A_DAY) as other:

        async def ask(through: Ledger) -> Job | RefusalReason:
            try:
                job, _ = await through.jobs.accept(order())
            except Refused as refused:
                return refused.reason
            return job

        outcomes = await asyncio.gather(*(ask((ledger, other)[n % 2]) for n in range(10)))

        assert sum(isinstance(outcome, Job) for outcome in outcomes) == 2
        assert outcomes.count(RefusalReason.NO_CREDIT) == 8
        assert await ledger.jobs.waiting() == 2
        assert await left(ledger) == (0, 0, 2)


async def test_the_same_event_ten_times_at_once_is_one_job(opened: Opener) -> None:
    async with opened() as ledger, opened() as other:
        made = order()

        outcomes = await asyncio.gather(
            *((ledger, other)[n % 2].jobs.accept(made) for n in range(10))
        )

        assert len({job.id for job, _ in outcomes}) == 1
        assert sum(is_new for _, is_new in outcomes) == 1
        assert (await left(ledger))[2] == 1


async def test_a_confirmation_and_a_refund_at_once_close_the_job_once(opened: Opener) -> None:
    async with opened() as ledger, opened() as other:
        for _ in range(5):
            await rendered(ledger)
            job = await sending(ledger)

            moved = await asyncio.gather(
                ledger.jobs.delivered(job),
                other.jobs.undeliverable(job),
                other.jobs.delivered(job),
                ledger.jobs.spoil(job, FailureReason.CLIP_TOO_LARGE),
            )

            assert sum(moved) == 1
            assert len(await kinds(ledger, job)) == 2
            await ledger.jobs.claim_delivery("telegram", "7")  # where it was spoilt
        assert (await left(ledger))[2] == 0


async def test_free_clips_are_full_again_after_midnight(opened: Opener) -> None:
    async with opened(limits=TWO_A_DAY) as ledger:
        for _ in range(2):
            await accepted(ledger)
            await settled(ledger)
        assert await left(ledger) == (0, 0, 0)

        await pass_midnight(ledger)

        assert await left(ledger) == (2, 0, 0)


async def test_unused_free_clips_do_not_pile_up_and_paid_ones_stay(opened: Opener) -> None:
    async with opened(limits=TWO_A_DAY) as ledger:
        await ledger.people.grant(ANN, 3, source="grant:1")

        await pass_midnight(ledger)

        assert await left(ledger) == (2, 3, 0)


async def test_a_free_clip_refunded_after_midnight_is_not_a_third_one(opened: Opener) -> None:
    """Whether the new day was seen before the refund or after it."""
    async with opened(limits=TWO_A_DAY) as ledger:
        seen_before, seen_after = await accepted(ledger), await accepted(ledger, "telegram:2")
        await pass_midnight(ledger)
        assert await left(ledger) == (2, 0, 1)

        await ledger.jobs.cancel(seen_before.id)
        await ledger.jobs.cancel(seen_after.id)

        assert await left(ledger) == (2, 0, 0)
        assert await left(ledger, "telegram:2") == (2, 0, 0)


async def test_a_paid_clip_refunded_after_midnight_comes_back(opened: Opener) -> None:
    async with opened(limits=replace(LIMITS, free_clips_per_day=0)) as ledger:
        await ledger.people.grant(ANN, 1, source="grant:1")
        job = await accepted(ledger)
        await pass_midnight(ledger)

        await ledger.jobs.cancel(job.id)

        assert await left(ledger) == (0, 1, 0)


async def test_an_account_that_saw_tomorrow_never_goes_back_to_today(opened: Opener) -> None:
    """Whoever waited for the lock over midnight must not renew yesterday once more."""
    async with opened(limits=TWO_A_DAY) as ledger:
        await accepted(ledger)
        async with ledger.db.writing() as conn:
            await conn.execute(update(accounts).values(day=accounts.c.day + 1))

        assert await left(ledger) == (1, 0, 1)


async def test_a_loop_costs_nothing_even_with_nothing_left(opened: Opener) -> None:
    async with opened(limits=replace(LIMITS, free_clips_per_day=0)) as ledger:
        await accepted(ledger, work=Work.LOOP)
        assert await left(ledger) == (0, 0, 0)

        await settled(ledger)

        assert await left(ledger) == (0, 0, 0)


async def test_a_grant_counts_once_for_its_source(ledger: Ledger) -> None:
    assert await ledger.people.grant(ANN, 5, source="payment:1", kind="payment")
    assert not await ledger.people.grant(ANN, 5, source="payment:1", kind="payment")

    assert (await left(ledger))[1] == 5


async def test_a_clip_that_was_settled_can_be_repaid_once(opened: Opener) -> None:
    async with opened(limits=TWO_A_DAY) as ledger:
        job = await delivered(ledger)
        assert await left(ledger) == (1, 0, 0)

        assert await ledger.jobs.repay(job.id)
        assert not await ledger.jobs.repay(job.id)

        assert await left(ledger) == (1, 1, 0)
        assert await kinds(ledger, job) == ["reserve", "settle", "repay"]


async def test_nothing_is_repaid_that_was_not_settled(ledger: Ledger) -> None:
    waiting = await accepted(ledger)
    assert not await ledger.jobs.repay(waiting.id)
    await ledger.jobs.cancel(waiting.id)

    assert not await ledger.jobs.repay(waiting.id)
    assert not await ledger.jobs.repay("nothing like it")


async def test_a_purse_that_its_entries_do_not_explain_is_found(ledger: Ledger) -> None:
    await accepted(ledger)
    async with ledger.db.writing() as conn:
        await conn.execute(update(accounts).values(balance=7, reserved=3))

    assert await ledger.people.discrepancies() == [
        f"{ANN}: paid is 7, the entries say 0",
        f"{ANN}: reserved is 3, the entries say 1",
    ]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("done", "closed by nothing, not by settle"),
        ("undeliverable", "closed by nothing, not by refund"),
    ],
)
async def test_a_job_that_ended_unclosed_is_found(ledger: Ledger, state: str, said: str) -> None:
    job = await accepted(ledger)
    async with ledger.db.writing() as conn:
        await conn.execute(update(jobs).values(state=state))

    assert await ledger.people.discrepancies() == [f"job {job.id} is {state}: {said}"]


async def test_a_job_that_is_open_but_closed_is_found(ledger: Ledger) -> None:
    job = await accepted(ledger)
    await ledger.jobs.cancel(job.id)
    async with ledger.db.writing() as conn:
        await conn.execute(update(jobs).values(state="queued"))

    assert await ledger.people.discrepancies() == [
        f"job {job.id} is queued: closed by refund, not by nothing"
    ]


async def test_what_was_bought_is_taken_back_once_as_far_as_it_is_not_spent(
    opened: Opener,
) -> None:
    """Two bots hear of one refund at once; and a refund of what is gone takes no later purchase."""
    nothing_free = replace(LIMITS, free_clips_per_day=0)
    async with opened(limits=nothing_free) as ledger, opened(limits=nothing_free) as other:
        await ledger.people.grant(ANN, 5, source="payment:1", kind="payment")
        for _ in range(3):
            await rendered(ledger)
        taken = await asyncio.gather(
            *(each.people.take_back(ANN, 5, source="refund:1") for each in (ledger, other))
        )
        await ledger.people.grant(ANN, 5, source="payment:2", kind="payment")

        assert set(taken) == {2, None}
        assert await other.people.take_back(ANN, 5, source="refund:1") is None
        assert await left(ledger) == (0, 5, 3)


async def test_what_waits_is_cancelled_for_a_refund_and_no_cancel_brings_a_clip_back(
    opened: Opener,
) -> None:
    """The money went back: no job that holds its clips may give them back afterwards.

    Only as many are cancelled as it takes, the latest first, and none where it was told before.
    """
    nothing_free = replace(LIMITS, free_clips_per_day=0)
    async with opened(limits=nothing_free) as ledger, opened(limits=nothing_free) as other:
        await ledger.people.grant(ANN, 6, source="payment:1", kind="payment")
        waiting = [await accepted(ledger) for _ in range(5)]
        await claimed(ledger)
        taken = await asyncio.gather(
            *(each.people.take_back(ANN, 5, source="refund:1") for each in (ledger, other))
        )

        assert set(taken) == {5, None}
        assert [await ledger.jobs.cancel(job.id) for job in waiting].count(True) == 1
        assert await left(ledger) == (0, 1, 0)
        last = await accepted(ledger)
        assert await other.people.take_back(ANN, 5, source="refund:1") is None
        assert await ledger.jobs.cancel(last.id)
        assert await ledger.people.discrepancies() == []
