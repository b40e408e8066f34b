"""Clips made of clips: there and back again, or two in a row. Knows no engine.

Blocks; raises `RenderError` when ffmpeg does not do its work.
"""

import io
import subprocess
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Final

import imageio_ffmpeg
from PIL import Image

from vivant.clips import FailureReason
from vivant.engine import Frames
from vivant.engine.encode import FAST_START, LONGEST_S, TO_BT709, X264, Encoded, thumbnail_of
from vivant.engine.workbench import workbench
from vivant.errors import RenderError

#: The way back leaves out the turning frame and the first, which would each show twice.
_THERE_AND_BACK: Final = (
    "[0:v]split[there][turned];"
    "[turned]reverse,trim=start_frame=1,setpts=PTS-STARTPTS[back];"
    f"[there][back]concat=n=2:v=1:a=0,{TO_BT709}"
)


def last_picture(video: bytes) -> Image.Image:
    """The last frame of an mp4."""
    with workbench() as folder:
        source = _file(folder, "clip.mp4", video)
        # Decoding the last second whole and keeping what comes last finds it at any frame rate.
        last = folder / "last.png"
        _ffmpeg("-sseof", "-1", "-i", str(source), "-update", "1", str(last))
        with Image.open(io.BytesIO(last.read_bytes()), formats=("PNG",)) as image:
            return image.convert("RGB")


def there_and_back(video: bytes) -> Encoded:
    """The clip forwards, then backwards: its end leads into its start. Without sound."""
    with workbench() as folder:
        source = _file(folder, "clip.mp4", video)
        return _spliced(folder, [source], _THERE_AND_BACK)


def joined(first: bytes, second: Encoded) -> Encoded:
    """Two clips of one size and frame rate, one after the other. Without sound."""
    with workbench() as folder:
        inputs = [_file(folder, "first.mp4", first), _file(folder, "second.mp4", second.video)]
        return _spliced(folder, inputs, f"[0:v][1:v]concat=n=2:v=1:a=0,{TO_BT709}")


def going_on(frames: Frames) -> Frames:
    """What follows a clip whose last picture these frames begin with: all but the first."""
    return replace(
        frames, pictures=islice(frames.pictures, 1, None), num_frames=frames.num_frames - 1
    )


def _file(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _spliced(folder: Path, inputs: list[Path], graph: str) -> Encoded:
    out = folder / "out.mp4"
    named = [part for path in inputs for part in ("-i", str(path))]
    encoding = ("-an", "-c:v", "libx264", *X264, *FAST_START, str(out))
    _ffmpeg(*named, "-filter_complex", graph, *encoding)
    num_frames, _ = imageio_ffmpeg.count_frames_and_secs(str(out))
    video = out.read_bytes()
    picture = last_picture(video)
    return Encoded(
        video=video,
        thumbnail=thumbnail_of(picture),
        width=picture.width,
        height=picture.height,
        num_frames=num_frames,
    )


def _ffmpeg(*arguments: str) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-y", *arguments]
    try:
        subprocess.run(  # noqa: S603
            command,
            check=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=LONGEST_S,
        )
    except (OSError, subprocess.SubprocessError) as exc:
        raise RenderError(FailureReason.RENDER_FAILED, transient=True) from exc
