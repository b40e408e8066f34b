"""The bell and the radio: what is heard, what is not believed, what outlives Redis."""

import asyncio
import gc
import os
import pickle
import signal
from pathlib import Path

import pytest
from arq.worker import Worker
from redis.asyncio import Redis

from tests.conftest import wait_until
from vivant.clips import Progress, RenderStage
from vivant.errors import RedisDown
from vivant.queue import RENDER, Bells, Radio, hearing, hearing_progress, open_bells
from vivant.queue.bell import connect
from vivant.queue.local_redis import local_redis
from vivant.queue.worker import Hearing
from vivant.services import Services


class Listener:
    """Counts the rings it hears."""

    def __init__(self) -> None:
        self.heard = 0
        self.may_go = asyncio.Event()
        self.may_go.set()

    async def on_ring(self) -> None:
        self.heard += 1
        await self.may_go.wait()


async def test_every_ring_is_heard_once(services: Services) -> None:
    """Fifty rings, two listeners, fifty times heard."""
    listener = Listener()
    ears = (services.redis_url, RENDER, listener.on_ring)
    async with hearing(*ears, at_once=2, drain_s=1), hearing(*ears, at_once=2, drain_s=1):
        for _ in range(50):
            await services.bells.ring(RENDER)
        await wait_until(lambda: listener.heard == 50)
        await wait_until(lambda: services.bells.silent(RENDER))

    assert listener.heard == 50


async def test_whoever_stops_listening_in_the_middle_leaves_no_line_open(
    services: Services,
) -> None:
    """redis-py warns of a line that nobody put back, and a warning is an error here."""
    held, late = Listener(), Listener()
    held.may_go.clear()
    async with hearing(services.redis_url, RENDER, held.on_ring, at_once=8, drain_s=0):
        for _ in range(8):
            await services.bells.ring(RENDER)
        await wait_until(lambda: held.heard == 8)
        for number in range(20):
            # All that this one finds is held already: it is always in the middle of looking.
            ears = Hearing(services.redis_url, RENDER, late.on_ring, at_once=8, poll_s=0)
            listening = asyncio.create_task(ears.run())
            # Another moment each time; most of them are inside one of arq's transactions.
            await asyncio.wait([listening], timeout=0.02 + number * 0.0007)
            await ears.stop(0)
            await listening
    gc.collect()

    assert late.heard == 0


async def test_after_the_block_no_ring_is_seen_to_any_more(services: Services) -> None:
    """What they use, the ledger among others, may be closed next."""
    begun = ended = 0

    async def on_ring() -> None:
        nonlocal begun, ended
        number = begun = begun + 1
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(100 * number):  # each takes its own while to put things in order
                await asyncio.sleep(0)
            ended += 1

    async with hearing(services.redis_url, RENDER, on_ring, at_once=8, drain_s=0):
        for _ in range(8):
            await services.bells.ring(RENDER)
        await wait_until(lambda: begun == 8)

    assert ended == 8


async def test_a_listener_with_no_free_hand_leaves_the_bell_to_others(services: Services) -> None:
    """One ring is held, the second is heard by whoever is free."""
    busy, free = Listener(), Listener()
    busy.may_go.clear()
    async with hearing(services.redis_url, RENDER, busy.on_ring, at_once=1, drain_s=1):
        await services.bells.ring(RENDER)
        await wait_until(lambda: busy.heard == 1)
        async with hearing(services.redis_url, RENDER, free.on_ring, at_once=1, drain_s=1):
            await services.bells.ring(RENDER)
            await wait_until(lambda: free.heard == 1)
        busy.may_go.set()

    assert busy.heard == 1


async def test_a_bell_that_a_dead_worker_holds_does_not_keep_others_silent(
    services: Services,
) -> None:
    """Arq keeps it for a day; jobs that wait meanwhile must be rung for."""
    dead = Listener()
    dead.may_go.clear()
    async with hearing(services.redis_url, RENDER, dead.on_ring, at_once=1, drain_s=1):
        await services.bells.ring(RENDER)
        await wait_until(lambda: dead.heard == 1)

        assert await services.bells.silent(RENDER)
        await services.bells.ring(RENDER)
        assert not await services.bells.silent(RENDER)
        dead.may_go.set()


async def test_a_listener_that_raises_goes_on_listening(services: Services) -> None:
    """A bell is no work: what its listener could not do, the ledger still holds."""
    heard = 0

    async def on_ring() -> None:
        nonlocal heard
        heard += 1
        if heard == 1:
            raise RuntimeError("not this time")

    async with hearing(services.redis_url, RENDER, on_ring, at_once=1, drain_s=1):
        await services.bells.ring(RENDER)
        await services.bells.ring(RENDER)
        await wait_until(lambda: heard == 2)


async def test_stopping_lets_what_runs_finish(services: Services) -> None:
    """The block ends only after the work is done."""
    listener = Listener()
    listener.may_go.clear()
    finished = False

    async def on_ring() -> None:
        nonlocal finished
        await listener.on_ring()
        finished = True

    async with hearing(services.redis_url, RENDER, on_ring, at_once=1, drain_s=10):
        await services.bells.ring(RENDER)
        await wait_until(lambda: listener.heard == 1)
        asyncio.get_running_loop().call_later(0.05, listener.may_go.set)

    assert finished


