"""Arms: which of them could move without showing what the photo never saw."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vivant.director.look.arrays import Plane, Point
from vivant.director.look.capsules import capsule
from vivant.director.look.poses import ARMS, Pose


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm whose upper half shows."""

    shoulder: Point
    elbow: Point
    #: None when the forearm is hidden, out of the picture or pointing at the viewer.
    forearm: "Forearm | None"


@dataclass(frozen=True, slots=True)
class Forearm:
    """From the elbow to the finger tips."""

    elbow: Point
    wrist: Point
    #: Just beyond the fingers.
    tip: Point
    #: Half its thickness, in pixels.
    radius: float
    #: The hand is above the elbow.
    raised: bool
    #: How much of what surrounds it is this person's own body, 0..1.
    crowded: float
    #: How much of it is under somebody else, 0..1.
    covered: float
    #: How much of it is in the silhouette at all, 0..1.
    shown: float

    @property
    def free(self) -> bool:
        """Can turn a little about the elbow: it is clear of its own body and of others."""
        return self.crowded < 0.16 and self.covered < 0.08 and self.shown > 0.25

    @property
    def can_wave(self) -> bool:
        """A raised, free hand."""
        return self.free and self.raised

    @property
    def can_flex(self) -> bool:
        """Clear enough for a large turn."""
        return self.free and self.crowded < 0.08 and self.covered < 0.01


def arms_of(pose: Pose, mask: Plane, others: Sequence[Plane]) -> tuple[Arm, ...]:
    """The arms of *pose* whose shoulder and elbow show in the picture."""
    height, width = mask.shape
    arms = []
    for shoulder, elbow, wrist, knuckles in ARMS:
        if pose.sees(shoulder, elbow) < 0.5 or not _inside(pose.points[elbow], width, height, 0):
            continue
        forearm = None
        if pose.sees(wrist) > 0.5 and _inside(pose.points[wrist], width, height, 2):
            hand = pose.points[list(knuckles)].mean(0)
            forearm = _forearm(
                pose.points[shoulder], pose.points[elbow], pose.points[wrist], hand, mask, others
            )
        arms.append(Arm(pose.points[shoulder], pose.points[elbow], forearm))
    return tuple(arms)


def _inside(point: Point, width: int, height: int, margin: int) -> bool:
    return bool(margin < point[0] < width - margin and margin < point[1] < height - margin)


def _forearm(
    shoulder: Point,
    elbow: Point,
    wrist: Point,
    hand: Point,
    mask: Plane,
    others: Sequence[Plane],
) -> Forearm | None:
    length = float(np.hypot(*(wrist - elbow)))
    if length < 0.35 * float(np.hypot(*(elbow - shoulder))) or length < 12:
        return None
    radius = max(0.24 * length, 7.0)
    tip = _finger_tips(wrist, hand, length, mask) + 1.3 * radius * _unit(hand - wrist)
    shape = (mask.shape[0], mask.shape[1])
    away = np.minimum(
        capsule(shape, elbow, wrist, radius), capsule(shape, wrist, tip, radius * 1.35)
    )
    inside = away < 0
    from_elbow = capsule(shape, elbow, elbow, 1.6 * radius)
    ring = (away > 2) & (away < 0.8 * radius) & (from_elbow > 0)
    under = np.maximum.reduce(others) if others else np.zeros_like(mask)
    return Forearm(
        elbow=elbow,
        wrist=wrist,
        tip=tip,
        radius=radius,
        raised=bool(wrist[1] < elbow[1] - 0.15 * length),
        crowded=_share(mask > 0.5, ring),
        covered=_share(under > 0.5, inside),
        shown=_share(mask > 0.5, inside),
    )


def _finger_tips(wrist: Point, hand: Point, length: float, mask: Plane) -> Point:
    """From the knuckles on along the hand, as far as the silhouette goes."""
    height, width = mask.shape
    step = _unit(hand - wrist)
    tip = hand + (hand - wrist) * 0.9
    for _ in range(int(0.6 * length)):
        further = tip + step
        if not _inside(further, width, height, 1) or mask[int(further[1]), int(further[0])] < 0.3:
            break
        tip = further
    return tip


def _unit(direction: Point) -> Point:
    unit: Point = direction / (np.hypot(*direction) + 1e-6)
    return unit


def _share(what: Plane, among: Plane) -> float:
    return float((what & among).sum() / max(1, among.sum()))
