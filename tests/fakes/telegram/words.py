"""What Telegram sees in a text: entities, counted in UTF-16 code units as the Bot API does."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

from tests.fakes.telegram.methods import only_known
from tests.fakes.telegram.refusals import bad_request

Entities = list[dict[str, Any]]

_FOUND = re.compile(
    r"(?P<bot_command>(?<![\w/@])/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?\b)"
    r"|(?P<mention>(?<![\w@])@[A-Za-z0-9_]{3,32}\b)"
    r"|(?P<url>\bhttps?://\S+)"
    r"|(?P<hashtag>(?<![\w#])#[^\W\d]\w*)"
)
_HTML = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "s": "strikethrough",
    "code": "code",
    "pre": "pre",
    "a": "text_link",
    "blockquote": "blockquote",
    "tg-spoiler": "spoiler",
}


def utf16_length(text: str) -> int:
    """The length of *text* as entities count it."""
    return len(text.encode("utf-16-le")) // 2


def entities_of(text: str) -> Entities:
    """The commands, mentions, links and hashtags that Telegram finds by itself."""
    return [
        {
            "type": found.lastgroup,
            "offset": utf16_length(text[: found.start()]),
            "length": utf16_length(found.group()),
        }
        for found in _FOUND.finditer(text)
    ]


def covered(text: str, entity: dict[str, Any]) -> str:
    """The part of *text* that *entity* marks."""
    units = text.encode("utf-16-le")
    start = 2 * int(entity["offset"])
    return units[start : start + 2 * int(entity["length"])].decode("utf-16-le")


def formatted(text: str, parse_mode: str | None, given: Entities | None) -> tuple[str, Entities]:
    """The text as shown and its entities; only HTML is understood of the parse modes."""
    if given is not None:
        for entity in given:
            only_known("MessageEntity", entity)
            if int(entity["offset"]) + int(entity["length"]) > utf16_length(text):
                raise bad_request("entity beyond the end of the text")
        return text, [*given, *entities_of(text)]
    if not parse_mode:
        return text, entities_of(text)
    if parse_mode.lower() != "html":
        raise bad_request("unsupported parse_mode")
    parser = _Html()
    parser.feed(text)
    parser.close()
    if parser.open:
        raise bad_request(
            "can't parse entities: Can't find end tag corresponding to start tag "
            f'"{parser.open[-1][0]}"'
        )
    return parser.text, [*parser.entities, *entities_of(parser.text)]


class _Html(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.entities: Entities = []
        self.open: list[tuple[str, dict[str, Any]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _HTML:
            raise bad_request(
                f'can\'t parse entities: Unsupported start tag "{tag}" at byte offset '
                f"{self.getpos()[1]}"
            )
        entity: dict[str, Any] = {"type": _HTML[tag], "offset": utf16_length(self.text)}
        if tag == "a":
            entity["url"] = dict(attrs).get("href") or ""
        self.open.append((tag, entity))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1][0] != tag:
            raise bad_request(
                f"can't parse entities: Unexpected end tag at byte offset {self.getpos()[1]}"
            )
        _, entity = self.open.pop()
        entity["length"] = utf16_length(self.text) - int(entity["offset"])
        self.entities.append(entity)

    def handle_data(self, data: str) -> None:
        self.text += data
