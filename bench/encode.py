"""Encoding against the bare ffmpeg pipe fed the same frames, turn by turn in one run.

python -m bench.encode [--rounds 7]
"""

import argparse
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from vivant.engine import Frames
from vivant.engine.encode import FAST_START, TO_BT709, X264, encode_mp4

SIZES = ((832, 480, 81), (1280, 720, 121))


def moving(width: int, height: int, count: int) -> list[NDArray[np.uint8]]:
    """A soft picture that drifts, as a clip does: neither a still nor noise."""
    rng = np.random.default_rng(7)
    small = rng.integers(0, 255, (height // 16 + 2, width // 16 + 12, 3), dtype=np.uint8)
    large = np.kron(small, np.ones((16, 16, 1), np.uint8))
    return [np.ascontiguousarray(large[:height, i : i + width]) for i in range(count)]


def bare(pictures: list[NDArray[np.uint8]], path: Path) -> None:
    height, width = pictures[0].shape[:2]
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24",
        "-s", f"{width}x{height}", "-r", "24", "-i", "-", "-an", "-vf", TO_BT709, "-c:v", "libx264",
        *X264, *FAST_START, str(path),
    ]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE) as ffmpeg:
        assert ffmpeg.stdin is not None
        for picture in pictures:
            ffmpeg.stdin.write(picture.tobytes())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    table = Table("frames", "bare ffmpeg, median s", "encode_mp4, median s", "ratio")
    with tempfile.TemporaryDirectory() as folder:
        for width, height, count in SIZES:
            pictures = moving(width, height, count)
            alone: list[float] = []
            ours: list[float] = []
            for _ in range(rounds):
                started = time.perf_counter()
                bare(pictures, Path(folder) / "bare.mp4")
                alone.append(time.perf_counter() - started)
                started = time.perf_counter()
                encode_mp4(
                    Frames(
                        pictures=pictures,
                        width=width,
                        height=height,
                        num_frames=count,
                        frame_rate=24,
                    )
                )
                ours.append(time.perf_counter() - started)
            ratio = statistics.median(b / a for a, b in zip(alone, ours, strict=True))
            table.add_row(
                f"{width} x {height} x {count}",
                f"{statistics.median(alone):.2f}",
                f"{statistics.median(ours):.2f}",
                f"{ratio:.2f}",
            )
    Console().print(table)


if __name__ == "__main__":
    main()
