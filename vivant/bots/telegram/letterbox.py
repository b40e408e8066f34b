"""Where updates arrive, asked for or posted: in the inbox before Telegram hears that we have them.

A payment that waits for our word does not wait behind downloads: it is answered at once.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from vivant.ledger import Inbox, Letter

_PAYMENT: Final = "pre_checkout_query"


@dataclass(slots=True)
class Letterbox:
    """The updates of one bot."""

    inbox: Inbox
    #: Called when there is something new in the inbox.
    wake: Callable[[], None]
    #: Answers a payment that is about to be made.
    agree: Callable[[dict[str, Any]], Awaitable[None]]
    _agreeing: set[asyncio.Task[None]] = field(default_factory=set, init=False)

    async def put(self, updates: Sequence[dict[str, Any]]) -> None:
        """Keep *updates*; what came before is left alone. Raises `LedgerDown`."""
        for update in updates:
            if _PAYMENT in update:
                task = asyncio.ensure_future(self.agree(update[_PAYMENT]))
                self._agreeing.add(task)
                task.add_done_callback(self._agreeing.discard)
        kept = [_letter(update) for update in updates if _PAYMENT not in update]
        if kept:
            await self.inbox.put(kept)
            self.wake()

    async def close(self) -> None:
        """Let the answers that are under way go out."""
        if self._agreeing:
            await asyncio.wait(self._agreeing)


def _letter(update: dict[str, Any]) -> Letter:
    kinds = (update.get(kind) for kind in ("message", "edited_message", "callback_query"))
    said: dict[str, Any] = next((one for one in kinds if one is not None), {})
    # Behind anonymous admins and channels, `from` is one and the same for all of them.
    sender = said.get("sender_chat") or said.get("from")
    return Letter(
        # Padded, so that the inbox hands them out in Telegram's order.
        event=f"{update['update_id']:012d}",
        payload=json.dumps(update),
        sender=None if sender is None else str(sender["id"]),
        # A change of its words does not wait for the rest of an album.
        album=update.get("message", {}).get("media_group_id"),
    )
