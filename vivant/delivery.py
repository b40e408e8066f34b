"""The way out: an answer becomes a message in the thread; the same for every platform.

Only by edits, so that repeating is harmless: the status message turns into the clip. After a
long wait, or when that message is gone, one short line is sent first, which rings the phone,
and the line turns into the clip.
"""

import logging
from dataclasses import dataclass, replace
from typing import Final

from vivant.chat import Answer, ChatPlatform, Film
from vivant.clips import Clip, FailureReason, ReplyTo
from vivant.encore import buttons_under
from vivant.errors import (
    ClipRefused,
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
from vivant.leases import renewed
from vivant.ledger import Ledger
from vivant.media import MediaStore
from vivant.messages import Messages
from vivant.waiting import StatusMessages

#: Whoever waited longer than this has put the phone away: an edit rings nobody.
_LONG_WAIT_S: Final = 60
#: Lines that vanish one after another: somebody deletes them, so leave it.
_MOST_LINES: Final = 4
#: A clip that the store does not give is asked for so often before it counts as lost.
_STORE_TRIES: Final = 3
#: Back-off, in seconds; more where the platform asks for more.
_FIRST_RETRY_S: Final = 2.0
_LAST_RETRY_S: Final = 300.0

logger = logging.getLogger(__name__)


class _Lost(Exception):
    """The lease ran out under us, and the job is another's."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """Show, then settle or refund."""

    platform: ChatPlatform
    ledger: Ledger
    media: MediaStore
    status: StatusMessages
    beat_s: float

    async def on_ring(self) -> None:
        """Every answer of this bot that waits; other ears take some of them."""
        while True:
            job = await self.ledger.jobs.claim_delivery(self.platform.name, self.platform.bot)
            if job is None:
                return
            await self.deliver(job)

    async def deliver(self, job: Job) -> None:
        """SENDING to its end: shown and counted, or later, or never."""
        lease = renewed(
            lambda: self.ledger.jobs.renew_delivery(job),
            every_s=self.beat_s,
            name=f"the delivery of {job.id}",
        )
        try:
            async with lease, self.status.silenced(job) as stands:
                await self._show(replace(job, status_message=stands), await self._answer(job))
            await self.ledger.jobs.delivered(job)
            logger.info("answered", extra={"job": job.id, "clip": job.clip is not None})
        except TryLater as exc:
            await self._later(job, exc.retry_after_s)
        except FileTooLarge:
            await self._spoil(job, FailureReason.CLIP_TOO_LARGE)
        except ClipRefused:
            await self._spoil(job, FailureReason.CLIP_FORBIDDEN)
        except MediaMissing:
            if job.delivery_tries < _STORE_TRIES:  # a store that does not answer says the same
                await self._later(job, 0)
            else:
                await self._spoil(job, FailureReason.RENDER_FAILED)
        except (Undeliverable, MessageGone, TextRefused) as exc:
            logger.info("undeliverable", extra={"job": job.id, "why": type(exc).__name__})
            if await self.ledger.jobs.undeliverable(job):
                await self._tell_alone(job)
        except _Lost:
            logger.info("another bot has it by now", extra={"job": job.id})
        except LedgerDown:
            raise  # the lease brings it back
        except Exception:  # the answer is safe in the ledger; whatever this was may pass
            logger.exception("delivery failed", extra={"job": job.id})
            await self._later(job, 0)

    async def _later(self, job: Job, after_s: float) -> None:
        """At least what the platform asks for, and more each time."""
        backed_off = min(_FIRST_RETRY_S * 2**job.delivery_tries, _LAST_RETRY_S)
        await self.ledger.jobs.delay_delivery(job, max(after_s, backed_off))

    async def _spoil(self, job: Job, reason: FailureReason) -> None:
        """The clip cannot be shown: words take its place; of words alone there is no less."""
        if job.clip is None:
            await self._later(job, 0)
        else:
            await self.ledger.jobs.spoil(job, reason)

    async def _tell_alone(self, job: Job) -> None:
        """Say in private that the chat took no answer; whoever cannot be reached is let be."""
        _, _, user_id = job.owner.partition(":")
        if job.reply_to is None or not user_id:
            return
        try:
            alone = await self.platform.alone_with(user_id)
            if alone is not None and alone.chat_id != job.reply_to.chat_id:
                await self.platform.send_text(alone, Messages(job.language).could_not_answer())
        except PlatformError as exc:
            logger.info("not told alone", extra={"job": job.id, "why": type(exc).__name__})

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
        if message is None and not _rings(job):
            message = job.status_message
        if message is None or not await self._turned(job, to, message, answer):
            message = await self._line(job, to)
            if not await self._turned(job, to, message, answer):
                raise TryLater(_FIRST_RETRY_S)
        if job.status_message is not None and job.status_message != message:
            await self._tidy(job, to, job.status_message)

    async def _line(self, job: Job, to: ReplyTo) -> str:
        """The short line that becomes the answer."""
        if job.lines >= _MOST_LINES:
            raise Undeliverable("every line we sent is gone")
        words = Messages(job.language)
        line = await self.platform.send_text(
            to,
            words.about_your_photo() if job.clip is None else words.here_it_comes(),
            # The same until that line is known to be gone: if its reply got lost, a platform
            # that knows nonces shows it once.
            nonce=f"{job.id}.{job.line_message or 'line'}",
        )
        if not await self.ledger.jobs.remember_line(job, line):
            raise _Lost  # whoever has it now shows the answer; a second one must not be seen
        return line

    async def _turned(self, job: Job, to: ReplyTo, message: str, answer: Answer) -> bool:
        """Edit *message* into the answer, if it is there; without words that may not stand."""
        try:
            try:
                await self.platform.edit_into(to, message, answer)
            except TextRefused:
                text = Messages(job.language).words_not_shown()
                await self.platform.edit_into(to, message, replace(answer, text=text))
        except MessageGone:
            return False
        return True

    async def _tidy(self, job: Job, to: ReplyTo, message: str) -> None:
        """Take the old status message away; the answer stands below."""
        try:
            await self.platform.remove(to, message)
        except PlatformError as exc:
            logger.debug("not tidied", extra={"job": job.id, "why": type(exc).__name__})


async def film_of(job: Job, clip: Clip, media: MediaStore) -> Film:
    """The clip's bytes; raises `MediaMissing`."""
    return Film(
        clip=clip,
        video=await media.get(clip.video),
        thumbnail=await media.get(clip.thumbnail),
        file_name="vivant.mp4",  # no id: whoever has the file has no say over the job
        text=Messages(job.language).under_the_clip(job),
    )


def _rings(job: Job) -> bool:
    """Whether the answer needs a line that rings.

    The same at every try, so that no clip is shown twice. Whoever cancelled is looking.
    """
    if job.ready_at_ms is None or job.failure is FailureReason.CANCELLED:
        return False
    return job.ready_at_ms - job.created_at_ms > _LONG_WAIT_S * 1000
