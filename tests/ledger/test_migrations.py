"""The schema that migrations make is the schema that the code knows."""

import asyncio
import sys
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text
from sqlalchemy.engine import Connection

from tests.ledger.conftest import Opener
from tests.ledger.orders import accepted, rows
from vivant.ledger.database import open_database
from vivant.ledger.migrations import configuration, migrate
from vivant.ledger.schema import jobs, metadata

_MIGRATE = """
import asyncio, sys
from vivant.ledger.database import open_database
from vivant.ledger.migrations import migrate

async def main():
    async with open_database(sys.argv[1]) as db:
        sys.stdout.write("ready\\n")
        sys.stdout.flush()
        sys.stdin.readline()
        await migrate(db)

asyncio.run(main())
"""


async def test_migrations_lead_to_the_schema(empty_url: str) -> None:
    async with open_database(empty_url) as db:
        await migrate(db)

        def compare(connection: Connection) -> list[object]:
            return list(compare_metadata(MigrationContext.configure(connection), metadata))

        async with db.reading() as conn:
            assert await conn.run_sync(compare) == []


async def test_every_table_of_sqlite_is_strict(tmp_path: Path) -> None:
    async with open_database(f"sqlite+aiosqlite:///{tmp_path / 'l.sqlite3'}") as db:
        await migrate(db)
        async with db.reading() as conn:
            listed = await conn.execute(text("SELECT name, strict FROM pragma_table_list"))
            strict = {row.name: row.strict for row in listed}

    assert {name: strict[name] for name in metadata.tables} == dict.fromkeys(metadata.tables, 1)


async def test_the_way_back_leaves_nothing(empty_url: str) -> None:
    async with open_database(empty_url) as db:
        await migrate(db)

        def back(connection: Connection) -> list[str]:
            command.downgrade(configuration(connection), "base")
            return inspect(connection).get_table_names()

        async with db.writing() as conn:
            assert await conn.run_sync(back) == ["alembic_version"]


async def test_opening_again_keeps_what_is_there(opened: Opener) -> None:
    async with opened() as ledger:
        await accepted(ledger)

    async with opened() as ledger:
        assert len(await rows(ledger, jobs)) == 1


async def test_three_processes_that_start_at_once_migrate_once(empty_url: str) -> None:
    children = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _MIGRATE,
            empty_url,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(3)
    ]
    for child in children:
        assert child.stdout is not None
        assert await child.stdout.readline() == b"ready\n"

    said = await asyncio.gather(*(child.communicate(b"go\n") for child in children))

    assert [child.returncode for child in children] == [0, 0, 0], said
    async with open_database(empty_url) as db, db.reading() as conn:
        versions = (await conn.execute(text("SELECT version_num FROM alembic_version"))).all()
    assert [row.version_num for row in versions] == ["0001"]
