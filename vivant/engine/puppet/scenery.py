"""Scenery: a photo of nobody, moved by the camera as if it had depth.

Nothing here knows real depth: the ground rises towards the viewer, and what is busy or in the
middle stands out. Smooth, so that nothing tears; gentle, so that it need not be true.
"""

import cv2
import numpy as np

from vivant.director.look.arrays import Field, Picture, Plane
from vivant.engine.puppet.body import KNOTS
from vivant.engine.puppet.camera import View
from vivant.engine.puppet.curves import smooth_each
from vivant.engine.puppet.fine import FINE, finer, opaque, read

#: The nearest is seen so much nearer than the farthest, in a zoom; and in a shift, where more
#: would make towers lean.
_DEPTH, _SHIFT_DEPTH = 0.7, 0.25


class Scenery:
    """One photo, ready to be drawn from any view."""

    def __init__(self, picture: Picture) -> None:
        height, width = picture.shape[:2]
        self._size = (width, height)
        self._finer = finer(opaque(picture))
        columns, rows = -(-width // KNOTS) + 1, -(-height // KNOTS) + 1
        # One knot before the picture, so that every pixel lies between knots.
        x, y = np.meshgrid(
            (np.arange(-1, columns, dtype=np.float32) + 0.5) * KNOTS - 0.5,
            (np.arange(-1, rows, dtype=np.float32) + 0.5) * KNOTS - 0.5,
        )
        self._knots = np.dstack([x, y])
        # Depth is smooth: a quarter of the picture each way tells as much.
        small = cv2.resize(picture, (width // 4, height // 4), interpolation=cv2.INTER_AREA)
        at_knots = cv2.resize(nearness_of(small), (columns, rows))
        at_knots = np.pad(at_knots, ((1, 0), (1, 0)), mode="edge")
        # About 1 on average, so that a view means here what it means for people.
        self._off = (at_knots - float(at_knots.mean()))[..., None]

    def frame(self, view: View) -> Picture:
        """One frame, RGB."""
        zoom = 1 + (view.zoom - 1) * (1 + _DEPTH * self._off)
        shift = np.array([view.right, view.down], np.float32) * (1 + _SHIFT_DEPTH * self._off)
        centre = np.array(view.centre, np.float32)
        source: Field = ((self._knots - centre) / zoom + centre + shift) * FINE
        width, height = self._size
        large = cv2.resize(
            source.astype(np.float32), None, fx=KNOTS, fy=KNOTS, interpolation=cv2.INTER_LINEAR
        )
        part = large[KNOTS : KNOTS + height, KNOTS : KNOTS + width]
        return cv2.cvtColor(read(self._finer, part), cv2.COLOR_RGBA2RGB)


def nearness_of(picture: Picture) -> Plane:
    """0, far, to 1, near; smooth."""
    height, width = picture.shape[:2]
    across = max(height, width)
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    busy: Plane = cv2.GaussianBlur(
        np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1)), (0, 0), 0.045 * across
    )
    busy /= busy.max() + 1e-6
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, width, dtype=np.float32)[None]
    middle = np.exp(-((x / 0.6) ** 2) - ((y - 0.55) / 0.35) ** 2)
    near: Plane = 0.55 * smooth_each(y, 0.25, 1.05) + 0.35 * busy + 0.15 * middle
    near = cv2.GaussianBlur(near.astype(np.float32), (0, 0), 0.03 * across)
    span: Plane = (near - near.min()) / (near.max() - near.min() + 1e-6)
    return span
