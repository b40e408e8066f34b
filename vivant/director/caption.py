"""A caption as one language reads it: clauses, and in each who does what, where to, how.

Knows which words mean what from the language's phrasebooks alone; tells no language.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from vivant.director.languages import Language
from vivant.director.phrasebook import Mark, Readings, Role
from vivant.director.plan import Action, Beat, Direction, Who
from vivant.director.spelling import Word

#: What parts clauses; each language's table says how.
_JOINTS: Final = frozenset({"and", "after", "before"})
_CAMERA: Final = frozenset({Action.ZOOM, Action.PAN, Action.PARALLAX})
#: Who stands behind one of these is hugged or kissed, and does not act alone.
_TO_SOMEBODY: Final = frozenset({Action.HUG, Action.KISS})
#: In the tables beside the actions: a sway with steps.
_DANCE: Final = "dance"
_SIDEWAYS: Final = frozenset({Direction.LEFT, Direction.RIGHT, Direction.UP, Direction.DOWN})
_DIRECTIONS: Final = {
    Action.ZOOM: frozenset({Direction.IN, Direction.OUT}),
    Action.PAN: _SIDEWAYS,
    Action.PARALLAX: _SIDEWAYS,
    Action.LOOK: _SIDEWAYS,
}
#: Strengths as `Beat` counts them.
_GENTLE: Final = 0.6
_STRONG: Final = 1.5
#: Negation reaches this many words: "don't you dare to smile".
_NEGATION_REACH: Final = 4
#: So far behind an action may stand what does it: "the dance of the leaves".
_THING_REACH: Final = 3
#: A direction alone has no more words: "to the right".
_TURN_WORDS: Final = 3
#: So far before a thing stands the preposition that makes a place of it: "under the old tree".
_PREPOSITION_REACH: Final = 3


def ordered(key: str) -> Beat:
    """What a key among the actions of a table orders: an action, or a dance."""
    if key == _DANCE:
        return Beat(action=Action.SWAY, is_dance=True)
    return Beat(action=Action(key))


@dataclass(frozen=True, slots=True)
class _Clause:
    """Words that belong together: start to end, without what joins them to the others."""

    start: int
    end: int
    #: "and", "after" and "before" are the joints; "" is punctuation or the beginning.
    joint: str

    def holds(self, mark: Mark) -> bool:
        return self.start <= mark.start < self.end


@dataclass(frozen=True, slots=True)
class Caption:
    """A caption as one language reads it."""

    language: Language
    words: Sequence[Word]
    #: Marks of each book, left to right.
    orders: Sequence[Mark]
    where: Sequence[Mark]
    how: Sequence[Mark]
    scene: Sequence[Mark]

    @classmethod
    def of(cls, words: Sequence[Word], language: Language) -> "Caption":
        """*words*, read in *language*."""
        readings: list[Readings] = [language.readings(word) for word in words]
        return cls(
            language=language,
            words=words,
            orders=language.orders.marks(words, readings),
            where=language.where.marks(words, readings),
            how=language.how.marks(words, readings),
            scene=language.scene.marks(words, readings),
        )

    @property
    def acts(self) -> bool:
        """Whether it names any action, allowed or not."""
        return any(_is_action(mark) for mark in self.orders)

    @property
    def is_scenery(self) -> bool:
        """Only things and places are spoken of, and nobody."""
        said = {mark.meaning.value for mark in self.scene}
        return bool(said & {"thing", "place"}) and not said & {"person", "pronoun"}

    def beats(self) -> list[Beat]:
        """What it asks for, in playing order."""
        played: list[list[Beat]] = []
        later: list[Beat] = []
        who = Who.EVERYONE
        subject: Mark | None = None
        for clause in self._clauses():
            if clause.joint != "and":
                subject = None  # "and" alone keeps the subject: "the trees sway and dance"
            who = self._who(clause, otherwise=who)
            beats: list[Beat] = []
            for mark in self._actions(clause):
                subject = self._subject(clause, mark) or subject
                if self._is_acted(clause, mark, subject):
                    beats.append(self._beat(clause, mark, who))
            if played and not beats:
                beats = self._turned(clause, played[-1][-1])
            if not beats:
                continue
            if clause.joint == "before" and not played:
                later = beats
            elif clause.joint == "after" and played:
                played.insert(-1, beats)
            else:
                played.append(beats)
                if later:
                    played.append(later)
                    later = []
        return [beat for beats in (*played, later) for beat in beats]

    def _clauses(self) -> list[_Clause]:
        """Parted by joints and punctuation; "very softly, kiss her" is one all the same."""
        clauses: list[_Clause] = []
        for clause in self._parted():
            last = clauses[-1] if clauses else None
            if (
                last is not None
                and clause.joint in ("", "and")
                and (self._is_mood(last) or self._is_mood(clause))
            ):
                clauses[-1] = replace(last, end=clause.end)
            else:
                clauses.append(clause)
        return clauses

    def _parted(self) -> Iterator[_Clause]:
        joints = {
            mark.start: mark
            for mark in self.orders
            if mark.meaning.role is Role.JOINT and mark.meaning.value in _JOINTS
        }
        start, joint = 0, ""
        for at, word in enumerate(self.words):
            if at in joints:
                yield _Clause(start, at, joint)
                start, joint = joints[at].end, joints[at].meaning.value
            elif word.after_break and at > start:
                yield _Clause(start, at, joint)
                start, joint = at, ""
        yield _Clause(start, len(self.words), joint)

    def _is_mood(self, clause: _Clause) -> bool:
        """It says how, and nothing else."""
        said = sum(mark.end - mark.start for mark in self.how if clause.holds(mark))
        return 0 < said == clause.end - clause.start

    def _actions(self, clause: _Clause) -> Iterator[Mark]:
        return (mark for mark in self.orders if _is_action(mark) and clause.holds(mark))

    def _is_acted(self, clause: _Clause, mark: Mark, subject: Mark | None) -> bool:
        """Whether somebody shall do it, rather than the sea, or nobody."""
        if self._is_forbidden(clause, mark):
            return False
        if mark.meaning.value in _CAMERA:
            return True
        if subject is not None:
            return subject.meaning.value != "thing"
        nearby = [
            scene
            for scene in self.scene
            if clause.holds(scene) and scene.meaning.value in ("thing", "place")
        ]
        if mark.meaning.role is Role.PERHAPS:
            return not nearby
        return not any(
            scene.meaning.value == "thing"
            and mark.end <= scene.start < mark.end + _THING_REACH
            and not self._is_place(scene)
            for scene in nearby
        )

    def _is_forbidden(self, clause: _Clause, mark: Mark) -> bool:
        return any(
            order.meaning.value == "not"
            and clause.holds(order)
            and order.end <= mark.start < order.end + _NEGATION_REACH
            for order in self.orders
            if order.meaning.role is Role.JOINT
        )

    def _subject(self, clause: _Clause, action: Mark) -> Mark | None:
        """Who or what does it: the nearest that stands before it in its clause."""
        before = [
            mark
            for mark in (*self.scene, *self.where)
            if clause.start <= mark.start
            and mark.end <= action.start
            and (
                mark.meaning.role is Role.WHO
                or mark.meaning.value in ("person", "pronoun")
                or (mark.meaning.value == "thing" and not self._is_place(mark))
            )
        ]
        return max(before, key=lambda mark: mark.end, default=None)

    def _is_place(self, thing: Mark) -> bool:
        return any(
            mark.meaning.value == "preposition"
            and mark.end <= thing.start < mark.end + _PREPOSITION_REACH
            for mark in self.scene
        )

    def _who(self, clause: _Clause, *, otherwise: Who) -> Who:
        """Who the clause is about: a side if it names one, else all if it names people."""
        named = [
            Who(mark.meaning.value)
            for mark in self.where
            if mark.meaning.role is Role.WHO
            and clause.holds(mark)
            and not self._is_object(clause, mark)
        ]
        side = next((who for who in named if who is not Who.EVERYONE), None)
        if side is not None:
            return side
        somebody = any(mark.meaning.value == "person" for mark in self.scene if clause.holds(mark))
        return Who.EVERYONE if named or somebody else otherwise

    def _is_object(self, clause: _Clause, who: Mark) -> bool:
        """It is done to them: "smile at the man on the left", "hug the man on the left"."""
        done = [mark for mark in self._actions(clause) if mark.end <= who.start]
        return any(mark.meaning.value in _TO_SOMEBODY for mark in done) or any(
            mark.meaning.value == "preposition" and done[0].end <= mark.start < who.start
            for mark in self.scene
            if done
        )

    def _beat(self, clause: _Clause, mark: Mark, who: Who) -> Beat:
        beat = ordered(mark.meaning.value)
        return replace(
            beat,
            who=Who.EVERYONE if beat.action in _CAMERA else who,
            direction=self._direction(clause, mark, beat.action),
            strength=self._strength(clause),
        )

    def _turned(self, clause: _Clause, beat: Beat) -> list[Beat]:
        """The beat before, the other way: "pan left, then to the right"."""
        marks = self._directions(clause, beat.action)
        if (
            not marks
            or marks[-1].end < clause.end
            or clause.end - clause.start > _TURN_WORDS
            or any(True for _ in self._actions(clause))
        ):
            return []
        return [replace(beat, direction=Direction(marks[-1].meaning.value))]

    def _direction(self, clause: _Clause, action: Mark, kind: Action) -> Direction | None:
        """The direction behind the action, else the one before it."""
        marks = self._directions(clause, kind)
        behind = [mark for mark in marks if mark.end > action.start]
        chosen = next(iter(behind or marks), None)
        return None if chosen is None else Direction(chosen.meaning.value)

    def _directions(self, clause: _Clause, kind: Action) -> list[Mark]:
        """Those that *kind* can take."""
        allowed = _DIRECTIONS.get(kind, frozenset())
        return [
            mark
            for mark in self.where
            if mark.meaning.role is Role.DIRECTION
            and clause.holds(mark)
            and Direction(mark.meaning.value) in allowed
        ]

    def _strength(self, clause: _Clause) -> float:
        said = {mark.meaning.value for mark in self.how if clause.holds(mark)}
        strength = _GENTLE if "gentle" in said else _STRONG if "strong" in said else 1.0
        if "very" in said:
            strength = round(strength**1.5, 2) if strength != 1 else _STRONG
        return strength


def _is_action(mark: Mark) -> bool:
    return mark.meaning.role in (Role.ACTION, Role.PERHAPS)
