"""Any upload to one clean, upright, bounded picture, decoded where it can do no harm.

Decoders are where a hostile picture attacks, so they run in children of a separate process,
the darkroom: one short-lived child per photo, with limits on memory, time and files, and no
token in its environment. This side never decodes a picture and never trusts an answer's shape.

Why a darkroom of our own: a child of it costs 4 ms, from asking to the answer; a fresh Python
with Pillow 68 ms; a child of multiprocessing's forkserver 22 ms, and 359 ms where the program's
`__main__` is a console script, which it imports into every child (measured on 2 cores). That
one also hands down the whole environment, and keeps to itself how a child ended.
"""

import asyncio
import logging
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from vivant.clips import Note, RefusalReason
from vivant.director.sight import Sight
from vivant.errors import Refused
from vivant.photos.answer import Answer, Developed, Ready, TurnedAway
from vivant.photos.door import MAX_SIDE, MAX_UPLOAD_BYTES, WALL_S, admit

__all__ = ["MAX_SIDE", "MAX_UPLOAD_BYTES", "CleanPhoto", "PhotoCleaner", "open_cleaner"]

logger = logging.getLogger(__name__)

#: For a darkroom to go when it is asked to, or to speak for a child that it had to kill.
_PATIENCE_S = 5
#: What a darkroom may know of its surroundings: where programs and libraries are, no token.
_SURROUNDINGS = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "TZ")
#: One thread per child: they run side by side already, and threads do not survive a fork.
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
    "MALLOC_ARENA_MAX": "2",
}
#: Typed: a child that was taken over can say nothing that is not an `Answer`.
_DECODER: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanPhoto:
    """What is stored of an upload: re-encoded, sRGB on white, with no metadata."""

    data: bytes
    media_type: str
    width: int
    height: int
    #: None when nobody looked.
    sight: Sight | None = None
    notes: tuple[Note, ...] = ()


class PhotoCleaner:
    """Sends uploads through the darkroom, as many at once as there are processors."""

    def __init__(self, models_dir: Path | None, wall_s: float) -> None:
        self._models_dir = models_dir
        self._wall_s = wall_s
        # At least two, so that one that hangs does not hold up everybody.
        self._slots = asyncio.Semaphore(max(2, os.cpu_count() or 1))
        self._opening = asyncio.Lock()
        self._darkroom: _Darkroom | None = None

    async def clean(self, upload: bytes) -> CleanPhoto:
        """Decode *upload*, turn it upright, bound it, drop all metadata, and look at it.

        Raises `Refused`: `EMPTY_IMAGE`, `UNSUPPORTED_FORMAT`, `NEEDS_HEIC`, `CORRUPT_IMAGE`, and
        with `limit` in its details `TOO_BIG` (MB), `TOO_MANY_PIXELS` (megapixels), `TOO_SMALL`
        (pixels of the shortest side), `BAD_ASPECT` (longest side over shortest).
        """
        admit(upload)
        async with self._slots:
            answer = await self._developed(upload)
        match answer:
            case Developed():
                logger.debug("photo cleaned", extra={"peak_bytes": answer.peak_bytes})
                if answer.blind is not None:
                    logger.warning("looking at a photo failed", extra={"why": answer.blind})
                return CleanPhoto(
                    data=answer.data,
                    media_type="image/jpeg",
                    width=answer.width,
                    height=answer.height,
                    sight=answer.sight,
                    notes=(Note.FIRST_FRAME_ONLY,) if answer.animated else (),
                )
            case TurnedAway(reason=reason, limit=limit):
                logger.debug(
                    "photo refused",
                    extra={
                        "reason": reason.value,
                        "why": answer.why,
                        "peak_bytes": answer.peak_bytes,
                    },
                )
                raise Refused(reason) if limit is None else Refused(reason, limit=limit)

    async def close(self) -> None:
        """End the darkroom and every child in it."""
        async with self._opening:
            if self._darkroom is not None:
                await self._darkroom.close()
                self._darkroom = None

    async def _developed(self, upload: bytes) -> Answer:
        # A darkroom that dies takes its photos along; that is not the photo's fault, once.
        for _ in range(2):
            darkroom = await self._open_darkroom()
            try:
                async with asyncio.timeout(self._wall_s + _PATIENCE_S):
                    answer = await darkroom.develop(upload)
            except (OSError, TimeoutError):
                answer = b""
            if answer:
                return _understood(answer)
            await self._close_darkroom(darkroom)
        return _understood(b"")

    async def _open_darkroom(self) -> "_Darkroom":
        async with self._opening:
            if self._darkroom is None:
                self._darkroom = await _Darkroom.open(self._models_dir, self._wall_s)
            return self._darkroom

    async def _close_darkroom(self, broken: "_Darkroom") -> None:
        async with self._opening:
            if self._darkroom is broken:
                self._darkroom = None
                logger.warning("the darkroom died; a new one opens with the next photo")
                await broken.kill()


