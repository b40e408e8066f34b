"""Whoever saw "on it" sees one answer in the same place, whatever Discord does meanwhile."""

import asyncio
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from tests.conftest import wait_until
from tests.discord_bot.stage import at_work
from tests.discord_bot.test_ways_in import clips
from tests.engines import QuickEngine
from tests.fakes.discord_api import (
    Channel,
    DiscordServer,
    Guild,
    Interaction,
    Overwrite,
    Permission,
    Person,
    Trouble,
    Upload,
)
from tests.fakes.discord_api import world as discord_world
from vivant.bots.discord import place, run
from vivant.clips import FailureReason, JobState
from vivant.jobs import Job
from vivant.ledger.schema import jobs
from vivant.services import Services

CALLBACK = "/interactions/{interaction}/{token}/callback"
ANSWERS = "/webhooks/{application}/{token}/messages/{message}"
MESSAGES = "/channels/{channel}/messages"
MESSAGE = "/channels/{channel}/messages/{message}"

#: "Interaction tokens are valid for 15 minutes."
TOKEN_S = 15 * 60


async def only_job(services: Services) -> Job:
    """The one job there is, once it is accepted."""
    found: list[str] = []

    async def is_there() -> bool:
        async with services.ledger.db.reading() as conn:
            found[:] = (await conn.execute(select(jobs.c.id))).scalars().all()
        return bool(found)

    await wait_until(is_there)
    (job_id,) = found
    job = await services.ledger.jobs.get(job_id)
    assert job is not None
    return job


async def ended(services: Services) -> Job:
    """The one job there is, once it is over."""

    async def is_over() -> bool:
        return (await only_job(services)).is_over

    await wait_until(is_over, within_s=30)
    return await only_job(services)


async def is_told(discord: DiscordServer, asked: Interaction, words: str) -> None:
    await discord.until(lambda: asked.reply and words in asked.reply.text, within_s=20)


def asks(
    person: Person, channel: Channel, photo: bytes, action: str = "slow zoom in"
) -> Interaction:
    return person.runs("animate", channel, photo=photo, action=action)


# Three seconds. ----------------------------------------------------------------------------


