"""The stage: layers, bodies and faces put together into one frame after another.

It draws what a performance and a camera say; it decides nothing.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from vivant.director.look.arrays import Field, Picture, Plane
from vivant.engine.puppet.actors import Actor
from vivant.engine.puppet.body import KNOTS, Body
from vivant.engine.puppet.camera import PEOPLE_NEARER, Lens, View
from vivant.engine.puppet.elbows import Elbow
from vivant.engine.puppet.face import ActingFace, can_act
from vivant.engine.puppet.fine import FINE, read
from vivant.engine.puppet.layers import Cutout, Layers
from vivant.engine.puppet.parts import Gesture, Part

#: Pixels of motion at which a halo begins to shrink, and over how many it is gone.
_HALO_STILL, _HALO_SHRINKS = 0.4, 3.6


class Puppet:
    """One actor, ready to be drawn. Owns its pixels: one render, one thread."""

    def __init__(
        self, actor: Actor, body: Body, cutout: Cutout, elbows: Sequence[Elbow], winking: int
    ) -> None:
        self._body = body
        self._cutout = cutout
        self._winking = winking
        # Faces are drawn into this one; the cut-out itself stays as it was.
        self._picture = cutout.picture.copy()
        corner = np.array([cutout.left, cutout.top], np.float64)
        self._face: ActingFace | None = None
        if actor.face is not None and can_act(actor.face):
            self._face = ActingFace(actor.face, cutout.picture, corner)
        self._limbs = [_Limb(elbow, cutout) for elbow in elbows]

    def draw(self, frame: Picture, gesture: Gesture, lens: Lens) -> None:
        """Put the actor into *frame* (RGBA)."""
        if self._face is not None:
            self._face.draw(gesture, self._picture, self._winking)
        moved = self._body.displacement(gesture)
        farthest = float(np.abs(moved).max())
        height, width = frame.shape[:2]
        box = self._box(farthest, lens, width, height)
        if box[0] >= box[2] or box[1] >= box[3]:
            return
        source, unrest = self._source(self._body.origin(moved), lens, box)
        pixels = _read(self._picture, source, self._cutout)
        alpha = pixels[..., 3] * np.float32(1 / 255)
        if farthest > _HALO_STILL:
            tight = _read(self._cutout.tight, source, self._cutout) * np.float32(1 / 255)
            alpha += (np.minimum(tight, alpha) - alpha) * unrest
        target = frame[box[1] : box[3], box[0] : box[2]]
        turned = [limb for limb in self._limbs if limb.turn(gesture)]
        for limb in turned:
            alpha *= 1 - _read(limb.gone, source, self._cutout) * np.float32(1 / 255)
        _blend(target, pixels, alpha)
        for limb in turned:
            limb.draw(target, self._picture, source, self._cutout)

    def _box(
        self, farthest: float, lens: Lens, width: int, height: int
    ) -> tuple[int, int, int, int]:
        """Where in the frame it can be: left, top, right, bottom."""
        c, reach = self._cutout, farthest + 2 + max((limb.reach for limb in self._limbs), default=0)
        return (
            max(0, int((c.left - reach - lens.left) / lens.scale)),
            max(0, int((c.top - reach - lens.top) / lens.scale)),
            min(width, int((c.right + reach - lens.left) / lens.scale) + 1),
            min(height, int((c.bottom + reach - lens.top) / lens.scale) + 1),
        )

    def _source(
        self, origin: Field, lens: Lens, box: tuple[int, int, int, int]
    ) -> tuple[Field, Plane]:
        """Where each pixel of *box* reads in the photo, and how little its halo may show there."""
        unrest = np.clip((np.abs(origin).sum(-1) - _HALO_STILL) / _HALO_SHRINKS, 0, 1)
        knots = np.dstack([origin, unrest.astype(np.float32)])
        # The knots' own places in the frame, seen through the lens, on the photo's knots.
        shift = (lens.scale * (KNOTS / 2 - 0.5) + 0.5) / KNOTS - 0.5
        through = np.array(
            [
                [lens.scale, 0, shift + lens.left / KNOTS],
                [0, lens.scale, shift + lens.top / KNOTS],
            ]
        )
        rows, columns = knots.shape[:2]
        # Only the knots around the box, so that only the box is drawn large.
        left, top = box[0] // KNOTS, box[1] // KNOTS
        right, bottom = min(columns, -(-box[2] // KNOTS) + 1), min(rows, -(-box[3] // KNOTS) + 1)
        left, top = max(0, left - 1), max(0, top - 1)
        through[:, 2] += through[:, :2] @ (left, top)
        seen = cv2.warpAffine(
            knots,
            through,
            (right - left, bottom - top),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        large = cv2.resize(seen, None, fx=KNOTS, fy=KNOTS, interpolation=cv2.INTER_LINEAR)
        x0, y0 = box[0] - left * KNOTS, box[1] - top * KNOTS
        part = large[y0 : y0 + box[3] - box[1], x0 : x0 + box[2] - box[0]]
        source: Field = np.ascontiguousarray(part[..., :2])
        columns_seen = np.arange(box[0], box[2], dtype=np.float32)
        rows_seen = np.arange(box[1], box[3], dtype=np.float32)[:, None]
        source[..., 0] += columns_seen * np.float32(lens.scale) + np.float32(lens.left)
        source[..., 1] += rows_seen * np.float32(lens.scale) + np.float32(lens.top)
        return source, part[..., 2]


class _Limb:
    """A forearm that turns by itself, in front of its body."""

    def __init__(self, elbow: Elbow, cutout: Cutout) -> None:
        self._elbow = elbow
        part = np.s_[cutout.top : cutout.bottom, cutout.left : cutout.right]
        limb, gone = elbow.mattes()
        fine = (cutout.picture.shape[1], cutout.picture.shape[0])
        self._matte = cv2.resize((limb[part] * 255).astype(np.uint8), fine)
        self.gone = cv2.resize((gone[part] * 255).astype(np.uint8), fine)
        self._closing = self._wrist = 0.0
        #: How far its pixels can get away from where they are.
        forearm = elbow.forearm
        self.reach = float(np.hypot(*(forearm.tip - forearm.elbow)))

    def turn(self, gesture: Gesture) -> bool:
        """Take the pose of *gesture*; False if that is the photo's own."""
        waves = self._elbow.forearm.can_wave
        self._closing = gesture.get(Part.CURL, 0.0) * self._elbow.curl
        self._closing += gesture.get(Part.WAVE, 0.0) if waves else 0.0
        self._wrist = gesture.get(Part.WRIST, 0.0) if waves else 0.0
        return abs(self._closing) > 1e-4 or abs(self._wrist) > 1e-4

    def draw(self, target: Picture, picture: Picture, source: Field, cutout: Cutout) -> None:
        """Put the turned limb on top of *target*, which reads from *source*."""
        centre = self._elbow.forearm.elbow
        near = np.hypot(source[..., 0] - centre[0], source[..., 1] - centre[1]) < 1.15 * self.reach
        rows, columns = np.flatnonzero(near.any(1)), np.flatnonzero(near.any(0))
        if not len(rows) or not len(columns):
            return
        part = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        origin = self._elbow.origin(source[part], closing=self._closing, wrist=self._wrist)
        pixels = _read(picture, origin, cutout)
        matte = _read(self._matte, origin, cutout) * np.float32(1 / 255)
        alpha = pixels[..., 3] * np.float32(1 / 255)
        # A limb that turns far leaves its halo of background behind.
        share = np.float32(min(1.0, max(0.0, abs(self._closing) * self.reach - 1.0) / 6.0))
        tight = _read(cutout.tight, origin, cutout) * np.float32(1 / 255)
        alpha = (alpha + (np.minimum(tight, alpha) - alpha) * share) * matte
        _blend(target[part], pixels, alpha)


