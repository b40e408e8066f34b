"""The radio: progress to the bots, "stop" to the engines. Lossy; whoever listens, hears."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

import msgspec
from arq.connections import ArqRedis
from redis.asyncio import Redis
from redis.exceptions import RedisError

from vivant.clips import Progress
from vivant.queue import codec

#: Where engine workers hear which job to stop.
STOPS: Final = "vivant:stop"
_PATIENCE_S: Final = 2
_RETRY_S: Final = 1.0

logger = logging.getLogger(__name__)


def progress_of(platform: str, bot: str) -> str:
    """Where one bot hears how its jobs go."""
    return f"vivant:progress:{platform}:{bot}"


@dataclass(frozen=True, slots=True)
class Radio:
    """Sends; never raises: what is not heard is not missed."""

    redis: ArqRedis

    async def report(self, platform: str, bot: str, progress: Progress) -> None:
        """Tell the bot that asked."""
        await self._send(progress_of(platform, bot), codec.progress_to_wire(progress))

    async def stop(self, job_id: str) -> None:
        """Tell the engines to end one job at its next step; the beat is the fallback."""
        await self._send(STOPS, job_id.encode())

    async def _send(self, channel: str, data: bytes) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self.redis.publish(channel, data)
        except (RedisError, OSError, TimeoutError) as exc:
            logger.debug("not sent", extra={"channel": channel, "why": type(exc).__name__})


@asynccontextmanager
async def listening(
    redis_url: str, channel: str, on_message: Callable[[bytes], Awaitable[None]]
) -> AsyncGenerator[None]:
    """Hear *channel* until the block ends, through outages of Redis."""
    task = asyncio.create_task(_listen(redis_url, channel, on_message), name=f"radio {channel}")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def hearing_progress(
    redis_url: str, platform: str, bot: str, on_progress: Callable[[Progress], Awaitable[None]]
) -> AsyncGenerator[None]:
    """Hear how one bot's jobs go."""

    async def on_message(data: bytes) -> None:
        try:
            progress = codec.progress_from_wire(data)
        except (msgspec.DecodeError, msgspec.ValidationError):
            logger.warning("not a progress report")
            return
        await on_progress(progress)

    async with listening(redis_url, progress_of(platform, bot), on_message):
        yield


async def _listen(
    redis_url: str, channel: str, on_message: Callable[[bytes], Awaitable[None]]
) -> None:
    while True:
        # Closed by hand: cancelled while it connects, `async with` would leave it open.
        redis = Redis.from_url(redis_url)
        try:
            async with redis.pubsub() as pubsub:
                await pubsub.subscribe(channel)
                async for message in pubsub.listen():
                    if message["type"] == "message":
                        await _hand_over(on_message, message["data"])
        except (RedisError, OSError) as exc:
            logger.debug("radio silence", extra={"channel": channel, "why": type(exc).__name__})
        finally:
            await redis.aclose()
        await asyncio.sleep(_RETRY_S)


async def _hand_over(on_message: Callable[[bytes], Awaitable[None]], data: bytes) -> None:
    try:
        await on_message(data)
    except Exception:  # one bad message must not silence the radio
        logger.exception("a message could not be handled")
