"""The table of parameters against the library that knows Bot API 10.0."""

import inspect
import re

import pytest
import telegram
from telegram import Bot

from tests.fakes.telegram.methods import FIELDS, METHODS

#: What python-telegram-bot adds for its callers, and turns into something else or keeps.
CONVENIENCE = frozenset(
    {
        "self",
        "api_kwargs",
        "read_timeout",
        "write_timeout",
        "connect_timeout",
        "pool_timeout",
        "allow_sending_without_reply",
        "reply_to_message_id",
        "disable_web_page_preview",
        "filename",
        "filename_depr",
    }
)
#: Arguments for the whole album, which the library puts on its first item.
ALBUM_CAPTION = frozenset({"caption", "parse_mode", "caption_entities"})


def parameters(function: object) -> set[str]:
    assert callable(function)
    return set(inspect.signature(function).parameters) - CONVENIENCE


@pytest.mark.parametrize("method", METHODS)
def test_a_method_takes_what_the_library_knows(method: str) -> None:
    snake_case = re.sub(r"(?<!^)(?=[A-Z])", "_", method).lower()
    known = parameters(getattr(Bot, snake_case))
    if method == "sendMediaGroup":
        known -= ALBUM_CAPTION

    assert METHODS[method].required | METHODS[method].optional == known


@pytest.mark.parametrize("type_name", FIELDS)
def test_an_object_has_the_fields_that_the_library_knows(type_name: str) -> None:
    known = parameters(getattr(telegram, type_name).__init__)
    if type_name.startswith(("InputMedia", "ReactionType")):
        known |= {"type"}
    if type_name == "ReplyParameters":
        known |= {"allow_sending_without_reply"}  # no convenience here, but the field itself
    if type_name == "BotCommandScope":
        known |= {"chat_id", "user_id"}  # of its subclasses

    assert known == FIELDS[type_name]
