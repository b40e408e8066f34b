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


@cache
def catalogue(tag: str) -> gettext.NullTranslations:
    """The sentences for an IETF tag ("de-AT", "zh-Hans"); English where we have no other."""
    language = tag.replace("_", "-").partition("-")[0].lower()
    known = [language] if language in LANGUAGES[1:] else []
    return gettext.translation(DOMAIN, FOLDER, known, fallback=True)
