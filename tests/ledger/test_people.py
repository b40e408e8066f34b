"""Who is banned, who is forgotten, and what chats, reports and the audit keep."""

import pytest
from sqlalchemy import update

from tests.ledger.orders import (
    ANN,
    BOB,
    accepted,
    claimed,
    clip,
    delivered,
    kinds,
    now,
    order,
    rendered,
    rows,
    sending,
)
from vivant.clips import FailureReason, JobState, RefusalReason
from vivant.errors import Refused
from vivant.ledger import Ledger
from vivant.ledger.jobs import media_of
from vivant.ledger.schema import jobs, requests


async def test_who_is_banned_gets_nothing_in_by_any_door(ledger: Ledger) -> None:
    assert await ledger.people.ban(ANN)
    assert not await ledger.people.ban(ANN)

    for ask in (ledger.people.knock(ANN), ledger.jobs.accept(order(ANN))):
        with pytest.raises(Refused) as refused:
            await ask
        assert refused.value.reason is RefusalReason.NOT_ALLOWED
    await ledger.people.knock(BOB)
    await accepted(ledger, BOB)


async def test_a_ban_can_be_lifted(ledger: Ledger) -> None:
    await ledger.people.ban(ANN)

    assert await ledger.people.unban(ANN)
    assert not await ledger.people.unban(ANN)

    await accepted(ledger, ANN)


# ---- being forgotten


async def test_all_that_ended_is_forgotten_at_once(ledger: Ledger) -> None:
    mine = await delivered(ledger, ANN)
    other = await delivered(ledger, BOB)

    forgotten = await ledger.people.forget(ANN)

    gone = await now(ledger, mine)
    assert (gone.owner, gone.plan, gone.reply_to, gone.clip) == ("", None, None, None)
    assert forgotten.stopped == []
    assert {ref.key for ref in forgotten.media} == {ref.key for ref in media_of(mine)}
    assert await now(ledger, other) == other


async def test_what_is_open_is_cancelled_answered_and_then_forgotten(ledger: Ledger) -> None:
    waiting = await accepted(ledger, ANN)
    rendering = await claimed(ledger)
    assert rendering.id == waiting.id

    forgotten = await ledger.people.forget(ANN)

    assert [job.id for job in forgotten.stopped] == [waiting.id]
    assert forgotten.media == []
    answer = await sending(ledger)
    assert answer.failure is FailureReason.CANCELLED
    assert answer.reply_to is not None
    assert answer.owner == ""
    await ledger.jobs.delivered(answer)
    assert [job_id for job_id, _ in await ledger.jobs.forgettable(3600)] == [waiting.id]
    assert await kinds(ledger, waiting) == ["reserve", "refund"]


async def test_a_clip_on_its_way_is_shown_and_then_forgotten(ledger: Ledger) -> None:
    ready = await rendered(ledger, ANN)

    assert (await ledger.people.forget(ANN)).stopped == []

    job = await sending(ledger)
    assert job.clip is not None
    assert await ledger.jobs.delivered(job)
    assert [job_id for job_id, _ in await ledger.jobs.forgettable(3600)] == [ready.id]
    assert await ledger.people.discrepancies() == []


async def test_a_job_of_another_version_hides_no_other_and_is_forgotten_too(
    ledger: Ledger,
) -> None:
    """Its words and media cannot be read; the ids can, and that is all that forgetting needs."""
    over, waiting = await delivered(ledger, ANN), await accepted(ledger, ANN)
    strange = await accepted(ledger, ANN)
    unread = {"plan": '{"words": "", "beats": [{"action": "levitate"}]}', "clip": "{}"}
    async with ledger.db.writing() as conn:
        of_another = update(jobs).where(jobs.c.id.in_([over.id, strange.id]))
        await conn.execute(of_another.values(unread))
    assert [job.id for job in await ledger.jobs.open_jobs()] == [waiting.id]
    assert [job.id for job in await ledger.jobs.latest(ANN, 9)] == [waiting.id]

    forgotten = await ledger.people.forget(ANN)

    assert [job.id for job in forgotten.stopped] == [waiting.id]
    gone = await now(ledger, over)
    assert (gone.owner, gone.plan, gone.clip) == ("", None, None)


