"""One table per language, as data: `en.toml` says what English calls a hug, and what it does not.

A translator edits a table and nothing else. `read` turns a table into a `Language`; what
the words then mean together is for `words` to say.
"""

import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from vivant.director.phrasebook import Meaning, Phrasebook, Readings, Role
from vivant.director.spelling import Dictionary, Script, Word, unstretched, words_of

#: Where two languages claim the same words, the earlier one gets them.
CODES: Final = (
    "en", "es", "pt", "fr", "de", "it", "nl", "pl", "tr", "id", "vi",
    "ru", "uk", "ar", "hi", "ko", "zh", "ja",
)  # fmt: skip

#: Letters that must be left of a word when one is taken off its front.
_SHORTEST_STEM: Final = 3

#: Longer than any word: without a look at its neighbours, no word of a language is corrected.
_NO_TYPOS: Final = 1_000

Table = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """What one language calls things, ready to be looked up."""

    #: ISO 639-1.
    code: str
    script: Script
    #: Letters that hardly any other language of its script has.
    letters: frozenset[str]
    #: Every whole word that its table knows: how a caption tells its language.
    vocabulary: frozenset[str]
    #: Actions, and the joints between them: "nothing" looks like an action and is none, "not"
    #: forbids what follows, "and" parts clauses, "after" and "before" turn their order.
    orders: Phrasebook
    #: Who acts, and which way.
    where: Phrasebook
    #: How strong: "gentle", "strong", and "very" for more of either.
    how: Phrasebook
    #: What can be the subject: "person", "pronoun" (the person before), "thing" (moves, but
    #: takes no orders); and "place", and the "preposition" that makes a place of a thing.
    scene: Phrasebook
    spelling: Dictionary
    #: Short words that are written onto the next one.
    prefixes: tuple[str, ...]
    letters_of: Callable[[Word], str]

    def readings(self, word: Word) -> Readings:
        """All that *word* may stand for here: itself, less stretched, or well spelt."""
        forms = unstretched(self.letters_of(word))
        forms += tuple(
            form.removeprefix(prefix)
            for form in forms
            for prefix in self.prefixes
            if form.startswith(prefix) and len(form) - len(prefix) >= _SHORTEST_STEM
        )
        if any(self._knows(form) for form in forms):
            return forms
        meant = [self.spelling.meant_by(form) for form in forms]
        return (*forms, *(word for word in meant if word is not None))

    def claims(self, word: Word) -> int:
        """How much *word* speaks for this language: 0, 1 or 2."""
        known = self.letters_of(word) in self.vocabulary
        return known + (not self.letters.isdisjoint(word.spelt))

    def _knows(self, word: str) -> bool:
        return word in self.vocabulary or self.orders.knows(word)


@cache
def read(code: str) -> Language:
    """The language of *code*, from its table; built once, in about 10 ms.

    A wrong table raises `KeyError`, `TypeError` or `ValueError`: the tests read them all.
    """
    table = _table(code)
    script = Script(str(table["script"]))
    letters_of = _spelt if table.get("accents_matter") else _plain

    def book(*sections: tuple[str, Role]) -> Phrasebook:
        return Phrasebook(
            (
                (phrase, Meaning(role, key))
                for section, role in sections
                for key, phrase in _phrases(table, section)
            ),
            letters_of,
        )

    def listed(text: object) -> set[str]:
        return {letters_of(word) for word in words_of(str(text))}

    orders = book(("joint", Role.JOINT), ("action", Role.ACTION), ("perhaps", Role.PERHAPS))
    where = book(("who", Role.WHO), ("direction", Role.DIRECTION))
    how = book(("strength", Role.STRENGTH))
    scene = book(("scene", Role.SCENE))
    typos = _section(table, "typos")
    actions = {
        letters_of(word)
        for _, phrase in _phrases(table, "action")
        for word in words_of(phrase)
        if phrase.isalpha()
    }
    common = listed(table["common"])
    return Language(
        code=code,
        script=script,
        letters=frozenset(str(table.get("letters", ""))),
        vocabulary=frozenset(common) | orders.words | where.words | how.words | scene.words,
        orders=orders,
        where=where,
        how=how,
        scene=scene,
        spelling=Dictionary(
            actions,
            real=listed(typos.get("real", "")) | common,
            shortest=int(str(typos["shortest"])) if typos else _NO_TYPOS,
        ),
        prefixes=tuple(word.plain for word in words_of(str(table.get("prefixes", "")))),
        letters_of=letters_of,
    )


@cache
def emoji() -> Mapping[str, str]:
    """What a picture says in every language: a key as among the actions of the tables."""
    return {sign: key for key, signs in _phrases(_table("emoji"), "action") for sign in signs}


def _table(name: str) -> Table:
    return tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8"))


def _section(table: Table, name: str) -> Mapping[str, object]:
    section = table.get(name, {})
    if not isinstance(section, dict):
        raise TypeError(f"[{name}] must be a section")
    return section


def _phrases(table: Table, section: str) -> Iterator[tuple[str, str]]:
    """(key, phrase) of a section; commas and ends of line part the phrases."""
    for key, text in _section(table, section).items():
        for line in str(text).replace(",", "\n").splitlines():
            if line.strip():
                yield key, line.strip()


def _plain(word: Word) -> str:
    return word.plain


def _spelt(word: Word) -> str:
    return word.spelt
