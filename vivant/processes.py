"""The processes of the service: one engine, one bot each, or all of them under one roof."""

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vivant.engine import Engine
from vivant.errors import SettingsError
from vivant.queue import RENDER, STOPS, hearing, listening
from vivant.queue.local_redis import local_redis
from vivant.services import Services, open_services, running
from vivant.settings import Settings

#: A process that lives writes this file anew, for `vivant doctor --alive`.
ALIVE_FILE: Final = "alive"
ALIVE_EVERY_S: Final = 10
#: What a process ends with that cannot start as it is configured (EX_CONFIG of sysexits.h).
EXIT_SETTINGS: Final = 78
#: A child that died comes back after this, twice as long each time it dies soon.
_FIRST_RETRY_S: Final = 1.0
_LAST_RETRY_S: Final = 60.0
_STOP_S: Final = 40

logger = logging.getLogger(__name__)


async def run_engine(
    settings: Settings,
    *,
    engines: Sequence[Engine] | None = None,
    stop: asyncio.Event | None = None,
) -> None:
    """`vivant engine`: load, then render until told to stop; one worker for each of *engines*."""
    stop = stop or stop_signal()
    if engines is None:
        from vivant.engine.choice import open_engines  # noqa: PLC0415  # no OpenCV in a bot

        engines = await asyncio.to_thread(
            open_engines,
            settings.engine,
            models_dir=settings.models_dir,
            gpus=settings.gpus,
            accepted=frozenset(settings.accept_licences),
        )
    try:
        for engine in engines:
            started = time.monotonic()
            await asyncio.to_thread(engine.setup)
            took = round(time.monotonic() - started, 1)
            logger.info("engine ready", extra={"engine": engine.profile.name, "s": took})
        async with (
            open_services(settings) as services,
            running(beat_alive(settings), "alive"),
        ):
            # In a task of its own: where a `TaskGroup` fails, Python 3.11.2 leaves the task it is
            # in half cancelled, and time limits in what closes after it end in `CancelledError`.
            await asyncio.create_task(_work_all(services, engines, stop), name="engines")
    finally:
        for engine in engines:
            await asyncio.to_thread(engine.close)


async def _work_all(services: Services, engines: Sequence[Engine], stop: asyncio.Event) -> None:
    async with asyncio.TaskGroup() as workers:
        for engine in engines:
            workers.create_task(_work(services, engine, stop))


async def _work(services: Services, engine: Engine, stop: asyncio.Event) -> None:
    """One worker at work until *stop*; then what it holds is finished or handed back."""
    from vivant.engine.worker import RenderWorker  # noqa: PLC0415  # no ffmpeg in a bot

    settings = services.settings
    worker = RenderWorker(
        engine,
        services.ledger,
        services.media,
        services.bells,
        services.radio,
        id=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}",
        beat_s=settings.beat_s,
    )
    async with (
        running(worker.present(), "present"),
        listening(services.redis_url, STOPS, worker.on_stop),
        hearing(
            services.redis_url, RENDER, worker.on_ring, at_once=worker.slots, drain_s=0
        ) as ears,
    ):
        await stop.wait()
        logger.info("stopping")
        ears.deafen()
        await worker.drain(settings.drain_s)
    await services.ledger.fleet.gone(worker.id)


async def run_bot(settings: Settings, platform: str, *, stop: asyncio.Event | None = None) -> None:
    """`vivant bot telegram|discord`: talk until told to stop."""
    stop = stop or stop_signal()
    async with open_services(settings) as services, running(beat_alive(settings), "alive"):
        match platform:
            case "telegram":
                from vivant.bots.telegram import run as talk  # noqa: PLC0415
            case "discord":
                from vivant.bots.discord import run as talk  # noqa: PLC0415
            case _:
                raise SettingsError(f"there is no platform {platform!r}: telegram, discord")
        await talk(services, stop)


