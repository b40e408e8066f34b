"""The translations: one catalogue of sentences for all platforms, a folder a language.

The sentences themselves are English and stand in `vivant.messages`; `docs/translating.md` says
how a catalogue is brought up to date.
"""

import gettext
from functools import cache
from pathlib import Path
from typing import Final

DOMAIN: Final = "vivant"
FOLDER: Final = Path(__file__).parent
#: English is in the code, the others are folders here.
LANGUAGES: Final = ("en", "de", "es", "ru", "zh")


@cache
def catalogue(tag: str) -> gettext.NullTranslations:
    """The sentences for an IETF tag ("de-AT", "zh-Hans"); English where we have no other."""
    language = tag.replace("_", "-").partition("-")[0].lower()
    known = [language] if language in LANGUAGES[1:] else []
    return gettext.translation(DOMAIN, FOLDER, known, fallback=True)
