"""Arms in a clip, by points tracked on them.

Where the arms are in the photo is asked of the pose network once; how they turn is followed
by Lucas-Kanade on the decoded pictures. (Poses read anew in every picture were tried as a
measure and failed: 17 to 35 degrees of noise.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from tests.gates.points import Array, followed, grey, to_follow
from tests.gates.rhythm import swing
from vivant.director.look.capsules import capsule
from vivant.director.look.people import PeopleFinder

#: Fewer points than these say nothing about a turn.
_FEWEST = 6


@dataclass(frozen=True, slots=True)
class ArmTurn:
    """How one arm turns through a clip."""

    #: Degrees against the first picture, one a frame.
    forearm: NDArray[np.float64]
    upper_arm: NDArray[np.float64]
    frame_rate: int

    @property
    def wave(self) -> float:
        """How far the forearm swings at a wave's pace, in degrees."""
        return swing(self.forearm, self.frame_rate, 1.1, 2.0)

    @property
    def elbow(self) -> float:
        """How far the elbow bends and stretches, in degrees."""
        return float(np.ptp(self.forearm - self.upper_arm))


class ArmFinder:
    """The networks that see arms, loaded once."""

    def __init__(self, models_dir: Path) -> None:
        self._people = PeopleFinder(models_dir)

    def follow(self, frames: Sequence[Array], frame_rate: int) -> list[ArmTurn]:
        """All arms that show from shoulder to wrist in the first of *frames*."""
        shape = (frames[0].shape[0], frames[0].shape[1])
        turns = []
        for person in self._people.find(frames[0]):
            for arm in person.arms:
                if arm.forearm is None:
                    continue
                radius = 0.8 * arm.forearm.radius
                towards_wrist = arm.elbow + 0.25 * (arm.forearm.wrist - arm.elbow)
                lower = capsule(shape, towards_wrist, arm.forearm.wrist, radius) < 0
                above_elbow = arm.elbow + 0.25 * (arm.shoulder - arm.elbow)
                upper = capsule(shape, arm.shoulder, above_elbow, radius) < 0
                body = person.mask > 0.5
                turns.append(
                    ArmTurn(
                        turn_of(frames, lower & body), turn_of(frames, upper & body), frame_rate
                    )
                )
        return turns


def turn_of(frames: Sequence[Array], where: Array) -> NDArray[np.float64]:
    """How *where* of the first picture turns, in degrees; what cannot be followed rests."""
    before = grey(frames[0])
    start = now = to_follow(before, where, 200, 0.002, 4)
    degrees = [0.0]
    for frame in frames[1:]:
        after = grey(frame)
        if len(start) >= _FEWEST:
            there, sure = followed(before, after, now, 15)
            start, now = start[sure], there[sure]
        degrees.append(_degrees(start, now) if len(start) >= _FEWEST else degrees[-1])
        before = after
    return np.array(degrees)


def _degrees(start: Array, now: Array) -> float:
    matrix, _ = cv2.estimateAffinePartial2D(start, now, ransacReprojThreshold=1.5)
    return float(np.degrees(np.arctan2(matrix[1, 0], matrix[0, 0])))
