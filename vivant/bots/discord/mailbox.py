"""Messages that ask for something, kept in the ledger until each is seen to.

Discord tells of a message once. What was kept here is seen to even if the process dies; what was
posted while no process was there is found by `catching_up`, and kept here like the rest, so that
a message found twice is seen to once.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from vivant.errors import LedgerDown, TryLater
from vivant.ledger import Arrival, Inbox

_AT_ONCE: Final = 8
#: What a crash left, or what waits for another try, is looked for this often.
_LOOK_S: Final = 1.0
#: Far beyond the window in which messages are caught up.
_REMEMBER_S: Final = 2 * 86_400
_AFTER_A_FAILURE_S: Final = 2.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """Where a message is; what it says is asked for when it is seen to."""

    message_id: int
    channel_id: int
    #: 0 in a DM.
    guild_id: int

    def __str__(self) -> str:
        return f"{self.guild_id}/{self.channel_id}/{self.message_id}"

    @classmethod
    def of(cls, text: str) -> "Posted":
        """As it was kept."""
        guild, channel, message = text.split("/")
        return cls(message_id=int(message), channel_id=int(channel), guild_id=int(guild))


@dataclass(slots=True)
class Mailbox:
    """Sees to the messages of one bot, several at once."""

    inbox: Inbox
    #: May be called twice for the same message.
    see_to: Callable[[Posted], Awaitable[None]]
    #: Tells the person that it broke, three times.
    give_up: Callable[[Posted], Awaitable[None]]
    beat_s: float
    _news: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def keep(self, posted: list[Posted]) -> int:
        """Have them seen to, once each; how many are new."""
        rows = [(str(one.message_id), str(one)) for one in posted]
        while True:
            try:
                new = await self.inbox.put(rows)
            except LedgerDown as exc:
                # Discord tells of a message once, so this is not to be given up.
                logger.warning("the inbox does not open", extra={"why": str(exc)})
                await asyncio.sleep(_LOOK_S)
            else:
                self._news.set()
                return new

    async def run(self) -> None:
        """See to them until cancelled; those under way go on until `drain`."""
        await self.inbox.forget(_REMEMBER_S)
        free = asyncio.Semaphore(_AT_ONCE)

        def over(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            free.release()

        while True:
            await free.acquire()
            task = asyncio.create_task(self._see_to(await self._next()))
            self._tasks.add(task)
            task.add_done_callback(over)

    async def drain(self, seconds: float) -> None:
        """Finish what is under way within *seconds*; the lease brings the rest back."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            if late:
                await asyncio.wait(late)

    async def _next(self) -> Arrival:
        while True:
            self._news.clear()
            try:
                arrival = await self.inbox.claim()
            except LedgerDown as exc:
                logger.warning("the inbox does not open", extra={"why": str(exc)})
                arrival = None
            if arrival is not None:
                return arrival
            try:
                await asyncio.wait_for(self._news.wait(), _LOOK_S)
            except TimeoutError:
                continue

    async def _see_to(self, arrival: Arrival) -> None:
        try:
            async with self._held(arrival):
                await self.see_to(Posted.of(arrival.payload))
            await self.inbox.done(arrival)
        except LedgerDown:
            logger.warning("the ledger went away; the lease will run out")
        except TryLater as exc:
            await self._failed(arrival, exc.retry_after_s)
        except Exception:  # the boundary of one message: the others must not suffer
            logger.exception("a message failed", extra={"tries": arrival.tries})
            await self._failed(arrival, _AFTER_A_FAILURE_S)

    async def _failed(self, arrival: Arrival, retry_s: float) -> None:
        try:
            await self.inbox.failed(arrival, retry_s=retry_s)
            if arrival.is_last_try:
                await self.give_up(Posted.of(arrival.payload))
        except Exception:  # nothing more can be done for it
            logger.exception("could not say that a message was given up")

    @asynccontextmanager
    async def _held(self, arrival: Arrival) -> AsyncGenerator[None]:
        """Renew the lease beside the block."""

        async def renew() -> None:
            while True:
                await asyncio.sleep(self.beat_s)
                try:
                    await self.inbox.renew(arrival)
                except LedgerDown:
                    logger.warning("a lease was not renewed")

        renewing = asyncio.create_task(renew(), name="lease of a message")
        try:
            yield
        finally:
            renewing.cancel()
            await asyncio.wait([renewing])
