"""The service as real processes, to be killed, frozen and started again by whoever tests it.

Each process of the fleet is `tests.guarantees.process`; Redis is the one that Vivant starts for
itself, and comes back by itself. Processes that nobody stopped on purpose can be kept alive, as a
service manager would.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from redis.asyncio import Redis

from vivant.ledger import Ledger, open_ledger
from vivant.queue.local_redis import local_redis
from vivant.services import leases_of, limits_of
from vivant.settings import Settings

REPOSITORY: Final = Path(__file__).parents[1]
#: Leases of seconds, and nothing is rationed.
PACE: Final = {
    "VIVANT_LEASE_S": "2",
    "VIVANT_BEAT_S": "0.5",
    "VIVANT_UPKEEP_S": "0.3",
    "VIVANT_DRAIN_S": "10",
    "VIVANT_MAX_OPEN_JOBS": "1000",
    "VIVANT_MAX_REQUESTS_PER_MINUTE": "1000",
    "VIVANT_MAX_RENDERS_PER_DAY": "1000000",
    "VIVANT_FREE_CLIPS_PER_DAY": "1000",
}


@dataclass(slots=True)
class Child:
    """One process."""

    what: str
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def is_alive(self) -> bool:
        return self.process.poll() is None

    def kill(self) -> None:
        """As the kernel's out-of-memory killer does."""
        self.process.kill()
        self.process.wait()

    def freeze(self) -> None:
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def ask_to_stop(self) -> None:
        self.process.terminate()

    def said(self, words: str) -> bool:
        """Whether its log has *words*."""
        return words in self.log.read_text(errors="replace")


@dataclass(slots=True)
class Fleet:
    """All processes of one service, and what they share."""

    folder: Path
    environment: dict[str, str]
    redis_url: str
    ledger: Ledger
    children: list[Child] = field(default_factory=list)
    _started: int = 0

    def start(self, what: str, **environment: str) -> Child:
        """One more "engine", "telegram" or "discord"."""
        self._started += 1
        log = self.folder / f"{self._started}-{what}.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.guarantees.process", what],
                env={**self.environment, **environment},
                cwd=self.folder,  # no .env there
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        child = Child(what, log, process)
        self.children.append(child)
        return child

    def alive(self, what: str) -> list[Child]:
        """Those of a kind that run."""
        self.children = [child for child in self.children if child.is_alive]
        return [child for child in self.children if child.what == what]

    def one(self, what: str) -> Child:
        """One of a kind that runs, started if need be."""
        running = self.alive(what)
        return running[0] if running else self.start(what)

    def stop_all(self, what: str) -> None:
        """No process of a kind is left, and none had time to say goodbye."""
        for child in self.alive(what):
            child.thaw()
            child.kill()

    @property
    def gate(self) -> Path:
        """While this file is there, renders that "wait" go on."""
        return Path(self.environment["VIVANT_DATA_DIR"]) / "go"

    async def redis_pid(self) -> int:
        async with Redis.from_url(self.redis_url) as redis:
            told = await redis.info("server")
        return int(told["process_id"])

    async def wipe_redis(self) -> None:
        async with Redis.from_url(self.redis_url) as redis:
            await redis.flushall()

    async def signal_redis(self, number: signal.Signals) -> int:
        """Its pid, for whoever froze it."""
        pid = await self.redis_pid()
        os.kill(pid, number)
        return pid


@asynccontextmanager
async def running_fleet(folder: Path, **environment: str) -> AsyncGenerator[Fleet]:
    """Redis, the ledger, and no process yet; all of it is gone after the block."""
    async with AsyncExitStack() as stack:
        data = folder / "data"
        redis_url = await stack.enter_async_context(local_redis(data))
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("VIVANT_")
        }
        told = {
            **PACE,
            "VIVANT_DATA_DIR": str(data),
            "VIVANT_REDIS_URL": redis_url,
            "VIVANT_SECRET": "a secret of the tests",
            **environment,
        }
        names = {name.removeprefix("VIVANT_").lower(): value for name, value in told.items()
                 if name.startswith("VIVANT_")}  # fmt: skip
        settings = Settings.load(**names)
        ledger = await stack.enter_async_context(
            open_ledger(settings.ledger_url, leases_of(settings), limits_of(settings))
        )
        fleet = Fleet(
            folder, {**inherited, "PYTHONPATH": str(REPOSITORY), **told}, redis_url, ledger
        )
        try:
            yield fleet
        finally:
            for child in fleet.children:
                if child.is_alive:
                    child.thaw()
                    child.kill()


async def ended(child: Child) -> int:
    """Its exit code, once it has one."""
    return await asyncio.to_thread(child.process.wait)
