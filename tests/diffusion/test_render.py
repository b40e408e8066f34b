"""A photo goes through the worker process and comes back as frames; the models are tiny."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.diffusion.conftest import OpenEngine
from tests.diffusion.rehearsal import ORDER, Rehearsal
from vivant.clips import Wish
from vivant.engine import Frames, RenderStopped, Shot
from vivant.engine.diffusion.engine import DiffusionEngine, filled
from vivant.engine.diffusion.preset import of_directory
from vivant.errors import RenderError

pytestmark = [pytest.mark.torch, pytest.mark.timeout(120)]


def pixels(frames: Frames) -> NDArray[np.uint8]:
    """All of a clip as one array."""
    return np.stack(list(frames.pictures))


def unheard(step: int, total: int) -> None:
    """Nobody follows the steps."""


def test_a_photo_comes_back_as_frames(wan_engine: DiffusionEngine, shot: Shot) -> None:
    """The size, length and rate that were asked for, and every step is heard of."""
    engine = wan_engine
    steps: list[tuple[int, int]] = []

    frames = engine.render(shot, lambda step, total: steps.append((step, total)))

    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert (frames.width, frames.height, frames.num_frames) == (96, 64, 17)
    assert pixels(frames).shape == (17, 64, 96, 3)
    assert frames.notes == ()


def test_a_cancelled_clip_leaves_no_trace_in_the_next(
    wan_engine: DiffusionEngine, shot: Shot
) -> None:
    """Stopped at its second step; the process stays, the next clip is bit for bit as ever."""
    engine = wan_engine
    undisturbed = pixels(engine.render(shot, unheard))
    pid = engine.pid
    steps: list[int] = []

    def stop_at_two(step: int, total: int) -> None:
        steps.append(step)
        if step == 2:
            raise RenderStopped

    with pytest.raises(RenderStopped):
        engine.render(shot, stop_at_two)

    assert steps == [1, 2]
    assert engine.pid == pid
    assert np.array_equal(pixels(engine.render(shot, unheard)), undisturbed)


def test_a_killed_process_costs_one_try_and_the_same_clip_is_made(
    wan_engine: DiffusionEngine, shot: Shot
) -> None:
    """A new process, the same seed, the same pixels."""
    engine = wan_engine
    undisturbed = pixels(engine.render(shot, unheard))

    def kill(step: int, total: int) -> None:
        assert engine.pid
        os.kill(engine.pid, signal.SIGKILL)

    with pytest.raises(RenderError) as raised:
        engine.render(shot, kill)

    assert raised.value.transient
    assert np.array_equal(pixels(engine.render(shot, unheard)), undisturbed)


def test_a_plain_directory_tells_what_it_makes_once_it_is_loaded(
    open_engine: OpenEngine, models: Path, photo: Image.Image, shot: Shot
) -> None:
    """An LTX with nothing beside it: strides, sizes and rate are the pipeline's own."""
    from tests.diffusion import tiny  # noqa: PLC0415 - imports torch

    engine = open_engine(tiny.saved(tiny.ltx(), models / "tiny-ltx"))
    profile = engine.profile

    assert (profile.name, profile.frame_rate) == ("tiny-ltx", 25)
    assert (profile.frame_stride, profile.size_multiple) == (8, 32)
    assert profile.default_num_frames == 161
    settings = replace(profile.settings_for(*photo.size, Wish(duration_s=1)), width=64, height=64)
    frames = engine.render(replace(shot, settings=settings), unheard)
    assert frames.num_frames == settings.num_frames == 25


def test_sound_comes_through_the_pipe(open_engine: OpenEngine, models: Path, shot: Shot) -> None:
    """Beside the frames, and as long as they are."""
    from tests.diffusion import tiny  # noqa: PLC0415 - imports torch

    folder = tiny.saved(
        tiny.ltx2(),
        models / "tiny-ltx-2",
        "call = { num_inference_steps = 2 }\nclip = { num_frames = 17 }\n",
    )
    engine = open_engine(folder)

    frames = engine.render(shot, unheard)

    assert engine.profile.has_sound
    assert frames.sound
    assert (frames.sound.channels, frames.sound.sample_rate) == (2, 16_000)


@pytest.mark.parametrize("family", ["wan_5b", "wan_a14b", "ltx", "ltx2"])
def test_a_wish_that_was_snapped_is_what_is_made(models: Path, family: str) -> None:
    """Any photo, any length: price, expected time and promise agree with the clip."""
    from tests.diffusion import tiny  # noqa: PLC0415 - imports torch

    folder = tiny.saved(
        getattr(tiny, family)(),
        models / f"snapped-{family}",
        "call = { num_inference_steps = 2 }\nclip = { area = 10000 }\n",
    )
    preset = of_directory(folder)
    stage = Rehearsal(preset, folder, models, Image.effect_noise((99, 99), 60).convert("RGB"))
    profile = filled(preset.profile, stage.pipeline.ready)
    for size, seconds in [((4000, 3000), 0.5), ((700, 1300), 0.8), ((999, 1001), 1.1)]:
        settings = profile.settings_for(*size, Wish(duration_s=seconds))
        width, height = settings.width, settings.height

        take = stage.render(
            replace(ORDER, width=width, height=height, num_frames=settings.num_frames)
        )

        assert take.pictures.shape == (settings.num_frames, height, width, 3)
