"""Photos and words that somebody sent, fetched and handed to the conversation."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from vivant.bots.discord.attachments import Downloads, Upload
from vivant.chat import PhotoMessage
from vivant.clips import Note
from vivant.conversation import Conversation
from vivant.director.several import leads_over, wants_each
from vivant.errors import Refused

#: Photos in memory at once, each up to 20 MB and its decoded self.
_AT_ONCE: Final = 6
#: So many photos can be the beginning and the end of one clip.
_PAIR: Final = 2


@dataclass(slots=True)
class Asking:
    """Asks for clips, for one bot. What it is given says all but the photo."""

    conversation: Conversation
    downloads: Downloads
    _photos: asyncio.Semaphore = field(
        default_factory=lambda: asyncio.Semaphore(_AT_ONCE), init=False
    )

    async def for_each(self, asked: PhotoMessage, photos: Sequence[Upload]) -> None:
        """A clip of each; what stops one photo stops the rest."""
        for event_id, photo in zip(events(asked.event_id, len(photos)), photos, strict=True):
            # The message that stands becomes the first clip.
            stands = asked.status_message if event_id == asked.event_id else None
            each = replace(asked, event_id=event_id, status_message=stands)
            if not await self._take(each, photo):
                return

    async def as_said(self, asked: PhotoMessage, photos: Sequence[Upload]) -> None:
        """One clip of the first; or of each, or from one to the other, if the words say so."""
        if wants_each(asked.words):
            await self.for_each(asked, photos)
        elif len(photos) == _PAIR and leads_over(asked.words):
            await self._take(asked, photos[0], last=photos[1])
        elif len(photos) > 1:
            await self._take(replace(asked, notes=(Note.FIRST_OF_ALBUM,)), photos[0])
        else:
            await self._take(asked, photos[0])

    async def _take(
        self, asked: PhotoMessage, photo: Upload, *, last: Upload | None = None
    ) -> bool:
        """Whether it was taken, or asked about; a refusal is told."""
        sender = await self.conversation.guest(asked.reply_to, asked.sender)
        async with self._photos:
            asked = replace(asked, sender=sender, photo=await self.downloads.fetch(photo))
            if last is not None:
                asked = replace(asked, last_photo=await self.downloads.fetch(last))
            try:
                await self.conversation.take(asked)
            except Refused as refusal:
                await self.conversation.refuse(asked, refusal)
                return False
        return True


def events(event_id: str, photos: int) -> list[str]:
    """What so many photos of one event are known by; the first by the event's own number."""
    return [event_id, *(f"{event_id}.{number}" for number in range(2, photos + 1))]
