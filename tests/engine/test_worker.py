"""What the engine's process does with a job, whatever happens to it."""

import threading
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.conftest import StartEngine, frames_of, wait_until
from tests.engines import QuickEngine
from tests.orders import now, ordered
from vivant.clips import FailureReason, JobState, Progress, RenderStage, Wish, Work
from vivant.engine import Frames, OnStep, Shot
from vivant.errors import RenderError
from vivant.jobs import ANY_ENGINE, Job
from vivant.queue import hearing_progress
from vivant.services import Services


async def is_ready(services: Services, job: Job) -> bool:
    return (await now(services, job)).state is JobState.READY


async def test_a_job_becomes_a_clip(
    services: Services, quick_engine: QuickEngine, photo: bytes, tmp_path: Path
) -> None:
    """Claimed, drawn, encoded, stored; the clip's shape and length are what was ordered."""
    job = await ordered(services, photo)

    await wait_until(lambda: is_ready(services, job))

    clip = (await now(services, job)).clip
    assert clip is not None
    assert (clip.width, clip.height, clip.duration_s) == (160, 120, 1.0)
    frames = frames_of(await services.media.get(clip.video), tmp_path)
    assert len(frames) == 8
    assert (await services.media.get(clip.thumbnail))[:2] == b"\xff\xd8"


async def test_the_bot_hears_how_far_a_render_is(
    services: Services, quick_engine: QuickEngine, photo: bytes
) -> None:
    """Preparing, steps that rise to the last, encoding."""
    heard: list[Progress] = []

    async def on_progress(progress: Progress) -> None:
        heard.append(progress)

    async with hearing_progress(services.redis_url, "test", "bot", on_progress):
        job = await ordered(services, photo)
        await wait_until(lambda: is_ready(services, job))
        await wait_until(lambda: bool(heard) and heard[-1].stage is RenderStage.ENCODING)

    steps = [report.step for report in heard if report.stage is RenderStage.RENDERING]
    assert {report.job_id for report in heard} == {job.id}
    assert heard[0].stage is RenderStage.PREPARING
    assert steps == sorted(steps)
    assert steps[-1] == 8


async def test_a_cancelled_render_stops_at_its_next_step(
    services: Services, quick_engine: QuickEngine, photo: bytes
) -> None:
    """The slot is free for the next job, which the engine could not take before."""
    quick_engine.go.clear()
    first = await ordered(services, photo)
    await wait_until(lambda: quick_engine.renders == 1)
    second = await ordered(services, photo)

    await services.ledger.jobs.cancel(first.id)
    await services.radio.stop(first.id)

    await wait_until(lambda: quick_engine.renders == 2)
    quick_engine.go.set()
    await wait_until(lambda: is_ready(services, second))
    assert (await now(services, first)).failure is FailureReason.CANCELLED
    assert (await now(services, second)).clip is not None


async def test_a_cancel_that_was_not_heard_is_found_by_the_beat(
    services: Services, quick_engine: QuickEngine, photo: bytes
) -> None:
    """Redis may lose the word; the lease does not."""
    quick_engine.go.clear()
    first = await ordered(services, photo)
    await wait_until(lambda: quick_engine.renders == 1)

    await services.ledger.jobs.cancel(first.id)
    await ordered(services, photo)

    await wait_until(lambda: quick_engine.renders == 2)


async def test_trouble_that_may_pass_is_tried_again(
    services: Services, quick_engine: QuickEngine, photo: bytes
) -> None:
    """Twice it fails, the third time there is a clip."""
    quick_engine.troubles = [
        RenderError(FailureReason.OUT_OF_MEMORY, transient=True),
        RuntimeError("CUDA error"),
    ]
    job = await ordered(services, photo)

    await wait_until(lambda: is_ready(services, job))

    ended = await now(services, job)
    assert ended.clip is not None
    assert (ended.failures, ended.attempt) == (2, 3)


