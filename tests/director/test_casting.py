"""What a photo can carry: hugs take two, and buttons promise only what will look honest."""

from itertools import product

import pytest

from vivant.clips import RefusalReason
from vivant.director.casting import cast, needs_consent, suggest
from vivant.director.plan import Action, Beat, Plan
from vivant.director.sight import Box, Person, Sight
from vivant.director.words import understand
from vivant.errors import Refused

FACE = Box(left=0.4, top=0.2, right=0.6, bottom=0.4)
FREE = Person(face=FACE, free_hands=1, free_arms=2)
BUSY = Person(face=FACE)
FROM_BEHIND = Person(face=None)


def of(*people: Person) -> Sight:
    return Sight(people=people)


def plan(*actions: Action) -> Plan:
    return Plan(words="", beats=tuple(Beat(action=action) for action in actions))


def test_a_hug_of_one_is_refused_with_what_can_be() -> None:
    with pytest.raises(Refused) as refusal:
        cast(understand("a warm hug"), of(BUSY))

    assert refusal.value.reason is RefusalReason.CANNOT_BE
    assert refusal.value.details == {
        "action": Action.HUG,
        "needs": 2,
        "sees": 1,
        "instead": suggest(of(BUSY)),
    }


def test_a_hug_anywhere_in_the_plan_takes_two() -> None:
    with pytest.raises(Refused):
        cast(plan(Action.SMILE, Action.HUG), of(BUSY))


@pytest.mark.parametrize("sight", [None, of(), of(BUSY, BUSY), of(BUSY, FROM_BEHIND, FREE)])
def test_nothing_is_refused_where_two_are_seen_or_nobody_knows(sight: Sight | None) -> None:
    for action in Action:
        cast(plan(action), sight)


def test_one_person_may_do_everything_but_hug() -> None:
    """A kiss of one is blown; a missing free hand is for the engine to note."""
    for action in set(Action) - {Action.HUG}:
        cast(plan(action), of(BUSY))


@pytest.mark.parametrize("sight", [None, of(), of(BUSY, BUSY), of(BUSY, BUSY, FREE)])
def test_a_kiss_asks_first_unless_one_is_surely_alone(sight: Sight | None) -> None:
    assert needs_consent(plan(Action.SMILE, Action.KISS), sight)
    assert not needs_consent(plan(Action.KISS), of(BUSY))
    assert not needs_consent(plan(Action.HUG, Action.SMILE), sight)


@pytest.mark.parametrize(
    ("sight", "best"),
    [
        (None, (Action.ZOOM, Action.PARALLAX, Action.PAN)),
        (of(), (Action.ZOOM, Action.PARALLAX, Action.PAN)),
        (of(FREE), (Action.SMILE, Action.WAVE, Action.FLEX)),
        (of(BUSY), (Action.SMILE, Action.LAUGH, Action.WINK)),
        (of(BUSY, BUSY), (Action.HUG, Action.KISS, Action.LAUGH)),
        (of(BUSY, BUSY, BUSY), (Action.HUG, Action.LAUGH, Action.SMILE)),
    ],
)
def test_what_fits_the_photo_is_suggested_best_first(
    sight: Sight | None, best: tuple[Action, ...]
) -> None:
    assert suggest(sight)[:3] == best


def crowds() -> list[Sight]:
    people = [FREE, BUSY, FROM_BEHIND, Person(face=FACE, mouth_open=True)]
    return [of(*chosen) for count in range(5) for chosen in product(people, repeat=count)]


def test_every_photo_gets_three_to_six_different_buttons_that_cast_accepts() -> None:
    for sight in crowds():
        suggested = suggest(sight)

        assert 3 <= len(suggested) <= 6
        assert len(set(suggested)) == len(suggested)
        cast(plan(*suggested), sight)


def test_nobody_waves_without_a_free_hand_nor_flexes_without_a_free_arm() -> None:
    for sight in crowds():
        if not any(person.free_hands for person in sight.people):
            assert Action.WAVE not in suggest(sight)
        if not any(person.free_arms for person in sight.people):
            assert Action.FLEX not in suggest(sight)


def test_backs_do_not_smile() -> None:
    assert not {Action.SMILE, Action.LAUGH, Action.KISS} & set(suggest(of(FROM_BEHIND)))
