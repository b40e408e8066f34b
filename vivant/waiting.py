"""The status message of each open job, kept true while its clip is on the way.

Edits are what a chat bears least, so a text that did not change is not sent, a chat that was
just written to is left alone, and an answer on its way silences the rest.
"""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from vivant.chat import Button, ChatPlatform, Verb
from vivant.clips import JobState, Progress, ReplyTo
from vivant.errors import MessageGone, PlatformError, TryLater
from vivant.houses import Houses
from vivant.jobs import Job
from vivant.ledger import Ledger
from vivant.messages import Messages

#: Positions are told anew this often, to this many of the jobs that come next.
_TICK_S: Final = 4.0
_TOLD: Final = 50
#: Bars that move at the same time; what finds no room is dropped, the next report comes soon.
_AT_ONCE: Final = 16
#: An expected time is told anew once it is off by more than this.
_ABOUT_RIGHT_S: Final = 20.0
#: A job that has its answer is remembered this long: an edit that was decided on before the answer
#: came must not be shown over it. Not longer: at ten jobs a second each minute is 1.5 MB.
_REMEMBERED_S: Final = 60.0

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Board:
    """What one job's status message says."""

    job: Job
    #: Its house wants no news before the answer.
    quiet: bool = False
    text: str = ""
    #: When the clip was last expected, in seconds since 1970.
    expected_at: float | None = None
    #: When an answer took over, in monotonic seconds; nothing else is shown from then on.
    closed_at: float | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def close(self) -> None:
        self.closed_at = time.monotonic()