class Stage:
    """Everything of one clip that can be drawn."""

    def __init__(self, layers: Layers, puppets: Sequence[Puppet], size: tuple[int, int]) -> None:
        """*puppets* from back to front; *size*: width and height of a frame."""
        self._plate = layers.plate
        self._puppets = puppets
        self._size = size

    def frame(self, gestures: Sequence[Gesture], view: View) -> Picture:
        """One frame, RGB."""
        lens = view.lens(1.0)
        scale = lens.scale * FINE
        through = np.array([[scale, 0, lens.left * FINE], [0, scale, lens.top * FINE]])
        frame = cv2.warpAffine(
            self._plate,
            through,
            self._size,
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        nearer = view.lens(PEOPLE_NEARER)
        for puppet, gesture in zip(self._puppets, gestures, strict=True):
            puppet.draw(frame, gesture, nearer)
        return cv2.cvtColor(frame, cv2.COLOR_RGBA2RGB)


def _read(picture: Picture, source: Field, cutout: Cutout) -> Picture:
    """*picture*, which lies finer at the cut-out's corner, at *source* (pixels of the photo)."""
    corner = np.array([cutout.left, cutout.top], np.float32)
    return read(picture, (source - corner) * np.float32(FINE))


def _blend(target: Picture, pixels: Picture, alpha: Plane) -> None:
    target[...] = cv2.blendLinear(pixels, np.ascontiguousarray(target), alpha, 1 - alpha)
