"""One database, SQLite or Postgres: how it is opened, and what a transaction is.

It knows no table. SQLAlchemy's exceptions end here as `LedgerDown`.
"""

import asyncio
import sqlite3
import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from sqlalchemy import Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from vivant.errors import LedgerDown

_SQLITE: Final = "sqlite+aiosqlite"
_POSTGRES: Final = "postgresql+asyncpg"
#: How long a database may take to be opened, and we to go on inside a transaction, in seconds.
_PATIENCE_S: Final = 10


@dataclass(frozen=True, slots=True)
class Database:
    """Two pools: writers take turns, readers never wait for them."""

    writers: AsyncEngine
    readers: AsyncEngine

    @asynccontextmanager
    async def writing(self) -> AsyncGenerator[AsyncConnection]:
        """One transaction, committed at the end of the block and undone by an exception."""
        with _our_errors():
            async with self.writers.begin() as conn:
                yield conn

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncConnection]:
        """One snapshot."""
        with _our_errors():
            async with self.readers.connect() as conn:
                yield conn


@contextmanager
def _our_errors() -> Generator[None]:
    try:
        yield
    except (DBAPIError, InterfaceError, PoolTimeout, OSError) as exc:
        raise LedgerDown(f"the ledger does not answer ({_why(exc)})") from exc


def _why(exc: Exception) -> str:
    """SQLite says it in words ("database or disk is full"); Postgres may name values in them."""
    if isinstance(exc, DBAPIError) and isinstance(exc.orig, sqlite3.OperationalError):
        return str(exc.orig)
    return type(exc).__name__


@asynccontextmanager
async def open_database(url: str) -> AsyncGenerator[Database]:
    """Connect for as long as the process needs it; the schema is `migrations`' business."""
    address = _address(url)
    if address.drivername == _SQLITE:
        if sqlite3.sqlite_version_info < (3, 37):
            raise LedgerDown("STRICT tables need SQLite 3.37 or newer")
        path = Path(address.database) if address.database else None
        if path is not None:
            _make_private(path)
            await asyncio.to_thread(_use_wal, path)
        # One writer: SQLite has one lock, and waiting for it in a pool is fair.
        writers = create_async_engine(
            url, pool_size=1, max_overflow=0, pool_timeout=60, hide_parameters=True
        )
        readers = create_async_engine(url, pool_size=4, hide_parameters=True)
        # Measured: a transaction that reads first and then writes fails under load unless it
        # takes the write lock at once.
        _tame_sqlite(writers, "BEGIN IMMEDIATE")
        _tame_sqlite(readers, "BEGIN")
        if path is not None:
            _mind_the_file(writers, path)
    else:
        if find_spec("asyncpg") is None:
            raise LedgerDown("Postgres needs an extra: pip install 'vivant[postgres]'")
        writers = readers = create_async_engine(
            url,
            pool_size=8,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={
                "timeout": _PATIENCE_S,
                "command_timeout": 6 * _PATIENCE_S,
                # A process that is halted inside a transaction must not hold its rows.
                "server_settings": {"idle_in_transaction_session_timeout": str(_PATIENCE_S * 1000)},
            },
        )
    try:
        yield Database(writers, readers)
    finally:
        await writers.dispose()
        await readers.dispose()


def _address(url: str) -> URL:
    # The password in it is nobody's business, so that neither the URL nor the error is shown.
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        raise LedgerDown("that is not the address of a database") from None
    if address.drivername not in (_SQLITE, _POSTGRES):
        raise LedgerDown(f"a ledger's address begins with {_SQLITE}:// or {_POSTGRES}://")
    return address


def _make_private(path: Path) -> None:
    """What people wrote is in it; SQLite's own files beside it follow its mode."""
    with _our_errors():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)


def _use_wal(path: Path) -> None:
    """Let readers and the writer not wait for each other; the file remembers it."""
    give_up_at = time.monotonic() + _PATIENCE_S
    with closing(sqlite3.connect(path)) as connection:
        while True:
            try:
                connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.DatabaseError as exc:
                # While another process switches too, SQLite gives up at once, busy timeout or not.
                is_locked = getattr(exc, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY
                if not is_locked or time.monotonic() > give_up_at:
                    raise LedgerDown(f"the ledger does not answer ({exc})") from exc
                time.sleep(0.01)
            else:
                return


def _tame_sqlite(engine: AsyncEngine, begin: str) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: DBAPIConnection, record: object) -> None:
        del record
        connection.isolation_level = None  # ours to begin, not the driver's
        cursor = connection.cursor()
        for pragma in (
            "busy_timeout = 20000",
            "secure_delete = ON",
            "synchronous = FULL",
            "foreign_keys = ON",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def _mind_the_file(engine: AsyncEngine, path: Path) -> None:
    """Write nothing into a file that was deleted: it would be gone with the last process."""
    with _our_errors():
        ours = path.stat().st_ino

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Connection) -> None:
        del connection
        if not path.exists() or path.stat().st_ino != ours:
            raise LedgerDown(f"{path} was moved or deleted; put it back, or start everything anew")


def insert(conn: AsyncConnection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    if conn.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
