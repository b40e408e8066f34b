"""What a message means, read without asking anybody."""

from typing import Any

import pytest
from telegram import Message

from vivant.bots.telegram.incoming import Command, Film, Reader, Wanted, Words, sender_of
from vivant.director.several import wants_each

READER = Reader(bot_id=7, username="vivant_bot")
ADA = {"id": 1, "is_bot": False, "first_name": "Ada", "language_code": "de"}
OTHER_BOT = {"id": 8, "is_bot": True, "first_name": "Other", "username": "other_bot"}
PHOTO = [
    {"file_id": "s", "file_unique_id": "us", "width": 90, "height": 60, "file_size": 900},
    {"file_id": "l", "file_unique_id": "ul", "width": 900, "height": 600, "file_size": 90_000},
]


def message(kind: str = "supergroup", **content: Any) -> Message:
    chat = {"id": 1 if kind == "private" else -100, "type": kind}
    body = {"message_id": 5, "date": 1, "chat": chat, "from": ADA} | content
    read = Message.de_json(body, None)
    assert read is not None
    return read


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("@vivant_bot hug", "hug"),
        ("hug us, @VIVANT_BOT", "hug us"),
        ("@vivant_bot, hug us!", "hug us!"),
        ("a hug\n@vivant_bot for us", "a hug for us"),
        ("/animate hug", "hug"),
        ("/animate@vivant_bot\nhug", "hug"),
        ("/ANIMATE: hug", "hug"),
        ("/animate", ""),
    ],
)
def test_a_caption_that_names_us_gives_its_words(caption: str, words: str) -> None:
    """Without our name, which says who and not what."""
    wanted = READER.read(message(photo=PHOTO, caption=caption))

    assert isinstance(wanted, Wanted)
    assert wanted.is_addressed
    assert wanted.words == words
    assert wanted.picture.file_id == "l"


@pytest.mark.parametrize(
    "caption", ["hug", "me@vivant_bot.example hug", "@vivant_bot2 hug", "ask the vivant_bot"]
)
def test_a_caption_that_does_not_name_us_is_not_for_us(caption: str) -> None:
    """Nor is an address or a longer name."""
    wanted = READER.read(message(photo=PHOTO, caption=caption))

    assert isinstance(wanted, Wanted)
    assert not wanted.is_addressed


@pytest.mark.parametrize("text", ["/animate@other_bot hug", "/status@other_bot"])
def test_a_command_of_another_bot_is_none_of_ours(text: str) -> None:
    """Even when a photo comes with it."""
    assert READER.read(message(text=text)) is None
    assert READER.read(message(photo=PHOTO, caption=text)) is None


def test_a_bare_command_in_a_group_may_be_another_bots() -> None:
    """One that names us is not."""
    bare = READER.read(message(text="/weather today"))
    ours = READER.read(message(text="/weather@vivant_bot today"))

    assert bare == Command(name="weather", argument="today", is_addressed=False)
    assert ours == Command(name="weather", argument="today", is_addressed=True)


def test_another_bot_is_never_answered() -> None:
    """Two bots that answer each other never stop; an anonymous admin is no bot."""
    said: dict[str, Any] = {"text": "/status", "from": OTHER_BOT}
    assert READER.read(message(**said)) is None
    anonymous = message(**said, sender_chat={"id": -100, "type": "supergroup"})
    assert isinstance(READER.read(anonymous), Command)
    assert sender_of(anonymous).id == "-100"
    assert sender_of(anonymous).is_moderator


def test_talk_below_our_own_message_may_be_for_a_photo_that_waits() -> None:
    """It is no request by itself."""
    ours = {
        "message_id": 3,
        "date": 1,
        "chat": {"id": -100, "type": "supergroup"},
        "from": {"id": 7, "is_bot": True, "first_name": "V"},
        "text": "What should happen?",
    }
    said = READER.read(message(text="ha, nice", reply_to_message=ours))

    assert said == Words(words="ha, nice", answers="3", is_addressed=False)


def test_a_photo_of_another_chat_can_be_answered_too() -> None:
    """Telegram shows it in `external_reply`; the clip answers the words then."""
    origin = {"type": "hidden_user", "date": 1, "sender_user_name": "Bob"}
    wanted = READER.read(
        message("private", text="hug", external_reply={"origin": origin, "photo": PHOTO})
    )

    assert isinstance(wanted, Wanted)
    assert wanted.picture.message_id is None
    assert wanted.answers is None


def test_films_are_films_whatever_they_are_called() -> None:
    """A GIF comes as an animation and a document; a video may come as a file."""
    file = {"file_id": "f", "file_unique_id": "u"}
    film = file | {"width": 1, "height": 1, "duration": 1}
    for content in (
        {"video": film},
        {"animation": film, "document": file | {"mime_type": "video/mp4"}},
        {"document": file | {"mime_type": "video/quicktime"}},
    ):
        assert READER.read(message("private", **content)) == Film()
        assert READER.read(message(**content)) is None


def test_whatever_else_is_sent_is_answered_with_how_to_use_the_bot() -> None:
    """A place, a voice; but not what Telegram itself says, such as a pinned message."""
    place = message("private", location={"latitude": 1.0, "longitude": 1.0})
    pinned = message(
        "private", pinned_message={"message_id": 1, "date": 0, "chat": {"id": 1, "type": "private"}}
    )

    assert READER.read(place) == Words(words="", is_addressed=True)
    assert READER.read(pinned) is None


@pytest.mark.parametrize(
    ("words", "is_each"),
    [
        ("a smile for each", True),
        ("jede Person lächelt", True),
        ("каждую оживи", True),
        ("每张都动起来", True),
        ("they hug each other", False),
        ("all of them laugh", False),
        ("peach", False),
        ("", False),
    ],
)
def test_one_clip_for_each_is_asked_for_in_words(words: str, is_each: bool) -> None:
    """Where an album has one caption."""
    assert wants_each(words) is is_each
