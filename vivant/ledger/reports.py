"""Clips that somebody found bad, for the operator to look at."""

from dataclasses import dataclass

from sqlalchemy import select

from vivant.ledger.database import Database, insert
from vivant.ledger.schema import clock, jobs, reports


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One complaint."""

    job_id: str
    #: Whose clip it is; None once that is forgotten.
    owner: str | None
    #: Who complained, likewise.
    by: str | None
    reason: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class Reports:
    """The reports of one ledger."""

    db: Database

    async def file(self, job_id: str, by: str, reason: str) -> bool:
        """Keep one; False: *by* has reported this job before, or there is no such job."""
        async with self.db.writing() as conn:
            there = select(jobs.c.id).where(jobs.c.id == job_id)
            if (await conn.execute(there)).scalar_one_or_none() is None:
                return False
            row = insert(conn, reports).values(job_id=job_id, by=by, reason=reason, at=clock())
            return (await conn.execute(row.on_conflict_do_nothing())).rowcount == 1

    async def latest(self, most: int) -> list[Report]:
        """The newest first."""
        newest = (
            select(reports, jobs.c.owner)
            .join(jobs, jobs.c.id == reports.c.job_id)
            .order_by(reports.c.id.desc())
            .limit(most)
        )
        async with self.db.reading() as conn:
            return [
                Report(
                    job_id=row.job_id, owner=row.owner, by=row.by, reason=row.reason, at_ms=row.at
                )
                for row in await conn.execute(newest)
            ]
