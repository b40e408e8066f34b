"""What one process at a time may do: talking with one bot's token. The others stand by."""

import asyncio
import logging
import os
import secrets
import socket
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from vivant.errors import LedgerDown
from vivant.ledger import Fleet

logger = logging.getLogger(__name__)


def _somebody() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"


@dataclass(slots=True)
class Role:
    """Held by a lease in the ledger, which a process that died lets lapse."""

    fleet: Fleet
    name: str
    lease_s: float
    beat_s: float
    me: str = field(default_factory=_somebody)

    async def play(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Wait for the role and do *work* until it ends, or until the role is another's.

        Cancelled, it waits for *work* to put things in order. Raises what *work* raises.
        """
        try:
            await self._win()
            working = asyncio.create_task(work(), name=self.name)
            losing = asyncio.create_task(self._lose(), name=f"role {self.name}")
            try:
                await asyncio.wait((working, losing), return_when=asyncio.FIRST_COMPLETED)
            finally:
                ended = working.done()
                # The role is kept for as long as what is under way comes to its end.
                for task in (working, losing):
                    task.cancel()
                    await asyncio.wait([task])
            if ended:
                working.result()
            else:
                logger.warning("the role was lost", extra={"role": self.name})
        finally:
            await self._step_down()

    async def _win(self) -> None:
        said = False
        while not await self._hold():
            if not said:
                said = True
                told = {"role": self.name}
                logger.warning("another process talks with this token; standing by", extra=told)
            await asyncio.sleep(self.beat_s)

    async def _lose(self) -> None:
        """Return once the role is no longer ours for sure."""
        sure_until = time.monotonic() + self.lease_s
        while time.monotonic() < sure_until:
            await asyncio.sleep(self.beat_s)
            asked_at = time.monotonic()
            try:
                if not await self.fleet.hold(self.name, self.me, for_s=self.lease_s):
                    return
            except LedgerDown:
                continue
            sure_until = asked_at + self.lease_s

    async def _hold(self) -> bool:
        try:
            return await self.fleet.hold(self.name, self.me, for_s=self.lease_s)
        except LedgerDown as exc:
            logger.warning("the role cannot be asked for", extra={"why": str(exc)})
            return False

    async def _step_down(self) -> None:
        try:
            await self.fleet.release(self.name, self.me)
        except LedgerDown:
            logger.debug("the role will lapse by itself")


async def until(stop: asyncio.Event, work: Coroutine[Any, Any, None]) -> None:
    """Run *work*, and cancel it at *stop*; raises what it raises."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((working, stopping), return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            working.result()
    finally:
        working.cancel()
        stopping.cancel()
        await asyncio.wait((working, stopping))