@asynccontextmanager
async def open_cleaner(
    *, models_dir: Path | None = None, wall_s: float = WALL_S
) -> AsyncIterator[PhotoCleaner]:
    """Open the one cleaner of a process; with *models_dir* it also looks at the photos.

    Looking needs the extra `look` too; where anything is missing, the log says so once and
    `CleanPhoto.sight` stays None.
    """
    cleaner = PhotoCleaner(models_dir, wall_s)
    try:
        await cleaner._open_darkroom()  # noqa: SLF001 - so that the first photo does not wait
        yield cleaner
    finally:
        await cleaner.close()


class _Darkroom:
    """Our end of one darkroom process."""

    def __init__(self, process: asyncio.subprocess.Process, control: socket.socket) -> None:
        self._process = process
        self._control = control

    @classmethod
    async def open(cls, models_dir: Path | None, wall_s: float) -> "_Darkroom":
        """Start it and wait until it is ready."""
        control, theirs = socket.socketpair()
        control.setblocking(False)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-P", "-m", "vivant.photos.darkroom", str(wall_s)),
                *([str(models_dir)] if models_dir else []),
                stdin=theirs.fileno(),
                stdout=asyncio.subprocess.DEVNULL,
                env={name: os.environ[name] for name in _SURROUNDINGS if name in os.environ}
                | _ONE_THREAD
                | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            )
        darkroom = cls(process, control)
        try:
            word = await asyncio.get_running_loop().sock_recv(control, 4096)
            if not word:
                raise RuntimeError("the darkroom did not start; standard error says why")
            ready = msgspec.msgpack.decode(word, type=Ready)
        except BaseException:
            await darkroom.kill()
            raise
        if ready.blind is not None:
            logger.warning("photos will not be looked at: %s", ready.blind)
        return darkroom

    async def develop(self, upload: bytes) -> bytes:
        """Send *upload* to a new child; its answer, or nothing if the darkroom died."""
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with ours:
            ours.setblocking(False)
            with theirs:
                socket.send_fds(self._control, [b"p"], [theirs.fileno()])
            with suppress(ConnectionError):  # it may answer, or die, before it has read all
                await loop.sock_sendall(ours, upload)
            with suppress(OSError):
                ours.shutdown(socket.SHUT_WR)
            answer = bytearray()
            with suppress(ConnectionError):
                while len(answer) <= MAX_UPLOAD_BYTES and (
                    part := await loop.sock_recv(ours, 1 << 20)
                ):
                    answer += part
            return bytes(answer)

    async def close(self) -> None:
        """Hang up, which ends it and its children."""
        self._control.close()
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._process.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it when it does not listen any more."""
        self._control.close()
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


def _understood(answer: bytes) -> Answer:
    try:
        return _DECODER.decode(answer)
    except msgspec.DecodeError:
        return TurnedAway(
            reason=RefusalReason.CORRUPT_IMAGE, limit=None, why="no answer", peak_bytes=0
        )
