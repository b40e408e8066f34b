"""Every transition of a job, each one transaction guarded by its state and attempt.

      accept            ∅ → QUEUED               reserve
      claim             QUEUED → RENDERING       attempt + 1, lease
      beat              RENDERING → RENDERING    lease renewed
      hand_back         RENDERING → QUEUED       (a drain; failures unchanged)
      fail              RENDERING → QUEUED       (transient, failures + 1 < 3)
                        RENDERING → READY(error) (permanent, or the third failure)  refund
      finish            RENDERING → READY(clip)
      cancel            QUEUED, RENDERING → READY(error)                            refund
      claim_delivery    READY → SENDING          attempt + 1, lease
      delay_delivery    SENDING → READY          later
      spoil             SENDING → READY(error)   (too large, or gone from the store) refund
      delivered         SENDING → DONE           settle, for a clip
      undeliverable     SENDING → UNDELIVERABLE  refund
      expire_*          what a crash left: the same arrows, taken by upkeep

Where the guard matches no row the race was lost, and nothing is done.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Update, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vivant.clips import Clip, ClipSettings, FailureReason, JobState, MediaRef, RefusalReason
from vivant.errors import Refused
from vivant.jobs import ANY_ENGINE, Job, Limits, Order
from vivant.ledger import credit
from vivant.ledger.database import Database, insert
from vivant.ledger.rows import columns_of, job_of, to_json
from vivant.ledger.schema import clock, jobs, virtual_time

#: The third failure is final.
MAX_FAILURES: Final = 3
_DAY_MS: Final = 86_400_000
_OPEN: Final = (JobState.QUEUED, JobState.RENDERING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leases:
    """How long each hold lasts, in seconds; tests shrink them."""

    lease_s: float = 30
    #: A job that waited longer for an engine is refunded.
    deadline_s: float = 3600
    #: An answer that could not be sent for longer is given up.
    delivery_s: float = 86_400


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs of one ledger."""

    db: Database
    leases: Leases
    limits: Limits

    # ---- the way in

    async def accept(self, order: Order) -> tuple[Job, bool]:
        """∅ → QUEUED, with one credit reserved; the job, and whether it is new.

        The event that was accepted before gives its job again. Raises `Refused`: NO_CREDIT,
        TOO_MANY_OPEN, TOO_MANY_TODAY.
        """
        async with self.db.writing() as conn:
            # Locks the sender's row, so that two messages at once cannot take the last clip.
            account = await credit.open_account(
                conn, order.owner, free_per_day=self.limits.free_clips_per_day
            )
            known = (await conn.execute(select(jobs).where(jobs.c.key == order.key))).one_or_none()
            if known is not None:
                return job_of(known), False
            await self._check_limits(conn, order.owner)
            job_id = secrets.token_hex(8)
            await credit.reserve(conn, account, job_id, cost=order.work.cost)
            now = (await conn.execute(select(virtual_time.c.value))).scalar_one_or_none() or 0.0
            start = max(now, account.virtual_finish)
            # Paid clips wait half as long behind each other as free ones.
            finish = start + (1.0 if account.free else 0.5)
            await credit.advance(conn, order.owner, finish)
            await conn.execute(
                insert(conn, jobs).values(
                    id=job_id,
                    state=JobState.QUEUED,
                    virtual_start=start,
                    virtual_finish=finish,
                    created_at=clock(),
                    **columns_of(order),
                )
            )
            return await _read(conn, job_id), True

    async def _check_limits(self, conn: AsyncConnection, owner: str) -> None:
        mine = select(func.count()).select_from(jobs).where(jobs.c.owner == owner)
        waiting = (await conn.execute(mine.where(jobs.c.state.in_(_OPEN)))).scalar_one()
        if waiting >= self.limits.max_open_jobs:
            raise Refused(RefusalReason.TOO_MANY_OPEN, limit=self.limits.max_open_jobs)
        midnight = clock() // _DAY_MS * _DAY_MS
        today = (await conn.execute(mine.where(jobs.c.created_at >= midnight))).scalar_one()
        if today >= self.limits.max_renders_per_day:
            raise Refused(RefusalReason.TOO_MANY_TODAY, limit=self.limits.max_renders_per_day)

    # ---- the engine's side

    async def claim(self, worker: str, engines: Collection[str]) -> Job | None:
        """QUEUED → RENDERING of the fairest job that one of *engines* can do."""
        async with self.db.writing() as conn:
            fairest = (
                select(jobs.c.id, jobs.c.virtual_start)
                .where(
                    jobs.c.state == JobState.QUEUED,
                    jobs.c.engine.in_([*engines, ANY_ENGINE]),
                )
                .order_by(jobs.c.virtual_start, jobs.c.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            found = (await conn.execute(fairest)).one_or_none()
            if found is None:
                return None
            await conn.execute(
                update(jobs)
                .where(jobs.c.id == found.id)
                .values(
                    state=JobState.RENDERING,
                    attempt=jobs.c.attempt + 1,
                    worker=worker,
                    claimed_at=clock(),
                    lease_until=self._lease_end(),
                )
            )
            # Only forward: a job that was handed back is older than what was claimed since.
            now = insert(conn, virtual_time).values(id=1, value=found.virtual_start)
            await conn.execute(
                now.on_conflict_do_update(
                    index_elements=["id"],
                    set_={"value": found.virtual_start},
                    where=virtual_time.c.value < found.virtual_start,
                )
            )
            return await _read(conn, found.id)

    async def snapped(self, job: Job, settings: ClipSettings, engine: str) -> None:
        """Note what a job that was accepted for any engine is really made with."""
        async with self.db.writing() as conn:
            await conn.execute(
                _held(job, JobState.RENDERING).values(settings=to_json(settings), engine=engine)
            )

    async def beat(self, job: Job) -> bool:
        """Renew the lease; False: the job is lost or cancelled, stop the render."""
        async with self.db.writing() as conn:
            return await _moved(
                conn, _held(job, JobState.RENDERING).values(lease_until=self._lease_end())
            )

    async def finish(self, job: Job, clip: Clip, stages: dict[str, float]) -> bool:
        """RENDERING → READY(clip); the clip is stored already."""
        async with self.db.writing() as conn:
            return await _moved(
                conn,
                _held(job, JobState.RENDERING).values(
                    state=JobState.READY,
                    clip=to_json(clip),
                    ready_at=clock(),
                    lease_until=None,
                    render_ms=clock() - jobs.c.claimed_at,
                    stages=to_json(stages),
                ),
            )

    async def fail(self, job: Job, reason: FailureReason, *, transient: bool) -> bool:
        """RENDERING → QUEUED while a further try may help, else READY(error) with a refund."""
        async with self.db.writing() as conn:
            held = _held(job, JobState.RENDERING)
            if transient and job.failures + 1 < MAX_FAILURES:
                return await _moved(conn, held.values(**_requeued(failures=job.failures + 1)))
            return await self._end_in_words(conn, job.id, held, reason)

    async def hand_back(self, job: Job) -> bool:
        """RENDERING → QUEUED because this worker stops; not a failure."""
        async with self.db.writing() as conn:
            return await _moved(conn, _held(job, JobState.RENDERING).values(**_requeued()))

    # ---- the sender's side

    async def cancel(self, job_id: str) -> bool:
        """QUEUED, RENDERING → READY(cancelled), refunded; False when it is too late.

        Who may is the caller's question.
        """
        async with self.db.writing() as conn:
            waiting = update(jobs).where(jobs.c.id == job_id, jobs.c.state.in_(_OPEN))
            return await self._end_in_words(conn, job_id, waiting, FailureReason.CANCELLED)

    # ---- the bot's side

    async def claim_delivery(self, platform: str, bot: str) -> Job | None:
        """READY → SENDING of the answer that waited longest for this bot."""
        async with self.db.writing() as conn:
            oldest = (
                select(jobs.c.id)
                .where(
                    jobs.c.platform == platform,
                    jobs.c.bot == bot,
                    jobs.c.state == JobState.READY,
                    jobs.c.not_before <= clock(),
                )
                .order_by(jobs.c.ready_at, jobs.c.id)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            job_id = (await conn.execute(oldest)).scalar_one_or_none()
            if job_id is None:
                return None
            await conn.execute(
                update(jobs)
                .where(jobs.c.id == job_id)
                .values(
                    state=JobState.SENDING,
                    attempt=jobs.c.attempt + 1,
                    lease_until=self._lease_end(),
                )
            )
            return await _read(conn, job_id)

    async def renew_delivery(self, job: Job) -> bool:
        """Renew the lease of a send that takes long (a large upload)."""
        async with self.db.writing() as conn:
            return await _moved(
                conn, _held(job, JobState.SENDING).values(lease_until=self._lease_end())
            )

    async def delay_delivery(self, job: Job, after_s: float) -> bool:
        """SENDING → READY, to be tried again; given up once it is too old."""
        async with self.db.writing() as conn:
            again = _held(job, JobState.SENDING).where(
                clock() - jobs.c.ready_at < int(self.leases.delivery_s * 1000)
            )
            if await _moved(
                conn,
                again.values(
                    state=JobState.READY,
                    lease_until=None,
                    not_before=clock() + int(after_s * 1000),
                    delivery_tries=jobs.c.delivery_tries + 1,
                ),
            ):
                return True
            return await self._give_up(conn, job)

    async def spoil(self, job: Job, reason: FailureReason) -> bool:
        """SENDING → READY(error): there is a clip, but it cannot be shown; refunded."""
        async with self.db.writing() as conn:
            held = _held(job, JobState.SENDING)
            if job.clip is None:
                return await _moved(conn, held.values(state=JobState.READY, lease_until=None))
            without_clip = held.values(
                state=JobState.READY, clip=None, failure=reason, lease_until=None
            )
            if not await _moved(conn, without_clip):
                return False
            await credit.refund(conn, job.id)
            return True

    async def delivered(self, job: Job) -> bool:
        """SENDING → DONE: the platform confirmed. A clip is counted for good now."""
        async with self.db.writing() as conn:
            ended = _held(job, JobState.SENDING).values(
                state=JobState.DONE, lease_until=None, ended_at=clock()
            )
            if not await _moved(conn, ended):
                return False
            if job.clip is not None:
                await credit.settle(conn, job.id)
            return True

    async def undeliverable(self, job: Job) -> bool:
        """SENDING → UNDELIVERABLE: it will never be taken; refunded."""
        async with self.db.writing() as conn:
            return await self._give_up(conn, job)

    async def remember_status(self, job_id: str, message_id: str) -> None:
        """Keep the id of the bot's own message, which becomes the clip."""
        async with self.db.writing() as conn:
            await conn.execute(
                update(jobs).where(jobs.c.id == job_id).values(status_message=message_id)
            )

    async def next_line(self, job: Job) -> int:
        """Count one more short line before it is sent; its number is part of its nonce."""
        async with self.db.writing() as conn:
            await conn.execute(_held(job, JobState.SENDING).values(lines=job.lines + 1))
            return job.lines + 1

    async def remember_line(self, job: Job, message_id: str | None) -> None:
        """Keep the id of the short line, or forget it when it is gone from the chat."""
        async with self.db.writing() as conn:
            await conn.execute(_held(job, JobState.SENDING).values(line_message=message_id))

    # ---- what crashes leave

    async def expire_renders(self) -> int:
        """RENDERING whose lease ran out → QUEUED, or READY(error) at the third; how many."""
        return await self._expire(JobState.RENDERING)

    async def expire_deliveries(self) -> int:
        """SENDING whose lease ran out → READY: the send is repeated, and repeating is harmless."""
        return await self._expire(JobState.SENDING)

    async def expire_deadlines(self) -> int:
        """QUEUED for longer than the deadline → READY(too late), refunded; how many."""
        async with self.db.writing() as conn:
            late = (
                select(jobs.c.id)
                .where(
                    jobs.c.state == JobState.QUEUED,
                    jobs.c.created_at < clock() - int(self.leases.deadline_s * 1000),
                )
                .with_for_update(skip_locked=True)
            )
            late_ids = (await conn.execute(late)).scalars().all()
            for job_id in late_ids:
                waiting = update(jobs).where(jobs.c.id == job_id, jobs.c.state == JobState.QUEUED)
                await self._end_in_words(conn, job_id, waiting, FailureReason.TOO_LATE)
            return len(late_ids)

    async def _expire(self, state: JobState) -> int:
        async with self.db.writing() as conn:
            lost = (
                select(jobs)
                .where(jobs.c.state == state, jobs.c.lease_until < clock())
                .with_for_update(skip_locked=True)
            )
            expired = [job_of(row) for row in await conn.execute(lost)]
            for job in expired:
                held = _held(job, state)
                if state is JobState.SENDING:
                    await conn.execute(held.values(state=JobState.READY, lease_until=None))
                elif job.failures + 1 < MAX_FAILURES:
                    await conn.execute(held.values(**_requeued(failures=job.failures + 1)))
                else:
                    await self._end_in_words(conn, job.id, held, FailureReason.RENDER_FAILED)
            return len(expired)

    # ---- looking

    async def get(self, job_id: str) -> Job | None:
        """One job."""
        async with self.db.reading() as conn:
            row = (await conn.execute(select(jobs).where(jobs.c.id == job_id))).one_or_none()
            return None if row is None else job_of(row)

    async def find(self, key: str) -> Job | None:
        """The job of one asking event."""
        async with self.db.reading() as conn:
            row = (await conn.execute(select(jobs).where(jobs.c.key == key))).one_or_none()
            return None if row is None else job_of(row)

    async def open_jobs(
        self, *, owner: str | None = None, platform: str | None = None, bot: str | None = None
    ) -> list[Job]:
        """Jobs that have no answer yet, the fairest first; of one sender, or of one bot."""
        query = select(jobs).where(jobs.c.state.in_(_OPEN))
        if owner is not None:
            query = query.where(jobs.c.owner == owner)
        if platform is not None:
            query = query.where(jobs.c.platform == platform, jobs.c.bot == bot)
        async with self.db.reading() as conn:
            rows = await conn.execute(query.order_by(jobs.c.virtual_start, jobs.c.id))
            return [job_of(row) for row in rows]

    async def bots_with_answers(self) -> list[tuple[str, str]]:
        """(platform, bot) of every answer that waits to be sent now."""
        async with self.db.reading() as conn:
            rows = await conn.execute(
                select(jobs.c.platform, jobs.c.bot)
                .where(jobs.c.state == JobState.READY, jobs.c.not_before <= clock())
                .distinct()
            )
            return [(row.platform, row.bot) for row in rows]

    async def waiting(self) -> int:
        """How many jobs wait for an engine."""
        async with self.db.reading() as conn:
            queued = select(func.count()).select_from(jobs).where(jobs.c.state == JobState.QUEUED)
            return (await conn.execute(queued)).scalar_one()

    # ---- the purge

    async def forgettable(self, keep_s: float) -> list[Job]:
        """Jobs that ended longer than *keep_s* seconds ago and still hold words and media."""
        async with self.db.reading() as conn:
            rows = await conn.execute(
                select(jobs)
                .where(
                    jobs.c.purged_at.is_(None),
                    jobs.c.ended_at <= clock() - int(keep_s * 1000),
                )
                .limit(500)
            )
            return [job_of(row) for row in rows]

    async def media_keys(self) -> set[str]:
        """Keys of all photos and clips that some job still holds."""
        async with self.db.reading() as conn:
            rows = await conn.execute(select(jobs).where(jobs.c.purged_at.is_(None)))
            held = [job_of(row) for row in rows]
        refs = [ref for job in held for ref in media_of(job)]
        return {ref.key for ref in refs}

    async def purge(self, job_id: str) -> None:
        """Words, photo, clip and platform ids go; the row stays with its key."""
        gone: dict[str, Any] = dict.fromkeys(
            ("owner", "chat", "reply_to", "plan", "photo", "sight", "source_clip", "clip",
             "status_message", "line_message")
        )  # fmt: skip
        async with self.db.writing() as conn:
            await conn.execute(
                update(jobs)
                .where(jobs.c.id == job_id, jobs.c.ended_at.is_not(None))
                .values(**gone, purged_at=clock())
            )

    # ---- steps that several arrows share

    def _lease_end(self) -> Any:
        return clock() + int(self.leases.lease_s * 1000)

    async def _end_in_words(
        self, conn: AsyncConnection, job_id: str, held: Update, reason: FailureReason
    ) -> bool:
        ended = held.values(
            state=JobState.READY, failure=reason, ready_at=clock(), lease_until=None
        )
        if not await _moved(conn, ended):
            return False
        await credit.refund(conn, job_id)
        return True

    async def _give_up(self, conn: AsyncConnection, job: Job) -> bool:
        ended = _held(job, JobState.SENDING).values(
            state=JobState.UNDELIVERABLE, lease_until=None, ended_at=clock()
        )
        if not await _moved(conn, ended):
            return False
        # An error was refunded when it became the answer.
        if job.clip is not None:
            await credit.refund(conn, job.id)
        return True


def media_of(job: Job) -> list[MediaRef]:
    """Everything the store keeps for *job*."""
    refs = [job.photo, job.source_clip]
    if job.clip is not None:
        refs += [job.clip.video, job.clip.thumbnail]
    return [ref for ref in refs if ref is not None]


def _held(job: Job, state: JobState) -> Update:
    """The fence: this very attempt, in the state that it was read in."""
    return update(jobs).where(
        jobs.c.id == job.id, jobs.c.state == state, jobs.c.attempt == job.attempt
    )


def _requeued(**changes: Any) -> dict[str, Any]:
    return {"state": JobState.QUEUED, "lease_until": None, "worker": None, **changes}


async def _moved(conn: AsyncConnection, step: Update) -> bool:
    return (await conn.execute(step)).rowcount == 1


async def _read(conn: AsyncConnection, job_id: str) -> Job:
    return job_of((await conn.execute(select(jobs).where(jobs.c.id == job_id))).one())
