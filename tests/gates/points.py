"""Points that are followed from one decoded picture to another."""

from typing import Any, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

#: OpenCV's stubs promise no element type.
Array: TypeAlias = NDArray[Any]


def grey(picture: Array) -> Array:
    """*picture* without its colour."""
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)


def to_follow(picture: Array, where: Array, most: int, quality: float, apart: int) -> Array:
    """Corners of the grey *picture* inside *where*: n x 1 x 2, n may be 0."""
    mask = where.astype(np.uint8)
    # The stubs do not know that there may be none.
    found: Array | None = cv2.goodFeaturesToTrack(picture, most, quality, apart, mask=mask)
    return np.zeros((0, 1, 2), np.float32) if found is None else found


def followed(before: Array, after: Array, points: Array, window: int) -> tuple[Array, Array]:
    """Where *points* are in the grey picture *after*, and which of them can be believed.

    Lucas-Kanade there and back: who does not come home was lost.
    """
    size = (window, window)
    there = np.empty_like(points)
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, after, points, there, winSize=size)
    home, _, _ = cv2.calcOpticalFlowPyrLK(after, before, there, np.empty_like(there), winSize=size)
    sure: Array = (found.ravel() == 1) & (np.abs(home - points).max((1, 2)) < 0.7)
    return there, sure
