"""The translations: one catalogue of sentences for all platforms, a folder a language.

The sentences themselves are English and stand in `vivant.messages`; `python -m vivant.locales`
brings the catalogues up to date. The compiled ones are committed, so that a clone and a wheel
have them without a step of their own.
"""

import gettext
from functools import cache
from pathlib import Path
from typing import Final

DOMAIN: Final = "vivant"
FOLDER: Final = Path(__file__).parent
#: English is in the code, the others are folders here.
LANGUAGES: Final = ("en", "de", "es", "ru", "zh")
#: Chinese in the traditional script; what is not there yet is said in the simplified one.
TRADITIONAL: Final = "zh_Hant"
#: How tags tell that script: by its name, or by a region that writes it.
_WRITE_TRADITIONAL: Final = frozenset({"hant", "tw", "hk", "mo"})


@cache
def catalogue(tag: str) -> gettext.NullTranslations:
    """The sentences for an IETF tag ("de-AT", "zh-TW"); English where we have no other."""
    language, *more = tag.replace("_", "-").lower().split("-")
    known = [language] if language in LANGUAGES[1:] else []
    if language == "zh" and "hans" not in more and not _WRITE_TRADITIONAL.isdisjoint(more):
        known = [TRADITIONAL, language]
    return gettext.translation(DOMAIN, FOLDER, known, fallback=True)
