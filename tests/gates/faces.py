"""Mouths and eyes of a head, read from the pixels.

A face is held still by the detector's points first and by its own forehead and nose then, so
that only what moves within it is left. Flow and brightness alone; no network that knows lips.
Lengths are in eye distances.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from tests.gates.heads import LEFT_EYE, MOUTH, RIGHT_EYE, Head
from tests.gates.points import Array, grey

#: A held face: pixels from eye to eye, the side of the square, the row of the eyes.
_EYE, _SIDE, _EYES_ROW = 64, 256, 96


@dataclass(frozen=True, slots=True)
class Looks:
    """What one face shows at one moment, against the first."""

    #: The mouth's width over its first.
    mouth_width: float
    #: How far its corners rose above its middle.
    corners_lift: float
    #: How far the chin went down from the upper lip.
    jaw_drop: float
    #: Dark or toothy pixels it shows more than at first; areas in square eye distances.
    mouth_area: float
    #: How much of the eye's darkness went, 0 open to 1 shut: left and right in the picture.
    shut: tuple[float, float]
    #: How far the dark of both eyes went to the right, in eye distances.
    gaze: float


def looks(head: Head, frames: Sequence[Array], step: int = 3) -> list[Looks]:
    """The face of *head* in every *step*-th of *frames*."""
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    first = _held(frames[0], head.points[0])
    mouth = _place(head.points[0], head.points[0, MOUTH])
    answers = []
    for index in range(0, len(frames), step):
        face = _held(frames[index], head.points[index])
        field = flow.calc(grey(first), grey(face), np.zeros((_SIDE, _SIDE, 2), np.float32))
        turn = _rigid(field)
        still = cv2.warpAffine(
            face, turn, (_SIDE, _SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        own = _own(field, turn)
        width, lift = _mouth_shape(own, mouth)
        left, right = (_eye(still, first, x) for x in (-0.5, 0.5))
        answers.append(
            Looks(
                mouth_width=width,
                corners_lift=lift,
                jaw_drop=_jaw_drop(own, mouth),
                mouth_area=_mouth_area(still, first, mouth),
                shut=(left[0], right[0]),
                gaze=(left[1] + right[1]) / 2,
            )
        )
    return answers


def _to_held(points: Array) -> Array:
    """The 2 x 3 matrix from the picture to the held face."""
    along = points[RIGHT_EYE] - points[LEFT_EYE]
    length = max(float(np.hypot(*along)), 1.0)
    cos, sin = along / length * _EYE / length
    turn = np.array([[cos, sin], [-sin, cos]])
    middle = (points[LEFT_EYE] + points[RIGHT_EYE]) / 2
    return np.column_stack([turn, (_SIDE / 2, _EYES_ROW) - turn @ middle])


def _held(frame: Array, points: Array) -> Array:
    return cv2.warpAffine(
        frame, _to_held(points), (_SIDE, _SIDE), flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )  # fmt: skip


def _place(points: Array, point: Array) -> Array:
    matrix = _to_held(points)
    place: Array = matrix[:, :2] @ point + matrix[:, 2]
    return place


def _rigid(field: Array) -> Array:
    """How forehead, temples and the bridge of the nose moved, as a 2 x 3 similarity."""
    rows, columns = np.mgrid[
        _EYES_ROW - 40 : _EYES_ROW + 36 : 4, _SIDE // 2 - 60 : _SIDE // 2 + 61 : 4
    ]
    at = np.stack([columns.ravel(), rows.ravel()], 1).astype(np.float32)
    moved = at + field[rows.ravel(), columns.ravel()]
    turn, _ = cv2.estimateAffinePartial2D(at, moved, method=cv2.LMEDS)
    return turn


def _own(field: Array, turn: Array) -> Array:
    """How each point of the face moved within it: what *turn* does not explain of *field*."""
    rows, columns = np.mgrid[0:_SIDE, 0:_SIDE].astype(np.float32)
    at = np.stack([columns, rows], -1)
    back = np.linalg.inv(np.vstack([turn, (0, 0, 1)]))[:2]
    own: Array = (at + field) @ back[:, :2].T + back[:, 2] - at
    return own


def _mouth_shape(own: Array, mouth: Array) -> tuple[float, float]:
    """Width over the first, and the corners' lift."""
    own = cv2.blur(own, (9, 7))
    x, y = mouth.round().astype(int)
    reach = np.arange(int(0.3 * _EYE), int(0.62 * _EYE))
    right, left = own[y, np.minimum(x + reach, _SIDE - 1)], own[y, np.maximum(x - reach, 0)]
    width = float((1 + (right[:, 0] - left[:, 0]) / (2 * reach)).max())
    corners = (right[:, 1] + left[:, 1]) / 2
    middle = own[y - 6 : y + 1, x - 6 : x + 7, 1].mean()
    return width, float((middle - corners).max()) / _EYE


def _jaw_drop(own: Array, mouth: Array) -> float:
    x, y = mouth.round().astype(int)
    down = own[:, x - _EYE // 6 : x + _EYE // 6, 1]
    chin = down[y + int(0.36 * _EYE) : y + int(0.60 * _EYE)]
    lip = down[y - int(0.24 * _EYE) : y - int(0.10 * _EYE)]
    return float(np.median(chin) - np.median(lip)) / _EYE


def _mouth_area(still: Array, first: Array, mouth: Array) -> float:
    """What looks like teeth or the dark behind them, less what did at first."""
    x, y = mouth.round().astype(int)
    rows = slice(y - _EYE // 4, y + _EYE // 2)
    columns = slice(x - _EYE // 2, x + _EYE // 2)
    boxes = [_lab(face)[rows, columns] for face in (first, still)]
    light, green, yellow = np.median(boxes[0].reshape(-1, 3), 0)
    colour = np.hypot(green, yellow)

    def inside(box: Array) -> int:
        dark = box[..., 0] < 0.55 * light
        tooth = (box[..., 0] > 0.6 * light) & (np.hypot(box[..., 1], box[..., 2]) < 0.6 * colour)
        return int((dark | tooth).sum())

    return (inside(boxes[1]) - inside(boxes[0])) / _EYE**2


def _lab(face: Array) -> Array:
    lab: Array = cv2.cvtColor(face.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return lab


def _eye(still: Array, first: Array, x: float) -> tuple[float, float]:
    """How much of its darkness went, and where the rest is, against the first picture."""
    middle = int(_SIDE / 2 + x * _EYE)
    rows = slice(_EYES_ROW - int(0.16 * _EYE), _EYES_ROW + int(0.2 * _EYE))
    columns = slice(middle - int(0.26 * _EYE), middle + int(0.26 * _EYE))

    def darkness(face: Array) -> Array:
        light = grey(face)[rows, columns].astype(np.float32)
        dark: Array = np.clip(0.62 * np.percentile(light, 85) - light, 0, None)
        return dark

    before, now = darkness(first), darkness(still)
    where = np.arange(before.shape[1])
    centre = [float((dark.sum(0) * where).sum() / (dark.sum() + 1e-6)) for dark in (before, now)]
    shut = 1 - float(now.sum() / (before.sum() + 1e-6))
    return shut, (centre[1] - centre[0]) / _EYE
