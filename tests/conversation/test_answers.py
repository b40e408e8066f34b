"""One answer, always, and once: what must hold when a chat floods, loses, forgets and refuses."""

import asyncio

from sqlalchemy import update

from tests.conftest import wait_until
from tests.engines import QuickEngine
from tests.platforms import MemoryPlatform, Person, Shown
from vivant.chat import Verb
from vivant.clips import FailureReason, JobState
from vivant.errors import ClipRefused, TextRefused, TryLater, Undeliverable
from vivant.jobs import Job
from vivant.ledger.schema import jobs
from vivant.messages import Messages
from vivant.services import Services

SAID = Messages()


async def the_job(services: Services, shown: Shown) -> Job:
    """The job whose status message *shown* is."""
    job = await services.ledger.jobs.get(shown.button(Verb.CANCEL).target)
    assert job is not None
    return job


async def ended(services: Services, job: Job, *, state: JobState = JobState.DONE) -> Job:
    """The job, once it is over; and everything adds up."""

    async def is_over() -> bool:
        found = await services.ledger.jobs.get(job.id)
        return found is not None and found.is_over

    await wait_until(is_over)
    found = await services.ledger.jobs.get(job.id)
    assert found is not None
    assert found.state is state
    assert await services.ledger.people.discrepancies() == []
    return found


async def left(services: Services, person: Person) -> int:
    return (await services.ledger.people.credit(person.owner)).free


async def made_long_ago(services: Services, job: Job) -> None:
    """Its sender has been waiting for two minutes."""
    async with services.ledger.db.writing() as conn:
        earlier = jobs.c.created_at - 120_000
        await conn.execute(update(jobs).where(jobs.c.id == job.id).values(created_at=earlier))


async def lines_sent(services: Services, job: Job, count: int) -> None:
    """So many short lines were shown, and are gone."""
    async with services.ledger.db.writing() as conn:
        await conn.execute(update(jobs).where(jobs.c.id == job.id).values(lines=count))


async def rendering(
    services: Services, engine: QuickEngine, platform: MemoryPlatform, ada: Person, photo: bytes
) -> tuple[Job, Shown]:
    """A job that an engine is at work on, and holds until its `go` is set."""
    engine.go.clear()
    await ada.sends(photo, "smile")
    await wait_until(lambda: engine.renders == 1)
    status = platform.only()
    return await the_job(services, status), status


