"""Finds the phrases of one language in a caption: the longest at each place wins.

A phrase is words with a few signs: `smil*` is any word that begins so, `man|woman` is
either, `the?` may be missing, and `...` lets up to three words stand between. Knows no
language; the tables in `languages/` bring the phrases and what they mean.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from typing import Final

from vivant.director.spelling import Word, words_of


class Role(StrEnum):
    """What kind of thing a phrase says."""

    ACTION = "action"
    #: An action only where nothing of the scenery may be meant: "waves".
    PERHAPS = "perhaps"
    #: Looks like an action and is none, says no, or joins: see `Language.orders`.
    JOINT = "joint"
    WHO = "who"
    DIRECTION = "direction"
    STRENGTH = "strength"
    SCENE = "scene"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase says: its role, and which of that role."""

    role: Role
    value: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A phrase that stands at words[start:end]."""

    meaning: Meaning
    start: int
    end: int


#: Words that "..." may leave out.
_WIDEST_GAP: Final = 3
#: All that one typed word may stand for, most literal first.
Readings = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """One place of a phrase; without any words it is the gap."""

    whole: frozenset[str]
    stems: tuple[str, ...]

    @property
    def is_gap(self) -> bool:
        return not self.whole and not self.stems

    def fits(self, readings: Readings) -> bool:
        return any(
            reading in self.whole or (self.stems and reading.startswith(self.stems))
            for reading in readings
        )


_GAP: Final = _Piece(frozenset(), ())
_Phrase = tuple[_Piece, ...]


class Phrasebook:
    """All phrases of some roles, ready to be found."""

    def __init__(self, entries: Iterable[tuple[str, Meaning]], letters: Callable[[Word], str]):
        """Take (phrase, meaning); *letters* says how the language spells a word.

        A phrase that names no word raises `ValueError`. Of two that reach equally far, the
        one that comes first wins.
        """
        self._by_word: dict[str, list[tuple[_Phrase, Meaning, int]]] = {}
        self._by_stem: dict[str, list[tuple[_Phrase, Meaning, int]]] = {}
        meanings: set[Meaning] = set()
        for rank, (text, meaning) in enumerate(entries):
            meanings.add(meaning)
            for phrase in _parsed(text, letters):
                for word in phrase[0].whole:
                    self._by_word.setdefault(word, []).append((phrase, meaning, rank))
                for stem in phrase[0].stems:
                    self._by_stem.setdefault(stem, []).append((phrase, meaning, rank))
        self._stem_lengths = sorted({len(stem) for stem in self._by_stem})
        #: Whole words that a phrase may begin with.
        self.words = frozenset(self._by_word)
        self.meanings = frozenset(meanings)

    def knows(self, word: str) -> bool:
        """Whether any phrase may begin with *word*."""
        return word in self._by_word or any(
            word[:length] in self._by_stem for length in self._stem_lengths
        )

    def marks(self, words: Sequence[Word], readings: Sequence[Readings]) -> list[Mark]:
        """The phrases that stand in the caption, left to right, none over another."""
        found: list[Mark] = []
        at = 0
        while at < len(words):
            mark = self._longest(words, readings, at)
            if mark is not None:
                found.append(mark)
            at = at + 1 if mark is None else mark.end
        return found

    def _longest(self, words: Sequence[Word], readings: Sequence[Readings], at: int) -> Mark | None:
        best: tuple[int, int] | None = None
        mark: Mark | None = None
        for reading in readings[at]:
            entries = self._by_word.get(reading, [])
            for length in self._stem_lengths:
                if length > len(reading):
                    break
                entries = entries + self._by_stem.get(reading[:length], [])
            for phrase, meaning, rank in entries:
                end = _end_of(phrase, 1, words, readings, at + 1)
                if end is not None and (best is None or (end, -rank) > best):
                    best = (end, -rank)
                    mark = Mark(meaning, at, end)
        return mark


def _end_of(
    phrase: _Phrase, piece: int, words: Sequence[Word], readings: Sequence[Readings], at: int
) -> int | None:
    """Where the phrase from its *piece* on ends when it starts at *at*; None if it does not."""
    if piece == len(phrase):
        return at
    widest = _WIDEST_GAP if phrase[piece].is_gap else 0
    piece += phrase[piece].is_gap
    for here in range(at, min(at + widest + 1, len(words))):
        if words[here].after_break:
            return None
        if phrase[piece].fits(readings[here]):
            end = _end_of(phrase, piece + 1, words, readings, here + 1)
            if end is not None:
                return end
    return None


def _parsed(text: str, letters: Callable[[Word], str]) -> list[_Phrase]:
    """The phrases that *text* stands for, one for each way to choose among its options."""
    choices: list[list[_Phrase]] = []
    for part in text.split():
        if part == "...":
            choices.append([(_GAP,)])
            continue
        options = _options(part.removesuffix("?"), letters)
        choices.append([*options, ()] if part.endswith("?") else options)
    phrases = [
        tuple(piece for pieces in chosen for piece in pieces) for chosen in product(*choices)
    ]
    if any(not phrase or phrase[0].is_gap or phrase[-1].is_gap for phrase in phrases):
        raise ValueError(f"a phrase must begin and end with a word: {text!r}")
    return phrases


def _options(part: str, letters: Callable[[Word], str]) -> list[_Phrase]:
    """What may stand at one place: one piece for single words, a run of them for each "don't"."""
    whole: set[str] = set()
    stems: set[str] = set()
    runs: list[_Phrase] = []
    for option in part.split("|"):
        *firsts, last = [letters(word) for word in words_of(option)] or [""]
        if not last:
            raise ValueError(f"no word in {option!r}")
        if firsts:
            end = _Piece(frozenset(), (last,)) if option.endswith("*") else _word(last)
            runs.append((*map(_word, firsts), end))
        else:
            (stems if option.endswith("*") else whole).add(last)
    if whole or stems:
        return [(_Piece(frozenset(whole), tuple(sorted(stems))),), *runs]
    return runs


def _word(word: str) -> _Piece:
    return _Piece(frozenset({word}), ())
