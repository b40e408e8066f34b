"""What is lost, doubled or charged wrongly when processes are killed at random under load.

`python -m bench.kills --kills 300` : half of them on SQLite, half on Postgres where there is one;
`--platform discord` for the other platform. Three engines and two bots as processes, a real Redis,
a chat server on loopback that also drops replies and calls; photos in a steady stream. Exit code 1
if anything is not exact.
"""

import argparse
import asyncio
import secrets
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.guarantees.scenes import SCENES
from tests.guarantees.storm import Storm, Tally
from tests.postgres import none_here, running_postgres


async def storm(platform: str, kills: int, seed: int, **environment: str) -> Tally:
    """Until so many are killed, then until all is over."""
    crew = {"engine": 3, platform: 2}
    with tempfile.TemporaryDirectory(prefix="vivant-kills-") as folder:
        async with SCENES[platform](Path(folder), **environment) as scene:
            raging = Storm(scene, seed, crew, photo_every_s=0.5, kill_every_s=2.5, patience_s=900)
            return await raging.rage(seconds=kills * 10, kills=kills)


def is_exact(tally: Tally) -> bool:
    """Whether the promise was kept."""
    return not (tally.lost or tally.answered_twice or tally.charged_wrongly or tally.discrepancies)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--database", choices=("sqlite", "postgres"), help="instead of both")
    parser.add_argument("--platform", choices=tuple(SCENES), default="telegram")
    told = parser.parse_args()
    databases = [told.database] if told.database else ["sqlite", "postgres"]
    if none_here() is not None and "postgres" in databases:
        print(f"no Postgres: {none_here()}")
        databases.remove("postgres")
    tallies = []
    for database in databases:
        share = told.kills // len(databases)
        print(f"\n{told.platform}, {database}, {share} kills", flush=True)
        with ExitStack() as stack:
            environment = {}
            if database == "postgres":
                server = stack.enter_context(running_postgres())
                environment["VIVANT_DATABASE_URL"] = asyncio.run(server.fresh_database())
            tallies.append(asyncio.run(storm(told.platform, share, told.seed, **environment)))
        print(tallies[-1], flush=True)
    sys.exit(not all(is_exact(tally) for tally in tallies))


if __name__ == "__main__":
    main()
