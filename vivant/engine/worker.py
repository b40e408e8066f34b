"""The engine's process: claim, render, encode, store, hand over. Knows no platform and no user.

A bell's job lasts as long as the engine's slot is held: the next claim starts while this clip
is encoded. Beside each render its lease is renewed; where that fails, or the sender cancels, the
render ends at its next step.
"""

import asyncio
import io
import logging
import threading
import time
from collections.abc import Generator, Sized
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from PIL import Image

from vivant.clips import (
    Clip,
    ClipSettings,
    FailureReason,
    MediaRef,
    Note,
    Progress,
    RenderStage,
    Work,
)
from vivant.director.plan import Plan
from vivant.engine import Engine, Frames, RenderStopped, Shot
from vivant.engine.encode import encode_mp4, within
from vivant.engine.splice import going_on, joined, last_picture, there_and_back
from vivant.errors import LedgerDown, MediaMissing, RenderError
from vivant.jobs import Job
from vivant.leases import renewed
from vivant.ledger import Ledger
from vivant.media import MediaStore
from vivant.queue import RENDER, Bells, Radio, delivery

#: Reports that come faster than this are not sent.
_REPORT_EVERY_S: Final = 0.25
#: A render that was told to stop and has not after this hangs, in seconds.
_STUCK_S: Final = 30
#: No stage of a clip goes on for longer without a word: a render that does hangs, in seconds.
_SILENT_S: Final = 600
#: How long a worker tries to reach the ledger with a finished clip.
_PATIENCE_S: Final = 60

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Run:
    """One render under way."""

    job: Job
    #: Set where the engine shall stop; read on the render thread at every step.
    stop: threading.Event = field(default_factory=threading.Event)
    #: The slot is free again: the frames are made, or never will be.
    made: asyncio.Event = field(default_factory=asyncio.Event)
    #: Stopped because this worker stops, not because nobody waits.
    drained: bool = False
    stages: dict[str, float] = field(default_factory=dict)
    #: The last sign of life, in monotonic seconds.
    stepped_at: float = field(default_factory=time.monotonic)
    reported_at: float = 0.0


