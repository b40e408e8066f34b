"""The parent's side of one worker process: starts it, talks to it, watches it, replaces it.

Never imports torch. One thread at a time talks; `close` may come from another one.
"""

import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vivant.engine import OnStep, Sound
from vivant.engine.diffusion.wire import (
    Alive,
    Failed,
    Made,
    Message,
    Ready,
    Render,
    Step,
    Stop,
    Stopped,
    Trouble,
    receive,
    send,
)

logger = logging.getLogger(__name__)

#: How often the process itself is looked at while its pipe is silent.
_LOOK_EVERY_S = 0.5
#: The wait before a start, after so many starts in a row that led to no clip.
_BACK_OFF_S = (0.0, 0.0, 2.0, 5.0, 15.0, 60.0)


class ChildGone(Exception):
    """The worker process died, stalled, or was let go; the next order starts a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Where a worker process works, and on what."""

    folder: Path
    models: Path
    #: "cpu", "mps", or what CUDA_VISIBLE_DEVICES takes for one card: its UUID or its number.
    device: str
    #: None for a plain directory.
    preset_file: Path | None = None
    #: The longest silence that is no stall: while it loads, and while it renders.
    load_limit_s: float = 1800
    silence_limit_s: float = 180
    #: What the worker process runs.
    module: str = "vivant.engine.diffusion.child"


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """One clip as it came out of the worker process."""

    #: num_frames x height x width x 3.
    pictures: NDArray[np.uint8]
    sound: Sound | None
    made: Made


class Host:
    """One worker process after another, for one card."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._child: _Child | None = None
        self._closed = threading.Event()
        self._starts_in_vain = 0

    @property
    def pid(self) -> int | None:
        """Of the worker process, while there is one."""
        return None if self._child is None else self._child.pid

    def start(self) -> Ready:
        """See that a worker process is there and loaded.

        Raises `ChildGone`, and `Trouble` when the weights cannot be used.
        """
        if self._child is not None and not self._child.is_running:
            self._let_go()
        child = self._child or self._started()
        while child.ready is None:
            match self._heard(child, self._post.load_limit_s):
                case Ready() as ready:
                    child.ready = ready
                case Failed() as failed:
                    self._let_go()
                    raise Trouble(failed)
                case _:
                    self._let_go()
                    raise ChildGone("the worker process spoke out of turn")
        return child.ready

    def render(self, order: Render, photos: Sequence[Image.Image], on_step: OnStep) -> Take:
        """Have one clip made; *photos* have the size of the order.

        What *on_step* raises stops the render and comes out once the worker process is free
        again. Raises `Trouble` when there is no clip, `ChildGone` when there is no process.
        """
        self.start()
        child = self._child
        if child is None:
            raise ChildGone("closed")
        try:
            child.order(order, photos)
            take = self._followed(child, on_step)
        except OSError as exc:
            self._let_go()
            raise ChildGone("the worker process hung up") from exc
        self._starts_in_vain = 0
        return take

    def close(self) -> None:
        """End the worker process; a render that still runs ends with `ChildGone`."""
        self._closed.set()
        child = self._child
        if child is not None:
            child.kill()

    def _followed(self, child: "_Child", on_step: OnStep) -> Take:
        stopped: BaseException | None = None
        while True:
            match self._heard(child, self._post.silence_limit_s):
                case Step(step=step, total=total) if stopped is None:
                    try:
                        on_step(step, total)
                    except BaseException as exc:  # noqa: BLE001 - raised again when it is safe
                        stopped = exc
                        child.say(Stop())
                case Step() | Alive():
                    pass
                case Made() as made:
                    take = child.take(made)
                    if stopped is not None:
                        raise stopped
                    return take
                case Stopped() if stopped is not None:
                    raise stopped
                case Failed() as failed:
                    if failed.kind == "broken":
                        self._let_go()
                    if stopped is not None:
                        raise stopped
                    raise Trouble(failed)
                case _:
                    self._let_go()
                    raise ChildGone("the worker process spoke out of turn")

    def _heard(self, child: "_Child", limit_s: float) -> Message:
        """Wait for a word from the pipe, and see that the process lives."""
        until = time.monotonic() + limit_s
        try:
            while not child.line.poll(_LOOK_EVERY_S):
                if not child.is_running and not child.line.poll():
                    raise EOFError
                if time.monotonic() > until:
                    logger.error("the worker process stalled", extra={"silence_s": limit_s})
                    raise EOFError
            return receive(child.line)
        except (EOFError, OSError) as exc:
            code = child.kill()
            self._let_go()
            logger.warning("the worker process is gone", extra={"exit_code": code})
            raise ChildGone(f"exit code {code}") from exc

    def _started(self) -> "_Child":
        wait_s = _BACK_OFF_S[min(self._starts_in_vain, len(_BACK_OFF_S) - 1)]
        if self._closed.wait(wait_s):
            raise ChildGone("closed")
        self._starts_in_vain += 1
        self._child = _Child(self._post)
        return self._child

    def _let_go(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.line.close()


class _Child:
    """One worker process and the pipe to it."""

    def __init__(self, post: Post) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-m", post.module]
            command += ["--fd", str(theirs.fileno()), "--folder", str(post.folder)]
            command += ["--models", str(post.models)]
            command += ["--device", post.device if post.device in ("cpu", "mps") else "cuda"]
            if post.preset_file is not None:
                command += ["--preset", str(post.preset_file)]
            self._process = subprocess.Popen(  # noqa: S603 - all of it is ours
                command,
                pass_fds=[theirs.fileno()],
                env=_environment(post),
                stdin=subprocess.DEVNULL,
                # Ctrl-C in a terminal is for the parent, which drains first.
                start_new_session=True,
            )
        self.line = Connection(ours.detach())
        self.ready: Ready | None = None

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def say(self, message: Message) -> None:
        send(self.line, message)

    def order(self, order: Render, photos: Sequence[Image.Image]) -> None:
        self.say(order)
        for photo in photos:
            self.line.send_bytes(photo.tobytes())

    def take(self, made: Made) -> Take:
        """Fetch the bytes that follow *made*."""
        pictures = np.empty((made.num_frames, made.height, made.width, 3), np.uint8)
        for picture in pictures:
            self.line.recv_bytes_into(picture.reshape(-1).data)
        sound = None
        if made.channels:
            sound = Sound(
                samples=self.line.recv_bytes(),
                channels=made.channels,
                sample_rate=made.sample_rate,
            )
        return Take(pictures=pictures, sound=sound, made=made)

    def kill(self) -> int:
        """End it, whatever it does; returns its exit code."""
        self._process.kill()
        return self._process.wait()


def _environment(post: Post) -> dict[str, str]:
    """What the worker process may know: one card, no hub, and none of the bot's secrets."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("VIVANT_")}
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    compiled = post.models / "compiled"
    made = {
        # Sizes differ from clip to clip; without it memory falls to pieces.
        "PYTORCH_ALLOC_CONF": "expandable_segments:True",
        "TORCHINDUCTOR_CACHE_DIR": str(compiled / "inductor"),
        "TRITON_CACHE_DIR": str(compiled / "triton"),
    }
    if post.device not in ("cpu", "mps"):
        made["CUDA_VISIBLE_DEVICES"] = post.device
    return kept | offline | made
