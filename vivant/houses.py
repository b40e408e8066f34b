"""What a chat chose for itself: a group's or a server's own rules, kept as JSON in the ledger.

A private chat is a house too, of one person. Knows no platform; what a room is called there
(a channel, a topic), its platform's folder knows.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any, Final

import msgspec

from vivant.chat import Sender
from vivant.clips import ReplyTo
from vivant.ledger import Ledger
from vivant.locales import LANGUAGES

#: A house that allows more clips a day sets no limit of its own.
MOST_CLIPS: Final = 100


class Guests(StrEnum):
    """Who may ask in a house."""

    EVERYBODY = "everybody"
    MODERATORS = "moderators"


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The rules of one chat; as they stand here where it chose nothing."""

    guests: Guests = Guests.EVERYBODY
    #: Ids; only who has one of them may ask. Empty: no role is needed.
    roles: tuple[str, ...] = ()
    #: Ids of the channels or topics where it may be asked. Empty: in all.
    rooms: tuple[str, ...] = ()
    #: The topic where answers go; None: where it was asked.
    answers_in: str | None = None
    #: Clips a person may ask for there in a day (UTC); None: as many as they have.
    clips: int | None = None
    #: The same by role; whoever has several has the most of them.
    clips_by_role: dict[str, int] = field(default_factory=dict)
    #: One of `LANGUAGES`; None: each sender's own.
    language: str | None = None
    #: No news between "on it" and the answer.
    quiet: bool = False
    #: Anybody may press the buttons under a clip; whoever presses pays.
    open_buttons: bool = False
    #: Clips are hidden until they are tapped.
    spoiler: bool = False
    #: A thread of its own for each clip.
    threads: bool = False
    #: Every photo with words is meant, the bot's name need not be in them.
    every_photo: bool = False

    def admits(self, sender: Sender, to: ReplyTo) -> bool:
        """Whether *sender* may ask there."""
        if self.rooms and not {to.chat_id, to.thread_id} & set(self.rooms):
            return False
        if sender.is_moderator:
            return True
        if self.guests is Guests.MODERATORS:
            return False
        return not self.roles or bool(sender.roles & set(self.roles))

    def clips_of(self, sender: Sender) -> int | None:
        """How many clips a day *sender* may ask for there; None: no limit of the house."""
        by_role = [self.clips_by_role[role] for role in sender.roles if role in self.clips_by_role]
        return max(by_role, default=self.clips)

    def with_words(self, name: str, value: str) -> "House":
        """The house with one setting said in words ("quiet", "on"); raises `ValueError`."""
        if name not in _READ:
            raise ValueError(name)
        return replace(self, **{name: _READ[name](value.strip())})

    def in_words(self) -> dict[str, str]:
        """Every setting that can be said in words, as it would be said."""
        return {name: _said(getattr(self, name)) for name in _READ}


@dataclass(frozen=True, slots=True)
class Houses:
    """The houses of one ledger."""

    ledger: Ledger

    async def at(self, to: ReplyTo) -> House:
        """The house that *to* is in."""
        return await self.get(to.platform, to.house_id)

    async def get(self, platform: str, house_id: str) -> House:
        """The house as it is now."""
        kept = await self.ledger.houses.get(platform, house_id)
        return House() if kept is None else msgspec.json.decode(kept, type=House)

    async def put(self, platform: str, house_id: str, house: House) -> None:
        """Keep *house*."""
        await self.ledger.houses.put(platform, house_id, msgspec.json.encode(house).decode())


def _switch(value: str) -> bool:
    if value.lower() not in ("on", "off"):
        raise ValueError(value)
    return value.lower() == "on"


def _number(value: str) -> int | None:
    if value == "-":
        return None
    if not value.isdecimal() or int(value) > MOST_CLIPS:
        raise ValueError(value)
    return int(value)


def _language(value: str) -> str | None:
    if value == "-":
        return None
    if value not in LANGUAGES:
        raise ValueError(value)
    return value


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "-" if value is None else str(value)


#: What can be said in words; ids are chosen, not typed, and so a platform's own form sets them,
#: and so it does what only that platform has.
_READ: Final[dict[str, Callable[[str], Any]]] = {
    "guests": lambda value: Guests(value.lower()),
    "clips": _number,
    "language": _language,
    **dict.fromkeys(
        [part.name for part in fields(House) if part.default is False and part.name != "threads"],
        _switch,
    ),
}
