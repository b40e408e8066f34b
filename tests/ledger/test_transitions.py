"""Every arrow of the table of states, and what happens to whoever takes it too late."""

import msgspec
import pytest
from sqlalchemy import update

from tests.ledger.orders import (
    ANN,
    LEASES,
    accepted,
    claimed,
    clip,
    delivered,
    kinds,
    media,
    now,
    order,
    pass_time,
    rendered,
    sending,
)
from vivant.clips import FailureReason, JobState
from vivant.ledger import Ledger
from vivant.ledger.jobs import media_of
from vivant.ledger.schema import jobs


async def test_an_accepted_job_waits_with_its_credit_reserved(ledger: Ledger) -> None:
    job = await accepted(ledger)

    assert job.state is JobState.QUEUED
    assert (job.attempt, job.failures) == (0, 0)
    assert await kinds(ledger, job) == ["reserve"]


async def test_a_job_reads_back_as_it_was_ordered(ledger: Ledger) -> None:
    made = order()

    job, _ = await ledger.jobs.accept(made)

    assert (job.plan, job.photo, job.wish, job.settings) == (
        made.plan,
        made.photo,
        made.wish,
        made.settings,
    )
    assert (job.owner, job.reply_to) == (made.owner, made.reply_to)


async def test_the_same_event_twice_is_one_job_and_one_charge(ledger: Ledger) -> None:
    made = order()

    first, is_new = await ledger.jobs.accept(made)
    second, is_new_again = await ledger.jobs.accept(made)

    assert (is_new, is_new_again) == (True, False)
    assert first.id == second.id
    assert (await ledger.people.credit(made.owner)).reserved == 1


async def test_where_a_bot_was_asked_is_told_chat_by_chat(ledger: Ledger) -> None:
    """Each once, for that bot alone."""
    for owner in (ANN, ANN, "telegram:2"):
        await ledger.jobs.accept(order(owner))
    chats = {to.chat_id for to in await ledger.jobs.places("telegram", "7", limit=10)}

    assert chats == {f"chat of {ANN}", "chat of telegram:2"}
    assert len(await ledger.jobs.places("telegram", "7", limit=1)) == 1
    assert await ledger.jobs.places("telegram", "8", limit=10) == []


async def test_a_claim_leases_the_job_and_counts_the_attempt(ledger: Ledger) -> None:
    waiting = await accepted(ledger)

    job = await claimed(ledger)

    assert (job.id, job.state, job.attempt) == (waiting.id, JobState.RENDERING, 1)
    assert job.claimed_at_ms is not None
    assert await ledger.jobs.claim("w2", ["puppet"]) is None


async def test_a_claim_leaves_the_jobs_of_other_engines_alone(ledger: Ledger) -> None:
    await accepted(ledger, engine="ltx")
    for_any = await accepted(ledger, engine="any")

    job = await claimed(ledger)

    assert job.id == for_any.id
    assert await ledger.jobs.claim("w2", ["puppet"]) is None


async def test_a_beat_keeps_the_lease_and_tells_a_lost_worker_to_stop(ledger: Ledger) -> None:
    await accepted(ledger)
    job = await claimed(ledger)
    await pass_time(ledger, LEASES.lease_s - 1)
    assert await ledger.jobs.beat(job)
    await pass_time(ledger, LEASES.lease_s - 1)

    assert await ledger.jobs.expire_renders() == 0
    assert await ledger.jobs.cancel(job.id)
    assert not await ledger.jobs.beat(job)


async def test_a_render_that_is_handed_back_did_not_fail(ledger: Ledger) -> None:
    await accepted(ledger)
    job = await claimed(ledger)

    assert await ledger.jobs.hand_back(job)

    again = await claimed(ledger, "w2")
    assert (again.id, again.attempt, again.failures) == (job.id, 2, 0)


async def test_a_render_that_may_work_next_time_is_tried_three_times(ledger: Ledger) -> None:
    await accepted(ledger)
    for failures in (1, 2):
        job = await claimed(ledger)
        assert await ledger.jobs.fail(job, FailureReason.OUT_OF_MEMORY, transient=True)
        job = await now(ledger, job)
        assert (job.state, job.failures) == (JobState.QUEUED, failures)
    job = await claimed(ledger)

    assert await ledger.jobs.fail(job, FailureReason.OUT_OF_MEMORY, transient=True)

    job = await now(ledger, job)
    assert (job.state, job.failure) == (JobState.READY, FailureReason.OUT_OF_MEMORY)
    assert await kinds(ledger, job) == ["reserve", "refund"]


async def test_a_render_that_cannot_work_is_refunded_at_once(ledger: Ledger) -> None:
    await accepted(ledger)
    job = await claimed(ledger)

    assert await ledger.jobs.fail(job, FailureReason.CLIP_REJECTED, transient=False)

    assert (await now(ledger, job)).failure is FailureReason.CLIP_REJECTED
    assert await kinds(ledger, job) == ["reserve", "refund"]


