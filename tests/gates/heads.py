"""Heads in a clip, by the face detector's six points.

Another network than the mesh that drives the motion; it looks at the decoded pictures and
knows nothing of how they were made. Lengths are in eye distances of the first picture.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.gates.rhythm import swing
from vivant.director.look.detect import Detection, Detector, merged, search, squares, strips
from vivant.director.look.models import FACES_NEAR
from vivant.director.look.nets import Net

#: The detector's numbering, as seen in the picture.
LEFT_EYE, RIGHT_EYE, MOUTH = 0, 1, 3

#: A first search; and what a close look at each find must score. Measured on twelve photos: there
#: faces score 0.80 and more, what is none 0.61 and less.
_LIKELY, _SURE = 0.6, 0.7
#: Boxes smaller than this share of the picture's longer side are passers-by.
_SMALLEST = 0.03
#: Between the eyes of a frontal face, as a share of the box's side; in profile they meet.
_EYES_APART = 0.43


@dataclass(frozen=True, slots=True)
class Head:
    """One head through a clip."""

    #: Frames x 6 x 2, in pixels; where it was lost, the last known.
    points: NDArray[np.float64]
    #: In how many of the frames it was found again, 0..1.
    found: float
    #: Between the eyes' centres in the first picture if it were frontal, in pixels.
    eye_distance: float
    frame_rate: int

    @property
    def frontal(self) -> bool:
        """Both eyes show well: mouth and eyes can be read."""
        between = self.points[0, RIGHT_EYE] - self.points[0, LEFT_EYE]
        return float(np.hypot(*between)) > 0.6 * self.eye_distance

    @property
    def middle(self) -> NDArray[np.float64]:
        """Of eyes, nose and mouth: frames x 2, in eye distances."""
        middle: NDArray[np.float64] = self.points[:, :4].mean(1) / self.eye_distance
        return middle

    @property
    def sway(self) -> float:
        """How far it swings sideways, at a dancer's pace."""
        return swing(self.middle[:, 0], self.frame_rate, 0.45, 2.0)

    @property
    def nod(self) -> float:
        """How far it swings up and down, at a nod's pace."""
        return swing(self.middle[:, 1], self.frame_rate, 0.8, 2.0)

    @property
    def bounce(self) -> float:
        """How far it shakes up and down, at a laugh's pace."""
        return swing(self.middle[:, 1], self.frame_rate, 2.2, 4.5)


class HeadFinder:
    """The detector, loaded once."""

    def __init__(self, models_dir: Path) -> None:
        self._detector = Detector(Net(models_dir / FACES_NEAR), 128, [(8, 2), (16, 6)], points=6)

    def follow(self, frames: Sequence[NDArray[np.uint8]], frame_rate: int) -> list[Head]:
        """All heads of the first of *frames*, from left to right, through the others."""
        return [self._followed(seen, frames, frame_rate) for seen in self.all(frames[0])]

    def all(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """Every face that is large and clear, from left to right."""
        height, width = picture.shape[:2]
        tiles = strips(width, height) + squares(width, height)
        found = merged(search(picture, tiles, lambda tile: self._detector.find(tile, _LIKELY)))
        clear = [
            seen
            for seen in found
            if seen.reach > _SMALLEST * max(height, width)
            and any(
                closer.score > _SURE
                for closer in _beside(seen, _Window(seen).search(picture, self._detector))
            )
        ]
        return sorted(clear, key=lambda seen: float(seen.centre[0]))

    def _followed(
        self, seen: Detection, frames: Sequence[NDArray[np.uint8]], frame_rate: int
    ) -> Head:
        last, window = seen, _Window(seen)
        points, found = [], 0
        for frame in frames:
            window = window.after(last)
            beside = _beside(last, merged(window.search(frame, self._detector)))
            if beside:
                last = beside[0]
                found += 1
            points.append(last.points)
        return Head(np.array(points), found / len(frames), _EYES_APART * seen.reach, frame_rate)


class _Window:
    """A square around a head. It stays where it is while it can: moving it adds noise."""

    def __init__(self, around: Detection) -> None:
        self._side = round(2.4 * around.reach)
        self._middle = around.centre
        self._step = 0.25 * around.reach

    def after(self, last: Detection) -> "_Window":
        if np.hypot(*(last.centre - self._middle)) > self._step:
            self._middle = last.centre
        return self

    def search(self, frame: NDArray[np.uint8], detector: Detector) -> list[Detection]:
        left, top = np.round(self._middle - self._side / 2).astype(int)
        height, width = frame.shape[:2]
        rows = slice(max(0, top), min(height, top + self._side))
        columns = slice(max(0, left), min(width, left + self._side))
        corner: NDArray[Any] = np.array([columns.start, rows.start], np.float64)
        return [seen.moved(corner) for seen in detector.find(frame[rows, columns], 0.4)]


def _beside(face: Detection, others: list[Detection]) -> list[Detection]:
    """Those of *others* that may be *face*, the nearest first."""

    def away(other: Detection) -> float:
        return float(np.hypot(*(other.centre - face.centre)))

    return sorted((other for other in others if away(other) < 0.35 * face.reach), key=away)


def nearest(heads: Sequence[Head]) -> float:
    """How near all come to each other, as a share of how far apart they were."""
    shares = []
    for one, other in combinations(heads, 2):
        between = one.points[:, :4].mean(1) - other.points[:, :4].mean(1)
        apart = np.convolve(np.hypot(between[:, 0], between[:, 1]), np.ones(5) / 5, mode="valid")
        shares.append(apart / apart[0])
    return float(np.mean(shares, axis=0).min())
