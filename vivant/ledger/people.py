"""What is known of one sender: the credit, and the pace of the last minute."""

from dataclasses import dataclass

from sqlalchemy import delete, func, select

from vivant.clips import RefusalReason
from vivant.errors import Refused
from vivant.jobs import Credit, Limits
from vivant.ledger import credit
from vivant.ledger.database import Database, insert
from vivant.ledger.schema import clock, requests


@dataclass(frozen=True, slots=True)
class People:
    """The senders of one ledger."""

    db: Database
    limits: Limits

    async def knock(self, owner: str) -> None:
        """Count one request; raises `Refused` (TOO_FAST) over the limit of a minute."""
        async with self.db.writing() as conn:
            await conn.execute(delete(requests).where(requests.c.at < clock() - 60_000))
            recent = select(func.count()).select_from(requests).where(requests.c.owner == owner)
            if (await conn.execute(recent)).scalar_one() >= self.limits.max_requests_per_minute:
                raise Refused(RefusalReason.TOO_FAST, limit=self.limits.max_requests_per_minute)
            await conn.execute(insert(conn, requests).values(owner=owner, at=clock()))

    async def credit(self, owner: str) -> Credit:
        """What is left, renewed if the day is new."""
        async with self.db.writing() as conn:
            return credit.credit_of(
                await credit.open_account(conn, owner, free_per_day=self.limits.free_clips_per_day)
            )

    async def grant(self, owner: str, amount: int, *, source: str, kind: str = "grant") -> bool:
        """Add paid clips, once per *source*."""
        async with self.db.writing() as conn:
            return await credit.grant(
                conn,
                owner,
                amount,
                source=source,
                kind=kind,
                free_per_day=self.limits.free_clips_per_day,
            )

    async def discrepancies(self) -> list[str]:
        """Accounts that their entries do not explain; empty when all is well."""
        async with self.db.reading() as conn:
            return await credit.sums(conn)
