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
                        SENDING → UNDELIVERABLE  (ready for longer than a day)      refund
      spoil             SENDING → READY(error)   (too large, or gone from the store) refund
      delivered         SENDING → DONE           settle, for a clip
      undeliverable     SENDING → UNDELIVERABLE  refund
      expire_renders    RENDERING → as fail      (the lease ran out)
      expire_deadlines  QUEUED, RENDERING → READY(error)  (for longer than an hour) refund
      expire_deliveries SENDING → as delay_delivery       (the lease ran out)
                        READY → UNDELIVERABLE    (no bot came for a week)           refund

An error was refunded when it became the answer; refunding again changes nothing. Where the guard
matches no row the race was lost, and nothing is done.
"""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, Update, func, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from vivant.clips import (
    Clip,
    ClipSettings,
    FailureReason,
    JobState,
    MediaRef,
    RefusalReason,
    ReplyTo,
)
from vivant.director.plan import Plan
from vivant.errors import Refused
from vivant.jobs import ANY_ENGINE, Job, Limits, Order
from vivant.ledger import credit
from vivant.ledger.admission import admit
from vivant.ledger.database import Database, insert
from vivant.ledger.rows import (
    columns_of,
    from_json,
    job_of,
    keys_in,
    media_in,
    readable,
    to_json,
)
from vivant.ledger.schema import clock, entries, jobs, virtual_time

#: The third failure is final.
MAX_FAILURES: Final = 3
_DAY_MS: Final = 86_400_000
#: As `_media_in` reads them.
_MEDIA: Final = (jobs.c.clip, jobs.c.photo, jobs.c.source_clip, jobs.c.last_photo)
_OPEN: Final = (JobState.QUEUED, JobState.RENDERING)
#: Room in the fair queue: a paid job waits half as long behind its sender's last one as a free one.
_ROOM: Final[dict[credit.Purse, float]] = {"free": 1.0, "paid": 0.5}
#: The fair order; first come, first served among equals.
FAIREST: Final = (jobs.c.virtual_start, jobs.c.created_at, jobs.c.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leases:
    """How long each hold lasts, in seconds; tests shrink them."""

    lease_s: float = 30
    #: A job that waits longer for an engine, or is rendered for longer, is refunded.
    deadline_s: float = 3600
    #: An answer that could not be sent for longer is given up.
    delivery_s: float = 86_400
    #: An answer that its bot did not even come for is given up after this.
    abandoned_s: float = 7 * 86_400


@dataclass(frozen=True, slots=True)
class _Hold:
    """What the fence needs of a job."""

    id: str
    attempt: int
    failures: int


@dataclass(frozen=True, slots=True)
class Jobs:
    """The jobs of one ledger."""

    db: Database
    leases: Leases
    limits: Limits

    # ---- the way in

    async def accept(self, order: Order) -> tuple[Job, bool]:
        """∅ → QUEUED, with its credit reserved; the job, and whether it is new.

        The event that was accepted before gives its job again. Raises `Refused`: NOT_ALLOWED,
        DRAINING, TOO_MANY_OPEN, TOO_MANY_TODAY, NO_CREDIT.
        """
        async with self.db.writing() as conn:
            # Locks the sender's row, so that two messages at once cannot take the last clip.
            account = await credit.open_account(
                conn, order.owner, free_per_day=self.limits.free_clips_per_day
            )
            known = (await conn.execute(select(jobs).where(jobs.c.key == order.key))).one_or_none()
            if known is not None:
                return job_of(known), False
            await admit(conn, order.owner)
            now = await self._check_limits(conn, account)
            purse = credit.purse_for(account, cost=order.work.cost)
            start = max(now, account.virtual_finish)
            finish = start + _ROOM[purse]
            job_id = secrets.token_hex(8)
            await credit.reserve(
                conn, account, purse, job_id, cost=order.work.cost, virtual_finish=finish
            )
            queued = insert(conn, jobs).values(
                id=job_id,
                state=JobState.QUEUED,
                virtual_start=start,
                virtual_finish=finish,
                created_at=clock(),
                **columns_of(order),
            )
            return job_of((await conn.execute(queued.returning(jobs))).one()), True

    async def _check_limits(self, conn: AsyncConnection, account: credit.Account) -> float:
        """Raises `Refused` over a limit; the fair queue's virtual time."""
        owner, midnight = account.owner, account.day * _DAY_MS
        mine = select(func.count()).where(jobs.c.owner == owner, jobs.c.state.in_(_OPEN))
        # By the entries, which outlive the jobs: being forgotten gives no new renders.
        today = select(func.count()).where(
            entries.c.owner == owner, entries.c.kind == "reserve", entries.c.at >= midnight
        )
        asked = select(
            mine.scalar_subquery().label("open"),
            today.scalar_subquery().label("today"),
            func.coalesce(select(virtual_time.c.value).scalar_subquery(), 0.0).label("now"),
        )
        count = (await conn.execute(asked)).one()
        if count.open >= self.limits.max_open_jobs:
            raise Refused(RefusalReason.TOO_MANY_OPEN, limit=self.limits.max_open_jobs)
        if count.today >= self.limits.max_renders_per_day:
            raise Refused(RefusalReason.TOO_MANY_TODAY, limit=self.limits.max_renders_per_day)
        return float(count.now)

    # ---- the engine's side

    async def claim(self, worker: str, engines: Collection[str]) -> Job | None:
        """QUEUED → RENDERING of the fairest job that one of *engines* can do."""
        fairest = (
            select(jobs.c.id)
            .where(jobs.c.state == JobState.QUEUED, jobs.c.engine.in_([*engines, ANY_ENGINE]))
            .order_by(*FAIREST)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        async with self.db.writing() as conn:
            claimed = await _first(
                conn,
                fairest,
                state=JobState.RENDERING,
                attempt=jobs.c.attempt + 1,
                worker=worker,
                claimed_at=clock(),
                lease_until=self._lease_end(),
            )
            if claimed is None:
                return None
            # Only forward: a job that was handed back is older than what was claimed since.
            now = insert(conn, virtual_time).values(id=1, value=claimed.virtual_start)
            await conn.execute(
                now.on_conflict_do_update(
                    index_elements=["id"],
                    set_={"value": claimed.virtual_start},
                    where=virtual_time.c.value < claimed.virtual_start,
                )
            )
        # Read when it is claimed: a row that cannot be read costs leases, and not the whole queue.
        return job_of(claimed)

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
            if transient:
                return await self._try_again(conn, job, held, reason)
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

    async def reword(self, job_id: str, plan: Plan) -> bool:
        """Other words for a job that no engine has; False: it is too late for them."""
        queued = update(jobs).where(jobs.c.id == job_id, jobs.c.state == JobState.QUEUED)
        async with self.db.writing() as conn:
            return await _moved(conn, queued.values(plan=to_json(plan)))

    # ---- the bot's side

    async def claim_delivery(self, platform: str, bot: str) -> Job | None:
        """READY → SENDING of the answer that waited longest for this bot."""
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
        async with self.db.writing() as conn:
            claimed = await _first(
                conn,
                oldest,
                state=JobState.SENDING,
                attempt=jobs.c.attempt + 1,
                lease_until=self._lease_end(),
            )
        return None if claimed is None else job_of(claimed)

    async def renew_delivery(self, job: Job) -> bool:
        """Renew the lease of a send that takes long (a large upload)."""
        async with self.db.writing() as conn:
            return await _moved(
                conn, _held(job, JobState.SENDING).values(lease_until=self._lease_end())
            )

    async def delay_delivery(self, job: Job, after_s: float) -> bool:
        """SENDING → READY, to be tried again; given up once it is too old."""
        async with self.db.writing() as conn:
            return await self._send_later(conn, job, _held(job, JobState.SENDING), after_s)

    async def spoil(self, job: Job, reason: FailureReason) -> bool:
        """SENDING → READY(error): there is a clip, but it cannot be shown; refunded."""
        async with self.db.writing() as conn:
            held = _held(job, JobState.SENDING)
            return await self._end_in_words(conn, job.id, held.values(clip=None), reason)

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
            return await self._give_up(conn, job.id, _held(job, JobState.SENDING))

    async def remember_status(self, job_id: str, message_id: str) -> str | None:
        """Keep the id of the bot's own message, which becomes the clip; the one that is kept.

        The first one stays: it may be the clip by now, and a second one would become a second.
        None once the job is purged.
        """
        first = func.coalesce(jobs.c.status_message, message_id)
        kept = (
            update(jobs)
            .where(jobs.c.id == job_id, jobs.c.purged_at.is_(None))
            .values(status_message=first)
            .returning(jobs.c.status_message)
        )
        async with self.db.writing() as conn:
            row = (await conn.execute(kept)).one_or_none()
            return None if row is None else str(row.status_message)

    async def remember_line(self, job: Job, message_id: str) -> bool:
        """Count a short line that was sent, and keep its id; False: the job is another's by now."""
        line = _held(job, JobState.SENDING).values(lines=job.lines + 1, line_message=message_id)
        async with self.db.writing() as conn:
            return await _moved(conn, line)

    # ---- what crashes leave; each job in a transaction of its own

    async def expire_renders(self) -> int:
        """RENDERING whose lease ran out → QUEUED, or READY(error) at the third; how many."""
        silent = jobs.c.lease_until < clock()
        lost = 0
        for job in await self._all(jobs.c.state == JobState.RENDERING, silent):
            async with self.db.writing() as conn:
                held = _held(job, JobState.RENDERING).where(silent)
                lost += await self._try_again(conn, job, held, FailureReason.RENDER_FAILED)
        return lost

    async def expire_deadlines(self) -> int:
        """QUEUED or RENDERING for longer than the deadline → READY(too late), refunded."""
        deadline = clock() - int(self.leases.deadline_s * 1000)
        too_late = ((jobs.c.state == JobState.QUEUED) & (jobs.c.created_at < deadline)) | (
            (jobs.c.state == JobState.RENDERING) & (jobs.c.claimed_at < deadline)
        )
        late = 0
        for job in await self._all(jobs.c.state.in_(_OPEN), too_late):
            async with self.db.writing() as conn:
                held = update(jobs).where(jobs.c.id == job.id, too_late)
                late += await self._end_in_words(conn, job.id, held, FailureReason.TOO_LATE)
        return late

    async def expire_deliveries(self) -> int:
        """SENDING whose lease ran out → READY: the send is repeated, and repeating is harmless.

        And READY → UNDELIVERABLE where no bot came for too long.
        """
        silent = jobs.c.lease_until < clock()
        unsent = 0
        for job in await self._all(jobs.c.state == JobState.SENDING, silent):
            async with self.db.writing() as conn:
                held = _held(job, JobState.SENDING).where(silent)
                unsent += await self._send_later(conn, job, held, 0)
        abandoned = jobs.c.ready_at < clock() - int(self.leases.abandoned_s * 1000)
        for job in await self._all(jobs.c.state == JobState.READY, abandoned):
            async with self.db.writing() as conn:
                held = _held(job, JobState.READY).where(abandoned)
                unsent += await self._give_up(conn, job.id, held)
        return unsent

    async def _all(self, *where: ColumnElement[bool]) -> list[_Hold]:
        async with self.db.reading() as conn:
            found = select(jobs.c.id, jobs.c.attempt, jobs.c.failures).where(*where)
            return [_Hold(*row) for row in await conn.execute(found)]

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
        self,
        *,
        owner: str | None = None,
        platform: str | None = None,
        bot: str | None = None,
        limit: int | None = None,
    ) -> list[Job]:
        """Jobs that have no answer yet, the fairest first; of one sender, or of one bot."""
        query = select(jobs).where(jobs.c.state.in_(_OPEN))
        if owner is not None:
            query = query.where(jobs.c.owner == owner)
        if platform is not None:
            query = query.where(jobs.c.platform == platform, jobs.c.bot == bot)
        async with self.db.reading() as conn:
            rows = await conn.execute(query.order_by(*FAIREST).limit(limit))
            return list(readable(rows, job_of).values())

    async def latest(self, owner: str, limit: int) -> list[Job]:
        """What one sender asked for, the newest first, ended or not."""
        query = select(jobs).where(jobs.c.owner == owner).order_by(jobs.c.created_at.desc())
        async with self.db.reading() as conn:
            rows = await conn.execute(query.limit(limit))
            return list(readable(rows, job_of).values())

    async def places(self, platform: str, bot: str, *, limit: int) -> list[ReplyTo]:
        """Where somebody asked that bot and is not forgotten yet: each chat once, latest first."""
        async with self.db.reading() as conn:
            rows = await conn.execute(
                select(func.max(jobs.c.reply_to).label("reply_to"))
                .where(jobs.c.platform == platform, jobs.c.bot == bot, jobs.c.reply_to.is_not(None))
                .group_by(jobs.c.chat)
                .order_by(func.max(jobs.c.created_at).desc())
                .limit(limit)
            )
            return [from_json(row.reply_to, ReplyTo) for row in rows]

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

    async def counts(self) -> dict[JobState, int]:
        """How many jobs are in each state, of those whose words are not yet forgotten."""
        async with self.db.reading() as conn:
            counted = (
                select(jobs.c.state, func.count())
                .where(jobs.c.purged_at.is_(None))
                .group_by(jobs.c.state)
            )
            return {JobState(state): count for state, count in await conn.execute(counted)}

    # ---- the operator's side

    async def repay(self, job_id: str) -> bool:
        """Give a clip that was settled back after all, once; False when there is none to give."""
        async with self.db.writing() as conn:
            return await credit.repay(conn, job_id)

    # ---- the purge

    async def forgettable(self, keep_s: float) -> list[tuple[str, list[MediaRef]]]:
        """Jobs that ended longer than *keep_s* seconds ago and still hold words; (id, media) each.

        A sender who asked to be forgotten is not kept waiting. Media that cannot be read is left
        out: once its row is purged, nobody holds it, and the sweep finds it.
        """
        ended = jobs.c.ended_at.is_not(None)
        due = jobs.c.ended_at <= clock() - int(keep_s * 1000)
        found: Select[Any] = (
            select(jobs.c.id, *_MEDIA)
            .where(jobs.c.purged_at.is_(None), ended, due | jobs.c.owner.is_(None))
            .order_by(jobs.c.ended_at)
            .limit(500)
        )
        async with self.db.reading() as conn:
            rows = (await conn.execute(found)).all()
        media = readable(rows, _media_in)
        return [(row.id, media.get(row.id, [])) for row in rows]

    async def media_keys(self) -> set[str]:
        """Keys of all photos and clips that some job still holds.

        Raises `RowUnreadable` rather than let what such a row holds count as nobody's.
        """
        held: Select[Any] = select(jobs.c.id, *_MEDIA).where(jobs.c.purged_at.is_(None))
        async with self.db.reading() as conn:
            rows = (await conn.execute(held)).all()
        return keys_in(rows, _media_in)

    async def purge(self, job_id: str) -> None:
        """Words, photo, clip and platform ids go; the row stays with its key."""
        gone: dict[str, Any] = dict.fromkeys(
            ("owner", "chat", "reply_to", "plan", "photo", "sight", "source_clip",
             "last_photo", "clip", "status_message", "line_message")
        )  # fmt: skip
        async with self.db.writing() as conn:
            await conn.execute(
                update(jobs)
                .where(jobs.c.id == job_id, jobs.c.ended_at.is_not(None))
                .values(**gone, purged_at=clock())
            )

    async def orphan(self, job_id: str) -> None:
        """Cut the tie between a job and its owner: it is purged as soon as it has ended."""
        async with self.db.writing() as conn:
            await conn.execute(update(jobs).where(jobs.c.id == job_id).values(owner=None))

    async def disown(self, owner: str) -> list[tuple[str, list[MediaRef]]]:
        """Cut the tie between *owner* and all jobs; an answer on its way is purged once it ends.

        Those that have ended, as `forgettable` tells of them.
        """
        theirs = (
            update(jobs)
            .where(jobs.c.owner == owner)
            .values(owner=None)
            .returning(jobs.c.id, jobs.c.ended_at, *_MEDIA)
        )
        async with self.db.writing() as conn:
            rows = [row for row in await conn.execute(theirs) if row.ended_at is not None]
        media = readable(rows, _media_in)
        return [(row.id, media.get(row.id, [])) for row in rows]

    # ---- steps that several arrows share

    def _lease_end(self) -> Any:
        return clock() + int(self.leases.lease_s * 1000)

    async def _try_again(
        self, conn: AsyncConnection, job: Job | _Hold, held: Update, reason: FailureReason
    ) -> bool:
        if job.failures + 1 < MAX_FAILURES:
            return await _moved(conn, held.values(**_requeued(failures=job.failures + 1)))
        return await self._end_in_words(conn, job.id, held, reason)

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

    async def _send_later(
        self, conn: AsyncConnection, job: Job | _Hold, held: Update, after_s: float
    ) -> bool:
        young = jobs.c.ready_at > clock() - int(self.leases.delivery_s * 1000)
        later = held.where(young).values(
            state=JobState.READY,
            lease_until=None,
            not_before=clock() + int(after_s * 1000),
            delivery_tries=jobs.c.delivery_tries + 1,
        )
        return await _moved(conn, later) or await self._give_up(conn, job.id, held)

    async def _give_up(self, conn: AsyncConnection, job_id: str, held: Update) -> bool:
        ended = held.values(state=JobState.UNDELIVERABLE, lease_until=None, ended_at=clock())
        if not await _moved(conn, ended):
            return False
        await credit.refund(conn, job_id)
        return True


