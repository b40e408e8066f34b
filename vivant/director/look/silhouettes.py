"""Which pixels are whose.

A network says what is a person at all; skeleton, colour edges and "a head belongs to the
nearest face" say whose.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vivant.director.look.arrays import Picture, Plane, Point, point
from vivant.director.look.faces import Face
from vivant.director.look.figures import Figure
from vivant.director.look.nets import Nets
from vivant.director.look.poses import ARMS, LIMBS, Pose

#: Ownership is decided on a picture this many times smaller.
_COARSE = 4


#: How far around a face the network looks for its head, in face sizes: left and up, right and
#: down; and the share of that way in which what it says there counts fully.
_BEFORE, _BEYOND, _SURE = (1.6, 1.3), (1.6, 1.9), 0.72


class SilhouetteFinder:
    """Cuts people out of a picture."""

    def __init__(self, nets: Nets) -> None:
        self._net = nets.silhouettes

    def find(self, picture: Picture, figures: Sequence[Figure]) -> list[Plane]:
        """One mask a figure, the size of *picture*; a pixel is of one figure or of none."""
        if not figures:
            return []
        grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
        radius = max(4, int(0.012 * max(grey.shape)))
        people = _on_edges(self._people(picture, figures), grey, radius)
        heads = [
            None if figure.face is None else self._head(picture, figure.face, grey, radius)
            for figure in figures
        ]
        return _shared_out(picture, figures, people, heads)

    def _people(self, picture: Picture, figures: Sequence[Figure]) -> Plane:
        """What is a person, whoever: looked at around each, as a whole where nobody is."""
        height, width = picture.shape[:2]
        people = self._seen_in(picture, np.zeros(2), point(width, height))
        bodies, around = np.zeros_like(people), np.zeros(people.shape, bool)
        for figure in figures:
            low, high = figure.around[:2], figure.around[2:]
            half = float((high - low).max()) * 0.675 + 4
            middle = (low + high) / 2
            bodies = np.maximum(bodies, self._seen_in(picture, middle - half, middle + half))
            around[_part(middle - half, middle + half, people.shape)] = True
            if figure.pose is not None:
                bodies = np.maximum(bodies, np.where(figure.pose.body > 0.6, figure.pose.body, 0))
                bodies = np.maximum(bodies, self._hands(picture, figure.pose))
        everybody: Plane = np.where(around, bodies, people)
        return everybody

    def _hands(self, picture: Picture, pose: Pose) -> Plane:
        """The fingers, which a look at a whole body leaves out."""
        hands = np.zeros(picture.shape[:2], np.float32)
        for _, elbow, wrist, knuckles in ARMS:
            if pose.sees(elbow, wrist) < 0.5:
                continue
            start, palm = pose.points[wrist], pose.points[list(knuckles)].mean(0)
            length = float(np.hypot(*(start - pose.points[elbow])))
            low, high = palm - 0.9 * length, palm + 0.9 * length
            part = _part(low, high, picture.shape)
            seen = self._seen_in(picture, low, high)[part]
            corner = point(part[1].start, part[0].start)
            tip = start + 2.2 * (palm - start)
            shape = (seen.shape[0], seen.shape[1])
            if min(shape) > 0:
                hand = capsule(shape, start - corner, tip - corner, 0.3 * length) < 0
                hands[part] = np.maximum(hands[part], np.where(hand & (seen > 0.2), 0.9, 0))
        return hands

    def _head(self, picture: Picture, face: Face, grey: Plane, radius: int) -> "_Head":
        """What belongs to this head and what certainly does not, from a look at it alone."""
        low = face.centre - np.array(_BEFORE) * face.size
        high = face.centre + np.array(_BEYOND) * face.size
        part = _part(low, high, picture.shape)
        mask = np.zeros(picture.shape[:2], np.float32)
        mask[part] = _on_edges(self._seen_in(picture, low, high)[part], grey[part], radius)
        y, x = np.mgrid[part].astype(np.float32)
        middle, half = (low + high) / 2, (high - low) / 2
        off = np.maximum(np.abs(x - middle[0]) / half[0], np.abs(y - middle[1]) / half[1])
        # From the nose down, collars and hair begin, and the look at the body knows more.
        below = np.clip((y - face.centre[1]) / (0.3 * face.size) + 0.5, 0, 1)
        trust = np.zeros_like(mask)
        trust[part] = np.clip((1 - off) / (1 - _SURE), 0, 1)
        head_only = trust.copy()
        head_only[part] *= 1 - below
        return _Head(mask, trust, head_only)

    def _seen_in(self, picture: Picture, low: Point, high: Point) -> Plane:
        seen = np.zeros(picture.shape[:2], np.float32)
        part = _part(low, high, picture.shape)
        height, width = seen[part].shape
        if width < 32 or height < 32:
            return seen
        patch = cv2.resize(picture[part], (256, 256), interpolation=cv2.INTER_AREA)
        mask = self._net(patch.astype(np.float32) / 255)[0].reshape(256, 256)
        seen[part] = cv2.resize(mask, (width, height))
        return seen


@dataclass(frozen=True, slots=True)
class _Head:
    """One head by itself."""

    mask: Plane
    #: How much the mask is to be believed, 0..1; and so much of it as is not the body.
    trust: Plane
    head_only: Plane

    def put_into(self, people: Plane) -> Plane:
        """*people* as this head's owner sees it."""
        own: Plane = people + (self.mask - people) * self.head_only
        return own


