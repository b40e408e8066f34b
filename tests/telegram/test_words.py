"""What is said to the bot without a photo, and what it says to what is none."""

import pytest

from tests.engines import QuickEngine
from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person
from tests.telegram.stage import answer_to
from vivant.messages import Messages
from vivant.services import Services


@pytest.mark.parametrize("said", ["/start", "/start " + "a" * 64, "/help", "/nonsense", "/help x"])
async def test_start_help_and_unknown_commands_are_answered_with_help(
    telegram: FakeTelegram, bot: BotAccount, ada: Person, said: str
) -> None:
    """Whatever payload a link carried."""
    answer = await answer_to(telegram, bot, ada.says(bot, said))

    assert answer.startswith(Messages().usage())
    assert "/status" in answer


async def test_words_without_a_photo_are_answered_with_one_example(
    telegram: FakeTelegram, bot: BotAccount, ada: Person
) -> None:
    """Not with the whole help."""
    assert await answer_to(telegram, bot, ada.says(bot, "hello?")) == Messages().usage()


@pytest.mark.parametrize("said", ["@vivant_bot hello?", "/animate@vivant_bot", "/help@vivant_bot"])
async def test_in_a_group_the_way_that_always_works_is_told(
    telegram: FakeTelegram, bot: BotAccount, ada: Person, said: str
) -> None:
    """In privacy mode a bot does not see captioned photos; it does see replies to them."""
    bot.mentions_pass_privacy = True
    group = telegram.add_supergroup("Family", ada, bot)

    answer = await answer_to(telegram, bot, ada.says(group, said))

    assert answer.startswith(Messages().usage(in_group=True))


async def test_status_says_what_is_left(
    telegram: FakeTelegram, bot: BotAccount, ada: Person, services: Services
) -> None:
    """And when new clips come."""
    answer = await answer_to(telegram, bot, ada.says(bot, "/status"))

    assert str(services.settings.free_clips_per_day) in answer
    assert "UTC" in answer or "in about" in answer


async def test_cancel_ends_what_waits(
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
    quick_engine: QuickEngine,
    services: Services,
) -> None:
    """One answer, in the place of the status message, and the clip is given back."""
    quick_engine.go.clear()
    ada.sends_photo(bot, photo, caption="slow zoom in")
    await telegram.until(
        lambda: quick_engine.renders and telegram.visible(ada.chat_with(bot), by=bot)
    )

    await answer_to(telegram, bot, ada.says(bot, "/cancel"))

    await telegram.until(
        lambda: any(
            "charged" in message.text.lower() or "back" in message.text.lower()
            for message in telegram.visible(ada.chat_with(bot), by=bot)
        )
    )
    credit = await services.ledger.people.credit(f"telegram:{ada.id}")
    assert credit.free == services.settings.free_clips_per_day
    assert credit.reserved == 0


async def test_a_video_is_answered_with_a_hint(
    telegram: FakeTelegram, bot: BotAccount, ada: Person
) -> None:
    """And so are animations."""
    clip = b"\x00\x00\x00\x18ftypmp42" + bytes(200)
    for film in (ada.sends_video(bot, clip, caption="hug"), ada.sends_animation(bot, clip)):
        assert await answer_to(telegram, bot, film) == Messages().video_hint()


async def test_a_file_that_is_no_picture_is_refused(
    telegram: FakeTelegram, bot: BotAccount, ada: Person, services: Services
) -> None:
    """With nothing charged, and said so."""
    sent = ada.sends_document(bot, b"%PDF-1.7 nothing", "me.jpg", "image/jpeg", caption="hug")

    assert (await answer_to(telegram, bot, sent)).endswith("Nothing was charged.")
    assert await services.ledger.jobs.waiting() == 0


async def test_a_file_of_21_megabytes_is_refused_before_it_is_read(
    telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> None:
    """The limit is named; Telegram is not even asked for the file."""
    large = photo + bytes(21 * 1024 * 1024)
    sent = ada.sends_document(bot, large, "me.jpg", "image/jpeg", caption="hug")

    assert "20 MB" in await answer_to(telegram, bot, sent)
    assert telegram.called("getFile") == []


async def test_a_file_that_telegram_does_not_give_out_is_refused(
    telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> None:
    """Telegram may leave the size out of an update: then "file is too big" is what it says."""
    large = photo + bytes(21 * 1024 * 1024)
    sent = ada.sends_document(bot, large, "me.jpg", "image/jpeg", caption="hug")
    del bot.updates[-1]["message"]["document"]["file_size"]

    assert "20 MB" in await answer_to(telegram, bot, sent)
    (asked,) = telegram.called("getFile")
    assert asked.refusal is not None
    assert "file is too big" in asked.refusal.description
