"""A ledger to measure: SQLite in a folder of its own, or a Postgres as the tests start it."""

import tempfile
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from sqlalchemy import event
from sqlalchemy.engine import Connection

from tests.ledger.orders import order
from tests.postgres import running_postgres
from vivant.jobs import Limits
from vivant.ledger import Leases, Ledger, open_ledger
from vivant.ledger.database import insert
from vivant.ledger.rows import columns_of
from vivant.ledger.schema import accounts, clock, entries, jobs

#: Nobody is held up by a limit here.
UNLIMITED = Limits(
    free_clips_per_day=100_000,
    max_open_jobs=100_000,
    max_renders_per_day=100_000,
    max_requests_per_minute=100_000,
)


@contextmanager
def database(kind: str) -> Generator[str]:
    """The URL of an empty one."""
    with tempfile.TemporaryDirectory(prefix="vivant-bench-") as folder:
        if kind == "sqlite":
            yield f"sqlite+aiosqlite:///{folder}/ledger.sqlite3"
            return
        # Unlike in the tests, what is committed is on the disk.
        with running_postgres(durable=True) as server:
            yield server.url


@asynccontextmanager
async def ledger_at(url: str) -> AsyncGenerator[Ledger]:
    """Open it as a process does."""
    async with open_ledger(url, Leases(), UNLIMITED) as ledger:
        yield ledger


@dataclass(slots=True)
class Counter:
    """Statements and transactions of one ledger since it was last read."""

    statements: int = 0
    transactions: int = 0
    _marks: list[tuple[int, int]] = field(default_factory=list)

    def watch(self, ledger: Ledger) -> None:
        for engine in {ledger.db.writers, ledger.db.readers}:
            event.listen(engine.sync_engine, "before_cursor_execute", self._on_statement)
            event.listen(engine.sync_engine, "begin", self._on_begin)

    def take(self) -> tuple[int, int]:
        """What was counted, and start anew."""
        taken = (self.statements, self.transactions)
        self.statements = self.transactions = 0
        return taken

    def _on_statement(self, *_: object) -> None:
        self.statements += 1

    def _on_begin(self, connection: Connection) -> None:
        del connection
        self.transactions += 1


async def fill(ledger: Ledger, count: int) -> None:
    """Queue *count* jobs of as many senders, all at once."""
    for start in range(0, count, 500):
        senders = [f"bench:{number}" for number in range(start, min(start + 500, count))]
        async with ledger.db.writing() as conn:
            await conn.execute(
                insert(conn, accounts),
                [{"owner": owner, "day": 0, "free": 0, "reserved": 1} for owner in senders],
            )
            for owner in senders:
                await conn.execute(
                    insert(conn, jobs).values(
                        id=owner,
                        state="queued",
                        virtual_start=0.0,
                        virtual_finish=1.0,
                        created_at=clock(),
                        **columns_of(order(owner)),
                    )
                )
                await conn.execute(
                    insert(conn, entries).values(
                        owner=owner,
                        source=f"job:{owner}",
                        kind="reserve",
                        purse="free",
                        amount=-1,
                        at=clock(),
                    )
                )
