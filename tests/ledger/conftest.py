"""Every test of this folder runs twice: on an SQLite file, and on a real Postgres."""

import shutil
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.ledger.orders import LEASES, LIMITS
from tests.postgres import Postgres, none_here, running_postgres
from vivant.jobs import Limits
from vivant.ledger import Leases, Ledger, open_ledger
from vivant.ledger.database import open_database
from vivant.ledger.schema import metadata

#: Opens the test's database once more, as another process would.
Opener = Callable[..., AbstractAsyncContextManager[Ledger]]


@pytest.fixture(scope="session")
def postgres() -> Generator[Postgres]:
    why = none_here()
    if why is not None:
        pytest.skip(why)
    with running_postgres() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name == "postgres":
        request.getfixturevalue("postgres")
    return name


@pytest.fixture
async def empty_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that holds nothing, not even tables."""
    if kind == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite3'}"
    server: Postgres = request.getfixturevalue("postgres")
    return await server.fresh_database()


@pytest.fixture(scope="session")
def migrated() -> dict[str, str]:
    """A database of each kind that has its tables, once there is one."""
    return {}


@pytest.fixture
async def url(
    kind: str,
    migrated: dict[str, str],
    request: pytest.FixtureRequest,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """A database that holds nothing but tables: a copied file, or the same one, emptied."""
    if kind not in migrated:
        if kind == "sqlite":
            made = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('migrated') / 'ledger.sqlite3'}"
        else:
            server: Postgres = request.getfixturevalue("postgres")
            made = await server.fresh_database()
        async with open_ledger(made, LEASES, LIMITS):
            migrated[kind] = made
    if kind == "sqlite":
        copy = tmp_path / "ledger.sqlite3"
        shutil.copy(migrated[kind].partition("///")[2], copy)
        return f"sqlite+aiosqlite:///{copy}"
    async with open_database(migrated[kind]) as db, db.writing() as conn:
        await conn.execute(text(f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY"))
    return migrated[kind]


@pytest.fixture
def opened(url: str) -> Opener:
    @asynccontextmanager
    async def opener(leases: Leases = LEASES, limits: Limits = LIMITS) -> AsyncGenerator[Ledger]:
        async with open_ledger(url, leases, limits) as ledger:
            yield ledger

    return opener


@pytest.fixture
async def ledger(opened: Opener) -> AsyncGenerator[Ledger]:
    async with opened() as ledger:
        yield ledger
