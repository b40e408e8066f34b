"""How fast a chat may be written to, learned from Telegram's own refusals.

The limits are documented as about one message a second, 20 a minute in a group, and short bursts
pass (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits). So nothing waits until Telegram
says "too many requests"; from then on, for a minute, everything for that chat takes turns.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from vivant.bots.telegram.refusals import Flood

_T = TypeVar("_T")

#: A wait this short is waited out on the spot; a longer one is the caller's to plan, in seconds.
_SHORT_S: Final = 5.0
#: How long a chat that had too much is written to by turns.
_CAREFUL_S: Final = 60.0
#: Between two turns: what the documentation allows.
_PRIVATE_TURN_S: Final = 1.0
_GROUP_TURN_S: Final = 3.0
_MOST_CHATS: Final = 1000


@dataclass(slots=True)
class _Chat:
    careful_until: float
    next_turn: float


@dataclass(slots=True)
class Pace:
    """The pace of each chat of one bot; times are monotonic seconds."""

    _chats: dict[int, _Chat] = field(default_factory=dict, init=False)

    async def keep(self, chat_id: int, call: Callable[[], Awaitable[_T]]) -> _T:
        """Make *call* when it is its turn; raises `Flood` where Telegram wants a long wait."""
        while True:
            await self._turn(chat_id)
            try:
                return await call()
            except Flood as flood:
                self._had_too_much(chat_id, flood.retry_after_s)
                if flood.retry_after_s > _SHORT_S:
                    raise

    async def _turn(self, chat_id: int) -> None:
        now = time.monotonic()
        chat = self._chats.get(chat_id)
        if chat is None or now > chat.careful_until:
            return
        mine = max(now, chat.next_turn)
        chat.next_turn = mine + (_GROUP_TURN_S if chat_id < 0 else _PRIVATE_TURN_S)
        await asyncio.sleep(mine - now)

    def _had_too_much(self, chat_id: int, wait_s: float) -> None:
        now = time.monotonic()
        if len(self._chats) >= _MOST_CHATS:
            self._chats.clear()
        chat = self._chats.setdefault(chat_id, _Chat(now, now))
        chat.careful_until = now + wait_s + _CAREFUL_S
        chat.next_turn = max(chat.next_turn, now + wait_s)
