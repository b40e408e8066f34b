"""What crashes leave is repaired, and nothing that somebody still needs is taken away."""

import os
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from sqlalchemy import update

from tests.ledger.orders import (
    ANN,
    LEASES,
    LIMITS,
    accepted,
    claimed,
    clip,
    media,
    now,
    order,
    pass_time,
    sending,
)
from vivant.clips import JobState, MediaRef
from vivant.errors import MediaMissing
from vivant.ledger import Ledger, open_ledger
from vivant.ledger.schema import drafts, jobs
from vivant.media import MediaStore
from vivant.queue import RENDER, Bells, delivery, open_bells
from vivant.queue.local_redis import local_redis
from vivant.upkeep import Upkeep

_A_DAY_S = 86_400


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncGenerator[Ledger]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite3'}"
    async with open_ledger(url, LEASES, LIMITS) as ledger:
        yield ledger


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore.open(f"file://{tmp_path}/media")


@pytest.fixture
async def bells(tmp_path: Path) -> AsyncGenerator[Bells]:
    async with local_redis(tmp_path) as url, open_bells(url) as bells:
        yield bells


@pytest.fixture
def upkeep(ledger: Ledger, store: MediaStore, bells: Bells) -> Upkeep:
    return Upkeep(ledger, store, bells, every_s=5, keep_s=_A_DAY_S)


async def is_there(store: MediaStore, ref: MediaRef | None) -> bool:
    assert ref is not None
    try:
        await store.get(ref)
    except MediaMissing:
        return False
    return True


def make_old(tmp_path: Path) -> None:
    """Everything in the store was put there hours ago."""
    for path in (tmp_path / "media").iterdir():
        os.utime(path, (1, 1))


async def test_one_round_repairs_what_crashes_left(ledger: Ledger, upkeep: Upkeep) -> None:
    lost = await accepted(ledger)
    await claimed(ledger)
    unsent = await accepted(ledger, "telegram:2")
    await ledger.jobs.finish(await claimed(ledger), clip(), {})
    await sending(ledger)
    await pass_time(ledger, LEASES.lease_s + 1)

    await upkeep.once()

    assert (await now(ledger, lost)).state is JobState.QUEUED
    assert (await now(ledger, unsent)).state is JobState.READY


async def test_a_bell_that_was_lost_is_rung_again(
    ledger: Ledger, upkeep: Upkeep, bells: Bells
) -> None:
    await accepted(ledger)
    await accepted(ledger, "telegram:2")
    await ledger.jobs.finish(await claimed(ledger), clip(), {})
    await bells.redis.flushall()

    await upkeep.once()

    assert not await bells.silent(RENDER)
    assert not await bells.silent(delivery("telegram", "7"))


async def test_no_bell_is_rung_where_nothing_waits(upkeep: Upkeep, bells: Bells) -> None:
    await upkeep.once()

    assert await bells.silent(RENDER)


async def test_photo_clip_and_words_go_when_their_time_is_over(
    ledger: Ledger, upkeep: Upkeep, store: MediaStore
) -> None:
    await accepted(ledger, photo=await store.put(b"photo", "image/png"))
    made = clip()
    video = await store.put(b"video", "video/mp4")
    await ledger.jobs.finish(
        await claimed(ledger),
        type(made)(
            video=video,
            width=2,
            height=2,
            duration_s=1,
            has_sound=False,
            thumbnail=await store.put(b"thumbnail", "image/jpeg"),
        ),
        {},
    )
    job = await sending(ledger)
    await ledger.jobs.delivered(job)
    await upkeep.once()
    assert await is_there(store, job.photo)
    await pass_time(ledger, _A_DAY_S + 1)

    await upkeep.once()

    assert not await is_there(store, job.photo)
    assert not await is_there(store, video)
    gone = await now(ledger, job)
    assert (gone.plan, gone.photo, gone.clip) == (None, None, None)


async def test_a_photo_that_cannot_be_deleted_does_not_keep_the_others(
    ledger: Ledger, upkeep: Upkeep, store: MediaStore, tmp_path: Path
) -> None:
    """A store that refuses one object is asked for it again; the next are deleted."""
    stuck, fine = media(), await store.put(b"photo", "image/png")
    (tmp_path / "media" / stuck.key / "full").mkdir(parents=True)
    for photo in (stuck, fine):
        job = await accepted(ledger, photo=photo)
        await ledger.jobs.cancel(job.id)
        await ledger.jobs.delivered(await sending(ledger))
    await pass_time(ledger, _A_DAY_S + 1)

    await upkeep.once()

    ((_, left),) = await ledger.jobs.forgettable(0)
    assert left == [stuck]
    assert not await is_there(store, fine)


async def test_an_orphan_goes_after_an_hour_and_not_before(
    upkeep: Upkeep, store: MediaStore, tmp_path: Path
) -> None:
    young = await store.put(b"its job may be on the way", "image/png")
    await upkeep.once()
    assert await is_there(store, young)
    make_old(tmp_path)
    upkeep._rounds = 0

    await upkeep.once()

    assert not await is_there(store, young)


async def test_what_a_job_or_a_draft_holds_is_no_orphan(
    ledger: Ledger, upkeep: Upkeep, store: MediaStore, tmp_path: Path
) -> None:
    photo, source, drafted = [await store.put(b"x", "image/png") for _ in range(3)]
    await accepted(ledger, photo=photo, source_clip=source)
    await ledger.drafts.keep(order(photo=drafted))
    make_old(tmp_path)

    await upkeep.once()

    for ref in (photo, source, drafted):
        assert await is_there(store, ref)


