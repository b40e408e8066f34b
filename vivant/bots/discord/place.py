"""Discord's ids as the strings of the seam, and back.

Everybody else carries these strings without reading them.
"""

import time
from dataclasses import dataclass
from typing import Final, Self

from vivant.clips import ReplyTo

PLATFORM: Final = "discord"

#: "Interaction tokens are valid for 15 minutes"; the last edit must arrive before that.
_TOKEN_LASTS_S: Final = 15 * 60 - 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an answer belongs. A thread, a forum post or a DM is a channel like any other."""

    channel_id: int
    #: What the answer is a reply to: the message that asked, or an interaction's response; 0 where
    #: it is a reply to nothing.
    message_id: int = 0
    #: Who asked by an interaction. Its response is our own message, so a reply to it rings
    #: nobody, and lines name the asker instead.
    asker_id: int | None = None
    #: The bot may not write there by itself: only the token works, and then only a DM.
    is_away: bool = False
    #: The channel that a thread or a post hangs on: where it may be asked, it may be asked here.
    parent_id: int | None = None
    #: The server whose rules hold there; None in a DM.
    server_id: int | None = None
    #: The right to answer one interaction.
    token: str | None = None
    #: When the token ends (seconds since 1970).
    token_until: float = 0.0

    @property
    def open_token(self) -> str | None:
        """The token, while it is good for anything."""
        return self.token if time.time() < self.token_until else None

    def reply_to(self, bot: str) -> ReplyTo:
        """As everybody else carries it."""
        asked = [str(self.message_id)]
        if self.asker_id is not None:
            asked.append(str(self.asker_id))
        if self.is_away:
            asked.append("away")
        return ReplyTo(
            platform=PLATFORM,
            bot=bot,
            chat_id=str(self.channel_id),
            message_id=":".join(asked),
            token=None if self.token is None else f"{self.token_until:.0f}:{self.token}",
            thread_id=None if self.parent_id is None else str(self.parent_id),
            server_id=None if self.server_id is None else str(self.server_id),
        )

    @classmethod
    def of(cls, to: ReplyTo) -> Self:
        """As this folder made it."""
        message, *about = (to.message_id or "0").split(":")
        until, _, token = (to.token or "").partition(":")
        return cls(
            channel_id=int(to.chat_id),
            message_id=int(message),
            asker_id=int(about[0]) if about else None,
            is_away="away" in about,
            parent_id=None if to.thread_id is None else int(to.thread_id),
            server_id=None if to.server_id is None else int(to.server_id),
            token=token or None,
            token_until=float(until or 0),
        )


def token_until(asked_at: float) -> float:
    """When the token of an interaction of *asked_at* (seconds since 1970) ends."""
    return asked_at + _TOKEN_LASTS_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One message of ours, and by which right it is changed."""

    message_id: int
    #: It answers the interaction whose token the place carries.
    by_token: bool = False
    #: Where it stands, if not in the place's channel: a DM.
    channel_id: int | None = None

    def __str__(self) -> str:
        """As everybody else carries it."""
        if self.channel_id is not None:
            return f"{self.channel_id}/{self.message_id}"
        return f"@{self.message_id}" if self.by_token else str(self.message_id)

    @classmethod
    def of(cls, text: str) -> Self:
        """As this folder made it."""
        if "/" in text:
            channel, _, message = text.partition("/")
            return cls(message_id=int(message), channel_id=int(channel))
        return cls(message_id=int(text.removeprefix("@")), by_token=text.startswith("@"))
