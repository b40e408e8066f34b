"""Curves without a jerk: what every motion of the puppet is made of."""

import numpy as np

from vivant.director.look.arrays import Plane


def smooth(x: float, start: float = 0.0, end: float = 1.0) -> float:
    """0 up to *start*, 1 from *end* on, and a step without a jerk between them."""
    t = min(1.0, max(0.0, (x - start) / (end - start)))
    return t * t * t * (t * (6 * t - 15) + 10)


def smooth_each(x: Plane, start: Plane | float = 0.0, end: Plane | float = 1.0) -> Plane:
    """`smooth` for every element."""
    t = np.clip((x - start) / (end - start), 0, 1)
    step: Plane = t * t * t * (t * (6 * t - 15) + 10)
    return step


def bend(t: Plane) -> Plane:
    """How a body that is fixed at 0 leans: still at first, then straight on; 1 at 1."""
    inside = np.clip(t, 0, 1)
    lean: Plane = 2 * (inside**3 - inside**4 / 2) + 2 * np.maximum(t - 1, 0)
    return lean
