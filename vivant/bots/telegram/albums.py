"""Albums: their photos come as separate updates, in any order, with the words on one of them.

One of the updates does the work for all; the others end when it ends, and as it ends, so that a
crash brings all of them back. Knows nothing of what the work is.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from telegram import Message

from vivant.bots.telegram.incoming import Wanted

#: An album is whole when nothing more of it came for this long, in seconds.
QUIET_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Item:
    """One part of an album."""

    message: Message
    #: None for a video.
    wanted: Wanted | None


@dataclass(slots=True)
class _Gathering:
    items: dict[int, Item] = field(default_factory=dict)
    more: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Future[None] = field(default_factory=asyncio.Future)

    def add(self, item: Item) -> None:
        self.items[item.message.message_id] = item
        self.more.set()

    async def complete(self) -> list[Item]:
        """All items in the order of the album, once no more come."""
        while self.more.is_set():
            self.more.clear()
            try:
                await asyncio.wait_for(self.more.wait(), QUIET_S)
            except TimeoutError:
                break
        return [self.items[number] for number in sorted(self.items)]


@dataclass(slots=True)
class Albums:
    """The albums that are arriving."""

    _open: dict[str, _Gathering] = field(default_factory=dict, init=False)

    async def join(
        self, album: str, item: Item, work: Callable[[list[Item]], Awaitable[None]]
    ) -> None:
        """Have *work* done once for the whole album; raises what it raises, to every item."""
        arriving = self._open.get(album)
        if arriving is not None:
            arriving.add(item)
            await asyncio.shield(arriving.over)
            return
        gathering = self._open[album] = _Gathering()
        gathering.add(item)
        try:
            try:
                items = await gathering.complete()
            finally:
                del self._open[album]
            await work(items)
        except asyncio.CancelledError:
            gathering.over.cancel()
            raise
        except BaseException as exc:
            gathering.over.set_exception(exc)
            gathering.over.exception()  # an album of one has nobody else to tell
            raise
        else:
            gathering.over.set_result(None)