async def test_files_of_somebody_else_in_the_same_folder_are_left_alone(
    upkeep: Upkeep, tmp_path: Path
) -> None:
    theirs = tmp_path / "media" / "holiday.jpg"
    theirs.write_bytes(b"theirs")
    (tmp_path / "media" / ".git").mkdir()
    (tmp_path / "media" / ".git" / "HEAD").write_text("ref: main")
    make_old(tmp_path)
    os.utime(tmp_path / "media" / ".git" / "HEAD", (1, 1))

    await upkeep.once()

    assert theirs.read_bytes() == b"theirs"
    assert (tmp_path / "media" / ".git" / "HEAD").exists()


async def age_drafts(ledger: Ledger) -> None:
    async with ledger.db.writing() as conn:
        await conn.execute(update(drafts).values(created_at=0))


async def test_a_question_that_nobody_answered_is_forgotten_with_its_photo(
    ledger: Ledger, upkeep: Upkeep, store: MediaStore
) -> None:
    asked = order(photo=await store.put(b"photo", "image/png"))
    draft_id, _ = await ledger.drafts.keep(asked)
    await upkeep.once()
    assert await ledger.drafts.get(draft_id) == asked
    await age_drafts(ledger)

    await upkeep.once()

    assert await ledger.drafts.get(draft_id) is None
    assert not await is_there(store, asked.photo)


async def test_a_question_that_was_answered_before_a_crash_keeps_its_photo(
    ledger: Ledger, upkeep: Upkeep, store: MediaStore
) -> None:
    """Accepted, and dead before the draft was dropped: the photo is the job's."""
    asked = order(photo=await store.put(b"photo", "image/png"))
    draft_id, _ = await ledger.drafts.keep(asked)
    await ledger.jobs.accept(asked)
    await age_drafts(ledger)

    await upkeep.once()

    assert await ledger.drafts.get(draft_id) is None
    assert await is_there(store, asked.photo)


async def test_one_bad_row_does_not_end_the_upkeep_of_all_others(
    ledger: Ledger, upkeep: Upkeep, store: MediaStore, caplog: pytest.LogCaptureFixture
) -> None:
    bad = await accepted(ledger, photo=await store.put(b"photo", "image/png"))
    await ledger.jobs.cancel(bad.id)
    await ledger.jobs.delivered(await sending(ledger))
    lost = await accepted(ledger, "telegram:2")
    await claimed(ledger)
    await ledger.drafts.keep(order())
    await age_drafts(ledger)
    await pass_time(ledger, _A_DAY_S + 1)
    async with ledger.db.writing() as conn:
        await conn.execute(update(jobs).where(jobs.c.id == bad.id).values(wish="not json"))
        await conn.execute(update(drafts).values(order="not json"))

    await upkeep.once()

    assert (await now(ledger, lost)).state is not JobState.RENDERING
    assert not await is_there(store, bad.photo)
    assert caplog.text.count("a row cannot be read") == 1  # the draft; of the job only its media
    assert await ledger.drafts.expired(0) == []


async def test_what_cannot_be_read_holds_up_no_others_and_goes_in_its_time(
    ledger: Ledger, upkeep: Upkeep, store: MediaStore, tmp_path: Path
) -> None:
    """Nobody knows what it holds, so the sweep takes nothing until it is gone itself."""
    strange, other = [await store.put(b"photo", "image/png") for _ in range(2)]
    for photo in (strange, other):
        await accepted(ledger, photo=photo)
        await ledger.jobs.finish(await claimed(ledger), clip(), {})
        await ledger.jobs.delivered(await sending(ledger))
    async with ledger.db.writing() as conn:
        unread = update(jobs).where(jobs.c.photo.contains(strange.key))
        await conn.execute(unread.values(clip='{"of another": "version"}'))
    orphan = await store.put(b"nobody's", "image/png")
    make_old(tmp_path)
    await upkeep.once()
    assert await is_there(store, orphan)
    await pass_time(ledger, _A_DAY_S + 1)

    await upkeep.once()
    assert not await is_there(store, other)
    assert await ledger.jobs.forgettable(0) == []
    upkeep._rounds = 0
    await upkeep.once()

    for ref in (strange, orphan):
        assert not await is_there(store, ref)


async def test_a_draft_that_cannot_be_read_keeps_no_other_from_going(
    ledger: Ledger, upkeep: Upkeep, store: MediaStore
) -> None:
    strange, other = [order(photo=await store.put(b"x", "image/png")) for _ in range(2)]
    draft_id, _ = await ledger.drafts.keep(strange)
    await ledger.drafts.keep(other)
    await age_drafts(ledger)
    async with ledger.db.writing() as conn:
        bad = update(drafts).where(drafts.c.id == draft_id)
        await conn.execute(bad.values(order='{"of another": "version"}'))

    await upkeep.once()

    assert await ledger.drafts.expired(0) == []
    assert not await is_there(store, other.photo)


async def test_forgetting_somebody_leaves_no_photo_behind(
    ledger: Ledger, upkeep: Upkeep, store: MediaStore
) -> None:
    """Even where whoever asked for it died before the store was told."""
    job = await accepted(ledger, photo=await store.put(b"photo", "image/png"))

    await ledger.people.forget(ANN)
    await ledger.jobs.delivered(await sending(ledger))
    await upkeep.once()

    assert not await is_there(store, job.photo)