def media_of(what: Job | Order) -> list[MediaRef]:
    """Everything the store keeps for it."""
    refs = [what.photo, what.source_clip, what.last_photo]
    if isinstance(what, Job) and what.clip is not None:
        refs += [what.clip.video, what.clip.thumbnail]
    return [ref for ref in refs if ref is not None]


def _media_in(row: Row[Any]) -> list[MediaRef]:
    return media_in(row.clip, row.photo, row.source_clip, row.last_photo)


def _held(job: Job | _Hold, state: JobState) -> Update:
    """The fence: this very attempt, in the state that it was read in."""
    return update(jobs).where(
        jobs.c.id == job.id, jobs.c.state == state, jobs.c.attempt == job.attempt
    )


def _requeued(**changes: Any) -> dict[str, Any]:
    return {"state": JobState.QUEUED, "lease_until": None, "worker": None, **changes}


async def _moved(conn: AsyncConnection, step: Update) -> bool:
    return (await conn.execute(step)).rowcount == 1


async def _first(
    conn: AsyncConnection, found: Select[tuple[str]], **values: Any
) -> Row[Any] | None:
    """Change the one row that *found* finds, in one statement; the row, changed."""
    chosen = found.correlate(None).scalar_subquery()
    changed = update(jobs).where(jobs.c.id == chosen).values(**values).returning(jobs)
    row: Row[Any] | None = (await conn.execute(changed)).one_or_none()
    return row
