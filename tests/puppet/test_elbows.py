"""A forearm that turns: rigid at its end, whole at its joint."""

import math

import numpy as np
import pytest

from vivant.director.look.arms import Arm, Forearm
from vivant.director.look.arrays import Point, point
from vivant.engine.puppet.elbows import Elbow, Joint

SHOULDER, ELBOW, WRIST = point(50, 100), point(100, 100), point(150, 100)


@pytest.mark.parametrize("closing", [-0.3, 0.2, 0.9])
def test_the_far_side_turns_rigidly_and_the_near_side_stays(closing: float) -> None:
    joint = Joint(ELBOW, SHOULDER, WRIST, inner=1.0)
    turn = np.array(
        [
            [math.cos(closing), math.sin(closing)],
            [-math.sin(closing), math.cos(closing)],
        ]
    )
    hand = np.array([[148.0, 103.0], [140.0, 96.0]])
    moved = ((hand - ELBOW) @ turn + ELBOW)[None]
    upper = np.array([[[60.0, 96.0], [55.0, 103.0]]])

    back = {sign: joint.origin(moved, sign * closing) for sign in (1, -1)}
    assert min(np.abs(b - hand).max() for b in back.values()) < 0.01
    assert np.abs(joint.origin(upper, closing) - upper).max() < 1e-4


def test_around_the_joint_no_two_places_become_one() -> None:
    """Going once around the elbow, what is read goes once around too, and never back."""
    joint = Joint(ELBOW, SHOULDER, WRIST, inner=1.0)
    angles = np.linspace(0, 2 * math.pi, 721)[:-1]
    ring = np.stack([ELBOW[0] + 20 * np.cos(angles), ELBOW[1] + 20 * np.sin(angles)], -1)[None]
    back = joint.origin(ring, 0.95)[0] - ELBOW
    turns = np.diff(np.unwrap(np.arctan2(back[:, 1], back[:, 0])))

    assert np.allclose(np.hypot(back[:, 0], back[:, 1]), 20, atol=1e-3)
    assert (turns > 0).all()
    assert turns.sum() == pytest.approx(2 * math.pi, abs=0.05)


@pytest.mark.parametrize("wrist", [point(150, 110), point(52, 110)])
def test_a_straight_arm_flexes_upwards(wrist: Point) -> None:
    """The hand comes up, whichever side of the body it is on."""
    shoulder = ELBOW + (ELBOW - wrist) * (1, 0.4)
    tip = wrist + (wrist - ELBOW) * 0.3
    forearm = Forearm(
        elbow=ELBOW, wrist=wrist, tip=tip, radius=12, raised=False, crowded=0, covered=0, shown=1
    )
    elbow = Elbow(Arm(shoulder, ELBOW, forearm), forearm, (300, 300))
    y, x = np.mgrid[0:300, 0:300].astype(np.float64)
    grid = np.stack([x, y], -1)
    reads = elbow.origin(grid, closing=elbow.curl, wrist=0.0)
    hand_now = grid[np.hypot(reads[..., 0] - wrist[0], reads[..., 1] - wrist[1]) < 2]

    assert elbow.curl > 0.5
    assert hand_now[:, 1].mean() < wrist[1] - 25


def test_at_rest_the_limb_covers_all_that_the_body_gives_up() -> None:
    forearm = Forearm(
        elbow=ELBOW,
        wrist=WRIST,
        tip=point(165, 100),
        radius=12,
        raised=False,
        crowded=0,
        covered=0,
        shown=1,
    )
    limb, gone = Elbow(Arm(SHOULDER, ELBOW, forearm), forearm, (200, 200)).mattes()

    assert gone.max() == 1
    assert limb[gone > 0].min() > 0.99
    assert gone[100, 60] == 0
