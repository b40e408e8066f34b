"""Is this clip fit to go out? Asked of the pictures alone, without any model.

It tells a still, noise, flicker, a cut, another photo and melting from a good clip, in about
a third of a second for 81 frames. It does not judge whether the caption was acted out. All is
measured on frames of 320 pixels width, so that limits hold for every size.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.engine.diffusion.preset import Gates

#: Fewer cannot be measured.
LEAST_FRAMES = 3
_WIDTH = 320
#: Mean difference of two frames, in 1/255, below which nothing moved: a decoded still shimmers.
_UNCHANGED = 0.15

_Picture = NDArray[np.uint8]
_Field = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """What was measured; units as in `Gates`."""

    first_frame_ssim: float
    motion: float
    jerk: float
    warp_error: float
    flicker: float
    sharpness_kept: float
    colour_drift: float
    cut: float
    unchanged: float


def measured(pictures: Sequence[_Picture] | NDArray[np.uint8], photo: Image.Image) -> Measures:
    """Measure a clip of at least three frames, height x width x 3, against its photo."""
    height, width, _ = pictures[0].shape
    size = (_WIDTH, max(16, round(height * _WIDTH / width)))
    colour = [_small(each, size) for each in pictures]
    grey = [_grey(each) for each in colour]
    start = _small(np.asarray(photo.convert("RGB")), size)
    flows = _flows(grey)
    speeds = [np.linalg.norm(flow, axis=2) for flow in flows]
    steps = np.array([_difference(a, b) for a, b in pairwise(grey)])
    luma = np.array([each.mean() for each in grey])
    few = max(1, min(3, len(grey) // 3))
    sharpness = [cv2.Laplacian(each, cv2.CV_32F).var() for each in grey]
    colours = np.array([each.reshape(-1, 3).mean(axis=0) for each in colour])
    return Measures(
        first_frame_ssim=_ssim(grey[0], _grey(start)),
        motion=float(np.percentile(np.stack(speeds), 95)),
        jerk=float(
            np.mean([np.percentile(np.linalg.norm(b - a, axis=2), 95) for a, b in pairwise(flows)])
        ),
        warp_error=float(
            np.mean([_left_over(*each) for each in zip(grey[:-1], grey[1:], flows, strict=True)])
        ),
        flicker=float(np.abs(np.diff(luma, 2)).mean()),
        sharpness_kept=float(np.mean(sharpness[-few:]) / max(np.mean(sharpness[:few]), 1e-6)),
        colour_drift=float(
            np.abs(colours[-few:].mean(axis=0) - start.reshape(-1, 3).mean(axis=0)).max()
        ),
        cut=float(steps.max() / max(float(np.median(steps)), 0.5)),
        unchanged=float((steps < _UNCHANGED).mean()),
    )


def failed(measures: Measures, gates: Gates) -> tuple[str, ...]:
    """Name what *measures* fail of *gates*; nothing is a clip that may go out."""
    limits: tuple[tuple[str, float, float | None, float | None], ...] = (
        ("first_frame_ssim", measures.first_frame_ssim, gates.min_first_frame_ssim, None),
        ("motion", measures.motion, gates.min_motion, gates.max_motion),
        ("jerk", measures.jerk, None, gates.max_jerk),
        ("warp_error", measures.warp_error, None, gates.max_warp_error),
        ("flicker", measures.flicker, None, gates.max_flicker),
        ("sharpness_kept", measures.sharpness_kept, gates.min_sharpness_kept, None),
        ("colour_drift", measures.colour_drift, None, gates.max_colour_drift),
        ("cut", measures.cut, None, gates.max_cut),
        ("unchanged", measures.unchanged, None, gates.max_unchanged),
    )
    return tuple(
        name
        for name, value, least, most in limits
        if (least is not None and value < least) or (most is not None and value > most)
    )


def _small(picture: _Picture, size: tuple[int, int]) -> _Picture:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _grey(picture: _Picture) -> _Picture:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


def _flows(grey: Sequence[_Picture]) -> list[_Field]:
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    still = np.zeros((*grey[0].shape, 2), np.float32)
    return [np.asarray(dis.calc(a, b, still.copy()), np.float32) for a, b in pairwise(grey)]


def _left_over(before: _Picture, after: _Picture, flow: _Field) -> float:
    """How far *after* is from *before* once the movement is taken back, in 1/255."""
    rows, columns = np.indices(before.shape, dtype=np.float32)
    back = cv2.remap(
        after,
        columns + flow[..., 0],
        rows + flow[..., 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return _difference(before, back)


def _difference(a: cv2.typing.MatLike, b: cv2.typing.MatLike) -> float:
    return float(cv2.absdiff(a, b).mean())


def _ssim(a: cv2.typing.MatLike, b: cv2.typing.MatLike) -> float:
    """Structural likeness, as in Wang et al. 2004: 11 x 11 Gaussian, sigma 1.5."""

    def blurred(picture: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.GaussianBlur(picture, (11, 11), 1.5), np.float32)

    x, y = np.asarray(a, np.float32), np.asarray(b, np.float32)
    mean_x, mean_y = blurred(x), blurred(y)
    var_x, var_y = blurred(x * x) - mean_x**2, blurred(y * y) - mean_y**2
    covariance = blurred(x * y) - mean_x * mean_y
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    likeness = ((2 * mean_x * mean_y + c1) * (2 * covariance + c2)) / (
        (mean_x**2 + mean_y**2 + c1) * (var_x + var_y + c2)
    )
    return float(likeness.mean())
