"""A photo goes through the worker process and comes back as frames."""

from pathlib import Path

import numpy as np
import pytest

from tests.diffusion.conftest import OpenEngine
from vivant.engine import Frames, Shot

pytestmark = [pytest.mark.torch, pytest.mark.timeout(120)]


def pixels(frames: Frames) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """All of a clip as one array."""
    return np.stack(list(frames.pictures))


def test_a_photo_comes_back_as_frames(
    open_engine: OpenEngine, wan_folder: Path, shot: Shot
) -> None:
    """The size, length and rate that were asked for, and every step is heard of."""
    engine = open_engine(wan_folder)
    steps: list[tuple[int, int]] = []

    frames = engine.render(shot, lambda step, total: steps.append((step, total)))

    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert (frames.width, frames.height, frames.num_frames) == (96, 64, 17)
    assert pixels(frames).shape == (17, 64, 96, 3)
    assert frames.notes == ()
