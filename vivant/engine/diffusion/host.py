"""The parent's side of one worker process: starts it, talks to it, watches it, replaces it.

Never imports torch. One thread at a time talks; `close` may come from another one.
"""

import contextlib
import logging
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing import BufferTooShort
from multiprocessing.connection import Connection
from pathlib import Path

from PIL import Image

from vivant.engine import OnStep
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
    Take,
    Trouble,
    receive,
    receive_take,
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
    silence_limit_s: float = 300
    #: What the worker process runs.
    module: str = "vivant.engine.diffusion.child"


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

    def render(
        self,
        order: Render,
        photos: Sequence[Image.Image],
        on_step: OnStep,
        *,
        limit_s: float | None = None,
    ) -> Take:
        """Have one clip made; *photos* have the size of the order.

        What *on_step* raises stops the render and comes out once the worker process is free
        again. *limit_s* is a silence longer than the post allows. Raises `Trouble` when there
        is no clip, `ChildGone` when there is no process.
        """
        self.start()
        child = self._child
        if child is None:
            raise ChildGone("closed")
        with self._watched(child):
            child.order(order, photos)
        take = self._followed(child, on_step, limit_s or self._post.silence_limit_s)
        self._starts_in_vain = 0
        return take

    def close(self) -> None:
        """End the worker process; a render that still runs ends with `ChildGone`."""
        self._closed.set()
        child = self._child
        if child is not None:
            child.kill()

    def _followed(self, child: "_Child", on_step: OnStep, limit_s: float) -> Take:
        stopped: BaseException | None = None
        while True:
            match self._heard(child, limit_s):
                case Step(step=step, total=total) if stopped is None:
                    try:
                        on_step(step, total)
                    except BaseException as exc:  # noqa: BLE001 - raised again when it is safe
                        stopped = exc
                        child.say(Stop())
                case Step() | Alive():
                    pass
                case Made() as made:
                    with self._watched(child):
                        take = receive_take(child.line, made, limit_s)
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
        with self._watched(child):
            while not child.line.poll(_LOOK_EVERY_S):
                if not child.is_running and not child.line.poll():
                    raise EOFError("it died")
                if time.monotonic() > until:
                    raise EOFError(f"it stalled for {limit_s:g} s")
            return receive(child.line)

    @contextlib.contextmanager
    def _watched(self, child: "_Child") -> Iterator[None]:
        """Whatever is wrong with the pipe, the process at its end is let go."""
        try:
            yield
        except (EOFError, OSError, BufferTooShort) as exc:
            code = child.kill()
            self._let_go()
            why = str(exc) or "it hung up"
            logger.warning("the worker process is gone: %s", why, extra={"exit_code": code})
            raise ChildGone(f"{why}, exit code {code}") from exc

    def _started(self) -> "_Child":
        wait_s = _BACK_OFF_S[min(self._starts_in_vain, len(_BACK_OFF_S) - 1)]
        if self._closed.wait(wait_s):
            raise ChildGone("closed")
        self._starts_in_vain += 1
        child = self._child = _Child(self._post)
        if self._closed.is_set():  # meanwhile, by another thread
            child.kill()
        return child

    def _let_go(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
            child.line.close()


class _Child:
    """One worker process and the pipe to it."""

    def __init__(self, post: Post) -> None:
        ours, theirs = socket.socketpair()
        # A picture is larger than the pipe: its other half may never come, or never be taken.
        # As the kernel's `struct timeval`; whoever waits longer gets an `OSError`.
        patience = struct.pack(
            "@ll", *map(int, divmod(post.silence_limit_s * 1_000_000, 1_000_000))
        )
        for way in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            ours.setsockopt(socket.SOL_SOCKET, way, patience)
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
        # That nobody is there any more is noticed when it is listened to.
        with contextlib.suppress(OSError):
            send(self.line, message)

    def order(self, order: Render, photos: Sequence[Image.Image]) -> None:
        send(self.line, order)
        for photo in photos:
            self.line.send_bytes(photo.tobytes())

    def kill(self) -> int:
        """End it, whatever it does; returns its exit code."""
        self._process.kill()
        return self._process.wait()


def _environment(post: Post) -> dict[str, str]:
    """What the worker process may know: one card, no hub, and none of the bot's secrets."""
    secrets = ("VIVANT_", "HF_TOKEN")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(secrets)}
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