async def test_after_a_long_wait_a_short_line_rings_and_becomes_the_clip(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """The phone rings, the status message goes, the clip stands below as a reply to the photo."""
    job, status = await rendering(services, quick_engine, platform, ada, photo)
    await made_long_ago(services, job)
    quick_engine.go.set()
    await ended(services, job)
    answer = platform.only()

    assert answer is not status
    assert answer.history[0] == "Here it comes…"
    assert answer.film is not None
    assert "made in 2 min" in answer.text
    assert answer.to.message_id == "ada-1"


async def test_a_status_message_that_was_deleted_is_replaced_by_a_line(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """The answer comes all the same."""
    job, status = await rendering(services, quick_engine, platform, ada, photo)
    platform.delete(status)
    quick_engine.go.set()
    await ended(services, job)

    assert platform.only().history[0] == "Here it comes…"
    assert platform.only().film is not None


async def test_an_edit_whose_reply_is_lost_is_repeated_and_shows_one_clip(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """Applied, but the platform's answer never came: the same edit again, charged once."""
    job, _ = await rendering(services, quick_engine, platform, ada, photo)
    platform.fails("edit_into", TryLater(0.1), is_done=True)
    quick_engine.go.set()
    await ended(services, job)

    assert platform.count("edit_into") == 2
    assert platform.only().film is not None
    assert await left(services, ada) == 9


async def test_a_line_whose_reply_is_lost_leaves_at_worst_a_stray_line(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """And none at all where the platform knows nonces: the line keeps its own."""
    for knows_nonces in (False, True):
        platform.knows_nonces = knows_nonces
        here = ada.at(f"chat-{knows_nonces}")
        quick_engine.go.clear()
        renders = quick_engine.renders
        await here.sends(photo, "smile")
        (status,) = platform.in_chat(here.chat)
        job = await the_job(services, status)
        await wait_until(lambda: quick_engine.renders > renders)  # noqa: B023  # awaited at once
        platform.delete(status)
        platform.fails("send_text", TryLater(0.1), is_done=True)
        quick_engine.go.set()
        await ended(services, job)

        assert len(platform.clips(here.chat)) == 1
        strays = [s.text for s in platform.in_chat(here.chat) if s.film is None]
        assert strays == ([] if knows_nonces else ["Here it comes…"])


async def test_a_flood_is_waited_for_and_nothing_is_dropped(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """429 with a time: not before it, and the chat gets no edit of ours meanwhile."""
    job, status = await rendering(services, quick_engine, platform, ada, photo)
    platform.fails("edit_into", TryLater(3.0))
    quick_engine.go.set()
    await wait_until(lambda: platform.count("edit_into") == 1)
    await ada.sends(photo, "laugh")
    await ended(services, job)
    tries = [call for call in platform.calls if call[:2] == ("edit_into", status.id)]
    first, second = (at for _, _, at in tries)

    assert second - first >= 3.0
    others = [at for call, _, at in platform.calls if call == "edit_text" and first < at < second]
    assert others == []


async def test_a_clip_that_is_too_large_is_told_in_words_with_a_refund(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """The status message says so; the credit is back."""
    platform.limit_bytes = 100
    job, status = await rendering(services, quick_engine, platform, ada, photo)
    quick_engine.go.set()
    over = await ended(services, job)

    assert over.failure is FailureReason.CLIP_TOO_LARGE
    assert platform.only() is status
    assert status.text == (
        "The clip is too large for this chat. In a direct chat it may fit. "
        "Your clip was given back."
    )
    assert await left(services, ada) == 10


async def test_who_blocked_the_bot_is_refunded_and_not_tried_again(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """403: it will never be taken."""
    job, _ = await rendering(services, quick_engine, platform, ada, photo)
    platform.fails("edit_into", Undeliverable("blocked"))
    quick_engine.go.set()
    await ended(services, job, state=JobState.UNDELIVERABLE)

    assert platform.count("edit_into") == 1
    assert platform.clips() == []
    assert await left(services, ada) == 10


async def test_where_every_line_is_deleted_no_more_are_sent(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """Four lines that vanished are enough; refunded, and said in private."""
    job, _ = await rendering(services, quick_engine, platform, ada, photo)
    platform.on_call = lambda call: platform.messages.clear() if call == "edit_into" else None
    await lines_sent(services, job, 3)
    quick_engine.go.set()
    await ended(services, job, state=JobState.UNDELIVERABLE)

    assert platform.count("send_text") == 1 + 1 + 1
    assert platform.only("alone with ada").text == SAID.could_not_answer()
    assert await left(services, ada) == 10


async def test_words_that_a_server_forbids_do_not_keep_the_clip_back(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """AutoMod: the clip is shown without the words."""
    job, _ = await rendering(services, quick_engine, platform, ada, photo)
    platform.fails("edit_into", TextRefused("automod"))
    quick_engine.go.set()
    await ended(services, job)

    assert platform.only().film is not None
    assert platform.only().text == SAID.words_not_shown()


async def test_a_failure_after_a_long_wait_rings_with_words_of_its_own(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """Nobody is promised a clip that does not come."""
    job, _ = await rendering(services, quick_engine, platform, ada, photo)
    await made_long_ago(services, job)
    await services.ledger.jobs.fail(
        await now(services, job), FailureReason.CLIP_REJECTED, transient=False
    )
    await ended(services, job)
    quick_engine.go.set()

    assert platform.only().history[0] == "About your photo…"
    assert platform.only().text == SAID.failed(FailureReason.CLIP_REJECTED)
    assert await left(services, ada) == 10


async def now(services: Services, job: Job) -> Job:
    found = await services.ledger.jobs.get(job.id)
    assert found is not None
    return found


async def test_who_cancels_after_a_long_wait_is_not_rung(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """Whoever pressed the button is looking: the status message itself says so."""
    job, status = await rendering(services, quick_engine, platform, ada, photo)
    await made_long_ago(services, job)
    await ada.presses(status, Verb.CANCEL)
    quick_engine.go.set()
    await ended(services, job)

    assert platform.only() is status
    assert status.text == "Cancelled. Your clip was given back."


async def test_a_clip_that_is_gone_from_the_store_is_told_in_words(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """Asked for some more times, then refunded: please send it again."""
    job, status = await rendering(services, quick_engine, platform, ada, photo)
    # Not now: so that there is time to lose it.
    platform.fails("edit_into", TryLater(0.5))
    quick_engine.go.set()
    await wait_until(lambda: platform.count("edit_into") == 1)
    clip = (await now(services, job)).clip
    assert clip is not None
    await services.media.delete(clip.video)
    async with services.ledger.db.writing() as conn:
        tried = update(jobs).where(jobs.c.id == job.id).values(delivery_tries=3)
        await conn.execute(tried)
    await ended(services, job)

    assert status.text == SAID.failed(FailureReason.RENDER_FAILED)
    assert await left(services, ada) == 10


async def test_a_store_that_is_away_for_a_moment_costs_nobody_a_clip(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """The clip is there again at the next try."""
    job, status = await rendering(services, quick_engine, platform, ada, photo)
    platform.fails("edit_into", TryLater(0.5))
    quick_engine.go.set()
    await wait_until(lambda: platform.count("edit_into") == 1)
    clip = (await now(services, job)).clip
    assert clip is not None
    folder = services.settings.data_dir / "media"
    (folder / clip.video.key).rename(folder / "away")
    await wait_until(lambda: _has_tried(services, job, 2))
    (folder / "away").rename(folder / clip.video.key)
    await ended(services, job)

    assert status.film is not None


async def _has_tried(services: Services, job: Job, times: int) -> bool:
    return (await now(services, job)).delivery_tries == times


async def test_a_late_edit_is_never_shown_over_the_answer(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """Progress and positions that were decided on before the answer came are dropped after it.

    The platform itself fails on an edit over an answer.
    """
    job, status = await rendering(services, quick_engine, platform, ada, photo)
    boards = ada.conversation.status_messages
    stale = await boards._board(job)
    quick_engine.go.set()
    await ended(services, job)
    for _ in range(2):
        await boards.tell_positions()
        await boards._show(await boards._board(job), "3 ahead of you.")
        await boards._show(stale, "3 ahead of you.")
    await boards.begin(job, None)

    assert platform.only() is status
    assert status.film is not None


async def test_an_answer_that_overtakes_its_acknowledgement_is_the_only_message(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """An engine can be faster than a chat: neither a stray "on it" nor a second message is left."""
    slow = asyncio.Event()
    send = platform.send_text

    async def slowly(*args: object, **more: object) -> str:
        platform.send_text = send  # type: ignore[method-assign]
        await slow.wait()
        return await send(*args, **more)  # type: ignore[arg-type]

    platform.send_text = slowly  # type: ignore[method-assign]
    asking = asyncio.create_task(ada.sends(photo, "smile"))
    await wait_until(lambda: quick_engine.renders == 1)
    await wait_until(lambda: _is_sending(services))
    slow.set()
    await asking
    await wait_until(lambda: len(platform.clips()) == 1)

    assert len(platform.in_chat()) == 1
    assert platform.only().history[0].startswith("Understood: smile.")


async def _is_sending(services: Services) -> bool:
    return (await services.ledger.jobs.counts()).get(JobState.SENDING, 0) == 1


async def test_an_acknowledgement_that_fails_does_not_cost_the_answer(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """The job is taken: its clip comes by a line."""
    platform.fails("send_text", TryLater(30))
    await ada.sends(photo, "smile")
    await wait_until(lambda: len(platform.clips()) == 1)

    assert platform.only().history[0] == "Here it comes…"


async def test_a_chat_gets_no_more_edits_than_it_bears(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """Progress is dropped, the answer is not; other chats are not held up."""
    platform.edits_every_s = 1000
    for chat in ("one", "two"):
        await ada.at(chat).sends(photo, "smile")
        await ada.at(chat).sends(photo, "laugh")
    for chat in ("one", "two"):
        await wait_until(lambda: len(platform.clips(chat)) == 2)  # noqa: B023  # awaited at once

    assert platform.count("edit_text") == 0


async def test_a_chat_that_takes_no_clip_is_told_so_with_a_refund(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """Its admins forbid them; words are allowed."""
    job, status = await rendering(services, quick_engine, platform, ada, photo)
    platform.fails("edit_into", ClipRefused("no kind of clip"))
    quick_engine.go.set()
    over = await ended(services, job)

    assert over.failure is FailureReason.CLIP_FORBIDDEN
    assert platform.only() is status
    assert status.text == (
        "I may not post clips in this chat. Ask an admin, or write to me directly. "
        "Your clip was given back."
    )
    assert await left(services, ada) == 10


async def test_what_no_chat_takes_is_told_in_private_once(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """To the one who asked; where that fails too, nothing more is tried."""
    for fault in (None, Undeliverable("never started the bot")):
        here = ada.at(f"chat {fault}")
        quick_engine.go.clear()
        await here.sends(photo, "smile")
        (status,) = platform.in_chat(here.chat)
        job = await the_job(services, status)
        platform.fails("edit_into", Undeliverable("no rights"))
        if fault is not None:
            platform.fails("send_text", fault)
        quick_engine.go.set()
        await ended(services, job, state=JobState.UNDELIVERABLE)

    assert platform.only("alone with ada").text == SAID.could_not_answer()
    assert await left(services, ada) == 10
