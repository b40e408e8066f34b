"""Whose each pixel is: by skeletons, colour edges, and "a head belongs to the nearest face"."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vivant.director.look.arrays import Picture, Plane, Point, point
from vivant.director.look.capsules import capsule
from vivant.director.look.faces import Face
from vivant.director.look.figures import Figure
from vivant.director.look.poses import LIMBS, Pose

#: Ownership is decided on a picture this many times smaller.
_COARSE = 4

#: Less of a person than this is none.
_NOBODY = 0.1
#: How strongly the nearer of two claims what both could own: their faces' heights and sizes.
_LOWER, _LARGER = 2.4, 1.8


@dataclass(frozen=True, slots=True)
class Head:
    """One head by itself."""

    mask: Plane
    #: How much the mask is to be believed, 0..1; and so much of it as is not the body.
    trust: Plane
    head_only: Plane

    def put_into(self, people: Plane) -> Plane:
        """*people* as this head's owner sees it."""
        own: Plane = people + (self.mask - people) * self.head_only
        return own


class _Claim:
    """How strongly one figure claims each pixel, on the coarse picture."""

    def __init__(self, figure: Figure, shape: tuple[int, int]) -> None:
        self.figure = figure
        self._shape = shape
        self.reach = self._reach()
        self.core = self.distance < -0.03 * self.reach / _COARSE
        self.strength: Plane = -np.maximum(self.distance, -0.3 * self.reach / _COARSE) / (
            0.35 * self.reach / _COARSE
        )
        if figure.pose is not None:
            coarse = cv2.resize(figure.pose.body, shape[::-1])
            self.strength = self.strength + 2.5 * (coarse - 0.5)

    def _reach(self) -> float:
        """The body's unit in pixels; sets `distance`: to face, trunk and limbs."""
        face, pose = self.figure.face, self.figure.pose
        parts: list[Plane] = []
        unit = 1.0
        if face is not None:
            unit = face.size
            parts += self._of_face(face, has_pose=pose is not None)
        if pose is not None:
            unit = pose.shoulder_width
            parts += self._of_pose(pose)
        self.distance: Plane = np.minimum.reduce(parts)
        return unit

    def _line(self, start: Point, end: Point, radius: float) -> Plane:
        return capsule(self._shape, start / _COARSE, end / _COARSE, radius / _COARSE)

    def _of_face(self, face: Face, *, has_pose: bool) -> list[Plane]:
        centre, size = face.centre, face.size
        head = self._line(centre - point(0, 0.25 * size), centre, 0.62 * size)
        if has_pose:
            below = self._line(centre, centre + point(0, 3.2 * size), 0.75 * size)
            return [head, below + 0.25 * size / _COARSE]
        body = self._line(centre + point(0, 1.55 * size), centre + point(0, 4 * size), 0.95 * size)
        return [head, body]

    def _of_pose(self, pose: Pose) -> list[Plane]:
        width, points = pose.shoulder_width, pose.points
        limbs = [
            self._line(points[a], points[b], thick * width)
            for a, b, thick in LIMBS
            if pose.sees(a, b) > 0.3
        ]
        shoulders = (points[11] + points[12]) / 2
        hips = (points[23] + points[24]) / 2
        return [*limbs, self._line(shoulders, hips, 0.4 * width)]


