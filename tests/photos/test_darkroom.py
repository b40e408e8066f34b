"""What holds when decoding goes wrong: killed, stopped, left behind, in Linux's own words."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio
from PIL import Image

from tests.photos import bad_images as bad
from vivant.clips import RefusalReason
from vivant.director.sight import Box, Person, Sight
from vivant.errors import Refused
from vivant.photos import CleanPhoto, PhotoCleaner, darkroom, open_cleaner
from vivant.photos.answer import Answer, Developed, TurnedAway

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")

_PROC = Path("/proc")
_OWNER = """
import asyncio, sys
from vivant.photos import open_cleaner

async def main():
    upload = sys.stdin.buffer.read()
    async with open_cleaner() as cleaner:
        print("open", flush=True)
        while True:
            await cleaner.clean(upload)

asyncio.run(main())
"""

_SHORT_OF_MEMORY = """
import resource, sys
import msgspec
from PIL import Image
from vivant.photos.darkroom import _answer

upload = sys.stdin.buffer.read()
Image.init()
resource.setrlimit(resource.RLIMIT_AS, (200_000_000, 200_000_000))
sys.stdout.buffer.write(msgspec.msgpack.encode(_answer(upload, None)))
"""


@pytest_asyncio.fixture
async def cleaner() -> AsyncIterator[PhotoCleaner]:
    async with open_cleaner() as opened:
        yield opened


def children(pid: int) -> list[int]:
    found = []
    for stat in _PROC.glob("[0-9]*/stat"):
        try:
            after_name = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended while we looked
        if int(after_name[1]) == pid:
            found.append(int(stat.parent.name))
    return found


def darkrooms() -> list[int]:
    ours = []
    for pid in children(os.getpid()):
        with suppress(OSError):  # it ended while we looked
            if b"vivant.photos.darkroom" in (_PROC / str(pid) / "cmdline").read_bytes():
                ours.append(pid)
    return ours


def alive(pid: int) -> bool:
    try:
        return " Z " not in (_PROC / str(pid) / "stat").read_text()
    except OSError:
        return False


def open_files(pid: int) -> list[str]:
    return sorted(str(fd.readlink()) for fd in (_PROC / str(pid) / "fd").iterdir())


def count_open_files(pid: int) -> int:
    return len(list((_PROC / str(pid) / "fd").iterdir()))


async def wait_until(holds: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0)


async def child_of(room: int) -> int:
    """The child at work; a long upload is still being sent when it is found."""
    seen: list[int] = []

    def appeared() -> bool:
        seen.extend(children(room))
        return bool(seen)

    await wait_until(appeared)
    return seen[0]


async def stopped_child() -> int:
    """Catch the child that is at work, and hold it there."""
    (room,) = darkrooms()
    child = await child_of(room)
    os.kill(child, signal.SIGSTOP)
    return child


async def cleaned_or_refused(cleaner: PhotoCleaner, upload: bytes) -> CleanPhoto | RefusalReason:
    try:
        return await cleaner.clean(upload)
    except Refused as refused:
        return refused.reason


async def test_a_child_killed_from_outside_refuses_its_photo_and_nothing_else(
    cleaner: PhotoCleaner,
) -> None:
    at_work = asyncio.create_task(cleaned_or_refused(cleaner, bad.jpeg_of_19_mb()))
    os.kill(await stopped_child(), signal.SIGKILL)

    assert await at_work is RefusalReason.CORRUPT_IMAGE
    assert (await cleaner.clean(bad.jpeg())).width == 320


async def test_a_photo_that_hangs_does_not_hold_up_another(cleaner: PhotoCleaner) -> None:
    hanging = asyncio.create_task(cleaned_or_refused(cleaner, bad.jpeg_of_19_mb()))
    child = await stopped_child()

    assert (await cleaner.clean(bad.jpeg())).width == 320
    assert not hanging.done()

    os.kill(child, signal.SIGCONT)
    assert isinstance(await hanging, CleanPhoto)


async def test_a_photo_that_takes_too_long_is_refused_and_its_child_is_gone() -> None:
    async with open_cleaner(wall_s=1) as cleaner:
        hanging = asyncio.create_task(cleaned_or_refused(cleaner, bad.jpeg_of_19_mb()))
        child = await stopped_child()

        assert await hanging is RefusalReason.CORRUPT_IMAGE
        await wait_until(lambda: not alive(child))


async def test_a_child_has_limits_one_socket_and_no_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The worst that a taken-over decoder could reach is its own answer."""
    monkeypatch.setenv("VIVANT_TELEGRAM_TOKEN", "123:secret")
    async with open_cleaner() as cleaner:
        (room,) = darkrooms()
        at_work = asyncio.create_task(cleaner.clean(bad.jpeg_of_19_mb()))
        child = await child_of(room)
        # The last limit to be set.
        await wait_until(lambda: "1200000000" in (_PROC / str(child) / "limits").read_text())
        os.kill(child, signal.SIGSTOP)
        files = open_files(child)
        environment = (_PROC / str(child) / "environ").read_bytes()
        limits = {
            line[:26].strip(): line[26:].split()[:2]
            for line in (_PROC / str(child) / "limits").read_text().splitlines()
        }
        os.kill(child, signal.SIGCONT)
        await at_work

    assert files[:3] == ["/dev/null"] * 3
    assert files[3].startswith("socket:")
    assert b"secret" not in environment
    assert limits["Max address space"] == ["1200000000"] * 2
    assert limits["Max cpu time"] == ["10"] * 2
    assert limits["Max open files"] == ["0"] * 2
    assert limits["Max file size"] == ["0"] * 2
    assert limits["Max core file size"] == ["0"] * 2


