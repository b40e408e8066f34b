"""Independent proof, on the decoded mp4, that what was asked for is what moves.

Flex and wave take a free arm, and no photo with a clear licence in a package has one: here
only the answer's honesty and the measure itself are tested, the actions by
`python -m tests.gates.matrix` on a folder of photos.
"""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.gates.arms import turn_of
from tests.gates.clips import SEED_1
from tests.gates.conftest import Archive
from tests.gates.gates import GATES, LOOP, RULES, Gate
from tests.gates.rhythm import swing
from tests.gates.witness import Witness
from vivant.clips import Note, Wish
from vivant.director.plan import Action, Beat, Who

#: On a busy machine a clip takes a while, and the first run fetches the networks.
pytestmark = pytest.mark.timeout(300)

#: What one person without a free arm can be asked to do.
ALONE = (
    Action.SMILE, Action.LAUGH, Action.NOD, Action.SWAY, Action.WINK, Action.BLINK, Action.LOOK,
)  # fmt: skip
TOGETHER = (Action.HUG, Action.KISS)
ALL_GATES = [gate for gates in GATES.values() for gate in gates]
FILMED = [("astronaut", action) for action in (*ALONE, Action.IDLE)] + [
    ("pair", action) for action in (*TOGETHER, Action.IDLE)
]


def named(gate: Gate) -> str:
    return gate.name


@pytest.mark.parametrize(
    ("who", "action"),
    [("astronaut", action) for action in ALONE] + [("pair", action) for action in TOGETHER],
)
def test_everybody_does_what_was_asked_for(archive: Archive, who: str, action: Action) -> None:
    """Every gate of the action opens, for each of them."""
    seen = archive.seen(who, action)

    for gate in GATES[action]:
        assert gate.opens(seen), (gate.name, gate.values(seen))


@pytest.mark.parametrize("gate", ALL_GATES, ids=named)
@pytest.mark.parametrize("who", ["astronaut", "pair"])
def test_who_only_lives_does_nothing_of_it(archive: Archive, who: str, gate: Gate) -> None:
    """An idle clip breathes and blinks, and that opens no gate for anybody."""
    seen = archive.seen(who, Action.IDLE)

    assert gate.shut(seen), gate.values(seen)


@pytest.mark.parametrize("gate", ALL_GATES, ids=named)
def test_an_engine_that_does_nothing_opens_no_gate(archive: Archive, gate: Gate) -> None:
    """A still, encoded and decoded as any clip, is none of the actions."""
    seen = archive.seen("pair")

    assert gate.shut(seen), gate.values(seen)


def test_an_engine_that_does_nothing_is_noticed(archive: Archive) -> None:
    """Of the rules for every clip a still breaks one: that something moves."""
    seen = archive.seen("pair")

    assert [rule.name for rule in RULES if not rule.holds(seen)] == ["something moves, of 255"]


@pytest.mark.parametrize(
    ("action", "other"),
    [
        (Action.SMILE, Action.BLINK),
        (Action.LAUGH, Action.SMILE),
        (Action.NOD, Action.SWAY),
        (Action.SWAY, Action.NOD),
        (Action.WINK, Action.LAUGH),
        (Action.BLINK, Action.WINK),
        (Action.LOOK, Action.SMILE),
    ],
)
def test_an_action_is_not_taken_for_another(
    archive: Archive, action: Action, other: Action
) -> None:
    """Of the gates of one action, at least one stays shut for another."""
    seen = archive.seen("astronaut", other)

    assert any(gate.shut(seen) for gate in GATES[action])


@pytest.mark.parametrize(("who", "action"), FILMED)
def test_every_clip_keeps_the_rules(archive: Archive, who: str, action: Action) -> None:
    """It starts as the photo, loses no face, moves nothing beside the people, never jumps."""
    seen = archive.seen(who, action)

    assert [(rule.name, rule.value(seen)) for rule in RULES if not rule.holds(seen)] == []


@pytest.mark.parametrize(
    ("action", "note"),
    [(Action.FLEX, Note.NO_FREE_ARM), (Action.WAVE, Note.NO_FREE_HAND)],
)
def test_without_a_free_arm_the_answer_says_so(
    archive: Archive, action: Action, note: Note
) -> None:
    """Her arms lie on her suit: no arm turns, and the note tells."""
    assert note in archive.clip("astronaut", action).notes
    seen = archive.seen("astronaut", action)
    assert all(gate.shut(seen) for gate in GATES[action])


def test_only_who_was_asked_does_it(archive: Archive) -> None:
    """The left one smiles; the other one only lives."""
    left_smiles = Beat(action=Action.SMILE, who=Who.LEFT)

    faces = [head.face for head in archive.seen("pair", left_smiles).heads]

    left, right = (face.mouth_width for face in faces if face is not None)
    assert left > 1.10
    assert right < 1.03


