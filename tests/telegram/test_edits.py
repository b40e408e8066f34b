"""A caption that is changed: before an engine has the photo it counts, later it does nothing."""

from tests.conftest import wait_until
from tests.engines import QuickEngine
from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person
from tests.telegram.stage import all_seen_to, clip_in, clips_in
from vivant.clips import JobState
from vivant.messages import Messages
from vivant.services import Services


async def words_of_the_job(services: Services) -> list[str]:
    jobs = await services.ledger.jobs.open_jobs()
    return [job.plan.words for job in jobs if job.plan is not None]


async def test_other_words_before_the_start_are_the_words(
    services: Services, telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> None:
    """One job, with the newest words."""
    asked = ada.sends_photo(bot, photo, caption="slow zoom in")
    await telegram.until(lambda: telegram.visible(ada.chat_with(bot), by=bot))

    ada.edits(asked, "gentle sway")

    async def are_new() -> bool:
        return await words_of_the_job(services) == ["gentle sway"]

    await wait_until(are_new)


async def test_other_words_after_the_start_do_nothing(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """No second clip, and the words under the clip are those it was made by."""
    quick_engine.go.clear()
    asked = ada.sends_photo(bot, photo, caption="slow zoom in")

    async def is_rendering() -> bool:
        jobs = await services.ledger.jobs.open_jobs()
        return any(job.state is JobState.RENDERING for job in jobs)

    await wait_until(is_rendering)
    ada.edits(asked, "gentle sway")
    await telegram.until(lambda: not bot.updates)
    quick_engine.go.set()

    answer = await clip_in(telegram, ada.chat_with(bot), bot)
    assert "“slow zoom in”" in answer.text
    assert quick_engine.renders == 1


async def test_words_that_are_added_to_a_bare_photo_are_its_words(
    quick_engine: QuickEngine, telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> None:
    """It was asked what shall happen; the answer may come as a caption."""
    asked = ada.sends_photo(bot, photo)
    await telegram.until(lambda: telegram.visible(ada.chat_with(bot), by=bot))

    ada.edits(asked, "slow zoom in")

    await clips_in(telegram, ada.chat_with(bot), bot)
    assert quick_engine.renders == 1


async def test_a_name_that_was_forgotten_can_be_added(
    quick_engine: QuickEngine, telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> None:
    """In a group that does not show every photo to the bot's wits."""
    bot.privacy = False
    group = telegram.add_supergroup("Family", ada, bot)
    asked = ada.sends_photo(group, photo, caption="slow zoom in")

    ada.edits(asked, "@vivant_bot slow zoom in")

    answer = await clip_in(telegram, group, bot)
    assert answer.reply_to == asked.message_id


async def test_an_edit_into_a_kiss_does_not_pass_the_question(
    services: Services, telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> None:
    """Words that must be asked about first do not replace those that were not."""
    asked = ada.sends_photo(bot, photo, caption="slow zoom in")
    await telegram.until(lambda: telegram.visible(ada.chat_with(bot), by=bot))

    ada.edits(asked, "a kiss between them")
    ada.says(bot, "/help")
    usage = Messages().usage()
    await telegram.until(
        lambda: any(usage in m.text for m in telegram.visible(ada.chat_with(bot), by=bot))
    )

    await all_seen_to(services)
    assert await words_of_the_job(services) == ["slow zoom in"]
