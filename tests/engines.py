"""Engines for tests: real frames, small and fast, or with a fault on demand."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.clips import EngineProfile
from vivant.engine import Frames, OnStep, Shot


@dataclass
class QuickEngine:
    """Pushes in on the photo: eight frames of 160 x 120 pixels or so, drawn when pulled."""

    name: str = "quick"
    #: Raised by the next renders, one each.
    troubles: list[BaseException] = field(default_factory=list)
    #: While cleared, every render waits before its second frame.
    go: threading.Event = field(default_factory=threading.Event)
    renders: int = 0

    def __post_init__(self) -> None:
        self.go.set()

    @property
    def profile(self) -> EngineProfile:
        return EngineProfile(
            name=self.name,
            frame_rate=8,
            default_num_frames=8,
            max_num_frames=64,
            area=160 * 120,
        )

    def setup(self) -> None: ...

    def close(self) -> None:
        self.go.set()

    def render(self, shot: Shot, on_step: OnStep) -> Frames:
        self.renders += 1
        if self.troubles:
            raise self.troubles.pop(0)
        settings = shot.settings
        return Frames(
            pictures=self._drawn(shot, on_step),
            width=settings.width,
            height=settings.height,
            num_frames=settings.num_frames,
            frame_rate=settings.frame_rate,
        )

    def _drawn(self, shot: Shot, on_step: OnStep) -> Iterator[NDArray[np.uint8]]:
        settings = shot.settings
        size = (settings.width, settings.height)
        for index in range(settings.num_frames):
            if index == 1:
                # Asks on, as a real engine does, so that a cancelled render ends.
                while not self.go.wait(0.02):
                    on_step(index, settings.num_frames)
            margin = 0.2 * index / settings.num_frames
            box = (shot.photo.width * margin, shot.photo.height * margin,
                   shot.photo.width * (1 - margin), shot.photo.height * (1 - margin))  # fmt: skip
            yield np.asarray(shot.photo.resize(size, Image.Resampling.BILINEAR, box=box))
            on_step(index + 1, settings.num_frames)
