"""The actions as data: who moves what, from when, how far, how fast.

Numbers were found by looking at frames on the photos of `docs/contact-sheets`. A score knows
no pixels; times are seconds after its beat began.
"""

from dataclasses import dataclass
from enum import Enum, auto

from vivant.engine.puppet.parts import Part


class Toward(Enum):
    """Which way a stroke goes, where that depends on who plays it."""

    FIXED = auto()  #: as written
    PARTNER = auto()  #: to the side of the one they turn to
    ALTERNATE = auto()  #: neighbours go opposite ways
    ORDERED = auto()  #: the way the beat's direction says


class Times(Enum):
    """What a stroke is multiplied by, besides strength."""

    ONE = auto()
    REACH = auto()  #: how far this person leans to meet the partner, in face sizes
    TILT = auto()  #: how far the head tilts to the partner, in radians


@dataclass(frozen=True, slots=True)
class Stroke:
    """One part's move: up to *hold*, with a *swing* on top, and down again."""

    part: Part
    hold: float = 0.0
    #: Seconds from the start of the beat; negative: before its end.
    start: float = 0.25
    rise: float = 1.0
    #: Seconds before the end of the beat at which it begins to go; None stays to the end.
    release: float | None = None
    fall: float = 0.5
    swing: float = 0.0
    hz: float = 0.0
    #: Of the swing, in turns.
    phase: float = 0.0
    toward: Toward = Toward.FIXED
    times: Times = Times.ONE
    #: Stays through the beats that follow, as a smile does.
    lasts: bool = False
    #: Seconds after which it starts anew, in clips that are long enough.
    again: float | None = None
    #: Lengths and angles follow strength; a closed eye is closed.
    scales: bool = True


def _shut(start: float, rise: float, release: float, fall: float = 0.4) -> Stroke:
    return Stroke(Part.CLOSE, 1.0, start, rise, release, fall, scales=False)


SMILE = (
    Stroke(Part.SMILE, 0.95, 0.25, 1.1, lasts=True),
    Stroke(Part.SMILE, 0.0, 1.2, 0.6, swing=0.07, hz=0.5),
    Stroke(Part.SQUINT, 0.35, 0.25, 1.1, lasts=True),
    Stroke(Part.BROW, 0.22, 0.25, 0.9),
    Stroke(Part.PITCH, -0.035, 0.25, 1.1),
    Stroke(Part.ROLL, 0.022, 0.25, 1.1, toward=Toward.ALTERNATE),
)

LAUGH = (
    Stroke(Part.SMILE, 1.0, 0.2, 0.8),
    Stroke(Part.SQUINT, 0.78, 0.2, 0.8, swing=0.16, hz=3.1, phase=0.5),
    Stroke(Part.BROW, 0.3, 0.2, 0.8),
    Stroke(Part.OPEN, 0.48, 0.5, 0.6, swing=0.15, hz=3.1),
    Stroke(Part.OPEN, 0.0, 0.5, 0.6, swing=0.16, hz=0.42, phase=-0.19),
    Stroke(Part.PITCH, -0.07, 0.5, 0.6, swing=0.03, hz=3.1),
    Stroke(Part.PITCH, 0.0, 0.5, 0.6, swing=-0.03, hz=0.42, phase=-0.19),
    Stroke(Part.ROLL, 0.035, 0.5, 0.6, toward=Toward.ALTERNATE),
    Stroke(Part.SHRUG, 0.035, 0.5, 0.6, swing=0.045, hz=3.1),
    Stroke(Part.BREATH, 0.02, 0.5, 0.6, swing=0.03, hz=3.1),
    Stroke(Part.DROP, 0.0, 0.5, 0.6, swing=-0.018, hz=3.1),
    Stroke(Part.LEAN, 0.0, 0.5, 0.6, swing=0.05, hz=0.55),
)

