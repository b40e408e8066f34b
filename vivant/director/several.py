"""What words say about several photos at once, in the languages whose captions are understood."""

import re
from typing import Final

#: "One for each". "Hug each other" is not that.
_EACH: Final = re.compile(
    r"\b(?:each(?! other)|jede[sn]?|jeweils|cada|chacune?|chaque|ciascun[ao]|ognun[ao]|ogni|elke|"
    r"iedere?|każd\w+|кажд\w+|кожн\w+|her biri|mỗi|setiap|masing-masing|كل واحد\w*)\b"
    r"|每张|每張|每一张|それぞれ|각각|हर एक",
    re.IGNORECASE,
)

#: "From this to that".
_FROM_TO: Final = re.compile(
    r"\bfrom\b.+\bto\b|\bvo[nm]\b.+\b(?:zu[mr]?|nach|bis)\b|\bdesde\b.+\bhasta\b|"
    r"\bde\b.+\b(?:à|até|jusqu)|\bda\w*\b.+\balla?\b|\bvan\b.+\bnaar\b|\b(?:из|от)\b.+\b(?:к|до)\b|"
    r"\bod\b.+\bdo\b|\bdari\b.+\bke\b|\btừ\b.+\bđến\b|\bمن\b.+\bإلى\b|从.+到|從.+到|"
    r"から.+まで|에서.+까지|से.+तक",
    re.IGNORECASE,
)


def wants_each(words: str) -> bool:
    """Whether every photo shall have a clip of its own."""
    return _EACH.search(words) is not None


def leads_over(words: str) -> bool:
    """Whether the clip shall begin with one photo and end with the other."""
    return _FROM_TO.search(words) is not None
