"""Notes are true: they say what could not be done, and only that."""

from dataclasses import replace

import pytest
from PIL import Image

from tests.orders import ordered
from tests.puppet import photos
from tests.puppet.shots import shot
from vivant.clips import Clip, MediaRef, Note, Wish
from vivant.director.plan import Action, Beat
from vivant.engine.puppet.engine import PuppetEngine
from vivant.messages import Messages
from vivant.services import Services


@pytest.mark.parametrize(
    ("photo", "act", "notes"),
    [
        (photos.astronaut(), Action.SMILE, ()),
        (photos.astronaut(), Action.NOD, ()),
        (photos.astronaut(), Action.ZOOM, ()),
        (photos.astronaut(), Action.WAVE, (Note.NO_FREE_HAND,)),
        (photos.astronaut(), Action.FLEX, (Note.NO_FREE_ARM,)),
        (photos.astronaut(), Action.KISS, (Note.OPEN_MOUTH,)),
        (photos.astronaut(), Action.HUG, (Note.ARMS_CANNOT_WRAP,)),
        (photos.astronaut(), Action.IDLE, (Note.CALM_INSTEAD,)),
        (photos.astronaut(), Action.SWAY, ()),
        (photos.astronaut(), Beat(action=Action.SWAY, strength=1.4), ()),
        (photos.astronaut(), Beat(action=Action.SWAY, is_dance=True), (Note.NO_STEPS,)),
        (photos.pair(), Action.HUG, (Note.ARMS_CANNOT_WRAP,)),
        (photos.pair(), Action.KISS, (Note.FACES_CANNOT_TURN,)),
        (photos.apart(), Action.HUG, (Note.ARMS_CANNOT_WRAP, Note.TOO_FAR_TO_TOUCH)),
        (photos.cat(), Action.SMILE, (Note.NOBODY_FOUND,)),
        (photos.cat(), Action.PAN, ()),
        (photos.cat(), Action.IDLE, (Note.CALM_INSTEAD,)),
    ],
)
def test_what_cannot_be_is_said(
    engine: PuppetEngine, photo: Image.Image, act: Action | Beat, notes: tuple[Note, ...]
) -> None:
    clip = engine.render(shot(photo, act), lambda _step, _total: None)

    assert clip.notes == notes


def test_of_a_crowd_only_the_largest_move_and_it_is_said(engine: PuppetEngine) -> None:
    clip = engine.render(shot(photos.crowd(), Action.SMILE, area=420_000), lambda _s, _t: None)

    assert Note.CROWD in clip.notes


@pytest.mark.parametrize(("wished_s", "is_told"), [(30.0, True), (10.2, False), (None, False)])
async def test_a_clip_that_is_shorter_than_wished_says_so(
    services: Services, photo: bytes, wished_s: float | None, is_told: bool
) -> None:
    """In seconds, under the clip; a fraction of a second less is as wished."""
    job = await ordered(services, photo, wish=Wish(duration_s=wished_s))
    video = MediaRef(key="clip", media_type="video/mp4", size_bytes=1)
    clip = Clip(
        video=video, width=320, height=240, duration_s=10.0, has_sound=False, thumbnail=video
    )
    under = Messages("en").under_the_clip(replace(job, clip=clip))

    assert ("10 s is the longest clip I can make." in under) is is_told
