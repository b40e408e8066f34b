"""A person and a bot: photos in, a status message that becomes a clip, buttons, reactions."""

import io

import pytest
from PIL import Image
from telegram import (
    Bot,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaAnimation,
    InputMediaPhoto,
    InputMediaVideo,
    MessageEntity,
    ReplyParameters,
)
from telegram.constants import ChatAction
from telegram.error import BadRequest

from tests.fakes.telegram.conftest import CLIP, jpeg
from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person, Status


async def test_a_photo_arrives_scaled_upright_and_can_be_fetched(
    bot: Bot, account: BotAccount, ada: Person
) -> None:
    turned = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (1600, 1200)).save(turned, "JPEG", exif=exif)
    ada.sends_photo(account, turned.getvalue(), caption="group hug")

    (update,) = await bot.get_updates()
    assert update.message is not None
    assert update.message.caption == "group hug"
    assert update.message.from_user is not None
    assert update.message.from_user.language_code == "en"
    assert [(size.width, size.height) for size in update.message.photo] == [
        (67, 90),
        (240, 320),
        (600, 800),
        (960, 1280),
    ]
    file = await update.message.photo[-1].get_file()
    fetched = Image.open(io.BytesIO(bytes(await file.download_as_bytearray())))
    assert fetched.size == (960, 1280)
    assert not fetched.getexif()


async def test_a_photo_sent_as_file_keeps_every_byte(
    bot: Bot, account: BotAccount, ada: Person
) -> None:
    original = jpeg(2000, 1500)
    ada.sends_document(account, original, "beach.jpg", "image/jpeg", caption="wave")

    (update,) = await bot.get_updates()
    assert update.message is not None
    assert update.message.document is not None
    assert update.message.document.mime_type == "image/jpeg"
    file = await update.message.document.get_file()
    assert bytes(await file.download_as_bytearray()) == original


async def test_album_items_come_one_by_one_with_the_words_on_one(
    bot: Bot, account: BotAccount, ada: Person
) -> None:
    photos = [jpeg(), jpeg(colour="red"), jpeg(colour="blue")]
    sent = ada.sends_album(account, photos, caption="hug", captioned=1, arriving=[2, 0, 1])

    messages = [update.message for update in await bot.get_updates()]
    heard = [(m.message_id, m.caption, m.media_group_id) for m in messages if m is not None]
    album = sent[0].body["media_group_id"]
    assert heard == [(3, None, album), (1, None, album), (2, "hug", album)]


