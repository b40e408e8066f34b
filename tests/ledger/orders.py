"""Orders, clips and senders for the tests of the ledger, and clocks that are moved by hand."""

import itertools
from dataclasses import replace
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.engine import Row

from vivant.clips import Clip, ClipSettings, EngineProfile, MediaRef, ReplyTo, Wish
from vivant.director.plan import Action, Beat, Plan
from vivant.jobs import Job, Limits, Order
from vivant.ledger import Leases, Ledger
from vivant.ledger.schema import accounts, entries, jobs

LEASES = Leases(lease_s=30, deadline_s=3600)
LIMITS = Limits(
    free_clips_per_day=10, max_open_jobs=100, max_renders_per_day=100, max_requests_per_minute=5
)
ANN = "telegram:1"
BOB = "telegram:2"
PUPPET = EngineProfile(name="puppet", frame_rate=24, default_num_frames=84, max_num_frames=240)

_numbers = itertools.count()


def media(kind: str = "image/png") -> MediaRef:
    return MediaRef(key=f"m{next(_numbers)}", media_type=kind, size_bytes=1)


def order(owner: str = ANN, **changes: Any) -> Order:
    """An order that nobody made before."""
    number = next(_numbers)
    made = Order(
        key=f"key-{number}",
        owner=owner,
        reply_to=ReplyTo(
            platform="telegram", bot="7", chat_id=f"chat of {owner}", message_id=str(number)
        ),
        language="en",
        plan=Plan(words="group hug", beats=(Beat(action=Action.HUG),)),
        photo=media(),
        photo_width=640,
        photo_height=480,
        sight=None,
        wish=Wish(seed=1),
        settings=ClipSettings(width=640, height=480, num_frames=84, frame_rate=24),
        engine="puppet",
        limit_bytes=50_000_000,
    )
    return replace(made, **changes)


def clip() -> Clip:
    return Clip(
        video=media("video/mp4"),
        width=640,
        height=480,
        duration_s=3.5,
        has_sound=False,
        thumbnail=media("image/jpeg"),
    )


async def accepted(ledger: Ledger, owner: str = ANN, **changes: Any) -> Job:
    job, is_new = await ledger.jobs.accept(order(owner, **changes))
    assert is_new
    return job


async def claimed(ledger: Ledger, worker: str = "w1") -> Job:
    job = await ledger.jobs.claim(worker, ["puppet"])
    assert job is not None
    return job


async def rendered(ledger: Ledger, owner: str = ANN) -> Job:
    """A job with a clip that waits for its bot."""
    await accepted(ledger, owner)
    job = await claimed(ledger)
    assert await ledger.jobs.finish(job, clip(), {"render": 1.5})
    return await now(ledger, job)


async def sending(ledger: Ledger) -> Job:
    job = await ledger.jobs.claim_delivery("telegram", "7")
    assert job is not None
    return job


async def delivered(ledger: Ledger, owner: str = ANN) -> Job:
    """A job that is done: clip shown, credit settled."""
    await rendered(ledger, owner)
    job = await sending(ledger)
    assert await ledger.jobs.delivered(job)
    return await now(ledger, job)


async def now(ledger: Ledger, job: Job) -> Job:
    found = await ledger.jobs.get(job.id)
    assert found is not None
    return found


async def rows(ledger: Ledger, table: Table) -> list[Row[Any]]:
    async with ledger.db.reading() as conn:
        return list((await conn.execute(select(table))).all())


async def kinds(ledger: Ledger, job: Job) -> list[str]:
    """What was entered for one job, in order."""
    async with ledger.db.reading() as conn:
        found = select(entries.c.kind).where(entries.c.source == f"job:{job.id}")
        return list((await conn.execute(found.order_by(entries.c.id))).scalars())


async def pass_time(ledger: Ledger, seconds: float) -> None:
    """Move every time of every job into the past: the database's clock itself cannot be moved."""
    past = int(seconds * 1000)
    times = ("created_at", "claimed_at", "ready_at", "ended_at", "lease_until", "not_before")
    async with ledger.db.writing() as conn:
        await conn.execute(update(jobs).values({name: jobs.c[name] - past for name in times}))


async def pass_midnight(ledger: Ledger) -> None:
    """Make today's accounts and renewals yesterday's."""
    async with ledger.db.writing() as conn:
        await conn.execute(update(accounts).values(day=accounts.c.day - 1))
        renewals = select(entries.c.id, entries.c.source).where(entries.c.kind == "renew")
        for row in (await conn.execute(renewals)).all():
            _, day, owner = row.source.split(":", 2)
            source = f"day:{int(day) - 1}:{owner}"
            await conn.execute(update(entries).where(entries.c.id == row.id).values(source=source))
        await conn.execute(update(entries).values(at=entries.c.at - 86_400_000))