async def test_a_darkroom_that_dies_is_replaced_and_the_photo_is_not_lost(
    cleaner: PhotoCleaner,
) -> None:
    (first,) = darkrooms()
    os.kill(first, signal.SIGKILL)

    assert (await cleaner.clean(bad.jpeg())).width == 320
    assert darkrooms() != [first]


async def test_stopping_the_whole_group_lets_the_photo_at_work_finish(
    cleaner: PhotoCleaner,
) -> None:
    """Ctrl-C and a service manager's SIGTERM reach the darkroom too; its owner decides."""
    (room,) = darkrooms()
    at_work = asyncio.create_task(cleaner.clean(bad.jpeg_of_19_mb()))
    child = await stopped_child()
    for pid in (room, child):
        os.kill(pid, signal.SIGINT)
        os.kill(pid, signal.SIGTERM)
    os.kill(child, signal.SIGCONT)

    assert (await at_work).width == 320
    assert darkrooms() == [room]


async def test_in_a_storm_of_kills_every_photo_ends_and_the_cleaner_lives(
    cleaner: PhotoCleaner,
) -> None:
    """Children die at any moment of their work, and every tenth time the darkroom itself."""
    chance = random.Random(7)  # noqa: S311 - picks whom to kill
    kills = 0
    ends: list[CleanPhoto | RefusalReason] = []

    async def keep_sending() -> None:
        while kills < 50:
            ends.append(await cleaned_or_refused(cleaner, bad.jpeg(1600, 1200)))

    sending = asyncio.gather(*(keep_sending() for _ in range(4)))
    while not sending.done():
        rooms = darkrooms()
        targets = rooms if kills % 10 == 9 else [pid for room in rooms for pid in children(room)]
        if targets and kills < 50:
            with suppress(ProcessLookupError):
                os.kill(chance.choice(targets), signal.SIGKILL)
                kills += 1
        await asyncio.sleep(chance.uniform(0, 0.02))
    await sending

    assert kills == 50
    assert all(isinstance(end, CleanPhoto) or end is RefusalReason.CORRUPT_IMAGE for end in ends)
    assert (await cleaner.clean(bad.jpeg())).width == 320


async def test_after_fifty_photos_no_file_and_no_process_is_left_over(
    cleaner: PhotoCleaner,
) -> None:
    (room,) = darkrooms()
    await cleaner.clean(bad.jpeg())
    await wait_until(lambda: not children(room))
    before = count_open_files(os.getpid()), count_open_files(room)
    uploads = [bad.jpeg(), bad.TEXT, bad.png_with_one_broken_idat_byte(), bad.png(), bad.EMPTY]
    await asyncio.gather(*(cleaned_or_refused(cleaner, upload) for upload in uploads * 10))
    await wait_until(lambda: not children(room))

    assert (count_open_files(os.getpid()), count_open_files(room)) == before
    assert darkrooms() == [room]


async def test_closing_ends_the_darkroom_and_the_child_at_work() -> None:
    async with open_cleaner() as cleaner:
        (room,) = darkrooms()
        at_work = asyncio.create_task(cleaned_or_refused(cleaner, bad.jpeg_of_19_mb()))
        child = await stopped_child()
        at_work.cancel()

    assert not alive(room)
    assert not alive(child)


async def test_when_the_owner_is_killed_nothing_of_it_lingers() -> None:
    with subprocess.Popen(  # noqa: ASYNC220 - killed below; its end is what is waited for
        [sys.executable, "-c", _OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdin is not None
        assert owner.stdout is not None
        owner.stdin.write(bad.phone_jpeg_48_mp())
        owner.stdin.close()
        assert owner.stdout.readline() == b"open\n"
        (room,) = children(owner.pid)
        child = await child_of(room)
        owner.kill()
    await wait_until(lambda: not alive(room))
    await wait_until(lambda: not alive(child))


async def test_without_its_models_a_photo_is_cleaned_and_nobody_looks(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_cleaner(models_dir=tmp_path / "empty") as cleaner:
        photo = await cleaner.clean(bad.jpeg())

    assert photo.sight is None
    assert "photos will not be looked at" in caplog.text


def test_a_picture_that_does_not_fit_the_memory_is_refused_by_its_pixels() -> None:
    heard = subprocess.run(
        [sys.executable, "-c", _SHORT_OF_MEMORY],
        input=bad.png_40_mp_with_alpha(),
        stdout=subprocess.PIPE,
        check=True,
    )
    answer = msgspec.msgpack.decode(heard.stdout, type=Answer)

    assert isinstance(answer, TurnedAway)
    assert answer.reason is RefusalReason.TOO_MANY_PIXELS
    assert answer.limit == 40


def test_a_failure_to_look_refuses_no_photo() -> None:
    def look(_photo: Image.Image) -> Sight:
        raise OSError("a network is missing")

    answer = darkroom._answer(bad.jpeg(), look)

    assert isinstance(answer, Developed)
    assert answer.sight is None
    assert answer.blind == "OSError('a network is missing')"


def test_what_was_seen_arrives_as_it_was_seen() -> None:
    face = Box(left=0.1, top=0.2, right=0.3, bottom=0.4)
    seen = Sight(people=(Person(face=face, free_hands=1), Person(face=None, mouth_open=True)))
    answer = darkroom._answer(bad.jpeg(), lambda _photo: seen)
    arrived = msgspec.msgpack.decode(msgspec.msgpack.encode(answer), type=Answer)

    assert isinstance(arrived, Developed)
    assert arrived.sight == seen


async def test_a_darkroom_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RuntimeError, match="did not start"):
        async with open_cleaner():
            pass
