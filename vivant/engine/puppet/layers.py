"""Layers: every actor as a cut-out over a background that goes on behind it.

A cut-out carries a halo of the photo's own background, so that fine hair stays whole in small
motions; where it moves further, the halo shrinks to the tight matte. At rest the stack is the
photo, exactly: what is visible keeps its own colour, and only what is fully covered is made up.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vivant.director.look.arrays import Picture, Plane
from vivant.engine.puppet.actors import Actor
from vivant.engine.puppet.curves import smooth_each
from vivant.engine.puppet.fill import filled, nearest
from vivant.engine.puppet.fine import FINE, finer, opaque

#: The halo: fully there up to the first, gone at the second; shares of the longer side.
_HALO_FULL, _HALO_END = 0.008, 0.022
#: Around a head it is so many times as wide: a hat's rim or loose hair that the mask has missed
#: must not stay behind in the background when the head goes.
_HEADS_HALO = 1.5
#: How far the camera alone moves an actor against the background.
_PARALLAX = 0.01
#: How far an actor goes on, at least, behind whoever stands in front of it.
_BEHIND = 0.035
#: Where people touch, the one in front is opaque to so many pixels beyond its mask, and gone at
#: the second: what the mask has missed of its edge must not stay on the one behind.
_TOUCHING_FULL, _TOUCHING_END = 2.5, 5.0


@dataclass(frozen=True, slots=True)
class Cutout:
    """One actor's pixels."""

    #: In pixels of the photo: where pixel 0, 0 of the following lies.
    left: int
    top: int
    #: RGBA, finer than the photo; the alpha is the wide matte.
    picture: Picture
    #: The tight matte, 0..255, finer too.
    tight: Plane

    @property
    def right(self) -> int:
        """One beyond its last column."""
        return self.left + int(self.picture.shape[1]) // FINE

    @property
    def bottom(self) -> int:
        """One beyond its last row."""
        return self.top + int(self.picture.shape[0]) // FINE


@dataclass(frozen=True, slots=True)
class Layers:
    """The background, and the cut-outs from back to front."""

    #: RGBA, finer than the photo.
    plate: Picture
    cutouts: tuple[Cutout, ...]


