"""One process of the service as the tests of the promise run it.

    python -m tests.guarantees.process engine|telegram|discord

It is wired as `vivant engine` and `vivant bot …` are, but the engine does what the words under a
photo say ("wait", "abort", …), and where `CRASH_AT` names a step, the process kills itself there.
"""

import asyncio
import ctypes
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tests.engines import QuickEngine
from vivant.bots.telegram.outgoing import TelegramPlatform
from vivant.clips import FailureReason
from vivant.engine import Frames, OnStep, Shot
from vivant.errors import RenderError
from vivant.ledger import Inbox, Jobs
from vivant.logs import start_log
from vivant.media import MediaStore
from vivant.processes import run_bot, run_engine
from vivant.settings import Settings

#: Where a process can be told to die: a method of the product, and on which side of it.
CRASHES: Final[dict[str, tuple[type[object], str, str]]] = {
    # the bot, on the way in
    "update read": (Inbox, "put", "before"),
    "inbox row": (Inbox, "put", "after"),
    "photo stored": (MediaStore, "put", "after"),
    "accept": (Jobs, "accept", "after"),
    "acknowledged": (TelegramPlatform, "send_text", "after"),
    "acknowledgement remembered": (Jobs, "remember_status", "after"),
    # the engine
    "claimed": (Jobs, "claim", "after"),
    "rendered": (MediaStore, "put", "before"),
    "clip stored": (MediaStore, "put", "after"),
    "ready": (Jobs, "finish", "after"),
    # the bot, on the way out
    "sending": (Jobs, "claim_delivery", "after"),
    "sent": (TelegramPlatform, "edit_into", "after"),
    "before done": (Jobs, "delivered", "before"),
    "done": (Jobs, "delivered", "after"),
}
BOT_IN: Final = ("update read", "inbox row", "photo stored", "accept", "acknowledged",
                 "acknowledgement remembered")  # fmt: skip
ENGINE: Final = ("claimed", "rendered", "clip stored", "ready")
BOT_OUT: Final = ("sending", "sent", "before done", "done")


def crash_at(step: str) -> None:
    """Die by SIGKILL at the first time that *step* is come to."""
    owner, name, side = CRASHES[step]
    real: Callable[..., Awaitable[Any]] = getattr(owner, name)

    async def dying(*args: Any, **kwargs: Any) -> Any:
        if side == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        outcome = await real(*args, **kwargs)
        # A claim that found nothing is no step.
        if outcome is not None or not name.startswith("claim"):
            os.kill(os.getpid(), signal.SIGKILL)
        return outcome

    setattr(owner, name, dying)


@dataclass
class ObedientEngine(QuickEngine):
    """Real frames, small and fast; and what the words say beside them.

    * wait: until the file `go` is there, asking on all the while, as a long render does
    * abort: the process ends, as by a fault of the driver
    * memory: the card is full, each time
    * stuck: once, neither asks on nor lets anything else of the process run
    """

    folder: Path = Path()

    def render(self, shot: Shot, on_step: OnStep) -> Frames:
        words = shot.plan.words
        if "abort" in words:
            os._exit(134)
        if "memory" in words:
            raise RenderError(FailureReason.OUT_OF_MEMORY, transient=True)
        if "stuck" in words and not (self.folder / "was stuck").exists():
            (self.folder / "was stuck").touch()
            ctypes.PyDLL(None).sleep(60)  # keeps the interpreter's lock, as bad C code does
        return super().render(shot, on_step)

    def _drawn(self, shot: Shot, on_step: OnStep) -> Iterator[NDArray[np.uint8]]:
        if "wait" in shot.plan.words:
            while not (self.folder / "go").exists():
                on_step(0, shot.settings.num_frames)
                time.sleep(0.02)
        yield from super()._drawn(shot, on_step)


def main() -> None:
    """The command line."""
    what = sys.argv[1]
    settings = Settings.load()
    start_log(what)
    step = os.environ.get("CRASH_AT")
    if step:
        crash_at(step)
    if what == "engine":
        workers = int(os.environ.get("WORKERS", "1"))
        engines = [ObedientEngine(folder=settings.data_dir) for _ in range(workers)]
        asyncio.run(run_engine(settings, engines=engines))
    else:
        asyncio.run(run_bot(settings, what))


if __name__ == "__main__":
    main()
