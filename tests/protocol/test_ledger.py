"""The model's arrows do to a row what the ledger's own do, from every row that can be reached."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import select, update

from tests.ledger.orders import LEASES, LIMITS, clip, order
from tests.protocol import row as model
from tests.protocol.row import CONTRACT, Answer, Closing, Row
from vivant.clips import FailureReason, JobState
from vivant.jobs import Job
from vivant.ledger import Ledger, open_ledger
from vivant.ledger.schema import entries, jobs

_LONG_AGO: Final = 0


@dataclass(frozen=True, slots=True)
class Arrow:
    """One arrow on both sides; on the ledger's, whether it moved the job."""

    name: str
    in_model: Callable[[Row, int], Row | None]
    in_ledger: Callable[[Ledger, Job], Awaitable[bool]]
    #: Names the attempt that it holds, so an older one must change nothing.
    is_fenced: bool = True


def _set(**values: int) -> Callable[[Ledger, Job], Awaitable[None]]:
    async def run_the_clock(ledger: Ledger, job: Job) -> None:
        async with ledger.db.writing() as conn:
            await conn.execute(update(jobs).where(jobs.c.id == job.id).values(**values))

    return run_the_clock


async def _claim(ledger: Ledger, job: Job) -> bool:
    return await ledger.jobs.claim("worker", [job.engine]) is not None


async def _claim_delivery(ledger: Ledger, job: Job) -> bool:
    assert job.reply_to is not None
    return await ledger.jobs.claim_delivery("telegram", job.reply_to.bot) is not None


def _later(*, too_old: bool) -> Callable[[Ledger, Job], Awaitable[bool]]:
    async def delay(ledger: Ledger, job: Job) -> bool:
        if too_old:
            await _set(ready_at=_LONG_AGO)(ledger, job)
        return await ledger.jobs.delay_delivery(job, 0)

    return delay


def _expired(
    expire: Callable[[Ledger], Awaitable[int]], **clocks: int
) -> Callable[[Ledger, Job], Awaitable[bool]]:
    async def run(ledger: Ledger, job: Job) -> bool:
        await _set(**clocks)(ledger, job)
        return await expire(ledger) == 1

    return run


ARROWS: Final = (
    Arrow("claim", lambda row, _: model.claim(row), _claim, is_fenced=False),
    Arrow(
        "beat", lambda row, at: model.beat(row, at, CONTRACT), lambda led, job: led.jobs.beat(job)
    ),
    Arrow(
        "finish",
        lambda row, at: model.finish(row, at, CONTRACT),
        lambda led, job: led.jobs.finish(job, clip(), {}),
    ),
    Arrow(
        "fail, transient",
        lambda row, at: model.fail(row, at, CONTRACT, transient=True),
        lambda led, job: led.jobs.fail(job, FailureReason.RENDER_FAILED, transient=True),
    ),
    Arrow(
        "fail, for good",
        lambda row, at: model.fail(row, at, CONTRACT, transient=False),
        lambda led, job: led.jobs.fail(job, FailureReason.RENDER_FAILED, transient=False),
    ),
    Arrow(
        "hand_back",
        lambda row, at: model.hand_back(row, at, CONTRACT),
        lambda led, job: led.jobs.hand_back(job),
    ),
    Arrow(
        "cancel",
        lambda row, _: model.cancel(row),
        lambda led, job: led.jobs.cancel(job.id),
        is_fenced=False,
    ),
    Arrow(
        "claim_delivery", lambda row, _: model.claim_delivery(row), _claim_delivery, is_fenced=False
    ),
    Arrow(
        "delay_delivery",
        lambda row, at: model.delay_delivery(row, at, CONTRACT, too_old=False),
        _later(too_old=False),
    ),
    Arrow(
        "delay_delivery, a day over",
        lambda row, at: model.delay_delivery(row, at, CONTRACT, too_old=True),
        _later(too_old=True),
    ),
    Arrow(
        "spoil",
        lambda row, at: model.spoil(row, at, CONTRACT),
        lambda led, job: led.jobs.spoil(job, FailureReason.CLIP_TOO_LARGE),
    ),
    Arrow(
        "delivered",
        lambda row, at: model.delivered(row, at, CONTRACT),
        lambda led, job: led.jobs.delivered(job),
    ),
    Arrow(
        "undeliverable",
        lambda row, at: model.undeliverable(row, at, CONTRACT),
        lambda led, job: led.jobs.undeliverable(job),
    ),
    Arrow(
        "expire_renders",
        lambda row, _: model.expire_renders(row),
        _expired(lambda led: led.jobs.expire_renders(), lease_until=_LONG_AGO),
        is_fenced=False,
    ),
    Arrow(
        "expire_deadlines",
        lambda row, _: model.expire_deadlines(row),
        _expired(lambda led: led.jobs.expire_deadlines(), created_at=0, claimed_at=0),
        is_fenced=False,
    ),
    Arrow(
        "expire_deliveries, too old",
        lambda row, _: model.expire_deliveries(row, too_old=True),
        _expired(lambda led: led.jobs.expire_deliveries(), lease_until=_LONG_AGO, ready_at=0),
        is_fenced=False,
    ),
)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite3'}"
    limits = replace(LIMITS, free_clips_per_day=10_000, max_open_jobs=10_000,
                     max_renders_per_day=10_000)  # fmt: skip
    async with open_ledger(url, LEASES, limits) as ledger:
        yield ledger


