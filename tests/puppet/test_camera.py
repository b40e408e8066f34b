"""The camera starts at the photo, goes where it is told, and never looks beyond it."""

import itertools

import numpy as np
import pytest

from vivant.director.plan import Action, Beat, Direction
from vivant.engine.puppet.camera import Camera, View

WIDTH, HEIGHT = 640, 480
TIMES = np.linspace(0, 3.5, 36).tolist()
MOVES = [
    (),
    (Beat(action=Action.ZOOM),),
    (Beat(action=Action.ZOOM, direction=Direction.OUT),),
    *((Beat(action=Action.PAN, direction=direction),) for direction in Direction),
    (Beat(action=Action.PARALLAX),),
    (Beat(action=Action.ZOOM), Beat(action=Action.PAN, direction=Direction.LEFT)),
]


def camera(*beats: Beat, strength: float = 1.0, loop: bool = False) -> Camera:
    return Camera(
        beats,
        (WIDTH, HEIGHT),
        (250.0, 200.0),
        3.5,
        strength=strength,
        loop=loop,
        calm_zoom=0.035,
    )


def seen(view: View) -> tuple[float, float, float, float]:
    """What of the background the frame shows: left, top, right, bottom, in its pixels."""
    lens = view.lens(1.0)
    return (
        lens.left,
        lens.top,
        lens.left + lens.scale * WIDTH,
        lens.top + lens.scale * HEIGHT,
    )


@pytest.mark.parametrize("beats", MOVES)
@pytest.mark.parametrize(("strength", "loop"), [(1.0, False), (2.0, False), (1.5, True)])
def test_it_starts_at_the_photo_and_stays_within_it(
    beats: tuple[Beat, ...], strength: float, loop: bool
) -> None:
    moving = camera(*beats, strength=strength, loop=loop)

    assert seen(moving.at(0)) == pytest.approx((0, 0, WIDTH, HEIGHT))
    for time_s in TIMES:
        left, top, right, bottom = seen(moving.at(time_s))
        assert left >= -1e-6
        assert top >= -1e-6
        assert right <= WIDTH + 1e-6
        assert bottom <= HEIGHT + 1e-6


@pytest.mark.parametrize("beats", MOVES)
def test_it_moves_without_a_jerk(beats: tuple[Beat, ...]) -> None:
    """The steps between frames change little from one to the next."""
    moving = camera(*beats)
    corners = np.array([seen(moving.at(frame / 24)) for frame in range(85)])
    steps = np.diff(corners, axis=0)

    assert np.abs(steps).max() > 0.1
    assert np.abs(np.diff(steps, axis=0)).max() < 0.25 * np.abs(steps).max()


@pytest.mark.parametrize("beats", MOVES)
def test_a_looping_camera_comes_home(beats: tuple[Beat, ...]) -> None:
    moving = camera(*beats, loop=True)

    assert seen(moving.at(3.5)) == pytest.approx((0, 0, WIDTH, HEIGHT), abs=0.5)


def test_it_goes_where_it_is_told() -> None:
    def middle(direction: Direction) -> tuple[float, float]:
        left, top, right, bottom = seen(
            camera(Beat(action=Action.PAN, direction=direction)).at(3.5)
        )
        return (left + right) / 2, (top + bottom) / 2

    assert middle(Direction.LEFT)[0] < middle(Direction.RIGHT)[0] - 20
    assert middle(Direction.UP)[1] < middle(Direction.DOWN)[1] - 15


def test_zooming_in_ends_near_and_zooming_out_ends_at_the_photo() -> None:
    near = camera(Beat(action=Action.ZOOM)).at(3.5)
    far = camera(Beat(action=Action.ZOOM, direction=Direction.OUT))

    assert near.zoom > 1.1
    assert max(far.at(time_s).zoom for time_s in TIMES) > 1.1
    assert far.at(3.5).zoom < 1.02


def test_people_are_nearer_than_the_background() -> None:
    """They grow more: that is what gives the photo its depth."""
    views = [camera(Beat(action=Action.ZOOM)).at(time_s) for time_s in TIMES]
    pairs = list(itertools.pairwise(view.lens(1.25).scale for view in views))

    assert views[-1].lens(1.25).scale < views[-1].lens(1.0).scale
    assert all(later <= earlier for earlier, later in pairs)
