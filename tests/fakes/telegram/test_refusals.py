"""Every no in Telegram's own words, and as the exception that python-telegram-bot makes of it."""

from collections.abc import Awaitable, Callable

import httpx
import pytest
from telegram import (
    Bot,
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaAnimation,
    InputMediaPhoto,
    MessageEntity,
    ReplyParameters,
)
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Forbidden,
    InvalidToken,
    NetworkError,
    TelegramError,
)

from tests.fakes.telegram.conftest import CLIP, jpeg
from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person, Status


def keyboard(button: InlineKeyboardButton) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[button]])


#: What is tried (in the chat, on the bot's own message) -> the sentence.
CASES: dict[str, Callable[[Bot, int, int], Awaitable[object]]] = {
    "Bad Request: message is not modified: specified new message content and reply markup are "
    "exactly the same as a current content and reply markup of the message": (
        lambda bot, chat, ours: bot.edit_message_text("ours", chat, ours)
    ),
    "Bad Request: message to edit not found": (
        lambda bot, chat, ours: bot.edit_message_text("x", chat, 4711)
    ),
    "Bad Request: message can't be edited": (
        lambda bot, chat, ours: bot.edit_message_text("x", chat, 1)
    ),
    "Bad Request: there is no caption in the message to edit": (
        lambda bot, chat, ours: bot.edit_message_caption(chat, ours, caption="x")
    ),
    "Bad Request: message to be replied not found": (
        lambda bot, chat, ours: bot.send_message(chat, "x", reply_parameters=ReplyParameters(99))
    ),
    "Bad Request: message thread not found": (
        lambda bot, chat, ours: bot.send_message(chat, "x", message_thread_id=4711)
    ),
    "Bad Request: message text is empty": lambda bot, chat, ours: bot.send_message(chat, " \n"),
    "Bad Request: message is too long": (
        lambda bot, chat, ours: bot.send_message(chat, "x" * 4097)
    ),
    "Bad Request: MESSAGE_TOO_LONG": (
        lambda bot, chat, ours: bot.edit_message_text("x" * 4097, chat, ours)
    ),
    "Bad Request: message caption is too long": (
        lambda bot, chat, ours: bot.edit_message_media(
            InputMediaAnimation(CLIP, caption="x" * 1025), chat, ours
        )
    ),
    "Bad Request: BUTTON_DATA_INVALID": (
        lambda bot, chat, ours: bot.send_message(
            chat, "x", reply_markup=keyboard(InlineKeyboardButton("x", callback_data="é" * 33))
        )
    ),
    "Bad Request: REACTION_INVALID": (
        lambda bot, chat, ours: bot.set_message_reaction(chat, 1, "✅")
    ),
    "Bad Request: message to react not found": (
        lambda bot, chat, ours: bot.set_message_reaction(chat, 99, "👀")
    ),
    'Bad Request: can\'t parse entities: Unsupported start tag "hug" at byte offset 6': (
        lambda bot, chat, ours: bot.send_message(chat, "group <hug>", parse_mode="HTML")
    ),
    "Bad Request: can't parse entities: Can't find end tag corresponding to start tag \"b\"": (
        lambda bot, chat, ours: bot.send_message(chat, "group <b>hug", parse_mode="HTML")
    ),
    "Bad Request: can't parse entities: Unexpected end tag at byte offset 9": (
        lambda bot, chat, ours: bot.send_message(chat, "group hug</b>", parse_mode="HTML")
    ),
    "Bad Request: entity beyond the end of the text": (
        lambda bot, chat, ours: bot.send_message(
            chat, "hug", entities=[MessageEntity(MessageEntity.BOLD, 0, 4)]
        )
    ),
    "Bad Request: unsupported parse_mode": (
        lambda bot, chat, ours: bot.send_message(chat, "*hug*", parse_mode="MarkdownV3")
    ),
    "Bad Request: BOT_COMMAND_INVALID": (
        lambda bot, chat, ours: bot.set_my_commands([("Animate!", "Move")])
    ),
    "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID": (
        lambda bot, chat, ours: bot.set_my_commands([("animate", "x" * 257)])
    ),
    "Bad Request: BUTTON_URL_INVALID": (
        lambda bot, chat, ours: bot.send_message(
            chat, "x", reply_markup=keyboard(InlineKeyboardButton("x", url="here"))
        )
    ),
    "Bad Request: BUTTON_COPY_TEXT_INVALID": (
        lambda bot, chat, ours: bot.send_message(
            chat,
            "x",
            reply_markup=keyboard(InlineKeyboardButton("x", copy_text=CopyTextButton("7" * 257))),
        )
    ),
    "Bad Request: can't parse inline keyboard button: Text buttons are unallowed in the inline "
    "keyboard": (
        lambda bot, chat, ours: bot.send_message(
            chat, "x", reply_markup=keyboard(InlineKeyboardButton("x"))
        )
    ),
    "Bad Request: QUOTE_TEXT_INVALID": (
        lambda bot, chat, ours: bot.send_message(
            chat, "x", reply_parameters=ReplyParameters(1, quote="never said")
        )
    ),
    "Bad Request: message to delete not found": (
        lambda bot, chat, ours: bot.delete_message(chat, 99)
    ),
    "Bad Request: chat not found": lambda bot, chat, ours: bot.send_message(4711, "x"),
    "Bad Request: invalid file_id": lambda bot, chat, ours: bot.get_file("elsewhere"),
    "Bad Request: wrong file identifier/HTTP URL specified": (
        lambda bot, chat, ours: bot.send_animation(chat, "elsewhere")
    ),
    "Bad Request: media group must include 2-10 items": (
        lambda bot, chat, ours: bot.send_media_group(chat, [InputMediaPhoto(jpeg())])
    ),
    "Bad Request: IMAGE_PROCESS_FAILED": (
        lambda bot, chat, ours: bot.send_photo(chat, b"not an image")
    ),
    "Bad Request: file must be non-empty": lambda bot, chat, ours: bot.send_video(chat, b""),
    "Bad Request: wrong parameter action in request": (
        lambda bot, chat, ours: bot.send_chat_action(chat, "rendering")
    ),
    'Bad Request: unknown parameter "silent" in sendMessage': (
        lambda bot, chat, ours: bot.send_message(chat, "x", api_kwargs={"silent": True})
    ),
    'Bad Request: field "width" must be of type Integer': (
        lambda bot, chat, ours: bot.edit_message_media(
            InputMediaAnimation(CLIP, api_kwargs={"width": "wide"}), chat, ours
        )
    ),
    'Bad Request: unknown field "colour" in InlineKeyboardButton': (
        lambda bot, chat, ours: bot.send_message(
            chat,
            "x",
            reply_markup=keyboard(
                InlineKeyboardButton("x", callback_data="x", api_kwargs={"colour": "red"})
            ),
        )
    ),
}