async def test_a_status_message_becomes_the_clip(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    photo = ada.sends_photo(account, jpeg(), caption="hug")
    status = await bot.send_message(
        ada.id,
        "in line",
        reply_parameters=ReplyParameters(photo.message_id, allow_sending_without_reply=True),
    )
    await bot.edit_message_text("50 %", chat_id=ada.id, message_id=status.message_id)
    again = InlineKeyboardMarkup([[InlineKeyboardButton("Again", callback_data="again:7")]])
    thumbnail = jpeg(320, 240)
    edited = await bot.edit_message_media(
        InputMediaAnimation(
            CLIP,
            filename="clip.mp4",
            caption="hug",
            width=640,
            height=480,
            duration=3,
            thumbnail=thumbnail,
        ),
        chat_id=ada.id,
        message_id=status.message_id,
        reply_markup=again,
    )

    assert not isinstance(edited, bool)
    assert edited.animation is not None
    assert edited.document is not None, "set too, for old clients"
    (shown,) = telegram.visible(ada.chat_with(account), by=account)
    assert (shown.text, shown.reply_to, shown.edits) == ("hug", photo.message_id, 2)
    assert shown.button_texts == ["Again"]
    assert shown.media is not None
    assert shown.media.kind == "animation"
    assert shown.media.data == CLIP
    assert shown.media.file_name == "clip.mp4"
    assert (shown.media.width, shown.media.height, shown.media.duration_s) == (640, 480, 3)
    assert shown.media.thumbnail == thumbnail


async def test_what_a_bot_leaves_out_a_person_misses(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    """No size and a thumbnail that is too large: a square tile of length 0:00."""
    ada.starts(account)
    await bot.send_video(ada.id, CLIP, thumbnail=jpeg(640, 480))

    (shown,) = telegram.visible(ada.chat_with(account), by=account)
    assert shown.media is not None
    assert (shown.media.width, shown.media.height, shown.media.duration_s) == (0, 0, 0)
    assert shown.media.thumbnail is None


async def test_a_clip_can_be_sent_again_by_its_id(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    ada.starts(account)
    sent = await bot.send_video(ada.id, CLIP, width=640, height=480, duration=3)
    assert sent.video is not None
    await bot.send_video(ada.id, sent.video.file_id)
    with pytest.raises(BadRequest, match="Can't use file of type video as photo"):
        await bot.send_photo(ada.id, sent.video.file_id)
    with pytest.raises(BadRequest, match="Message is not modified"):
        await bot.edit_message_media(InputMediaVideo(sent.video.file_id), ada.id, sent.message_id)

    first, second = telegram.visible(ada.chat_with(account), by=account)
    assert second.media == first.media


async def test_all_the_ways_to_send_and_edit_are_understood(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    ada.starts(account)
    await bot.send_photo(ada.id, jpeg(), caption="a photo", has_spoiler=True)
    await bot.send_document(ada.id, CLIP, filename="clip.mp4", disable_content_type_detection=True)
    await bot.send_sticker(ada.id, b"RIFF....WEBP")
    await bot.send_media_group(ada.id, [InputMediaPhoto(jpeg()), InputMediaVideo(CLIP)])
    sent = await bot.send_animation(ada.id, CLIP, caption="one")
    await bot.edit_message_caption(ada.id, sent.message_id, caption="two")
    await bot.edit_message_reply_markup(
        ada.id,
        sent.message_id,
        reply_markup=InlineKeyboardMarkup([[InlineKeyboardButton("Site", url="https://x.org")]]),
    )

    shown = telegram.visible(ada.chat_with(account), by=account)
    kinds = [message.media.kind for message in shown if message.media is not None]
    assert kinds == ["photo", "document", "sticker", "photo", "video", "animation"]
    assert shown[0].media is not None
    assert shown[0].media.has_spoiler
    assert (shown[-1].text, shown[-1].button_texts) == ("two", ["Site"])


async def test_a_pressed_button_is_answered_once_and_in_time(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    ada.starts(account)
    keys = InlineKeyboardMarkup([[InlineKeyboardButton("Again", callback_data="again:7")]])
    await bot.send_message(ada.id, "done", reply_markup=keys)
    (shown,) = telegram.visible(ada.chat_with(account), by=account)
    asked = ada.presses(shown.post, "Again")
    query = (await bot.get_updates())[-1].callback_query
    assert query is not None
    assert query.data == "again:7"
    assert query.message is not None
    assert query.message.message_id == shown.message_id

    await query.answer("Costs one clip")

    assert asked.answer is not None
    assert asked.answer["text"] == "Costs one clip"
    with pytest.raises(BadRequest, match="Query is too old and response timeout expired"):
        await query.answer()


async def test_an_old_press_cannot_be_answered(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    ada.starts(account)
    keys = InlineKeyboardMarkup([[InlineKeyboardButton("Again", callback_data="again:7")]])
    await bot.send_message(ada.id, "done", reply_markup=keys)
    (shown,) = telegram.visible(ada.chat_with(account), by=account)
    asked = ada.presses(shown.post, "again:7")
    telegram.passes(3600)

    with pytest.raises(BadRequest, match="response timeout expired"):
        await bot.answer_callback_query(asked.id)


async def test_reactions_and_actions_show(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    photo = ada.sends_photo(account, jpeg())
    await bot.set_message_reaction(ada.id, photo.message_id, "👀")
    await bot.send_chat_action(ada.id, ChatAction.UPLOAD_VIDEO)

    assert telegram.shown(photo).reactions == {account.id: ["👀"]}
    assert [action.action for action in ada.chat_with(account).actions] == ["upload_video"]


async def test_what_people_think_of_it_is_told_to_those_who_ask(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    group = telegram.add_supergroup("Friends", ada, account)
    telegram.stand(group, account, Status.ADMINISTRATOR)
    sent = await bot.send_message(group.id, "done")
    ada.reacts(group.posts[sent.message_id], "👍")
    await bot.get_updates(allowed_updates=["message_reaction"])
    ada.reacts(group.posts[sent.message_id], "👎")

    reactions = [u.message_reaction for u in await bot.get_updates() if u.message_reaction]
    (reaction,) = reactions
    assert [str(kind.to_dict()["emoji"]) for kind in reaction.old_reaction] == ["👍"]
    assert [str(kind.to_dict()["emoji"]) for kind in reaction.new_reaction] == ["👎"]


async def test_an_edit_and_a_forward_arrive_as_such(
    bot: Bot, account: BotAccount, ada: Person
) -> None:
    photo = ada.sends_photo(account, jpeg(), caption="hug")
    ada.edits(photo, "kiss")
    ada.forwards(photo, account)

    first, edit, forward = await bot.get_updates()
    assert first.message is not None
    assert edit.edited_message is not None
    assert edit.edited_message.message_id == first.message.message_id
    assert edit.edited_message.caption == "kiss"
    assert forward.message is not None
    assert forward.message.forward_origin is not None
    assert forward.message.photo


async def test_entities_are_counted_in_utf_16(bot: Bot, account: BotAccount, ada: Person) -> None:
    ada.says(account, "🎉🎉 /animate@vivant_bot for @ada, see https://x.org #hug")

    (update,) = await bot.get_updates()
    assert update.message is not None
    found = update.message.parse_entities()
    assert list(found.values()) == ["/animate@vivant_bot", "@ada", "https://x.org", "#hug"]
    assert update.message.entities[0].offset == 5


async def test_a_bot_may_mark_its_words_itself(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    ada.starts(account)
    marked = await bot.send_message(
        ada.id, '<b>Done</b> in 3 s, <a href="https://x.org">more</a>', parse_mode="HTML"
    )
    bold = MessageEntity(MessageEntity.BOLD, offset=0, length=4)
    await bot.edit_message_text("Done <b>", ada.id, marked.message_id, entities=[bold])

    assert marked.text == "Done in 3 s, more"
    assert list(marked.parse_entities().values()) == ["Done", "more"]
    (shown,) = telegram.visible(ada.chat_with(account), by=account)
    assert shown.text == "Done <b>"
    assert [entity["type"] for entity in shown.post.body["entities"]] == ["bold"]


async def test_deleted_messages_are_not_seen_any_more(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    chat = ada.chat_with(account)
    theirs = ada.says(account, "one")
    ours = [await bot.send_message(ada.id, text) for text in ("two", "three", "four")]
    await bot.delete_message(ada.id, theirs.message_id)
    await bot.delete_messages(ada.id, [ours[0].message_id, ours[1].message_id, 4711])
    assert [message.text for message in telegram.visible(chat)] == ["four"]
    telegram.passes(49 * 3600)

    with pytest.raises(BadRequest, match="Message can't be deleted for everyone"):
        await bot.delete_message(ada.id, ours[2].message_id)
    assert [message.text for message in telegram.visible(chat)] == ["four"]


async def test_commands_are_offered_by_scope_and_language(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    luis = telegram.add_person("Luis", language_code="es")
    group = telegram.add_supergroup("Friends", ada, luis, account)
    await bot.set_my_commands([("help", "Help")])
    await bot.set_my_commands([("animate", "Move")], scope=BotCommandScopeAllGroupChats())
    await bot.set_my_commands(
        [("ayuda", "Ayuda")], scope=BotCommandScopeAllPrivateChats(), language_code="es"
    )
    await bot.set_my_description("Photos that move")
    await bot.set_my_short_description("Photos", language_code="es")

    assert telegram.commands(ada, account, account) == ["help"]
    assert telegram.commands(luis, account, account) == ["ayuda"]
    assert telegram.commands(luis, group, account) == ["animate"]
    assert [command.command for command in await bot.get_my_commands()] == ["help"]
    await bot.delete_my_commands(scope=BotCommandScopeAllPrivateChats(), language_code="es")
    assert telegram.commands(luis, account, account) == ["help"]
    assert (await bot.get_my_description()).description == "Photos that move"
    assert (await bot.get_my_short_description("es")).short_description == "Photos"
