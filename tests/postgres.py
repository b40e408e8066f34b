"""A Postgres of the tests' own: a cluster in a temporary folder, on a free port of loopback.

From Debian's `postgresql`, or whatever is on the PATH; `none_here` says why there is none.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import NullPool, text
from sqlalchemy.ext.asyncio import create_async_engine

_START_S = 30
#: Postgres refuses to run as root.
_NOT_ROOT = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Postgres:
    """One running cluster."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Of the cluster's own database."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """What `VIVANT_DATABASE_URL` would say."""
        return f"postgresql+asyncpg://tester@127.0.0.1:{self.port}/{database}"

    async def fresh_database(self) -> str:
        """Make a database of a new name, with nothing in it; the URL."""
        name = f"t{secrets.token_hex(6)}"
        engine = create_async_engine(self.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
        async with engine.connect() as conn:
            await conn.execute(text(f"CREATE DATABASE {name}"))
        return self.url_of(name)


def binaries() -> Path | None:
    """Where `initdb` and `postgres` are."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    debian = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"),
        key=lambda path: int(path.parts[-3]),
    )
    return debian[-1].parent if debian else None


def none_here() -> str | None:
    """Why this machine has no Postgres for the tests; None where it has one."""
    if binaries() is None:
        return "no Postgres here: apt-get install postgresql"
    if os.geteuid() == 0 and _other_user() is None:
        return "no user but root here, as whom Postgres will not run"
    return None


@contextmanager
def running_postgres(*, durable: bool = False) -> Generator[Postgres]:
    """A cluster for the block; stopped by its pid. Only a *durable* one waits for the disk."""
    found = binaries()
    if found is None:
        raise LookupError(none_here())
    user = _other_user() if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="vivant-postgres-") as folder:
        if user is not None:
            shutil.chown(folder, user)
        data = f"{folder}/data"
        subprocess.run(
            [f"{found}/initdb", "--pgdata", data, "--username", "tester", "--auth", "trust",
             "--no-sync", "--encoding", "UTF8", "--locale", "C"],
            check=True, capture_output=True, user=user, cwd=folder,
        )  # fmt: skip
        port = free_port()
        options = {
            "port": str(port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "200",
            "fsync": "on" if durable else "off",
            "log_min_messages": "fatal",
        }
        settings = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        server = subprocess.Popen(
            [f"{found}/postgres", "-D", data, *settings],
            user=user,
            cwd=folder,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_until_it_answers(port, server, found)
            yield Postgres(port, server.pid)
        finally:
            server.send_signal(signal.SIGINT)  # a fast shutdown, in Postgres' words
            server.wait(timeout=_START_S)


def _wait_until_it_answers(port: int, server: subprocess.Popen[bytes], found: Path) -> None:
    deadline = time.monotonic() + _START_S
    asked = [f"{found}/pg_isready", "--quiet", "--host", "127.0.0.1", "--port", str(port)]
    while subprocess.run(asked, check=False).returncode != 0:
        if server.poll() is not None or time.monotonic() > deadline:
            raise TimeoutError("Postgres did not come up")
        time.sleep(0.05)


def _other_user() -> str | None:
    known = {entry.pw_name for entry in pwd.getpwall()}
    return next((name for name in _NOT_ROOT if name in known), None)


def free_port() -> int:
    """One that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
