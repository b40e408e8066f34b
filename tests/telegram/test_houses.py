"""How a group settles things for itself: who may, in which language, in which topic."""

from tests.engines import QuickEngine
from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person, Status
from tests.telegram.stage import answer_to, clip_in, clips_in
from vivant.chat import Verb
from vivant.messages import Messages


async def test_only_admins_change_the_settings(
    telegram: FakeTelegram, bot: BotAccount, ada: Person
) -> None:
    """Anybody may read them."""
    bob = telegram.add_person("Bob")
    group = telegram.add_supergroup("Family", ada, bob, bot)

    refused = await answer_to(telegram, bot, bob.says(group, "/settings@vivant_bot quiet on"))
    kept = await answer_to(telegram, bot, ada.says(group, "/settings@vivant_bot quiet on"))
    read = await answer_to(telegram, bot, bob.says(group, "/settings@vivant_bot"))

    assert refused == Messages().moderators_only()
    assert kept == Messages().house_kept()
    assert "quiet on" in read


async def test_an_admin_who_posts_as_the_group_may_as_well(
    telegram: FakeTelegram, bot: BotAccount, ada: Person
) -> None:
    """An anonymous admin speaks as the chat itself."""
    group = telegram.add_supergroup("Family", ada, bot)
    telegram.stand(group, ada, Status.CREATOR, is_anonymous=True)

    said = ada.says(group, "/settings@vivant_bot quiet on")

    assert await answer_to(telegram, bot, said) == Messages().house_kept()


async def test_what_an_admin_asked_as_the_group_its_admins_press(
    telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes, quick_engine: QuickEngine
) -> None:
    """A press tells who it was, a message did not; whoever is no admin has no say."""
    bot.privacy = False
    bob = telegram.add_person("Bob")
    group = telegram.add_supergroup("Family", ada, bob, bot)
    telegram.stand(group, ada, Status.CREATOR, is_anonymous=True)
    await answer_to(telegram, bot, ada.sends_photo(group, photo, caption="@vivant_bot"))
    (question,) = telegram.visible(group, by=bot)

    theirs = bob.presses(question.post, question.button_texts[0])
    await telegram.until(lambda: theirs.answer)
    assert quick_engine.renders == 0
    ada.presses(question.post, question.button_texts[0])
    clip = await clip_in(telegram, group, bot)
    ada.presses(clip.post, Messages().verb(Verb.AGAIN))

    await clips_in(telegram, group, bot, count=2)


async def test_alone_with_the_bot_everybody_decides(
    telegram: FakeTelegram, bot: BotAccount, ada: Person
) -> None:
    """And is answered in the language that was chosen."""
    await answer_to(telegram, bot, ada.says(bot, "/settings language de"))

    assert await answer_to(telegram, bot, ada.says(bot, "hi")) == Messages("de").usage()


async def test_where_only_admins_may_ask_others_are_told(
    telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes, quick_engine: QuickEngine
) -> None:
    """Once; the admin's photo moves."""
    bot.privacy = False
    bob = telegram.add_person("Bob")
    group = telegram.add_supergroup("Family", ada, bob, bot)
    await answer_to(telegram, bot, ada.says(group, "/settings@vivant_bot guests moderators"))

    asked = bob.sends_photo(group, photo, caption="@vivant_bot slow zoom in")
    assert "charged" in await answer_to(telegram, bot, asked)
    ada.sends_photo(group, photo, caption="@vivant_bot slow zoom in")
    await clips_in(telegram, group, bot)

    assert quick_engine.renders == 1


async def test_every_photo_with_words_moves_where_an_admin_said_so(
    telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes, quick_engine: QuickEngine
) -> None:
    """A photo without words is still nobody's request."""
    bot.privacy = False
    group = telegram.add_supergroup("Family", ada, bot)
    await answer_to(telegram, bot, ada.says(group, "/settings@vivant_bot every_photo on"))

    bare = ada.sends_photo(group, photo)
    ada.sends_photo(group, photo, caption="slow zoom in")

    await clips_in(telegram, group, bot)
    assert telegram.shown(bare).reactions == {}
    assert quick_engine.renders == 1


async def test_answers_go_to_the_topic_that_was_chosen_for_them(
    telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes, quick_engine: QuickEngine
) -> None:
    """Until it is taken back."""
    bot.privacy = False
    forum = telegram.add_supergroup("Club", ada, bot, is_forum=True)
    clips = telegram.add_topic(forum, "Clips", ada)
    talk = telegram.add_topic(forum, "Talk", ada)

    async def says(text: str, topic: int) -> str:
        return await answer_to(telegram, bot, ada.says(forum, text, topic=topic))

    assert Messages().house_topic() in await says("/settings@vivant_bot", talk.id)

    await says("/settings@vivant_bot topic here", clips.id)
    ada.sends_photo(forum, photo, caption="@vivant_bot slow zoom in", topic=talk.id)
    await clips_in(telegram, forum, bot, topic=clips.id)
    await says("/settings@vivant_bot topic -", talk.id)
    ada.sends_photo(forum, photo, caption="@vivant_bot slow zoom in", topic=talk.id)
    await clips_in(telegram, forum, bot, topic=talk.id)


async def test_a_clip_can_be_hidden_until_it_is_tapped(
    telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes, quick_engine: QuickEngine
) -> None:
    """Telegram calls it a spoiler."""
    await answer_to(telegram, bot, ada.says(bot, "/settings spoiler on"))

    ada.sends_photo(bot, photo, caption="slow zoom in")

    (clip,) = await clips_in(telegram, ada.chat_with(bot), bot)
    assert clip.media is not None
    assert clip.media.has_spoiler


async def test_a_comment_below_a_channel_post_is_answered_there(
    telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes, quick_engine: QuickEngine
) -> None:
    """A channel's discussion group is a group; its post is a photo that can be replied to."""
    bob = telegram.add_person("Bob")
    group = telegram.add_supergroup("Comments", ada, bob, bot)
    channel = telegram.add_channel("News", ada, discussed_in=group)
    ada.sends_photo(channel, photo, caption="our new house")
    (post,) = [post for post in group.posts.values() if "photo" in post.body]

    bob.says(group, "/animate@vivant_bot slow zoom in", reply_to=post)

    answer = await clip_in(telegram, group, bot)
    assert answer.reply_to == post.message_id
    assert [call.refusal for call in telegram.calls if call.refusal] == []


async def test_somebody_who_writes_as_their_channel_has_that_channels_credit(
    telegram: FakeTelegram, bot: BotAccount, ada: Person
) -> None:
    """And is no admin of the group for it."""
    group = telegram.add_supergroup("Comments", ada, bot)
    channel = telegram.add_channel("News", ada)

    said = ada.says_as_channel(group, channel, "/settings@vivant_bot quiet on")

    assert await answer_to(telegram, bot, said) == Messages().moderators_only()
