"""Cleaned photos per second, against decoding and re-encoding the same photos alone.

    python -m bench.photos [--photos 24] [--models-dir DIR]

The photos are made here: 12 megapixels, about 2 MB each, as phones send them.
"""

import argparse
import asyncio
import io
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from PIL import Image

from vivant.photos import open_cleaner
from vivant.photos.door import admit
from vivant.photos.picture import develop, print_jpeg


def phone_photo(number: int) -> bytes:
    """Soft shapes and some grain; no two alike."""
    shapes = Image.effect_noise((16 + number, 12), 90).resize(
        (4000, 3000), Image.Resampling.BICUBIC
    )
    grain = Image.effect_noise((4000, 3000), 16)
    bands = (Image.blend(shapes, grain, 0.4), shapes, Image.blend(grain, shapes, 0.7))
    out = io.BytesIO()
    Image.merge("RGB", bands).save(out, "JPEG", quality=90)
    return out.getvalue()


def alone(upload: bytes) -> int:
    """The same work with nothing around it: no child, no limits, no socket."""
    picture, _ = develop(upload, admit(upload))
    return len(print_jpeg(picture))


def report(what: str, photos: int, seconds: float) -> None:
    print(f"{what:<38}{photos / seconds:7.1f} a second {seconds / photos * 1000:8.1f} ms each")


async def cleaned(photos: list[bytes], models_dir: Path | None) -> None:
    looking = "" if models_dir is None else ", looking"
    async with open_cleaner(models_dir=models_dir) as cleaner:
        start = time.perf_counter()
        for photo in photos:
            await cleaner.clean(photo)
        report(f"cleaned one by one{looking}", len(photos), time.perf_counter() - start)
        start = time.perf_counter()
        await asyncio.gather(*(cleaner.clean(photo) for photo in photos))
        report(f"cleaned all at once{looking}", len(photos), time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=24)
    parser.add_argument("--models-dir", type=Path)
    chosen = parser.parse_args()
    photos = [phone_photo(number) for number in range(chosen.photos)]
    megabytes = sum(map(len, photos)) / len(photos) / 1e6
    print(f"{len(photos)} photos of {megabytes:.1f} MB, {os.cpu_count()} processors")

    start = time.perf_counter()
    for photo in photos:
        alone(photo)
    report("alone, one by one", len(photos), time.perf_counter() - start)
    with ProcessPoolExecutor() as pool:
        list(pool.map(alone, photos[: os.cpu_count()]))
        start = time.perf_counter()
        list(pool.map(alone, photos))
        report("alone, on all processors", len(photos), time.perf_counter() - start)
    asyncio.run(cleaned(photos, None))
    if chosen.models_dir is not None:
        asyncio.run(cleaned(photos, chosen.models_dir))


if __name__ == "__main__":
    main()
