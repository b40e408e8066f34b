"""What shall happen in the clip: the director's orders, which every engine obeys.

Data only. It does not know how words become a plan, nor how an engine plays one.
"""

from dataclasses import dataclass
from enum import StrEnum


class Action(StrEnum):
    """What people can be asked to do, and what the camera can."""

    HUG = "hug"
    KISS = "kiss"
    SMILE = "smile"
    LAUGH = "laugh"
    FLEX = "flex"
    WAVE = "wave"
    SWAY = "sway"
    NOD = "nod"
    WINK = "wink"
    BLINK = "blink"
    LOOK = "look"
    BREATHE = "breathe"
    ZOOM = "zoom"
    PAN = "pan"
    PARALLAX = "parallax"
    #: A calm living photo: what is made when the words ask for nothing that can be acted.
    IDLE = "idle"


class Direction(StrEnum):
    """Which way the camera goes, or a head looks."""

    IN = "in"
    OUT = "out"
    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"


class Who(StrEnum):
    """Who acts, as seen in the picture."""

    EVERYONE = "everyone"
    LEFT = "left"
    MIDDLE = "middle"
    RIGHT = "right"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One action of one or of all."""

    action: Action
    who: Who = Who.EVERYONE
    direction: Direction | None = None
    #: As the words say it: "gently" is below 1, "wildly" above.
    strength: float = 1.0
    #: A sway that was asked for as a dance: with steps and turns, where they can be made.
    is_dance: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The orders for one clip: one beat after another."""

    #: The caption, cleaned; a model with a text encoder reads it.
    words: str
    beats: tuple[Beat, ...]
    #: ISO 639-1 of the words, "en" when nothing tells.
    language: str = "en"
