"""What to ask for when a card's memory is too short: the same once more, shorter, smaller.

The decoder's tiles come before all this, inside the worker process. What a card could not do
is remembered here, in the parent, and written down, so that it outlives both processes.
"""

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from vivant.clips import ClipSettings, EngineProfile

#: Parts of the frames that were asked for, and then of the picture's sides.
_SHORTER = (3 / 4, 1 / 2)
_SMALLER = (3 / 4, 1 / 2)
#: What was too much is tried again after so long: perhaps somebody else had the card.
_BELIEVED_S = 7 * 24 * 3600


class Ladder:
    """The rungs down from a wish, for one card.

    *notes* is the file that remembers what was too much for this card, these weights and these
    libraries; without one it is forgotten with the engine.
    """

    def __init__(self, notes: Path | None = None) -> None:
        self._notes = notes
        #: When it was too much twice in a row, by (pixels of a frame, frames).
        self._too_much = _read(notes)

    def rungs(self, asked: ClipSettings, profile: EngineProfile) -> Iterator[ClipSettings]:
        """What to try one after another; asking for the next says that this one failed."""
        rungs = list(_down(asked, profile))
        for rung in rungs:
            if self._is_too_much(rung) and rung != rungs[-1]:
                continue
            yield rung
            # Memory is freed in between, and another process may have left the card.
            yield rung
            self._too_much[rung.width * rung.height, rung.num_frames] = time.time()
            self._write()
        # Not even the least: somebody else has the card, which tells nothing about shapes.
        self._too_much.clear()
        self._write()

    def _is_too_much(self, rung: ClipSettings) -> bool:
        return any(
            rung.width * rung.height >= pixels and rung.num_frames >= frames
            for pixels, frames in self._too_much
        )

    def _write(self) -> None:
        if self._notes is None:
            return
        rows = [[pixels, frames, when] for (pixels, frames), when in self._too_much.items()]
        # A disk that is full costs a few seconds after the next start, and nothing else.
        with contextlib.suppress(OSError):
            self._notes.parent.mkdir(parents=True, exist_ok=True)
            self._notes.write_text(json.dumps(rows), "utf-8")


def _read(notes: Path | None) -> dict[tuple[int, int], float]:
    if notes is None:
        return {}
    try:
        rows = json.loads(notes.read_text("utf-8"))
        since = time.time() - _BELIEVED_S
        return {(int(pixels), int(frames)): when for pixels, frames, when in rows if when > since}
    except (OSError, ValueError, TypeError):
        # None yet, or half a file: nothing is known, and that is found out again.
        return {}


def _down(asked: ClipSettings, profile: EngineProfile) -> Iterator[ClipSettings]:
    stride, step = profile.frame_stride, profile.size_multiple
    rung = asked
    yield rung
    for part in _SHORTER:
        frames = int((asked.num_frames - 1) * part) // stride * stride + 1
        if stride < frames < rung.num_frames:
            rung = replace(rung, num_frames=frames)
            yield rung
    for part in _SMALLER:
        smaller = replace(
            rung,
            width=max(step, round(asked.width * part / step) * step),
            height=max(step, round(asked.height * part / step) * step),
        )
        if smaller.width * smaller.height < rung.width * rung.height:
            rung = smaller
            yield rung
