"""Every test of this folder runs twice: on an SQLite file, and on a real Postgres."""

import shutil
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from tests.ledger.orders import LEASES, LIMITS
from tests.postgres import Postgres, none_here, running_postgres
from vivant.jobs import Limits
from vivant.ledger import Leases, Ledger, open_ledger

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
async def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database that holds nothing, not even tables."""
    if request.param == "sqlite":
        return f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite3'}"
    server: Postgres = request.getfixturevalue("postgres")
    return await server.fresh_database()


@pytest.fixture(scope="session")
def migrated() -> dict[str, str]:
    """A migrated database of each kind, once it was made: each test gets a copy of it."""
    return {}


@pytest.fixture
async def url(
    request: pytest.FixtureRequest,
    empty_url: str,
    migrated: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> str:
    """A database that holds nothing but tables."""
    kind, path = empty_url.split("://")
    if kind not in migrated:
        first = empty_url
        if kind.startswith("sqlite"):
            first = f"{kind}:///{tmp_path_factory.mktemp('migrated') / 'ledger.sqlite3'}"
        async with open_ledger(first, LEASES, LIMITS):
            migrated[kind] = first
    first = migrated[kind]
    if kind.startswith("sqlite"):
        shutil.copy(first.partition("///")[2], path.removeprefix("/"))
        return empty_url
    server: Postgres = request.getfixturevalue("postgres")
    return await server.fresh_database(like=first.rpartition("/")[2])


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
