"""Is this clip fit to go out? Asked of the pictures alone, without any model.

It tells a still, noise, flicker, a cut, another photo and melting from a good clip, in about
a third of a second for 81 frames. It does not judge whether the caption was acted out. All is
measured on frames of 320 pixels width, so that limits hold for every size.
"""

from collections.abc import Sequence
from functools import cached_property
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


class Footage:
    """A clip of at least `LEAST_FRAMES` frames and its photo; measures what it is asked for.

    *pictures* are height x width x 3 each; the photo has their shape. Units are as in `Gates`.
    """

    def __init__(
        self, pictures: Sequence[_Picture] | NDArray[np.uint8], photo: Image.Image
    ) -> None:
        height, width, _ = pictures[0].shape
        size = (_WIDTH, max(16, round(height * _WIDTH / width)))
        self._colour = [_small(each, size) for each in pictures]
        self._grey = [_grey(each) for each in self._colour]
        self._photo = _small(np.asarray(photo.convert("RGB")), size)
        #: Frames that are its beginning, and as many that are its end.
        self._few = max(1, min(3, len(pictures) // 3))

    @property
    def first_frame_ssim(self) -> float:
        """Whether it begins as the photo."""
        return _ssim(self._grey[0], _grey(self._photo))

    @property
    def motion(self) -> float:
        """How much moves; nothing in a still, everything in noise."""
        return float(np.percentile([np.linalg.norm(flow, axis=2) for flow in self._flows], 95))

    @property
    def jerk(self) -> float:
        """How jumpily it moves: frames out of order, or nothing that hangs together."""
        jerks = [np.linalg.norm(after - before, axis=2) for before, after in pairwise(self._flows)]
        return float(np.mean([np.percentile(each, 95) for each in jerks]))

    @property
    def warp_error(self) -> float:
        """What changes without moving: noise over the picture."""
        pairs = zip(self._grey[:-1], self._grey[1:], self._flows, strict=True)
        return float(np.mean([_left_over(before, after, flow) for before, after, flow in pairs]))

    @property
    def flicker(self) -> float:
        """How the brightness jumps to and fro."""
        return float(np.abs(np.diff([each.mean() for each in self._grey], 2)).mean())

    @property
    def sharpness_kept(self) -> float:
        """What is left of the detail at the end."""
        first, last = (
            np.mean([cv2.Laplacian(each, cv2.CV_32F).var() for each in frames])
            for frames in (self._grey[: self._few], self._grey[-self._few :])
        )
        return float(last / max(first, 1e-6))

    @property
    def colour_drift(self) -> float:
        """How far the colours of the end are from the photo's, in the channel that went most."""
        end = np.mean([each.mean(axis=(0, 1)) for each in self._colour[-self._few :]], axis=0)
        return float(np.abs(end - self._photo.mean(axis=(0, 1))).max())

    @property
    def cut(self) -> float:
        """The largest jump between two frames over the usual one."""
        return float(self._steps.max() / max(float(np.median(self._steps)), 0.5))

    @property
    def unchanged(self) -> float:
        """The share of frames that are as the one before."""
        return float((self._steps < _UNCHANGED).mean())

    @cached_property
    def _steps(self) -> NDArray[np.float64]:
        return np.array([_difference(a, b) for a, b in pairwise(self._grey)])

    @cached_property
    def _flows(self) -> list[_Field]:
        dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
        still = np.zeros((*self._grey[0].shape, 2), np.float32)
        return [
            np.asarray(dis.calc(a, b, still.copy()), np.float32) for a, b in pairwise(self._grey)
        ]


def failed(footage: Footage, gates: Gates) -> tuple[str, ...]:
    """Name what *footage* fails of *gates*; nothing is a clip that may go out."""
    limits: tuple[tuple[str, float | None, float | None], ...] = (
        ("unchanged", None, gates.max_unchanged),
        ("first_frame_ssim", gates.min_first_frame_ssim, None),
        ("cut", None, gates.max_cut),
        ("flicker", None, gates.max_flicker),
        ("sharpness_kept", gates.min_sharpness_kept, None),
        ("colour_drift", None, gates.max_colour_drift),
        ("motion", gates.min_motion, gates.max_motion),
        ("jerk", None, gates.max_jerk),
        ("warp_error", None, gates.max_warp_error),
    )
    return tuple(name for name, least, most in limits if _is_outside(footage, name, least, most))


def _is_outside(footage: Footage, name: str, least: float | None, most: float | None) -> bool:
    if least is None and most is None:
        return False
    value: float = getattr(footage, name)
    return (least is not None and value < least) or (most is not None and value > most)


def _small(picture: _Picture, size: tuple[int, int]) -> _Picture:
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _grey(picture: _Picture) -> _Picture:
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)


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
