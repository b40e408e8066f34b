"""The process where uploads are decoded: forks one short-lived, limited child per photo.

Started by `vivant.photos` with standard input as the control socket. Over it comes one byte
with one socket per photo: the upload arrives through that socket, the answer leaves through
it. It knows no secret: its environment holds no token, and a child can open no file and no
socket of its own. When its owner goes, in whatever way, it ends its children and itself.
"""

import gc
import os
import resource
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import msgspec
from PIL import Image

from vivant.clips import RefusalReason
from vivant.director.sight import Sight
from vivant.errors import Refused, VivantError
from vivant.photos.answer import Answer, Developed, Ready, TurnedAway
from vivant.photos.door import admit
from vivant.photos.picture import develop, print_jpeg

#: Of one child. The address space holds the worst picture let in, a 40 MP animation, twice over.
MEMORY_BYTES = 1_200_000_000
CPU_S = 10

Look = Callable[[Image.Image], Sight]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Child:
    photo: socket.socket
    deadline: float


class Darkroom:
    """Hands each photo to a fork of itself, and watches the forks."""

    def __init__(self, control: socket.socket, look: Look | None, wall_s: float) -> None:
        self._control = control
        self._wall_s = wall_s
        self._look = look
        self._children: dict[int, _Child] = {}

    def serve(self) -> None:
        """Return when the owner is gone; no child is left then."""
        woken, waker = socket.socketpair()
        woken.setblocking(False)
        waker.setblocking(False)
        signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with woken, waker, selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ)
            selector.register(woken, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select(self._patience_s()):
                    if key.fileobj is woken:
                        woken.recv(4096)
                    elif not self._take():
                        self._end()
                        return
                self._kill_overdue()
                self._reap()

    def _take(self) -> bool:
        """Fork for the next photo; False when there will be none."""
        try:
            word, fds, _, _ = socket.recv_fds(self._control, 1, 1)
        except ConnectionError:
            return False
        if not word:
            return False
        photo = socket.socket(fileno=fds[0])
        pid = os.fork()
        if pid == 0:
            _be_the_child(photo.detach(), self._look)
        self._children[pid] = _Child(photo=photo, deadline=time.monotonic() + self._wall_s)
        return True

    def _patience_s(self) -> float | None:
        if not self._children:
            return None
        next_deadline = min(child.deadline for child in self._children.values())
        return max(0.05, next_deadline - time.monotonic())

    def _kill_overdue(self) -> None:
        now = time.monotonic()
        for pid, child in self._children.items():
            if child.deadline <= now:
                os.kill(pid, signal.SIGKILL)

    def _reap(self) -> None:
        for pid in list(self._children):
            done, status, usage = os.wait4(pid, os.WNOHANG)
            if done:
                with self._children.pop(pid).photo as photo:
                    if status != 0:
                        _speak_for_the_dead(photo, status, usage)

    def _end(self) -> None:
        for pid, child in self._children.items():
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            child.photo.close()


def _speak_for_the_dead(photo: socket.socket, status: int, usage: resource.struct_rusage) -> None:
    answer = TurnedAway(
        reason=RefusalReason.CORRUPT_IMAGE,
        limit=None,
        why=f"the child ended with {os.waitstatus_to_exitcode(status)}",
        peak_bytes=_peak_bytes(usage),
    )
    photo.setblocking(False)
    with suppress(OSError):  # nobody waits for it any more, or an answer is stuck half way
        photo.send(msgspec.msgpack.encode(answer))


def _be_the_child(photo_fd: int, look: Look | None) -> None:
    """Read one upload, answer it, end; never returns."""
    status = 1
    try:
        _give_up_all_but(photo_fd)
        with socket.socket(fileno=3) as photo, photo.makefile("rb") as incoming:
            photo.sendall(msgspec.msgpack.encode(_answer(incoming.read(), look)))
        status = 0
    finally:
        os._exit(status)


def _give_up_all_but(photo_fd: int) -> None:
    """Keep the one socket, as 3; everything else that a decoder could misuse goes."""
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(photo_fd, 3)
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    _limit(resource.RLIMIT_CPU, CPU_S)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_NOFILE, 0)
    if sys.platform != "darwin":  # macOS refuses to limit the address space
        _limit(resource.RLIMIT_AS, MEMORY_BYTES)


def _limit(what: int, value: int) -> None:
    _, allowed = resource.getrlimit(what)
    if allowed != resource.RLIM_INFINITY:
        value = min(value, allowed)
    resource.setrlimit(what, (value, value))


def _answer(upload: bytes, look: Look | None) -> Answer:
    limit: object = None
    try:
        named = admit(upload)
        try:
            picture, animated = develop(upload, named)
        except MemoryError as exc:
            raise Refused(RefusalReason.TOO_MANY_PIXELS, limit=named.max_megapixels) from exc
        sight, blind = _see(picture, look)
        return Developed(
            data=print_jpeg(picture),
            width=picture.width,
            height=picture.height,
            animated=animated,
            sight=sight,
            blind=blind,
            peak_bytes=_peak_bytes(resource.getrusage(resource.RUSAGE_SELF)),
        )
    except Refused as refused:
        reason, limit, why = refused.reason, refused.details.get("limit"), repr(refused.__cause__)
    except Exception as exc:  # noqa: BLE001 - decoders stumble in more ways than they document
        reason, why = RefusalReason.CORRUPT_IMAGE, repr(exc)
    return TurnedAway(
        reason=reason,
        limit=limit if isinstance(limit, int) else None,
        why=why,
        peak_bytes=_peak_bytes(resource.getrusage(resource.RUSAGE_SELF)),
    )


def _see(picture: Image.Image, look: Look | None) -> tuple[Sight | None, str | None]:
    """What is in the picture, or why that was not found out."""
    if look is None:
        return None, None
    try:
        return look(picture), None
    except Exception as exc:  # noqa: BLE001 - no photo is refused because looking failed
        return None, repr(exc)


def _peak_bytes(usage: resource.struct_rusage) -> int:
    # Linux counts in KiB, macOS in bytes.
    return usage.ru_maxrss if sys.platform == "darwin" else usage.ru_maxrss * 1024


def main() -> None:
    """Load once what the children need, for they can open no file; then serve.

    Arguments: the seconds that one photo may take, and the models' directory if it has one.
    """
    # Stopping reaches a whole group at once; the owner still wants its answers, then hangs up.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    wall_s, models_dir = float(sys.argv[1]), sys.argv[2:]
    control = socket.socket(fileno=os.dup(0))
    Image.init()
    with suppress(ImportError):
        import_module("pillow_heif").register_heif_opener()
    look: Look | None = None
    blind: str | None = None
    if models_dir:
        try:
            look = import_module("vivant.director.look").Looker(Path(*models_dir)).look
            import_module("numpy.ma")  # numpy loads it on first use, too late for a child
        except (ImportError, VivantError) as exc:
            blind = str(exc)
    gc.freeze()  # so that children do not copy pages only to count references
    control.send(msgspec.msgpack.encode(Ready(blind=blind)))
    Darkroom(control, look, wall_s).serve()


if __name__ == "__main__":
    main()