async def test_drafts_requests_and_the_name_under_a_report_go_too(ledger: Ledger) -> None:
    mine, theirs = order(ANN), order(BOB)
    draft_id, _ = await ledger.drafts.keep(mine)
    kept_id, _ = await ledger.drafts.keep(theirs)
    await ledger.people.knock(ANN)
    clip_of_bob = await delivered(ledger, BOB)
    await ledger.reports.file(clip_of_bob.id, ANN, "harmful")

    forgotten = await ledger.people.forget(ANN)

    assert forgotten.media == [mine.photo]
    assert await ledger.drafts.get(draft_id) is None
    assert await ledger.drafts.get(kept_id) == theirs
    assert await rows(ledger, requests) == []
    (report,) = await ledger.reports.latest(5)
    assert (report.by, report.reason) == (None, "harmful")


async def test_whoever_was_forgotten_starts_anew_with_the_credit_they_had(ledger: Ledger) -> None:
    await delivered(ledger, ANN)
    before = await ledger.people.credit(ANN)

    await ledger.people.forget(ANN)

    assert await ledger.people.credit(ANN) == before
    fresh = await accepted(ledger, ANN)
    assert [job.id for job in await ledger.jobs.open_jobs(owner=ANN)] == [fresh.id]


async def test_the_same_event_after_forgetting_is_not_a_new_job(ledger: Ledger) -> None:
    made = order(ANN)
    await ledger.jobs.accept(made)
    await ledger.jobs.finish(await claimed(ledger), clip(), {})
    await ledger.jobs.delivered(await sending(ledger))
    await ledger.people.forget(ANN)

    job, is_new = await ledger.jobs.accept(made)

    assert (is_new, job.state) == (False, JobState.DONE)


# ---- chats, reports, audit


async def test_a_chat_keeps_what_it_chose_last(ledger: Ledger) -> None:
    houses = ledger.houses
    assert await houses.get("telegram", "-5") is None

    await houses.put("telegram", "-5", '{"quiet": true}')
    await houses.put("telegram", "-5", '{"quiet": false}')
    await houses.put("discord", "-5", "{}")

    assert await houses.get("telegram", "-5") == '{"quiet": false}'
    assert await houses.get("discord", "-5") == "{}"


async def test_a_clip_is_reported_once_a_person(ledger: Ledger) -> None:
    job = await delivered(ledger, ANN)

    assert await ledger.reports.file(job.id, BOB, "harmful")
    assert not await ledger.reports.file(job.id, BOB, "harmful, again")
    assert await ledger.reports.file(job.id, "telegram:3", "not me")
    assert not await ledger.reports.file("nothing like it", BOB, "harmful")

    newest, oldest = await ledger.reports.latest(5)
    assert (newest.by, newest.reason) == ("telegram:3", "not me")
    assert (oldest.job_id, oldest.owner, oldest.by, oldest.reason) == (
        job.id, ANN, BOB, "harmful"
    )  # fmt: skip
    assert await ledger.reports.latest(1) == [newest]


async def test_the_audit_knows_what_was_said_and_what_became_of_it(ledger: Ledger) -> None:
    first = await ledger.audit.note("telegram:9", "ban telegram:1")
    await ledger.audit.conclude(first, "banned")
    await ledger.audit.note("telegram:9", "drain on")

    newest, oldest = await ledger.audit.latest(5)

    assert (newest.words, newest.outcome) == ("drain on", None)
    assert (oldest.by, oldest.words, oldest.outcome) == ("telegram:9", "ban telegram:1", "banned")
    assert newest.at_ms >= oldest.at_ms
