"""Photos and clips at rest: the same in a directory and in S3."""

import os
from collections.abc import Generator
from pathlib import Path

import obstore
import pytest

from tests import s3 as s3_server
from tests.s3 import S3, running_s3
from vivant.clips import MediaRef
from vivant.errors import MediaMissing, SettingsError
from vivant.media import MediaStore


@pytest.fixture(scope="session")
def s3() -> Generator[S3]:
    why = s3_server.none_here()
    if why is not None:
        pytest.skip(why)
    with running_s3() as server:
        yield server


@pytest.fixture(params=["directory", "s3"])
def store(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> MediaStore:
    if request.param == "directory":
        return MediaStore.open(f"file://{tmp_path}/media")
    server: S3 = request.getfixturevalue("s3")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    return MediaStore.open(f"{server.url}/{tmp_path.name}")


async def keys(store: MediaStore, *, age_s: float = -5) -> set[str]:
    """Of everything that was stored; from -5, since S3 counts whole seconds."""
    return {ref.key async for ref in store.older_than(age_s)}


async def test_what_was_put_is_got(store: MediaStore) -> None:
    ref = await store.put(b"a photo", "image/jpeg")

    assert (ref.media_type, ref.size_bytes) == ("image/jpeg", 7)
    assert await store.get(ref) == b"a photo"


async def test_a_clip_of_many_megabytes_comes_back_whole(store: MediaStore) -> None:
    clip = os.urandom(12_000_000)

    assert await store.get(await store.put(clip, "video/mp4")) == clip


async def test_names_tell_nothing_and_never_repeat(store: MediaStore) -> None:
    one, other = await store.put(b"x", "image/png"), await store.put(b"x", "image/png")

    assert one.key != other.key
    assert len(one.key.removesuffix(".png")) == 22


async def test_a_copy_lives_on_when_the_first_is_deleted(store: MediaStore) -> None:
    first = await store.put(b"a photo", "image/png")

    second = await store.copy(first)
    await store.delete(first)

    assert second.key != first.key
    assert await store.get(second) == b"a photo"


async def test_a_copy_is_as_young_as_its_making(tmp_path: Path) -> None:
    """Else the upkeep would take it for an orphan before its job is accepted."""
    store = MediaStore.open(f"file://{tmp_path}/media")
    first = await store.put(b"a photo", "image/png")
    os.utime(tmp_path / "media" / first.key, (1, 1))

    second = await store.copy(first)

    assert await keys(store, age_s=60) == {first.key}
    assert await store.get(second) == b"a photo"


async def test_what_was_deleted_is_missing_and_deleting_twice_is_fine(store: MediaStore) -> None:
    ref = await store.put(b"a photo", "image/png")

    await store.delete(ref)
    await store.delete(ref)

    with pytest.raises(MediaMissing):
        await store.get(ref)


async def test_only_what_is_old_enough_is_listed(store: MediaStore) -> None:
    ref = await store.put(b"a photo", "image/png")

    assert await keys(store) == {ref.key}
    assert await keys(store, age_s=60) == set()


async def test_what_somebody_else_put_there_is_never_listed(store: MediaStore) -> None:
    """An operator may point us at a folder that holds more: only our own names are swept."""
    mine = await store.put(b"a photo", "image/png")
    for name in ("holiday.jpg", ".git/config", f"2024/{mine.key}", "notes.txt"):
        await obstore.put_async(store.store, name, b"theirs")

    assert await keys(store) == {mine.key}


async def test_why_nothing_can_be_stored_is_told_without_the_name(tmp_path: Path) -> None:
    store = MediaStore.open(f"file://{tmp_path}/media")
    (tmp_path / "media").rmdir()
    (tmp_path / "media").touch()

    with pytest.raises(
        MediaMissing, match=r"could not store: .*(Not a directory|File exists)"
    ) as told:
        await store.put(b"a photo", "image/png")

    assert ".png" not in str(told.value)


async def test_a_bucket_that_is_not_there_is_said_in_our_words(
    s3: S3, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    store = MediaStore.open("s3://nobody-made-this")

    with pytest.raises(MediaMissing):
        await store.put(b"a photo", "image/png")
    with pytest.raises(MediaMissing):
        await store.get(MediaRef(key="x", media_type="image/png", size_bytes=1))
    with pytest.raises(MediaMissing):
        await keys(store)


@pytest.mark.parametrize(
    "url", ["file://", "file:///", "file://data/media", "file://./media", "file:///proc/media"]
)
def test_an_address_that_names_no_folder_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match=r"cannot be opened|names no folder"):
        MediaStore.open(url)


def test_a_folder_is_taken_as_it_is_written(tmp_path: Path) -> None:
    for name in ("two words", "a#b", "50%41"):
        MediaStore.open(f"file://{tmp_path}/{name}")

        assert (tmp_path / name).is_dir()
