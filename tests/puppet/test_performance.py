"""Who does what and when, before anything is drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.puppet import photos
from tests.puppet.shots import settings_for
from vivant.clips import ClipSettings
from vivant.director.look.faces import LEFT_CHEEK_EDGE, NOSE_TIP, RIGHT_CHEEK_EDGE
from vivant.director.look.people import PeopleFinder
from vivant.director.plan import Action, Beat, Direction, Plan, Who
from vivant.engine.puppet.actors import Actor, cast
from vivant.engine.puppet.body import KNOTS, LEAST_ROOM, Body
from vivant.engine.puppet.engine import fitted
from vivant.engine.puppet.parts import LIMITS, Part
from vivant.engine.puppet.performance import Performance

TIMES = np.linspace(0, 3.5, 50)


class Scene:
    """A photo's actors, from left to right, and what they play."""

    def __init__(self, finder: PeopleFinder, photo: Image.Image) -> None:
        self.settings = settings_for(photo, area=420_000)
        people = finder.find(fitted(photo, self.settings))
        actors = cast(people, self.settings.width, self.settings.height)
        self.actors: list[Actor] = sorted(actors, key=lambda actor: float(actor.head[0]))

    def play(self, *beats: Beat, settings: ClipSettings | None = None) -> Performance:
        plan = Plan(words="", beats=beats)
        settings = settings or self.settings
        return Performance(plan, self.actors, settings, settings.width)


@pytest.fixture(scope="module")
def one(models_dir: Path) -> Scene:
    return Scene(PeopleFinder(models_dir), photos.astronaut())


@pytest.fixture(scope="module")
def two(models_dir: Path) -> Scene:
    return Scene(PeopleFinder(models_dir), photos.pair())


def most(performance: Performance, actor: int, part: Part, times: object = TIMES) -> float:
    """How far *part* of *actor* goes at most in *times*."""
    return max(
        abs(performance.gesture(actor, t).get(part, 0.0)) for t in np.asarray(times).tolist()
    )


def test_at_the_start_everybody_rests(two: Scene) -> None:
    for action in Action:
        performance = two.play(Beat(action=action))
        for actor in (0, 1):
            assert all(abs(v) < 1e-9 for v in performance.gesture(actor, 0.0).values()), action


def test_beats_come_one_after_another_and_a_smile_stays(one: Scene) -> None:
    """`smile and nod`: first the smile, then the nod, and the smile is still there."""
    performance = one.play(Beat(action=Action.SMILE), Beat(action=Action.NOD))
    first, second = TIMES[TIMES < 1.6], TIMES[TIMES > 1.9]

    assert most(performance, 0, Part.SMILE, first) > 0.8
    assert most(performance, 0, Part.SMILE, [3.4]) > 0.8
    assert most(performance, 0, Part.PITCH, second) > 2 * most(performance, 0, Part.PITCH, first)


def test_who_is_asked_acts_and_the_other_only_lives(two: Scene) -> None:
    performance = two.play(Beat(action=Action.LAUGH, who=Who.RIGHT))

    assert most(performance, 1, Part.OPEN) > 0.4
    assert most(performance, 0, Part.OPEN) == 0
    assert most(performance, 0, Part.BREATH) > 0.01


def test_a_look_goes_where_it_is_told(one: Scene) -> None:
    left = one.play(Beat(action=Action.LOOK, direction=Direction.LEFT)).gesture(0, 1.7)
    right = one.play(Beat(action=Action.LOOK, direction=Direction.RIGHT)).gesture(0, 1.7)
    down = one.play(Beat(action=Action.LOOK, direction=Direction.DOWN)).gesture(0, 1.7)

    assert left[Part.GAZE_X] < -0.9
    assert left[Part.YAW] < -0.1
    assert right[Part.GAZE_X] > 0.9
    assert down[Part.PITCH] > 0.1


def test_who_winks_does_not_blink(one: Scene) -> None:
    """While one eye is shut the other is open, whatever the seed; without a wink they blink."""
    times = np.arange(0, 3.5, 1 / 24).tolist()
    for seed in range(12):
        settings = replace(one.settings, seed=seed)
        winks = one.play(Beat(action=Action.WINK), settings=settings)
        gestures = [winks.gesture(0, time) for time in times]

        assert max(gesture[Part.WINK] for gesture in gestures) == 1
        assert all(gesture[Part.CLOSE] == 0 for gesture in gestures if gesture[Part.WINK] > 0)
        assert most(one.play(Beat(action=Action.SMILE), settings=settings), 0, Part.CLOSE) > 0.5


def test_a_head_seen_from_the_side_nods_by_turning(one: Scene) -> None:
    """Forwards, the way it looks; seen from the front it only goes down."""
    actor = one.actors[0]
    assert actor.face is not None
    points = actor.face.points.copy()
    edges = points[[RIGHT_CHEEK_EDGE, LEFT_CHEEK_EDGE]]
    points[NOSE_TIP] = edges[1]
    aside = replace(actor, face=replace(actor.face, points=points))
    column, row = (actor.head / KNOTS).astype(int)

    def forwards(actor: Actor) -> float:
        body = Body(actor, one.settings.width, one.settings.height)
        return float(body.displacement({Part.PITCH: 0.15})[row, column, 0]) / actor.size

    assert forwards(aside) > 0.1
    assert abs(forwards(actor)) < 0.02


def test_two_lean_towards_each_other(two: Scene) -> None:
    for action in (Action.HUG, Action.KISS):
        performance = two.play(Beat(action=action))

        assert performance.gesture(0, 2.5)[Part.LEAN] > 0.3
        assert performance.gesture(1, 2.5)[Part.LEAN] < -0.3


def test_stronger_is_more_and_calmer_is_less(one: Scene) -> None:
    def swing(strength: float) -> float:
        settings = replace(one.settings, strength=strength)
        return most(one.play(Beat(action=Action.NOD), settings=settings), 0, Part.DROP)

    assert swing(0.6) < 0.8 * swing(1.0)
    assert swing(1.5) > 1.2 * swing(1.0)


@pytest.mark.parametrize("action", list(Action))
def test_nobody_goes_beyond_the_limits_and_no_body_folds(
    one: Scene, two: Scene, action: Action
) -> None:
    """However strong: no part passes its limit, and no patch of a body is squeezed to nothing."""
    for scene in (one, two):
        settings = replace(scene.settings, strength=2.0)
        beat = Beat(action=action, strength=2.0)
        performance = scene.play(beat, settings=settings)
        for index, actor in enumerate(scene.actors):
            gestures = [performance.gesture(index, float(t)) for t in TIMES]
            body = Body(actor, settings.width, settings.height)
            body.settle(gestures)

            for gesture in gestures:
                assert all(abs(value) <= LIMITS[part] for part, value in gesture.items())
            assert min(body.room(gesture) for gesture in gestures) >= LEAST_ROOM


def test_an_unsettled_body_would_fold(one: Scene) -> None:
    """The measure of the test above does notice a fold."""
    body = Body(one.actors[0], one.settings.width, one.settings.height)

    assert body.room({Part.ROLL: 1.5, Part.DROP: 1.0}) < 0


def test_two_seeds_are_two_manners(one: Scene) -> None:
    def blinks(seed: int) -> list[float]:
        performance = one.play(Beat(action=Action.SMILE), settings=replace(one.settings, seed=seed))
        return [performance.gesture(0, float(t)).get(Part.CLOSE, 0.0) for t in TIMES]

    assert blinks(1) == blinks(1)
    assert blinks(1) != blinks(2)
