"""A group that became a supergroup: another id, and messages that are counted anew."""

from tests.conftest import engine_at_work
from tests.engines import QuickEngine
from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person, ShownMessage
from tests.telegram.stage import all_over, answer_to, clips_in, colour
from vivant.services import Services


async def test_an_answer_is_not_written_over_a_message_that_has_its_number_by_now(
    services: Services, telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> None:
    """Each gets a clip in the supergroup; it answers nobody else's message."""
    bot.privacy = False
    bea = telegram.add_person("Bea")
    group = telegram.add_group("Family", ada, bea, bot)
    ada.says(group, "hi")
    ada.sends_photo(group, photo, caption="@vivant_bot slow zoom in")
    await telegram.until(lambda: telegram.visible(group, by=bot))
    (old,) = telegram.visible(group, by=bot)
    grown = telegram.migrate(group)
    asked = bea.sends_photo(grown, colour("red"), caption="@vivant_bot smile")

    def hers() -> list[ShownMessage]:
        shown = telegram.visible(grown, by=bot)
        return [message for message in shown if message.reply_to == asked.message_id]

    await telegram.until(hers)
    number = hers()[0].message_id
    assert number == old.message_id

    async with engine_at_work(services, QuickEngine()):
        await clips_in(telegram, grown, bot, count=2)
        await all_over(services)

    clips = telegram.visible(grown, by=bot)
    assert {(shown.reply_to, "“smile”" in shown.text) for shown in clips} == {
        (asked.message_id, True),
        (None, False),
    }
    assert all(shown.media for shown in clips)


async def test_the_rules_of_a_group_hold_in_the_supergroup_that_it_becomes(
    telegram: FakeTelegram, bot: BotAccount, ada: Person
) -> None:
    """Whoever could not ask before cannot ask now."""
    group = telegram.add_group("Family", ada, bot)
    await answer_to(telegram, bot, ada.says(group, "/settings@vivant_bot guests moderators"))

    grown = telegram.migrate(group)

    read = await answer_to(telegram, bot, ada.says(grown, "/settings@vivant_bot"))
    assert "guests moderators" in read