def _head_ellipse(face: Face, shape: tuple[int, int]) -> Plane:
    """1 on the outline of a head with its hair, less inside; on the coarse picture."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32) * _COARSE
    centre, size = face.centre, face.size
    ellipse: Plane = np.hypot(
        (x - centre[0]) / (0.66 * size), (y - centre[1] + 0.22 * size) / (0.92 * size)
    )
    return ellipse


def shared_out(
    picture: Picture, figures: Sequence[Figure], people: Plane, heads: Sequence[Head | None]
) -> list[Plane]:
    """One mask a figure out of *people*, each pixel of one or of none."""
    height, width = people.shape
    shape = (height // _COARSE + 1, width // _COARSE + 1)
    claims = [_Claim(figure, shape) for figure in figures]
    zones = _claim_heads(claims, heads, shape, (height, width))
    strengths = np.stack(
        [cv2.GaussianBlur(c.strength.astype(np.float32), (0, 0), 1.2) for c in claims]
    )
    owner = strengths.argmax(0)
    if len(claims) > 1:
        owner = _snapped(picture, claims, strengths, people, zones)
    near = _resized(strengths.max(0) > -9, owner.shape)
    masks = []
    for index, head in enumerate(heads):
        own = (owner == index) & near & ~_far_off(claims[index], owner.shape)
        seen = people if head is None else head.put_into(people)
        masks.append(_mask(seen, own, strengths[index]))
    return _without_gaps(masks, people)


def _without_gaps(masks: list[Plane], people: Plane) -> list[Plane]:
    """Slits and specks between and beside people, given to whoever is nearest.

    What the network is sure to be nobody, as behind two who stand apart, stays a gap.
    """
    height, width = masks[0].shape
    across = max(height, width)
    covered = (np.maximum.reduce(masks) > 0.5).astype(np.uint8)
    size = 2 * max(2, round(0.006 * across)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    gaps = cv2.morphologyEx(covered, cv2.MORPH_CLOSE, disc) - covered
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - covered, connectivity=4)
    specks = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] < 0.0012 * height * width)
    gaps = ((gaps > 0) & (people > _NOBODY)) | np.isin(labels, specks[specks > 0])
    away = [cv2.distanceTransform((m <= 0.5).astype(np.uint8), cv2.DIST_L2, 3) for m in masks]
    nearest = np.argmin(away, 0)
    filled = []
    for index, mask in enumerate(masks):
        mine = (gaps & (nearest == index)).astype(np.float32)
        filled.append(np.maximum(mask, np.maximum(mine, cv2.GaussianBlur(mine, (0, 0), 1))))
    return filled


def _claim_heads(
    claims: list[_Claim],
    heads: Sequence[Head | None],
    shape: tuple[int, int],
    size: tuple[int, int],
) -> dict[int, Plane]:
    """A head goes to its face, and a face to nobody else; the heads' zones by index."""
    ellipses = {
        index: _head_ellipse(claim.figure.face, shape)
        for index, claim in enumerate(claims)
        if claim.figure.face is not None
    }
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32) * _COARSE
    zones = {}
    for index, (claim, head) in enumerate(zip(claims, heads, strict=True)):
        face = claim.figure.face
        if face is None or head is None:
            continue
        own = ellipses[index]
        centre, unit = face.centre, face.size
        nearest = np.minimum.reduce([own + 1e-6, *(e for i, e in ellipses.items() if i != index)])
        seen = cv2.resize(head.mask, shape[::-1], interpolation=cv2.INTER_AREA)
        trust = cv2.resize(head.trust, shape[::-1], interpolation=cv2.INTER_AREA)
        head_only = cv2.resize(head.head_only, shape[::-1], interpolation=cv2.INTER_AREA)
        mine = (own < 1.15) & (own <= nearest) & (seen > 0.5)
        zones[index] = mine & (y < centre[1] + 0.45 * unit)
        skull = capsule(
            shape,
            (centre - point(0, 0.22 * unit)) / _COARSE,
            (centre + point(0, 0.15 * unit)) / _COARSE,
            0.4 * unit / _COARSE,
        )
        # Around a head only the skull is certain: hair, hats and the background are not.
        aside = np.abs(x - centre[0]) > 1.1 * unit
        claim.core &= (skull < 0) | (y > centre[1] + 0.75 * unit) | aside
        if claim.figure.pose is None:
            claim.strength = claim.strength + 1.25 * (claim.distance < 0)
        # The nearer person, with the larger and lower face, wins where two claim the same.
        nearness = _LOWER * face.box[3] / size[0] + _LARGER * min(1.0, unit / (0.25 * size[0]))
        oval = np.zeros(shape, np.uint8)
        hull = cv2.convexHull((face.points / _COARSE).astype(np.float32)).astype(np.int32)
        cv2.fillConvexPoly(oval, hull, 1)
        claim.strength = (
            claim.strength
            + nearness
            + 3.5 * np.clip((1.15 - own) / 0.25, 0, 1) * seen
            + 5 * mine
            + 8 * oval
            # Where the look at this head sees none of it, somebody else may stand behind; and
            # of two bodies it sees the one in front.
            - 6 * head_only * (seen < 0.3) * (oval == 0)
            + 2.0 * trust * np.clip(2 * seen - 1, -1, 1)
        )
        claim.core |= cv2.erode(oval, np.ones((3, 3), np.uint8)) > 0
    return zones


