"""What crashes leave: expired leases, late jobs, lost bells, old media. One process at a time.

Runs in every process of the service; a role in the ledger makes one of them do it.
"""

import asyncio
import logging
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from vivant.clips import MediaRef
from vivant.errors import LedgerDown, MediaMissing, RowUnreadable
from vivant.ledger import Ledger
from vivant.ledger.jobs import media_of
from vivant.media import MediaStore
from vivant.queue import RENDER, Bells, delivery

#: Bells rung anew in one round; more are not needed to keep every worker busy.
_MOST_RINGS: Final = 64
#: A photo or clip that no job holds is an orphan after this; before, its job may be on the way.
_ORPHAN_S: Final = 3600
#: Drafts that nobody answered.
_DRAFT_S: Final = 3600
#: The store is looked through this seldom: it is the one slow question.
_SWEEP_EVERY: Final = 200

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Upkeep:
    """Repairs by the same arrows that everybody takes."""

    ledger: Ledger
    media: MediaStore
    bells: Bells
    every_s: float
    keep_s: float
    _me: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}", init=False)
    _rounds: int = field(default=0, init=False)

    async def run(self) -> None:
        """Round after round, until cancelled."""
        try:
            while True:
                try:
                    if await self.ledger.fleet.hold("upkeep", self._me, for_s=self.every_s * 3):
                        await self.once()
                except LedgerDown as exc:
                    logger.warning("upkeep put off", extra={"why": str(exc)})
                await asyncio.sleep(self.every_s)
        finally:
            await self._step_down()

    async def once(self) -> None:
        """One round. A step that fails does not keep the others from being taken."""
        steps = [self._repair, self._ring_again, self._forget, self._forget_drafts]
        if self._rounds % _SWEEP_EVERY == 0:
            steps += [self._sweep, self.ledger.tidy]
        self._rounds += 1
        for step in steps:
            try:
                await step()
            except (LedgerDown, MediaMissing, RowUnreadable) as exc:
                logger.warning("upkeep put off", extra={"step": step.__name__, "why": str(exc)})
            except Exception:  # one bad row must not end the upkeep of all others
                logger.exception("upkeep failed", extra={"step": step.__name__})

    async def _repair(self) -> None:
        jobs = self.ledger.jobs
        lost = await jobs.expire_renders()
        unsent = await jobs.expire_deliveries()
        late = await jobs.expire_deadlines()
        if lost or unsent or late:
            logger.info("repaired", extra={"lost": lost, "unsent": unsent, "late": late})

    async def _ring_again(self) -> None:
        waiting = await self.ledger.jobs.waiting()
        if waiting and await self.bells.silent(RENDER):
            for _ in range(min(waiting, _MOST_RINGS)):
                await self.bells.ring(RENDER)
        for platform, bot in await self.ledger.jobs.bots_with_answers():
            queue = delivery(platform, bot)
            if await self.bells.silent(queue):
                await self.bells.ring(queue)

    async def _forget(self) -> None:
        for job_id, media in await self.ledger.jobs.forgettable(self.keep_s):
            if await self._delete(media):
                await self.ledger.jobs.purge(job_id)

    async def _forget_drafts(self) -> None:
        for draft_id, order in await self.ledger.drafts.expired(_DRAFT_S):
            await self.ledger.drafts.drop(draft_id)
            # A crash may have come between its acceptance and the end of the draft.
            if order is not None and await self.ledger.jobs.find(order.key) is None:
                await self._delete(media_of(order))

    async def _sweep(self) -> None:
        # Drafts first: one that is accepted meanwhile is then seen as a draft, a job, or both.
        held = await self.ledger.drafts.media_keys()
        held |= await self.ledger.jobs.media_keys()
        orphans = [ref async for ref in self.media.older_than(_ORPHAN_S) if ref.key not in held]
        await self._delete(orphans)

    async def _delete(self, refs: Iterable[MediaRef]) -> bool:
        """Whether all of them are gone; those that are not are tried again in a later round."""
        all_gone = True
        for ref in refs:
            try:
                await self.media.delete(ref)
            except MediaMissing as exc:
                logger.warning("not deleted", extra={"why": str(exc)})
                all_gone = False
        return all_gone

    async def _step_down(self) -> None:
        try:
            await self.ledger.fleet.release("upkeep", self._me)
        except LedgerDown:
            logger.debug("the role will lapse by itself")
