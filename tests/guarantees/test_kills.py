"""Processes die at random moments under a stream of photos, and every answer and charge is exact.

`KILL_SECONDS=600` makes it longer, `KILL_SEED=…` takes the kills of an earlier run again.
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guarantees.scenes import on_discord, on_telegram
from tests.guarantees.stage import open_stage
from tests.guarantees.storm import Storm, Tally
from tests.postgres import Postgres, none_here, running_postgres
from tests.s3 import S3, running_s3

_SECONDS = float(os.environ.get("KILL_SECONDS", "15"))

pytestmark = pytest.mark.timeout(300 + 2 * _SECONDS)


@pytest.fixture
def seed() -> int:
    return int(os.environ.get("KILL_SEED", secrets.randbelow(10**6)))


@pytest.fixture(scope="module")
def postgres() -> Iterator[Postgres]:
    why = none_here()
    if why is not None:
        pytest.skip(why)
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with running_s3() as server:
        yield server


def is_exact(tally: Tally) -> None:
    assert tally.clips > 0
    assert tally.lost == 0
    assert tally.answered_twice == 0
    assert tally.charged_wrongly == 0
    assert tally.discrepancies == []


async def test_processes_are_killed_at_random_on_sqlite(seed: int, tmp_path: Path) -> None:
    """An engine, a bot or Redis every second or so; replies of Telegram get lost as well."""
    async with on_telegram(tmp_path) as scene:
        tally = await Storm(scene, seed, {"engine": 2, "telegram": 1}).rage(seconds=_SECONDS)

    print(f"\nSQLite, {tally}")  # noqa: T201 - with the seed, for whoever repeats it
    is_exact(tally)


async def test_processes_are_killed_at_random_on_postgres(
    seed: int, postgres: Postgres, tmp_path: Path
) -> None:
    """The same on the other database, with a second bot that stands by."""
    url = await postgres.fresh_database()
    async with on_telegram(tmp_path, VIVANT_DATABASE_URL=url) as scene:
        tally = await Storm(scene, seed, {"engine": 2, "telegram": 2}).rage(seconds=_SECONDS)

    print(f"\nPostgres, {tally}")  # noqa: T201
    is_exact(tally)


async def test_processes_are_killed_at_random_on_discord(seed: int, tmp_path: Path) -> None:
    """The same on the other platform, which tells of a message once: the bot has to look back."""
    async with on_discord(tmp_path) as scene:
        tally = await Storm(scene, seed, {"engine": 2, "discord": 1}).rage(seconds=_SECONDS)

    print(f"\nDiscord, {tally}")  # noqa: T201
    is_exact(tally)


async def test_one_of_each_is_killed_in_a_small_fleet(
    postgres: Postgres, s3: S3, tmp_path: Path
) -> None:
    """Two engines and two bots share one Postgres, one Redis and one S3; nobody notices."""
    shared = {
        "VIVANT_DATABASE_URL": await postgres.fresh_database(),
        "VIVANT_MEDIA_URL": s3.url,
        **s3.environment,
    }
    async with open_stage(tmp_path, **shared) as stage:
        engines = [stage.fleet.start("engine") for _ in range(2)]
        bots = [stage.fleet.start("telegram") for _ in range(2)]
        people = [stage.somebody() for _ in range(6)]
        for person in people:
            stage.sends(person, "slow zoom in, wait")
        await stage.until_rendering(2)

        engines[0].kill()
        bots[0].kill()
        stage.fleet.gate.touch()

        for person in people:
            await stage.one_clip(person)
        assert engines[1].is_alive
        assert bots[1].is_alive
        assert not (tmp_path / "data" / "media").exists()
