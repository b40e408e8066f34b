"""The methods of the Bot API by name, for one bot, except those that fetch updates."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.fakes.telegram.access import Access
from tests.fakes.telegram.contents import Contents
from tests.fakes.telegram.files import (
    DOWNLOAD_LIMIT,
    UPLOAD_LIMIT,
    unique_id_of,
    with_file_ids,
)
from tests.fakes.telegram.messages import Messages
from tests.fakes.telegram.methods import Parameters
from tests.fakes.telegram.profile import Profile
from tests.fakes.telegram.refusals import QUERY_TOO_OLD, bad_request
from tests.fakes.telegram.stars import Stars
from tests.fakes.telegram.switchboard import Switchboard
from tests.fakes.telegram.world import Body, BotAccount, Status


class BotApi:
    """All that *bot* can call; knows no HTTP."""

    def __init__(self, switchboard: Switchboard, bot: BotAccount, *, upload_limit: int) -> None:
        self._switchboard = switchboard
        self._world = switchboard.world
        self._bot = bot
        self._gives_large_files = upload_limit > UPLOAD_LIMIT
        self._access = Access(self._world, bot)
        contents = Contents(self._world.shelf, bot.id, upload_limit)
        messages = Messages(switchboard, bot, self._access, contents)
        stars = Stars(switchboard, bot, self._access, messages)
        profile = Profile(bot, self._access)
        self._methods: dict[str, Callable[[Parameters], object]] = {
            "getMe": lambda _: bot.about_itself(),
            "logOut": self._log_out,
            "close": lambda _: True,
            "getFile": self._get_file,
            "sendMessage": messages.send_message,
            "sendPhoto": partial(messages.send_media, "photo"),
            "sendDocument": partial(messages.send_media, "document"),
            "sendVideo": partial(messages.send_media, "video"),
            "sendAnimation": partial(messages.send_media, "animation"),
            "sendSticker": partial(messages.send_media, "sticker"),
            "sendMediaGroup": messages.send_media_group,
            "sendChatAction": messages.send_chat_action,
            "editMessageText": messages.edit_text,
            "editMessageMedia": messages.edit_media,
            "editMessageCaption": messages.edit_caption,
            "editMessageReplyMarkup": messages.edit_reply_markup,
            "deleteMessage": messages.delete,
            "deleteMessages": messages.delete_several,
            "setMessageReaction": messages.react,
            "answerCallbackQuery": self._answer_callback,
            "answerPreCheckoutQuery": self._answer_pre_checkout,
            "sendInvoice": stars.send_invoice,
            "createInvoiceLink": stars.create_invoice_link,
            "refundStarPayment": stars.refund,
            "getStarTransactions": stars.transactions,
            "setMyCommands": profile.set_commands,
            "getMyCommands": profile.get_commands,
            "deleteMyCommands": profile.delete_commands,
            "setMyName": partial(profile.set_text, "name"),
            "getMyName": partial(profile.get_text, "name"),
            "setMyDescription": partial(profile.set_text, "description"),
            "getMyDescription": partial(profile.get_text, "description"),
            "setMyShortDescription": partial(profile.set_text, "short_description"),
            "getMyShortDescription": partial(profile.get_text, "short_description"),
            "getChat": self._get_chat,
            "getChatMember": self._get_chat_member,
            "getChatAdministrators": self._get_administrators,
            "getChatMemberCount": self._get_member_count,
            "leaveChat": self._leave,
        }

    def call(self, method: str, parameters: Parameters) -> object:
        """Carry out *method* and return its result, or raise `Refusal`."""
        return self._methods[method](parameters)

    def _log_out(self, parameters: Parameters) -> bool:
        del parameters
        self._bot.is_logged_out = True
        return True

    def _get_file(self, parameters: Parameters) -> Body:
        unique_id = unique_id_of(parameters["file_id"], self._bot.id)
        stored = self._world.shelf.by_id.get(unique_id or "")
        if stored is None:
            raise bad_request("invalid file_id")
        size = len(self._world.shelf.data(stored.unique_id))
        if size > DOWNLOAD_LIMIT and not self._gives_large_files:
            raise bad_request("file is too big")
        told: Body = with_file_ids(
            {"file_unique_id": stored.unique_id, "file_size": size, "file_path": stored.path},
            self._bot.id,
        )
        return told

    # -- answers ---------------------------------------------------------------------------

    def _answer_callback(self, parameters: Parameters) -> bool:
        if len(parameters.get("text", "")) > 200:
            raise bad_request("MESSAGE_TOO_LONG")
        return self._answer(parameters["callback_query_id"], parameters)

    def _answer_pre_checkout(self, parameters: Parameters) -> bool:
        if not parameters["ok"] and not parameters.get("error_message"):
            raise bad_request('parameter "error_message" is required')
        return self._answer(parameters["pre_checkout_query_id"], parameters)

    def _answer(self, query_id: str, answer: Parameters) -> bool:
        query = self._world.queries.get(query_id)
        if (
            query is None
            or query.bot_id != self._bot.id
            or query.answer is not None
            or self._world.now() > query.asked_at + query.life_s
        ):
            raise bad_request(QUERY_TOO_OLD)
        query.answer = answer
        self._switchboard.changed()
        return True

    # -- chats -----------------------------------------------------------------------------

    def _get_chat(self, parameters: Parameters) -> Body:
        chat = self._access.chat(parameters)
        told = self._switchboard.about(chat) | {
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": {
                "unlimited_gifts": False,
                "limited_gifts": False,
                "unique_gifts": False,
                "premium_subscription": False,
                "gifts_from_channels": False,
            },
        }
        if chat.linked_chat_id is not None:
            told["linked_chat_id"] = chat.linked_chat_id
        return told

    def _get_chat_member(self, parameters: Parameters) -> Body:
        chat, user_id = self._access.chat(parameters), parameters["user_id"]
        account = self._access.account(user_id)
        status = Status.MEMBER if chat.type == "private" else chat.status_of(user_id)
        return self._switchboard.member(account, status, is_anonymous=user_id in chat.anonymous)

    def _get_administrators(self, parameters: Parameters) -> list[Body]:
        chat = self._access.chat(parameters)
        if chat.type == "private":
            raise bad_request("there are no administrators in the private chat")
        others_too = parameters.get("return_bots", False)
        return [
            self._switchboard.member(
                self._access.account(account_id), status, is_anonymous=account_id in chat.anonymous
            )
            for account_id, status in chat.members.items()
            if chat.is_admin(account_id)
            and (others_too or account_id == self._bot.id or account_id in self._world.users)
        ]

    def _get_member_count(self, parameters: Parameters) -> int:
        chat = self._access.chat(parameters)
        if chat.type == "private":
            return 2
        return sum(status not in {Status.LEFT, Status.KICKED} for status in chat.members.values())

    def _leave(self, parameters: Parameters) -> bool:
        chat = self._access.chat(parameters)
        if chat.type == "private":
            raise bad_request("chat not found")
        self._switchboard.stand(chat, self._bot, Status.LEFT, self._bot.as_json())
        return True
