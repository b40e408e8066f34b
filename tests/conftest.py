"""A real Redis, a real SQLite file, a real directory, real mp4s; only what is far away is faked."""

import asyncio
import io
import os
import re
import subprocess
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
import skimage
from numpy.typing import NDArray
from PIL import Image

from tests.engines import QuickEngine
from vivant.engine import Engine
from vivant.engine.worker import RenderWorker
from vivant.queue import RENDER, STOPS, hearing, listening
from vivant.services import Services, open_services, running
from vivant.settings import Settings

StartEngine = Callable[[Engine], AbstractAsyncContextManager[RenderWorker]]


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No `VIVANT_…` of the developer's and no `.env` reaches a test."""
    for name in [name for name in os.environ if name.startswith("VIVANT_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Everything in one folder, leases of seconds; nothing is rationed but what a test rations."""
    return Settings.load(
        data_dir=tmp_path / "data",
        lease_s=2.0,
        beat_s=0.5,
        upkeep_s=0.2,
        drain_s=5.0,
        max_requests_per_minute=1000,
        max_open_jobs=100,
    )


@pytest.fixture
async def services(settings: Settings) -> AsyncGenerator[Services]:
    """A private Redis, the ledger, the store and their upkeep, as every process opens them."""
    async with open_services(settings) as services:
        yield services


@asynccontextmanager
async def engine_at_work(services: Services, engine: Engine) -> AsyncGenerator[RenderWorker]:
    """A real worker for *engine*, in this process."""
    await asyncio.to_thread(engine.setup)
    worker = RenderWorker(
        engine,
        services.ledger,
        services.media,
        services.bells,
        services.radio,
        id=f"test:{engine.profile.name}",
        beat_s=services.settings.beat_s,
    )
    async with (
        running(worker.present(), "present"),
        listening(services.redis_url, STOPS, worker.on_stop),
        hearing(services.redis_url, RENDER, worker.on_ring, at_once=1, drain_s=5) as ears,
    ):
        yield worker
        ears.deafen()
        await worker.drain(5)


@pytest.fixture
def start_engine(services: Services) -> StartEngine:
    """Run a real worker for an engine, in this process."""
    return partial(engine_at_work, services)


@pytest.fixture
async def quick_engine(start_engine: StartEngine) -> AsyncGenerator[QuickEngine]:
    """An engine that is at work: real frames, small and fast."""
    engine = QuickEngine()
    async with start_engine(engine):
        yield engine


@pytest.fixture
def photo() -> bytes:
    """A small JPEG with something to see in it."""
    ramp = np.linspace(0, 255, 320, dtype=np.uint8)
    picture = np.stack([np.tile(ramp, (240, 1)), np.full((240, 320), 120, np.uint8),
                        np.tile(ramp[::-1], (240, 1))], axis=-1)  # fmt: skip
    out = io.BytesIO()
    Image.fromarray(picture).save(out, "JPEG")
    return out.getvalue()


@pytest.fixture(scope="session")
def astronaut() -> bytes:
    """Eileen Collins, NASA, public domain: one person, half body, smiling."""
    path = Path(skimage.__file__).parent / "data" / "astronaut.png"
    return path.read_bytes()


async def wait_until(
    holds: Callable[[], Awaitable[bool] | bool], *, within_s: float = 20, what: str = ""
) -> None:
    """Come back as soon as *holds* does; fail after *within_s* seconds."""
    async with asyncio.timeout(within_s):
        while True:
            answer = holds()
            if answer if isinstance(answer, bool) else await answer:
                return
            await asyncio.sleep(0.01)
    raise AssertionError(what)


def frames_of(video: bytes, tmp_path: Path) -> list[NDArray[np.uint8]]:
    """The pictures of an mp4, decoded by ffmpeg: each height x width x 3."""
    path = tmp_path / "looked-at.mp4"
    path.write_bytes(video)
    ffmpeg = imageio_ffmpeg.get_ffmpeg_exe()
    told = subprocess.run([ffmpeg, "-i", str(path)], capture_output=True, text=True, check=False)
    size = re.search(r"Video: .* (\d+)x(\d+)[, ]", told.stderr)
    assert size is not None, told.stderr
    width, height = int(size[1]), int(size[2])
    command = [ffmpeg, "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return list(np.frombuffer(raw, np.uint8).reshape(-1, height, width, 3))
