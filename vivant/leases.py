"""Keeping a lease while the work that it is for goes on. Knows no table and no job."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from vivant.errors import LedgerDown

logger = logging.getLogger(__name__)


@asynccontextmanager
async def renewed(
    renew: Callable[[], Awaitable[object]], *, every_s: float, name: str
) -> AsyncGenerator[None]:
    """Call *renew* every *every_s* seconds beside the block, until it answers False.

    A ledger that does not answer is tried again: the lease outlasts two missed beats.
    """

    async def beat() -> None:
        while True:
            await asyncio.sleep(every_s)
            try:
                if await renew() is False:
                    return
            except LedgerDown:
                logger.warning("a beat was missed", extra={"lease": name})

    beating = asyncio.create_task(beat(), name=f"lease of {name}")
    try:
        yield
    finally:
        beating.cancel()
        await asyncio.wait([beating])
