"""What the operator did, what was refused by policy, what was given up. Never purged."""

from dataclasses import dataclass

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from vivant.ledger.database import Database, insert
from vivant.ledger.schema import audit, clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """One row."""

    by: str
    words: str
    #: None: the process died before it could say.
    outcome: str | None
    at_ms: int


@dataclass(frozen=True, slots=True)
class Audit:
    """The deeds of one ledger."""

    db: Database

    async def note(self, by: str, words: str, outcome: str | None = None) -> int:
        """Write down *words* of *by*, before anything is done about them; the row's id."""
        async with self.db.writing() as conn:
            return await note(conn, by, words, outcome)

    async def conclude(self, note_id: int, outcome: str) -> None:
        """Add what became of it."""
        async with self.db.writing() as conn:
            await conn.execute(update(audit).where(audit.c.id == note_id).values(outcome=outcome))

    async def latest(self, most: int) -> list[Deed]:
        """The newest first."""
        newest = select(audit).order_by(audit.c.id.desc()).limit(most)
        async with self.db.reading() as conn:
            return [
                Deed(by=row.by, words=row.words, outcome=row.outcome, at_ms=row.at)
                for row in await conn.execute(newest)
            ]


async def note(conn: AsyncConnection, by: str, words: str, outcome: str | None) -> int:
    """Write a deed down inside a step that has others; the row's id."""
    row = insert(conn, audit).values(by=by, words=words, outcome=outcome, at=clock())
    note_id: int = (await conn.execute(row.returning(audit.c.id))).scalar_one()
    return note_id
