"""Shots in a line, small enough that a test takes moments."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.clips import ClipSettings, Wish
from vivant.director.plan import Action, Beat, Plan
from vivant.engine import Shot
from vivant.engine.puppet.engine import PROFILE, PuppetEngine

Frame = NDArray[Any]

#: Pixels of a frame in most tests; faces are still large enough to act.
SMALL = 120_000


def settings_for(photo: Image.Image, *, area: int = SMALL, **changes: object) -> ClipSettings:
    """What the engine would make of *photo*, smaller, with *changes*."""
    made = replace(PROFILE, area=area).settings_for(photo.width, photo.height, Wish())
    return replace(made, **changes)  # type: ignore[arg-type]


def shot(photo: Image.Image, *acts: Action | Beat, area: int = SMALL, **changes: object) -> Shot:
    """*photo* with *acts* one after another."""
    beats = tuple(act if isinstance(act, Beat) else Beat(action=act) for act in acts)
    words = " and ".join(beat.action for beat in beats)
    settings = settings_for(photo, area=area, **changes)
    return Shot(photo=photo, plan=Plan(words=words, beats=beats), settings=settings)


def frames(engine: PuppetEngine, shot: Shot) -> list[Frame]:
    """All of them."""
    return list(engine.render(shot, lambda _step, _total: None).pictures)


def some_frames(engine: PuppetEngine, shot: Shot, count: int) -> list[Frame]:
    """The first *count*."""
    pictures: Iterator[Frame] = iter(engine.render(shot, lambda _step, _total: None).pictures)
    return [next(pictures) for _ in range(count)]


def difference(a: Frame, b: Frame) -> Frame:
    """Of the brightest channel, pixel by pixel."""
    apart: Frame = np.abs(a.astype(np.int16) - b.astype(np.int16)).max(-1)
    return apart
