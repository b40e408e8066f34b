"""What a caption asks for: words become a plan.

Knows no photo and no engine. The story: clean the words, tell their language, and let
`caption` read them with that language's table. Blocked words are looked for here too.
"""

import tomllib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from vivant.clips import RefusalReason
from vivant.director.caption import Caption, ordered
from vivant.director.languages import CODES, emoji, read
from vivant.director.plan import Action, Beat, Direction, Plan, Who
from vivant.director.spelling import Script, Word, plain, unstretched, words_of
from vivant.errors import Refused

#: Characters of a caption, cleaned; Telegram's own limit for one under a photo is 1,024.
MAX_CHARACTERS: Final = 1_000
#: One clip of a few seconds shows no more than this.
MAX_BEATS: Final = 4
#: Unicode's control, format (zero width, bidi overrides) and surrogate.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs"})
#: About as many as `MAX_CHARACTERS` hold; what stands further back is a story, not an order.
_MOST_WORDS: Final = 200


def cleaned(caption: str) -> str:
    """*caption* as people see it: composed, without invisible characters, single spaces."""
    visible = "".join(
        " " if sign.isspace() else "" if unicodedata.category(sign) in _UNSEEN else sign
        for sign in caption
    )
    return " ".join(unicodedata.normalize("NFC", visible).split())


def check_length(words: str) -> None:
    """Raise `Refused` (caption_too_long, with `limit`) if the cleaned *words* are too many."""
    if len(words) > MAX_CHARACTERS:
        raise Refused(RefusalReason.CAPTION_TOO_LONG, limit=MAX_CHARACTERS)


def understand(words: str) -> Plan:
    """The plan that *words* ask for; a single idle beat where they ask for nothing known.

    Pure, and never raises. It reads no further than `_MOST_WORDS`, so its time is bounded.
    """
    text = cleaned(words)
    caption = _read(words_of(text)[:_MOST_WORDS])
    beats = caption.beats()
    if not beats and not caption.is_scenery:
        beats = list(_pictured(text))
    once = tuple(_without_repeats(beats))[:MAX_BEATS]
    return Plan(
        words=text, beats=once or (Beat(action=Action.IDLE),), language=caption.language.code
    )


def _pictured(text: str) -> Iterator[Beat]:
    known = emoji()
    return (ordered(known[sign]) for sign in text if sign in known)


def _without_repeats(beats: Iterable[Beat]) -> Iterator[Beat]:
    seen: set[tuple[Action, Who, Direction | None]] = set()
    for beat in beats:
        key = (beat.action, beat.who, beat.direction)
        if key not in seen:
            seen.add(key)
            yield beat


def _read(words: Sequence[Word]) -> Caption:
    """The caption in the language that claims most of it; in a tie, the one that acts."""
    captions: list[Caption] = []
    languages = [read(code) for code in CODES]
    scripts = _scripts(words)
    at_home = [language for language in languages if language.script in scripts]
    claims = {language.code: sum(language.claims(word) for word in words) for language in at_home}
    most = max(claims.values(), default=0)
    for language in at_home:
        if claims[language.code] == most:
            caption = Caption.of(words, language)
            if caption.acts:
                return caption
            captions.append(caption)
    return captions[0] if captions else Caption.of(words, languages[0])


def _scripts(words: Sequence[Word]) -> frozenset[Script]:
    """The script most words are in; kana tells Japanese, however many Han signs there are."""
    counts: dict[Script, int] = {}
    for word in words:
        counts[word.script] = counts.get(word.script, 0) + 1
    if Script.KANA in counts:
        return frozenset({Script.KANA})
    most = max(counts, key=lambda script: counts[script], default=Script.LATIN)
    # Signs alone may be either language's.
    return frozenset({Script.HAN, Script.KANA} if most is Script.HAN else {most})


@cache
def unfit() -> tuple[str, ...]:
    """What no clip is made of, whoever runs it: nudity and sex, in every language that is read."""
    text = files("vivant.director").joinpath("unfit.toml").read_text(encoding="utf-8")
    lines = ",".join(tomllib.loads(text).values()).replace("\n", ",")
    return tuple(phrase.strip() for phrase in lines.split(",") if phrase.strip())


def blocked(words: str, blocklist: Iterable[str]) -> str | None:
    """The entry of *blocklist* that stands in *words* as whole words, or None.

    Accents, case, stretched letters, spaced letters and simple leetspeak hide nothing;
    a part of a word is no word, so Scunthorpe is innocent.
    """
    said = _disguises(words)
    heard = {form for forms in said for spelt in forms for form in spelt}
    for entry in blocklist:
        wanted = _wanted(entry)
        if not wanted or not heard.issuperset(wanted):
            continue
        if any(_stands_in(wanted, forms) for forms in said):
            return entry
    return None


@cache
def _wanted(entry: str) -> list[str]:
    return [plain(word.spelt) for word in words_of(entry)]


_LEET: Final = str.maketrans("013457@$!", "oieastasi")
_LEET_L: Final = str.maketrans("013457@$!", "oleastasi")


def _disguises(words: str) -> list[list[tuple[str, ...]]]:
    """The ways to read *words*: as typed, leetspeak undone, spaced letters joined."""
    typed = [_forms(words), _forms(words.translate(_LEET)), _forms(words.translate(_LEET_L))]
    return [*typed, *(_joined(forms) for forms in typed)]


def _forms(words: str) -> list[tuple[str, ...]]:
    visible = "".join(sign for sign in words if unicodedata.category(sign) != "Cf")
    return [unstretched(plain(word.spelt)) for word in words_of(visible)]


def _joined(forms: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Runs of single letters as one word: "b a d" is "bad"."""
    joined: list[tuple[str, ...]] = []
    run = ""
    for form in [*forms, ("",)]:
        if len(form[0]) == 1:
            run += form[0]
            continue
        if run:
            joined.append((run,))
            run = ""
        joined.append(form)
    return joined[:-1]


def _stands_in(wanted: Sequence[str], forms: Sequence[tuple[str, ...]]) -> bool:
    return any(
        all(word in forms[at + offset] for offset, word in enumerate(wanted))
        for at in range(len(forms) - len(wanted) + 1)
    )