def test_calmer_is_less_of_it(archive: Archive) -> None:
    """At half the strength a head nods, but clearly less far."""
    calm = archive.seen("astronaut", Action.NOD, wish=replace(SEED_1, strength=0.5)).heads[0].nod
    full = archive.seen("astronaut", Action.NOD).heads[0].nod

    assert 0.3 * full < calm < 0.75 * full


def test_one_after_the_other_is_done_in_order(archive: Archive, witness: Witness) -> None:
    """First they nod, then they sway: each in its own half of the clip."""
    clip = archive.clip("astronaut", Action.NOD, Action.SWAY)
    half = len(clip.frames) // 2

    first = witness.sees(replace(clip, frames=clip.frames[:half])).heads[0]
    second = witness.sees(replace(clip, frames=clip.frames[half:])).heads[0]

    assert first.nod > 2 * second.nod
    assert second.sway > 2 * first.sway


def test_the_same_seed_is_the_same_film(archive: Archive) -> None:
    """To the last bit of every picture; another seed is another performance."""
    first = archive.clip("astronaut", Action.IDLE)
    again = archive.filmed_again("astronaut", Action.IDLE)
    other = archive.clip("astronaut", Action.IDLE, wish=Wish(seed=2))

    assert again.drawn_sha256 == first.drawn_sha256
    assert other.drawn_sha256 != first.drawn_sha256


def test_a_loop_closes(archive: Archive) -> None:
    """The first picture follows the last as any follows another; where no loop was asked, not."""
    assert LOOP.holds(archive.seen("astronaut", Action.SMILE, wish=replace(SEED_1, loop=True)))
    assert not LOOP.holds(archive.seen("astronaut", Action.SMILE))


def broken_rules(archive: Archive, witness: Witness, frames: list[NDArray[np.uint8]]) -> list[str]:
    """What the witness finds wrong with the idle astronaut when she is shown as *frames*."""
    clip = replace(archive.clip("astronaut", Action.IDLE), frames=frames)
    seen = witness.sees(clip)
    return [rule.name for rule in RULES if not rule.holds(seen)]


def test_a_leak_beside_the_people_is_noticed(archive: Archive, witness: Witness) -> None:
    """The rocket behind her, moved by three pixels, breaks the rule of the backdrop."""
    frames = [frame.copy() for frame in archive.clip("astronaut", Action.IDLE).frames]
    height, width = frames[0].shape[:2]
    rows, columns = slice(0, int(0.55 * height)), slice(int(0.75 * width), int(0.95 * width))
    for frame in frames[5:]:
        frame[rows, columns] = np.roll(frame[rows, columns], 3, axis=0)

    assert "nothing moves beside the people" in broken_rules(archive, witness, frames)


def test_a_jump_is_noticed(archive: Archive, witness: Witness) -> None:
    """A second that is missing breaks the rule against jumps."""
    frames = archive.clip("astronaut", Action.IDLE).frames

    assert "no jumps" in broken_rules(archive, witness, frames[:30] + frames[54:])


def test_a_lost_face_is_noticed(archive: Archive, witness: Witness) -> None:
    """A head that is smeared in one picture is missed there."""
    frames = [frame.copy() for frame in archive.clip("astronaut", Action.IDLE).frames]
    height = frames[40].shape[0]
    frames[40][: height // 2] = cv2.blur(frames[40][: height // 2], (81, 81))

    assert "every face is found again" in broken_rules(archive, witness, frames)


def test_a_first_picture_that_is_not_the_photo_is_noticed(
    archive: Archive, witness: Witness
) -> None:
    """Two pixels aside are enough."""
    frames = archive.clip("astronaut", Action.IDLE).frames
    moved = np.roll(frames[0], 2, axis=1)

    assert "also as decoded, dB" in broken_rules(archive, witness, [moved, *frames[1:]])


def test_a_turn_is_measured_in_degrees(archive: Archive) -> None:
    """Points followed through a picture that swings by 10 degrees, 1.5 times a second, say so.

    The same at 0.4 times a second is no wave.
    """
    picture = archive.clip("astronaut").frames[0]
    height, width = picture.shape[:2]
    where = np.zeros((height, width), bool)
    where[height // 2 :, width // 4 : width // 2] = True
    for hz, waves in ((1.5, True), (0.4, False)):
        degrees = 10 * np.sin(2 * np.pi * hz * np.arange(84) / 24)
        frames = [
            cv2.warpAffine(
                picture,
                cv2.getRotationMatrix2D((width / 2, height / 2), -by, 1),
                (width, height),
            )
            for by in degrees
        ]

        turned = turn_of(frames, where)

        assert np.abs(turned - degrees).max() < 0.5
        assert (swing(turned, 24, 1.1, 2.0) > 6) is waves


def test_swing_tells_pace_and_size() -> None:
    """A sine is measured as its amplitude in its own band, as nothing in another's, on a drift."""
    at = np.arange(84) / 24
    series = 0.3 * np.sin(2 * np.pi * 3 * at) + 2 * at

    assert swing(series, 24, 2.2, 4.5) == pytest.approx(0.3, rel=0.1)
    assert swing(series, 24, 0.8, 2.0) < 0.02