async def test_nothing_that_lies_in_redis_is_unpickled(services: Services, tmp_path: Path) -> None:
    """A planted pickle would run code in a worker that trusted it; ours hears the next bell."""
    trap = tmp_path / "sprung"
    listener = Listener()
    async with Redis.from_url(services.redis_url) as redis:
        await redis.set("arq:job:planted", pickle.dumps(_Trap(trap)))
        await redis.zadd(RENDER, {"planted": 1})
    async with hearing(services.redis_url, RENDER, listener.on_ring, at_once=1, drain_s=1):
        await services.bells.ring(RENDER)
        await wait_until(lambda: listener.heard == 1)
        await wait_until(lambda: services.bells.silent(RENDER))

    assert not trap.exists()
    pickle.loads(pickle.dumps(_Trap(trap)))  # noqa: S301  # the trap does work
    assert trap.exists()


async def test_a_bell_that_is_no_text_deafens_nobody(services: Services) -> None:
    """It is dropped by whoever hears it, and counts until then as any other."""
    listener = Listener()
    async with Redis.from_url(services.redis_url) as redis:
        await redis.zadd(RENDER, {b"\xff": 1})
    assert not await services.bells.silent(RENDER)
    async with hearing(services.redis_url, RENDER, listener.on_ring, at_once=1, drain_s=1):
        await services.bells.ring(RENDER)
        await wait_until(lambda: listener.heard == 1)
        await wait_until(lambda: services.bells.silent(RENDER))


async def test_whatever_ends_the_listening_it_begins_anew(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody watches the ears: they must come back from an error that nobody thought of."""
    listener = Listener()
    listen = Worker.async_run
    listened = 0

    async def once_not(worker: Worker) -> None:
        nonlocal listened
        listened += 1
        if listened == 1:
            raise LookupError("not thought of")
        await listen(worker)

    monkeypatch.setattr(Worker, "async_run", once_not)
    async with hearing(services.redis_url, RENDER, listener.on_ring, at_once=1, drain_s=1):
        await services.bells.ring(RENDER)
        await wait_until(lambda: listener.heard == 1)

    assert listened == 2


async def test_a_bell_carries_nothing(services: Services) -> None:
    """No word, no id, no photo lies in Redis."""
    await services.bells.ring(RENDER)

    async with Redis.from_url(services.redis_url) as redis:
        (job_id,) = await redis.zrange(RENDER, 0, -1)
        stored = await redis.get(b"arq:job:" + job_id)
    assert b"ring" in stored
    assert len(stored) < 80


async def test_ringing_never_raises_and_never_hangs(tmp_path: Path) -> None:
    """An acceptance does not wait for a Redis that is gone."""
    async with local_redis(tmp_path) as url, open_bells(url) as bells:
        async with Redis.from_url(url) as redis:
            await redis.config_set("save", "")
            pid = (await redis.info("server"))["process_id"]
        os.kill(pid, signal.SIGSTOP)
        try:
            await bells.ring(RENDER)
            assert not await bells.answers()
        finally:
            os.kill(pid, signal.SIGCONT)
        await wait_until(bells.answers)


async def test_progress_is_heard_and_noise_is_not_believed(services: Services) -> None:
    """Whatever somebody publishes there, the radio goes on."""
    heard: list[Progress] = []

    async def on_progress(progress: Progress) -> None:
        heard.append(progress)
        if progress.step == 1:
            raise RuntimeError("one bad message")

    radio = Radio(services.bells.redis)
    async with hearing_progress(services.redis_url, "chat", "bot", on_progress):
        async with Redis.from_url(services.redis_url) as redis:
            channel = "vivant:progress:chat:bot"
            await wait_until(lambda: _has_listener(redis, channel))
            await redis.publish(channel, b"\x80\x04noise")
        for step in (1, 2):
            report = Progress(job_id="j", stage=RenderStage.RENDERING, step=step, total_steps=2)
            await radio.report("chat", "bot", report)
        await wait_until(lambda: len(heard) == 2)

    assert [report.step for report in heard] == [1, 2]


async def test_listeners_come_back_with_redis(tmp_path: Path) -> None:
    """Killed and started anew at the same place: the same ears hear the next ring."""
    listener = Listener()
    async with (
        local_redis(tmp_path) as url,
        hearing(url, RENDER, listener.on_ring, at_once=1, drain_s=1),
    ):
        async with Redis.from_url(url) as redis:
            pid = (await redis.info("server"))["process_id"]
        os.kill(pid, signal.SIGKILL)

        async def rung() -> bool:
            await _ring_anew(url)
            return listener.heard > 0

        await wait_until(rung, within_s=30)


async def _ring_anew(url: str) -> None:
    try:
        pool = await connect(url)
    except RedisDown:
        return
    await Bells(pool).ring(RENDER)
    await pool.aclose()


async def _has_listener(redis: Redis, channel: str) -> bool:
    return bool((await redis.pubsub_numsub(channel))[0][1])


class _Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return (Path.touch, (self.path,))