async def run_everything(settings: Settings) -> None:
    """`vivant up`: Redis if none is named, an engine, and each bot whose token is set."""
    names = [["engine"]]
    if settings.telegram_token:
        names.append(["bot", "telegram"])
    if settings.discord_token:
        names.append(["bot", "discord"])
    if len(names) == 1:
        logger.warning(
            "no bot is set up: set VIVANT_TELEGRAM_TOKEN or VIVANT_DISCORD_TOKEN; "
            "meanwhile `vivant animate` works"
        )
    stop = stop_signal()
    async with contextlib.AsyncExitStack() as stack:
        if settings.redis_url is None:
            await stack.enter_async_context(local_redis(settings.data_dir))
        keepers = [asyncio.create_task(_keep(name, stop)) for name in names]
        logger.info("up; Ctrl-C ends it")
        await asyncio.wait(keepers)
        if not stop.is_set():
            raise SettingsError("nothing of it could start; what was said above is to be mended")
        logger.info("down")


@asynccontextmanager
async def engine_at_hand(services: Services) -> AsyncGenerator[None]:
    """Start an engine for the block where none is alive; raises `SettingsError` if it cannot."""
    if await services.ledger.fleet.profiles():
        yield
        return
    child = await _spawn(["engine", "--quiet"])
    try:
        while not await services.ledger.fleet.profiles():
            if child.returncode is not None:
                raise SettingsError("the engine could not be started; see `vivant doctor`")
            await asyncio.sleep(0.05)
        yield
    finally:
        await _end(child)


def stop_signal() -> asyncio.Event:
    """Set by the first SIGINT or SIGTERM; a second one is not waited for."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    return stop


async def stop_with_parent(stop: asyncio.Event) -> None:
    """Set *stop* when standard input ends: a parent that was killed leaves no child behind."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    await reader.read()
    stop.set()


async def beat_alive(settings: Settings) -> None:
    """Write the sign of life anew, again and again; the event loop that is stuck does not."""
    path = settings.data_dir / ALIVE_FILE
    while True:
        try:
            path.touch()
        except OSError as exc:
            logger.warning("no sign of life could be given", extra={"why": type(exc).__name__})
        await asyncio.sleep(ALIVE_EVERY_S)


def is_alive(data_dir: Path) -> bool:
    """Whether a process with this data directory gave a sign of life just now."""
    try:
        return time.time() - (data_dir / ALIVE_FILE).stat().st_mtime < 3 * ALIVE_EVERY_S
    except FileNotFoundError:
        return False


@dataclass(slots=True)
class _Patience:
    """How long to wait before a child that died is started again."""

    seconds: float = _FIRST_RETRY_S

    def after(self, lived_s: float) -> float:
        if lived_s > _LAST_RETRY_S:
            self.seconds = _FIRST_RETRY_S
        waited, self.seconds = self.seconds, min(self.seconds * 2, _LAST_RETRY_S)
        return waited


async def _keep(command: list[str], stop: asyncio.Event) -> None:
    """Run one child until *stop*; start it again when it dies."""
    name = " ".join(command)
    patience = _Patience()
    while not stop.is_set():
        child = await _spawn(command)
        started = time.monotonic()
        ended = asyncio.create_task(child.wait())
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait((ended, stopped), return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            await _end(child)
            await asyncio.wait((ended,))
            return
        stopped.cancel()
        if child.returncode == EXIT_SETTINGS:
            logger.error("%s cannot start as it is set up; mend it, then start again", name)
            return
        pause = patience.after(time.monotonic() - started)
        logger.warning("%s ended with %s; again in %g s", name, child.returncode, pause)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), pause)


async def _spawn(command: list[str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "vivant",
        *command,
        "--with-parent",
        stdin=asyncio.subprocess.PIPE,
        # Ctrl-C is for the parent, which asks its children to finish.
        start_new_session=True,
    )


async def _end(child: asyncio.subprocess.Process) -> None:
    if child.returncode is not None:
        return
    child.terminate()
    try:
        await asyncio.wait_for(child.wait(), _STOP_S)
    except TimeoutError:
        child.kill()
        await child.wait()
