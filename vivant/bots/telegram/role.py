"""What one process at a time may do: reading one bot's updates. The others stand by."""

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
        """Do *work* whenever the role is ours, until cancelled; raises what *work* raises."""
        try:
            while True:
                await self._win()
                working = asyncio.create_task(work(), name=self.name)
                losing = asyncio.create_task(self._lose(), name=f"role {self.name}")
                try:
                    await asyncio.wait((working, losing), return_when=asyncio.FIRST_COMPLETED)
                finally:
                    ended = working.done()
                    for task in (working, losing):
                        task.cancel()
                    await asyncio.wait((working, losing))
                if ended:
                    working.result()
                    return
                logger.warning("the role was lost", extra={"role": self.name})
        finally:
            await self._step_down()

    async def _win(self) -> None:
        said = False
        while not await self._hold():
            if not said:
                logger.info("standing by: another process has the role", extra={"role": self.name})
                said = True
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