@dataclass(slots=True)
class StatusMessages:
    """The status messages of one bot."""

    platform: ChatPlatform
    ledger: Ledger
    houses: Houses
    _boards: dict[str, _Board] = field(default_factory=dict, init=False)
    #: When each chat bears the next edit (monotonic seconds).
    _next_edit: dict[str, float] = field(default_factory=dict, init=False)
    _edits: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def begin(self, job: Job, stands: str | None) -> None:
        """Send the status message, once; a message of ours that *stands* becomes it.

        The job is taken: whatever goes wrong here, its answer comes by a line of its own.
        """
        to = job.reply_to
        if to is None or job.status_message is not None or job.is_over:
            return
        board = await self._board(job)
        async with board.lock:
            try:
                if board.closed_at is not None:  # answered already, by a line
                    if stands is not None:
                        await self.platform.remove(to, stands)
                elif board.job.status_message is None:
                    await self._first(board, to, stands)
            except PlatformError as exc:
                logger.info("not acknowledged", extra={"job": job.id, "why": type(exc).__name__})

    async def _first(self, board: _Board, to: ReplyTo, stands: str | None) -> None:
        job = board.job
        text, buttons = await self._text_of(board), self._buttons_of(job)
        self._wait(to, self.platform.edit_every_s(to))
        if stands is not None:
            # Remembered first: if this edit is lost, a later one still finds the message.
            await self._remember(board, stands)
            await self.platform.edit_text(to, stands, text, buttons=buttons)
            board.text = text
            return
        nonce = f"{job.id}.0"
        sent = await self.platform.send_text(to, text, buttons=buttons, nonce=nonce)
        await self._remember(board, sent)
        board.text = text

    async def _remember(self, board: _Board, message_id: str) -> None:
        kept = await self.ledger.jobs.remember_status(board.job.id, message_id)
        board.job = replace(board.job, status_message=kept)

    async def _text_of(self, board: _Board) -> str:
        """What the status message of a waiting job says now."""
        job = board.job
        place = await self.ledger.fleet.place(job)
        ready = None
        if place.expected_s is not None:
            fresh = time.time() + place.expected_s
            # What was said before stands while it is about right: a time that moves with the
            # clock would be an edit every round.
            if board.expected_at is None or abs(fresh - board.expected_at) > _ABOUT_RIGHT_S:
                board.expected_at = fresh
            ready = self.platform.moment(board.expected_at, job.language)
        return Messages(job.language).waiting(job.plan, place, ready)

    def _buttons_of(self, job: Job) -> tuple[Button, ...]:
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
            board = await self._board(job)
        text = Messages(board.job.language).progress(board.job.plan, progress)
        if not self._bears(board, text) or len(self._edits) >= _AT_ONCE:
            return
        # Not waited for: a chat that is slow to answer must not hold up the bars of all others.
        edit = asyncio.create_task(self._show(board, text), name=f"progress of {progress.job_id}")
        self._edits.add(edit)
        edit.add_done_callback(self._edits.discard)

    async def keep_true(self) -> None:
        """Tell waiting jobs their place, again and again, until cancelled."""
        try:
            while True:
                await asyncio.sleep(_TICK_S)
                try:
                    await self.tell_positions()
                except Exception:  # the next round may work; no bot must die of its decoration
                    logger.exception("positions could not be told")
        finally:
            for edit in self._edits:
                edit.cancel()
            await asyncio.gather(*self._edits, return_exceptions=True)

    async def tell_positions(self) -> None:
        """One round; what is over is forgotten."""
        open_jobs = await self.ledger.jobs.open_jobs(
            platform=self.platform.name, bot=self.platform.bot, limit=_TOLD
        )
        self._forget({job.id for job in open_jobs})
        for job in open_jobs:
            if job.state is JobState.QUEUED:
                board = await self._board(job)
                if board.closed_at is None and not board.quiet:
                    await self._show(board, await self._text_of(board))

    def _forget(self, still_open: set[str]) -> None:
        now = time.monotonic()
        for job_id, board in list(self._boards.items()):
            over = job_id not in still_open and not board.lock.locked()
            if over and (board.closed_at is None or now - board.closed_at > _REMEMBERED_S):
                del self._boards[job_id]
        for chat_id in [chat_id for chat_id, due in self._next_edit.items() if due < now]:
            del self._next_edit[chat_id]

    async def _board(self, job: Job) -> _Board:
        if job.id not in self._boards:
            quiet = job.reply_to is not None and (await self.houses.at(job.reply_to)).quiet
            self._boards.setdefault(job.id, _Board(job, quiet))
        board = self._boards[job.id]
        # Its words may have changed; the message may have been sent since *job* was read.
        stands = board.job.status_message or job.status_message
        board.job = replace(job, status_message=stands)
        return board

    @asynccontextmanager
    async def silenced(self, job: Job) -> AsyncGenerator[str | None]:
        """No more edits of this job's status message: the answer takes its place.

        The message as it is known by now; its first showing may have been under way.
        """
        board = self._boards.setdefault(job.id, _Board(job))
        board.close()
        async with board.lock:  # what is under way goes first
            try:
                yield board.job.status_message or job.status_message
            except TryLater as exc:
                if job.reply_to is not None:
                    self._wait(job.reply_to, exc.retry_after_s)
                raise
            if job.reply_to is not None:
                self._wait(job.reply_to, self.platform.edit_every_s(job.reply_to))
            board.close()

    def _bears(self, board: _Board, text: str) -> bool:
        """Whether *text* is news that may be shown there now."""
        to = board.job.reply_to
        if to is None or board.closed_at is not None or board.quiet or board.lock.locked():
            return False
        return text != board.text and time.monotonic() >= self._next_edit.get(to.chat_id, 0.0)

    async def _show(self, board: _Board, text: str) -> None:
        job = board.job
        if job.reply_to is None or job.status_message is None or not self._bears(board, text):
            return
        async with board.lock:
            self._wait(job.reply_to, self.platform.edit_every_s(job.reply_to))
            try:
                await self.platform.edit_text(
                    job.reply_to, job.status_message, text, buttons=self._buttons_of(job)
                )
            except TryLater as exc:
                self._wait(job.reply_to, exc.retry_after_s)
            except MessageGone:
                board.close()
            except PlatformError as exc:
                logger.debug("status not shown", extra={"job": job.id, "why": type(exc).__name__})
            else:
                board.text = text

    def _wait(self, to: ReplyTo, seconds: float) -> None:
        due = time.monotonic() + seconds
        self._next_edit[to.chat_id] = max(due, self._next_edit.get(to.chat_id, 0.0))
