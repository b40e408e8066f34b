"""The README's picture: six moments of the demo's clip in a row, cut to the head and shoulders.

make demo && python -m bench.demo_picture vivant-demo.mp4 docs/demo.jpg
"""

import argparse
import subprocess
from io import BytesIO
from pathlib import Path

import imageio_ffmpeg
from PIL import Image

MOMENTS_S = (0.0, 0.5, 1.0, 1.6, 2.3, 3.2)
#: Left, top, right, bottom of the part that is shown, in shares of the frame.
CUT = (0.22, 0.0, 0.7, 0.46)
HEIGHT = 260


def frame_at(clip: Path, seconds: float) -> Image.Image:
    """One frame, decoded by ffmpeg."""
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-ss", f"{seconds}", "-i", str(clip),
        "-frames:v", "1", "-f", "image2pipe", "-c:v", "ppm", "-",
    ]  # fmt: skip
    return Image.open(
        BytesIO(subprocess.run(command, capture_output=True, check=True).stdout)
    ).convert("RGB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clip", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    cuts = []
    for seconds in MOMENTS_S:
        frame = frame_at(arguments.clip, seconds)
        left, top, right, bottom = CUT
        part = frame.crop(
            (
                round(left * frame.width),
                round(top * frame.height),
                round(right * frame.width),
                round(bottom * frame.height),
            )
        )
        cuts.append(part.resize((round(part.width * HEIGHT / part.height), HEIGHT)))
    row = Image.new("RGB", (sum(cut.width + 4 for cut in cuts) - 4, HEIGHT), "white")
    x = 0
    for cut in cuts:
        row.paste(cut, (x, 0))
        x += cut.width + 4
    row.save(arguments.out, quality=88)


if __name__ == "__main__":
    main()
