"""What holds for the frames of every clip."""

import itertools
import threading

import numpy as np
import pytest
from PIL import Image

from tests.puppet import photos
from tests.puppet.shots import Frame, difference, frames, shot, some_frames
from vivant.clips import ClipSettings
from vivant.director.plan import Action, Beat, Direction
from vivant.engine import RenderStopped
from vivant.engine.puppet.camera import Camera, View
from vivant.engine.puppet.engine import PROFILE, PuppetEngine, fitted


@pytest.mark.parametrize(
    ("photo", "action"),
    [
        (photos.astronaut(), Action.LAUGH),
        (photos.pair(), Action.HUG),
        (photos.cat(), Action.ZOOM),
        (photos.astronaut().crop((0, 0, 512, 300)), Action.SWAY),
    ],
)
def test_the_first_frame_is_the_photo(
    engine: PuppetEngine, photo: Image.Image, action: Action
) -> None:
    """A clip starts from what the person sent, to 1 of 255."""
    asked = shot(photo, action, area=PROFILE.area)
    first = some_frames(engine, asked, 1)[0]

    assert first.shape == (asked.settings.height, asked.settings.width, 3)
    assert difference(first, fitted(photo, asked.settings)).max() <= 1


def test_a_photo_is_cropped_to_another_shape_and_never_stretched() -> None:
    """A circle stays round, and the whole of the shorter side stays in the picture."""
    photo = Image.new("L", (400, 200), 0)
    disc = Image.new("L", (80, 80), 0)
    y, x = np.mgrid[0:80, 0:80]
    disc = Image.fromarray((np.hypot(x - 39.5, y - 39.5) < 39).astype(np.uint8) * 255)
    photo.paste(disc, (160, 60))
    settings = ClipSettings(width=300, height=300, num_frames=2, frame_rate=24)
    white = fitted(photo.convert("RGB"), settings)[..., 0] > 127

    assert abs(int(white.any(0).sum()) - int(white.any(1).sum())) <= 2
    assert white.any(1).sum() == pytest.approx(78 * 300 / 200, abs=3)


def test_a_clip_has_its_length_and_size_and_counts_its_frames(engine: PuppetEngine) -> None:
    """`on_step` hears of each frame once, in order, after it was drawn."""
    steps: list[tuple[int, int]] = []
    asked = shot(photos.cat(), Action.PAN, num_frames=7, frame_rate=12)
    clip = engine.render(asked, lambda step, total: steps.append((step, total)))

    assert (clip.num_frames, clip.frame_rate) == (7, 12)
    assert steps == []
    assert len(list(clip.pictures)) == 7
    assert steps == [(step, 7) for step in range(1, 8)]


def test_a_cancelled_render_draws_nothing_more(engine: PuppetEngine) -> None:
    """`RenderStopped` comes out of the pull of the frame at which it was raised."""

    def stop(step: int, _total: int) -> None:
        if step == 3:
            raise RenderStopped

    pictures = iter(engine.render(shot(photos.astronaut(), Action.SMILE), stop).pictures)
    next(pictures)
    next(pictures)
    with pytest.raises(RenderStopped):
        next(pictures)
    assert list(pictures) == []


def test_the_same_seed_is_the_same_performance_and_another_is_another(
    engine: PuppetEngine,
) -> None:
    """`again` shows something new; a job that runs twice shows the same."""
    photo = photos.astronaut()
    first = some_frames(engine, shot(photo, Action.LAUGH, seed=1), 40)[-1]
    again = some_frames(engine, shot(photo, Action.LAUGH, seed=1), 40)[-1]
    other = some_frames(engine, shot(photo, Action.LAUGH, seed=2), 40)[-1]

    assert np.array_equal(first, again)
    assert difference(first, other).mean() > 0.2


def test_two_renders_at_once_draw_what_each_draws_alone(engine: PuppetEngine) -> None:
    """Frame for frame: they share the networks and nothing else."""
    asked = [
        shot(photos.astronaut(), Action.SMILE, num_frames=30),
        shot(photos.pair(), Action.KISS, num_frames=30),
    ]
    alone = [frames(engine, each) for each in asked]
    together: list[list[Frame]] = [[], []]

    def draw(index: int) -> None:
        together[index] = frames(engine, asked[index])

    threads = [threading.Thread(target=draw, args=(index,)) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for one, other in zip(alone, together, strict=True):
        assert len(one) == len(other)
        assert all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    ("photo", "act"),
    [
        (photos.astronaut(), Beat(action=Action.SWAY)),
        (photos.pair(), Beat(action=Action.HUG)),
        (photos.astronaut(), Beat(action=Action.LAUGH)),
        (photos.cat(), Beat(action=Action.PAN, direction=Direction.LEFT)),
    ],
)
def test_a_loop_leads_back_to_its_first_frame(
    engine: PuppetEngine, photo: Image.Image, act: Beat
) -> None:
    """From the last frame to the first it is no further than from any frame to the next."""
    looped = frames(engine, shot(photo, act, loop=True))
    once = frames(engine, shot(photo, act))
    steps = [float(difference(a, b).mean()) for a, b in itertools.pairwise(looped)]

    assert max(steps) > 0.3
    assert difference(looped[-1], looped[0]).mean() <= max(steps)
    assert difference(once[-1], once[0]).mean() > 2 * difference(looped[-1], looped[0]).mean()


@pytest.mark.parametrize("action", [Action.LAUGH, Action.WAVE, Action.BREATHE])
def test_nothing_jumps(engine: PuppetEngine, action: Action) -> None:
    """No frame is much further from the next than its neighbours are: motion has no jerks."""
    clip = frames(engine, shot(photos.astronaut(), action))
    steps = np.array([difference(a, b).mean() for a, b in itertools.pairwise(clip)])

    assert steps[0] < 0.5 * steps.mean()
    # Blinks are the fastest thing there is: three frames down.
    assert np.abs(np.diff(steps)).max() < 1.5 * steps.mean()


@pytest.mark.parametrize("action", [Action.SMILE, Action.SWAY, Action.WAVE])
def test_nothing_moves_outside_the_people(
    engine: PuppetEngine, monkeypatch: pytest.MonkeyPatch, action: Action
) -> None:
    """With the camera held still, what is not near a person stays what it was, all the time."""
    still = View(1.0, (0.0, 0.0))
    monkeypatch.setattr(Camera, "at", lambda _camera, _time_s: still)
    photo = photos.astronaut()
    clip = frames(engine, shot(photo, action))
    # The sky right of her head, with the shuttle; the flag at the upper left.
    height, width = clip[0].shape[:2]
    away = np.s_[: int(0.4 * height), int(0.72 * width) :], np.s_[: int(0.2 * height), : width // 8]
    head = np.s_[: int(0.4 * height), int(0.3 * width) : int(0.6 * width)]
    moved = np.maximum.reduce([difference(frame, clip[0]) for frame in clip])

    assert all(moved[part].max() <= 2 for part in away)
    assert (moved[head] > 8).mean() > 0.2


def test_every_action_can_be_drawn_of_people_and_of_nobody(engine: PuppetEngine) -> None:
    """Whatever the words make of a photo, there is a clip, and it moves."""
    for photo in (photos.pair(), photos.cat()):
        for action in Action:
            clip = frames(engine, shot(photo, action, area=60_000, num_frames=5, frame_rate=2))
            moved = max(float(difference(frame, clip[0]).mean()) for frame in clip)
            assert moved > 0.2, f"{action} of {photo.size}"
