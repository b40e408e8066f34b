"""Frames to an mp4 that every phone plays, and that says a machine made it.

H.264 High, yuv420p, BT.709 converted and tagged, index first. It asks for each picture as it
goes, so an engine that draws while it is asked is never held in memory as a whole.
"""

import logging
import math
import subprocess
import wave
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

import imageio_ffmpeg
from PIL import Image

from vivant.clips import FailureReason
from vivant.engine import Frames, Sound
from vivant.engine.workbench import workbench
from vivant.errors import RenderError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

#: Kept in the file itself, where `/verify` and other tools can read it.
COMMENT: Final = "AI-generated with Vivant from a photo"

#: Measured: veryfast is as good as medium here and three times faster.
CRF: Final = 18
X264: Final = ("-preset", "veryfast", "-crf", str(CRF), "-profile:v", "high")
#: An ffmpeg that takes longer over seconds of video hangs.
LONGEST_S: Final = 300
#: Beyond this a face is no face any more; better say that the clip is too large.
_COARSEST: Final = 42
FAST_START: Final = ("-movflags", "+faststart", "-metadata", f"comment={COMMENT}")
#: Without the conversion players that assume BT.709 show skin and green up to 23 of 255 off.
TO_BT709: Final = (
    "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,"
    "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709"
)
_THUMBNAIL_SIDE: Final = 320

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoded:
    """One clip as bytes, with the picture that stands for it."""

    video: bytes
    #: JPEG, at most 320 pixels a side.
    thumbnail: bytes
    width: int
    height: int
    num_frames: int


def encode_mp4(frames: Frames) -> Encoded:
    """Encode *frames*; asks for each picture once.

    Blocks; `RenderStopped` comes through from the engine. Raises `RenderError`
    (RENDER_FAILED) when ffmpeg does not do its work.
    """
    with workbench() as folder:
        path = folder / "clip.mp4"
        watched = _Watched(frames)
        _write(frames, watched, path)
        return Encoded(
            video=path.read_bytes(),
            thumbnail=watched.thumbnail,
            width=frames.width,
            height=frames.height,
            num_frames=watched.count,
        )


def within(video: bytes, limit_bytes: int) -> bytes:
    """*video* as it is if it is small enough, else encoded once more as coarsely as it takes.

    Raises `RenderError` (CLIP_TOO_LARGE) when that is not enough.
    """
    if len(video) <= limit_bytes:
        return video
    with workbench() as folder:
        path = folder / "clip.mp4"
        path.write_bytes(video)
        return _squeezed(path, limit_bytes).read_bytes()


class _Watched:
    """Passes the pictures on, counts them, and makes the thumbnail of the middle one."""

    count = 0
    thumbnail = b""

    def __init__(self, frames: Frames) -> None:
        self._frames = frames

    def __iter__(self) -> "Iterator[NDArray[np.uint8]]":
        kept: NDArray[np.uint8] | None = None
        for picture in self._frames.pictures:
            if self.count == self._frames.num_frames // 2 or kept is None:
                kept = picture.copy()
            self.count += 1
            yield picture
        if kept is None:
            raise RenderError(FailureReason.RENDER_FAILED)
        # Now, while ffmpeg is still busy with the pictures it looks ahead at.
        self.thumbnail = thumbnail_of(Image.fromarray(kept))


def thumbnail_of(image: Image.Image) -> bytes:
    """*image* as a JPEG of at most 320 pixels a side."""
    small = image.copy()
    small.thumbnail((_THUMBNAIL_SIDE, _THUMBNAIL_SIDE))
    out = BytesIO()
    small.save(out, "JPEG", quality=85)
    return out.getvalue()


def _write(frames: Frames, pictures: _Watched, path: Path) -> None:
    said = path.with_name("said.txt")
    with _wave_file(frames.sound, path.parent) as sound, said.open("wb") as errors:
        command = [
            imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24",
            "-s", f"{frames.width}x{frames.height}", "-r", str(frames.frame_rate), "-i", "-",
            *sound, "-c:v", "libx264", "-vf", TO_BT709, *X264, *FAST_START, str(path),
        ]  # fmt: skip
        # In a group of its own: Ctrl-C is for the worker, which may finish the clip.
        with subprocess.Popen(  # noqa: S603
            command, stdin=subprocess.PIPE, stderr=errors, process_group=0
        ) as ffmpeg:
            _feed(ffmpeg, pictures)
    if ffmpeg.returncode != 0:
        logger.error("ffmpeg failed", extra={"why": said.read_text(errors="replace")[-500:]})
        raise RenderError(FailureReason.RENDER_FAILED, transient=True)


def _feed(ffmpeg: subprocess.Popen[bytes], pictures: _Watched) -> None:
    assert ffmpeg.stdin is not None  # noqa: S101  # it is a pipe
    try:
        # One that broke off says why by its exit code.
        with suppress(BrokenPipeError), ffmpeg.stdin as pipe:
            for picture in pictures:
                pipe.write(picture.data)
    except BaseException:
        ffmpeg.kill()
        raise


def _squeezed(path: Path, limit_bytes: int) -> Path:
    # x264 halves a clip's size about every six steps of crf; eight leave a margin, and a fixed
    # bit rate would miss its target by far in a clip of seconds.
    steps = math.ceil(8 * math.log2(path.stat().st_size / limit_bytes)) + 1
    crf = str(min(CRF + steps, _COARSEST))
    smaller = path.with_name("smaller.mp4")
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-c:v", "libx264",
        "-preset", "veryfast", "-crf", crf, "-profile:v", "high", "-pix_fmt", "yuv420p",
        "-c:a", "copy", *FAST_START, str(smaller),
    ]  # fmt: skip
    try:
        subprocess.run(  # noqa: S603
            command,
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=LONGEST_S,
        )
    except subprocess.SubprocessError as exc:
        raise RenderError(FailureReason.CLIP_TOO_LARGE) from exc
    if smaller.stat().st_size > limit_bytes:
        raise RenderError(FailureReason.CLIP_TOO_LARGE)
    return smaller


@contextmanager
def _wave_file(sound: Sound | None, folder: Path) -> Generator[tuple[str, ...]]:
    """What ffmpeg is told of the sound."""
    if sound is None:
        yield ()
        return
    path = folder / "sound.wav"
    with wave.open(str(path), "wb") as out:
        out.setnchannels(sound.channels)
        out.setsampwidth(2)
        out.setframerate(sound.sample_rate)
        out.writeframes(sound.samples)
    yield ("-i", str(path), "-map", "0:v:0", "-map", "1:a:0", "-c:a", "aac")
