"""The mouth: opened by a cut along the lips, with what then shows painted into the gap.

A smooth field cannot part lips that touch: it oscillates and looks grotesque. So what is below
the lip line slides down with the jaw as one sheet, and the gap gets dark, tongue and, in a
mouth that was shut, upper teeth.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from vivant.director.look.arrays import Field, Picture, Plane, Point, Points
from vivant.director.look.faces import CHIN, INNER_LOWER_LIP, INNER_UPPER_LIP, Face
from vivant.engine.puppet.curves import smooth_each

#: How far a fully opened mouth opens, in eye distances; one that is open already opens less.
_SHUT_OPENS, _OPEN_OPENS = 0.14, 0.115


@dataclass(frozen=True, slots=True)
class Jaw:
    """One opened mouth: a shift of everything below the lip line, and the gap."""

    #: How far the lower sheet went down, in pixels, on the knots of the face.
    drop: Plane
    down: Point
    #: The rectangle around the gap, as slices of the face's part of the picture.
    box: tuple[slice, slice]
    #: Below the lip line, along the face; negative above it. All of the following for `box`.
    below: Plane
    #: The gap's height in each pixel's column.
    height: Plane
    #: 0 in the middle of the mouth, 1 in its corners.
    aside: Plane

    def cut(self, *, upper: Field, lower: Field) -> None:
        """Make *upper* read from *lower* wherever that is the sheet below the lips."""
        under = self.box[0].start
        inside = np.where((self.below > 0)[..., None], lower[self.box], upper[self.box])
        upper[under:] = lower[under:]
        upper[self.box] = inside


class Mouth:
    """One mouth, and the colours it opens with."""

    def __init__(
        self, face: Face, points: Points, unit: float, down: Point, picture: Picture
    ) -> None:
        """*points* and *unit* (the eye distance) in pixels of *picture*, RGBA."""
        self._unit = unit
        self._right, self._down = face.right.astype(np.float32), down.astype(np.float32)
        self._was_open = face.mouth_open
        self._shape = picture.shape[:2]
        skin = _colour(picture, points[[50, 280, 205, 425, 101, 330]])
        lip = _colour(picture, points[[17, 84, 314, 14]])
        light = float(skin.mean()) / 200
        self._dark = 0.35 * lip * (0.75, 0.45, 0.45) + 0.65 * np.array([46, 16, 17]) * (
            0.5 + 0.5 * light
        )
        self._tongue = 0.55 * lip * (1.0, 0.72, 0.74) + 0.45 * np.array([150, 72, 72]) * min(
            1.05, 0.45 + 0.55 * light
        )
        # In the light that falls on the skin: a neutral white looks blue beside a warm face.
        tint = 0.62 + 0.38 * skin / max(1.0, float(skin.max()))
        self._teeth = np.clip(
            np.array([240, 230, 212]) * tint * min(1.0, 0.4 + 0.6 * light), 0, 240
        )

    def open(self, points: Points, opening: float, x: Plane, y: Plane) -> Jaw:
        """Open by *opening* (0..1), with the lips where the expression left *points*."""
        upper, lower = points[list(INNER_UPPER_LIP)], points[list(INNER_LOWER_LIP)]
        origin = (upper[0] + upper[-1]) / 2
        line = self._local(lower if self._was_open else (upper + lower) / 2, origin)
        half = float(line[-1, 0] - line[0, 0]) / 2
        middle = float(line[-1, 0] + line[0, 0]) / 2
        if self._was_open:
            # Just inside the lower lip, so that the lower teeth go down with it.
            line[:, 1] -= 0.012 * self._unit
        amount = (_OPEN_OPENS if self._was_open else _SHUT_OPENS) * self._unit * opening
        chin = float((points[CHIN] - origin) @ self._down)

        across, along = self._axes(x, y, origin)
        lip_line = _smoothed(line, middle, half, across)
        lips = _lips(np.abs(across - middle) / half)
        jaw = np.clip(1 - (np.abs(across - middle) / (0.95 * self._unit)) ** 2, 0, 1) ** 2
        came_from = along.copy()
        for _ in range(6):
            on = np.maximum(came_from, lip_line)
            t = smooth_each((on - lip_line) / max(1.0, chin), 0, 0.9)
            weight = lips * (1 - t) + jaw * 0.85 * t
            weight = weight * (1 - smooth_each(on, chin, chin + 0.42 * self._unit))
            came_from = along - amount * weight
        drop = along - np.maximum(came_from, lip_line)
        drop = np.where(along > lip_line - 3 * (x[0, 1] - x[0, 0]), along - came_from, 0)

        box = self._box(points, amount)
        fine_y, fine_x = np.mgrid[box].astype(np.float32)
        across, along = self._axes(fine_x, fine_y, origin)
        aside = np.clip(np.abs(across - middle) / half, 0, 1)
        return Jaw(
            drop=drop.astype(np.float32),
            down=self._down,
            box=box,
            below=along - _smoothed(line, middle, half, across),
            height=amount * _lips(aside),
            aside=aside,
        )

    def paint(self, picture: Picture, jaw: Jaw) -> None:
        """Fill the gap."""
        edge = np.minimum(jaw.below, jaw.height - jaw.below) + 0.5
        cover = np.clip(edge, 0, 1) * (jaw.height > 0.6)
        cover = cv2.GaussianBlur(cover.astype(np.float32), (0, 0), max(0.8, 0.008 * self._unit))
        middle = 1 - jaw.aside**2
        cover = (cover * smooth_each(middle, 0.02, 0.30))[..., None]
        patch = picture[jaw.box][..., :3]
        patch[...] = np.clip(patch * (1 - cover) + self._inside(jaw, middle) * cover, 0, 255)

    def _inside(self, jaw: Jaw, middle: Plane) -> Plane:
        """What shows between the lips."""
        depth = np.clip(jaw.below / np.maximum(jaw.height, 0.5), 0, 1)
        colour = self._dark * (0.6 + 0.4 * middle[..., None])
        tongue = (0.7 * smooth_each(depth, 0.5, 1.0) * smooth_each(middle, 0.25, 0.9))[..., None]
        colour = colour * (1 - tongue) + self._tongue * tongue
        if self._was_open:
            return colour
        return self._with_teeth(colour, jaw, middle)

    def _with_teeth(self, colour: Plane, jaw: Jaw, middle: Plane) -> Plane:
        """The upper row: never lower than the lip that hides it in a small opening."""
        length = min(0.46 * float(jaw.height.max()), 0.075 * self._unit)
        # Teeth are about an eighth of the eye distance wide and end in soft scallops.
        across = np.arange(jaw.aside.shape[1], dtype=np.float32)
        tooth = np.abs(np.sin(np.pi * (across - across.mean()) / (0.105 * self._unit)))[None]
        ends = length * (0.90 + 0.12 * np.sqrt(tooth))
        row = (1 - smooth_each(jaw.below / np.maximum(ends, 0.5), 0.8, 1.15)) * smooth_each(
            middle, 0.30, 0.62
        )
        shade = (0.66 + 0.34 * smooth_each(middle, 0.3, 1)) * (
            0.78 + 0.22 * smooth_each(jaw.below, 0, length * 0.45)
        )
        between = 1 - 0.13 * np.exp(-((tooth / 0.16) ** 2)) * smooth_each(middle, 0.35, 0.7)
        cover = (0.92 * row)[..., None]
        teeth: Plane = colour * (1 - cover) + self._teeth * (shade * between)[..., None] * cover
        return teeth

    def _box(self, points: Points, amount: float) -> tuple[slice, slice]:
        lips = points[[*INNER_UPPER_LIP, *INNER_LOWER_LIP]]
        low, high = lips.min(0) - 3, lips.max(0) + np.abs(self._down) * amount + 4
        left, top = np.maximum(low.astype(int), 0)
        right, bottom = np.minimum(high.astype(int), (self._shape[1], self._shape[0]))
        return np.s_[int(top) : int(bottom), int(left) : int(right)]

    def _axes(self, x: Plane, y: Plane, origin: Point) -> tuple[Plane, Plane]:
        dx, dy = x - np.float32(origin[0]), y - np.float32(origin[1])
        return (
            dx * self._right[0] + dy * self._right[1],
            dx * self._down[0] + dy * self._down[1],
        )

    def _local(self, points: Points, origin: Point) -> Points:
        return np.stack([(points - origin) @ self._right, (points - origin) @ self._down], 1)


def _lips(aside: Plane) -> Plane:
    """How far the lips part, from 1 in the middle to 0 in the corners."""
    aside = np.clip(aside, 0, 1)
    lips: Plane = (1 - aside * aside) ** 1.5 * (1 - smooth_each(aside, 0.75, 1))
    return lips


def _smoothed(line: Points, middle: float, half: float, across: Plane) -> Plane:
    """The height of the lip line at *across*, without the corners of its few points."""
    places = np.linspace(middle - 1.6 * half, middle + 1.6 * half, 128)
    heights = np.interp(places, line[:, 0], line[:, 1])
    heights = np.convolve(np.pad(heights, 4, "edge"), np.ones(9) / 9, "valid")
    smoothed: Plane = np.interp(across, places, heights).astype(np.float32)
    return smoothed


def _colour(picture: Picture, points: Points) -> Point:
    height, width = picture.shape[:2]
    x = np.clip(points[:, 0].astype(int), 0, width - 1)
    y = np.clip(points[:, 1].astype(int), 0, height - 1)
    colour: Point = np.median(picture[y, x, :3].astype(np.float64), 0)
    return colour