#: Two or more: they lean together and hold each other as well as a photo can.
HUG = (
    Stroke(Part.LEAN, 1.0, 0.1, 1.75, toward=Toward.PARTNER, times=Times.REACH),
    Stroke(Part.LEAN, 0.0, 1.5, 0.5, swing=0.03, hz=0.6, toward=Toward.PARTNER),
    Stroke(Part.ROLL, 1.0, 0.25, 1.6, toward=Toward.PARTNER, times=Times.TILT),
    Stroke(Part.YAW, 0.12, 0.1, 1.4, toward=Toward.PARTNER),
    Stroke(Part.GAZE_X, 0.5, 0.05, 0.5, release=2.2, toward=Toward.PARTNER, scales=False),
    Stroke(Part.SQUEEZE, 0.045, 0.9, 0.9, swing=0.02, hz=0.6),
    Stroke(Part.SHRUG, 0.035, 0.6, 1.1),
    Stroke(Part.SMILE, 0.75, 0.15, 1.1, lasts=True),
    Stroke(Part.SQUINT, 0.35, 0.3, 1.1),
    _shut(1.3, 0.45, 0.5),
)

HUG_ALONE = (
    Stroke(Part.SMILE, 0.7, 0.2, 1.2, lasts=True),
    Stroke(Part.SQUINT, 0.45, 0.2, 1.2),
    Stroke(Part.ROLL, 0.075, 0.2, 1.3, swing=0.015, hz=0.5, toward=Toward.ALTERNATE),
    Stroke(Part.LEAN, 0.05, 0.2, 1.3, toward=Toward.ALTERNATE),
    Stroke(Part.SQUEEZE, 0.05, 0.3, 1.3, swing=0.02, hz=0.7),
    Stroke(Part.SHRUG, 0.07, 0.3, 1.3),
    _shut(1.4, 0.45, 0.9),
)

KISS = (
    Stroke(Part.LEAN, 0.82, 0.1, 1.6, toward=Toward.PARTNER, times=Times.REACH),
    Stroke(Part.LEAN, 0.18, 0.1, 1.6, 0.75, 0.7, toward=Toward.PARTNER, times=Times.REACH),
    Stroke(Part.ROLL, 1.0, 0.2, 1.5, toward=Toward.PARTNER, times=Times.TILT),
    Stroke(Part.YAW, 0.20, 0.1, 1.5, toward=Toward.PARTNER),
    Stroke(Part.PITCH, 0.04, 0.6, 1.0),
    Stroke(Part.GAZE_X, 0.6, 0.05, 0.5, release=2.6, toward=Toward.PARTNER, scales=False),
    Stroke(Part.PUCKER, 0.8, 0.8, 0.6, 0.95, 0.5, scales=False),
    Stroke(Part.SMILE, 0.3, 0.1, 0.7, 2.7, 0.6),
    _shut(1.0, 0.5, 0.8, 0.45),
    Stroke(Part.SMILE, 0.6, -0.9, 0.7, lasts=True),
)

KISS_ALONE = (
    Stroke(Part.PUCKER, 1.0, 0.3, 0.7, 1.6, 0.6, scales=False),
    _shut(0.5, 0.45, 1.5, 0.45),
    Stroke(Part.PITCH, 0.05, 0.3, 0.8, 1.6, 0.7),
    Stroke(Part.DROP, 0.02, 0.3, 0.8, 1.6, 0.7),
    Stroke(Part.ROLL, 0.045, 0.3, 0.9, toward=Toward.ALTERNATE),
    Stroke(Part.SMILE, 0.75, -1.5, 0.9, lasts=True),
    Stroke(Part.SQUINT, 0.3, -1.5, 0.9, lasts=True),
)

FLEX = (
    Stroke(Part.CURL, 0.91, 0.3, 0.8, swing=0.09, hz=1.1, phase=-0.25, scales=False),
    Stroke(Part.SWELL, 0.075, 0.3, 0.8, swing=0.022, hz=1.1),
    Stroke(Part.SHRUG, 0.05, 0.3, 0.8, swing=0.012, hz=1.1),
    Stroke(Part.BREATH, 0.05, 0.3, 0.8, swing=0.012, hz=1.1),
    Stroke(Part.PITCH, -0.05, 0.3, 0.9),
    Stroke(Part.ROLL, 0.03, 0.3, 0.9, toward=Toward.ALTERNATE),
    Stroke(Part.SMILE, 0.5, 0.4, 0.9, lasts=True),
)

