"""One visible final answer, whatever the network and Telegram do; each test names what it does."""

import json
from collections.abc import Iterable

import pytest

from tests.conftest import wait_until
from tests.engines import QuickEngine
from tests.fakes.telegram_api import BotAccount, FakeTelegram, FaultKind, Person
from tests.telegram.stage import all_over, at_work, clips_in, spent
from vivant.clips import JobState
from vivant.errors import LedgerDown
from vivant.ledger import Inbox, Letter
from vivant.services import Services


async def test_an_update_that_comes_twice_is_one_job(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """Telegram sends again what it did not hear confirmed."""
    ada.sends_photo(bot, photo, caption="slow zoom in")
    (update,) = bot.updates
    await clips_in(telegram, ada.chat_with(bot), bot)

    telegram.tells_again(bot, update)
    telegram.tells_again(bot, update | {"update_id": bot.next_update_id + 5})
    await telegram.until(lambda: not bot.updates)
    help_asked = ada.says(bot, "/help")
    chat = ada.chat_with(bot)
    await telegram.until(
        lambda: any(m.reply_to == help_asked.message_id for m in telegram.visible(chat, by=bot))
    )

    await all_over(services)
    assert quick_engine.renders == 1
    assert sum(m.media is not None for m in telegram.visible(chat, by=bot)) == 1
    assert await spent(services, ada) == 1


async def test_an_update_is_handled_after_a_crash_that_followed_its_row(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    account: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """The row was written and confirmed, then the process died: Telegram will not send it again."""
    ada.sends_photo(account, photo, caption="slow zoom in")
    (update,) = account.updates
    account.updates.clear()
    inbox = services.ledger.inbox("telegram", str(account.id))
    await inbox.put([Letter(f"{update['update_id']:012d}", json.dumps(update))])
    assert await inbox.claim() is not None  # by the process that died

    async with at_work(services):
        await clips_in(telegram, ada.chat_with(account), account)
        await all_over(services)

    assert await spent(services, ada) == 1


async def test_an_update_is_confirmed_only_when_it_is_kept(
    telegram: FakeTelegram, bot: BotAccount, ada: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ledger that is down for a moment costs a moment, not a message."""
    real = Inbox.put
    failures = [LedgerDown("away"), LedgerDown("still away")]

    async def put(self: Inbox, letters: Iterable[Letter]) -> int:
        if failures:
            raise failures.pop()
        return await real(self, letters)

    monkeypatch.setattr(Inbox, "put", put)
    ada.says(bot, "/help")

    await telegram.until(lambda: telegram.visible(ada.chat_with(bot), by=bot))
    assert failures == []
    assert len(telegram.visible(ada.chat_with(bot), by=bot)) == 1


async def test_an_update_that_takes_longer_than_its_lease_is_handled_once(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """The lease is renewed beside a slow download."""
    slow = services.settings.lease_s * 1.5
    telegram.faults.add(FaultKind.DELAY, method="getFile", delay_s=slow)

    ada.sends_photo(bot, photo, caption="slow zoom in")

    await clips_in(telegram, ada.chat_with(bot), bot)
    assert len(telegram.called("getFile")) == 1
    assert len(telegram.visible(ada.chat_with(bot), by=bot)) == 1


@pytest.mark.parametrize("method", ["sendMessage", "editMessageMedia", "setMessageReaction"])
@pytest.mark.parametrize("kind", [FaultKind.DROP_CALL, FaultKind.ERROR, FaultKind.FLOOD])
async def test_a_call_that_fails_once_changes_nothing(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
    method: str,
    kind: FaultKind,
) -> None:
    """One clip, in one message, paid once."""
    telegram.faults.add(kind, method=method)

    ada.sends_photo(bot, photo, caption="slow zoom in")

    await clips_in(telegram, ada.chat_with(bot), bot)
    await all_over(services)
    assert len(telegram.visible(ada.chat_with(bot), by=bot)) == 1
    assert quick_engine.renders == 1
    assert await spent(services, ada) == 1


async def test_a_clip_whose_reply_was_lost_is_shown_once(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """Telegram applied the edit and its answer never came: the edit is made again."""
    telegram.faults.add(FaultKind.DROP_REPLY, method="editMessageMedia")

    ada.sends_photo(bot, photo, caption="slow zoom in")

    await telegram.until(lambda: len(telegram.called("editMessageMedia")) == 2)
    await all_over(services)
    (answer,) = telegram.visible(ada.chat_with(bot), by=bot)
    assert answer.media is not None
    assert await spent(services, ada) == 1


async def test_a_flood_wait_is_waited_for(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """Not a call to that method before the time is over."""
    telegram.faults.add(FaultKind.FLOOD, method="editMessageMedia", retry_after=2)

    ada.sends_photo(bot, photo, caption="slow zoom in")

    await clips_in(telegram, ada.chat_with(bot), bot)
    refused, done = telegram.called("editMessageMedia")
    assert done.at - refused.at >= 2


async def test_a_group_in_a_hurry_stays_within_the_flood_limits(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """Photos at once, limits enforced to the letter: every one is answered, none twice."""
    telegram.limit_flood()
    bot.privacy = False
    group = telegram.add_supergroup("Family", ada, bot)
    asked = [
        ada.sends_photo(group, photo, caption=f"@vivant_bot slow zoom in, {number}")
        for number in range(2)
    ]

    await telegram.until(
        lambda: sum(m.media is not None for m in telegram.visible(group, by=bot)) == 2,
        timeout_s=40,
    )

    answers = telegram.visible(group, by=bot)
    assert sorted(m.reply_to or 0 for m in answers) == [post.message_id for post in asked]
    await all_over(services)
    assert await spent(services, ada) == 2


async def test_a_person_who_blocked_the_bot_is_not_charged(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """The clip is not sent again and again either."""
    quick_engine.go.clear()
    ada.sends_photo(bot, photo, caption="slow zoom in")
    await telegram.until(lambda: telegram.visible(ada.chat_with(bot), by=bot))
    (job,) = await services.ledger.jobs.open_jobs()

    ada.blocks_bot(bot)
    quick_engine.go.set()
    await all_over(services)

    ended = await services.ledger.jobs.get(job.id)
    assert ended is not None
    assert ended.state is JobState.UNDELIVERABLE
    assert await spent(services, ada) == 0
    assert len(telegram.called("editMessageMedia")) == 1


async def test_an_update_of_somebody_who_cannot_be_answered_is_done(
    services: Services, telegram: FakeTelegram, account: BotAccount, ada: Person
) -> None:
    """They wrote and blocked the bot at once: it is not tried again."""
    ada.says(account, "/help")
    ada.blocks_bot(account)
    async with at_work(services):

        async def is_done() -> bool:
            async with services.ledger.db.reading() as conn:
                rows = await conn.exec_driver_sql("SELECT state, tries FROM inbox")
                return {tuple(row) for row in rows} == {("done", 1)}

        await wait_until(is_done)


async def test_a_status_message_that_was_deleted_does_not_cost_the_clip(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """Telegram: "message to edit not found". One line is sent, and becomes the clip."""
    quick_engine.go.clear()
    asked = ada.sends_photo(bot, photo, caption="slow zoom in")
    chat = ada.chat_with(bot)
    await telegram.until(lambda: telegram.visible(chat, by=bot))
    await wait_until(lambda: quick_engine.renders == 1)
    ada.deletes(telegram.visible(chat, by=bot)[0].post)
    ada.deletes(asked)

    quick_engine.go.set()
    await clips_in(telegram, ada.chat_with(bot), bot)

    (answer,) = telegram.visible(chat, by=bot)
    assert answer.reply_to is None  # the photo is gone as well
    await all_over(services)
    assert await spent(services, ada) == 1


async def test_a_topic_that_was_deleted_is_answered_beside_it(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """Telegram: "message thread not found". Better in General than nowhere."""
    bot.privacy = False
    forum = telegram.add_supergroup("Club", ada, bot, is_forum=True)
    topic = telegram.add_topic(forum, "Holidays", ada)
    quick_engine.go.clear()
    ada.sends_photo(forum, photo, caption="@vivant_bot slow zoom in", topic=topic.id)
    await telegram.until(lambda: telegram.visible(forum, by=bot))
    await wait_until(lambda: quick_engine.renders == 1)

    topic.is_deleted = True
    for post in forum.posts.values():
        post.is_deleted = post.is_deleted or post.thread_id == topic.id
    quick_engine.go.set()

    await telegram.until(lambda: any(m.media for m in telegram.visible(forum, by=bot)))
    (answer,) = telegram.visible(forum, by=bot)
    assert answer.topic is None


async def test_a_group_that_became_a_supergroup_gets_its_clip_there(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """The old chat answers with the new one's id."""
    bot.privacy = False
    group = telegram.add_group("Family", ada, bot)
    quick_engine.go.clear()
    ada.sends_photo(group, photo, caption="@vivant_bot slow zoom in")
    await telegram.until(lambda: telegram.visible(group, by=bot))
    await wait_until(lambda: quick_engine.renders == 1)

    larger = telegram.migrate(group)
    quick_engine.go.set()

    await telegram.until(lambda: any(m.media for m in telegram.visible(larger, by=bot)))
    assert len(telegram.visible(larger, by=bot)) == 1


async def test_a_second_process_stands_by_and_takes_over(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    account: BotAccount,
    ada: Person,
    photo: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One poller a token: nobody is told 409, and nothing is lost when the first one leaves."""
    caplog.set_level("INFO")
    async with at_work(services):
        await telegram.until(lambda: telegram.is_polled(account))
        second = at_work(services)
        await second.__aenter__()
        await wait_until(lambda: "standing by" in caplog.text)
    try:
        ada.sends_photo(account, photo, caption="slow zoom in")
        await clips_in(telegram, ada.chat_with(account), account)
    finally:
        await second.__aexit__(None, None, None)

    assert [call for call in telegram.called("getUpdates") if call.refusal] == []


async def test_a_stranger_who_polls_with_our_token_does_not_end_the_bot(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """409: it is said in the log, and read on."""
    telegram.faults.add(FaultKind.ERROR, method="getUpdates", status=409)
    ada.says(bot, "/help")  # ends the poll that waits, so that the next one meets the fault
    await wait_until(lambda: "somebody else reads" in caplog.text)

    ada.sends_photo(bot, photo, caption="slow zoom in")

    await clips_in(telegram, ada.chat_with(bot), bot)


async def test_an_update_that_breaks_us_is_given_up_and_the_next_one_is_not(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Three tries, then the person is told; the photo after it moves."""
    real = telegram.world.shelf.at
    broken: set[str] = set()

    def at(path: str) -> bytes | None:
        return None if path in broken else real(path)

    monkeypatch.setattr(telegram.world.shelf, "at", at)
    poison = ada.sends_photo(bot, photo, caption="slow zoom in")
    file_id = poison.body["photo"][-1]["file_unique_id"]
    broken.add(telegram.world.shelf.by_id[file_id].path)
    chat = ada.chat_with(bot)
    await telegram.until(
        lambda: any(m.reply_to == poison.message_id for m in telegram.visible(chat, by=bot))
    )

    assert len(telegram.called("getFile")) == 3
    ada.sends_photo(bot, photo[:-2] + b"\x00\xff\xd9", caption="slow zoom in")
    await clips_in(telegram, ada.chat_with(bot), bot)
    await all_over(services)
    assert await spent(services, ada) == 1
