"""A service at work on one platform, as a storm needs it: who asks, what they see, what goes wrong.

Everybody asks once, so whatever the bot says to them is about that photo.
"""

import random
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from tests.chaos import Fleet, running_fleet
from tests.fakes.discord_api import Channel, DiscordServer, Guild, Message, Trouble
from tests.fakes.discord_api import Person as DiscordPerson
from tests.fakes.telegram_api import FaultKind
from tests.fakes.telegram_api import Person as TelegramPerson
from tests.guarantees.stage import Stage, open_stage, small_photo, unfinished

_WORDS: Final = "slow zoom in"
#: People who share a channel: with what is said to them fewer messages than a bot catches up with.
_IN_A_CHANNEL: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the bot says to one person, as it stands there now."""

    clips: int
    #: Why there is no clip, and that it was given back.
    refusals: int
    #: What never became an answer: sent, and its bot died before it knew.
    strays: list[str]


class Scene(Protocol):
    """A service at work on one platform."""

    #: Its bot, as `Fleet.start` calls it, and the first half of everybody's name in the ledger.
    platform: str
    fleet: Fleet

    def somebody_asks(self) -> str:
        """A photo of somebody new; their name in the ledger."""

    def shown(self, owner: str) -> Shown:
        """What stands before somebody."""

    async def under_way(self) -> int:
        """Photos that have no end yet, whether the bot has heard of them or not."""

    def spoil(self, chance: random.Random) -> None:
        """Let a call to come get lost, or its reply."""

    def calm(self) -> None:
        """Spoil nothing more."""

    def clips_shown(self) -> int:
        """How often a message was turned into a clip, one over itself too."""


def _shown(films: int, texts: list[str]) -> Shown:
    refusals = [text for text in texts if "given back" in text]
    strays = [text for text in texts if text not in refusals]
    return Shown(clips=films, refusals=len(refusals), strays=strays)


@dataclass(slots=True)
class OnTelegram:
    """Everybody in a private chat with the bot."""

    stage: Stage
    fleet: Fleet
    platform: str = "telegram"
    _people: dict[str, TelegramPerson] = field(default_factory=dict)

    def somebody_asks(self) -> str:
        person = self.stage.somebody()
        self.stage.sends(person, _WORDS)
        owner = f"telegram:{person.id}"
        self._people[owner] = person
        return owner

    def shown(self, owner: str) -> Shown:
        person = self._people[owner]
        return _shown(len(self.stage.clips(person)), self.stage.words(person))

    async def under_way(self) -> int:
        return await self.stage.under_way()

    def spoil(self, chance: random.Random) -> None:
        kind = chance.choice((FaultKind.DROP_REPLY, FaultKind.DROP_CALL))
        method = chance.choice(("sendMessage", "editMessageMedia", "editMessageText"))
        self.stage.telegram.faults.add(kind, method=method)

    def calm(self) -> None:
        self.stage.telegram.faults.coming.clear()

    def clips_shown(self) -> int:
        return sum(
            call.refusal is None or "not modified" in call.refusal.description
            for call in self.stage.telegram.called("editMessageMedia")
            if call.fault is not FaultKind.DROP_CALL
        )


@dataclass(slots=True)
class OnDiscord:
    """Everybody in a channel of one server, where they post a photo and name the bot."""

    discord: DiscordServer
    fleet: Fleet
    home: Guild
    platform: str = "discord"
    _asked: dict[str, Message] = field(default_factory=dict)
    _channels: list[Channel] = field(default_factory=list)

    def somebody_asks(self) -> str:
        number = len(self._asked)
        if number % _IN_A_CHANNEL == 0:
            self._channels.append(self.discord.channel(self.home, f"room-{number}"))
        person: DiscordPerson = self.discord.person(f"ada{number}")
        self.discord.joins(self.home, person)
        asked = person.posts(
            self._channels[-1], f"{self.discord.bot.mention} {_WORDS}", files=[small_photo()]
        )
        owner = f"discord:{person.id}"
        self._asked[owner] = asked
        return owner

    def shown(self, owner: str) -> Shown:
        asked = self._asked[owner]
        said = [
            message
            for message in asked.channel.seen_by(asked.author)
            if message.author is self.discord.bot and message.reply_to is asked
        ]
        films = [message for message in said if message.visible_files]
        return _shown(len(films), [message.text for message in said if message not in films])

    async def under_way(self) -> int:
        unfinished_here, heard = await unfinished(self.fleet.ledger)
        return len(self._asked) - heard + unfinished_here

    def spoil(self, chance: random.Random) -> None:
        trouble = chance.choice((Trouble.LOSES_ANSWER, Trouble.LOSES_CALL))
        route = "/channels/{channel}/messages"
        method = chance.choice(("POST", "PATCH"))
        self.discord.fails(trouble, method, route if method == "POST" else f"{route}/{{message}}")

    def calm(self) -> None:
        self.discord.faults.clear()

    def clips_shown(self) -> int:
        return sum(
            call.applied and bool(call.uploads)
            for call in self.discord.calls_to("PATCH", "/channels/{channel}/messages/{message}")
        )


@asynccontextmanager
async def on_telegram(folder: Path, **environment: str) -> AsyncGenerator[OnTelegram]:
    """A Telegram, Redis and a ledger; no process of the service yet."""
    async with open_stage(folder, **environment) as stage:
        yield OnTelegram(stage, stage.fleet)


@asynccontextmanager
async def on_discord(folder: Path, **environment: str) -> AsyncGenerator[OnDiscord]:
    """A Discord with one server, Redis and a ledger; no process of the service yet."""
    async with DiscordServer() as discord:
        told = {"VIVANT_DISCORD_TOKEN": discord.token, "VIVANT_DISCORD_API_URL": discord.api_url}
        async with running_fleet(folder, **told, **environment) as fleet:
            yield OnDiscord(discord, fleet, discord.guild("Home"))


SCENES: Final[dict[str, Callable[..., AbstractAsyncContextManager[Scene]]]] = {
    "telegram": on_telegram,
    "discord": on_discord,
}