async def test_a_finished_clip_waits_for_its_bot_unsettled(ledger: Ledger) -> None:
    job = await rendered(ledger)

    assert job.state is JobState.READY
    assert job.clip is not None
    assert job.stages == {"render": 1.5}
    assert await kinds(ledger, job) == ["reserve"]


@pytest.mark.parametrize("is_rendering", [False, True])
async def test_a_cancelled_job_is_refunded_and_answered_in_words(
    ledger: Ledger, is_rendering: bool
) -> None:
    job = await accepted(ledger)
    if is_rendering:
        job = await claimed(ledger)

    assert await ledger.jobs.cancel(job.id)

    job = await now(ledger, job)
    assert (job.state, job.failure) == (JobState.READY, FailureReason.CANCELLED)
    assert await kinds(ledger, job) == ["reserve", "refund"]


async def test_a_clip_that_is_there_can_no_longer_be_cancelled(ledger: Ledger) -> None:
    job = await rendered(ledger)

    assert not await ledger.jobs.cancel(job.id)

    assert (await now(ledger, job)).clip is not None


async def test_an_answer_is_claimed_by_the_bot_it_belongs_to_and_once(ledger: Ledger) -> None:
    ready = await rendered(ledger)

    assert await ledger.jobs.claim_delivery("telegram", "8") is None
    assert await ledger.jobs.claim_delivery("discord", "7") is None
    job = await sending(ledger)
    assert (job.id, job.state, job.attempt) == (ready.id, JobState.SENDING, ready.attempt + 1)
    assert await ledger.jobs.claim_delivery("telegram", "7") is None


async def test_answers_go_out_in_the_order_they_got_ready(ledger: Ledger) -> None:
    first = await rendered(ledger)
    await pass_time(ledger, 1)
    second = await rendered(ledger)

    assert [(await sending(ledger)).id, (await sending(ledger)).id] == [first.id, second.id]


async def test_an_answer_that_is_put_off_comes_back_later(ledger: Ledger) -> None:
    await rendered(ledger)
    job = await sending(ledger)

    assert await ledger.jobs.delay_delivery(job, 60)

    assert await ledger.jobs.claim_delivery("telegram", "7") is None
    assert await ledger.jobs.bots_with_answers() == []
    await pass_time(ledger, 61)
    assert await ledger.jobs.bots_with_answers() == [("telegram", "7")]
    assert (await sending(ledger)).delivery_tries == 1


async def test_an_answer_that_cannot_be_sent_for_a_day_is_given_up(ledger: Ledger) -> None:
    await rendered(ledger)
    job = await sending(ledger)
    await pass_time(ledger, LEASES.delivery_s + 1)

    assert await ledger.jobs.delay_delivery(job, 60)

    assert (await now(ledger, job)).state is JobState.UNDELIVERABLE
    assert await kinds(ledger, job) == ["reserve", "refund"]


async def test_a_clip_that_cannot_be_shown_becomes_words_and_a_refund(ledger: Ledger) -> None:
    await rendered(ledger)
    job = await sending(ledger)

    assert await ledger.jobs.spoil(job, FailureReason.CLIP_TOO_LARGE)

    job = await sending(ledger)
    assert (job.clip, job.failure) == (None, FailureReason.CLIP_TOO_LARGE)
    assert await ledger.jobs.delivered(job)
    assert await kinds(ledger, job) == ["reserve", "refund"]


async def test_a_clip_that_the_platform_confirmed_is_settled(ledger: Ledger) -> None:
    job = await delivered(ledger)

    assert job.state is JobState.DONE
    assert job.ended_at_ms is not None
    assert await kinds(ledger, job) == ["reserve", "settle"]


async def test_an_error_that_was_told_is_refunded_and_never_settled(ledger: Ledger) -> None:
    waiting = await accepted(ledger)
    await ledger.jobs.cancel(waiting.id)

    assert await ledger.jobs.delivered(await sending(ledger))

    assert (await now(ledger, waiting)).state is JobState.DONE
    assert await kinds(ledger, waiting) == ["reserve", "refund"]


async def test_a_clip_that_nobody_will_ever_take_is_refunded(ledger: Ledger) -> None:
    await rendered(ledger)
    job = await sending(ledger)

    assert await ledger.jobs.undeliverable(job)

    assert (await now(ledger, job)).state is JobState.UNDELIVERABLE
    assert await kinds(ledger, job) == ["reserve", "refund"]


async def test_an_error_that_nobody_will_ever_take_is_refunded_once(ledger: Ledger) -> None:
    waiting = await accepted(ledger)
    await ledger.jobs.cancel(waiting.id)

    assert await ledger.jobs.undeliverable(await sending(ledger))

    assert await kinds(ledger, waiting) == ["reserve", "refund"]


