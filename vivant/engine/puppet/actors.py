"""Actors: what the puppet needs to know of a person's build to move it. Geometry only."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vivant.director.look.arms import Arm
from vivant.director.look.arrays import Plane, Point, Rect, point
from vivant.director.look.faces import CHIN, OVAL, Face
from vivant.director.look.people import Person
from vivant.director.look.poses import LEFT_SHOULDER, NOSE, RIGHT_SHOULDER, Pose

#: Of a crowd so many act, the largest.
LARGEST_CAST = 8


@dataclass(frozen=True, slots=True)
class Troupe:
    """People who touch: they sway as one body, so that no seam between them slides."""

    root: float
    shoulders: float
    head: float
    unit: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """One person on the stage, in pixels of the fitted photo."""

    face: Face | None
    mask: Plane
    arms: tuple[Arm, ...]
    #: Of the mask.
    box: Rect
    #: The face's size, the unit of its body.
    size: float
    #: Along the eyes to the right, and down the face.
    right: Point
    down: Point
    face_centre: Point
    #: The middle of the head with its hair.
    head: Point
    chin: Point
    #: Between the shoulders.
    shoulders: Point
    shoulder_width: float
    #: The height in the picture at which it stands still: its feet, or where the photo ends.
    root: float
    #: The photo's border cuts it at that side, which therefore stays put.
    cut_left: bool
    cut_right: bool
    cut_bottom: bool
    #: Larger is nearer.
    nearness: float
    troupe: Troupe

    @property
    def stature(self) -> float:
        """The unit for moves of the whole body."""
        return max(self.size, 0.17 * (self.root - float(self.head[1])))


def cast(people: Sequence[Person], width: int, height: int) -> list[Actor]:
    """The actors from back to front; of a crowd only the largest."""
    builds = sorted((_Build(p, width, height) for p in people), key=lambda build: -build.size)
    builds = builds[:LARGEST_CAST]
    troupes = _troupes(builds)
    actors = [build.actor(troupe) for build, troupe in zip(builds, troupes, strict=True)]
    return sorted(actors, key=lambda actor: actor.nearness)


class _Build:
    """One person's measures."""

    def __init__(self, person: Person, width: int, height: int) -> None:
        self.person = person
        rows, columns = np.nonzero(person.mask > 0.5)
        self.box = np.array([columns.min(), rows.min(), columns.max(), rows.max()], np.float64)
        self.right, self.down = np.array([1.0, 0.0]), np.array([0.0, 1.0])
        if person.face is not None:
            self._measure_face(person.face)
        elif person.pose is not None:
            self._guess_face(person.pose)
        self.head = self.face_centre - self.down * 0.22 * self.size
        self.shoulders, self.shoulder_width = self._shoulders()
        self._size = (width, height)
        foot = height * 1.02 if self.box[3] > height - 4 else float(self.box[3])
        self.root = max(foot, float(self.shoulders[1]) + 0.8 * self.size)

    def _measure_face(self, face: Face) -> None:
        oval = face.points[list(OVAL)]
        across, along = oval.max(0) - oval.min(0)
        self.size = float(max(across, 0.8 * along))
        self.right = face.right
        self.down = np.array([-face.right[1], face.right[0]])
        self.face_centre: Point = oval.mean(0)
        self.chin: Point = face.points[CHIN]
        self.lowest = float(oval[:, 1].max())

    def _guess_face(self, pose: Pose) -> None:
        shoulders = pose.points[LEFT_SHOULDER] - pose.points[RIGHT_SHOULDER]
        self.size = float(np.hypot(*shoulders)) * 0.6
        self.face_centre = pose.points[NOSE].copy()
        self.chin = self.face_centre + point(0, 0.6 * self.size)
        self.lowest = float(self.box[3])

    def _shoulders(self) -> tuple[Point, float]:
        pose, size = self.person.pose, self.size
        between = self.chin + self.down * 0.55 * size
        width = 2.2 * size
        if pose is not None and pose.sees(LEFT_SHOULDER, RIGHT_SHOULDER) > 0.4:
            left, right = pose.points[LEFT_SHOULDER], pose.points[RIGHT_SHOULDER]
            between = (left + right) / 2
            width = max(float(np.hypot(*(left - right))), 1.2 * size)
        lowest = max(float(between[1]), float(self.chin[1]) + 0.25 * size)
        return np.array([between[0], lowest]), width

    def actor(self, troupe: Troupe) -> Actor:
        width, height = self._size
        return Actor(
            face=self.person.face,
            mask=self.person.mask,
            arms=self.person.arms,
            box=self.box,
            size=self.size,
            right=self.right,
            down=self.down,
            face_centre=self.face_centre,
            head=self.head,
            chin=self.chin,
            shoulders=self.shoulders,
            shoulder_width=self.shoulder_width,
            root=self.root,
            cut_left=bool(self.box[0] < 3),
            cut_right=bool(self.box[2] > width - 4),
            cut_bottom=bool(self.box[3] > height - 4),
            nearness=self.lowest / height + 0.8 * min(1.0, self.size / (0.25 * height)),
            troupe=troupe,
        )

    @property
    def stature(self) -> float:
        return max(self.size, 0.17 * (self.root - float(self.head[1])))


def _troupes(builds: list[_Build]) -> list[Troupe]:
    """One troupe a build; people who touch, directly or through others, share theirs."""
    grown = [
        cv2.dilate((b.person.mask > 0.5).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        for b in builds
    ]
    group = list(range(len(builds)))
    for i in range(len(builds)):
        for j in range(i):
            if group[i] != group[j] and (grown[i] & grown[j]).sum() > 60:
                group = [group[j] if g == group[i] else g for g in group]
    troupes = []
    for index in range(len(builds)):
        mates = [b for b, g in zip(builds, group, strict=True) if g == group[index]]
        troupes.append(
            Troupe(
                root=max(m.root for m in mates),
                shoulders=float(np.mean([m.shoulders[1] for m in mates])),
                head=float(np.mean([m.head[1] for m in mates])),
                unit=float(np.mean([m.stature for m in mates])),
            )
        )
    return troupes
