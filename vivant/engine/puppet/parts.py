"""What of a person can move, and how far it may before it looks wrong."""

import math
from collections.abc import Mapping
from enum import Enum, auto
from typing import TypeAlias


class Part(Enum):
    """One thing that moves. Lengths are in face sizes, angles in radians, the rest 0..1."""

    # The body.
    LEAN = auto()  #: towards the right, fixed at the root
    SWAY = auto()  #: as LEAN, but people who touch lean as one body
    HIP = auto()  #: to the right, as one body too
    BREATH = auto()  #: the chest rises and widens
    SHRUG = auto()  #: both shoulders rise
    SQUEEZE = auto()  #: the trunk narrows
    SWELL = auto()  #: the upper arms, in their own lengths
    # The head.
    ROLL = auto()  #: about the neck, clockwise in the picture
    YAW = auto()  #: looks to the right
    PITCH = auto()  #: looks down
    SHIFT = auto()  #: to the right
    DROP = auto()  #: downwards
    # The face.
    SMILE = auto()
    OPEN = auto()  #: the mouth
    PUCKER = auto()
    BROW = auto()
    SQUINT = auto()
    CLOSE = auto()  #: both eyes
    WINK = auto()  #: one eye
    GAZE_X = auto()  #: the eyes look to the right, -1..1
    GAZE_Y = auto()  #: and down
    # The arms.
    WAVE = auto()  #: raised, free forearms turn about the elbow
    WRIST = auto()  #: and their hands about the wrist
    CURL = auto()  #: free forearms come up, as far as each can


#: What one person does at one moment; what is absent rests.
Gesture: TypeAlias = Mapping[Part, float]

#: Beyond these it was looked at and looked wrong; `tests/puppet` holds the frames to them.
LIMITS: dict[Part, float] = {
    Part.LEAN: 1.15,
    Part.SWAY: 0.40,
    Part.HIP: 0.22,
    Part.BREATH: 0.12,
    Part.SHRUG: 0.14,
    Part.SQUEEZE: 0.10,
    Part.SWELL: 0.13,
    Part.ROLL: 0.26,
    Part.YAW: 0.26,
    Part.PITCH: 0.24,
    Part.SHIFT: 0.10,
    Part.DROP: 0.10,
    Part.SMILE: 1.2,
    Part.OPEN: 1.0,
    Part.PUCKER: 1.0,
    Part.BROW: 1.0,
    Part.SQUINT: 1.0,
    Part.CLOSE: 1.0,
    Part.WINK: 1.0,
    Part.GAZE_X: 1.0,
    Part.GAZE_Y: 1.0,
    Part.WAVE: 0.30,
    Part.WRIST: 0.25,
    Part.CURL: 1.0,
}

#: These reach their limit by design: a closed eye is closed.
_WHOLE = {Part.CLOSE, Part.WINK, Part.PUCKER, Part.GAZE_X, Part.GAZE_Y, Part.CURL}


def limited(part: Part, value: float) -> float:
    """*value* as it is up to four fifths of the limit, then ever slower, never over it."""
    limit = LIMITS[part]
    if part in _WHOLE:
        return max(-limit, min(limit, value))
    knee = 0.8 * limit
    if abs(value) <= knee:
        return value
    beyond = (abs(value) - knee) / (limit - knee)
    return math.copysign(knee + (limit - knee) * math.tanh(beyond), value)
