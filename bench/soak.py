"""Whether memory and open files stay flat: one bot and one worker over many jobs.

`python -m bench.soak --jobs 10000`: a real Redis, SQLite and a Telegram on loopback; the engine is
the tests' own, whose clips are real but small. Prints a line for each tenth of the jobs: resident
memory of the bot, of the darkroom beside it and of the engine, and the open files of all. What is
kept by design goes on growing in the ledger; what lies in memory must not. `--jobs 2000` is enough
to see a slope.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.chaos import Child
from tests.conftest import wait_until
from tests.guarantees.stage import Stage, open_stage
from vivant.clips import JobState

#: Photos under way at once, so that the stream is steady and nobody waits long.
_AT_ONCE = 8
_PEOPLE = 50


def family(pid: int) -> Iterator[int]:
    """A process and all its children."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text().split():
            yield from family(int(child))


def resident_mb(*pids: int) -> float:
    """Memory of processes that is in RAM."""
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids]
    return sum(pages) * 4096 / 1e6


def open_files(child: Child) -> int:
    """Files, sockets and pipes of a process and its children."""
    return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in family(child.process.pid))


async def send(stage: Stage, jobs: int, *, before: int) -> None:
    """*jobs* photos, never more than a few ahead of their clips; *before* were done already."""
    people = [stage.somebody() for _ in range(_PEOPLE)]
    for number in range(jobs):
        stage.sends(people[number % _PEOPLE])
        await until_done(stage, before + number + 1 - _AT_ONCE)
    await until_done(stage, before + jobs)


async def until_done(stage: Stage, jobs: int) -> None:
    async def so_many() -> bool:
        return (await stage.fleet.ledger.jobs.counts()).get(JobState.DONE, 0) >= jobs

    await wait_until(so_many, within_s=120)


async def soak(jobs: int) -> None:
    """All of it, with a line for each tenth."""
    with tempfile.TemporaryDirectory(prefix="vivant-soak-") as folder:
        told = {"VIVANT_FREE_CLIPS_PER_DAY": "1000000"}
        async with open_stage(Path(folder), **told) as stage:
            bot, engine = stage.fleet.one("telegram"), stage.fleet.one("engine")
            print("   jobs     s  bot MB  darkroom MB  engine MB  files")
            started = time.monotonic()
            for tenth in range(11):
                if tenth:
                    await send(stage, jobs // 10, before=jobs // 10 * (tenth - 1))
                mine, *darkroom = family(bot.process.pid)
                print(
                    f"{jobs // 10 * tenth:7} {time.monotonic() - started:5.0f} "
                    f"{resident_mb(mine):7.1f} {resident_mb(*darkroom):12.1f} "
                    f"{resident_mb(*family(engine.process.pid)):10.1f} "
                    f"{open_files(bot) + open_files(engine):6}",
                    flush=True,
                )


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--jobs", type=int, default=10_000)
    asyncio.run(soak(parser.parse_args().jobs))


if __name__ == "__main__":
    main()
