"""Poses: 33 points on a body, and the pixels that seem to be it."""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from vivant.director.look.arrays import Picture, Plane, Points, Tensor
from vivant.director.look.detect import Detection, Detector, Region, merged, search, strips
from vivant.director.look.nets import Nets, sigmoid

# The network's own numbering. "Left" and "right" are the person's.
NOSE = 0
LEFT_SHOULDER, RIGHT_SHOULDER = 11, 12
LEFT_HIP, RIGHT_HIP = 23, 24
LEGS = (25, 26, 27, 28)
#: Shoulder, elbow, wrist, and the knuckles, of both arms.
ARMS = ((11, 13, 15, (17, 19, 21)), (12, 14, 16, (18, 20, 22)))
#: Two points each, and how thick the limb is in shoulder widths.
LIMBS = (
    *((11, 13, 0.16), (13, 15, 0.13), (15, 19, 0.12), (12, 14, 0.16), (14, 16, 0.13)),
    *((16, 20, 0.12), (11, 12, 0.20), (23, 24, 0.22), (11, 23, 0.25), (12, 24, 0.25)),
    *((23, 25, 0.22), (25, 27, 0.16), (27, 31, 0.12), (24, 26, 0.22), (26, 28, 0.16)),
    (28, 32, 0.12),
)
#: Helpers of the network: the middle of the hips, and how far the body reaches from it.
_MIDDLE, _RIM = 33, 34


@dataclass(frozen=True, slots=True)
class Pose:
    """One body, in pixels of the picture."""

    #: 33 x 2.
    points: Points
    #: 33, each 0..1.
    visible: Tensor
    #: That there is a body at all, 0..1.
    score: float
    #: The network's own idea of its pixels; coarse.
    body: Plane

    @property
    def shoulder_width(self) -> float:
        """Never less than half the trunk's length: a body seen from its side has some too."""
        left, right = self.points[LEFT_SHOULDER], self.points[RIGHT_SHOULDER]
        trunk = (left + right - self.points[LEFT_HIP] - self.points[RIGHT_HIP]) / 2
        return float(max(np.hypot(*(left - right)), 0.5 * np.hypot(*trunk)))

    def sees(self, *points: int) -> float:
        """How visible the least visible of *points* is."""
        return float(self.visible[list(points)].min())


class PoseFinder:
    """Finds where bodies are, then reads the pose in such a region."""

    def __init__(self, nets: Nets) -> None:
        self._detector = Detector(nets.poses, 224, [(8, 2), (16, 2), (32, 6)], points=4)
        self._points = nets.pose_points

    def find(self, picture: Picture) -> list[Detection]:
        """Where a body seems to be; the box is around its head and shoulders."""
        height, width = picture.shape[:2]
        return merged(
            search(picture, strips(width, height), lambda tile: self._detector.find(tile, 0.4))
        )

    def read(self, picture: Picture, region: Region, *, looks: int) -> Pose:
        """The pose in *region*; a second look starts from where the first found the body."""
        pose, closer = self._read(picture, region)
        if looks > 1 and pose.score >= 0.3 and closer.size >= 0.4 * region.size:
            pose, _ = self._read(picture, closer)
        return pose

    def _read(self, picture: Picture, region: Region) -> tuple[Pose, Region]:
        patch, back = region.cut(picture, 256)
        outputs = self._points(patch.astype(np.float32) / 255)
        numbers = next(o for o in outputs if o.size == 195).reshape(39, 5).astype(np.float64)
        heat = sigmoid(next(o for o in outputs if o.shape[-1] == 39)[0])
        body = next(o for o in outputs if o.size == 65536).reshape(256, 256)
        score = float(next(o for o in outputs if o.size == 1).ravel()[0])
        if body.min() < -0.01 or body.max() > 1.01:
            body = sigmoid(body)
        points = _refined(numbers[:, :2], heat) @ back[:, :2].T + back[:, 2]
        height, width = picture.shape[:2]
        pose = Pose(
            points=points[:33],
            visible=sigmoid(numbers[:33, 3]) * sigmoid(numbers[:33, 4]),
            score=score,
            body=cv2.warpAffine(body, back, (width, height), flags=cv2.INTER_LINEAR),
        )
        return pose, _region(points[_MIDDLE], points[_RIM])


def region_of(detection: Detection) -> Region:
    """Where to read the pose of a detected body."""
    return _region(detection.points[0], detection.points[1])


def _region(middle: Points, rim: Points) -> Region:
    reach = rim - middle
    angle = math.pi / 2 - math.atan2(-reach[1], reach[0])
    return Region(middle, 2.5 * float(np.hypot(*reach)), angle)


def _refined(points: Points, heat: Tensor) -> Points:
    """Each point pulled to the centre of its own heat (64 x 64 x 39), where there is any."""
    refined = points.copy()
    for index in range(len(points)):
        column, row = (points[index] / 4).astype(int)
        if not (0 <= column < 64 and 0 <= row < 64):
            continue
        top, left = max(0, row - 3), max(0, column - 3)
        around = heat[top : row + 4, left : column + 4, index]
        if around.max() > 0.5:
            y, x = np.mgrid[top : top + around.shape[0], left : left + around.shape[1]]
            refined[index] = np.array([(around * x).sum(), (around * y).sum()]) * 4 / around.sum()
    return refined