def _reachable() -> dict[Row, tuple[Arrow, ...]]:
    """Each row that the arrows make, and a shortest way to it; attempts make no difference."""
    ways: dict[Row, tuple[Arrow, ...]] = {model.accept(): ()}
    seen = {model.accept()}
    to_visit = deque(ways)
    while to_visit:
        row = to_visit.popleft()
        for arrow in ARROWS:
            after = arrow.in_model(row, row.attempt)
            if after is not None and after._replace(attempt=0) not in seen:
                seen.add(after._replace(attempt=0))
                ways[after] = (*ways[row], arrow)
                to_visit.append(after)
    return ways


async def _as_row(ledger: Ledger, job_id: str) -> tuple[Job, Row]:
    job = await ledger.jobs.get(job_id)
    assert job is not None
    async with ledger.db.reading() as conn:
        closing = select(entries.c.kind).where(
            entries.c.source == f"job:{job_id}", entries.c.kind.in_(("settle", "refund"))
        )
        kinds = list((await conn.execute(closing)).scalars())
    assert len(kinds) <= 1
    credit = {"settle": Closing.SETTLED, "refund": Closing.REFUNDED}
    answer = Answer.NOTHING
    if job.clip is not None:
        answer = Answer.CLIP
    elif job.failure is not None:
        answer = Answer.WORDS
    return job, Row(
        state=job.state,
        attempt=job.attempt,
        failures=job.failures,
        answer=answer,
        credit=credit[kinds[0]] if kinds else Closing.OPEN,
    )


async def _run_on(ledger: Ledger, job: Job) -> None:
    never = 2**50
    clocks = {"lease_until": never, "ready_at": never, "created_at": never, "claimed_at": never}
    await _set(**clocks)(ledger, job)


@pytest.mark.timeout(300)
async def test_every_arrow_does_the_same_from_every_row(ledger: Ledger) -> None:
    """And one that holds an older attempt changes nothing, on either side."""
    ways = _reachable()
    assert {row.state for row in ways} == set(JobState)
    tried = 0
    for number, (before_it, way) in enumerate(ways.items()):
        for arrow in ARROWS:
            moves = arrow.in_model(before_it, before_it.attempt) is not None
            for age in (0, 1) if arrow.is_fenced and moves else (0,):
                mine = f"{number}.{arrow.name}.{age}"
                made = order(engine=mine)
                made = replace(made, reply_to=replace(made.reply_to, bot=mine))
                job, _ = await ledger.jobs.accept(made)
                for step in way:
                    assert await step.in_ledger(ledger, job), step.name
                    job, _ = await _as_row(ledger, job.id)
                job, before = await _as_row(ledger, job.id)
                held = replace(job, attempt=job.attempt - age)

                expected = arrow.in_model(before, held.attempt)
                moved = await arrow.in_ledger(ledger, held)

                where = " → ".join([*(step.name for step in way), arrow.name])
                assert moved == (expected is not None), where
                assert (await _as_row(ledger, job.id))[1] == (expected or before), where
                # Nothing that the clock of a later turn could move.
                await _run_on(ledger, job)
                tried += 1
    assert tried > 200
    assert await ledger.people.discrepancies() == []
