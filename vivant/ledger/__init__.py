"""The truth: jobs, credit and what arrived, in SQLite or Postgres. Knows no platform."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from vivant.jobs import Limits
from vivant.ledger.audit import Audit, Deed
from vivant.ledger.database import Database, open_database
from vivant.ledger.drafts import Drafts
from vivant.ledger.early_words import EarlyWords
from vivant.ledger.fleet import Fleet
from vivant.ledger.houses import Houses
from vivant.ledger.inbox import Arrival, Inbox, Letter
from vivant.ledger.jobs import Jobs, Leases
from vivant.ledger.migrations import migrate
from vivant.ledger.people import Forgotten, People
from vivant.ledger.reports import Report, Reports

__all__ = [
    "Arrival",
    "Audit",
    "Deed",
    "Drafts",
    "EarlyWords",
    "Fleet",
    "Forgotten",
    "Houses",
    "Inbox",
    "Jobs",
    "Leases",
    "Ledger",
    "Letter",
    "People",
    "Report",
    "Reports",
    "open_ledger",
]


@dataclass(frozen=True, slots=True)
class Ledger:
    """All that is remembered, by subject."""

    db: Database
    jobs: Jobs
    drafts: Drafts
    early_words: EarlyWords
    people: People
    fleet: Fleet
    houses: Houses
    reports: Reports
    audit: Audit
    leases: Leases

    def inbox(self, platform: str, bot: str) -> Inbox:
        """The updates of one bot."""
        return Inbox(self.db, platform, bot, self.leases.lease_s)

    async def tidy(self) -> None:
        """Drop what mattered for a while only: requests, words, roles, and dead workers."""
        await self.people.tidy()
        await self.early_words.tidy()
        await self.fleet.bury()


@asynccontextmanager
async def open_ledger(url: str, leases: Leases, limits: Limits) -> AsyncGenerator[Ledger]:
    """Connect, and bring the schema up to date."""
    async with open_database(url) as db:
        await migrate(db)
        jobs = Jobs(db, leases, limits)
        drafts, early_words = Drafts(db), EarlyWords(db)
        yield Ledger(
            db,
            jobs,
            drafts,
            early_words,
            People(db, limits, jobs, drafts, early_words),
            Fleet(db, silent_s=leases.lease_s),
            Houses(db),
            Reports(db),
            Audit(db),
            leases,
        )
