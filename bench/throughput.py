"""What the ledger and the queue cost a job, and what is left of many workers' time.

    python -m bench.throughput [--database sqlite|postgres] [--service 2] [--jobs 10]

Real bells, a real ledger; a render is a sleep. All workers run in this one process, in hosts of
eight slots, each of which hears the bell for itself; the bot does all but talk to its platform.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.ledgers import Counter, database, fill, ledger_at
from tests.ledger.orders import clip, order
from vivant.ledger import Ledger
from vivant.queue import RENDER, Bells, delivery, hearing, open_bells
from vivant.queue.local_redis import local_redis

_SLOTS_OF_A_HOST = 8
_CLAIMS = 200


@dataclass(slots=True)
class Service:
    """Simulated engines and one bot, on real bells."""

    ledger: Ledger
    bells: Bells
    redis_url: str
    service_s: float
    #: Begin and end of each render, monotonic seconds.
    renders: list[tuple[float, float]] = field(default_factory=list)
    answered: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    _luck: random.Random = field(default_factory=lambda: random.Random(1))  # noqa: S311

    async def accept(self) -> None:
        job, _ = await self.ledger.jobs.accept(order(f"bench:{time.monotonic_ns()}"))
        await self.bells.ring(RENDER)
        del job

    async def render(self) -> None:
        job = await self.ledger.jobs.claim("bench", ["puppet"])
        if job is None:
            return
        started = time.monotonic()
        # No two clips take equally long: in step, all would ask for the next at once.
        await asyncio.sleep(self.service_s * self._luck.uniform(0.75, 1.25))
        self.renders.append((started, time.monotonic()))
        assert await self.ledger.jobs.finish(job, clip(), {"render": self.service_s})
        await self.bells.ring(delivery("telegram", "7"))

    async def deliver(self) -> None:
        job = await self.ledger.jobs.claim_delivery("telegram", "7")
        if job is not None and await self.ledger.jobs.delivered(job):
            self.answered.release()

    @asynccontextmanager
    async def at_work(self, workers: int) -> AsyncGenerator[None]:
        async with AsyncExitStack() as stack:
            slots = [min(_SLOTS_OF_A_HOST, workers - n) for n in range(0, workers, 8)]
            ears = [(RENDER, self.render, at_once) for at_once in slots]
            for queue, on_ring, at_once in [*ears, (delivery("telegram", "7"), self.deliver, 8)]:
                await stack.enter_async_context(
                    hearing(self.redis_url, queue, on_ring, at_once=at_once, drain_s=5)
                )
            yield


@asynccontextmanager
async def opened(url: str, service_s: float) -> AsyncGenerator[Service]:
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="vivant-bench-")))
        redis_url = await stack.enter_async_context(local_redis(folder))
        bells = await stack.enter_async_context(open_bells(redis_url))
        ledger = await stack.enter_async_context(ledger_at(url))
        yield Service(ledger, bells, redis_url, service_s)


async def commands(bells: Bells) -> int:
    """How many commands Redis has done so far."""
    return int((await bells.redis.info("stats"))["total_commands_processed"])


async def share_of_ideal(kind: str, service_s: float, jobs_each: int) -> None:
    """From the first bell until the last job is claimed: how much of that the workers rendered."""
    print("| workers | jobs | seconds | share of ideal | Redis commands a job, polls included |")
    print("|---|---|---|---|---|")
    for workers in (1, 8, 64):
        with database(kind) as url:
            async with opened(url, service_s) as service:
                jobs = workers * jobs_each
                for _ in range(jobs):
                    await service.accept()
                before = await commands(service.bells)
                began = time.monotonic()
                async with service.at_work(workers):
                    for _ in range(jobs):
                        await service.answered.acquire()
                    spent = await commands(service.bells) - before
        ended = max(start for start, _ in service.renders)
        busy_s = sum(min(end, ended) - start for start, end in service.renders)
        share = busy_s / (workers * (ended - began))
        print(f"| {workers} | {jobs} | {ended - began:.1f} | {share:.3f} | {spent / jobs:.0f} |")


async def cost_of_a_job(kind: str) -> None:
    """Statements, transactions and commands of one step, with nothing else going on."""
    print("\n| step | SQL statements | transactions | Redis commands |\n|---|---|---|---|")
    rounds = 50
    with database(kind) as url:
        async with opened(url, 0) as service:
            counter = Counter()
            counter.watch(service.ledger)

            async def measured(name: str, step: Callable[[], Awaitable[None]]) -> list[float]:
                before = await commands(service.bells)
                for _ in range(rounds):
                    await step()
                statements, transactions = counter.take()
                # One of them is the question how many there were.
                sent = await commands(service.bells) - before - 1
                costs = [statements / rounds, transactions / rounds, sent / rounds]
                print(f"| {name} | " + " | ".join(f"{cost:.1f}" for cost in costs) + " |")
                return costs

            steps = (
                ("accept, ring", service.accept),
                ("claim, finish, ring", service.render),
                ("claim the delivery, settle", service.deliver),
            )
            whole = [await measured(name, step) for name, step in steps]
            total = [sum(costs) for costs in zip(*whole, strict=True)]
            print("| **a job** | " + " | ".join(f"**{cost:.1f}**" for cost in total) + " |")


async def long_queue(kind: str) -> None:
    """Turn by turn, so that the machine's moods are shared."""
    print(
        "\n| queued | claim, median | claim, 95th percentile | place of the last | all open jobs |"
    )
    print("|---|---|---|---|---|")
    async with AsyncExitStack() as stack:
        ledgers = {}
        for count in (10, 10_000):
            url = stack.enter_context(database(kind))
            ledgers[count] = await stack.enter_async_context(ledger_at(url))
            await fill(ledgers[count], count)
        took: dict[int, list[float]] = {count: [] for count in ledgers}
        for _ in range(_CLAIMS):
            for count, ledger in ledgers.items():
                started = time.perf_counter()
                job = await ledger.jobs.claim("bench", ["puppet"])
                took[count].append(time.perf_counter() - started)
                assert job is not None
                await ledger.jobs.hand_back(job)
        for count, ledger in ledgers.items():
            started = time.perf_counter()
            waiting = await ledger.jobs.open_jobs()
            listed_s = time.perf_counter() - started
            started = time.perf_counter()
            await ledger.fleet.place(waiting[-1])
            placed_s = time.perf_counter() - started
            print(
                f"| {count:,} | {statistics.median(took[count]) * 1000:.1f} ms "
                f"| {statistics.quantiles(took[count], n=20)[-1] * 1000:.1f} ms "
                f"| {placed_s * 1000:.1f} ms | {listed_s * 1000:.0f} ms |"
            )
    few, many = (statistics.median(times) for times in took.values())
    print(f"\nA claim at 10,000 takes {many / few:.2f} times as long as at 10.")


async def bytes_of_a_bell() -> None:
    with tempfile.TemporaryDirectory(prefix="vivant-bench-") as folder:
        async with local_redis(Path(folder)) as url, open_bells(url) as bells:
            before = int((await bells.redis.info("memory"))["used_memory"])
            for _ in range(10_000):
                await bells.ring(RENDER)
            after = int((await bells.redis.info("memory"))["used_memory"])
    print(f"\nRedis holds {(after - before) / 10_000:.0f} bytes for each of 10,000 queued jobs.")


async def measure(kind: str, service_s: float, jobs_each: int) -> None:
    print(f"{kind}; a render is a sleep of {service_s:g} s, {jobs_each} for each worker\n")
    await share_of_ideal(kind, service_s, jobs_each)
    await cost_of_a_job(kind)
    await long_queue(kind)
    await bytes_of_a_bell()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--service", type=float, default=2.0, help="seconds of a render")
    parser.add_argument("--jobs", type=int, default=10, help="for each worker")
    asked = parser.parse_args()
    asyncio.run(measure(asked.database, asked.service, asked.jobs))


if __name__ == "__main__":
    main()
