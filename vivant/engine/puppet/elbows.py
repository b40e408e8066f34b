"""Elbows and wrists: a joint that bends a cut-out limb without a seam.

Around a joint, only the angle of a pixel changes, never its distance: the limb's far side
turns rigidly, its near side stays, and between them the angles give way, closer together
inside the bend and further apart outside it.
"""

import math

import numpy as np

from vivant.director.look.arms import Arm, Forearm
from vivant.director.look.arrays import Field, Plane, Point
from vivant.director.look.capsules import capsule
from vivant.engine.puppet.curves import smooth_each

#: Of the angle between the limb's two sides, this share near each of them stays rigid.
_RIGID = 0.15

#: A forearm that is this far from straight (radians between the two bones) bends its own way.
_NEARLY_STRAIGHT = 2.6

#: Sleeves and crowded arms look wrong beyond a small turn; bare, clear ones go far.
_FAR_TURN, _SMALL_TURN = 0.95, 0.22
#: The angle a flexed elbow comes to, and the least turn that shows.
_FLEXED, _LEAST_TURN = 1.35, 0.12


class Joint:
    """One joint between a side that stays and one that turns."""

    def __init__(
        self, at: Point, stays: Point, turns: Point, *, inner: float | None = None
    ) -> None:
        """Points of the limb on each side; *inner*: which way round is the inside, 1 or -1."""
        self._at = at.astype(np.float32)
        u, v = stays - at, turns - at
        self._from = math.atan2(u[1], u[0])
        crossed = u[0] * v[1] - u[1] * v[0]
        #: 1 if growing angles lead from the staying side through the inside to the turning one.
        self.inner = inner if inner is not None else (1.0 if crossed >= 0 else -1.0)
        self.angle = (self.inner * (math.atan2(v[1], v[0]) - self._from)) % math.tau
        places = np.linspace(0, math.tau, 361)
        self._places = places
        inside = _step(places / self.angle)
        outside = 1 - _step((places - self.angle) / (math.tau - self.angle))
        self._share = np.where(places <= self.angle, inside, outside)

    def share(self, x: Plane, y: Plane) -> Plane:
        """How much each pixel turns with the joint, 0..1."""
        angle = self._angles(x - self._at[0], y - self._at[1])
        share: Plane = np.interp(angle, self._places, self._share).astype(np.float32)
        return share

    def origin(self, where: Field, closing: float) -> Field:
        """Where each of *where* (pixels) was before the joint closed by so many radians."""
        turned = self._places - closing * self._share
        dx, dy = where[..., 0] - self._at[0], where[..., 1] - self._at[1]
        angle = self._angles(dx, dy)
        was = np.interp(angle, turned, self._places).astype(np.float32)
        turn = (was - angle) * np.float32(self.inner)
        cos, sin = np.cos(turn), np.sin(turn)
        origin: Field = np.stack([dx * cos - dy * sin, dx * sin + dy * cos], -1) + self._at
        return origin

    def _angles(self, dx: Plane, dy: Plane) -> Plane:
        """From the staying side, through the inside, 0 to one turn."""
        angle: Plane = np.mod(self.inner * (np.arctan2(dy, dx) - self._from), math.tau)
        return angle.astype(np.float32)


class Elbow:
    """A free forearm: its pixels, and how far it may turn."""

    def __init__(self, arm: Arm, forearm: Forearm, shape: tuple[int, int]) -> None:
        self.forearm = forearm
        upper, lower = arm.shoulder - forearm.elbow, forearm.wrist - forearm.elbow
        apart = math.acos(
            float(np.clip(upper @ lower / (np.hypot(*upper) * np.hypot(*lower) + 1e-6), -1, 1))
        )
        inner = None
        if apart > _NEARLY_STRAIGHT:
            # A straight arm bends so that the hand comes up.
            inner = -1.0 if lower[0] < 0 else 1.0
        self._joint = Joint(forearm.elbow, arm.shoulder, forearm.wrist, inner=inner)
        self._wrist = Joint(forearm.wrist, forearm.elbow, forearm.tip)
        #: How far it can curl, in radians.
        limit = _FAR_TURN if forearm.can_flex else _SMALL_TURN
        self.curl = float(np.clip(apart - _FLEXED, _LEAST_TURN, limit))
        self._shape = shape

    def mattes(self) -> tuple[Plane, Plane]:
        """What belongs to the turning limb, and what of the body it takes away; 0..1.

        The first covers the second with room to spare, so that at rest nothing shows.
        """
        f = self.forearm
        # Sleeves are wide at the elbow; what is left behind there hangs in the air.
        cuff = f.elbow + 0.4 * (f.wrist - f.elbow)
        away = np.minimum.reduce(
            [
                capsule(self._shape, f.elbow, cuff, f.radius * 1.7),
                capsule(self._shape, f.elbow, f.wrist, f.radius),
                capsule(self._shape, f.wrist, f.tip, f.radius * 1.35),
            ]
        )
        y, x = np.mgrid[0 : self._shape[0], 0 : self._shape[1]].astype(np.float32)
        share = self._joint.share(x, y)
        limb = 1 - smooth_each(away, 0, 0.55 * f.radius)
        limb = limb * smooth_each(share, 0.0, 0.10)
        gone = (away < 0) * smooth_each(share, 0.35, 0.65)
        return limb.astype(np.float32), gone.astype(np.float32)

    def leaves(self) -> Plane:
        """How far each pixel of the limb gets, at most; 0 elsewhere."""
        f = self.forearm
        limb, _ = self.mattes()
        return np.where(limb > 0.01, 2 * f.radius + float(np.hypot(*(f.tip - f.elbow))), 0)

    def origin(self, where: Field, *, closing: float, wrist: float) -> Field:
        """Where each of *where* was before the elbow closed and the wrist bent (radians)."""
        origin = self._joint.origin(where, closing)
        if abs(wrist) > 1e-4:
            origin = self._wrist.origin(origin, wrist)
        return origin


def _step(t: Plane) -> Plane:
    """0 to 1 with a rigid stretch at both ends and a gentle slope between."""
    inside = np.clip((t - _RIGID) / (1 - 2 * _RIGID), 0, 1)
    step: Plane = inside * inside * (3 - 2 * inside)
    return step
