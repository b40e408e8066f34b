"""Takes updates out of a bot's inbox and sees to each until it is done.

Several at once, and few of one sender: whoever floods the bot waits for themselves, and nobody else
does. Each keeps its lease while it is seen to. What the platform or the store cannot do just now is
tried again in place; what breaks is tried three times in all and then given up, and said so.
Knows no platform: what lies in the inbox is text that the platform's folder put there.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from vivant.errors import LedgerDown, MediaMissing, TryLater, Undeliverable
from vivant.leases import renewed
from vivant.ledger import Arrival, Inbox

#: Rows that a crash left, or that wait for another try, are looked for this often.
_LOOK_S: Final = 1.0
#: How long an outage of the platform or the store may last before a try counts as failed.
_PATIENCE_S: Final = 600.0
_LAST_PAUSE_S: Final = 30.0
#: A longer wait than this goes back into the inbox: it would keep a place from others.
_LONGEST_S: Final = 60.0
#: No platform repeats an update for longer than a day.
_REMEMBER_S: Final = 2 * 86_400
_FORGET_EVERY_S: Final = 3600.0

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Reception:
    """Sees to the updates of one bot."""

    inbox: Inbox
    #: Sees to one update; may be called twice for the same one.
    see_to: Callable[[str], Awaitable[None]]
    #: Tells the person that it was given up.
    give_up: Callable[[str], Awaitable[None]]
    beat_s: float
    #: More than ten, since the items of an album wait for each other.
    at_once: int = 32
    #: Of one sender, an album counted once: two messages of words, and the photo behind them.
    of_one: int = 3
    _news: asyncio.Event = field(default_factory=asyncio.Event, init=False)
    _tasks: dict[asyncio.Task[None], Arrival] = field(default_factory=dict, init=False)
    _forgot_at: float = field(default=float("-inf"), init=False)

    def wake(self) -> None:
        """There is something new in the inbox."""
        self._news.set()

    async def run(self) -> None:
        """Take up updates until cancelled; those under way go on until `drain`."""
        free = asyncio.Semaphore(self.at_once)

        def over(task: asyncio.Task[None]) -> None:
            del self._tasks[task]
            free.release()
            self.wake()  # its sender may have another

        while True:
            await free.acquire()
            arrival = await self._next()
            task = asyncio.create_task(self._see_to(arrival), name=f"update {arrival.event}")
            self._tasks[task] = arrival
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
                arrival = await self._claim()
                if arrival is not None:
                    return arrival
                await self._forget()
            except LedgerDown as exc:
                logger.warning("the inbox does not open", extra={"why": str(exc)})
            try:
                await asyncio.wait_for(self._news.wait(), _LOOK_S)
            except TimeoutError:
                continue

    async def _claim(self) -> Arrival | None:
        """The next one, unless its sender has enough in hand."""
        in_hand = self._tasks.values()
        places = {(one.sender, one.album or one.event) for one in in_hand}
        of_each = Counter(sender for sender, _ in places if sender is not None)
        return await self.inbox.claim(
            but_of=[sender for sender, count in of_each.items() if count >= self.of_one],
            albums={one.album for one in in_hand if one.album is not None},
        )

    async def _see_to(self, arrival: Arrival) -> None:
        if arrival.is_hopeless:
            await self._failed(arrival, 0)
            return
        lease = renewed(
            lambda: self.inbox.renew(arrival),
            every_s=self.beat_s,
            name=f"update {arrival.event}",
        )
        try:
            async with lease:
                await self._patiently(arrival.payload)
            await self.inbox.done(arrival)
        except LedgerDown:
            logger.warning("the ledger went away; the lease will run out")
        except TryLater as exc:
            logger.warning("an update has to wait", extra={"s": exc.retry_after_s})
            await self._failed(arrival, exc.retry_after_s)
        except Exception:  # the boundary of one update: the others must not suffer
            logger.exception("an update failed", extra={"tries": arrival.tries})
            await self._failed(arrival, 1)

    async def _patiently(self, payload: str) -> None:
        """Once, or again and again while the platform only asks us to wait."""
        until = time.monotonic() + _PATIENCE_S
        pause = 1.0
        while True:
            try:
                await self.see_to(payload)
            except (TryLater, MediaMissing) as exc:
                wait_s = exc.retry_after_s if isinstance(exc, TryLater) else 0
                if time.monotonic() > until or wait_s > _LONGEST_S:
                    raise
                logger.warning("an update has to wait", extra={"why": str(exc)})
                await asyncio.sleep(max(pause, wait_s))
                pause = min(pause * 2, _LAST_PAUSE_S)
            except Undeliverable as exc:
                logger.info("nobody can be answered", extra={"why": str(exc)})
                return
            else:
                return

    async def _failed(self, arrival: Arrival, retry_s: float) -> None:
        try:
            if await self.inbox.failed(arrival, retry_s=retry_s):
                logger.error("an update was given up", extra={"event": arrival.event})
                await self.give_up(arrival.payload)
        except Exception:  # nothing more can be done for it
            logger.exception("could not say that it was given up")

    async def _forget(self) -> None:
        if time.monotonic() - self._forgot_at > _FORGET_EVERY_S:
            await self.inbox.forget(_REMEMBER_S)
            self._forgot_at = time.monotonic()
