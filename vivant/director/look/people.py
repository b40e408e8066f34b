"""People: figures with their pixels and their arms. What both `look` and the puppet start from."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vivant.director.look.arms import Arm, arms_of
from vivant.director.look.arrays import Picture, Plane
from vivant.director.look.faces import Face
from vivant.director.look.figures import FigureFinder
from vivant.director.look.nets import Nets
from vivant.director.look.poses import Pose
from vivant.director.look.silhouettes import SilhouetteFinder

#: A silhouette smaller than this share of the picture is nobody.
_SMALLEST = 0.002


@dataclass(frozen=True, slots=True)
class Person:
    """One person in a picture, in its pixels."""

    face: Face | None
    pose: Pose | None
    #: Soft at the edges, hard inside.
    mask: Plane
    arms: tuple[Arm, ...]

    @property
    def middle(self) -> float:
        """Where the head is, from the left: what orders people."""
        if self.face is not None:
            return float(self.face.centre[0])
        columns = np.flatnonzero((self.mask > 0.5).any(0))
        return float(columns.mean())


class PeopleFinder:
    """The networks, loaded once, and what they see; safe to share between threads."""

    def __init__(self, models_dir: Path) -> None:
        nets = Nets(models_dir)
        self._figures = FigureFinder(nets)
        self._silhouettes = SilhouetteFinder(nets)

    def find(self, picture: Picture) -> list[Person]:
        """Everybody who could act, from left to right. 40 to 240 ms for up to three."""
        figures = self._figures.find(picture)
        masks = self._silhouettes.find(picture, figures)
        people = []
        for index, (figure, mask) in enumerate(zip(figures, masks, strict=True)):
            if (mask > 0.5).sum() < _SMALLEST * mask.size:
                continue
            others = [other for i, other in enumerate(masks) if i != index]
            arms = arms_of(figure.pose, mask, others) if figure.pose is not None else ()
            people.append(Person(figure.face, figure.pose, mask, arms))
        return sorted(people, key=lambda person: person.middle)