def _part(low: Point, high: Point, shape: tuple[int, ...]) -> tuple[slice, slice]:
    left, top = np.maximum(low, 0).astype(int)
    right, bottom = np.minimum(high, (shape[1], shape[0])).astype(int)
    return np.s_[int(top) : max(int(top), int(bottom)), int(left) : max(int(left), int(right))]


def _on_edges(mask: Plane, grey: Plane, radius: int) -> Plane:
    return np.clip(_guided(grey, mask, radius, 1e-3), 0, 1)


def capsule(shape: tuple[int, int], start: Point, end: Point, radius: float) -> Plane:
    """Signed distance in pixels to a fat line from *start* to *end*: negative inside."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    along = (end - start).astype(np.float32)
    from_x, from_y = x - np.float32(start[0]), y - np.float32(start[1])
    length = float(along @ along) + 1e-6
    t = np.clip((from_x * along[0] + from_y * along[1]) / length, 0, 1)
    distance: Plane = cv2.magnitude(from_x - t * along[0], from_y - t * along[1]) - radius
    return distance


def _guided(guide: Plane, mask: Plane, radius: int, softness: float) -> Plane:
    """*mask* with its edges moved onto those of *guide* (a guided filter)."""
    window = (2 * radius + 1, 2 * radius + 1)

    def mean(plane: Plane) -> Plane:
        return cv2.blur(plane, window, borderType=cv2.BORDER_REFLECT)

    mean_guide, mean_mask = mean(guide), mean(mask)
    slope = (mean(guide * mask) - mean_guide * mean_mask) / (
        mean(guide * guide) - mean_guide**2 + softness
    )
    edged: Plane = mean(slope) * guide + mean(mean_mask - slope * mean_guide)
    return edged


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


def _shared_out(
    picture: Picture, figures: Sequence[Figure], people: Plane, heads: Sequence[_Head | None]
) -> list[Plane]:
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
    return _without_gaps(masks)


def _without_gaps(masks: list[Plane]) -> list[Plane]:
    """Slits and specks between and beside people, given to whoever is nearest."""
    height, width = masks[0].shape
    across = max(height, width)
    covered = (np.maximum.reduce(masks) > 0.5).astype(np.uint8)
    size = 2 * max(2, round(0.006 * across)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    gaps = cv2.morphologyEx(covered, cv2.MORPH_CLOSE, disc) - covered
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - covered, connectivity=4)
    specks = np.flatnonzero(stats[:, cv2.CC_STAT_AREA] < 0.0012 * height * width)
    gaps = (gaps > 0) | np.isin(labels, specks[specks > 0])
    away = [cv2.distanceTransform((m <= 0.5).astype(np.uint8), cv2.DIST_L2, 3) for m in masks]
    nearest = np.argmin(away, 0)
    filled = []
    for index, mask in enumerate(masks):
        mine = (gaps & (nearest == index)).astype(np.float32)
        filled.append(np.maximum(mask, np.maximum(mine, cv2.GaussianBlur(mine, (0, 0), 1))))
    return filled


def _claim_heads(
    claims: list[_Claim],
    heads: Sequence[_Head | None],
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
        nearness = 0.8 * face.box[3] / size[0] + 0.6 * min(1.0, unit / (0.25 * size[0]))
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
