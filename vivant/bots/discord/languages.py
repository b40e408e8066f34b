"""Which language each person reads, since Discord tells it with interactions only."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Final

import discord

#: People who are remembered, those who did something last.
_MOST: Final = 10_000


@dataclass(slots=True)
class Languages:
    """What people's own apps spoke when they last did something; gone with the process."""

    _of: OrderedDict[int, str] = field(default_factory=OrderedDict, init=False)

    def hear(self, interaction: discord.Interaction[Any]) -> None:
        """Somebody did something, in some language."""
        self._of[interaction.user.id] = str(interaction.locale)
        self._of.move_to_end(interaction.user.id)
        if len(self._of) > _MOST:
            self._of.popitem(last=False)

    def of(self, message: discord.Message) -> str:
        """What its author reads, as far as that is known; else what their server speaks."""
        server = "en" if message.guild is None else str(message.guild.preferred_locale)
        return self._of.get(message.author.id, server)
