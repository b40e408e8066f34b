"""Mouths and eyes: they move, and only they do."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.puppet import photos
from tests.puppet.shots import Frame, difference
from vivant.director.look.faces import OVAL, Face
from vivant.director.look.people import PeopleFinder
from vivant.engine.puppet.face import ActingFace
from vivant.engine.puppet.fine import FINE, finer, opaque
from vivant.engine.puppet.parts import Part

EYES = ((33, 133), (362, 263))
MOUTH = (61, 291, 13, 14)


@pytest.fixture(scope="module")
def picture() -> Frame:
    return np.array(photos.astronaut())


@pytest.fixture(scope="module")
def face(models_dir: Path, picture: Frame) -> Face:
    found = PeopleFinder(models_dir).find(picture)[0].face
    assert found is not None
    return found


def drawn(face: Face, picture: Frame, gesture: Mapping[Part, float]) -> Frame:
    """How far each pixel of the photo changes under *gesture*."""
    rest = finer(opaque(picture))
    canvas = rest.copy()
    ActingFace(face, rest, np.zeros(2)).draw(gesture, canvas, winking=0)
    return difference(canvas, rest)[::FINE, ::FINE]


def away(face: Face, *points: int) -> Frame:
    """Pixels' distances to the nearest of *points* of the mesh, in eye distances."""
    y, x = np.mgrid[0:512, 0:512]
    nearest: Frame = np.full((512, 512), np.inf)
    for point_x, point_y in face.points[list(points)]:
        nearest = np.minimum(nearest, np.hypot(x - point_x, y - point_y))
    return nearest / face.eye_distance


def test_a_face_at_rest_is_the_photo(face: Face, picture: Frame) -> None:
    assert drawn(face, picture, {}).max() == 0


def test_closing_the_eyes_changes_both_eyes_and_nothing_else(face: Face, picture: Frame) -> None:
    changed = drawn(face, picture, {Part.CLOSE: 1.0})
    near = away(face, *EYES[0], *EYES[1])

    for eye in EYES:
        assert (changed[away(face, *eye) < 0.1] > 20).mean() > 0.15
    assert changed[near > 0.45].max() == 0


def test_a_wink_closes_one_eye(face: Face, picture: Frame) -> None:
    changed = drawn(face, picture, {Part.WINK: 1.0})

    assert changed[away(face, *EYES[0]) < 0.15].max() > 40
    assert changed[away(face, *EYES[1]) < 0.25].max() == 0


def test_a_gaze_moves_the_iris_and_leaves_the_lids(face: Face, picture: Frame) -> None:
    changed = drawn(face, picture, {Part.GAZE_X: 1.0})

    assert changed[away(face, *EYES[0], *EYES[1]) < 0.2].max() > 30
    assert changed[away(face, 159, 145, 386, 374, *EYES[0], *EYES[1]) > 0.15].max() == 0


def test_an_open_mouth_stays_below_the_nose(face: Face, picture: Frame) -> None:
    """The jaw takes the chin along; eyes, nose and forehead do not move."""
    changed = drawn(face, picture, {Part.OPEN: 1.0})
    lip = face.points[13]

    assert changed[away(face, *MOUTH) < 0.15].max() > 60
    assert changed[: int(lip[1] - 0.15 * face.eye_distance)].max() == 0


def test_the_mouth_opens_no_further_than_it_may(face: Face, picture: Frame) -> None:
    """What is dark between the lips: at most 0.14 eye distances high, whatever is asked."""
    rest = finer(opaque(picture))
    canvas = rest.copy()
    ActingFace(face, rest, np.zeros(2)).draw({Part.OPEN: 1.0}, canvas, winking=0)
    column = round(float(face.points[14][0]) * FINE)
    top, bottom = (round(float(face.points[n][1]) * FINE) for n in (13, 17))
    mouth = np.s_[top : bottom + round(0.1 * face.eye_distance * FINE), column]
    dark = (canvas[mouth][:, :3].max(-1) < 110) & (rest[mouth][:, :3].max(-1) >= 110)

    assert 0.02 < dark.sum() / (face.eye_distance * FINE) < 0.15


def test_a_smile_widens_the_mouth_and_keeps_the_outline(face: Face, picture: Frame) -> None:
    changed = drawn(face, picture, {Part.SMILE: 1.0})
    outside = away(face, *OVAL[::3], 1, 9, 50, 280) > 0.6

    assert changed[away(face, 61, 291) < 0.15].max() > 40
    assert changed[outside].max() == 0
