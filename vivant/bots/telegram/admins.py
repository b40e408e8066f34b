"""Who may speak for a group: its administrators, as Telegram lists them."""

import time
from dataclasses import dataclass, field, replace
from typing import Final

from telegram import Bot, Chat
from telegram.constants import ChatType

from vivant.bots.telegram.refusals import our_errors
from vivant.chat import Sender
from vivant.errors import PlatformError

#: A list is believed this long, in seconds: as long as a demoted admin keeps the say.
_FRESH_S: Final = 60.0
_MOST_CHATS: Final = 1000


@dataclass(slots=True)
class Admins:
    """The administrators of the groups of one bot."""

    api: Bot
    #: Chat id -> when it was asked, and who they are.
    _known: dict[int, tuple[float, frozenset[str]]] = field(default_factory=dict, init=False)

    async def sender(self, sender: Sender, chat: Chat) -> Sender:
        """*sender*, who is a moderator where they are an administrator of *chat*."""
        if sender.is_moderator or chat.type not in (ChatType.GROUP, ChatType.SUPERGROUP):
            return sender
        return replace(sender, is_moderator=sender.id in await self._of(chat.id))

    async def _of(self, chat_id: int) -> frozenset[str]:
        asked_at, ids = self._known.get(chat_id, (float("-inf"), frozenset()))
        if time.monotonic() - asked_at < _FRESH_S:
            return ids
        try:
            with our_errors():
                members = await self.api.get_chat_administrators(chat_id)
        except PlatformError:  # nobody, rather than anybody
            return frozenset()
        if len(self._known) >= _MOST_CHATS:
            self._known.clear()
        ids = frozenset(str(member.user.id) for member in members)
        self._known[chat_id] = time.monotonic(), ids
        return ids
