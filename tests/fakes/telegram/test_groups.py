"""Groups: what a bot may see, topics, anonymous admins, channels and their discussions."""

from collections.abc import Callable

import pytest
from telegram import Bot, Message, ReplyParameters
from telegram.constants import ChatMemberStatus
from telegram.error import BadRequest, Forbidden

from tests.fakes.telegram.conftest import jpeg
from tests.fakes.telegram_api import BotAccount, Chat, FakeTelegram, Person, Post, Status


async def messages(bot: Bot) -> list[Message]:
    return [update.message for update in await bot.get_updates() if update.message is not None]


@pytest.fixture
def group(telegram: FakeTelegram, account: BotAccount, ada: Person) -> Chat:
    group = telegram.add_supergroup("Friends", ada, account)
    account.updates.clear()
    return group


Speaks = Callable[[Person, Chat, Post], Post]
PRIVACY: dict[str, tuple[Speaks, bool]] = {
    "a command to this bot": (
        lambda ada, group, _: ada.says(group, "/animate@vivant_bot hug"),
        True,
    ),
    "a command to another": (
        lambda ada, group, _: ada.says(group, "/animate@other_bot hug"),
        False,
    ),
    "small talk": (lambda ada, group, _: ada.says(group, "hello all"), False),
    "a captioned photo": (
        lambda ada, group, _: ada.sends_photo(group, jpeg(), caption="hug"),
        False,
    ),
    "a mention": (lambda ada, group, _: ada.says(group, "hey @vivant_bot hug"), False),
    "a command in a caption": (
        lambda ada, group, _: ada.sends_photo(group, jpeg(), caption="/animate@vivant_bot hug"),
        False,
    ),
    "a reply to the bot": (lambda ada, group, ours: ada.says(group, "more", reply_to=ours), True),
    "a bare command after the bot spoke": (lambda ada, group, _: ada.says(group, "/status"), True),
}


@pytest.mark.parametrize("case", PRIVACY)
async def test_privacy_mode_lets_through_what_is_documented(
    case: str, bot: Bot, ada: Person, group: Chat
) -> None:
    sent = await bot.send_message(group.id, "I am here")
    speaks, is_heard = PRIVACY[case]
    said = speaks(ada, group, group.posts[sent.message_id])

    heard = [message.message_id for message in await messages(bot)]
    assert heard == ([said.message_id] if is_heard else [])


async def test_without_privacy_mode_or_as_admin_a_bot_hears_all(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person, group: Chat
) -> None:
    ada.says(group, "unheard")
    account.privacy = False
    ada.says(group, "heard")
    account.privacy = True
    telegram.stand(group, account, Status.ADMINISTRATOR)
    ada.says(group, "heard too")
    telegram.stand(group, account, Status.MEMBER)
    account.mentions_pass_privacy = True
    account.captions_pass_privacy = True
    ada.sends_photo(group, jpeg(), caption="hug @vivant_bot")
    ada.sends_photo(group, jpeg(), caption="/animate@vivant_bot hug")
    ada.sends_photo(group, jpeg(), caption="/animate@other_bot hug")

    heard = [message.text or message.caption for message in await messages(bot)]
    assert heard == ["heard", "heard too", "hug @vivant_bot", "/animate@vivant_bot hug"]
    assert (await bot.get_me()).can_read_all_group_messages is False


async def test_a_reply_brings_the_photo_that_the_bot_was_not_shown(
    bot: Bot, ada: Person, group: Chat
) -> None:
    photo = ada.sends_photo(group, jpeg())
    ada.says(group, "/animate@vivant_bot hug", reply_to=photo)

    (message,) = await messages(bot)
    assert message.reply_to_message is not None
    assert message.reply_to_message.photo
    assert not message.is_topic_message