async def test_the_third_failure_is_an_error_with_a_refund(
    services: Services, quick_engine: QuickEngine, photo: bytes
) -> None:
    """The poison job ends, and the next one is fine."""
    credit = await services.ledger.people.credit("test:ada")
    quick_engine.troubles = [RuntimeError("it dies"), RuntimeError("again"), RuntimeError("again")]
    job = await ordered(services, photo)

    await wait_until(lambda: is_ready(services, job))
    after = await ordered(services, photo)
    await wait_until(lambda: is_ready(services, after))

    assert (await now(services, job)).failure is FailureReason.RENDER_FAILED
    assert (await now(services, after)).clip is not None
    left = await services.ledger.people.credit("test:ada")
    assert (left.free, left.reserved) == (credit.free - 1, 1)


async def test_trouble_that_will_not_pass_ends_at_once(
    services: Services, quick_engine: QuickEngine, photo: bytes
) -> None:
    """No second try for a clip that its gates rejected."""
    quick_engine.troubles = [RenderError(FailureReason.CLIP_REJECTED)]
    job = await ordered(services, photo)

    await wait_until(lambda: is_ready(services, job))

    assert (await now(services, job)).failure is FailureReason.CLIP_REJECTED
    assert quick_engine.renders == 1


async def test_a_photo_that_is_gone_is_said_so(
    services: Services, quick_engine: QuickEngine, photo: bytes
) -> None:
    """The store lost it: an error with a refund, no endless tries."""
    job = await ordered(services, photo)
    if job.photo is not None:
        await services.media.delete(job.photo)

    await wait_until(lambda: is_ready(services, job))

    assert (await now(services, job)).clip is None


async def test_a_job_for_any_engine_is_snapped_by_the_one_that_takes_it(
    services: Services, quick_engine: QuickEngine, photo: bytes
) -> None:
    """It was accepted while no engine was known, with the settings of none."""
    odd = quick_engine.profile.settings_for(999, 333, Wish())
    job = await ordered(services, photo, engine=ANY_ENGINE, settings=odd)

    await wait_until(lambda: is_ready(services, job))

    ended = await now(services, job)
    assert ended.engine == "quick"
    assert ended.clip is not None
    assert (ended.clip.width, ended.clip.height) == (160, 120)


async def test_a_loop_ends_where_it_began_and_costs_nothing(
    services: Services, quick_engine: QuickEngine, photo: bytes, tmp_path: Path
) -> None:
    """There and back again, without the engine."""
    job = await ordered(services, photo)
    await wait_until(lambda: is_ready(services, job))
    first = (await now(services, job)).clip
    assert first is not None
    credit = await services.ledger.people.credit("test:ada")

    source = await services.media.copy(first.video)
    loop = await ordered(services, photo, work=Work.LOOP, source_clip=source)
    await wait_until(lambda: is_ready(services, loop))

    clip = (await now(services, loop)).clip
    assert clip is not None
    frames = frames_of(await services.media.get(clip.video), tmp_path)
    assert len(frames) == 15
    assert distance(frames[0], frames[-1]) < 3 < distance(frames[0], frames[7])
    assert quick_engine.renders == 1
    assert await services.ledger.people.credit("test:ada") == credit
    assert await services.ledger.people.discrepancies() == []


async def test_longer_goes_on_from_the_last_picture(
    services: Services, quick_engine: QuickEngine, photo: bytes, tmp_path: Path
) -> None:
    """No jump where the second part begins."""
    job = await ordered(services, photo)
    await wait_until(lambda: is_ready(services, job))
    first = (await now(services, job)).clip
    assert first is not None

    source = await services.media.copy(first.video)
    longer = await ordered(services, photo, work=Work.EXTEND, source_clip=source)
    await wait_until(lambda: is_ready(services, longer))

    clip = (await now(services, longer)).clip
    assert clip is not None
    frames = frames_of(await services.media.get(clip.video), tmp_path)
    assert len(frames) == 15
    steps = [distance(a, b) for a, b in pairwise(frames)]
    assert max(steps) < 3 * float(np.median(steps))


async def test_a_clip_over_the_limit_of_its_chat_is_encoded_smaller(
    services: Services, start_engine: StartEngine, photo: bytes
) -> None:
    """A grainy clip, and a chat that takes half of its size."""
    async with start_engine(_Grain()):
        big = await ordered(services, photo)
        await wait_until(lambda: is_ready(services, big))
        natural = (await now(services, big)).clip
        assert natural is not None
        limit = natural.video.size_bytes // 2
        small = await ordered(services, photo, limit_bytes=limit)
        await wait_until(lambda: is_ready(services, small))

    clip = (await now(services, small)).clip
    assert clip is not None
    assert clip.video.size_bytes <= limit


