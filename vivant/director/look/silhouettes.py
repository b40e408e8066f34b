"""Silhouettes: which pixels are people, whoever; `ownership` then says whose each is."""

from collections.abc import Sequence

import cv2
import numpy as np

from vivant.director.look.arrays import Picture, Plane, Point, point
from vivant.director.look.capsules import capsule
from vivant.director.look.faces import Face
from vivant.director.look.figures import Figure
from vivant.director.look.nets import Nets
from vivant.director.look.ownership import Head, shared_out
from vivant.director.look.poses import ARMS, Pose

#: How far around a face the network looks for its head, in face sizes: left and up, right and
#: down; and the share of that way in which what it says there counts fully.
_BEFORE, _BEYOND, _SURE = (1.6, 1.3), (1.6, 1.9), 0.72

#: Of 255: how much a calm background's colour varies at most.
_CALM = 18.0


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
        for figure in figures:
            if figure.pose is not None:
                people = np.maximum(people, self._hands(picture, figure.pose))
        heads = [
            None if figure.face is None else self._head(picture, figure.face, grey, radius)
            for figure in figures
        ]
        return shared_out(picture, figures, people, heads)

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
                away = capsule(shape, start - corner, tip - corner, 0.3 * length)
                shown = (seen > 0.2) | _unlike_a_calm_background(picture[part], away, seen)
                hands[part] = np.maximum(hands[part], np.where((away < 0) & shown, 0.9, 0))
        return hands

    def _head(self, picture: Picture, face: Face, grey: Plane, radius: int) -> Head:
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
        return Head(mask, trust, head_only)

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


def _unlike_a_calm_background(picture: Picture, away: Plane, seen: Plane) -> Plane:
    """Before a plain sky or wall, whatever is not of its colour: finger tips are small."""
    around = picture[(away > 0) & (seen < 0.05)].astype(np.float32)
    if len(around) < 50 or around.std(0).max() > _CALM:
        return np.zeros(seen.shape, bool)
    off = np.abs(picture - np.median(around, 0)).max(-1)
    unlike: Plane = off > 3 * _CALM
    return unlike


def _part(low: Point, high: Point, shape: tuple[int, ...]) -> tuple[slice, slice]:
    left, top = np.maximum(low, 0).astype(int)
    right, bottom = np.minimum(high, (shape[1], shape[0])).astype(int)
    return np.s_[int(top) : max(int(top), int(bottom)), int(left) : max(int(left), int(right))]


def _on_edges(mask: Plane, grey: Plane, radius: int) -> Plane:
    return np.clip(_guided(grey, mask, radius, 1e-3), 0, 1)


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
