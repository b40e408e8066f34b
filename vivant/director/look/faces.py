"""Faces: where they are, and 468 points on each."""

import math
from dataclasses import dataclass

import numpy as np

from vivant.director.look.arrays import Picture, Point, Points, Rect
from vivant.director.look.detect import Detection, Detector, Region, merged, search, squares, strips
from vivant.director.look.nets import Nets, sigmoid

# The mesh's own numbering. "Right" and "left" are the person's.
#: Upper and lower lid from the outer (right eye) or inner (left eye) corner rightwards in the
#: picture, the brow above,
#: and points of the cheek below.
RIGHT_EYE = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133),
    (33, 7, 163, 144, 145, 153, 154, 155, 133),
    (46, 53, 52, 65, 55),
    (50, 101, 205, 36),
)
LEFT_EYE = (
    (362, 398, 384, 385, 386, 387, 388, 466, 263),
    (362, 382, 381, 380, 374, 373, 390, 249, 263),
    (285, 295, 282, 283, 276),
    (280, 330, 425, 266),
)
#: The edge between the lips, corner to corner.
INNER_UPPER_LIP = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LOWER_LIP = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
#: Around the face.
OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
RIGHT_EYE_OUTER, LEFT_EYE_OUTER, NOSE_TIP, CHIN = 33, 263, 4, 152
RIGHT_CHEEK_EDGE, LEFT_CHEEK_EDGE = 234, 454
LIP_ABOVE, LIP_BELOW = 13, 14

#: A face smaller than this share of the picture's longer side is a passer-by.
_SMALLEST = 0.025
#: Lips further apart than this (in eye distances) are an open mouth.
_OPEN = 0.05


@dataclass(frozen=True, slots=True)
class Face:
    """One face, in pixels of the picture."""

    #: 468 x 2.
    points: Points
    detection: Detection

    @property
    def box(self) -> Rect:
        """Around all points."""
        return np.concatenate([self.points.min(0), self.points.max(0)])

    @property
    def centre(self) -> Point:
        """The middle of the box."""
        centre: Point = (self.box[:2] + self.box[2:]) / 2
        return centre

    @property
    def size(self) -> float:
        """The longer side of the box."""
        return float((self.box[2:] - self.box[:2]).max())

    @property
    def eye_distance(self) -> float:
        """Between the outer corners: the unit of all that a face does."""
        return float(np.hypot(*(self.points[LEFT_EYE_OUTER] - self.points[RIGHT_EYE_OUTER])))

    @property
    def right(self) -> Point:
        """A step of length 1 along the eyes, rightwards in the picture."""
        along = self.points[LEFT_EYE_OUTER] - self.points[RIGHT_EYE_OUTER]
        right: Point = along / self.eye_distance
        return right

    @property
    def turned(self) -> float:
        """How far it looks aside: 0 to the viewer, about -1 and 1 in profile."""
        edges = self.points[[RIGHT_CHEEK_EDGE, LEFT_CHEEK_EDGE]]
        half_width = float(np.hypot(*(edges[1] - edges[0]))) / 2 + 1e-6
        return float((self.points[NOSE_TIP] - edges.mean(0)) @ self.right) / half_width

    @property
    def mouth_gap(self) -> float:
        """Between the lips, in eye distances."""
        gap = self.points[LIP_ABOVE] - self.points[LIP_BELOW]
        return float(np.hypot(*gap)) / self.eye_distance

    @property
    def mouth_open(self) -> bool:
        """Lips apart."""
        return self.mouth_gap > _OPEN


class FaceFinder:
    """Finds the faces in a picture, each with its mesh."""

    def __init__(self, nets: Nets) -> None:
        self._near = Detector(nets.faces_near, 128, [(8, 2), (16, 6)], points=6)
        self._far = Detector(nets.faces_far, 192, [(4, 1)], points=6)
        self._mesh = nets.face_mesh

    def find(self, picture: Picture) -> list[Face]:
        """All faces that are large and clear enough to act."""
        height, width = picture.shape[:2]
        around = strips(width, height) + squares(width, height)
        found = self._near.find(picture, 0.5) + search(
            picture, around, lambda tile: self._far.find(tile, 0.5)
        )
        faces = []
        for detection in merged(found):
            points, score = self._points(picture, detection)
            face = Face(points, detection)
            if score > 0.4 and face.size > _SMALLEST * max(height, width):
                faces.append(face)
        return faces

    def _points(self, picture: Picture, detection: Detection) -> tuple[Points, float]:
        eyes = detection.points[1] - detection.points[0]
        region = Region(detection.centre, 1.5 * detection.reach, math.atan2(eyes[1], eyes[0]))
        points, _ = self._points_in(picture, region)
        # A second look, from where the first found the face to be, settles the points.
        along = points[LEFT_EYE_OUTER] - points[RIGHT_EYE_OUTER]
        angle = math.atan2(along[1], along[0])
        upright = np.array(
            [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]
        )
        turned = points @ upright.T
        low, high = turned.min(0), turned.max(0)
        closer = Region((low + high) / 2 @ upright, 1.5 * float((high - low).max()), angle)
        return self._points_in(picture, closer)

    def _points_in(self, picture: Picture, region: Region) -> tuple[Points, float]:
        patch, back = region.cut(picture, 192)
        outputs = self._mesh(patch.astype(np.float32) / 255)
        mesh = next(output for output in outputs if output.size == 1404).reshape(468, 3)
        score = next(output for output in outputs if output.size == 1).ravel()[0]
        return mesh[:, :2].astype(np.float64) @ back[:, :2].T + back[:, 2], float(sigmoid(score))
