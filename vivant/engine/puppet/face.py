"""The face's motion: expressions by a smooth field, then the mouth and the lids, which need cuts.

Everything is drawn into the actor's finer picture, before the body carries it along.
"""

import cv2
import numpy as np

from vivant.director.look.arrays import Field, Picture, Plane, Point, Points
from vivant.director.look.faces import LEFT_EYE, OVAL, RIGHT_EYE, Face
from vivant.engine.puppet.curves import smooth_each
from vivant.engine.puppet.expressions import EXPRESSIONS, STILL
from vivant.engine.puppet.eyelids import Eyelids
from vivant.engine.puppet.fine import FINE, places, read
from vivant.engine.puppet.mouth import Mouth
from vivant.engine.puppet.parts import Gesture, Part

#: Below this (pixels between the eyes) or beyond this turn there is no face to act with.
_SMALLEST_EYE_DISTANCE = 18
_TURNED_AWAY = 0.75

#: Knots across the face's part of the picture.
_KNOTS = 64


def can_act(face: Face | None) -> bool:
    """Whether expressions can be drawn on *face*."""
    return (
        face is not None
        and face.eye_distance >= _SMALLEST_EYE_DISTANCE
        and abs(face.turned) <= _TURNED_AWAY
    )


class ActingFace:
    """One face, ready to be drawn with any expression. Not to be shared between threads."""

    def __init__(self, face: Face, picture: Picture, corner: Point) -> None:
        """*picture*: the actor's finer picture, whose pixel 0, 0 is *corner* of the photo."""
        height, width = picture.shape[:2]
        points = (face.points - corner) * FINE
        oval = points[list(OVAL)]
        across, along = oval.max(0) - oval.min(0)
        reach = 0.95 * max(across, 0.8 * along)
        middle = (oval.max(0) + oval.min(0)) / 2
        left, top = np.maximum((middle - reach).astype(int), 0)
        right, bottom = np.minimum(
            (middle + np.array([1, 1.25]) * reach).astype(int), (width, height)
        )
        self._part = np.s_[int(top) : int(bottom), int(left) : int(right)]
        self._rest = picture[self._part].copy()
        self._size = (int(right - left), int(bottom - top))
        self._points = points - (left, top)
        unit = face.eye_distance * FINE
        down = np.array([-face.right[1], face.right[0]])

        columns = min(_KNOTS, self._size[0])
        rows = max(2, round(columns * self._size[1] / self._size[0]))
        self._step = np.array([self._size[0] / columns, self._size[1] / rows], np.float32)
        self._column, self._row = np.meshgrid(
            np.arange(columns, dtype=np.float32), np.arange(rows, dtype=np.float32)
        )
        self._x = (self._column + 0.5) * self._step[0] - 0.5
        self._y = (self._row + 0.5) * self._step[1] - 0.5
        self._fields = self._expressions(face, unit, down)
        # A mouth that shows its teeth cannot purse: the field would stretch them.
        self._purses = 0.25 if face.mouth_open else 1.0
        self._mouth = Mouth(face, self._points, unit, down, self._rest)
        self._lids = [
            Eyelids(eye, self._points, face.right, down, self._rest)
            for eye in (RIGHT_EYE, LEFT_EYE)
        ]

    def draw(self, gesture: Gesture, canvas: Picture, winking: int) -> None:
        """Paint the face into *canvas*, the actor's finer picture, with its edge.

        *winking*: the eye that winks, 0 the left one in the picture.
        """
        forward = self._forward(gesture)
        if forward is None and gesture.get(Part.OPEN, 0.0) <= 0:
            drawn = self._rest.copy()
        else:
            drawn = self._warped(forward, gesture)
        squint = gesture.get(Part.SQUINT, 0.0) * 0.42
        gaze = np.array([gesture.get(Part.GAZE_X, 0.0), gesture.get(Part.GAZE_Y, 0.0)])
        for index, lids in enumerate(self._lids):
            closed = max(gesture.get(Part.CLOSE, 0.0), squint)
            if index == winking:
                closed = max(closed, gesture.get(Part.WINK, 0.0))
            lids.draw(drawn, min(1.0, closed), gaze)
        canvas[self._part] = drawn

    def _expressions(self, face: Face, unit: float, down: Point) -> dict[Part, Field]:
        """One field an expression, by radial functions through the anchors (Wendland's C2)."""
        numbers = list(dict.fromkeys((*STILL, *(n for e in EXPRESSIONS.values() for n in e))))
        points = self._points[numbers]
        reach = 0.95 * unit
        pull = _radial(_distances(points, points), reach) + 1e-3 * np.eye(len(numbers))
        moves = np.zeros((len(numbers), 2 * len(EXPRESSIONS)))
        # A face turned aside shows less of the way sideways.
        narrow = 1 - 0.5 * min(1.0, abs(face.turned))
        for index, anchors in enumerate(EXPRESSIONS.values()):
            for number, (sideways, downwards) in anchors.items():
                move = (sideways * narrow * face.right + downwards * down) * unit
                moves[numbers.index(number), 2 * index : 2 * index + 2] = move
        knots = np.stack([self._x.ravel(), self._y.ravel()], 1)
        fields = _radial(_distances(knots, points), reach) @ np.linalg.solve(pull, moves)
        fields = fields.reshape(*self._x.shape, len(EXPRESSIONS), 2)
        fields *= self._inside_face(unit)[..., None, None]
        return {
            part: np.ascontiguousarray(fields[:, :, index], np.float32)
            for index, part in enumerate(EXPRESSIONS)
        }

    def _inside_face(self, unit: float) -> Plane:
        """1 on the face, fading out beyond its outline and to the border of the part."""
        hull = cv2.convexHull(self._points[list(OVAL)].astype(np.float32)).reshape(-1, 2)
        oval = np.zeros(self._x.shape, np.uint8)
        cv2.fillConvexPoly(oval, (hull / self._step).astype(np.int32), 1)
        away = cv2.distanceTransform(1 - oval, cv2.DIST_L2, 3) * float(self._step.mean())
        inside: Plane = 1 - smooth_each(away, 0, 0.22 * unit)
        return inside

    def _forward(self, gesture: Gesture) -> Field | None:
        weights = {part: gesture.get(part, 0.0) for part in self._fields}
        weights[Part.PUCKER] *= self._purses
        used = [self._fields[p] * np.float32(w) for p, w in weights.items() if abs(w) > 1e-4]
        if not used:
            return None
        forward: Field = np.add.reduce(used)
        return forward

    def _warped(self, forward: Field | None, gesture: Gesture) -> Picture:
        if forward is None:
            forward = np.zeros((*self._x.shape, 2), np.float32)
        back = -forward
        for _ in range(3):
            back = -self._at(forward, back)
        moved = self._moved(forward)
        opening = gesture.get(Part.OPEN, 0.0)
        source = self._source(back)
        if opening <= 0.01:
            return read(self._rest, source)
        jaw = self._mouth.open(moved, opening, self._x, self._y)
        # Below the lips everything first goes down with the jaw, then with the expression.
        dropped = jaw.drop[..., None] * -jaw.down
        lower = self._source(dropped + self._at(back, dropped))
        jaw.cut(upper=source, lower=lower)
        drawn = read(self._rest, source)
        self._mouth.paint(drawn, jaw)
        return drawn

    def _at(self, field: Field, offset: Field) -> Field:
        """*field* at each knot moved by *offset* (pixels)."""
        return cv2.remap(
            field,
            self._column + offset[..., 0] / self._step[0],
            self._row + offset[..., 1] / self._step[1],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )

    def _moved(self, forward: Field) -> Points:
        """The mesh after the expression."""
        knots = ((self._points + 0.5) / self._step - 0.5).astype(np.float32)
        moves = cv2.remap(
            forward,
            np.ascontiguousarray(knots[None, :, 0]),
            np.ascontiguousarray(knots[None, :, 1]),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        moved: Points = self._points + moves[0]
        return moved

    def _source(self, offset: Field) -> Field:
        """For every pixel of the part: where to read."""
        return places(cv2.resize(offset, self._size, interpolation=cv2.INTER_LINEAR))


def _distances(a: Points, b: Points) -> Plane:
    distances: Plane = np.hypot(a[:, None, 0] - b[None, :, 0], a[:, None, 1] - b[None, :, 1])
    return distances


def _radial(distance: Plane, reach: float) -> Plane:
    t = np.clip(distance / reach, 0, 1)
    radial: Plane = (1 - t) ** 4 * (4 * t + 1)
    return radial
