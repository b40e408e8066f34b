"""Requests accepted in a second with photos of 2 MB, against decoding and encoding them alone.

    python -m bench.acceptance [--photos 24]

The whole way in: the darkroom, the words, the store, the ledger (SQLite), the bell.
"""

import argparse
import asyncio
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from bench.photos import alone, phone_photo, report
from vivant.chat import PhotoMessage, Sender
from vivant.clips import ReplyTo
from vivant.houses import Houses
from vivant.intake import HouseRules, Intake
from vivant.photos import open_cleaner
from vivant.services import open_services
from vivant.settings import Settings


async def accepted(photos: list[bytes], folder: Path) -> None:
    settings = Settings.load(
        data_dir=folder, max_open_jobs=1000, max_requests_per_minute=1000, free_clips_per_day=1000
    )
    async with open_services(settings) as services, open_cleaner() as cleaner:
        intake = Intake(
            services.ledger,
            services.media,
            services.bells,
            cleaner,
            HouseRules(),
            Houses(services.ledger),
            b"bench",
        )
        messages = [
            PhotoMessage(
                event_id=str(number),
                reply_to=ReplyTo(platform="bench", bot="b", chat_id=str(number)),
                sender=Sender(id=str(number)),
                words="smile and wave",
                photo=photo,
                limit_bytes=10_000_000,
            )
            for number, photo in enumerate(photos)
        ]
        start = time.perf_counter()
        await asyncio.gather(*(intake.accept(message) for message in messages))
        report("accepted, all at once", len(photos), time.perf_counter() - start)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=24)
    photos = [phone_photo(number) for number in range(parser.parse_args().photos)]
    with ProcessPoolExecutor() as pool:
        list(pool.map(alone, photos[:2]))
        start = time.perf_counter()
        list(pool.map(alone, photos))
        report("alone, on all processors", len(photos), time.perf_counter() - start)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(accepted(photos, Path(folder)))


if __name__ == "__main__":
    main()
