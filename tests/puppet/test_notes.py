"""Notes are true: they say what could not be done, and only that."""

import pytest
from PIL import Image

from tests.puppet import photos
from tests.puppet.shots import shot
from vivant.clips import Note
from vivant.director.plan import Action, Beat
from vivant.engine.puppet.engine import PuppetEngine


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