async def test_a_short_line_is_counted_and_found_again(ledger: Ledger) -> None:
    await rendered(ledger)
    job = await sending(ledger)

    assert await ledger.jobs.remember_line(job, "55")
    assert await ledger.jobs.delay_delivery(job, 0)

    again = await sending(ledger)
    assert (again.lines, again.line_message) == (1, "55")


# ---- lost races: an older attempt changes nothing


async def test_a_worker_that_lost_its_job_can_do_nothing_to_it(ledger: Ledger) -> None:
    await accepted(ledger)
    stale = await claimed(ledger)
    await ledger.jobs.hand_back(stale)
    held = await claimed(ledger, "w2")

    assert not await ledger.jobs.beat(stale)
    assert not await ledger.jobs.finish(stale, clip(), {})
    assert not await ledger.jobs.fail(stale, FailureReason.RENDER_FAILED, transient=True)
    assert not await ledger.jobs.fail(stale, FailureReason.RENDER_FAILED, transient=False)
    assert not await ledger.jobs.hand_back(stale)
    await ledger.jobs.snapped(stale, stale.settings, "other")
    assert await now(ledger, held) == held
    assert await kinds(ledger, held) == ["reserve"]


async def test_a_clip_that_comes_after_the_cancel_is_not_taken(ledger: Ledger) -> None:
    await accepted(ledger)
    job = await claimed(ledger)
    await ledger.jobs.cancel(job.id)

    assert not await ledger.jobs.finish(job, clip(), {})

    job = await now(ledger, job)
    assert (job.clip, job.failure) == (None, FailureReason.CANCELLED)


async def test_a_bot_that_lost_its_answer_can_do_nothing_to_it(ledger: Ledger) -> None:
    await rendered(ledger)
    stale = await sending(ledger)
    await ledger.jobs.delay_delivery(stale, 0)
    held = await sending(ledger)

    assert not await ledger.jobs.renew_delivery(stale)
    assert not await ledger.jobs.delivered(stale)
    assert not await ledger.jobs.undeliverable(stale)
    assert not await ledger.jobs.delay_delivery(stale, 5)
    assert not await ledger.jobs.spoil(stale, FailureReason.CLIP_TOO_LARGE)
    assert not await ledger.jobs.remember_line(stale, "wrong")
    assert await now(ledger, held) == held
    assert await kinds(ledger, held) == ["reserve"]


async def test_an_answer_is_confirmed_once(ledger: Ledger) -> None:
    await rendered(ledger)
    job = await sending(ledger)
    assert await ledger.jobs.delivered(job)

    assert not await ledger.jobs.delivered(job)
    assert not await ledger.jobs.undeliverable(job)
    assert await kinds(ledger, job) == ["reserve", "settle"]


async def test_a_second_cancel_changes_nothing(ledger: Ledger) -> None:
    job = await accepted(ledger)

    assert await ledger.jobs.cancel(job.id)
    assert not await ledger.jobs.cancel(job.id)
    assert not await ledger.jobs.cancel("nothing like it")


# ---- what crashes leave


async def test_a_silent_worker_loses_its_job_to_the_next(ledger: Ledger) -> None:
    await accepted(ledger)
    silent = await claimed(ledger)
    await pass_time(ledger, LEASES.lease_s + 1)

    assert await ledger.jobs.expire_renders() == 1

    again = await claimed(ledger, "w2")
    assert (again.id, again.attempt, again.failures) == (silent.id, 2, 1)
    assert not await ledger.jobs.finish(silent, clip(), {})


async def test_a_job_that_silences_three_workers_ends_in_words(ledger: Ledger) -> None:
    await accepted(ledger)
    for _ in range(3):
        job = await claimed(ledger)
        await pass_time(ledger, LEASES.lease_s + 1)
        assert await ledger.jobs.expire_renders() == 1

    job = await now(ledger, job)
    assert (job.state, job.failure) == (JobState.READY, FailureReason.RENDER_FAILED)
    assert await kinds(ledger, job) == ["reserve", "refund"]


async def test_a_bot_that_died_while_sending_sends_again(ledger: Ledger) -> None:
    await rendered(ledger)
    dead = await sending(ledger)
    await pass_time(ledger, LEASES.lease_s + 1)

    assert await ledger.jobs.expire_deliveries() == 1

    again = await sending(ledger)
    assert again.attempt == dead.attempt + 1
    assert again.clip is not None


async def test_a_lease_that_was_renewed_in_time_is_not_taken(ledger: Ledger) -> None:
    await rendered(ledger)
    job = await sending(ledger)
    await pass_time(ledger, LEASES.lease_s + 1)
    assert await ledger.jobs.renew_delivery(job)

    assert await ledger.jobs.expire_deliveries() == 0


