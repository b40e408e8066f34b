"""Hearing the bell: the only place that knows how arq polls, runs and stops."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from arq.connections import ArqRedis
from arq.worker import Worker, func
from redis.asyncio import ConnectionPool
from redis.exceptions import RedisError

from vivant.queue import codec
from vivant.queue.bell import RING

#: An idle listener hears the ring within this; arq's own 0.5 s would be felt.
POLL_S: Final = 0.02
#: arq cancels a job after this. Ours end themselves; the lease in the ledger guards them.
_NEVER_S: Final = 86_400
_RETRY_S: Final = 1.0
_END_S: Final = 2.0
_CONNECT_S: Final = 1.0

logger = logging.getLogger(__name__)
# At INFO arq logs what jobs carry; ours carry nothing, but a foreign one might. Its warnings tell
# of bells that nobody heard in time, which is no news: upkeep rings while jobs wait.
logging.getLogger("arq").setLevel(logging.ERROR)


class _Worker(Worker):
    """Picks jobs whole: cancelled inside arq's transaction, redis-py would leave a line open."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._picking = asyncio.Lock()

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        async with self._picking:
            if self.allow_pick_jobs:
                await super().start_jobs(await self._readable(job_ids))

    async def _readable(self, job_ids: list[bytes]) -> list[bytes]:
        """Without those that are no text, which arq would end at; nobody of ours rang them."""
        strange = [job_id for job_id in job_ids if not _is_text(job_id)]
        if strange:
            logger.warning(
                "bells that nobody can read are dropped",
                extra={"queue": self.queue_name, "bells": len(strange)},
            )
            await self.pool.zrem(self.queue_name, *strange)
        return [job_id for job_id in job_ids if job_id not in strange]

    async def settle(self) -> None:
        """Pick nothing more, and come back when nothing is being picked."""
        self.allow_pick_jobs = False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_END_S), self._picking:
                pass


@dataclass(slots=True)
class Hearing:
    """One queue being listened to. Whatever ends the listening, it begins anew until `stop`."""

    redis_url: str
    queue: str
    on_ring: Callable[[], Awaitable[None]]
    at_once: int
    poll_s: float = POLL_S
    _worker: _Worker | None = field(default=None, init=False)
    _stopping: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Listen until `stop`."""
        while not self._stopping:
            redis = self._line()
            self._worker = self._fresh_worker(redis)
            try:
                await self._worker.async_run()
            except Exception as exc:  # nobody else would see that this process went deaf
                gone = isinstance(exc, (RedisError, OSError, TimeoutError))
                logger.warning(
                    "redis went away" if gone else "listening failed",
                    extra={"queue": self.queue, "why": type(exc).__name__},
                    exc_info=not gone,
                )
                await self._hang_up()
                await asyncio.sleep(_RETRY_S)
            except asyncio.CancelledError:
                if not self._stopping:
                    await self._hang_up()
                    raise
            finally:
                with contextlib.suppress(RedisError, OSError):
                    await redis.aclose(close_connection_pool=True)

    def _line(self) -> ArqRedis:
        # Not arq's own, which leaves a connection open where it is cancelled while connecting.
        return ArqRedis(
            ConnectionPool.from_url(self.redis_url, socket_connect_timeout=_CONNECT_S),
            job_serializer=codec.dumps,
            job_deserializer=codec.loads,
        )

    def deafen(self) -> None:
        """Hear nothing more; what runs goes on."""
        self._stopping = True
        if self._worker is not None:
            self._worker.allow_pick_jobs = False

    async def stop(self, drain_s: float) -> None:
        """Hear nothing more; let what runs finish for *drain_s* seconds, then cancel it."""
        self.deafen()
        if self._worker is None:
            return
        running = [task for task in self._worker.tasks.values() if not task.done()]
        if running:
            await asyncio.wait(running, timeout=drain_s)
        await self._hang_up()

    async def _hang_up(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.settle()
            with contextlib.suppress(RedisError, OSError, asyncio.CancelledError):
                await worker.close()

    def _fresh_worker(self, redis: ArqRedis) -> _Worker:
        async def ring(ctx: dict[Any, Any]) -> None:
            del ctx
            try:
                await self.on_ring()
            except Exception:  # arq would retry and then forget; the ledger knows better
                logger.exception("hearing a bell failed", extra={"queue": self.queue})

        return _Worker(
            functions=[func(ring, name=RING, max_tries=1, timeout=_NEVER_S, keep_result=0)],
            queue_name=self.queue,
            redis_pool=redis,
            job_serializer=codec.dumps,
            job_deserializer=codec.loads,
            max_jobs=self.at_once,
            poll_delay=self.poll_s,
            handle_signals=False,  # the process decides when to stop
            log_results=False,
        )


def _is_text(job_id: bytes) -> bool:
    try:
        job_id.decode()
    except UnicodeDecodeError:
        return False
    return True


@asynccontextmanager
async def hearing(
    redis_url: str,
    queue: str,
    on_ring: Callable[[], Awaitable[None]],
    *,
    at_once: int,
    drain_s: float,
) -> AsyncGenerator[Hearing]:
    """Listen until the block ends; then drain."""
    ears = Hearing(redis_url, queue, on_ring, at_once)
    running = asyncio.create_task(ears.run(), name=f"hearing {queue}")
    try:
        yield ears
    finally:
        await ears.stop(drain_s)
        # arq ends by itself now; cancelled in its own cleaning up, it would leave a line open.
        await asyncio.wait([running], timeout=_END_S)
        running.cancel()
        await asyncio.wait([running])