async def test_a_clip_that_cannot_fit_is_an_error_that_says_so(
    services: Services, quick_engine: QuickEngine, photo: bytes
) -> None:
    """Never "413": the person is told, and the credit is back."""
    job = await ordered(services, photo, limit_bytes=500)

    await wait_until(lambda: is_ready(services, job))

    assert (await now(services, job)).failure is FailureReason.CLIP_TOO_LARGE


async def test_a_stopping_worker_hands_its_job_back_unfailed(
    services: Services, start_engine: StartEngine, photo: bytes
) -> None:
    """Another worker takes it, and no failure is counted."""
    slow = QuickEngine()
    slow.go.clear()
    async with start_engine(slow) as worker:
        job = await ordered(services, photo)
        await wait_until(lambda: slow.renders == 1)
        await worker.drain(0)
    handed_back = await now(services, job)
    async with start_engine(QuickEngine()):
        await wait_until(lambda: is_ready(services, job))

    assert (handed_back.state, handed_back.failures) == (JobState.QUEUED, 0)
    assert (await now(services, job)).clip is not None


async def test_a_render_that_hangs_is_given_to_another_worker(
    services: Services, start_engine: StartEngine, photo: bytes
) -> None:
    """Its process lives and could beat for ever; without a step for ten minutes it does not."""
    hanging = _Hanging()
    async with start_engine(hanging) as worker:
        job = await ordered(services, photo)
        await wait_until(lambda: hanging.renders == 1)
        worker._runs[job.id].stepped_at -= 601
        try:
            async with start_engine(QuickEngine()):
                await wait_until(lambda: is_ready(services, job))
        finally:
            hanging.let_go.set()

    ended = await now(services, job)
    assert ended.clip is not None
    assert (ended.failures, ended.attempt) == (1, 2)


async def test_the_result_of_a_worker_that_lost_its_lease_is_thrown_away(
    services: Services, start_engine: StartEngine, photo: bytes
) -> None:
    """The fence: whoever claimed later counts, and the loser leaves no media behind."""
    slow = QuickEngine()
    slow.go.clear()
    async with start_engine(slow) as worker:
        job = await ordered(services, photo)
        await wait_until(lambda: slow.renders == 1)
        # As upkeep does with a lease that ran out, and as another worker does then.
        await services.ledger.jobs.hand_back(await now(services, job))
        later = await services.ledger.jobs.claim("another", ["quick"])
        worker.beat_s = 1000.0
        slow.go.set()
        await worker.drain(5)

    assert later is not None
    held = await now(services, job)
    assert (held.state, held.attempt) == (JobState.RENDERING, later.attempt)
    stored = [ref.key async for ref in services.media.older_than(-60)]
    assert job.photo is not None
    assert stored == [job.photo.key]


def distance(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(np.abs(a.astype(int) - b.astype(int)).mean())


@dataclass
class _Hanging(QuickEngine):
    """Never asks whether to go on, as a driver that waits for a card does."""

    let_go: threading.Event = field(default_factory=threading.Event)

    def render(self, shot: Shot, on_step: OnStep) -> Frames:
        frames = super().render(shot, on_step)
        self.let_go.wait()
        return frames


class _Grain(QuickEngine):
    """Every frame grainy anew: large files."""

    def render(self, shot: Shot, on_step: OnStep) -> Frames:
        settings = shot.settings
        rng = np.random.default_rng(1)
        still = np.asarray(shot.photo.resize((settings.width, settings.height)), np.float32)
        grain = rng.normal(0, 12, (settings.num_frames, *still.shape))
        on_step(settings.num_frames, settings.num_frames)
        return Frames(
            pictures=(still + grain).clip(0, 255).astype(np.uint8),
            width=settings.width,
            height=settings.height,
            num_frames=settings.num_frames,
            frame_rate=settings.frame_rate,
        )
