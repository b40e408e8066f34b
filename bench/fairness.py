"""How long light users wait behind two heavy senders, in the ledger's order and first-in-first-out.

    python -m bench.fairness [--database sqlite|postgres] [--service 0.5]

The engines are simulated: each render is a sleep. First-in-first-out is the same ledger where every
job has a sender of its own, which leaves nothing to be fair about.
"""

import argparse
import asyncio
import itertools
import statistics
from dataclasses import dataclass

from bench.ledgers import database, ledger_at
from tests.ledger.orders import clip, order
from vivant.ledger import Ledger

_WORKERS = 8
_HEAVY = 300
_LIGHT = 100


@dataclass(slots=True)
class Load:
    """Two heavy senders at once, then light ones one by one while the queue is full."""

    ledger: Ledger
    service_s: float
    #: Every job gets a sender of its own.
    is_fifo: bool

    async def waits(self) -> list[float]:
        """Of the light users, in service times."""
        names = itertools.count()

        async def ask(sender: str) -> str:
            owner = f"bench:{next(names)}" if self.is_fifo else f"bench:{sender}"
            job, _ = await self.ledger.jobs.accept(order(owner))
            return job.id

        for _ in range(_HEAVY):
            for heavy in ("heavy one", "heavy two"):
                await ask(heavy)
        total = 2 * _HEAVY + _LIGHT
        done = asyncio.Semaphore(0)
        workers = [asyncio.create_task(self._work(f"w{n}", done)) for n in range(_WORKERS)]
        lasts_s = total / _WORKERS * self.service_s
        light = []
        for number in range(_LIGHT):
            light.append(await ask(f"light {number}"))
            await asyncio.sleep(0.8 * lasts_s / _LIGHT)
        for _ in range(total):
            await done.acquire()
        for worker in workers:
            worker.cancel()
        await asyncio.wait(workers)
        found = [await self.ledger.jobs.get(job_id) for job_id in light]
        return [
            ((job.claimed_at_ms or 0) - job.created_at_ms) / 1000 / self.service_s
            for job in found
            if job is not None
        ]

    async def _work(self, name: str, done: asyncio.Semaphore) -> None:
        while True:
            job = await self.ledger.jobs.claim(name, ["puppet"])
            if job is None:
                await asyncio.sleep(0.01)
                continue
            await asyncio.sleep(self.service_s)
            assert await self.ledger.jobs.finish(job, clip(), {})
            done.release()


async def measure(url: str, service_s: float, *, is_fifo: bool) -> list[float]:
    async with ledger_at(url) as ledger:
        return sorted(await Load(ledger, service_s, is_fifo).waits())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--service", type=float, default=0.5, help="seconds of a render")
    asked = parser.parse_args()
    print(
        f"{_LIGHT} light users behind two heavy senders with {_HEAVY} jobs each, {_WORKERS} "
        f"workers, {asked.database}; waits in service times of {asked.service:g} s\n"
    )
    print("| order | median | 95th percentile | longest |\n|---|---|---|---|")
    tails = {}
    for name, is_fifo in (("fair", False), ("first in, first out", True)):
        with database(asked.database) as url:
            waits = asyncio.run(measure(url, asked.service, is_fifo=is_fifo))
        tails[name] = statistics.quantiles(waits, n=20)[-1]
        print(f"| {name} | {statistics.median(waits):.2f} | {tails[name]:.2f} | {waits[-1]:.2f} |")
    fair, fifo = tails.values()
    print(f"\nThe same load first-in-first-out waits {fifo / fair:.0f} times as long.")


if __name__ == "__main__":
    main()