async def test_answers_stay_in_the_topic(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    account.privacy = False
    forum = telegram.add_supergroup("Forum", ada, account, is_forum=True)
    topic = telegram.add_topic(forum, "Photos", ada)
    photo = ada.sends_photo(forum, jpeg(), caption="hug", topic=topic.id)
    message = (await messages(bot))[-1]
    assert message.is_topic_message
    assert message.message_thread_id == topic.id
    assert message.reply_to_message is not None, "Telegram points at the topic's opening"
    assert message.reply_to_message.forum_topic_created is not None
    reply = ReplyParameters(photo.message_id)
    await bot.send_message(forum.id, "right", reply_parameters=reply, message_thread_id=topic.id)
    await bot.send_message(forum.id, "lost", reply_parameters=reply)

    right, lost = telegram.visible(forum, by=account)
    assert (right.topic, right.reply_to) == (topic.id, photo.message_id)
    assert lost.topic is None


@pytest.mark.parametrize("thread_id", [1, 4711])
async def test_a_topic_that_is_none(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person, thread_id: int
) -> None:
    """General has no thread to send to, though an action may name it."""
    forum = telegram.add_supergroup("Forum", ada, account, is_forum=True)
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(forum.id, "x", message_thread_id=thread_id)
    await bot.send_chat_action(forum.id, "typing", message_thread_id=1)

    assert forum.actions[-1].thread_id == 1


async def test_a_deleted_and_a_closed_topic(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    forum = telegram.add_supergroup("Forum", ada, account, is_forum=True)
    deleted, closed = telegram.add_topic(forum, "Old", ada), telegram.add_topic(forum, "Shut", ada)
    deleted.is_deleted = True
    closed.is_closed = True

    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(forum.id, "x", message_thread_id=deleted.id)
    with pytest.raises(BadRequest, match="Topic_closed"):
        await bot.send_message(forum.id, "x", message_thread_id=closed.id)


async def test_the_thread_of_replies_in_a_plain_group_is_no_topic(
    bot: Bot, account: BotAccount, ada: Person, group: Chat
) -> None:
    account.privacy = False
    photo = ada.sends_photo(group, jpeg())
    ada.says(group, "hug", reply_to=photo)
    reply = (await messages(bot))[-1]
    assert reply.message_thread_id == photo.message_id
    assert not reply.is_topic_message

    with pytest.raises(BadRequest, match="is not a forum topic thread"):
        await bot.send_message(group.id, "x", message_thread_id=photo.message_id)


async def test_an_anonymous_admin_speaks_as_the_group(
    telegram: FakeTelegram, bot: Bot, ada: Person, group: Chat
) -> None:
    telegram.stand(group, ada, Status.ADMINISTRATOR, is_anonymous=True)
    ada.says(group, "/settings@vivant_bot")

    (message,) = await messages(bot)
    assert message.from_user is not None
    assert message.from_user.username == "GroupAnonymousBot"
    assert message.sender_chat is not None
    assert message.sender_chat.id == group.id


async def test_a_channel_post_appears_in_its_discussion(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person, group: Chat
) -> None:
    account.privacy = False
    channel = telegram.add_channel("News", ada, discussed_in=group)
    post = ada.sends_photo(channel, jpeg(), caption="hug")
    forwarded = telegram.visible(group)[-1].post
    ada.says(group, "/animate@vivant_bot", reply_to=forwarded)

    copy, comment = await messages(bot)
    assert copy.is_automatic_forward
    assert copy.sender_chat is not None
    assert copy.sender_chat.id == channel.id
    assert post.message_id == 1
    assert comment.message_thread_id == copy.message_id
    assert comment.reply_to_message is not None
    assert comment.reply_to_message.photo


async def test_a_bot_in_a_channel_gets_its_posts(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    channel = telegram.add_channel("News", ada, account)
    ada.sends_photo(channel, jpeg(), caption="hug")

    post = (await bot.get_updates())[-1].channel_post
    assert post is not None
    assert post.from_user is None
    sent = await bot.send_message(channel.id, "here it comes")
    assert sent.sender_chat is not None


async def test_who_is_what(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person, group: Chat
) -> None:
    ben = telegram.add_person("Ben")
    telegram.stand(group, ben, Status.MEMBER)

    assert (await bot.get_chat_member(group.id, ada.id)).status == ChatMemberStatus.OWNER
    assert (await bot.get_chat_member(group.id, ben.id)).status == ChatMemberStatus.MEMBER
    admins = await bot.get_chat_administrators(group.id)
    assert [admin.user.id for admin in admins] == [ada.id]
    assert (await bot.get_chat(group.id)).title == "Friends"
    assert await bot.get_chat_member_count(group.id) == 3


async def test_only_an_admin_deletes_what_others_wrote(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person, group: Chat
) -> None:
    said = ada.says(group, "hello")
    with pytest.raises(BadRequest, match="Message can't be deleted"):
        await bot.delete_message(group.id, said.message_id)
    telegram.stand(group, account, Status.ADMINISTRATOR)
    await bot.delete_message(group.id, said.message_id)

    assert telegram.visible(group) == []


async def test_a_bot_that_left_may_not_write(bot: Bot, group: Chat) -> None:
    await bot.leave_chat(group.id)

    with pytest.raises(Forbidden, match="Forbidden: bot is not a member of the supergroup chat"):
        await bot.send_message(group.id, "x")


async def test_a_bot_that_may_not_send_clips_there(
    bot: Bot, account: BotAccount, ada: Person, group: Chat
) -> None:
    group.forbidden = {"video"}

    with pytest.raises(BadRequest, match="Not enough rights to send videos to the chat"):
        await bot.send_video(group.id, b"clip")
