"""Words that came before their photo, as a forward with a comment does. Gone with the process."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Final

from vivant.chat import Sender
from vivant.clips import ReplyTo

#: Words wait this long for their photo, in seconds.
_WAIT_S: Final = 120.0
#: A forward follows its comment within this.
_AT_ONCE_S: Final = 1.0

_Place = tuple[str, str | None, str]


@dataclass(slots=True)
class _Said:
    words: str
    at: float
    #: The event that they went to.
    taken_by: str | None = None
    taken: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class EarlierWords:
    """The last words of each sender in each chat."""

    _said: dict[_Place, _Said] = field(default_factory=dict, init=False)

    def keep(self, to: ReplyTo, sender: Sender, words: str) -> None:
        """Somebody said *words*, and no photo came with them."""
        now = time.monotonic()
        self._said = {place: said for place, said in self._said.items() if now - said.at < _WAIT_S}
        self._said[_place(to, sender)] = _Said(words, now)

    def take(self, to: ReplyTo, sender: Sender, event_id: str) -> str | None:
        """The words for a photo that came without any; no other event gets them as well."""
        said = self._said.get(_place(to, sender))
        if said is None or time.monotonic() - said.at > _WAIT_S:
            return None
        if said.taken_by not in (None, event_id):
            return None
        said.taken_by = event_id
        said.taken.set()
        return said.words

    async def were_taken(self, to: ReplyTo, sender: Sender) -> bool:
        """Whether their photo follows at once; waits a moment for it."""
        said = self._said.get(_place(to, sender))
        if said is None:
            return True
        try:
            await asyncio.wait_for(said.taken.wait(), _AT_ONCE_S)
        except TimeoutError:
            return False
        return True


def _place(to: ReplyTo, sender: Sender) -> _Place:
    return to.chat_id, to.thread_id, sender.id
