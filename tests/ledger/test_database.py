"""Transactions: whole or not at all, and errors that end at the ledger's door."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text, update

from tests.ledger.conftest import Opener
from tests.ledger.orders import LEASES, LIMITS, accepted, claimed, now
from tests.postgres import Postgres
from vivant.clips import JobState
from vivant.errors import LedgerDown
from vivant.ledger import Ledger, open_ledger
from vivant.ledger.database import open_database
from vivant.ledger.schema import jobs


def file_in(folder: Path) -> str:
    return f"sqlite+aiosqlite:///{folder / 'ledger.sqlite3'}"


async def test_a_step_that_is_cut_short_never_happened(ledger: Ledger) -> None:
    """Whether by an error or by the end of its task; and the one writer is free again."""
    job = await accepted(ledger)
    halfway = asyncio.Event()

    async def cut_short(*, by_error: bool) -> None:
        async with ledger.db.writing() as conn:
            await conn.execute(update(jobs).values(state=JobState.DONE))
            if by_error:
                raise KeyError
            halfway.set()
            await asyncio.Event().wait()

    with pytest.raises(KeyError):
        await cut_short(by_error=True)
    task = asyncio.create_task(cut_short(by_error=False))
    await halfway.wait()
    task.cancel()
    await asyncio.wait([task])

    assert (await now(ledger, job)).state is JobState.QUEUED
    assert (await claimed(ledger)).id == job.id


async def test_a_task_that_ends_inside_a_statement_leaves_the_ledger_usable(
    ledger: Ledger,
) -> None:
    await accepted(ledger)
    for _ in range(20):
        task = asyncio.create_task(ledger.jobs.claim("w", ["none"]))
        await asyncio.wait([task], timeout=0.001)
        task.cancel()
        await asyncio.wait([task])

    assert (await claimed(ledger)).attempt == 1


async def test_readers_do_not_wait_for_a_writer(opened: Opener) -> None:
    async with opened() as ledger, opened() as other:
        job = await accepted(ledger)
        async with other.db.writing() as conn:
            await conn.execute(update(jobs).values(language="fr"))

            assert (await now(ledger, job)).language == "en"


async def test_a_database_that_does_not_answer_is_said_in_our_words() -> None:
    nobody_there = "postgresql+asyncpg://tester@127.0.0.1:1/none"

    with pytest.raises(LedgerDown):
        async with open_ledger(nobody_there, LEASES, LIMITS):
            pass


async def test_a_database_that_is_not_there_is_said_in_our_words(postgres: Postgres) -> None:
    with pytest.raises(LedgerDown):
        async with open_ledger(postgres.url_of("no_such_database"), LEASES, LIMITS):
            pass


@pytest.mark.parametrize(
    "url", ["nonsense", "mysql://u:secret@h/d", "postgresql://u:secret@h/d", "sqlite:///l.sqlite3",
            "postgresql+asyncpg://u:secret@h:port/d"]
)  # fmt: skip
async def test_an_address_that_is_none_of_ours_is_said_without_its_password(url: str) -> None:
    with pytest.raises(LedgerDown, match="address") as down:
        async with open_ledger(url, LEASES, LIMITS):
            pass

    assert "secret" not in str(down.value)


async def test_postgres_without_its_extra_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("vivant.ledger.database.find_spec", lambda name: None)

    with pytest.raises(LedgerDown, match=r"pip install 'vivant\[postgres\]'"):
        async with open_ledger("postgresql+asyncpg://u@h/d", LEASES, LIMITS):
            pass


async def test_a_folder_that_cannot_be_made_is_said_in_our_words(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(LedgerDown):
        async with open_ledger(f"sqlite+aiosqlite:///{tmp_path}/file/l.sqlite3", LEASES, LIMITS):
            pass


async def test_nobody_else_on_the_machine_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "data" / "ledger.sqlite3"

    async with open_ledger(f"sqlite+aiosqlite:///{path}", LEASES, LIMITS) as ledger:
        await accepted(ledger)

        found = {one.name: one.stat().st_mode & 0o777 for one in path.parent.iterdir()}
    assert found == {
        "ledger.sqlite3": 0o600,
        "ledger.sqlite3-wal": 0o600,
        "ledger.sqlite3-shm": 0o600,
    }


async def test_a_full_disk_is_said_in_the_words_of_sqlite(tmp_path: Path) -> None:
    async with open_ledger(file_in(tmp_path), LEASES, LIMITS) as ledger:
        async with ledger.db.writing() as conn:
            await conn.exec_driver_sql("PRAGMA max_page_count = 1")  # as many as there are

        async def accept_many() -> None:
            for _ in range(100):
                await accepted(ledger)

        with pytest.raises(LedgerDown, match="database or disk is full"):
            await accept_many()


async def test_a_file_that_was_deleted_takes_nothing_more(tmp_path: Path) -> None:
    """What is written there would be gone with the last process; put back, all is well."""
    path = tmp_path / "ledger.sqlite3"
    async with open_ledger(file_in(tmp_path), LEASES, LIMITS) as ledger:
        path.rename(tmp_path / "elsewhere")

        with pytest.raises(LedgerDown, match="was moved or deleted"):
            await accepted(ledger)

        (tmp_path / "elsewhere").rename(path)
        await accepted(ledger)


async def test_processes_that_open_a_new_ledger_at_once_all_get_in(tmp_path: Path) -> None:
    """SQLite refuses a switch to WAL at once while another connection switches too."""

    async def opened(url: str) -> None:
        async with open_database(url) as db, db.reading() as conn:
            await conn.execute(text("SELECT 1"))

    for number in range(40):
        folder = tmp_path / str(number)
        await asyncio.gather(*(opened(file_in(folder)) for _ in range(4)))


async def test_a_connection_that_was_lost_is_made_anew(postgres: Postgres) -> None:
    url = await postgres.fresh_database()
    async with open_ledger(url, LEASES, LIMITS) as ledger, open_ledger(url, LEASES, LIMITS) as axe:
        job = await accepted(ledger)
        async with axe.db.writing() as conn:
            ended = await conn.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE pid <> pg_backend_pid() AND datname = current_database()"
                )
            )
            assert len(ended.all()) > 0

        assert (await claimed(ledger)).id == job.id


async def test_a_process_that_stops_inside_a_transaction_does_not_stop_the_others(
    postgres: Postgres,
) -> None:
    """A worker that is halted (SIGSTOP) holds no row for longer than a lease."""
    async with open_ledger(await postgres.fresh_database(), LEASES, LIMITS) as ledger:
        async with ledger.db.reading() as conn:
            timeout = (
                await conn.execute(text("SHOW idle_in_transaction_session_timeout"))
            ).scalar_one()

        assert timeout == "10s"
