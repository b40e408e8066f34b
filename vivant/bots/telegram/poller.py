"""Asks Telegram for updates and puts them into the inbox before Telegram may forget them.

Knows nothing of what updates mean. One process a token asks; the others stand by.
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from telegram import Bot
from telegram.request import BaseRequest

from vivant.bots.telegram.refusals import AnotherReader, our_errors
from vivant.errors import LedgerDown, PlatformError, TryLater

Update = dict[str, Any]

#: How long Telegram holds an empty answer back. Short enough that a lost role is noticed.
_POLL_S: Final = 10
#: Telegram gives out as many at once.
_MOST: Final = 100
#: After a failure, twice as long each time.
_FIRST_PAUSE_S: Final = 1.0
_LAST_PAUSE_S: Final = 30.0

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Poller:
    """Reads the updates of one bot."""

    api: Bot
    #: A line of its own: a poll waits, and must not hold up a send.
    line: BaseRequest
    kinds: Sequence[str]
    #: Keeps updates; once it returns, Telegram is told that we have them.
    keep: Callable[[Sequence[Update]], Awaitable[None]]
    _offset: int = field(default=0, init=False)

    async def run(self) -> None:
        """Read until cancelled; nothing that Telegram does ends it."""
        pause = _FIRST_PAUSE_S
        while True:
            try:
                updates = await self._updates()
                if updates:
                    await self.keep(updates)
                    self._offset = int(updates[-1]["update_id"]) + 1
            except AnotherReader as exc:
                logger.warning("somebody else reads this bot's updates: %s", exc)
                await self._unhook()
            except TryLater as exc:
                logger.info("Telegram does not answer")
                pause = max(pause, exc.retry_after_s)
            except (PlatformError, LedgerDown) as exc:
                logger.warning("updates could not be read", extra={"why": str(exc)})
            else:
                pause = _FIRST_PAUSE_S
                continue
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LAST_PAUSE_S)

    async def _unhook(self) -> None:
        """Take a webhook of earlier days away; where there is none, this does nothing."""
        try:
            with our_errors():
                await self.api.delete_webhook()
        except PlatformError as exc:
            logger.warning("the webhook stays", extra={"why": str(exc)})

    async def _updates(self) -> list[Update]:
        # The library's own get_updates would drop what it does not know; the inbox keeps it raw.
        asked = {
            "offset": self._offset,
            "limit": _MOST,
            "timeout": _POLL_S,
            "allowed_updates": json.dumps(list(self.kinds)),
        }
        with our_errors():
            updates = await self.line.post(
                f"{self.api.base_url}/getUpdates?{urlencode(asked)}", read_timeout=_POLL_S + 10
            )
        if not isinstance(updates, list):
            raise PlatformError("getUpdates gave no list")
        return updates
