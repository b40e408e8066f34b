"""The body's motion: one smooth displacement of the whole person, out of fixed parts.

Every part of a body is a field that was drawn once; a gesture only says how much of each.
The sum is smooth and small in slope, so it can be inverted without a fold or a tear.
"""

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import cv2
import numpy as np

from vivant.director.look.arrays import Field, Plane, Point
from vivant.engine.puppet.actors import Actor
from vivant.engine.puppet.curves import bend, smooth, smooth_each
from vivant.engine.puppet.parts import Gesture, Part

#: Pixels between the knots of a field.
KNOTS = 8

#: Where a field squeezes space to less than this share, it would soon fold.
LEAST_ROOM = 0.25

#: A face that is turned as little as the first is seen from the front, as far as the second
#: from the side.
_IN_PROFILE = 0.4, 0.9
#: From the side a nod turns so much of its angle, as a neck that bends further would fold; and
#: sinks by this share of what it does from the front.
_PROFILE_NODS, _PROFILE_SINKS = 0.75, 0.5


#: How much of a field a gesture wants.
Weight: TypeAlias = Callable[[Gesture], float]
_Drawn: TypeAlias = tuple[Weight, Field]


class Body:
    """How one actor's pixels move."""

    def __init__(self, actor: Actor, width: int, height: int) -> None:
        self._actor = actor
        columns, rows = -(-width // KNOTS) + 1, -(-height // KNOTS) + 1
        # The knots lie where `cv2.resize` puts the middle of a KNOTS x KNOTS block.
        self._x, self._y = np.meshgrid(
            (np.arange(columns, dtype=np.float32) + 0.5) * KNOTS - 0.5,
            (np.arange(rows, dtype=np.float32) + 0.5) * KNOTS - 0.5,
        )
        self._column, self._row = np.meshgrid(
            np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32)
        )
        self._fixed = self._fade(width, height)
        # Only what is drawn can fold: the body, and a little around it.
        body = cv2.resize(actor.mask, (columns, rows), interpolation=cv2.INTER_AREA) > 0.1
        self._drawn = cv2.dilate(body.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        drawn = [*self._trunk(), *self._head()]
        self._weights = [weight for weight, _ in drawn]
        self._fields = np.stack([f.astype(np.float32) * self._fixed for _, f in drawn])
        #: How much of every motion is made; `settle` lowers it.
        self.ease = 1.0

    def displacement(self, gesture: Gesture) -> Field:
        """Where each knot goes, in pixels."""
        weights = np.array([weight(gesture) for weight in self._weights], np.float32)
        field: Field = np.tensordot(weights * np.float32(self.ease), self._fields, 1)
        return field

    def farthest(self, gestures: Sequence[Gesture], shape: tuple[int, int]) -> Plane:
        """How far each pixel of a picture of that *shape* ever gets in *gestures*."""
        moves = (np.moveaxis(self.displacement(gesture), -1, 0) for gesture in gestures)
        moved = np.maximum.reduce([np.hypot(dx, dy) for dx, dy in moves])
        large = cv2.resize(moved, None, fx=KNOTS, fy=KNOTS, interpolation=cv2.INTER_LINEAR)
        return large[: shape[0], : shape[1]]

    def origin(self, displacement: Field) -> Field:
        """Where what is now at each knot came from, relative to it: the inverse."""
        step = np.float32(1 / KNOTS)
        back = -displacement
        for _ in range(6):
            back = -cv2.remap(
                displacement,
                self._column + back[..., 0] * step,
                self._row + back[..., 1] * step,
                cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
        return back

    def settle(self, gestures: Sequence[Gesture]) -> None:
        """Ease the whole performance so far that none of *gestures* comes near a fold."""
        self.ease = 1.0
        while self.ease > 0.2 and any(self.room(g) < LEAST_ROOM for g in gestures):
            self.ease *= 0.9

    def room(self, gesture: Gesture) -> float:
        """The least share of its area that any patch of the body keeps: 1 at rest, 0 at a fold."""
        return float(room(self.displacement(gesture))[self._drawn].min())

    def _fade(self, width: int, height: int) -> Field:
        """A border of the photo that cuts the body stays put; the pull fades over half of it."""
        a = self._actor
        fade = np.ones_like(self._x)
        for cut, from_border, reach in (
            (a.cut_left, self._x, float(a.shoulders[0])),
            (a.cut_right, width - 1 - self._x, width - float(a.shoulders[0])),
        ):
            if cut:
                over = max(0.1 * width, reach)
                fade *= smooth_each(from_border, -0.1 * over, over) - smooth(0, -0.1 * over, over)
        # At the bottom only what would lift the body off the border, and show what is below it.
        over = min(0.9 * a.size, max(0.25 * a.size, height - float(a.chin[1])))
        held = smooth_each(height - 1 - self._y, 0.02 * over, over) if a.cut_bottom else 1.0
        fixed: Field = _field(np.clip(fade, 0, None), np.clip(fade, 0, None) * held)
        return fixed

    def _trunk(self) -> list[_Drawn]:
        a, x, y = self._actor, self._x, self._y
        size, still = a.size, np.zeros_like(self._x)
        chest = a.shoulders
        up = (a.root - y) / (a.root - chest[1])
        footing = smooth_each(up, 0, 0.3)
        lean = bend(up) / _bend_at((a.root - a.head[1]) / (a.root - chest[1]))
        t = a.troupe
        sway = bend((t.root - y) / (t.root - t.shoulders)) / _bend_at(
            (t.root - t.head) / (t.root - t.shoulders)
        )
        trunk = t.root - t.shoulders
        hips = np.exp(-(((y - t.shoulders - 0.62 * trunk) / (0.38 * trunk)) ** 2))
        hips = hips * smooth_each((t.root - y) / trunk, 0, 0.35)
        side = (x - chest[0]) / (0.5 * a.shoulder_width)
        breath = (
            np.exp(-(((y - chest[1] - 0.25 * size) / (1.3 * size)) ** 2) - (side / 1.8) ** 2)
            * footing
        )
        # The head rides on the breath.
        rides = 0.75 * smooth_each(chest[1] - y, -0.4 * size, 0.2 * size)
        shrug = np.exp(-(((y - chest[1]) / (0.8 * size)) ** 2)) * footing
        shrug = shrug * smooth_each(np.abs(side), 0.3, 1.0)
        squeeze = np.exp(-(((y - chest[1] - 0.6 * size) / (1.3 * size)) ** 2)) * footing
        return [
            (_of(Part.LEAN), size * _field(lean, still)),
            (_squared(Part.LEAN), 0.12 * size * _field(still, lean**2)),
            (_of(Part.SWAY), t.unit * _field(sway, still)),
            (_squared(Part.SWAY), 0.12 * t.unit * _field(still, sway**2)),
            (_of(Part.HIP), t.unit * _field(hips, still)),
            (_of(Part.BREATH), size * _field(0.5 * breath * side, -breath - rides)),
            (_of(Part.SHRUG), size * _field(still, -shrug)),
            (_of(Part.SQUEEZE), -size * _field(squeeze * np.tanh(side), still)),
            (_of(Part.SWELL), self._swell()),
        ]

    def _swell(self) -> Field:
        """Both upper arms thicken in their middle."""
        swell = np.zeros((*self._x.shape, 2), np.float32)
        for arm in self._actor.arms:
            length = float(np.hypot(*(arm.elbow - arm.shoulder)))
            along = (arm.elbow - arm.shoulder) / length
            across = np.array([-along[1], along[0]])
            on = self._along(arm.shoulder, along) / length
            off = self._along(arm.shoulder, across) / length
            muscle = np.exp(-(((on - 0.55) / 0.22) ** 2) - (off / 0.30) ** 2)
            push = muscle * (off / 0.14) / np.sqrt(1 + (off / 0.14) ** 2)
            swell += length * push[..., None] * across.astype(np.float32)
        return swell

    def _head(self) -> list[_Drawn]:
        a = self._actor
        size = a.size
        below_chin = self._along(a.chin, a.down)
        aside = self._along(a.head, a.right)
        below_middle = self._along(a.head, a.down)
        neck = max(0.35 * size, float(a.shoulders[1] - a.chin[1]))
        head = 1 - smooth_each(below_chin, -0.12 * size, 1.05 * neck)
        # Below the chin only the neck turns along, not the shoulders beside it.
        narrow = smooth_each(below_chin, -0.6 * size, 0.15 * size)
        head = head * (
            1 - smooth_each(np.abs(aside), (1.0 - 0.5 * narrow) * size, (1.9 - 0.7 * narrow) * size)
        )
        hinge = a.chin + a.down * 0.3 * size
        x, y = (self._x - hinge[0]) * head, (self._y - hinge[1]) * head
        # A head is round: what is nearer to the viewer moves further as it turns.
        round_ = np.exp(-0.9 * ((aside / (0.78 * size)) ** 2 + (below_middle / size) ** 2))
        turn = 0.62 * size * round_ * head
        right, down = a.right.astype(np.float32), a.down.astype(np.float32)
        still = np.zeros_like(head)
        # What looks down turns in the picture as far as it is seen from the side, and sinks.
        turned = 0.0 if a.face is None else a.face.turned
        profile = math.copysign(smooth(abs(turned), *_IN_PROFILE), turned)
        looks_down = (1 - (1 - _PROFILE_SINKS) * abs(profile)) * turn[..., None] * down
        looks_down += _PROFILE_NODS * profile * _field(-y, x)
        return [
            (_sine(Part.ROLL), _field(-y, x)),
            (lambda gesture: math.cos(gesture.get(Part.ROLL, 0.0)) - 1, _field(x, y)),
            (_sine(Part.YAW), turn[..., None] * right),
            (_sine(Part.PITCH), looks_down),
            (_of(Part.SHIFT), size * _field(head, still)),
            (_of(Part.DROP), size * _field(still, head)),
        ]

    def _along(self, start: Point, direction: Point) -> Plane:
        along: Plane = (self._x - start[0]) * direction[0] + (self._y - start[1]) * direction[1]
        return along


def room(displacement: Field) -> Plane:
    """The share of its area that each patch keeps: 1 at rest, 0 or less at a fold."""
    dx_dy, dx_dx = np.gradient(displacement[..., 0], KNOTS)
    dy_dy, dy_dx = np.gradient(displacement[..., 1], KNOTS)
    kept: Plane = (1 + dx_dx) * (1 + dy_dy) - dx_dy * dy_dx
    return kept


def _of(part: Part) -> Weight:
    return lambda gesture: gesture.get(part, 0.0)


def _squared(part: Part) -> Weight:
    """What leans goes down, too, along an arc."""
    return lambda gesture: gesture.get(part, 0.0) ** 2


def _sine(part: Part) -> Weight:
    return lambda gesture: math.sin(gesture.get(part, 0.0))


def _bend_at(t: float) -> float:
    return float(bend(np.asarray(t)))


def _field(dx: Plane, dy: Plane) -> Field:
    return np.stack([dx, dy], -1).astype(np.float32)
