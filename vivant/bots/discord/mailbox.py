"""Messages that ask for something, kept in the ledger until each is seen to.

Discord tells of a message once. What was kept here is seen to even if the process dies; what was
posted while no process was there is found by `Reader.catch_up` and kept here like the rest, so
that a message found twice is seen to once.
"""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from vivant.errors import LedgerDown
from vivant.ledger import Inbox, Letter
from vivant.reception import Reception

_RETRY_S: Final = 1.0

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """Where a message is; what it says is asked for when it is seen to."""

    message_id: int
    channel_id: int
    #: 0 in a DM.
    guild_id: int
    #: Known when it is kept, and not needed to find it again.
    author_id: int | None = None

    def __str__(self) -> str:
        return f"{self.guild_id}/{self.channel_id}/{self.message_id}"

    @classmethod
    def of(cls, text: str) -> "Posted":
        """As it was kept."""
        guild, channel, message = text.split("/")
        return cls(message_id=int(message), channel_id=int(channel), guild_id=int(guild))


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Where the messages of one bot are kept."""

    inbox: Inbox
    reception: Reception

    async def keep(self, posted: list[Posted]) -> int:
        """Have them seen to, once each; how many are new."""
        rows = [Letter(str(one.message_id), str(one), _sender(one)) for one in posted]
        while True:
            try:
                new = await self.inbox.put(rows)
            except LedgerDown as exc:
                # Discord tells of a message once, so this is not to be given up.
                logger.warning("the inbox does not open", extra={"why": str(exc)})
                await asyncio.sleep(_RETRY_S)
            else:
                self.reception.wake()
                return new


def _sender(posted: Posted) -> str | None:
    return None if posted.author_id is None else str(posted.author_id)
