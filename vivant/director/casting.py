"""Whether the photo can carry the plan, and what it could carry instead.

Counts people and faces, free hands and free arms; knows no words and no engine. A detector
misses people in profile or from behind, so nobody found is never a reason to refuse.
"""

from dataclasses import dataclass
from typing import Final

from vivant.clips import RefusalReason
from vivant.director.plan import Action, Plan
from vivant.director.sight import Person, Sight
from vivant.errors import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class _Needs:
    """What an action takes to look honest."""

    people: int = 0
    faces: int = 0
    free_hands: int = 0
    free_arms: int = 0
    closed_mouths: int = 0

    def are_met(self, people: tuple[Person, ...]) -> bool:
        return (
            len(people) >= self.people
            and sum(person.face is not None for person in people) >= self.faces
            and sum(person.free_hands for person in people) >= self.free_hands
            and sum(person.free_arms for person in people) >= self.free_arms
            and sum(not person.mouth_open for person in people) >= self.closed_mouths
        )


_NEEDS: Final = {
    Action.HUG: _Needs(people=2),
    # A kiss of one is blown towards the camera.
    Action.KISS: _Needs(people=1, faces=1, closed_mouths=1),
    Action.SMILE: _Needs(people=1, faces=1),
    Action.LAUGH: _Needs(people=1, faces=1),
    Action.FLEX: _Needs(people=1, free_arms=1),
    Action.WAVE: _Needs(people=1, free_hands=1),
    Action.SWAY: _Needs(people=1),
    Action.NOD: _Needs(people=1, faces=1),
    Action.WINK: _Needs(people=1, faces=1),
    Action.BLINK: _Needs(people=1, faces=1),
    Action.LOOK: _Needs(people=1, faces=1),
    Action.BREATHE: _Needs(people=1),
    Action.ZOOM: _Needs(),
    Action.PAN: _Needs(),
    Action.PARALLAX: _Needs(),
    Action.IDLE: _Needs(),
}

#: Buttons under a photo without words.
_MOST_SUGGESTIONS: Final = 6
#: What people like best of a photo with nobody, one, two, or more; best first. Each has six
#: that need no free hand or arm, or as many as there are.
_FAVOURITES: Final = (
    (Action.ZOOM, Action.PARALLAX, Action.PAN),
    (
        Action.SMILE,
        Action.WAVE,
        Action.FLEX,
        Action.LAUGH,
        Action.WINK,
        Action.KISS,
        Action.NOD,
        Action.SWAY,
    ),
    (
        Action.HUG,
        Action.KISS,
        Action.LAUGH,
        Action.WAVE,
        Action.SMILE,
        Action.SWAY,
        Action.NOD,
    ),
    (
        Action.HUG,
        Action.LAUGH,
        Action.WAVE,
        Action.SMILE,
        Action.SWAY,
        Action.NOD,
        Action.ZOOM,
    ),
)


def cast(plan: Plan, sight: Sight | None) -> None:
    """Raise `Refused` (cannot_be) for an action that needs more people than are seen.

    Its details: `action`, `needs` and `sees` (people), `instead` (actions, best first).
    Nothing is refused where nobody looked or nobody was found.
    """
    if sight is None or not sight.people:
        return
    sees = len(sight.people)
    for beat in plan.beats:
        needs = _NEEDS[beat.action].people
        if needs > sees:
            raise Refused(
                RefusalReason.CANNOT_BE,
                action=beat.action,
                needs=needs,
                sees=sees,
                instead=suggest(sight),
            )


def needs_consent(plan: Plan, sight: Sight | None) -> bool:
    """Whether the sender must confirm that all are adults and fine with it.

    True for a kiss, unless exactly one person is seen: who is not found may be there.
    """
    kisses = any(beat.action is Action.KISS for beat in plan.beats)
    return kisses and (sight is None or len(sight.people) != 1)


def suggest(sight: Sight | None) -> tuple[Action, ...]:
    """Three to six actions that the photo carries honestly, best first."""
    people = () if sight is None else sight.people
    liked = _FAVOURITES[min(len(people), len(_FAVOURITES) - 1)]
    carried = [action for action in liked if _NEEDS[action].are_met(people)]
    # Few are carried where only backs show: the camera always can.
    camera = [action for action in _FAVOURITES[0] if action not in carried]
    missing = max(0, 3 - len(carried))
    return tuple((carried + camera[:missing])[:_MOST_SUGGESTIONS])
