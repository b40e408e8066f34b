"""A worker process without torch, for what does not depend on a model: `moods` say how it goes.

The real desk and the real pipe; only the pipeline is another. Each render takes the first line
of the file `moods` in the weights' folder, and the last line lasts; so the next process goes on
where the one before it died.
"""

import argparse
import os
import signal
import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.engine import OnStep
from vivant.engine.diffusion import child
from vivant.engine.diffusion.wire import Failed, Ready, Render, Take, Trouble

STEPS = 4


class StandIn:
    """Slides the photo sideways, and has moods."""

    ready = Ready(
        pipeline="StandIn",
        made_on="a card of 2/3 GB",
        frame_rate=24,
        num_frames=17,
        frame_stride=4,
        size_multiple=16,
        sizes=[],
        has_sound=False,
        takes_last_photo=False,
    )

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._moods = arguments.folder / "moods"
        if (arguments.folder / "unusable").exists():
            raise Trouble(Failed(kind="unusable", text="these are no weights"))

    def render(
        self,
        order: Render,
        photos: Sequence[Image.Image],
        on_step: OnStep,
        check: Callable[[], None],
    ) -> Take:
        """Four steps; the mood shows in the third."""
        mood = self._mood()
        for step in range(1, STEPS + 1):
            check()
            if step == 3:
                _act(mood, order)
            on_step(step, STEPS)
        return Take(
            pictures=_pictures(mood, order.num_frames, np.asarray(photos[0])),
            sound=None,
            passes=STEPS,
            tiled=False,
            peak_bytes=0,
        )

    def _mood(self) -> str:
        moods = self._moods.read_text("utf-8").split("\n") if self._moods.exists() else ["fine"]
        self._moods.write_text("\n".join(moods[1:] or moods), "utf-8")
        return moods[0]


def _act(mood: str, order: Render) -> None:
    match mood.split():
        case ["die"]:
            os.kill(os.getpid(), signal.SIGKILL)
        case ["stall"]:
            threading.Event().wait()
        case ["memory"]:
            raise Trouble(Failed(kind="memory", text=mood))
        case ["broken"]:
            raise Trouble(Failed(kind="broken", text="CUDA error: an illegal memory access"))
        case ["error"]:
            raise Trouble(Failed(kind="error", text="ValueError"))
        case ["fits", most] if order.width * order.height * order.num_frames > int(most):
            raise Trouble(Failed(kind="memory", text=mood))
        case _:
            pass


def _pictures(mood: str, frames: int, photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if mood == "still":
        return np.stack([photo] * frames)
    return np.stack([np.roll(photo, shift, axis=1) for shift in range(frames)])


if __name__ == "__main__":
    child.main(StandIn)