async def test_an_answer_whose_bot_never_came_back_is_given_up(ledger: Ledger) -> None:
    job = await rendered(ledger)
    await pass_time(ledger, LEASES.delivery_s + 1)
    assert await ledger.jobs.expire_deliveries() == 0  # it is sent, late as it is
    await pass_time(ledger, LEASES.abandoned_s)

    assert await ledger.jobs.expire_deliveries() == 1

    assert (await now(ledger, job)).state is JobState.UNDELIVERABLE
    assert await kinds(ledger, job) == ["reserve", "refund"]


@pytest.mark.parametrize("is_rendering", [False, True])
async def test_a_job_that_takes_longer_than_the_deadline_is_refunded(
    ledger: Ledger, is_rendering: bool
) -> None:
    job = await accepted(ledger)
    if is_rendering:
        job = await claimed(ledger)
    await pass_time(ledger, LEASES.deadline_s - 1)
    assert await ledger.jobs.expire_deadlines() == 0
    await pass_time(ledger, 2)

    assert await ledger.jobs.expire_deadlines() == 1

    job = await now(ledger, job)
    assert (job.state, job.failure) == (JobState.READY, FailureReason.TOO_LATE)
    assert await kinds(ledger, job) == ["reserve", "refund"]


async def test_a_job_that_cannot_be_read_does_not_hold_up_the_queue(ledger: Ledger) -> None:
    """It costs three leases, and ends in words; its sender's credit is back."""
    bad = await accepted(ledger)
    fine = await accepted(ledger, "telegram:2")
    async with ledger.db.writing() as conn:
        await conn.execute(update(jobs).where(jobs.c.id == bad.id).values(wish="not json"))
    for tries in range(3):
        with pytest.raises(msgspec.DecodeError):
            await ledger.jobs.claim("w1", ["puppet"])
        if tries == 0:
            next_one = await claimed(ledger, "w2")
            assert next_one.id == fine.id
            assert await ledger.jobs.finish(next_one, clip(), {})
        await pass_time(ledger, LEASES.lease_s + 1)
        assert await ledger.jobs.expire_renders() == 1

    assert await kinds(ledger, bad) == ["reserve", "refund"]


async def test_a_job_claimed_late_has_the_whole_deadline_to_be_rendered(ledger: Ledger) -> None:
    await accepted(ledger)
    await pass_time(ledger, LEASES.deadline_s - 1)
    await claimed(ledger)
    await pass_time(ledger, 60)

    assert await ledger.jobs.expire_deadlines() == 0


# ---- the purge


async def test_what_ended_is_forgotten_after_its_time_and_its_identity_stays(
    ledger: Ledger,
) -> None:
    made = order()
    await ledger.jobs.accept(made)
    await ledger.jobs.finish(await claimed(ledger), clip(), {})
    await ledger.jobs.delivered(await sending(ledger))
    assert await ledger.jobs.forgettable(60) == []
    await pass_time(ledger, 61)
    ((job_id, refs),) = await ledger.jobs.forgettable(60)
    due = await ledger.jobs.get(job_id)
    assert due is not None
    assert refs == media_of(due)

    await ledger.jobs.purge(due.id)

    gone = await now(ledger, due)
    assert (gone.owner, gone.reply_to, gone.plan, gone.photo, gone.clip) == (
        "", None, None, None, None
    )  # fmt: skip
    assert await ledger.jobs.forgettable(0) == []
    known, is_new = await ledger.jobs.accept(made)
    assert (known.id, is_new) == (due.id, False)
    assert await kinds(ledger, due) == ["reserve", "settle"]
    assert await ledger.people.discrepancies() == []


async def test_a_job_that_is_not_over_is_never_forgotten(ledger: Ledger) -> None:
    job = await rendered(ledger)
    await pass_time(ledger, 10_000)
    assert await ledger.jobs.forgettable(0) == []

    await ledger.jobs.purge(job.id)

    assert (await now(ledger, job)).clip is not None


async def test_a_status_message_is_not_remembered_on_a_forgotten_job(ledger: Ledger) -> None:
    job = await delivered(ledger)
    await ledger.jobs.purge(job.id)

    await ledger.jobs.remember_status(job.id, "99")

    assert (await now(ledger, job)).status_message is None


async def test_media_keys_are_what_unforgotten_jobs_hold(ledger: Ledger) -> None:
    gone = await delivered(ledger)
    await ledger.jobs.purge(gone.id)
    shown = await delivered(ledger)
    source = media("video/mp4")
    kept = await accepted(ledger, source_clip=source)

    assert shown.clip is not None
    assert shown.photo is not None
    assert kept.photo is not None
    assert await ledger.jobs.media_keys() == {
        kept.photo.key,
        source.key,
        shown.photo.key,
        shown.clip.video.key,
        shown.clip.thumbnail.key,
    }
