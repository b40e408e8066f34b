"""What every living thing does: breathe, blink, and never quite hold still."""

import math

import numpy as np

from vivant.engine.puppet.curves import smooth
from vivant.engine.puppet.parts import Part

#: How long one blink takes, in seconds.
BLINK_S = 0.29


class Life:
    """One person's, through one clip."""

    def __init__(self, rng: np.random.Generator, duration_s: float, *, loop: bool) -> None:
        self._duration_s = duration_s
        self._loop = loop
        breaths = duration_s / rng.uniform(2.8, 3.5)
        self._breath_hz = (max(1, round(breaths)) if loop else breaths) / duration_s
        self._waves = [
            (part, amount, rng.uniform(0.8, 1.2) * hz, rng.uniform(0, 1))
            for part, amount, hz in (
                (Part.ROLL, 0.010, 0.27),
                (Part.ROLL, 0.006, 0.61),
                (Part.YAW, 0.035, 0.31),
                (Part.PITCH, 0.025, 0.23),
                (Part.SHIFT, 0.010, 0.21),
            )
        ]
        #: When each blink begins, in seconds.
        self.blinks: list[float] = []
        time_s = rng.uniform(0.8, 1.5)
        while time_s < duration_s - 0.45:
            self.blinks.append(time_s)
            time_s += rng.uniform(1.7, 3.6)

    def at(self, time_s: float) -> dict[Part, float]:
        """What it does by itself at *time_s*; nothing at 0."""
        ease = smooth(time_s, 0, 0.8)
        if self._loop:
            ease *= smooth(self._duration_s - time_s, 0, 0.8)
        breath = 0.5 - 0.5 * math.cos(math.tau * self._breath_hz * time_s)
        moves = {
            Part.BREATH: 0.020 * breath,
            Part.CLOSE: max((_blink(time_s - at) for at in self.blinks), default=0.0),
        }
        for part, amount, hz, phase in self._waves:
            wave = amount * ease * math.sin(math.tau * (hz * time_s + phase))
            moves[part] = moves.get(part, 0.0) + wave
        return moves


def _blink(since_s: float) -> float:
    """One blink: 0.1 s down, a moment, and 0.16 s up."""
    return smooth(since_s, 0, 0.10) * (1 - smooth(since_s, 0.13, BLINK_S))
