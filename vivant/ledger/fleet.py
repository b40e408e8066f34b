"""Who is alive: engine workers and what they can make, and roles that one process holds."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, delete, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vivant.clips import EngineProfile, JobState
from vivant.jobs import ANY_ENGINE, Job, Place
from vivant.ledger.admission import DRAINING
from vivant.ledger.database import Database, insert
from vivant.ledger.jobs import FAIREST
from vivant.ledger.rows import profile_of, readable, to_json
from vivant.ledger.schema import clock, flags, jobs, leases, workers

#: Renders that the expected time is taken from.
_MEASURED: Final = 20
_DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Fleet:
    """The processes of one ledger."""

    db: Database
    #: A worker that was silent for longer counts as gone, in seconds.
    silent_s: float

    async def here(self, worker: str, profile: EngineProfile, *, slots: int) -> None:
        """Say that *worker* is alive, and what it can make."""
        values = {"engine": profile.name, "profile": to_json(profile), "slots": slots}
        async with self.db.writing() as conn:
            row = insert(conn, workers).values(id=worker, seen_at=clock(), **values)
            await conn.execute(
                row.on_conflict_do_update(
                    index_elements=["id"], set_={**values, "seen_at": clock()}
                )
            )

    async def gone(self, worker: str) -> None:
        """Say goodbye."""
        async with self.db.writing() as conn:
            await conn.execute(delete(workers).where(workers.c.id == worker))

    async def bury(self) -> None:
        """Drop workers that have been silent for a day, and roles that nobody held for as long."""
        async with self.db.writing() as conn:
            await conn.execute(delete(workers).where(workers.c.seen_at < clock() - _DAY_MS))
            await conn.execute(delete(leases).where(leases.c.until < clock() - _DAY_MS))

    async def drain(self, *, on: bool) -> None:
        """Take nothing new from anybody, or take it again; what is accepted is finished."""
        async with self.db.writing() as conn:
            if on:
                row = insert(conn, flags).values(name=DRAINING, at=clock())
                await conn.execute(row.on_conflict_do_nothing())
            else:
                await conn.execute(delete(flags).where(flags.c.name == DRAINING))

    async def is_draining(self) -> bool:
        """Whether nothing new is taken."""
        on = select(flags.c.name).where(flags.c.name == DRAINING)
        async with self.db.reading() as conn:
            return (await conn.execute(on)).scalar_one_or_none() is not None

    async def profiles(self) -> list[EngineProfile]:
        """What the workers that are alive can make, one profile an engine."""
        async with self.db.reading() as conn:
            rows = await conn.execute(
                select(workers)
                .where(workers.c.seen_at > clock() - int(self.silent_s * 1000))
                .order_by(workers.c.engine, workers.c.id)
            )
            found = readable(rows, lambda row: profile_of(row.profile))
        return list({profile.name: profile for profile in found.values()}.values())

    async def place(self, job: Job) -> Place:
        """Where an open job stands, and when its clip can be expected."""
        async with self.db.reading() as conn:
            mine = (
                await conn.execute(
                    select(jobs.c.virtual_start, jobs.c.created_at, jobs.c.state).where(
                        jobs.c.id == job.id
                    )
                )
            ).one()
            ahead = 0
            slots = await self._slots(conn, job.engine)
            if mine.state == JobState.QUEUED:
                earlier = tuple_(*FAIREST) < tuple_(mine.virtual_start, mine.created_at, job.id)
                queued = await _count(conn, JobState.QUEUED, job.engine, earlier)
                rendering = await _count(conn, JobState.RENDERING, job.engine)
                # A free slot takes the next job at once: then nothing is ahead.
                ahead = queued + rendering if queued or rendering >= slots else 0
            recent = (
                select(jobs.c.render_ms)
                .where(jobs.c.engine == job.engine, jobs.c.render_ms.is_not(None))
                .order_by(jobs.c.ready_at.desc())
                .limit(_MEASURED)
                .subquery()
            )
            measured = (await conn.execute(select(func.avg(recent.c.render_ms)))).scalar_one()
        expected = None
        if measured is not None and slots:
            expected = float(measured) / 1000 * (ahead / slots + 1)
        return Place(ahead=ahead, expected_s=expected, engine_alive=slots > 0)

    async def hold(self, role: str, holder: str, *, for_s: float) -> bool:
        """Take or renew a role that one process has at a time; False: another has it."""
        async with self.db.writing() as conn:
            until = clock() + int(for_s * 1000)
            row = insert(conn, leases).values(name=role, holder=holder, until=until)
            taken = await conn.execute(
                row.on_conflict_do_update(
                    index_elements=["name"],
                    set_={"holder": holder, "until": until},
                    where=(leases.c.holder == holder) | (leases.c.until < clock()),
                )
            )
            return taken.rowcount == 1

    async def release(self, role: str, holder: str) -> None:
        """Give a role up, so that another process can take it at once."""
        async with self.db.writing() as conn:
            await conn.execute(
                update(leases)
                .where(leases.c.name == role, leases.c.holder == holder)
                .values(until=0)
            )

    async def _slots(self, conn: AsyncConnection, engine: str) -> int:
        alive = select(func.coalesce(func.sum(workers.c.slots), 0)).where(
            workers.c.seen_at > clock() - int(self.silent_s * 1000)
        )
        if engine != ANY_ENGINE:
            alive = alive.where(workers.c.engine == engine)
        return int((await conn.execute(alive)).scalar_one())


async def _count(
    conn: AsyncConnection, state: JobState, engine: str, *where: ColumnElement[bool]
) -> int:
    counted = select(func.count()).select_from(jobs).where(jobs.c.state == state, *where)
    if engine != ANY_ENGINE:
        counted = counted.where(jobs.c.engine.in_((engine, ANY_ENGINE)))
    return (await conn.execute(counted)).scalar_one()
