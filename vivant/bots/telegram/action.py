"""The line "… is sending a video": shown while an engine works on a clip, not a moment longer."""

import time
from dataclasses import dataclass, field
from typing import Final

from telegram.constants import ChatAction

from vivant.bots.telegram.outgoing import TelegramPlatform
from vivant.clips import Progress, RenderStage, ReplyTo
from vivant.ledger import Ledger

#: Telegram shows an action for five seconds.
_EVERY_S: Final = 4.5
#: Chats whose last action is remembered.
_MOST_CHATS: Final = 1000


@dataclass(slots=True)
class Action:
    """The line under a chat's name."""

    platform: TelegramPlatform
    ledger: Ledger
    #: When a chat (or a topic of it) is due for the next one, in monotonic seconds.
    _due: dict[tuple[str, str | None], float] = field(default_factory=dict, init=False)
    _places: dict[str, ReplyTo] = field(default_factory=dict, init=False)

    async def on_progress(self, progress: Progress) -> None:
        """An engine is at work for somebody."""
        if progress.stage is RenderStage.PREPARING:
            return
        to = await self._place(progress.job_id)
        if to is None:
            return
        where = (to.chat_id, to.thread_id)
        now = time.monotonic()
        if now < self._due.get(where, 0.0):
            return
        if len(self._due) >= _MOST_CHATS:
            self._due.clear()
        self._due[where] = now + _EVERY_S
        await self.platform.show_action(to, ChatAction.UPLOAD_VIDEO)

    async def _place(self, job_id: str) -> ReplyTo | None:
        if job_id not in self._places:
            job = await self.ledger.jobs.get(job_id)
            if job is None or job.reply_to is None:
                return None
            if len(self._places) >= _MOST_CHATS:
                self._places.clear()
            self._places[job_id] = job.reply_to
        return self._places[job_id]