WAVE = (
    Stroke(Part.WAVE, 0.0, 0.2, 0.6, 0.55, 0.5, swing=0.20, hz=1.5),
    Stroke(Part.WRIST, 0.0, 0.2, 0.6, 0.55, 0.5, swing=0.12, hz=1.5, phase=-0.12),
    Stroke(Part.SMILE, 0.6, 0.25, 0.9, lasts=True),
    Stroke(Part.ROLL, 0.0, 0.2, 0.6, swing=0.05, hz=0.75),
)

#: Nobody's hand is free: friendliness without it.
WAVE_WITHOUT_HAND = (
    Stroke(Part.SMILE, 0.7, 0.25, 0.9, lasts=True),
    Stroke(Part.BROW, 0.35, 0.25, 0.6),
    Stroke(Part.ROLL, 0.0, 0.2, 0.6, 0.55, 0.5, swing=0.09, hz=0.9),
    Stroke(Part.LEAN, 0.0, 0.2, 0.6, 0.55, 0.5, swing=0.06, hz=0.45),
)

SWAY = (
    Stroke(Part.SWAY, 0.0, 0.1, 0.9, swing=0.24, hz=0.62),
    Stroke(Part.HIP, 0.0, 0.1, 0.9, swing=-0.13, hz=0.62),
    Stroke(Part.ROLL, 0.0, 0.1, 0.9, swing=0.085, hz=0.62, phase=-0.08),
    Stroke(Part.DROP, 0.0, 0.1, 0.9, swing=0.020, hz=1.24, phase=0.06),
    Stroke(Part.SHRUG, 0.0, 0.1, 0.9, swing=0.03, hz=1.24, phase=0.06),
    Stroke(Part.SMILE, 0.45, 0.4, 1.0, lasts=True),
    Stroke(Part.SQUINT, 0.2, 0.4, 1.0, lasts=True),
)

NOD = (
    Stroke(Part.PITCH, 0.0, 0.3, 0.5, 0.9, 0.6, swing=0.15, hz=1.05, again=3.5),
    Stroke(Part.DROP, 0.0, 0.3, 0.5, 0.9, 0.6, swing=0.035, hz=1.05, again=3.5),
    Stroke(Part.SMILE, 0.4, 0.4, 0.9, lasts=True),
)

WINK = (
    Stroke(Part.WINK, 1.0, 0.9, 0.16, 2.0, 0.26, scales=False, again=3.5),
    Stroke(Part.SMILE, 0.55, 0.5, 0.6, lasts=True),
    Stroke(Part.ROLL, 0.05, 0.6, 0.6, 1.4, 0.9, toward=Toward.ALTERNATE, again=3.5),
    Stroke(Part.BROW, 0.3, 0.7, 0.5, 1.8, 0.6, again=3.5),
)

BLINK = (
    Stroke(Part.CLOSE, 1.0, 0.6, 0.12, 2.65, 0.2, scales=False, again=3.5),
    Stroke(Part.CLOSE, 1.0, 1.25, 0.12, 2.0, 0.2, scales=False, again=3.5),
    Stroke(Part.CLOSE, 1.0, 2.5, 0.14, 0.7, 0.24, scales=False, again=3.5),
)

LOOK = (
    Stroke(Part.GAZE_X, 1.0, 0.3, 0.22, 0.9, 0.3, toward=Toward.ORDERED, scales=False),
    Stroke(Part.YAW, 0.17, 0.4, 0.8, 0.8, 0.7, toward=Toward.ORDERED),
    Stroke(Part.ROLL, 0.02, 0.4, 0.8, 0.8, 0.7, toward=Toward.ORDERED),
)

LOOK_UP_OR_DOWN = (
    Stroke(Part.GAZE_Y, 0.8, 0.3, 0.25, 0.9, 0.3, toward=Toward.ORDERED, scales=False),
    Stroke(Part.PITCH, 0.15, 0.4, 0.8, 0.8, 0.7, toward=Toward.ORDERED),
)

BREATHE = (
    Stroke(Part.BREATH, 0.035, 0.1, 1.0, swing=0.035, hz=0.42, phase=-0.25),
    Stroke(Part.SHRUG, 0.02, 0.1, 1.0, swing=0.02, hz=0.42, phase=-0.25),
    Stroke(Part.DROP, 0.0, 0.1, 1.0, swing=-0.01, hz=0.42, phase=-0.25),
)
