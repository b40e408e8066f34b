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

#: A limb's turn is worked out for every so many pixels.
_BLOCK = 4


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
        back = self._body.origin(moved)
        source = _Source(back, lens, box, self._cutout)
        pixels = read(self._picture, source.fine)
        alpha = pixels[..., 3] * np.float32(1 / 255)
        if farthest > _HALO_STILL:
            tight = read(self._cutout.tight, source.fine) * np.float32(1 / 255)
            alpha += (np.minimum(tight, alpha) - alpha) * source.unrest(back)
        target = frame[box[1] : box[3], box[0] : box[2]]
        turned = [limb for limb in self._limbs if limb.turn(gesture)]
        for limb in turned:
            alpha *= 1 - read(limb.gone, source.fine) * np.float32(1 / 255)
        _blend(target, pixels, alpha)
        for limb in turned:
            limb.draw(target, self._picture, source.fine, self._cutout)

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


class _Source:
    """Where each pixel of a box of the frame reads in an actor's finer picture."""

    def __init__(
        self, origin: Field, lens: Lens, box: tuple[int, int, int, int], cutout: Cutout
    ) -> None:
        """*origin*: on the knots of the photo, where they came from, relative (pixels)."""
        self._lens, self._box = lens, box
        left, top, right, bottom = box
        source = self._drawn_large(origin * np.float32(FINE))
        x = np.arange(left, right, dtype=np.float32) * np.float32(lens.scale * FINE)
        y = np.arange(top, bottom, dtype=np.float32) * np.float32(lens.scale * FINE)
        source[..., 0] += x + np.float32((lens.left - cutout.left) * FINE)
        source[..., 1] += (y + np.float32((lens.top - cutout.top) * FINE))[:, None]
        #: Height x width x 2, in pixels of the finer picture.
        self.fine = source

    def unrest(self, origin: Field) -> Plane:
        """How far the halo must have shrunk at each pixel: 0 where it hardly moves, up to 1."""
        moved = np.abs(origin).sum(-1)
        return self._drawn_large(np.clip((moved - _HALO_STILL) / _HALO_SHRINKS, 0, 1))

    def _drawn_large(self, knots: Field) -> Field:
        """*knots* of the photo, for every pixel of the box."""
        lens, (left, top, right, bottom) = self._lens, self._box
        first = max(0, left // KNOTS - 1), max(0, top // KNOTS - 1)
        size = -(-right // KNOTS) + 1 - first[0], -(-bottom // KNOTS) + 1 - first[1]
        # Knot j of the frame lies at pixel (j + 0.5) * KNOTS - 0.5, and so do the photo's.
        shift = (lens.scale * (KNOTS / 2 - 0.5) + 0.5) / KNOTS - 0.5
        through = np.array(
            [
                [lens.scale, 0, shift + lens.left / KNOTS + lens.scale * first[0]],
                [0, lens.scale, shift + lens.top / KNOTS + lens.scale * first[1]],
            ]
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        seen = cv2.warpAffine(knots, through, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        large = cv2.resize(seen, None, fx=KNOTS, fy=KNOTS, interpolation=cv2.INTER_LINEAR)
        x, y = first[0] * KNOTS, first[1] * KNOTS
        part: Field = large[top - y : bottom - y, left - x : right - x]
        return part


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
        """Put the turned limb on top of *target*, whose pixels read at *source* (finer)."""
        part, origin = self._origin(source, cutout)
        if not origin.size:
            return
        pixels = read(picture, origin)
        alpha = pixels[..., 3] * np.float32(1 / 255)
        # A limb that turns far leaves its halo of background behind.
        share = np.float32(min(1.0, max(0.0, abs(self._closing) * self.reach - 1.0) / 6.0))
        tight = read(cutout.tight, origin) * np.float32(1 / 255)
        alpha += (np.minimum(tight, alpha) - alpha) * share
        alpha *= read(self._matte, origin) * np.float32(1 / 255)
        _blend(target[part], pixels, alpha)

    def _origin(self, source: Field, cutout: Cutout) -> tuple[tuple[slice, slice], Field]:
        """The part of *source* that the limb can reach, and where that was before the turn."""
        corner = np.array([cutout.left, cutout.top], np.float32)
        blocks = (max(1, source.shape[1] // _BLOCK), max(1, source.shape[0] // _BLOCK))
        # Averaged over blocks, as a turn is smooth; it costs a sixteenth.
        places = cv2.resize(source, blocks, interpolation=cv2.INTER_AREA) / FINE + corner
        away = np.hypot(*np.moveaxis(places - self._elbow.forearm.elbow, -1, 0))
        rows = np.flatnonzero((away < 1.15 * self.reach).any(1))
        columns = np.flatnonzero((away < 1.15 * self.reach).any(0))
        if not len(rows):
            return np.s_[0:0, 0:0], source[:0, :0]
        few = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        turned = self._elbow.origin(places[few], closing=self._closing, wrist=self._wrist)
        moved = ((turned - places[few]) * FINE).astype(np.float32)
        part = np.s_[
            rows[0] * _BLOCK : (rows[-1] + 1) * _BLOCK,
            columns[0] * _BLOCK : (columns[-1] + 1) * _BLOCK,
        ]
        large = cv2.resize(moved, None, fx=_BLOCK, fy=_BLOCK, interpolation=cv2.INTER_LINEAR)
        origin: Field = source[part] + large
        return part, origin


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


def _blend(target: Picture, pixels: Picture, alpha: Plane) -> None:
    """Lay *pixels* over *target* (both RGBA), which may be a part of a larger picture."""
    target[...] = cv2.blendLinear(pixels, target, alpha, 1 - alpha)