def _snapped(
    picture: Picture,
    claims: list[_Claim],
    strengths: Plane,
    people: Plane,
    heads: dict[int, Plane],
) -> Plane:
    """Who owns which pixel, with borders on colour edges: a watershed from the sure cores."""
    best = strengths.argmax(0)
    second, first = np.sort(strengths, 0)[-2:]
    cores = np.take_along_axis(np.stack([c.core for c in claims]), best[None], 0)[0]
    sure = ((first - second) > 0.7) & cores
    coarse = cv2.resize(people, best.shape[::-1], interpolation=cv2.INTER_AREA)
    markers: Plane = np.where(sure, best + 2, 0).astype(np.int32)
    markers[coarse < 0.3] = 1
    double = (best.shape[1] * 2, best.shape[0] * 2)
    markers = cv2.resize(markers, double, interpolation=cv2.INTER_NEAREST)
    for value in range(1, len(claims) + 2):
        # Thinned, so that no marker already decides a border.
        inner = cv2.erode((markers == value).astype(np.uint8), np.ones((3, 3), np.uint8))
        markers[(markers == value) & (inner == 0)] = 0
    calm = cv2.bilateralFilter(cv2.resize(picture, double, interpolation=cv2.INTER_AREA), 7, 30, 5)
    flooded = cv2.watershed(calm, markers)
    flooded = cv2.medianBlur(np.where(flooded < 2, 0, flooded - 1).astype(np.uint8), 5)
    fallback = cv2.resize(best.astype(np.uint8), double, interpolation=cv2.INTER_NEAREST) + 1
    owner = np.where(flooded == 0, fallback, flooded).astype(np.int32) - 1
    for index, zone in heads.items():
        owner[_resized(zone, owner.shape)] = index
    return owner


def _far_off(claim: _Claim, shape: tuple[int, ...]) -> Plane:
    """Too far from this skeleton and head to be part of it."""
    return _resized(claim.distance > 0.75 * claim.reach / _COARSE, shape)


def _mask(people: Plane, own: Plane, strength: Plane) -> Plane:
    """*people* where *own*, less the blobs that no sure part of this figure touches."""
    size = (people.shape[1], people.shape[0])
    soft = cv2.GaussianBlur(cv2.resize(own.astype(np.float32), size), (0, 0), 1.5)
    mask: Plane = np.clip(people * soft, 0, 1)
    count, labels, stats, _ = cv2.connectedComponentsWithStats((mask > 0.5).astype(np.uint8))
    if count <= 2:
        return mask
    core = cv2.resize((strength > -0.2).astype(np.float32), size) > 0.5
    touched = np.setdiff1d(np.unique(labels[core & (mask > 0.5)]), [0])
    if not len(touched):
        return mask
    areas = stats[touched, cv2.CC_STAT_AREA]
    kept = np.isin(labels, touched[areas > 0.05 * areas.max()]).astype(np.float32)
    mask *= np.maximum(cv2.GaussianBlur(kept, (0, 0), 2), kept)
    return mask


def _resized(plane: Plane, shape: tuple[int, ...]) -> Plane:
    """A yes-or-no plane at another size."""
    if plane.shape == shape:
        return plane
    resized = cv2.resize(
        plane.astype(np.uint8), (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST
    )
    yes: Plane = resized > 0
    return yes
