"""What to ask for when a card's memory is too short: the same once more, shorter, smaller.

The decoder's tiles come before all this, inside the worker process. What a card could not do
is remembered here, in the parent, so that it outlives the worker process.
"""

from collections.abc import Iterator
from dataclasses import replace

from vivant.clips import ClipSettings, EngineProfile

#: Parts of the frames that were asked for, and then of the picture's sides.
_SHORTER = (3 / 4, 1 / 2)
_SMALLER = (3 / 4, 1 / 2)


class Ladder:
    """The rungs down from a wish, for one card."""

    def __init__(self) -> None:
        #: (pixels of a frame, frames) that were too much twice in a row.
        self._too_much: set[tuple[int, int]] = set()

    def rungs(self, asked: ClipSettings, profile: EngineProfile) -> Iterator[ClipSettings]:
        """What to try one after another; asking for the next says that this one failed."""
        rungs = list(_down(asked, profile))
        for rung in rungs:
            if self._is_too_much(rung) and rung != rungs[-1]:
                continue
            yield rung
            # Memory is freed in between, and another process may have left the card.
            yield rung
            self._too_much.add((rung.width * rung.height, rung.num_frames))
        # Not even the least: somebody else has the card, which tells nothing about shapes.
        self._too_much.clear()

    def _is_too_much(self, rung: ClipSettings) -> bool:
        return any(
            rung.width * rung.height >= pixels and rung.num_frames >= frames
            for pixels, frames in self._too_much
        )


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
