"""What was seen in a photo, as data that travels with the job.

Counts and boxes only: masks and landmarks are the engine's own business. Where nobody
looked (a bot without the extra `look`), there is no `Sight` at all.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A rectangle in fractions of the picture: 0, 0 is its top left corner."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One person who could act."""

    #: None when only the body shows.
    face: Box | None
    #: Hands that are raised, inside the picture and clear of the body: they can wave.
    free_hands: int = 0
    #: Forearms that are visible and clear of the body: they can flex.
    free_arms: int = 0
    #: Lips apart: cannot purse for a kiss.
    mouth_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Who is in the photo, from left to right."""

    people: tuple[Person, ...] = ()
