"""Who is in the picture: faces and poses put together, before any pixel is theirs."""

from dataclasses import dataclass

import numpy as np

from vivant.director.look.arrays import Picture, Points, Rect, point
from vivant.director.look.detect import Detection, Region
from vivant.director.look.faces import Face, FaceFinder
from vivant.director.look.nets import Nets
from vivant.director.look.poses import LEGS, NOSE, Pose, PoseFinder, region_of

#: The shoulders and hips, which a body without a face must show.
_TRUNK = (11, 12, 23, 24)


@dataclass(frozen=True, slots=True)
class Figure:
    """One person: a face, a pose, or both."""

    face: Face | None
    pose: Pose | None

    @property
    def around(self) -> Rect:
        """Around all that was seen of it."""
        seen: list[Points] = []
        if self.face is not None:
            seen.append(self.face.box.reshape(2, 2))
        if self.pose is not None:
            seen.append(self.pose.points[self.pose.visible > 0.3])
        points = np.concatenate(seen)
        return np.concatenate([points.min(0), points.max(0)])


class FigureFinder:
    """Finds people by face, gives each the pose that fits, and adds bodies without a face."""

    def __init__(self, nets: Nets) -> None:
        self._faces = FaceFinder(nets)
        self._poses = PoseFinder(nets)

    def find(self, picture: Picture) -> list[Figure]:
        """Everybody, in no order."""
        bodies = self._poses.find(picture)
        figures = []
        for face in self._faces.find(picture):
            body = _nearest(bodies, face)
            if body is not None:
                bodies.remove(body)
            figures.append(Figure(face, self._pose_of(picture, face, body)))
        faces = [figure.face for figure in figures if figure.face is not None]
        for body in bodies:
            pose = self._poses.read(picture, region_of(body), looks=2)
            if _stands_alone(pose, faces, picture):
                figures.append(Figure(None, pose))
        return figures

    def _pose_of(self, picture: Picture, face: Face, body: Detection | None) -> Pose | None:
        """The most certain pose whose nose is on this face; any other is somebody else's."""
        wide, close = _region_below(face, 1.0), _region_below(face, 0.62)
        tries = [(wide, 1), (close, 1)]
        if body is not None:
            tries.insert(0, (region_of(body), 2))
        best: Pose | None = None
        for region, looks in tries:
            pose = self._poses.read(picture, region, looks=looks)
            on_face = np.hypot(*(pose.points[NOSE] - face.centre)) < 0.8 * face.size
            if not on_face or pose.score < 0.3:
                continue
            if best is None or pose.score > best.score + 0.1:
                best = pose
            if pose.score > 0.8:
                break
        return best


def _nearest(bodies: list[Detection], face: Face) -> Detection | None:
    def away(body: Detection) -> float:
        return float(np.hypot(*(body.centre - face.centre)))

    near = [b for b in bodies if away(b) < 0.9 * max(face.size, b.size[0] / 2)]
    return min(near, key=away, default=None)


def _region_below(face: Face, scale: float) -> Region:
    """Where a body under *face* would be: 2.6 face sizes down, 9 across."""
    size = face.detection.reach * scale
    return Region(face.detection.centre + point(0.0, 2.6 * size), 9.0 * size)


def _stands_alone(pose: Pose, faces: list[Face], picture: Picture) -> bool:
    """A body without a face counts only with legs: a cat's face passed for one before."""
    beside = any(np.hypot(*(pose.points[NOSE] - f.centre)) < 1.2 * f.size for f in faces)
    seen = pose.points[pose.visible > 0.5]
    legs = float(pose.visible[list(LEGS)].max()) > 0.5 and pose.sees(*_TRUNK) > 0.5
    if beside or pose.score <= 0.7 or not legs or len(seen) < 14:
        return False
    return bool((seen.max(0) - seen.min(0)).max() > 0.15 * min(picture.shape[:2]))
