"""Where the bot hears and where it answers: alone with it, in groups, in topics."""

import pytest

from tests.engines import QuickEngine
from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person
from tests.telegram.stage import clip_in


@pytest.mark.parametrize(
    "caption", ["@vivant_bot slow zoom in", "slow zoom in, @Vivant_Bot", "/animate slow zoom in",
                "/animate@vivant_bot slow zoom in"],
)  # fmt: skip
async def test_a_photo_in_a_group_that_names_the_bot_moves(
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
    caption: str,
) -> None:
    """The name is no part of the words."""
    bot.privacy = False
    group = telegram.add_supergroup("Family", ada, bot)

    asked = ada.sends_photo(group, photo, caption=caption)

    answer = await clip_in(telegram, group, bot)
    assert answer.reply_to == asked.message_id
    assert "“slow zoom in" in answer.text
    assert "vivant" not in answer.text


async def test_a_photo_in_a_group_that_is_not_for_the_bot_is_left_alone(
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """No reaction, no answer, no charge: not for a bare caption, and not for another bot's."""
    bot.privacy = False
    group = telegram.add_supergroup("Family", ada, bot)
    others = [
        ada.sends_photo(group, photo, caption="us at the lake"),
        ada.sends_photo(group, photo, caption="/animate@other_bot hug"),
        ada.sends_photo(group, photo, caption="hug me, @vivant_bot_fan"),
        ada.sends_photo(group, photo),
        ada.says(group, "lovely"),
        ada.says(group, "/weather"),
    ]

    ada.sends_photo(group, photo, caption="@vivant_bot slow zoom in")

    await clip_in(telegram, group, bot)
    assert quick_engine.renders == 1
    assert [telegram.shown(other).reactions for other in others] == [{}] * len(others)


async def test_a_topic_is_answered_in_the_topic(
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """Not in General."""
    bot.privacy = False
    forum = telegram.add_supergroup("Club", ada, bot, is_forum=True)
    topic = telegram.add_topic(forum, "Holidays", ada)

    asked = ada.sends_photo(forum, photo, caption="@vivant_bot slow zoom in", topic=topic.id)

    answer = await clip_in(telegram, forum, bot, topic=topic.id)
    assert answer.topic == topic.id
    assert answer.reply_to == asked.message_id
    assert all(action.thread_id == topic.id for action in forum.actions)


async def test_a_reply_in_a_plain_supergroup_is_no_topic(
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """Its thread has a number as well, which no message may name."""
    bot.privacy = False
    group = telegram.add_supergroup("Family", ada, bot)
    first = ada.says(group, "show us!")

    ada.sends_photo(group, photo, caption="@vivant_bot slow zoom in", reply_to=first)

    await clip_in(telegram, group, bot)
    assert [call.refusal for call in telegram.calls if call.refusal] == []


async def test_a_picture_that_is_sent_as_a_file_moves_too(
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """In its own quality."""
    ada.sends_document(bot, photo, "me.jpg", "image/jpeg", caption="slow zoom in")

    await clip_in(telegram, ada.chat_with(bot), bot)


async def test_sending_a_video_is_shown_while_one_is_made(
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """And only then."""
    ada.says(bot, "/help")
    await telegram.until(lambda: telegram.visible(ada.chat_with(bot), by=bot))
    assert ada.chat_with(bot).actions == []

    ada.sends_photo(bot, photo, caption="slow zoom in")

    await telegram.until(lambda: ada.chat_with(bot).actions)
    assert {action.action for action in ada.chat_with(bot).actions} == {"upload_video"}
