"""Clips to measure: rendered by the engine, encoded as for a chat, decoded by ffmpeg.

Whoever measures sees what a person sees, the pictures of the mp4. It knows no measure.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from tests.conftest import frames_of
from vivant.clips import Note, Wish
from vivant.director.plan import Action, Beat, Plan
from vivant.engine import Frames, Shot
from vivant.engine.encode import encode_mp4
from vivant.engine.puppet.engine import PROFILE, PuppetEngine

#: One performance of many, always the same.
SEED_1 = Wish(seed=1)


@dataclass(frozen=True, slots=True)
class Seen:
    """One decoded clip, and what it was made of."""

    #: The photo at the clip's size, as pillow fits it.
    photo: NDArray[np.uint8]
    #: Decoded from the mp4, each height x width x 3.
    frames: list[NDArray[np.uint8]]
    #: The first picture as the engine drew it, before it was encoded.
    first_drawn: NDArray[np.uint8]
    #: sha256 of all pictures as the engine drew them.
    drawn_sha256: str
    notes: tuple[Note, ...]
    frame_rate: int


class _Overheard:
    """Passes the engine's pictures on to the encoder and remembers what they were."""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames
        self._digest = hashlib.sha256()
        self.first: NDArray[np.uint8] | None = None

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        for picture in self._frames.pictures:
            if self.first is None:
                self.first = picture.copy()
            self._digest.update(picture.tobytes())
            yield picture

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class Studio:
    """Makes clips with the puppet, the way the render worker does."""

    def __init__(self, models_dir: Path, folder: Path) -> None:
        """*folder*: where an mp4 may lie while ffmpeg reads it."""
        self._engine = PuppetEngine(models_dir)
        self._engine.setup()
        self._folder = folder

    def film(
        self,
        photo: Image.Image,
        *acts: Action | Beat,
        area: int = PROFILE.area,
        wish: Wish = SEED_1,
    ) -> Seen:
        """The people in *photo* do *acts*, one after the other, at *area* pixels."""
        beats = [act if isinstance(act, Beat) else Beat(action=act) for act in acts]
        shot = _shot(photo, beats, area, wish)
        return self._seen(shot, self._engine.render(shot, lambda _step, _total: None))

    def still(self, photo: Image.Image, *, area: int = PROFILE.area) -> Seen:
        """What an engine that does nothing would deliver; no gate may open for it."""
        shot = _shot(photo, (), area, SEED_1)
        settings = shot.settings
        return self._seen(
            shot,
            Frames(
                pictures=[_fitted(shot)] * settings.num_frames,
                width=settings.width,
                height=settings.height,
                num_frames=settings.num_frames,
                frame_rate=settings.frame_rate,
            ),
        )

    def _seen(self, shot: Shot, frames: Frames) -> Seen:
        overheard = _Overheard(frames)
        video = encode_mp4(replace(frames, pictures=overheard)).video
        assert overheard.first is not None
        return Seen(
            photo=_fitted(shot),
            frames=frames_of(video, self._folder),
            first_drawn=overheard.first,
            drawn_sha256=overheard.sha256,
            notes=frames.notes,
            frame_rate=frames.frame_rate,
        )


def _shot(photo: Image.Image, beats: Sequence[Beat], area: int, wish: Wish) -> Shot:
    settings = replace(PROFILE, area=area).settings_for(photo.width, photo.height, wish)
    return Shot(photo=photo, plan=Plan(words="", beats=tuple(beats)), settings=settings)


def _fitted(shot: Shot) -> NDArray[np.uint8]:
    size = (shot.settings.width, shot.settings.height)
    return np.array(ImageOps.fit(shot.photo.convert("RGB"), size, Image.Resampling.LANCZOS))
