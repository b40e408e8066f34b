"""Bring the catalogues up to date: `python -m vivant.locales`, with Babel from the group `dev`.

Collects the sentences of `vivant.messages`, merges them into each language's .po, where a
translator fills in what is new, and compiles the .mo that the bots read. Both are committed.
Traditional Chinese holds only what somebody put there: the rest is said in the simplified script.
"""

import io
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

import vivant.messages
from vivant.locales import DOMAIN, FOLDER, LANGUAGES, TRADITIONAL

_KEYWORDS: Final = {"_": None, "mark": None, "_n": (1, 2)}
_WIDTH: Final = 100
#: Of a header only what gettext reads; the rest is names and dates that change at every run.
_READ: Final = ("Language:", "Plural-Forms", "MIME", "Content")
_NO_DATE: Final = datetime(1970, 1, 1, tzinfo=UTC)


def collected() -> Catalog:
    """All sentences that can be translated, in the order in which they stand."""
    sentences = Catalog()
    found = extract_from_file("python", vivant.messages.__file__, keywords=_KEYWORDS)
    for _, sentence, _, _ in found:
        sentences.add(sentence)
    return sentences


def translated(language: str) -> Catalog:
    """One language's catalogue, as its translator left it."""
    with po_of(language).open("rb") as file:
        return read_po(file, locale=language, domain=DOMAIN)


def po_of(language: str) -> Path:
    """Where a translator works."""
    return FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def main() -> None:
    """Merge and compile each language."""
    for language in (*LANGUAGES[1:], TRADITIONAL):
        catalog = translated(language)
        catalog.update(collected(), no_fuzzy_matching=True)
        if language == TRADITIONAL:
            for sentence in [sentence.id for sentence in catalog if not _is_said(sentence)]:
                catalog.delete(sentence)
        catalog.obsolete.clear()
        catalog.creation_date = catalog.revision_date = _NO_DATE
        written = io.BytesIO()
        write_po(written, catalog, width=_WIDTH)
        po_of(language).write_text(_without_noise(written.getvalue().decode()))
        with po_of(language).with_suffix(".mo").open("wb") as mo:
            write_mo(mo, catalog)


def _is_said(sentence: Message) -> bool:
    said = sentence.string
    return bool(said) if isinstance(said, str) else all(said or ("",))


def _without_noise(po: str) -> str:
    header, _, sentences = po.partition("\n\n")
    fields = re.findall(r'^"[\w-]+: .*?\\n"\n?', header + "\n", re.DOTALL | re.MULTILINE)
    kept = [field.rstrip() for field in fields if field.lstrip('"').startswith(_READ)]
    return "\n".join(('msgid ""', 'msgstr ""', *kept, "", sentences))


if __name__ == "__main__":
    main()
