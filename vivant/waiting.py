"""The status message of each open job, kept true while its clip is on the way.

Edits are what a chat bears least, so a text that did not change is not sent, a chat that was
just edited is left alone, and an answer on its way silences the rest.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from vivant.chat import Button, ChatPlatform, Verb
from vivant.clips import JobState, Progress, ReplyTo
from vivant.errors import MessageGone, PlatformError, TryLater
from vivant.jobs import Job
from vivant.ledger import Ledger
from vivant.messages import Messages

#: Positions are told anew this often, to this many of the jobs that come next.
_TICK_S: Final = 4.0
_TOLD: Final = 50

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Board:
    """What one job's status message says."""

    job: Job
    text: str = ""
    closed: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(slots=True)
class StatusMessages:
    """The status messages of one bot."""

    platform: ChatPlatform
    ledger: Ledger
    _boards: dict[str, _Board] = field(default_factory=dict, init=False)
    #: When each chat bears the next edit (monotonic seconds).
    _next_edit: dict[str, float] = field(default_factory=dict, init=False)

    async def text_of(self, job: Job) -> str:
        """What the status message of a waiting job says now."""
        place = await self.ledger.fleet.place(job)
        ready = None
        if place.expected_s is not None:
            ready = self.platform.moment(time.time() + place.expected_s)
        return Messages(job.language).waiting(job.plan, place, ready)

    def buttons_of(self, job: Job) -> tuple[Button, ...]:
        """What stands under it."""
        words = Messages(job.language)
        return tuple(
            Button(label=words.verb(verb), verb=verb, target=job.id)
            for verb in (Verb.CANCEL, Verb.CORRECT)
            if verb in self.platform.shows
        )

    async def on_progress(self, progress: Progress) -> None:
        """Move the bar of one job on, if its chat bears an edit now."""
        board = self._boards.get(progress.job_id)
        if board is None:
            job = await self.ledger.jobs.get(progress.job_id)
            if job is None or job.state is not JobState.RENDERING:
                return
            board = self._boards.setdefault(job.id, _Board(job))
        await self._show(board, Messages(board.job.language).progress(board.job.plan, progress))

    async def keep_positions_true(self) -> None:
        """Tell waiting jobs their place, again and again."""
        while True:
            await asyncio.sleep(_TICK_S)
            try:
                await self._tell_positions()
            except Exception:  # the next round may work; a bot must not die of its decoration
                logger.exception("positions could not be told")

    async def _tell_positions(self) -> None:
        open_jobs = await self.ledger.jobs.open_jobs(
            platform=self.platform.name, bot=self.platform.bot
        )
        known = {job.id for job in open_jobs}
        for job_id in [job_id for job_id in self._boards if job_id not in known]:
            del self._boards[job_id]
        for job in open_jobs[:_TOLD]:
            if job.state is JobState.QUEUED:
                board = self._boards.setdefault(job.id, _Board(job))
                board.job = job
                await self._show(board, await self.text_of(job))

    @asynccontextmanager
    async def silenced(self, job: Job) -> AsyncGenerator[None]:
        """No more edits of this job's status message: the answer takes its place."""
        board = self._boards.setdefault(job.id, _Board(job))
        board.closed = True
        async with board.lock:  # an edit that is under way goes first
            yield
        self._boards.pop(job.id, None)

    async def _show(self, board: _Board, text: str) -> None:
        job = board.job
        if board.closed or text == board.text or board.lock.locked():
            return
        if job.reply_to is None or job.status_message is None:
            return
        if time.monotonic() < self._next_edit.get(job.reply_to.chat_id, 0.0):
            return
        async with board.lock:
            self._wait(job.reply_to, self.platform.edit_every_s(job.reply_to))
            try:
                await self.platform.edit_text(
                    job.reply_to, job.status_message, text, buttons=self.buttons_of(job)
                )
            except TryLater as exc:
                self._wait(job.reply_to, exc.retry_after_s)
            except MessageGone:
                board.closed = True
            except PlatformError as exc:
                logger.debug("status not shown", extra={"job": job.id, "why": type(exc).__name__})
            else:
                board.text = text

    def _wait(self, to: ReplyTo, seconds: float) -> None:
        self._next_edit[to.chat_id] = time.monotonic() + seconds
