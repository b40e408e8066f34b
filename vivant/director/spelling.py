"""How a caption is written: its words, and what a hasty hand may have meant by them.

Knows scripts and letters, but no language and no action. Every function is linear in the
length of its text; nothing here backtracks.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class Script(StrEnum):
    """What letters a word is written in; each language is at home in one."""

    LATIN = "latin"
    CYRILLIC = "cyrillic"
    ARABIC = "arabic"
    DEVANAGARI = "devanagari"
    HANGUL = "hangul"
    KANA = "kana"
    HAN = "han"
    OTHER = "other"


#: Unicode blocks, first and last code point; a letter of no block is `OTHER`.
_BLOCKS = (
    (0x0041, 0x024F, Script.LATIN),
    (0x1E00, 0x1EFF, Script.LATIN),
    (0x0400, 0x052F, Script.CYRILLIC),
    (0x0600, 0x06FF, Script.ARABIC),
    (0x0900, 0x097F, Script.DEVANAGARI),
    (0x1100, 0x11FF, Script.HANGUL),
    (0xAC00, 0xD7A3, Script.HANGUL),
    (0x3040, 0x30FF, Script.KANA),
    (0x3400, 0x4DBF, Script.HAN),
    (0x4E00, 0x9FFF, Script.HAN),
)

# Chinese and Japanese put no spaces between words: there, each sign is a word.
_SIGN = r"\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_MARK = r"\u0300-\u036f\u0610-\u061a\u064b-\u065f\u0670\u0900-\u0963\u0966-\u097f"
_WORD = re.compile(rf"[{_SIGN}]|(?:(?![{_SIGN}])[^\W_]|[{_MARK}])+")
_BREAK = frozenset(",;.:!?()[]{}&+/|<>=—–…→\n，。；：！？、（）「」؛،؟।॥")  # noqa: RUF001
# Letters that people leave out or write in another way, beyond what Unicode decomposes.
_RESPELT = {
    "\u0131": "i",  # the dotless i of Turkish
    "ł": "l",
    "ø": "o",
    "\u0451": "\u0435",  # Russian yo, mostly typed as ye
    "\u0649": "\u064a",  # Arabic alef maksura as ya
    "\u0629": "\u0647",  # ta marbuta as ha
    "\u0640": "",  # the Arabic stretching line
    "\u0901": "\u0902",  # chandrabindu, often typed as anusvara
    "\u093c": "",  # the nukta under a borrowed sound
}


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a caption, case folded."""

    #: With its accents, as Vietnamese needs them.
    spelt: str
    #: Without them, as most people type.
    plain: str
    #: Punctuation stands between it and the word before.
    after_break: bool

    @property
    def script(self) -> Script:
        """Of its first letter."""
        code = ord(self.spelt[0])
        return next((script for low, high, script in _BLOCKS if low <= code <= high), Script.OTHER)


def words_of(text: str) -> tuple[Word, ...]:
    """Every word of *text*, in order; apostrophes and hyphens part words."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    found: list[Word] = []
    end = 0
    for match in _WORD.finditer(folded):
        between = folded[end : match.start()]
        spelt, end = match.group(), match.end()
        found.append(Word(spelt, plain(spelt), not _BREAK.isdisjoint(between)))
    return tuple(found)


def plain(word: str) -> str:
    """The folded *word* without accents where they only decorate: é is e, but й stays й."""
    return word if word.isascii() else "".join(map(_plain_letter, word))


@lru_cache(maxsize=4096)
def _plain_letter(letter: str) -> str:
    if letter in _RESPELT:
        return _RESPELT[letter]
    base = unicodedata.normalize("NFD", letter)[0]
    if base.isascii() or "\u0600" <= base <= "\u06ff":
        return "" if unicodedata.combining(letter) else base
    return "" if "\u0300" <= letter <= "\u036f" else letter


_STRETCH = re.compile(r"(.)\1{2,}")


def unstretched(word: str) -> tuple[str, ...]:
    """What "smiiiile" and "kisss" may stand for: long runs of a letter as one, and as two."""
    if not _STRETCH.search(word):
        return (word,)
    return (word, _STRETCH.sub(r"\1", word), _STRETCH.sub(r"\1\1", word))


#: No word that anybody mistypes is longer; keeps the work per word bounded.
_LONGEST = 24


class Dictionary:
    """Finds the word that was meant when one letter is wrong, missing, too many or swapped."""

    def __init__(self, words: Iterable[str], *, real: Iterable[str], shortest: int) -> None:
        """Take *words* to find, *real* words that look alike and are never mistypings.

        Mistypings shorter than *shortest* letters are left alone.
        """
        self._real = frozenset(real)
        self._shortest = shortest
        self._by_shorter: dict[str, set[str]] = {}
        for word in words:
            if shortest <= len(word) <= _LONGEST:
                for shorter in (word, *_one_letter_less(word)):
                    self._by_shorter.setdefault(shorter, set()).add(word)

    def meant_by(self, word: str) -> str | None:
        """The one word that *word* is a slip of, or None."""
        if not self._shortest <= len(word) <= _LONGEST or word in self._real:
            return None
        for shorter in (word, *_one_letter_less(word)):
            for candidate in sorted(self._by_shorter.get(shorter, ())):
                if _is_one_slip(word, candidate):
                    return candidate
        return None


def _one_letter_less(word: str) -> list[str]:
    return [word[:at] + word[at + 1 :] for at in range(len(word))]


def _is_one_slip(typed: str, meant: str) -> bool:
    if typed[0] != meant[0] and typed[:2] != meant[1::-1]:
        return False  # the first letter is the one that people get right
    start = 0
    while start < min(len(typed), len(meant)) and typed[start] == meant[start]:
        start += 1
    rest, wanted = typed[start:], meant[start:]
    swapped = rest[:2] == wanted[1::-1] and rest[2:] == wanted[2:]
    return swapped or rest[1:] == wanted[1:] or rest[1:] == wanted or rest == wanted[1:]
