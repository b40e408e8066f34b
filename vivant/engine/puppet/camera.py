"""The camera: where it stands at each moment of a clip. It never shows what is beyond the photo."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vivant.director.plan import Action, Beat, Direction
from vivant.engine.puppet.curves import smooth

#: People are so much nearer than the background: they grow and shift more.
PEOPLE_NEARER = 1.25

#: How far a zoom goes, a pan's zoom (for room to move), and how much of that room it uses.
_ZOOM, _PAN_ZOOM, _ROOM = 0.16, 0.11, 0.86


@dataclass(frozen=True, slots=True)
class View:
    """What the camera sees: a point of the picture it grows about, and a shift of its own."""

    zoom: float
    #: Pixels of the photo.
    centre: tuple[float, float]
    right: float = 0.0
    down: float = 0.0

    def lens(self, nearness: float) -> "Lens":
        """How what is so near (1: the background) is seen."""
        zoom = 1 + (self.zoom - 1) * nearness
        keep = 1 - 1 / zoom
        return Lens(
            1 / zoom,
            self.centre[0] * keep + self.right * nearness,
            self.centre[1] * keep + self.down * nearness,
        )


@dataclass(frozen=True, slots=True)
class Lens:
    """From a pixel of the frame to a pixel of the photo: scale, then shift."""

    scale: float
    left: float
    top: float


class Camera:
    """One clip's camera."""

    def __init__(
        self,
        beats: Sequence[Beat],
        size: tuple[int, int],
        focus: tuple[float, float],
        duration_s: float,
        *,
        strength: float,
        loop: bool,
        calm_zoom: float,
    ) -> None:
        """*focus*: what the camera cares for, in pixels; *beats*: the camera's own.

        *calm_zoom*: how far it comes nearer where nobody asked it to move.
        """
        self._beats = beats
        self._width, self._height = size
        self._focus = focus
        self._duration_s = duration_s
        self._strength = strength
        self._loop = loop
        self._calm_zoom = calm_zoom

    def at(self, time_s: float) -> View:
        """The view at *time_s*: at 0 the photo itself, and at the end of a loop again."""
        if not self._beats:
            zoom = 1 + self._calm_zoom * self._way(time_s, 0, self._duration_s)
            return View(zoom, self._focus)
        zoom, right, down = 1.0, 0.0, 0.0
        length = self._duration_s / len(self._beats)
        for index, beat in enumerate(self._beats):
            start = index * length
            way = self._way(time_s, start, start + length)
            strength = min(1.6, max(0.4, self._strength * beat.strength))
            grown, to_right, to_bottom = self._move(beat, way, strength)
            zoom += grown
            right += to_right
            down += to_bottom
        x, y = self._focus
        keep = 1 - 1 / zoom
        # The room to the nearer border, so that a camera that turns round has no kink; people,
        # who shift more, need some of it left.
        right *= _ROOM * keep * min(x, self._width - x)
        down *= _ROOM * keep * min(y, self._height - y)
        return View(zoom, self._focus, right, down)

    def _way(self, time_s: float, start: float, end: float) -> float:
        """0 to 1 over a beat, and in a loop back to 0 by the end of the clip."""
        if not self._loop:
            # Still moving at the end: a camera that stops first looks like a fault.
            to = start + 1.12 * (end - start)
            way = smooth(time_s, start - 0.12 * (end - start), to)
            first = smooth(start, start - 0.12 * (end - start), to)
            return max(0.0, (way - first) / (1 - first)) * smooth(time_s - start, 0, 0.6)
        turn = (time_s - start) / (self._duration_s - start)
        return (1 - math.cos(2 * math.pi * min(1.0, max(0.0, turn)))) / 2

    def _move(self, beat: Beat, way: float, strength: float) -> tuple[float, float, float]:
        """Zoom and shares of the room sideways and down, *way* into the beat."""
        sideways = {Direction.LEFT: -1.0, Direction.RIGHT: 1.0}.get(
            beat.direction or Direction.IN, 0.0
        )
        upright = {Direction.UP: -1.0, Direction.DOWN: 1.0}.get(beat.direction or Direction.IN, 0.0)
        match beat.action:
            case Action.ZOOM if beat.direction is Direction.OUT:
                # Nothing lies beyond the photo, so it first comes near, quickly, then draws back.
                return _ZOOM * strength * smooth(way, 0, 0.28) * (1 - smooth(way, 0.3, 1)), 0, 0
            case Action.ZOOM:
                return _ZOOM * strength * way, 0, 0
            case Action.PAN:
                if not sideways and not upright:
                    sideways = 1.0
                near = _PAN_ZOOM * strength * smooth(way, 0, 0.7)
                return near, sideways * way, upright * way
            case Action.PARALLAX:
                # Half a circle around what the camera cares for.
                turn = math.pi * way
                near = 0.075 * strength * smooth(way, 0, 0.45)
                return near, math.sin(2 * turn) * (sideways or 1.0), -0.35 * math.sin(turn)
            case _:
                return 0.0, 0.0, 0.0


def focus_of(faces: Sequence[np.ndarray], size: tuple[int, int]) -> tuple[float, float]:
    """Half way between the middle of the picture and that of all *faces*."""
    middle = np.array(size) / 2
    if len(faces):
        middle = (middle + np.mean(faces, 0)) / 2
    return float(middle[0]), float(middle[1])
