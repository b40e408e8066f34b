"""What was seen in one clip: every measure, by whoever knows how to take it."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from tests.gates.arms import ArmFinder
from tests.gates.backdrop import Backdrop, BackdropFinder
from tests.gates.clips import Seen
from tests.gates.faces import Looks, looks
from tests.gates.heads import Head, HeadFinder, nearest

#: Every so many frames a face is read: eight times a second.
_FACE_STEP = 3
#: This share of an eye's darkness goes when it shuts, at least.
_SURELY_SHUT = 0.35

#: Of 255: so much does x264's first picture differ from a later one of the same scene.
_X264_ALONE = 0.5


@dataclass(frozen=True, slots=True)
class FaceSeen:
    """What one frontal face did. Lengths are in eye distances."""

    #: Width of the mouth over its first, and how far its corners rose: the median over time.
    mouth_width: float
    corners_lift: float
    #: How far the chin went down from the upper lip, and what teeth and dark the mouth came to
    #: show (in square eye distances), in its best moments.
    jaw_drop: float
    mouth_area: float
    #: How much more one eye was shut than the other, at most.
    wink: float
    #: How many times both eyes shut, and for how many seconds together.
    blinks: int
    shut_s: float
    #: How far the eyes went aside, in their best moments.
    gaze: float


@dataclass(frozen=True, slots=True)
class HeadSeen:
    """What one head did. Lengths are in eye distances."""

    #: In how many of the frames the detector found it again, 0..1.
    found: float
    #: Swings up and down at a laugh's pace, at a nod's, and sideways at a dancer's.
    bounce: float
    nod: float
    sway: float
    #: None in profile: nothing can be read there.
    face: FaceSeen | None


@dataclass(frozen=True, slots=True)
class Sighting:
    """All that was measured in one clip."""

    heads: tuple[HeadSeen, ...]
    #: How near all heads came, as a share of how far apart they were; 1 for fewer than two.
    nearest: float
    #: Degrees, the arm that did most: the bend of an elbow, and a forearm's wave.
    elbow: float
    wave: float
    #: The camera at the end, and the widest it went aside.
    zoom: float
    largest_zoom: float
    aside: float
    #: Beside the people: the share that moved by itself, and that changed its colour.
    moved: float
    changed: float
    #: Largest change between neighbours of the differences of neighbours, over their mean.
    jump: float
    #: The same between the last picture and the first, as if it followed.
    seam: float
    #: Mean difference of neighbours, of 255.
    pace: float
    #: Of 255: the first picture as drawn, against the photo.
    first_off: int
    #: dB and 0..1: the first picture as decoded, against the photo.
    first_psnr: float
    first_ssim: float


class Witness:
    """Looks at clips; the networks are loaded once."""

    def __init__(self, models_dir: Path) -> None:
        self._heads = HeadFinder(models_dir)
        self._arms = ArmFinder(models_dir)
        self._backdrop = BackdropFinder(models_dir)

    def sees(self, clip: Seen) -> Sighting:
        """Measure *clip*."""
        heads = self._heads.follow(clip.frames, clip.frame_rate)
        arms = self._arms.follow(clip.frames, clip.frame_rate)
        backdrops = self._backdrop.watch(clip.frames)
        paces = _paces(clip.frames)
        pace = float(paces.mean())
        first, photo = clip.frames[0], clip.photo
        return Sighting(
            heads=tuple(_head(head, clip) for head in heads),
            nearest=nearest(heads) if len(heads) > 1 else 1.0,
            elbow=max((arm.elbow for arm in arms), default=0.0),
            wave=max((arm.wave for arm in arms), default=0.0),
            zoom=backdrops[-1].zoom,
            largest_zoom=max(seen.zoom for seen in backdrops),
            aside=max(backdrops, key=_aside).right,
            moved=max(seen.moved for seen in backdrops),
            changed=max(seen.changed for seen in backdrops),
            jump=float(np.abs(np.diff(paces)).max()) / max(pace, 0.1),
            seam=float(_paces([clip.frames[-1], first])[0]) / max(pace, _X264_ALONE),
            pace=pace,
            first_off=int(np.abs(clip.first_drawn.astype(int) - photo).max()),
            first_psnr=float(cv2.PSNR(first, photo)),
            # scikit-image is untyped.
            first_ssim=float(structural_similarity(first, photo, channel_axis=2)),  # type: ignore[no-untyped-call]
        )


def _paces(frames: list[NDArray[np.uint8]]) -> NDArray[np.float64]:
    """Mean difference of each picture to the one before it."""
    return np.array([cv2.absdiff(one, other).mean() for one, other in pairwise(frames)])


def _aside(seen: Backdrop) -> float:
    return abs(seen.right)


def _head(head: Head, clip: Seen) -> HeadSeen:
    return HeadSeen(
        found=head.found,
        bounce=head.bounce,
        nod=head.nod,
        sway=head.sway,
        face=_face(head, clip) if head.frontal else None,
    )


def _face(head: Head, clip: Seen) -> FaceSeen:
    moments = looks(head, clip.frames, _FACE_STEP)
    shut = np.array([moment.shut for moment in moments])
    # A dark frame of glasses stays when the eye does not: an eye is as shut as it ever is.
    shut /= np.maximum(shut.max(0), _SURELY_SHUT)
    closed = shut.min(1) > 0.7
    return FaceSeen(
        mouth_width=_typical(moments, "mouth_width"),
        corners_lift=_typical(moments, "corners_lift"),
        jaw_drop=_best(moments, "jaw_drop"),
        mouth_area=_best(moments, "mouth_area"),
        wink=float(np.abs(shut[:, 0] - shut[:, 1]).max()),
        blinks=int((np.diff(closed.astype(int)) > 0).sum()),
        shut_s=float(closed.sum() * _FACE_STEP / clip.frame_rate),
        gaze=float(np.percentile([abs(moment.gaze) for moment in moments], 90)),
    )


def _typical(moments: list[Looks], name: str) -> float:
    return float(np.median([getattr(moment, name) for moment in moments]))


def _best(moments: list[Looks], name: str) -> float:
    return float(np.percentile([getattr(moment, name) for moment in moments], 90))
