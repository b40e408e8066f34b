"""What Telegram says no with, as our own errors. The library's exceptions end here.

Telegram gives most of its reasons as a sentence only; the sentences are those of its server's
source and of https://core.telegram.org/bots/api.
"""

from collections.abc import Generator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from vivant.errors import (
    FileTooLarge,
    MessageGone,
    PlatformError,
    SettingsError,
    TryLater,
    Undeliverable,
    VivantError,
)

#: No reply, or a server in trouble: soon enough, and no hammering.
_SOON_S: Final = 2.0


class Flood(TryLater):
    """Too many requests: that chat, or all of them, must be left alone for a while."""


class NoRights(Undeliverable):
    """That chat does not take messages of this kind from us; it may take another kind."""


class NotModified(PlatformError):
    """The message says so already."""


class ThreadGone(PlatformError):
    """The topic is not there, or not any more."""


class ReplyGone(PlatformError):
    """The message to reply to is not there; between topics, Telegram insists on it."""


class Moved(PlatformError):
    """The group became a supergroup."""

    def __init__(self, chat_id: int) -> None:
        super().__init__("the group became a supergroup")
        self.chat_id = chat_id


class AnotherReader(PlatformError):
    """Somebody else reads the updates of this token: another process, or a webhook."""


class TooLate(PlatformError):
    """A button or a payment waited for our word too long."""


_SENTENCES: Final[tuple[tuple[str, type[PlatformError]], ...]] = (
    ("message is not modified", NotModified),
    ("message thread not found", ThreadGone),
    ("message thread is not a forum topic", ThreadGone),
    ("message to be replied not found", ReplyGone),
    ("replied message not found", ReplyGone),
    ("message to edit not found", MessageGone),
    ("message can't be edited", MessageGone),
    ("there is no text in the message to edit", MessageGone),
    ("there is no caption in the message to edit", MessageGone),
    ("message_id_invalid", MessageGone),
    ("message to delete not found", MessageGone),
    ("message can't be deleted", MessageGone),
    ("file is too big", FileTooLarge),
    ("query is too old", TooLate),
    ("chat not found", Undeliverable),
    ("not enough rights", NoRights),
    ("chat_send_", NoRights),
    ("need administrator rights", Undeliverable),
    ("have no rights to send", Undeliverable),
    ("chat_write_forbidden", Undeliverable),
    ("topic_closed", Undeliverable),
    ("user is deactivated", Undeliverable),
    ("peer_id_invalid", Undeliverable),
)


@contextmanager
def our_errors() -> Generator[None]:
    """Whatever Telegram says no to inside the block is raised as one of our errors."""
    try:
        yield
    except TelegramError as exc:
        raise _translated(exc) from exc


def _translated(error: TelegramError) -> VivantError:
    match error:
        case RetryAfter():
            wait = error.retry_after
            return Flood(wait.total_seconds() if isinstance(wait, timedelta) else wait)
        case ChatMigrated():
            return Moved(error.new_chat_id)
        case Forbidden():
            return Undeliverable(error.message)
        case InvalidToken():
            return SettingsError("VIVANT_TELEGRAM_TOKEN: Telegram does not know this token")
        case Conflict():
            return AnotherReader(error.message)
        case BadRequest():
            return _of_sentence(error.message)
        case NetworkError() if "too large" in error.message.lower():
            return FileTooLarge(error.message)
        case NetworkError():
            return TryLater(_SOON_S)
        case _:
            return PlatformError(error.message)


def _of_sentence(sentence: str) -> PlatformError:
    said = sentence.lower()
    for part, kind in _SENTENCES:
        if part in said:
            return kind(sentence)
    return PlatformError(sentence)