@dataclass(slots=True)
class RenderWorker:
    """Works for one engine, one job in each of its slots."""

    engine: Engine
    ledger: Ledger
    media: MediaStore
    bells: Bells
    radio: Radio
    #: Unique among all workers of the ledger.
    id: str
    beat_s: float
    slots: int = 1
    _runs: dict[str, _Run] = field(default_factory=dict, init=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def on_ring(self) -> None:
        """Claim the fairest job and hold the slot until its frames are made."""
        job = await self.ledger.jobs.claim(self.id, [self.engine.profile.name])
        if job is None:
            return  # another worker was faster, or it was cancelled
        run = self._runs[job.id] = _Run(job)
        task = asyncio.create_task(self._work(run), name=f"render {job.id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await run.made.wait()

    async def on_stop(self, message: bytes) -> None:
        """End one job at its next step: its sender cancelled it."""
        run = self._runs.get(message.decode(errors="replace"))
        if run is not None:
            run.stop.set()

    async def present(self) -> None:
        """Say that this worker is alive, again and again."""
        while True:
            try:
                await self.ledger.fleet.here(self.id, self.engine.profile, slots=self.slots)
            except LedgerDown:
                logger.warning("the ledger does not answer")
            await asyncio.sleep(self.beat_s)

    async def drain(self, seconds: float) -> None:
        """Finish what is under way within *seconds*, or hand it back unfailed."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        for run in self._runs.values():
            run.drained = True
            run.stop.set()
        if self._tasks:
            # What does not stop even now is stuck; its lease will run out.
            await asyncio.wait(self._tasks, timeout=_STUCK_S)

    async def _work(self, run: _Run) -> None:
        job = run.job
        try:
            async with renewed(lambda: self._beat(run), every_s=self.beat_s, name=job.id):
                await self._make(run)
        except RenderStopped:
            if run.drained:
                await self.ledger.jobs.hand_back(job)
        except RenderError as exc:
            logger.warning("no clip", extra={"job": job.id, "why": exc.reason.value})
            await self._fail(job, exc.reason, transient=exc.transient)
        except MediaMissing:  # gone, or its store is away for a moment: that looks the same
            await self._fail(job, FailureReason.PHOTO_GONE, transient=True)
        except LedgerDown:
            logger.warning("the ledger went away; the lease will run out", extra={"job": job.id})
        except Exception:  # the job's boundary: whatever went wrong, the person is told
            logger.exception("render failed", extra={"job": job.id})
            await self._fail(job, FailureReason.RENDER_FAILED, transient=True)
        finally:
            run.made.set()
            self._runs.pop(job.id, None)

    async def _make(self, run: _Run) -> None:
        job = run.job
        if job.photo is None or job.plan is None:
            raise RenderError(FailureReason.PHOTO_GONE)
        if job.work is not Work.RENDER and job.source_clip is None:
            raise RenderError(FailureReason.RENDER_FAILED)
        run.stages["wait"] = ((job.claimed_at_ms or 0) - job.created_at_ms) / 1000
        await self._report(run, RenderStage.PREPARING, 0, 1)
        with _timed(run, "prepare"):
            source = None if job.source_clip is None else await self.media.get(job.source_clip)
            settings = await self._settings(job)
        notes: tuple[Note, ...] = ()
        has_sound = False
        if job.work is Work.LOOP and source is not None:
            run.made.set()  # the engine rests
            with _timed(run, "encode"):
                encoded = await asyncio.to_thread(there_and_back, source)
        else:
            frames = await self._frames(run, job.photo, source, job.plan, settings)
            notes, has_sound = frames.notes, frames.sound is not None and source is None
            if not job.plan.words:  # nothing was asked for, so nothing was replaced
                notes = tuple(note for note in notes if note is not Note.CALM_INSTEAD)
            with _timed(run, "encode"):
                encoded = await asyncio.to_thread(encode_mp4, frames)
                run.made.set()
                if source is not None:
                    encoded = await asyncio.to_thread(joined, source, encoded)
        await self._report(run, RenderStage.ENCODING, 1, 1)
        with _timed(run, "store"):
            duration_s = encoded.num_frames / settings.frame_rate
            video = await asyncio.to_thread(within, encoded.video, job.limit_bytes)
            clip = Clip(
                video=await self.media.put(video, "video/mp4"),
                thumbnail=await self.media.put(encoded.thumbnail, "image/jpeg"),
                width=encoded.width,
                height=encoded.height,
                duration_s=duration_s,
                has_sound=has_sound,
                notes=notes,
            )
        await self._hand_over(job, clip, run.stages)

    async def _frames(
        self, run: _Run, photo: MediaRef, source: bytes | None, plan: Plan, settings: ClipSettings
    ) -> Frames:
        """What the engine draws of the photo, or of where the clip *source* ends."""
        loop = asyncio.get_running_loop()

        def on_step(step: int, total: int) -> None:
            # Called on the render thread; the radio lives on the event loop.
            if run.stop.is_set():
                raise RenderStopped
            run.stepped_at = now = time.monotonic()
            if step == total or now - run.reported_at >= _REPORT_EVERY_S:
                run.reported_at = now
                report = self._report(run, RenderStage.RENDERING, step, total)
                asyncio.run_coroutine_threadsafe(report, loop)

        with _timed(run, "render"):
            if source is None:
                picture = await asyncio.to_thread(_decoded, await self.media.get(photo))
            else:
                picture = await asyncio.to_thread(last_picture, source)
            last = run.job.last_photo
            shot = Shot(
                photo=picture,
                plan=plan,
                settings=settings,
                sight=run.job.sight,
                last_photo=None
                if last is None
                else await asyncio.to_thread(_decoded, await self.media.get(last)),
            )
            frames = await asyncio.to_thread(self.engine.render, shot, on_step)
        if isinstance(frames.pictures, Sized):
            run.made.set()  # all drawn: the card is free, the rest is the processor's
        return frames if source is None else going_on(frames)

    async def _settings(self, job: Job) -> ClipSettings:
        if job.work is not Work.RENDER:
            return job.settings  # those of the clip that it comes from
        # Ordered while this engine was not known: snap to what it makes.
        profile = self.engine.profile
        snapped = profile.settings_for(job.photo_width, job.photo_height, job.wish)
        if (snapped, profile.name) != (job.settings, job.engine):
            await self.ledger.jobs.snapped(job, snapped, profile.name)
        return snapped

    async def _hand_over(self, job: Job, clip: Clip, stages: dict[str, float]) -> None:
        if await self._finished(job, clip, stages):
            logger.info("clip ready", extra={"job": job.id})
            await self._ring_bot(job)
        else:  # lost to another worker, or cancelled
            await self.media.delete(clip.video)
            await self.media.delete(clip.thumbnail)

    async def _finished(self, job: Job, clip: Clip, stages: dict[str, float]) -> bool:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                return await self.ledger.jobs.finish(job, clip, stages)
            except LedgerDown:
                # The clip is made: a moment's outage is not worth making it again.
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(1)

    async def _fail(self, job: Job, reason: FailureReason, *, transient: bool) -> None:
        try:
            await self.ledger.jobs.fail(job, reason, transient=transient)
        except LedgerDown:
            logger.warning("the ledger went away; the lease will run out", extra={"job": job.id})
        else:
            await self._ring_bot(job)
            await self.bells.ring(RENDER)

    async def _ring_bot(self, job: Job) -> None:
        if job.reply_to is not None:
            await self.bells.ring(delivery(job.reply_to.platform, job.reply_to.bot))

    async def _report(self, run: _Run, stage: RenderStage, step: int, total: int) -> None:
        to = run.job.reply_to
        if to is not None:
            progress = Progress(job_id=run.job.id, stage=stage, step=step, total_steps=total)
            await self.radio.report(to.platform, to.bot, progress)

    async def _beat(self, run: _Run) -> bool:
        hangs = time.monotonic() - run.stepped_at > _SILENT_S
        if hangs:
            logger.error("a render hangs; its lease will run out", extra={"job": run.job.id})
        is_ours = not hangs and await self.ledger.jobs.beat(run.job)
        if not is_ours:
            run.stop.set()
            # A thread that hangs must not keep the slot from jobs that wait.
            asyncio.get_running_loop().call_later(_STUCK_S, run.made.set)
        return is_ours


@contextmanager
def _timed(run: _Run, stage: str) -> Generator[None]:
    """Note the seconds of one stage."""
    started = time.monotonic()
    yield
    run.stages[stage] = round(time.monotonic() - started, 3)


def _decoded(photo: bytes) -> Image.Image:
    with Image.open(io.BytesIO(photo), formats=("JPEG", "PNG")) as image:
        return image.convert("RGB")
