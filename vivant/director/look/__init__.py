"""Looks at a photo: how many people, which faces, whose hands are free.

Usable in a short-lived child process: no state, 0.08 s to load, 0.05 to 0.25 s a photo, 240 MB
resident and 750 MB of address space at most. Knows no words and no engine; `people` is what the
puppet builds on.
"""

import math
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from vivant.director.look.arrays import Picture
from vivant.director.look.people import PeopleFinder
from vivant.director.look.people import Person as FoundPerson
from vivant.director.sight import Box, Person, Sight

#: Pixels to look at; more finds hardly more, and costs.
_AREA = 420_000


class Looker:
    """The networks, loaded once."""

    def __init__(self, models_dir: Path) -> None:
        """Raises `models.ModelsMissing` when they were not fetched."""
        self._people = PeopleFinder(models_dir)

    def look(self, photo: Image.Image) -> Sight:
        """Who is in *photo* (upright, any size), from left to right."""
        picture = _bounded(photo)
        height, width = picture.shape[:2]
        return Sight(
            people=tuple(_seen(person, width, height) for person in self._people.find(picture))
        )


def _bounded(photo: Image.Image) -> Picture:
    rgb = np.asarray(photo.convert("RGB"))
    scale = math.sqrt(_AREA / (photo.width * photo.height))
    size = (max(2, round(photo.width * scale)), max(2, round(photo.height * scale)))
    smaller = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(rgb, size, interpolation=smaller)


def _seen(person: FoundPerson, width: int, height: int) -> Person:
    forearms = [arm.forearm for arm in person.arms if arm.forearm is not None]
    box = None
    if person.face is not None:
        left, top, right, bottom = person.face.box / (width, height, width, height)
        box = Box(left=float(left), top=float(top), right=float(right), bottom=float(bottom))
    return Person(
        face=box,
        free_hands=sum(forearm.can_wave for forearm in forearms),
        free_arms=sum(forearm.can_flex for forearm in forearms),
        mouth_open=person.face is not None and person.face.mouth_open,
    )
