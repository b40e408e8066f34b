"""What the detecting networks share: anchors, tiles, and one answer out of many.

The decoding follows MediaPipe's published graphs (Apache-2.0); measured against them, a face
mesh differs by 1 to 2% of the eye distance.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vivant.director.look.arrays import Picture, Plane, Point, Points, Tensor
from vivant.director.look.nets import Net, sigmoid


@dataclass(frozen=True, slots=True)
class Detection:
    """One thing found, in pixels of the whole picture."""

    score: float
    centre: Point
    #: Width and height.
    size: Point
    #: The network's own key points.
    points: Points

    @property
    def reach(self) -> float:
        """The longer side."""
        return float(self.size.max())

    def moved(self, by: Point) -> "Detection":
        """The same, seen from a picture of which this was a tile at *by*."""
        return Detection(self.score, self.centre + by, self.size, self.points + by)


@dataclass(frozen=True, slots=True)
class Region:
    """A square to look into, turned by *angle* (radians)."""

    centre: Point
    size: float
    angle: float = 0.0

    def cut(self, picture: Picture, pixels: int) -> tuple[Picture, Tensor]:
        """The square as *pixels* x *pixels*, and the 2 x 3 matrix that leads back."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        step, half = self.size / pixels, pixels / 2
        turn = step * np.array([[cos, -sin], [sin, cos]])
        back = np.column_stack([turn, self.centre - turn @ (half, half)])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        patch = cv2.warpAffine(picture, back, (pixels, pixels), flags=flags)
        return patch, back


@dataclass(frozen=True, slots=True)
class Tile:
    """A part of the picture that is searched by itself, so that small faces are large in it."""

    left: int
    top: int
    width: int
    height: int

    def of(self, picture: Picture) -> Picture:
        """The pixels of it."""
        return picture[self.top : self.top + self.height, self.left : self.left + self.width]

    def cuts(self, found: Detection, picture: Picture) -> bool:
        """Whether a border of the tile, that is none of the picture, cuts *found*."""
        height, width = picture.shape[:2]
        left, top = found.centre - found.size / 2
        right, bottom = found.centre + found.size / 2
        return bool(
            (left < self.left + 2 and self.left > 0)
            or (top < self.top + 2 and self.top > 0)
            or (right > self.left + self.width - 2 and self.left + self.width < width)
            or (bottom > self.top + self.height - 2 and self.top + self.height < height)
        )


def strips(width: int, height: int) -> list[Tile]:
    """The whole picture first; a long one also as overlapping squares."""
    tiles = [Tile(0, 0, width, height)]
    short, aspect = min(width, height), max(width, height) / min(width, height)
    if aspect > 1.25:
        count = 2 if aspect < 2 else 3
        for offset in np.linspace(0, max(width, height) - short, count).astype(int).tolist():
            left, top = (offset, 0) if width > height else (0, offset)
            tiles.append(Tile(left, top, short, short))
    return tiles


def squares(width: int, height: int) -> list[Tile]:
    """Overlapping squares of 0.6 of the short side, all over the picture."""
    side = int(min(width, height) * 0.6)
    rows, columns = (3 if height >= width else 2), (3 if width >= height else 2)
    return [
        Tile(left, top, side, side)
        for top in np.linspace(0, height - side, rows).astype(int).tolist()
        for left in np.linspace(0, width - side, columns).astype(int).tolist()
    ]


class Detector:
    """A single-shot detecting network."""

    def __init__(
        self, net: Net, pixels: int, layers: Sequence[tuple[int, int]], *, points: int
    ) -> None:
        """*layers*: (stride, anchors a cell) of each grid that the network answers on."""
        self._net = net
        self._pixels = pixels
        self._points = points
        self._anchors = _anchors(pixels, layers)

    def find(self, picture: Picture, threshold: float) -> list[Detection]:
        """Everything scoring above *threshold*, overlapping answers included."""
        padded, scale, corner = _letterbox(picture, self._pixels)
        outputs = self._net(padded.astype(np.float32) / 127.5 - 1)
        raw = next(output for output in outputs if output.shape[-1] > 1)[0]
        scores = sigmoid(next(output for output in outputs if output.shape[-1] == 1)[0, :, 0])
        found = []
        for index in np.flatnonzero(scores > threshold):
            numbers, anchor = raw[index].astype(np.float64), self._anchors[index]
            points = numbers[4 : 4 + 2 * self._points].reshape(-1, 2) + anchor * self._pixels
            centre = numbers[:2] + anchor * self._pixels
            found.append(
                Detection(
                    float(scores[index]),
                    (centre - corner) / scale,
                    numbers[2:4] / scale,
                    (points - corner) / scale,
                )
            )
        return found


def search(
    picture: Picture, tiles: Sequence[Tile], find: Callable[[Picture], list[Detection]]
) -> list[Detection]:
    """What *find* sees in *tiles*, less what an inner border of a tile cuts."""
    found = []
    for tile in tiles:
        corner = np.array([tile.left, tile.top], np.float64)
        seen = [detection.moved(corner) for detection in find(tile.of(picture))]
        found += [detection for detection in seen if not tile.cuts(detection, picture)]
    return found


def merged(found: list[Detection]) -> list[Detection]:
    """One detection for each thing: overlapping ones averaged by score, best first."""
    left = sorted(found, key=lambda detection: -detection.score)
    things = []
    while left:
        best = left[0]
        overlaps = [_overlap(best, other) for other in left]
        same = [d for d, (union, _) in zip(left, overlaps, strict=True) if union > 0.3 or d is best]
        left = [
            d
            for d, (union, smaller) in zip(left, overlaps, strict=True)
            if union <= 0.3 and smaller <= 0.7 and d is not best
        ]
        weights = np.array([d.score for d in same])
        weights /= weights.sum()
        things.append(
            Detection(
                best.score,
                np.tensordot(weights, [d.centre for d in same], 1),
                np.tensordot(weights, [d.size for d in same], 1),
                np.tensordot(weights, [d.points for d in same], 1),
            )
        )
    return things


def _anchors(pixels: int, layers: Sequence[tuple[int, int]]) -> Points:
    grids = []
    for stride, each in layers:
        centres = (np.arange(pixels // stride) + 0.5) * stride / pixels
        y, x = np.meshgrid(centres, centres, indexing="ij")
        grids.append(np.stack([x, y], -1).reshape(-1, 1, 2).repeat(each, 1).reshape(-1, 2))
    return np.concatenate(grids)


def _letterbox(picture: Picture, pixels: int) -> tuple[Plane, float, Point]:
    height, width = picture.shape[:2]
    scale = pixels / max(height, width)
    inner = (max(1, round(width * scale)), max(1, round(height * scale)))
    left, top = (pixels - inner[0]) // 2, (pixels - inner[1]) // 2
    padded = np.zeros((pixels, pixels, 3), np.uint8)
    padded[top : top + inner[1], left : left + inner[0]] = cv2.resize(
        picture, inner, interpolation=cv2.INTER_AREA
    )
    return padded, scale, np.array([left, top], np.float64)


def _overlap(a: Detection, b: Detection) -> tuple[float, float]:
    """Intersection over union, and over the smaller of the two."""
    low = np.maximum(a.centre - a.size / 2, b.centre - b.size / 2)
    high = np.minimum(a.centre + a.size / 2, b.centre + b.size / 2)
    shared = float(np.clip(high - low, 0, None).prod())
    area_a, area_b = float(a.size.prod()), float(b.size.prod())
    return shared / (area_a + area_b - shared + 1e-9), shared / (min(area_a, area_b) + 1e-9)
