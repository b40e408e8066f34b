"""What is not a person: it may follow the camera and nothing else.

The camera is found as the one zoom and shift that explains the points tracked beside the
people; what moves otherwise is the leak. Where people are comes from the networks' own coarse
masks and the face detector, grown, not from the cut-outs that the engine moves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from tests.gates.heads import HeadFinder
from tests.gates.points import Array, followed, grey, to_follow
from vivant.director.look.nets import Nets
from vivant.director.look.poses import PoseFinder, region_of

#: Of the picture's longer side: how far around a silhouette it may move.
_GROWN = 0.05
#: Of 255: what x264 alone changes stays below, also where it is coarse.
_CHANGED = 12
#: Pixels: points nearer than this to where the camera puts them go with it.
_AGREES = 0.6
#: Fewer points than these say nothing about a camera.
_FEWEST = 10
#: Pictures from one look at the camera to the next.
_STRIDE = 7
#: Of the shorter side: at the border flow guesses.
_BORDER = 0.03
#: Pixels: less than this is the tracker's own error.
_MOVED = 0.7


@dataclass(frozen=True, slots=True)
class Backdrop:
    """The picture beside the people at one moment, against the first."""

    #: How much larger the camera shows it.
    zoom: float
    #: Where the middle of the picture went, in shares of its width and height.
    right: float
    down: float
    #: Share of the textured pixels that moved by themselves.
    moved: float
    #: Share of the pixels whose colour is not the first's.
    changed: float


class BackdropFinder:
    """The networks that see where people are, loaded once."""

    def __init__(self, models_dir: Path) -> None:
        nets = Nets(models_dir)
        self._poses = PoseFinder(nets)
        self._anybody = nets.silhouettes
        self._heads = HeadFinder(models_dir)

    def watch(self, frames: Sequence[Array], step: int = 28) -> list[Backdrop]:
        """The backdrop in every *step*-th of *frames*, and in the last."""
        first = frames[0]
        around = self._around(first)
        cameras = _cameras([grey(frame) for frame in frames], ~around)
        indices = sorted({*range(step, len(frames), step), len(frames) - 1})
        return [
            _compared(first, around, frames[i], self._around(frames[i]), cameras[i])
            for i in indices
        ]

    def _around(self, picture: Array) -> Array:
        """People, grown."""
        height, width = picture.shape[:2]
        small = cv2.resize(picture, (256, 256), interpolation=cv2.INTER_AREA)
        somebody = self._anybody(small.astype(np.float32) / 255)[0].reshape(256, 256)
        people = (cv2.resize(somebody, (width, height)) > 0.5).astype(np.uint8)
        for seen in self._poses.find(picture):
            pose = self._poses.read(picture, region_of(seen), looks=2)
            people |= (pose.body > 0.3).astype(np.uint8)
        for face in self._heads.all(picture):
            # Hair and hat are beyond the detector's box.
            middle = face.centre - (0, 0.15 * face.reach)
            cv2.circle(people, middle.round().astype(int).tolist(), round(0.95 * face.reach), 1, -1)
        side = 2 * round(_GROWN * max(width, height)) + 1
        return cv2.dilate(people, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))) > 0


def _compared(
    first: Array, around_first: Array, now: Array, around_now: Array, camera: Array
) -> Backdrop:
    height, width = first.shape[:2]
    back = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(now, camera, (width, height), flags=back)
    size = (width, height)
    people = cv2.warpAffine(
        around_now.astype(np.uint8), camera, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    )
    border = round(_BORDER * min(width, height))
    inside = np.zeros((height, width), np.uint8)
    inside[border:-border, border:-border] = 1
    shown = cv2.warpAffine(inside, camera, size, flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP)
    beside = ~around_first & (people == 0) & (inside > 0) & (shown > 0)
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    field = flow.calc(grey(first), grey(seen), np.zeros((height, width, 2), np.float32))
    textured = cv2.cornerMinEigenVal(cv2.GaussianBlur(grey(first), (5, 5), 0), 7) > 2e-4
    change = np.abs(cv2.blur(first, (5, 5)).astype(int) - cv2.blur(seen, (5, 5))).max(-1)
    middle = camera @ (width / 2, height / 2, 1)
    return Backdrop(
        zoom=float(np.hypot(camera[0, 0], camera[1, 0])),
        right=float(middle[0] / width - 0.5),
        down=float(middle[1] / height - 0.5),
        moved=_share(np.hypot(field[..., 0], field[..., 1]) > _MOVED, beside & textured),
        changed=_share(change > _CHANGED, beside),
    )


def _cameras(pictures: Sequence[Array], beside: Array) -> dict[int, Array]:
    """The camera of every few of the grey *pictures*, and of the last, against the first."""
    start = now = to_follow(pictures[0], beside, 600, 0.005, 6)
    cameras, before = {}, pictures[0]
    for index, picture in enumerate(pictures):
        # From one to the next a zoom is small enough to be followed.
        if index % _STRIDE and index < len(pictures) - 1:
            continue
        if len(start) >= _FEWEST:
            there, sure = followed(before, picture, now, 21)
            start, now, before = start[sure], there[sure], picture
        cameras[index] = _camera(start[:, 0].astype(np.float64), now[:, 0].astype(np.float64))
    return cameras


def _camera(before: Array, after: Array) -> Array:
    """What leads most points from *before* to *after*, as a 2 x 3 matrix: a zoom and a shift."""
    if len(before) < _FEWEST:
        return np.eye(2, 3)
    rng = np.random.default_rng(0)
    best = np.zeros(len(before), bool)
    for one, other in rng.integers(len(before), size=(400, 2)):
        apart = before[other] - before[one]
        if apart @ apart < 30**2:
            continue
        zoom = (after[other] - after[one]) @ apart / (apart @ apart)
        shift = after[one] - zoom * before[one]
        agree = np.hypot(*(zoom * before + shift - after).T) < _AGREES
        best = agree if agree.sum() > best.sum() else best
    before, after = before[best], after[best]
    away, went = before - before.mean(0), after - after.mean(0)
    zoom = (away * went).sum() / (away * away).sum()
    return np.column_stack([zoom * np.eye(2), after.mean(0) - zoom * before.mean(0)])


def _share(what: Array, among: Array) -> float:
    return float((what & among).sum() / max(200, among.sum()))
