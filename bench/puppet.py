"""What a clip of the CPU engine costs, against encoding the same frames alone in the same run.

    python -m bench.puppet [--rounds N] [--quick]

The floor is ffmpeg with all frames at hand: nothing can be faster. Targets for 84 frames of 0.42
megapixel with the networks loaded, on 2 cores: nobody in it 1.8 times the floor, one person 5,
two 6, three 7.5; a cold process to a clip of three people 4 s; 0.92 megapixel 2.2 times the
0.42 figure. The photos come out of the scikit-image package.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from PIL import Image

from tests.puppet import photos
from tests.puppet.conftest import MODELS
from tests.puppet.shots import shot
from vivant.director.look import models
from vivant.director.plan import Action
from vivant.engine import Frames, Shot
from vivant.engine.encode import encode_mp4
from vivant.engine.puppet import engine as puppet
from vivant.engine.puppet.engine import PROFILE, PuppetEngine

LARGE = 920_000
_FRAMES = 84


@dataclass(frozen=True)
class Case:
    """One clip to be made."""

    name: str
    photo: Image.Image
    action: Action
    #: Times the floor.
    target: float

    def shot(self, area: int) -> Shot:
        return shot(self.photo, self.action, area=area, num_frames=_FRAMES)


CASES = (
    Case("nobody, zoom", photos.cat(), Action.ZOOM, 1.8),
    Case("one, smile", photos.astronaut(), Action.SMILE, 5.0),
    Case("one, laugh", photos.astronaut(), Action.LAUGH, 5.0),
    Case("two, hug", photos.pair(), Action.HUG, 6.0),
    Case("three, laugh", photos.three(), Action.LAUGH, 7.5),
    Case("three, group hug", photos.three(), Action.HUG, 7.5),
)


@dataclass
class Taken:
    """Seconds of one clip."""

    total: float
    floor: float
    look: float
    prepare: float
    draw: float


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(engine: PuppetEngine, asked: Shot) -> Taken:
    """The whole clip as a worker makes it, then its frames alone, then where the time went."""
    total = timed(lambda: encode_mp4(engine.render(asked, _silent)))
    clip = engine.render(asked, _silent)
    drawn = _Drawn(clip.pictures)
    frames = list(drawn)
    floor = timed(lambda: encode_mp4(replace(clip, pictures=frames)))
    picture = puppet.fitted(asked.photo, asked.settings)
    finder = engine._people  # noqa: SLF001  # the look alone, out of what render does at once
    assert finder is not None
    look = timed(lambda: finder.find(picture))
    prepare = timed(lambda: engine.render(asked, _silent)) - look
    return Taken(total, floor, look, prepare, drawn.seconds)


class _Drawn:
    """Frames, and the seconds spent in drawing them."""

    def __init__(self, pictures: Iterable[NDArray[Any]]) -> None:
        self._pictures = iter(pictures)
        self.seconds = 0.0

    def __iter__(self) -> Iterator[NDArray[Any]]:
        return self

    def __next__(self) -> NDArray[Any]:
        started = time.perf_counter()
        try:
            return next(self._pictures)
        finally:
            self.seconds += time.perf_counter() - started


def _silent(_step: int, _total: int) -> None:
    """Nobody listens."""


def cold() -> float:
    """From the start of a process to the mp4 of three people laughing, in seconds."""
    root = Path(__file__).parents[1]
    command = [sys.executable, "-m", "bench.puppet", "--cold"]
    return timed(lambda: subprocess.run(command, cwd=root, check=True, capture_output=True))


def one_clip() -> Frames:
    engine = PuppetEngine(MODELS)
    clip = engine.render(CASES[4].shot(PROFILE.area), _silent)
    encode_mp4(clip)
    return clip


def report(name: str, rounds: list[Taken], target: float) -> float:
    total = statistics.median(taken.total for taken in rounds)
    floor = statistics.median(taken.floor for taken in rounds)
    look = statistics.median(taken.look for taken in rounds)
    prepare = statistics.median(taken.prepare for taken in rounds)
    draw = statistics.median(taken.draw for taken in rounds)
    # Each round against its own floor: what else the machine does then slows both.
    ratio = statistics.median(taken.total / taken.floor for taken in rounds)
    verdict = "ok" if ratio <= target else "OVER"
    print(
        f"{name:26}{total:7.2f}{floor:7.2f}{ratio:7.2f}{target:7.1f} {verdict:5}"
        f"{look:7.2f}{prepare:8.2f}{draw:7.2f}{draw / _FRAMES * 1e3:9.1f}"
    )
    return total


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--quick", action="store_true", help="0.42 megapixel only, not cold")
    arguments.add_argument("--cold", action="store_true", help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    models.fetch(MODELS)
    if chosen.cold:
        one_clip()
        return
    engine = PuppetEngine(MODELS)
    print(f"loading the networks {timed(engine.setup):.2f} s")
    print(f"{'':26}  clip  floor  times target       look prepare   draw ms/frame")
    small: dict[str, float] = {}
    for case in CASES:
        rounds = [measure(engine, case.shot(PROFILE.area)) for _ in range(chosen.rounds)]
        small[case.name] = report(case.name, rounds, case.target)
    if chosen.quick:
        return
    for case in (CASES[0], CASES[1], CASES[4]):
        rounds = [measure(engine, case.shot(LARGE)) for _ in range(chosen.rounds)]
        total = report(f"{case.name}, 0.92 MP", rounds, case.target * 1.1)
        print(f"{'':26}{total / small[case.name]:7.2f} times 0.42 MP (2.2)")
    print(f"cold process to clip {statistics.median(cold() for _ in range(3)):.2f} s (4.0)")


if __name__ == "__main__":
    main()
