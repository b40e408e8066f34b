"""Each way for a clip to be broken, on synthetic clips: the gates of the presets tell it."""

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from vivant.engine.diffusion import gates
from vivant.engine.diffusion.preset import Gates, named

FRAMES = 24
Clip = NDArray[np.uint8]


@pytest.fixture(scope="module")
def picture() -> Clip:
    """Shapes and texture, 256 x 384, as rich as a photo."""
    rng = np.random.default_rng(1)
    coarse = rng.integers(40, 216, (16, 24, 3), np.uint8)
    picture = cv2.resize(coarse, (384, 256), interpolation=cv2.INTER_CUBIC).astype(np.int16)
    fine = cv2.GaussianBlur(rng.normal(0, 60, (256, 384, 1)).astype(np.float32), (0, 0), 1.2)
    picture += fine.astype(np.int16)[..., None]
    cv2.circle(picture, (192, 110), 50, (224, 172, 140), -1)
    return picture.clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def good(picture: Clip) -> Clip:
    """A head that sways before a place that stands still, and a slow push in."""
    return np.stack([_swayed(picture, index) for index in range(FRAMES)])


def _swayed(picture: Clip, index: int) -> Clip:
    """Move the middle sideways and the whole a little nearer."""
    rows, columns = np.mgrid[0:256, 0:384].astype(np.float32)
    near = np.exp(-(((columns - 192) / 90) ** 2) - ((rows - 110) / 90) ** 2)
    sway = 9 * np.sin(index / FRAMES * 2 * np.pi) * near
    zoom = 1 - 0.0015 * index
    return np.asarray(
        cv2.remap(
            picture,
            ((columns - 192) * zoom + 192 - sway).astype(np.float32),
            ((rows - 128) * zoom + 128).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        ),
        np.uint8,
    )


def bright(clip: Clip, by: NDArray[np.floating[Any]]) -> Clip:
    """Add to every frame its part of *by*."""
    return (clip + by[:, None, None, None]).clip(0, 255).astype(np.uint8)


def failures(clip: Clip, picture: Clip) -> tuple[str, ...]:
    """What the gates of `fast` say."""
    return gates.failed(gates.Footage(clip, Image.fromarray(picture)), named("fast").gates)


def test_a_good_clip_passes(good: Clip, picture: Clip) -> None:
    """A head that sways, and a camera that comes nearer."""
    assert failures(good, picture) == ()


def test_a_still_is_found(picture: Clip) -> None:
    """The same frame again and again."""
    assert {"motion", "unchanged"} <= set(failures(np.stack([picture] * FRAMES), picture))


def test_a_still_that_shimmers_is_found(picture: Clip) -> None:
    """As a decoder makes it of latents that do not move: no two frames are alike."""
    shimmer = np.random.default_rng(2).normal(0, 1.5, (FRAMES, *picture.shape))
    still = (picture + shimmer).clip(0, 255).astype(np.uint8)

    assert "motion" in failures(still, picture)


def test_noise_over_the_clip_is_found(good: Clip, picture: Clip) -> None:
    """It does not move as the picture does."""
    noise = np.random.default_rng(3).normal(0, 25, good.shape)

    assert "warp_error" in failures((good + noise).clip(0, 255).astype(np.uint8), picture)


def test_nothing_but_noise_is_found(good: Clip, picture: Clip) -> None:
    """What a broken card decodes."""
    noise = np.random.default_rng(4).integers(0, 255, good.shape, np.uint8)

    assert {"first_frame_ssim", "jerk"} <= set(failures(noise, picture))


def test_flicker_is_found(good: Clip, picture: Clip) -> None:
    """Every other frame is brighter."""
    assert "flicker" in failures(bright(good, 15 * (np.arange(FRAMES) % 2.0)), picture)


def test_another_photo_is_found(good: Clip, picture: Clip) -> None:
    """A good clip, but of somebody else."""
    assert "first_frame_ssim" in failures(good[:, :, ::-1], picture)


def test_a_cut_is_found(good: Clip, picture: Clip) -> None:
    """From the middle on it is another scene."""
    half = FRAMES // 2

    assert "cut" in failures(np.concatenate([good[:half], good[half:, :, ::-1]]), picture)


def test_frames_out_of_order_are_found(good: Clip, picture: Clip) -> None:
    """Each frame is fine, the movement is not."""
    order = np.random.default_rng(5).permutation(FRAMES)

    assert "jerk" in failures(good[order], picture)


def test_melting_is_found(good: Clip, picture: Clip) -> None:
    """People turn to blur."""
    melted = [cv2.GaussianBlur(each, (0, 0), 0.1 + index / 2) for index, each in enumerate(good)]

    assert "sharpness_kept" in failures(np.stack(melted).astype(np.uint8), picture)


def test_colours_that_run_away_are_found(good: Clip, picture: Clip) -> None:
    """More red and less blue from frame to frame."""
    drift = np.linspace(0, 60, FRAMES)[:, None, None, None] * np.array([1, 0, -1])

    assert "colour_drift" in failures((good + drift).clip(0, 255).astype(np.uint8), picture)


def test_a_plain_directory_only_asks_that_it_moves(good: Clip, picture: Clip) -> None:
    """Nothing is known of its model: noise may be what it makes, a still is not a clip."""
    noise = np.random.default_rng(4).integers(0, 255, good.shape, np.uint8)
    photo = Image.fromarray(picture)

    assert gates.failed(gates.Footage(noise, photo), Gates()) == ()
    assert gates.failed(gates.Footage(np.stack([picture] * 8), photo), Gates()) == ("unchanged",)