@pytest.mark.parametrize("sentence", CASES)
async def test_a_wrong_call_is_refused_and_changes_nothing(
    sentence: str, telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    ada.says(account, "/start")
    ours = await bot.send_message(ada.id, "ours")
    before = telegram.visible(ada.chat_with(account))

    with pytest.raises(BadRequest):
        await CASES[sentence](bot, ada.id, ours.message_id)

    assert telegram.calls[-1].refusal is not None
    assert telegram.calls[-1].refusal.description == sentence
    assert telegram.visible(ada.chat_with(account)) == before


async def test_a_reply_to_a_deleted_message_goes_out_without_it_if_allowed(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    photo = ada.sends_photo(account, jpeg())
    ada.deletes(photo)
    reply = ReplyParameters(photo.message_id, allow_sending_without_reply=True)
    await bot.send_message(ada.id, "here it comes", reply_parameters=reply)

    (shown,) = telegram.visible(ada.chat_with(account))
    assert shown.reply_to is None


async def test_who_blocked_the_bot_left_or_never_wrote_hears_nothing(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    ada.starts(account)
    ada.blocks_bot(account)
    ben, gone = telegram.add_person("Ben"), telegram.add_person("Gone")
    telegram.add_supergroup("Friends", ben, account)
    gone.starts(account)
    gone.deletes_account()

    refusals = []
    for person in (ada, ben, gone):
        with pytest.raises(Forbidden):
            await bot.send_message(person.id, "x")
        refusals.append(telegram.calls[-1].refusal)
    assert [str(refusal) for refusal in refusals] == [
        "Forbidden: bot was blocked by the user",
        "Forbidden: bot can't initiate conversation with a user",
        "Forbidden: user is deactivated",
    ]
    ada.says(account, "back again")
    await bot.send_message(ada.id, "welcome")


async def test_a_group_that_put_the_bot_out_or_became_another(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    supergroup = telegram.add_supergroup("Friends", ada, account)
    telegram.stand(supergroup, account, Status.KICKED)
    with pytest.raises(Forbidden, match="Forbidden: bot was kicked from the supergroup chat"):
        await bot.send_message(supergroup.id, "x")

    group = telegram.add_group("Family", ada, account)
    grown = telegram.migrate(group)
    with pytest.raises(ChatMigrated) as raised:
        await bot.send_message(group.id, "x")
    assert raised.value.new_chat_id == grown.id
    await bot.send_message(grown.id, "x")


async def test_sizes_beyond_the_limits(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    ada.sends_document(account, bytes(20 * 1024 * 1024 + 1), "huge.png", "image/png")
    (update,) = await bot.get_updates()
    assert update.message is not None
    assert update.message.document is not None
    with pytest.raises(BadRequest, match="File is too big"):
        await update.message.document.get_file()
    with pytest.raises(BadRequest, match="is too big for a photo"):
        await bot.send_photo(ada.id, bytes(10 * 1024 * 1024 + 1))
    with pytest.raises(NetworkError, match="Request Entity Too Large"):
        await bot.send_video(ada.id, bytes(50 * 1024 * 1024 + 1))
    with pytest.raises(NetworkError, match="Request Entity Too Large"):
        await bot.send_video(ada.id, bytes(52 * 1024 * 1024))

    assert telegram.calls[-1].refusal is not None
    assert telegram.calls[-1].refusal.status == 413


async def test_a_local_server_takes_and_gives_larger_files() -> None:
    large = bytes(21 * 1024 * 1024)
    async with FakeTelegram(upload_limit=2_000_000_000) as local:
        account, ada = local.add_bot(), local.add_person("Ada")
        async with Bot(
            account.token, base_url=local.base_url, base_file_url=local.base_file_url
        ) as bot:
            ada.sends_document(account, large, "huge.png", "image/png")
            (update,) = await bot.get_updates()
            assert update.message is not None
            assert update.message.document is not None
            file = await update.message.document.get_file()

            assert len(await file.download_as_bytearray()) == len(large)


async def test_a_wrong_token_and_an_unknown_method(
    telegram: FakeTelegram, bot: Bot, account: BotAccount
) -> None:
    with pytest.raises(InvalidToken):
        async with Bot("1:wrong", base_url=telegram.base_url):
            pytest.fail("a stranger was let in")
    async with httpx.AsyncClient() as client:
        wrong = await client.get(f"{telegram.base_url}1:wrong/getMe")
        unknown = await client.post(f"{telegram.base_url}{account.token}/animatePhoto", json={})

    assert wrong.json() == {"ok": False, "error_code": 401, "description": "Unauthorized"}
    assert unknown.json() == {"ok": False, "error_code": 404, "description": "Not Found"}


async def test_a_bot_that_logged_out_is_gone(telegram: FakeTelegram, bot: Bot) -> None:
    await bot.log_out()

    with pytest.raises(BadRequest, match="Logged out"):
        await bot.get_me()


async def test_files_are_fetched_by_token(telegram: FakeTelegram, bot: Bot) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{telegram.base_file_url}1:wrong/photos/file_0.jpg")

    assert answer.status_code == 404


async def test_another_bot_sees_neither_the_chat_nor_the_file(
    telegram: FakeTelegram, bot: Bot, account: BotAccount, ada: Person
) -> None:
    ada.sends_photo(account, jpeg())
    (update,) = await bot.get_updates()
    assert update.message is not None
    other = telegram.add_bot("other_bot")
    async with Bot(other.token, base_url=telegram.base_url) as second:
        assert await second.get_updates() == ()
        with pytest.raises(TelegramError, match="Invalid file_id"):
            await second.get_file(update.message.photo[0].file_id)
        with pytest.raises(BadRequest, match="Chat not found"):
            await second.send_message(ada.id, "x")
