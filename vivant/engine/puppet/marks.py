"""Marks: where people go to meet each other, and how near they come."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vivant.engine.puppet.actors import Actor

#: Faces further aside than this look at each other already.
_FACES_PARTNER = 0.45


@dataclass(frozen=True, slots=True)
class Marks:
    """Where an actor goes to meet a partner."""

    #: 1 to the right.
    side: float
    #: How far it leans, in its face sizes.
    reach: float
    #: How far its head tilts, in radians.
    tilt: float
    #: Between the heads when both have leaned, in pixels; above 0 they do not touch.
    gap_left: float
    #: Their faces are turned to each other in the photo.
    facing: bool


def marks_of(actors: Sequence[Actor], order: list[int], width: int) -> dict[int, Marks]:
    """Neighbours go towards each other, the outer ones of a group to its middle."""
    if len(order) < 2:
        return {}
    heads = [float(actors[i].head[0]) for i in order]
    middle = (heads[0] + heads[-1]) / 2
    marks = {}
    for place, index in enumerate(order):
        actor = actors[index]
        beside = [order[p] for p in (place - 1, place + 1) if 0 <= p < len(order)]
        partner = actors[min(beside, key=lambda i: abs(actors[i].head[0] - actor.head[0]))]
        apart = float(partner.head[0] - actor.head[0])
        side = 1.0 if apart > 0 else -1.0
        # A tilted, turned head comes a fifth of a face nearer by itself.
        gap = abs(apart) - _half_head(actor, side) - _half_head(partner, -side)
        gap -= 0.2 * (actor.size + partner.size)
        farthest = min(1.05 * actor.size, 0.13 * width)
        if 0 < place < len(order) - 1:
            away = middle - float(actor.head[0])
            side = math.copysign(1.0, away) if abs(away) > 0.3 * actor.size else 0.0
            lean, tilt = 0.15 * actor.size, 0.04
        else:
            lean, tilt = min(max(gap / 2, 0.10 * actor.size), farthest), 0.14
        # A border that cuts the body there holds it back.
        if actor.cut_right and side < 0:
            lean = min(lean, 0.34 * (width - float(actor.shoulders[0])))
        if actor.cut_left and side > 0:
            lean = min(lean, 0.34 * float(actor.shoulders[0]))
        facing = (
            actor.face is not None
            and partner.face is not None
            and actor.face.turned * side > _FACES_PARTNER
            and partner.face.turned * -side > _FACES_PARTNER
        )
        gap_left = gap / 2 - lean if side else 0.0
        marks[index] = Marks(side, lean / actor.size, tilt, gap_left, facing)
    return marks


def _half_head(actor: Actor, side: float) -> float:
    """From the middle of the head to where its hair ends at that side, in pixels."""
    x, y = round(float(actor.head[0])), round(float(actor.head[1]))
    row = actor.mask[min(max(y, 0), actor.mask.shape[0] - 1)]
    outwards = row[x:] if side > 0 else row[x::-1]
    ends = np.flatnonzero(outwards < 0.5)
    return float(
        np.clip(ends[0] if len(ends) else len(outwards), 0.4 * actor.size, 0.8 * actor.size)
    )