@pytest.mark.usefixtures("bot", "quick_engine")
@pytest.mark.parametrize("trouble", [Trouble.LOSES_ANSWER, Trouble.LOSES_CALL])
async def test_a_line_that_breaks_at_the_first_answer_costs_nobody_the_clip(
    trouble: Trouble,
    discord: DiscordServer,
    services: Services,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    """Asked once more, Discord says "already acknowledged", or takes it for the first time."""
    discord.fails(trouble, "POST", CALLBACK)
    asked = asks(ada, general, photo)
    await ended(services)

    assert general.seen_by(ada) == [asked.reply]
    assert clips(general, ada) == [asked.reply]


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_an_answer_after_three_seconds_charges_nothing(
    discord: DiscordServer,
    services: Services,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    """The asker read "The application did not respond", so nothing is made."""
    late = asks(ada, general, photo)
    discord.clock.advance(3.5)
    await discord.until(lambda: discord.calls_to("POST", CALLBACK))
    asked = asks(ada, general, photo)
    await discord.until(lambda: clips(general, ada), within_s=20)

    assert not late.answered
    assert [call.answer["code"] for call in discord.refused] == [10062]
    assert clips(general, ada) == [asked.reply]
    assert (await ended(services)).state is JobState.DONE


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_an_interaction_that_is_told_twice_is_one_job(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, photo: bytes
) -> None:
    """A resumed session repeats what it is not sure of."""
    asked = asks(ada, general, photo)
    (session,) = discord.gateway.connected
    session.dispatch("INTERACTION_CREATE", session.log[-1]["d"])
    await ended(services)
    await discord.until(lambda: len(discord.calls_to("POST", CALLBACK)) == 2)

    assert general.seen_by(ada) == [asked.reply]
    assert [call.answer["code"] for call in discord.refused] == [40060]


# Fifteen minutes. --------------------------------------------------------------------------


@pytest.mark.usefixtures("bot")
async def test_after_fifteen_minutes_the_answer_comes_as_a_reply_and_rings(
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    general: Channel,
    ada: Person,
    bob: Person,
    photo: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Our own clock says that the token is over; the expired one is not even tried."""
    quick_engine.go.clear()
    asked = asks(ada, general, photo)
    await is_told(discord, asked, "▰")
    pass_time(discord, monkeypatch, TOKEN_S)
    quick_engine.go.set()
    await ended(services)

    (answer,) = clips(general, bob)
    assert answer is not asked.reply
    assert answer.reference is not None
    assert answer.reference["message_id"] == str(asked.reply.id if asked.reply else None)
    assert answer.pinged == {ada}
    assert discord.refused == []
    assert answer.content.startswith(f"{ada.mention} “slow zoom in”")


@pytest.mark.usefixtures("bot")
async def test_a_token_that_ends_early_still_leaves_one_answer(
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    """Discord's clock is ahead of ours: "Invalid Webhook Token" sends the line."""
    quick_engine.go.clear()
    asked = asks(ada, general, photo)
    await is_told(discord, asked, "▰")
    discord.clock.advance(TOKEN_S + 1)
    quick_engine.go.set()
    await ended(services)

    (answer,) = clips(general, ada)
    assert answer is not asked.reply
    assert answer.pinged == {ada}
    assert {call.answer["code"] for call in discord.refused} == {50027}


@pytest.mark.usefixtures("bot")
async def test_where_only_the_token_worked_the_late_answer_comes_as_a_dm(
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    ada: Person,
    bob: Person,
    photo: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The bot is in no group DM, so after fifteen minutes it can say nothing there."""
    ada.has_installed_app = True
    group = discord.group_dm(ada, bob)
    quick_engine.go.clear()
    asked = asks(ada, group, photo)
    await is_told(discord, asked, "▰")
    pass_time(discord, monkeypatch, TOKEN_S)
    quick_engine.go.set()
    job = await ended(services)

    assert job.state is JobState.DONE
    assert clips(group, bob) == []
    assert len(clips(discord.dm(ada), ada)) == 1


# The answer. -------------------------------------------------------------------------------


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_a_lost_reply_to_the_edit_shows_one_clip(
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    quick_engine.go.clear()
    asked = asks(ada, general, photo)
    await is_told(discord, asked, "▰")
    discord.fails(Trouble.LOSES_ANSWER, "PATCH", ANSWERS, times=2)
    quick_engine.go.set()
    job = await ended(services)

    assert job.state is JobState.DONE
    assert general.seen_by(ada) == [asked.reply]
    assert clips(general, ada) == [asked.reply]


@pytest.mark.usefixtures("bot")
async def test_a_lost_reply_to_the_line_shows_one_line(
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    """The status message was deleted, so a line is sent; its number keeps it from doubling."""
    quick_engine.go.clear()
    asked = ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
    await discord.until(lambda: len(general.seen_by(ada)) == 2)
    status = general.seen_by(ada)[-1]
    discord.role(general.guild or discord.guild("x"), "mods", Permission.MANAGE_MESSAGES, ada)
    ada.deletes(status)
    discord.fails(Trouble.LOSES_ANSWER, "POST", MESSAGES)
    quick_engine.go.set()
    job = await ended(services)

    assert job.state is JobState.DONE
    (answer,) = clips(general, ada)
    assert status.deleted
    assert answer.reply_to is asked
    assert len(discord.calls_to("POST", MESSAGES)) >= 3


@pytest.mark.usefixtures("bot")
async def test_a_lost_reply_to_a_refusal_says_it_once(
    discord: DiscordServer, general: Channel, ada: Person
) -> None:
    """The message is seen to anew, and refused anew; its number keeps the words from doubling."""
    discord.fails(Trouble.LOSES_ANSWER, "POST", MESSAGES)
    asked = ada.posts(general, f"{discord.bot.mention} hug", files=[Upload("x.jpg", b"no photo")])
    await discord.until(lambda: len(discord.calls_to("POST", MESSAGES)) == 2, within_s=20)
    await discord.until(lambda: discord.calls_to("POST", MESSAGES)[1].status)

    assert len(general.seen_by(ada)) == 2
    assert general.seen_by(ada)[1].reply_to is asked


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_three_faults_of_discord_leave_one_message(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, photo: bytes
) -> None:
    discord.fails(Trouble.STATUS, "POST", MESSAGES, times=3, status=500)
    asked = ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
    await ended(services)

    (answer,) = [message for message in general.seen_by(ada) if message is not asked]
    assert clips(general, ada) == [answer]


@pytest.mark.usefixtures("bot", "quick_engine")
@pytest.mark.parametrize("trouble", [Trouble.RATE_LIMIT, Trouble.GLOBAL_RATE_LIMIT])
async def test_a_rate_limit_is_waited_for_and_nothing_is_dropped(
    trouble: Trouble,
    discord: DiscordServer,
    services: Services,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    limited = discord.fails(trouble, "PATCH", ANSWERS, times=2, retry_after_s=0.3)
    asked = asks(ada, general, photo)
    job = await ended(services)

    assert limited.hits == 2
    assert job.state is JobState.DONE
    assert clips(general, ada) == [asked.reply]


@pytest.mark.usefixtures("bot")
async def test_a_deleted_channel_gives_the_credit_back(
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    quick_engine.go.clear()
    ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
    await discord.until(lambda: len(general.seen_by(ada)) == 2)
    discord.deletes(general)
    quick_engine.go.set()
    job = await ended(services)

    assert job.state is JobState.UNDELIVERABLE
    credit = await services.ledger.people.credit(f"discord:{ada.id}")
    assert (credit.free, credit.reserved) == (10, 0)


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_where_the_bot_may_not_write_a_command_is_answered_by_its_token(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, photo: bytes
) -> None:
    """The channel's permissions bind the bot; the interaction has a right of its own."""
    general.overwrites[discord.bot.id] = Overwrite(deny=Permission.SEND_MESSAGES)
    asked = asks(ada, general, photo)
    job = await ended(services)

    assert job.state is JobState.DONE
    assert clips(general, ada) == [asked.reply]


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_where_the_bot_may_not_write_a_mention_is_let_go(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, photo: bytes
) -> None:
    """It cannot say a word there, and does not try for ever; the next one is seen to."""
    general.overwrites[discord.bot.id] = Overwrite(deny=Permission.SEND_MESSAGES)
    ada.posts(general, f"{discord.bot.mention} hello")
    await discord.until(lambda: discord.refused)
    del general.overwrites[discord.bot.id]
    asked = ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
    await ended(services)

    assert [clip.reply_to for clip in clips(general, ada)] == [asked]
    assert [call.answer["code"] for call in discord.refused] == [50013]


@pytest.mark.usefixtures("bot")
async def test_a_clip_that_discord_finds_too_large_is_an_honest_word_and_a_refund(
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    general: Channel,
    ada: Person,
    photo: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server lost its boosts while the clip was made: "Request entity too large"."""
    quick_engine.go.clear()
    asked = asks(ada, general, photo)
    await is_told(discord, asked, "▰")
    monkeypatch.setitem(discord_world.FILE_LIMITS, 0, 1000)
    quick_engine.go.set()
    job = await ended(services)

    assert job.failure is FailureReason.CLIP_TOO_LARGE
    assert asked.reply is not None
    assert "too large for this chat" in asked.reply.text
    assert "given back" in asked.reply.text


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_where_no_file_may_be_posted_it_is_said_and_given_back(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, photo: bytes
) -> None:
    general.overwrites[discord.bot.id] = Overwrite(deny=Permission.ATTACH_FILES)
    ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
    job = await ended(services)

    assert job.failure is FailureReason.CLIP_FORBIDDEN
    answer = general.seen_by(ada)[-1]
    assert "may not post clips in this chat" in answer.text
    assert "given back" in answer.text


@pytest.mark.usefixtures("bot")
async def test_where_no_word_may_be_said_any_more_the_asker_is_told_in_a_dm(
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    """The bot was shut out of the channel while the clip was made."""
    quick_engine.go.clear()
    ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
    await discord.until(lambda: len(general.seen_by(ada)) == 2)
    general.overwrites[discord.bot.id] = Overwrite(deny=Permission.VIEW_CHANNEL)
    quick_engine.go.set()
    job = await ended(services)
    chat = discord.dm(ada)
    await discord.until(lambda: chat.seen_by(ada))

    assert job.state is JobState.UNDELIVERABLE
    assert "may not answer in the chat where you asked" in chat.seen_by(ada)[0].text


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_words_that_automod_refuses_are_left_out_and_the_clip_is_shown(
    discord: DiscordServer,
    services: Services,
    home: Guild,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    home.blocked_words.add("please")
    asked = asks(ada, general, photo, "slow zoom in, please")
    job = await ended(services)

    assert job.state is JobState.DONE
    (clip,) = clips(general, ada)
    assert clip is asked.reply
    assert "does not let me repeat your words" in clip.text
    assert 200000 in {call.answer["code"] for call in discord.refused}


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_nothing_pings_by_caption_and_markdown_stays_as_it_was_written(
    discord: DiscordServer,
    services: Services,
    home: Guild,
    general: Channel,
    ada: Person,
    bob: Person,
    photo: bytes,
) -> None:
    everybody = discord.role(home, "everybody", Permission.MENTION_EVERYONE, discord.bot)
    words = f"**slow zoom in** @everyone {bob.mention} {everybody.mention} https://x.example"
    asks(ada, general, photo, words)
    await ended(services)

    (clip,) = clips(general, ada)
    assert clip.pinged == set()
    assert clip.pinged_roles == set()
    assert not clip.pinged_everyone
    assert "\\*\\*slow zoom in\\*\\*" in clip.text


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_where_the_bot_may_not_read_the_past_the_answer_is_no_reply(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, photo: bytes
) -> None:
    general.overwrites[discord.bot.id] = Overwrite(deny=Permission.READ_MESSAGE_HISTORY)
    asked = ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
    job = await ended(services)

    assert job.state is JobState.DONE
    (clip,) = clips(general, ada)
    assert clip.reply_to is None
    assert clip.id > asked.id
    assert {call.answer["code"] for call in discord.refused} == {160002}


@pytest.mark.usefixtures("bot")
async def test_an_archived_thread_is_woken_by_the_answer(
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    """Its messages cannot be edited; a new one wakes it, and becomes the clip."""
    quick_engine.go.clear()
    thread = discord.thread(general, "portraits", ada)
    asked = ada.posts(thread, f"{discord.bot.mention} slow zoom in", files=[photo])
    await discord.until(lambda: len(thread.seen_by(ada)) == 2)
    thread.archived = True
    quick_engine.go.set()
    job = await ended(services)

    assert job.state is JobState.DONE
    (clip,) = clips(thread, ada)
    assert clip.reply_to is asked
    assert not thread.archived


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_after_five_follow_ups_the_answer_comes_as_a_dm(
    discord: DiscordServer, services: Services, ada: Person, bob: Person, photo: bytes
) -> None:
    """Each "again" of a group DM is a follow-up of its own press; this one has none left."""
    ada.has_installed_app = True
    group = discord.group_dm(ada, bob)
    asked = asks(ada, group, photo)
    await ended(services)
    assert asked.reply is not None
    pressed = ada.clicks(asked.reply, "Again")
    pressed.followups_sent = 5
    chat = discord.dm(ada)
    await discord.until(lambda: clips(chat, ada), within_s=20)

    assert len(clips(group, bob)) == 1
    assert 40094 in {call.answer["code"] for call in discord.refused}


@pytest.mark.usefixtures("bot", "quick_engine")
@pytest.mark.parametrize("where", ["server", "group"])
async def test_a_question_that_stood_for_longer_than_its_token_becomes_the_clip_all_the_same(
    where: str,
    discord: DiscordServer,
    services: Services,
    general: Channel,
    ada: Person,
    bob: Person,
    photo: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The press of its button brings a token of its own."""
    ada.has_installed_app = True
    place = general if where == "server" else discord.group_dm(ada, bob)
    asked = asks(ada, place, photo, "kiss")
    await is_told(discord, asked, "All adults")
    assert asked.reply is not None
    pass_time(discord, monkeypatch, TOKEN_S + 60)
    ada.clicks(asked.reply, "Yes")
    job = await ended(services)

    assert job.state is JobState.DONE
    assert clips(place, bob) == [asked.reply]
    assert place.seen_by(bob) == [asked.reply]
    assert discord.refused == []


# Buttons. ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("bot")
async def test_cancel_is_the_askers_and_gives_the_credit_back(
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    general: Channel,
    ada: Person,
    bob: Person,
    photo: bytes,
) -> None:
    quick_engine.go.clear()
    asked = asks(ada, general, photo)
    await is_told(discord, asked, "▰")
    status = asked.reply
    assert status is not None
    meddled = bob.clicks(status, "Cancel")
    await discord.until(lambda: meddled.followups)
    ada.clicks(status, "Cancel")
    job = await ended(services)

    assert "not yours" in meddled.followups[0].text
    assert meddled.followups[0].only_for is bob
    assert job.failure is FailureReason.CANCELLED
    assert "Cancelled" in status.text
    assert status.buttons == []
    credit = await services.ledger.people.credit(f"discord:{ada.id}")
    assert (credit.free, credit.reserved) == (10, 0)


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_again_is_a_new_clip_under_the_first(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, photo: bytes
) -> None:
    asked = asks(ada, general, photo)
    await ended(services)
    assert asked.reply is not None
    ada.clicks(asked.reply, "Again")
    await discord.until(lambda: len(clips(general, ada)) == 2, within_s=20)

    first, second = clips(general, ada)
    assert first is asked.reply
    assert second.reply_to is first
    assert discord.refused == []


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_other_words_are_filled_into_a_form(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, photo: bytes
) -> None:
    """The words so far stand in it."""
    asked = asks(ada, general, photo)
    await ended(services)
    assert asked.reply is not None
    pressed = ada.clicks(asked.reply, "Edit the words")
    await discord.until(lambda: pressed.modal)
    assert pressed.modal is not None
    field = pressed.modal["components"][0]["component"]
    assert field["value"] == "slow zoom in"
    ada.submits(pressed, {field["custom_id"]: "slow zoom out"})
    await discord.until(lambda: len(clips(general, ada)) == 2, within_s=20)

    assert "slow zoom out" in clips(general, ada)[1].text


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_another_photo_may_come_with_the_form(
    discord: DiscordServer,
    services: Services,
    general: Channel,
    ada: Person,
    photo: bytes,
    astronaut: bytes,
) -> None:
    asked = asks(ada, general, photo)
    await ended(services)
    assert asked.reply is not None
    pressed = ada.clicks(asked.reply, "Edit the words")
    await discord.until(lambda: pressed.modal)
    assert pressed.modal is not None
    words, file = (part["component"]["custom_id"] for part in pressed.modal["components"])
    sent = ada.submits(pressed, {words: "slow zoom out", file: [astronaut]})
    await discord.until(lambda: len(clips(general, ada)) == 2, within_s=20)

    assert clips(general, ada)[1] is sent.reply


@pytest.mark.usefixtures("quick_engine")
async def test_buttons_work_right_after_a_restart(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, photo: bytes
) -> None:
    async with at_work(services, discord):
        asked = asks(ada, general, photo)
        await ended(services)
    assert asked.reply is not None
    async with at_work(services, discord):
        ada.clicks(asked.reply, "Again")
        await discord.until(lambda: len(clips(general, ada)) == 2, within_s=20)

    assert len(clips(general, ada)) == 2


@pytest.mark.usefixtures("quick_engine")
async def test_a_form_that_was_open_during_a_restart_is_as_good_as_any(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, photo: bytes
) -> None:
    """What it is about stands in its id."""
    async with at_work(services, discord):
        asked = asks(ada, general, photo)
        await ended(services)
        assert asked.reply is not None
        opened = ada.clicks(asked.reply, "Edit the words")
        await discord.until(lambda: opened.modal)
    async with at_work(services, discord):
        ada.submits(opened, {"words": "slow zoom out"})
        await discord.until(lambda: len(clips(general, ada)) == 2, within_s=20)

    assert "slow zoom out" in clips(general, ada)[1].text


@pytest.mark.usefixtures("quick_engine")
async def test_a_form_for_a_photo_finds_it_again_after_a_restart_or_says_the_next_step(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, photo: bytes
) -> None:
    """In a DM the bot may look again; the photo of a channel Discord shows only once."""
    chat = discord.dm(ada)
    async with at_work(services, discord):
        here = ada.uses_on(ada.posts(general, files=[photo]), "Animate")
        there = ada.uses_on(ada.posts(chat, files=[photo, photo]), "Animate")
        await discord.until(lambda: here.modal and there.modal)
    async with at_work(services, discord):
        lost = ada.submits(here, {"words": "slow zoom in"})
        found = ada.submits(there, {"words": "slow zoom in", "which": ["2"]})
        await discord.until(lambda: lost.reply and lost.reply.content)
        await discord.until(lambda: clips(chat, ada), within_s=20)

    assert lost.reply is not None
    assert "Apps, then Animate" in lost.reply.text
    assert "Nothing was charged" in lost.reply.text
    assert clips(chat, ada) == [found.reply]


# Coming and going. -------------------------------------------------------------------------


async def test_a_bot_that_restarts_in_the_middle_answers_in_the_same_place(
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    quick_engine.go.clear()
    async with at_work(services, discord):
        asked = asks(ada, general, photo)
        await is_told(discord, asked, "▰")
    quick_engine.go.set()
    async with at_work(services, discord):
        job = await ended(services)

    assert job.state is JobState.DONE
    assert clips(general, ada) == [asked.reply]


async def test_a_second_process_stands_by_until_the_first_is_gone(
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    general: Channel,
    ada: Person,
    photo: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    del quick_engine
    stop = asyncio.Event()
    async with at_work(services, discord):
        second = asyncio.create_task(run(services, stop))
        await wait_until(lambda: "standing by" in caplog.text)
        assert len(discord.gateway.connected) == 1
    await discord.until(lambda: discord.is_ready)
    asked = asks(ada, general, photo)
    await ended(services)
    stop.set()
    await second

    assert clips(general, ada) == [asked.reply]


async def test_what_was_posted_while_nobody_listened_is_caught_up_with_once(
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    """The answered one is left alone, the missed one is answered, and a third start adds none."""
    async with at_work(services, discord):
        seen = ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
        await discord.until(lambda: clips(general, ada), within_s=20)
    missed = ada.posts(general, f"{discord.bot.mention} slow zoom out", files=[photo])
    async with at_work(services, discord):
        await discord.until(lambda: len(clips(general, ada)) == 2, within_s=20)
    reads = len(discord.calls_to("GET", MESSAGES))
    async with at_work(services, discord):
        await discord.until(lambda: len(discord.calls_to("GET", MESSAGES)) > reads)

    assert [clip.reply_to for clip in clips(general, ada)] == [seen, missed]
    assert quick_engine.renders == 2


async def test_a_dm_of_somebody_who_asked_lately_is_caught_up_with(
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    ada: Person,
    photo: bytes,
) -> None:
    """Discord does not list DMs; the ledger knows where somebody asked."""
    chat = discord.dm(ada)
    async with at_work(services, discord):
        seen = ada.posts(chat, "slow zoom in", files=[photo])
        await discord.until(lambda: clips(chat, ada), within_s=20)
    missed = ada.posts(chat, "slow zoom out", files=[photo])
    async with at_work(services, discord):
        await discord.until(lambda: len(clips(chat, ada)) == 2, within_s=20)

    assert [clip.reply_to for clip in clips(chat, ada)] == [seen, missed]
    assert quick_engine.renders == 2


async def test_what_is_older_than_an_hour_is_not_caught_up_with(
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    """The fake's clock stands an hour back when the old one is posted."""
    discord.clock.advance(-3700)
    ada.posts(general, f"{discord.bot.mention} slow zoom out", files=[photo])
    discord.clock.advance(3700)
    recent = ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
    async with at_work(services, discord):
        await discord.until(lambda: clips(general, ada), within_s=20)

    assert [clip.reply_to for clip in clips(general, ada)] == [recent]
    assert quick_engine.renders == 1


@pytest.mark.usefixtures("bot", "quick_engine")
@pytest.mark.parametrize("how", ["closed", "asked to reconnect"])
async def test_a_line_that_breaks_is_resumed_and_nothing_is_missed(
    how: str,
    discord: DiscordServer,
    services: Services,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    (session,) = discord.gateway.connected
    match how:
        case "closed":
            discord.gateway.closes()
        case _:
            discord.gateway.asks_to_reconnect()
    asked = ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
    await discord.until(lambda: session.resumed == 1, within_s=20)
    await ended(services)

    assert [clip.reply_to for clip in clips(general, ada)] == [asked]


def pass_time(discord: DiscordServer, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let *seconds* pass on both sides."""
    discord.clock.advance(seconds)
    # Of that module alone: Redis and SQLite live on.
    monkeypatch.setattr(place, "time", SimpleNamespace(time=discord.clock.now))
