"""The worker process: owns one card and one loaded pipeline, and does what the pipe says.

Started by `host` as `python -m vivant.engine.diffusion.child`. It knows no token, no queue
and no user, fetches nothing, and ends when its parent does. It imports torch, but only once
somebody listens to the pipe.
"""

import argparse
import contextlib
import logging
import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Protocol

from PIL import Image

from vivant.engine import OnStep, RenderStopped
from vivant.engine.diffusion.preset import of_directory, read
from vivant.engine.diffusion.wire import (
    Alive,
    Failed,
    Message,
    Ready,
    Render,
    Step,
    Stop,
    Stopped,
    Take,
    Trouble,
    receive,
    send,
    send_take,
)
from vivant.errors import SettingsError

logger = logging.getLogger(__name__)

#: How often the parent hears that work goes on inside a step.
_ALIVE_EVERY_S = 1.0


class Renderer(Protocol):
    """What a worker process needs of a loaded pipeline; `pipeline.Pipeline` is it."""

    @property
    def ready(self) -> Ready:
        """What it makes."""
        ...

    def render(
        self,
        order: Render,
        photos: Sequence[Image.Image],
        on_step: OnStep,
        check: Callable[[], None],
    ) -> Take:
        """Make one clip; raises `Trouble`, and lets through what the callbacks raise."""
        ...


def main(load: Callable[[argparse.Namespace], Renderer] | None = None) -> None:
    """Load, then render until the parent hangs up; *load* is the tests' way to go wrong."""
    # The parent drains first and then hangs up; a signal to the whole group must not take
    # the clip that is in hand.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--models", type=Path, required=True)
    parser.add_argument("--device", required=True)
    parser.add_argument("--preset", type=Path)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    os.set_inheritable(arguments.fd, False)
    desk = Desk(Connection(arguments.fd))
    threading.Thread(target=desk.listen, daemon=True).start()
    try:
        renderer = (load or loaded)(arguments)
        desk.say(renderer.ready)
        while True:
            desk.serve(renderer)
    except SettingsError as exc:
        desk.say(Failed(kind="unusable", text=str(exc)))
    except Trouble as exc:
        desk.say(exc.failed)


class Desk:
    """Takes orders from the parent while the card is busy, and answers them one by one."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self._orders: queue.SimpleQueue[tuple[Render, list[Image.Image]]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._spoke_at = 0.0

    def listen(self) -> None:
        """Hear the parent; when it is gone there is nobody to work for."""
        try:
            while True:
                match receive(self._line):
                    case Stop():
                        self._stop.set()
                    case Render() as order:
                        size = (order.width, order.height)
                        photos = [
                            Image.frombytes("RGB", size, self._line.recv_bytes())
                            for _ in range(order.photos)
                        ]
                        # On this thread: a Stop that came too late for the last render must
                        # not end this one.
                        self._stop.clear()
                        self._orders.put((order, photos))
                    case unexpected:
                        logger.error("not for a worker: %s", type(unexpected).__name__)
        finally:
            # At once, whatever the card is busy with; a deaf process is of no use either.
            os._exit(0)

    def say(self, message: Message) -> None:
        """Tell the parent."""
        self._spoke_at = time.monotonic()
        with self._heard():
            send(self._line, message)

    def serve(self, renderer: Renderer) -> None:
        """Answer the next order; raises `Trouble` when the card is of no use any more."""
        order, photos = self._orders.get()
        try:
            take = renderer.render(order, photos, self._step, self._check)
        except RenderStopped:
            self.say(Stopped())
        except Trouble as exc:
            logger.warning("no clip: %s", exc.failed.kind, exc_info=True)
            if exc.failed.kind == "broken":
                raise
            self.say(exc.failed)
        else:
            with self._heard():
                send_take(self._line, take)

    @contextlib.contextmanager
    def _heard(self) -> Iterator[None]:
        """Nobody to talk to is nobody to work for; without a word, as when it is listened to."""
        try:
            yield
        except OSError:
            os._exit(0)

    def _step(self, step: int, total: int) -> None:
        self._raise_if_stopped()
        self.say(Step(step=step, total=total))

    def _check(self) -> None:
        self._raise_if_stopped()
        if time.monotonic() - self._spoke_at > _ALIVE_EVERY_S:
            self.say(Alive())

    def _raise_if_stopped(self) -> None:
        if self._stop.is_set():
            raise RenderStopped


def loaded(arguments: argparse.Namespace) -> Renderer:
    """The pipeline that the parent asks for; raises `Trouble` or `SettingsError`."""
    # Takes seconds, and minutes with the weights: the parent's end is noticed meanwhile.
    try:
        from vivant.engine.diffusion.pipeline import Pipeline  # noqa: PLC0415
    except ImportError as exc:
        raise SettingsError(
            f"its packages are not here: pip install 'vivant[engine]' ({exc})"
        ) from exc
    preset = read(arguments.preset) if arguments.preset else of_directory(arguments.folder)
    return Pipeline.load(preset, arguments.folder, models=arguments.models, device=arguments.device)


if __name__ == "__main__":
    main()