def layered(picture: Picture, actors: Sequence[Actor], moves: Sequence[Plane]) -> Layers:
    """Cut *actors* (from back to front) out of *picture*.

    *moves*: how far each pixel of each actor will ever be from its place, in pixels.
    """
    across = max(picture.shape[:2])
    in_front = np.zeros(picture.shape[:2], np.float32)
    uncovered = np.ones_like(in_front)
    shown = np.zeros(in_front.shape, bool)
    cutouts: list[Cutout] = []
    in_fronts = 0.0
    for index in range(len(actors) - 1, -1, -1):
        others = [actor.mask for i, actor in enumerate(actors) if i != index]
        wide, tight = _mattes(actors[index], others, across)
        # Those in front may go one way while this one goes the other.
        farthest = float(moves[index][actors[index].mask > 0.5].max())
        far = max(_BEHIND * across, 1.1 * (farthest + in_fronts))
        in_fronts = max(in_fronts, farthest)
        colours, wide, tight = _behind(picture, actors[index], in_front, wide, tight, far)
        cutouts.insert(0, _cutout(actors[index], colours, wide, tight, across))
        in_front = np.maximum(in_front, wide)
        uncovered *= 1 - wide
        depth = cv2.distanceTransform((wide > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
        shown |= (depth > 0) & (depth < moves[index] * 1.1 + _PARALLAX * across)
    hole = (uncovered < 0.004).astype(np.uint8)
    plate = filled(picture, hole, hole * shown)
    return Layers(finer(opaque(plate)), tuple(cutouts))


def _mattes(actor: Actor, others: list[Plane], across: int) -> tuple[Plane, Plane]:
    away = _distance(actor.mask)
    y, x = np.mgrid[0 : away.shape[0], 0 : away.shape[1]].astype(np.float32)
    from_head = cv2.magnitude(x - np.float32(actor.head[0]), y - np.float32(actor.head[1]))
    near_head = 1 - smooth_each(from_head, actor.size, 1.4 * actor.size)
    wider = across * (1 + (_HEADS_HALO - 1) * near_head)
    full, end = _HALO_FULL * wider, _HALO_END * wider
    # Where two people touch there is no background for a halo.
    apart = np.ones_like(actor.mask)
    if others:
        apart = smooth_each(_distance(np.maximum.reduce(others)), 0, 1.2 * end)
    inner = _TOUCHING_FULL + (full - _TOUCHING_FULL) * apart
    outer = _TOUCHING_END + (end - _TOUCHING_END) * apart
    t = np.clip((away - inner) / (outer - inner), 0, 1)
    wide = 1 - t * t * (3 - 2 * t)
    tight = np.clip((actor.mask - 0.12) / 0.76, 0, 1)
    tight = np.where(apart < 0.6, np.maximum(tight, wide), tight)
    return wide.astype(np.float32), tight.astype(np.float32)


def _behind(
    picture: Picture, actor: Actor, in_front: Plane, wide: Plane, tight: Plane, far: float
) -> tuple[Picture, Plane, Plane]:
    """Colours and mattes where somebody stands before *actor*: it goes on *far* behind them."""
    across = max(wide.shape)
    away = _distance(actor.mask)
    hidden = in_front > 0.995
    near = hidden & (away < far)
    colours = picture
    own = (actor.mask > 0.8) & (in_front < 0.02)
    if near.any() and own.sum() > 50:
        colours = _continued(picture, own, in_front, near)
    reach = 1 - smooth_each(away, 0.5 * far, far)
    # What is hidden is its own only where it shows nearer by than the background does.
    background = (in_front <= 0.02) & (actor.mask <= 0.5)
    nearer = _distance(background.astype(np.float32)) - away
    reach *= np.where(hidden, smooth_each(nearer, -0.004 * across, 0.012 * across), 1)
    wide = np.where(hidden, reach, np.where(in_front > 0.02, np.maximum(wide, reach), wide)).astype(
        np.float32
    )
    tight = np.where(in_front > 0.02, wide, tight)
    tight = np.minimum(cv2.GaussianBlur(tight.astype(np.float32), (0, 0), 0.8), wide)
    return colours, wide, tight


def _continued(picture: Picture, own: Plane, in_front: Plane, near: Plane) -> Picture:
    """The actor's own pixels, carried on behind those in front."""
    height, width = own.shape
    half = (width // 2, height // 2)
    little = cv2.resize(picture, half, interpolation=cv2.INTER_AREA)
    others = cv2.resize(1 - own.astype(np.uint8), half, interpolation=cv2.INTER_NEAREST)
    covered = cv2.resize(in_front, half, interpolation=cv2.INTER_AREA) > 0.25
    covered = cv2.dilate(covered.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    wanted = cv2.resize(near.astype(np.uint8), half, interpolation=cv2.INTER_NEAREST) > 0
    little = np.where((covered & ~wanted)[..., None], nearest(little, others), little)
    little = cv2.inpaint(little, (covered & wanted).astype(np.uint8), 5, cv2.INPAINT_TELEA)
    carried = cv2.resize(little, (width, height), interpolation=cv2.INTER_CUBIC)
    continued: Picture = np.where(near[..., None], carried, picture)
    return continued


def _cutout(actor: Actor, colours: Picture, wide: Plane, tight: Plane, across: int) -> Cutout:
    height, width = wide.shape
    rows, columns = np.nonzero(wide > 0.002)
    left, top = max(0, int(columns.min()) - 2), max(0, int(rows.min()) - 2)
    right, bottom = min(width, int(columns.max()) + 3), min(height, int(rows.max()) + 3)
    part = np.s_[top:bottom, left:right]
    alpha = np.clip(wide[part] * 255 + 0.5, 0, 255).astype(np.uint8)
    narrow = np.clip(tight[part] * 255 + 0.5, 0, 255).astype(np.uint8)
    return Cutout(left, top, finer(np.dstack([colours[part], alpha])), finer(narrow))


def _distance(mask: Plane) -> Plane:
    """Pixels to the nearest one of *mask*."""
    return cv2.distanceTransform((mask <= 0.5).astype(np.uint8), cv2.DIST_L2, 5)
