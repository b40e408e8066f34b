"""The way out: an answer becomes a message in the thread; the same for every platform.

Only by edits, so that repeating is harmless: the status message turns into the clip. After a
long wait, or when that message is gone, one short line is sent first, which rings the phone,
and the line turns into the clip.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

from vivant.chat import Answer, ChatPlatform, Film
from vivant.clips import Clip, FailureReason, ReplyTo
from vivant.encore import buttons_under
from vivant.errors import (
    FileTooLarge,
    LedgerDown,
    MediaMissing,
    MessageGone,
    PlatformError,
    TextRefused,
    TryLater,
    Undeliverable,
)
from vivant.jobs import Job
from vivant.ledger import Ledger
from vivant.media import MediaStore
from vivant.messages import Messages
from vivant.waiting import StatusMessages

#: Whoever waited longer than this has put the phone away: an edit rings nobody.
_LONG_WAIT_S: Final = 60
#: Lines that vanish one after another: somebody deletes them, so leave it.
_MOST_LINES: Final = 4
#: Back-off where the platform names no time, in seconds.
_FIRST_RETRY_S: Final = 2.0
_LAST_RETRY_S: Final = 600.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Show, then settle or refund."""

    platform: ChatPlatform
    ledger: Ledger
    media: MediaStore
    status: StatusMessages
    beat_s: float

    async def on_ring(self) -> None:
        """One answer of this bot, if one waits."""
        job = await self.ledger.jobs.claim_delivery(self.platform.name, self.platform.bot)
        if job is not None:
            await self.deliver(job)

    async def deliver(self, job: Job) -> None:
        """SENDING to its end: shown and counted, or later, or never."""
        try:
            async with self.status.silenced(job), self._held(job):
                await self._show(job, await self._answer(job))
            await self.ledger.jobs.delivered(job)
            logger.info("answered", extra={"job": job.id, "clip": job.clip is not None})
        except TryLater as exc:
            await self._later(job, exc.retry_after_s)
        except FileTooLarge:
            await self.ledger.jobs.spoil(job, FailureReason.CLIP_TOO_LARGE)
        except MediaMissing:
            await self.ledger.jobs.spoil(job, FailureReason.RENDER_FAILED)
        except (Undeliverable, MessageGone) as exc:
            logger.info("undeliverable", extra={"job": job.id, "why": type(exc).__name__})
            await self.ledger.jobs.undeliverable(job)
        except LedgerDown:
            raise  # the lease brings it back
        except Exception:  # the answer is safe in the ledger; whatever this was may pass
            logger.exception("delivery failed", extra={"job": job.id})
            await self._later(job, None)

    async def _later(self, job: Job, after_s: float | None) -> None:
        backed_off = min(_FIRST_RETRY_S * 2**job.delivery_tries, _LAST_RETRY_S)
        await self.ledger.jobs.delay_delivery(job, backed_off if after_s is None else after_s)

    async def _answer(self, job: Job) -> Answer:
        words = Messages(job.language)
        if job.clip is None:
            return Answer(text=words.failed(job.failure or FailureReason.RENDER_FAILED))
        return Answer(
            text=words.under_the_clip(job),
            buttons=buttons_under(job, self.platform.shows),
            film=await film_of(job, job.clip, self.media),
        )

    async def _show(self, job: Job, answer: Answer) -> None:
        to = job.reply_to
        if to is None:  # purged: nobody waits for it any more
            raise Undeliverable("forgotten")
        message = job.line_message
        if message is None and not _waited_long(job):
            message = job.status_message
        if message is not None:
            try:
                await self._turn(job, to, message, answer)
            except MessageGone:
                job = replace(job, status_message=None)
            else:
                return
        if job.lines >= _MOST_LINES:
            raise Undeliverable("every line we sent is gone")
        # Counted before it is sent: a line whose reply got lost keeps its number, and so its nonce.
        number = await self.ledger.jobs.next_line(job)
        line = await self.platform.send_text(
            to, Messages(job.language).here_it_comes(), nonce=f"{job.id}.{number}"
        )
        await self.ledger.jobs.remember_line(job, line)
        try:
            await self._turn(job, to, line, answer)
        except MessageGone as exc:
            raise TryLater(_FIRST_RETRY_S) from exc
        if job.status_message is not None:
            await self._tidy(job)

    async def _turn(self, job: Job, to: ReplyTo, message: str, answer: Answer) -> None:
        """Edit *message* into the answer; without the sender's words where they may not stand."""
        try:
            await self.platform.edit_into(to, message, answer)
        except TextRefused:
            text = Messages(job.language).words_not_shown()
            await self.platform.edit_into(to, message, replace(answer, text=text))

    async def _tidy(self, job: Job) -> None:
        """Take the old status message away; the answer stands below."""
        if job.reply_to is None or job.status_message is None:
            return
        try:
            await self.platform.remove(job.reply_to, job.status_message)
        except PlatformError as exc:
            logger.debug("not tidied", extra={"job": job.id, "why": type(exc).__name__})

    @asynccontextmanager
    async def _held(self, job: Job) -> AsyncGenerator[None]:
        async def renew() -> None:
            while True:
                await asyncio.sleep(self.beat_s)
                await self.ledger.jobs.renew_delivery(job)

        beating = asyncio.create_task(renew(), name=f"delivery of {job.id}")
        try:
            yield
        finally:
            beating.cancel()
            await asyncio.wait([beating])


async def film_of(job: Job, clip: Clip, media: MediaStore) -> Film:
    """The clip's bytes; raises `MediaMissing`."""
    return Film(
        clip=clip,
        video=await media.get(clip.video),
        thumbnail=await media.get(clip.thumbnail),
        file_name=f"vivant-{job.id}.mp4",
    )


def _waited_long(job: Job) -> bool:
    if job.ready_at_ms is None:
        return False
    return job.ready_at_ms - job.created_at_ms > _LONG_WAIT_S * 1000
