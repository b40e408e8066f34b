"""The bell: an arq job without work in it, which says "one more" to whoever listens."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from arq.connections import ArqRedis, RedisSettings, create_pool
from arq.constants import in_progress_key_prefix
from redis.exceptions import RedisError

from vivant.errors import RedisDown
from vivant.queue import codec

#: Where engine workers listen.
RENDER: Final = "vivant:render"
#: The one function of every queue of ours.
RING: Final = "ring"

#: A bell that nobody heard for this long is dropped; upkeep rings again while jobs wait.
_LIFETIME: Final = timedelta(minutes=10)
#: Ringing must not hold up an acceptance; the ledger has the job, and upkeep rings again.
_PATIENCE_S: Final = 2
#: More bells than this are not looked through one by one.
_LOOKED_AT: Final = 256

logger = logging.getLogger(__name__)


def delivery(platform: str, bot: str) -> str:
    """Where the process that owns one bot's token listens."""
    return f"vivant:deliver:{platform}:{bot}"


@dataclass(frozen=True, slots=True)
class Bells:
    """Rings; never raises, since a bell that is lost is rung again."""

    redis: ArqRedis

    async def ring(self, queue: str) -> None:
        """Wake one listener. A fresh id each time: one that still runs swallows the ring."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self.redis.enqueue_job(RING, _queue_name=queue, _expires=_LIFETIME)
        except (RedisError, OSError, TimeoutError) as exc:
            logger.warning("a bell was lost", extra={"queue": queue, "why": type(exc).__name__})

    async def silent(self, queue: str) -> bool:
        """Whether no bell in *queue* waits to be heard; False when Redis does not answer.

        One that somebody holds does not count: that somebody may have been killed, and arq
        keeps the bell of a dead worker for as long as its longest job could take.
        """
        try:
            async with asyncio.timeout(_PATIENCE_S):
                bells = await self.redis.zrange(queue, 0, _LOOKED_AT - 1)
                if not bells:
                    return True
                held = [in_progress_key_prefix + bell.decode(errors="replace") for bell in bells]
                return int(await self.redis.exists(*held)) == len(bells) < _LOOKED_AT
        except (RedisError, OSError, TimeoutError):
            return False

    async def answers(self) -> bool:
        """Whether Redis answers."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return bool(await self.redis.ping())
        except (RedisError, OSError, TimeoutError):
            return False


@asynccontextmanager
async def open_bells(redis_url: str) -> AsyncGenerator[Bells]:
    """Connect for as long as the process needs it."""
    redis = await connect(redis_url)
    try:
        yield Bells(redis)
    finally:
        await redis.aclose()


async def connect(redis_url: str) -> ArqRedis:
    """A pool that speaks msgpack; raises `RedisDown` after five tries."""
    try:
        return await create_pool(
            RedisSettings.from_dsn(redis_url),
            job_serializer=codec.dumps,
            job_deserializer=codec.loads,
        )
    except (RedisError, OSError, TimeoutError) as exc:
        raise RedisDown(f"no Redis answers; see VIVANT_REDIS_URL ({type(exc).__name__})") from exc
