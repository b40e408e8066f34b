"""From the commit that accepts to the claim, against a bare arq job with the same poll delay.

    python -m bench.queue [--jobs 200]

Both run in one process, turn by turn, against one private Redis, so that the machine's moods
are shared. It also tells where the time goes on the way in and on the way out.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.worker import Worker, func
from rich.console import Console
from rich.table import Table

from tests.engines import QuickEngine
from vivant.clips import MediaRef, ReplyTo, Wish
from vivant.director.words import understand
from vivant.jobs import Order
from vivant.ledger import Ledger
from vivant.queue import RENDER, delivery, hearing
from vivant.queue.worker import POLL_S
from vivant.services import open_services
from vivant.settings import Settings


def order(number: int) -> Order:
    """What an intake would hand over; nothing of it is fetched."""
    profile = QuickEngine().profile
    return Order(
        key=f"event-{number}",
        owner="bench:ada",
        reply_to=ReplyTo(platform="bench", bot="b", chat_id="c", message_id=str(number)),
        language="en",
        plan=understand("group hug"),
        photo=MediaRef(key="p.jpg", media_type="image/jpeg", size_bytes=1),
        photo_width=640,
        photo_height=480,
        sight=None,
        wish=Wish(),
        settings=profile.settings_for(640, 480, Wish()),
        engine=profile.name,
        limit_bytes=1,
    )


class Waiter:
    """Notes when something happened, and lets the next round wait for it."""

    def __init__(self) -> None:
        self.happened = asyncio.Event()
        self.at = 0.0

    def note(self) -> None:
        self.at = time.perf_counter()
        self.happened.set()

    async def __call__(self) -> float:
        await self.happened.wait()
        self.happened.clear()
        return self.at


async def bare(redis: ArqRedis, heard: Waiter) -> float:
    started = time.perf_counter()
    await redis.enqueue_job("bare", _queue_name="bench:bare")
    return await heard() - started


async def measure(jobs: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {
        name: [] for name in ("bare arq", "accept", "ring to claim", "accept to claim", "finish")
    }
    heard, claimed = Waiter(), Waiter()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        settings = Settings.load(
            data_dir=Path(folder), max_open_jobs=1000, free_clips_per_day=100_000,
            max_renders_per_day=100_000, upkeep_s=60,
        )  # fmt: skip
        services = await stack.enter_async_context(open_services(settings))
        ledger: Ledger = services.ledger

        async def on_ring() -> None:
            job = await ledger.jobs.claim("bench", ["quick"])
            if job is not None:
                claimed.note()
                await ledger.jobs.hand_back(job)
                await ledger.jobs.cancel(job.id)

        async def bare_job(ctx: dict[Any, Any]) -> None:
            del ctx
            heard.note()

        worker = Worker(
            functions=[func(bare_job, name="bare", keep_result=0)],
            queue_name="bench:bare",
            redis_settings=RedisSettings.from_dsn(services.redis_url),
            poll_delay=POLL_S,
            handle_signals=False,
        )
        running = asyncio.create_task(worker.async_run())
        redis = await create_pool(RedisSettings.from_dsn(services.redis_url))
        await stack.enter_async_context(
            hearing(services.redis_url, RENDER, on_ring, at_once=1, drain_s=1)
        )
        for number in range(jobs + 10):
            alone = await bare(redis, heard)
            started = time.perf_counter()
            await ledger.jobs.accept(order(number))
            accepted = time.perf_counter()
            await services.bells.ring(RENDER)
            at = await claimed()
            if number >= 10:  # the first ones pay for connections
                times["bare arq"].append(alone)
                times["accept"].append(accepted - started)
                times["ring to claim"].append(at - accepted)
                times["accept to claim"].append(at - started)
        # The way out: what an answer costs beside the platform itself.
        for number in range(20):
            job, _ = await ledger.jobs.accept(replace(order(100_000 + number)))
            claimed_job = await ledger.jobs.claim("bench", ["quick"])
            if claimed_job is None:
                continue
            started = time.perf_counter()
            await ledger.jobs.cancel(job.id)
            await services.bells.ring(delivery("bench", "b"))
            sending = await ledger.jobs.claim_delivery("bench", "b")
            if sending is not None:
                await ledger.jobs.delivered(sending)
            times["finish"].append(time.perf_counter() - started)
        running.cancel()
        await asyncio.wait([running])
        await worker.close()
        await redis.aclose()
    return times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    times = asyncio.run(measure(parser.parse_args().jobs))
    table = Table("what", "median ms", "95th percentile ms", "times bare")
    base = statistics.median(times["bare arq"])
    for name, seconds in times.items():
        middle = statistics.median(seconds)
        high = statistics.quantiles(seconds, n=20)[-1]
        table.add_row(name, f"{middle * 1000:.1f}", f"{high * 1000:.1f}", f"{middle / base:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
