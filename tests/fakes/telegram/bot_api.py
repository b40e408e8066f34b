"""What one bot may do: the methods of the Bot API against the world, with Telegram's refusals.

Knows no HTTP: `server` reads the request, `updates` hands out what waits for the bot.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from telegram.constants import BotCommandScopeType, ReactionEmoji
from telegram.constants import ChatAction as ChatActionName

from tests.fakes.telegram.files import (
    DOWNLOAD_LIMIT,
    UPLOAD_LIMIT,
    Content,
    unique_id_of,
    with_file_ids,
)
from tests.fakes.telegram.methods import Upload, only_known
from tests.fakes.telegram.refusals import (
    NOT_MODIFIED,
    QUERY_TOO_OLD,
    bad_request,
    forbidden,
    too_large,
)
from tests.fakes.telegram.switchboard import CONTENT, Switchboard
from tests.fakes.telegram.words import formatted
from tests.fakes.telegram.world import (
    Body,
    BotAccount,
    Chat,
    ChatAction,
    Invoice,
    Post,
    Query,
    Status,
)

Parameters = dict[str, Any]
Uploads = Mapping[str, Upload]

#: https://core.telegram.org/bots/api#sendmessage and #sendphoto.
TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024
#: https://core.telegram.org/bots/api#deletemessage.
DELETE_WITHIN_S = 48 * 3600

_MEDIA = ("photo", "document", "video", "animation", "sticker")
_INPUT_MEDIA = {
    "photo": "InputMediaPhoto",
    "video": "InputMediaVideo",
    "animation": "InputMediaAnimation",
    "document": "InputMediaDocument",
}
#: What a button may do besides showing its text.
_BUTTON_ACTIONS = frozenset(
    {
        "url",
        "callback_data",
        "web_app",
        "login_url",
        "switch_inline_query",
        "switch_inline_query_current_chat",
        "switch_inline_query_chosen_chat",
        "copy_text",
        "callback_game",
        "pay",
    }
)


class BotApi:
    """The methods that one bot calls, except those that fetch updates."""

    def __init__(self, switchboard: Switchboard, bot: BotAccount, *, upload_limit: int) -> None:
        self._switchboard = switchboard
        self._world = switchboard.world
        self._bot = bot
        self._upload_limit = upload_limit

    def call(self, method: str, parameters: Parameters, uploads: Uploads) -> object:
        """Carry out *method* and return its result, or raise `Refusal`."""
        methods: dict[str, Callable[[], object]] = {
            "getMe": self._bot.about_itself,
            "logOut": self._log_out,
            "close": lambda: True,
            "getFile": lambda: self._get_file(parameters),
            "sendMessage": lambda: self._send_message(parameters),
            "sendPhoto": lambda: self._send_media("photo", parameters, uploads),
            "sendDocument": lambda: self._send_media("document", parameters, uploads),
            "sendVideo": lambda: self._send_media("video", parameters, uploads),
            "sendAnimation": lambda: self._send_media("animation", parameters, uploads),
            "sendSticker": lambda: self._send_media("sticker", parameters, uploads),
            "sendMediaGroup": lambda: self._send_media_group(parameters, uploads),
            "sendChatAction": lambda: self._send_chat_action(parameters),
            "editMessageText": lambda: self._edit_text(parameters),
            "editMessageMedia": lambda: self._edit_media(parameters, uploads),
            "editMessageCaption": lambda: self._edit_caption(parameters),
            "editMessageReplyMarkup": lambda: self._edit_reply_markup(parameters),
            "deleteMessage": lambda: self._delete(parameters),
            "deleteMessages": lambda: self._delete_several(parameters),
            "setMessageReaction": lambda: self._react(parameters),
            "answerCallbackQuery": lambda: self._answer_callback(parameters),
            "answerPreCheckoutQuery": lambda: self._answer_pre_checkout(parameters),
            "sendInvoice": lambda: self._send_invoice(parameters),
            "createInvoiceLink": lambda: self._create_invoice_link(parameters),
            "refundStarPayment": lambda: self._refund(parameters),
            "getStarTransactions": lambda: self._star_transactions(parameters),
            "setMyCommands": lambda: self._set_commands(parameters),
            "getMyCommands": lambda: self._bot.commands.get(_scope_key(parameters), []),
            "deleteMyCommands": lambda: self._delete_commands(parameters),
            "setMyName": lambda: self._set_profile("name", 64, parameters),
            "getMyName": lambda: self._get_profile("name", parameters),
            "setMyDescription": lambda: self._set_profile("description", 512, parameters),
            "getMyDescription": lambda: self._get_profile("description", parameters),
            "setMyShortDescription": lambda: self._set_profile(
                "short_description", 120, parameters
            ),
            "getMyShortDescription": lambda: self._get_profile("short_description", parameters),
            "getChat": lambda: self._get_chat(parameters),
            "getChatMember": lambda: self._get_chat_member(parameters),
            "getChatAdministrators": lambda: self._get_administrators(parameters),
            "getChatMemberCount": lambda: self._member_count(self._chat(parameters)),
            "leaveChat": lambda: self._leave(parameters),
        }
        return methods[method]()

    # -- sending ---------------------------------------------------------------------------

    def _send_message(self, parameters: Parameters) -> Body:
        chat = self._chat_to_write(parameters, "text")
        return self._send(chat, self._text(parameters, "message is too long"), parameters)

    def _send_media(self, kind: str, parameters: Parameters, uploads: Uploads) -> Body:
        chat = self._chat_to_write(parameters, kind)
        content = self._media(kind, parameters[kind], parameters, uploads)
        return self._send(chat, content | _shown_with(parameters), parameters)

    def _send_media_group(self, parameters: Parameters, uploads: Uploads) -> list[Body]:
        given = parameters["media"]
        if not 2 <= len(given) <= 10:
            raise bad_request("media group must include 2-10 items")
        kinds = {str(item.get("type")) for item in given}
        if kinds - {"photo", "video"} and kinds != {"document"}:
            raise bad_request("can't use the media of the specified type in the album")
        album = {"media_group_id": str(self._world.new_id())}
        chat = self._chat_to_write(parameters, next(iter(kinds)))
        contents = [self._input_media(item, uploads) for item in given]
        return [self._send(chat, content | album, parameters) for content in contents]

    def _send_invoice(self, parameters: Parameters) -> Body:
        chat = self._chat_to_write(parameters, "text")
        invoice = self._invoice(parameters)
        shown = {
            "title": invoice.title,
            "description": parameters["description"],
            "start_parameter": parameters.get("start_parameter", ""),
            "currency": "XTR",
            "total_amount": invoice.total_amount,
        }
        sent = self._send(chat, {"invoice": shown}, parameters)
        self._world.invoices[f"{chat.key}/{sent['message_id']}"] = invoice
        return sent

    def _send(self, chat: Chat, content: Content, parameters: Parameters) -> Body:
        thread_id = self._thread(chat, parameters)
        reply_to = self._reply_target(chat, parameters)
        markup = _markup(parameters)
        if markup is not None:
            content = content | {"reply_markup": markup}
        post = self._switchboard.post(
            chat,
            content,
            sender=None if chat.type == "channel" else self._bot.as_json(),
            sender_chat=self._switchboard.about(chat) if chat.type == "channel" else None,
            bot=self._bot,
            reply_to=reply_to,
            thread_id=thread_id,
        )
        return self._switchboard.rendered(post, self._bot)

    def _send_chat_action(self, parameters: Parameters) -> bool:
        chat = self._chat_to_write(parameters, "text")
        action = parameters["action"]
        if action not in {name.value for name in ChatActionName}:
            raise bad_request("wrong parameter action in request")
        thread_id = parameters.get("message_thread_id")
        if thread_id != 1:  # an action may name the General topic, a message may not
            thread_id = self._thread(chat, parameters)
        chat.actions.append(ChatAction(self._bot.id, action, thread_id, self._world.now()))
        self._switchboard.changed()
        return True

    # -- editing ---------------------------------------------------------------------------

    def _edit_text(self, parameters: Parameters) -> Body:
        post = self._post_to_edit(parameters)
        if "text" not in post.body:
            raise bad_request("there is no text in the message to edit")
        return self._edit(post, self._text(parameters, "MESSAGE_TOO_LONG"), parameters)

    def _edit_caption(self, parameters: Parameters) -> Body:
        post = self._post_to_edit(parameters)
        if not any(kind in post.body for kind in _MEDIA):
            raise bad_request("there is no caption in the message to edit")
        kept = {
            name: post.body[name] for name in (*_MEDIA, "has_media_spoiler") if name in post.body
        }
        return self._edit(
            post, kept | self._caption(parameters) | _shown_with(parameters), parameters
        )

    def _edit_media(self, parameters: Parameters, uploads: Uploads) -> Body:
        post = self._post_to_edit(parameters)
        kind = str(parameters["media"].get("type"))
        if "media_group_id" in post.body and kind not in {"photo", "video"}:
            raise bad_request("can't use the media of the specified type in the album")
        return self._edit(post, self._input_media(parameters["media"], uploads), parameters)

    def _edit_reply_markup(self, parameters: Parameters) -> Body:
        post = self._post_to_edit(parameters)
        kept = {name: value for name, value in post.body.items() if name in CONTENT}
        return self._edit(post, kept, parameters)

    def _edit(self, post: Post, content: Content, parameters: Parameters) -> Body:
        markup = _markup(parameters)
        shown = {name: value for name, value in post.body.items() if name in CONTENT}
        if content == shown and markup == post.body.get("reply_markup"):
            raise bad_request(NOT_MODIFIED)
        self._switchboard.edit(post, content, markup)
        return self._switchboard.rendered(post, self._bot)

    def _post_to_edit(self, parameters: Parameters) -> Post:
        if "inline_message_id" in parameters:
            raise bad_request("invalid inline message identifier specified")
        if "chat_id" not in parameters:
            raise bad_request("chat_id is empty")
        if "message_id" not in parameters:
            raise bad_request("message identifier is not specified")
        post = self._chat(parameters).standing(parameters["message_id"])
        if post is None:
            raise bad_request("message to edit not found")
        if post.bot_id != self._bot.id or "invoice" in post.body:
            raise bad_request("message can't be edited")
        return post

    # -- deleting, reacting ----------------------------------------------------------------

    def _delete(self, parameters: Parameters) -> bool:
        chat = self._chat(parameters)
        post = chat.standing(parameters["message_id"])
        if post is None:
            raise bad_request("message to delete not found")
        is_ours = post.bot_id == self._bot.id
        if not is_ours and chat.type != "private" and not chat.is_admin(self._bot.id):
            raise bad_request("message can't be deleted")
        if self._world.now() - post.body["date"] > DELETE_WITHIN_S:
            raise bad_request("message can't be deleted for everyone")
        post.is_deleted = True
        self._switchboard.changed()
        return True

    def _delete_several(self, parameters: Parameters) -> bool:
        chat = self._chat(parameters)
        if not 1 <= len(parameters["message_ids"]) <= 100:
            raise bad_request("message identifiers are not specified")
        # "If some of the specified messages can't be found, they are skipped."
        for message_id in parameters["message_ids"]:
            if chat.standing(message_id) is not None:
                self._delete(parameters | {"message_id": message_id})
        return True

    def _react(self, parameters: Parameters) -> bool:
        chat = self._chat(parameters)
        post = chat.standing(parameters["message_id"])
        if post is None:
            raise bad_request("message to react not found")
        reactions = parameters.get("reaction", [])
        if len(reactions) > 1:  # "bots can set up to one reaction per message"
            raise bad_request("REACTIONS_TOO_MANY")
        emoji = [_reaction(reaction) for reaction in reactions]
        post.reactions[self._bot.id] = emoji
        self._switchboard.changed()
        return True

    # -- answering -------------------------------------------------------------------------

    def _answer_callback(self, parameters: Parameters) -> bool:
        if len(parameters.get("text", "")) > 200:
            raise bad_request("MESSAGE_TOO_LONG")
        return self._answer(parameters["callback_query_id"], parameters)

    def _answer_pre_checkout(self, parameters: Parameters) -> bool:
        if not parameters["ok"] and not parameters.get("error_message"):
            raise bad_request('parameter "error_message" is required')
        return self._answer(parameters["pre_checkout_query_id"], parameters)

    def _answer(self, query_id: str, answer: Parameters) -> bool:
        query: Query | None = self._world.queries.get(query_id)
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

    # -- money -----------------------------------------------------------------------------

    def _create_invoice_link(self, parameters: Parameters) -> str:
        invoice = self._invoice(parameters)
        link = f"https://t.me/$invoice{self._world.new_id()}"
        self._world.invoices[link] = invoice
        return link

    def _invoice(self, parameters: Parameters) -> Invoice:
        if not 1 <= len(parameters["title"]) <= 32:
            raise bad_request("INVOICE_TITLE_INVALID")
        if not 1 <= len(parameters["description"]) <= 255:
            raise bad_request("INVOICE_DESCRIPTION_INVALID")
        if not 1 <= len(parameters["payload"].encode()) <= 128:
            raise bad_request("INVOICE_PAYLOAD_INVALID")
        if parameters["currency"] != "XTR":
            raise bad_request("CURRENCY_INVALID")
        if parameters.get("provider_token"):
            raise bad_request("PAYMENT_PROVIDER_INVALID")
        prices = [only_known("LabeledPrice", price) for price in parameters["prices"]]
        # "Must contain exactly one item for payments in Telegram Stars."
        if len(prices) != 1 or not 1 <= int(prices[0]["amount"]) <= 10_000:
            raise bad_request("STARS_INVOICE_INVALID")
        period = parameters.get("subscription_period")
        if period not in {None, 2_592_000}:
            raise bad_request("SUBSCRIPTION_PERIOD_INVALID")
        return Invoice(
            bot_id=self._bot.id,
            title=parameters["title"],
            payload=parameters["payload"],
            total_amount=int(prices[0]["amount"]),
            subscription_period=period,
        )

    def _refund(self, parameters: Parameters) -> bool:
        payment = self._world.payments.get(parameters["telegram_payment_charge_id"])
        if (
            payment is None
            or payment.bot_id != self._bot.id
            or payment.user_id != parameters["user_id"]
        ):
            raise bad_request("CHARGE_NOT_FOUND")
        if payment.is_refunded:
            raise bad_request("CHARGE_ALREADY_REFUNDED")
        payment.is_refunded = True
        chat = self._world.chat(payment.user_id, self._bot.id)
        if chat is not None:
            refunded = {
                "currency": "XTR",
                "total_amount": payment.amount,
                "invoice_payload": payment.payload,
                "telegram_payment_charge_id": payment.charge_id,
            }
            user = self._world.users[payment.user_id].as_json()
            self._switchboard.post(chat, {"refunded_payment": refunded}, sender=user)
        return True

    def _star_transactions(self, parameters: Parameters) -> Body:
        ours = [
            {
                "id": payment.charge_id,
                "amount": payment.amount,
                "date": payment.date,
                "source": {
                    "type": "user",
                    "transaction_type": "invoice_payment",
                    "user": self._world.users[payment.user_id].as_json(),
                    "invoice_payload": payment.payload,
                },
            }
            for payment in self._world.payments.values()
            if payment.bot_id == self._bot.id
        ]
        start = parameters.get("offset", 0)
        return {"transactions": ours[start : start + parameters.get("limit", 100)]}

    # -- about the bot ---------------------------------------------------------------------

    def _log_out(self) -> bool:
        self._bot.is_logged_out = True
        return True

    def _set_commands(self, parameters: Parameters) -> bool:
        if len(parameters["commands"]) > 100:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        for given in parameters["commands"]:
            command = only_known("BotCommand", given)
            if not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command"))):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= len(str(command.get("description", ""))) <= 256:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        scope = parameters.get("scope", {})
        if "chat_id" in scope:
            self._chat({"chat_id": int(scope["chat_id"])})
        self._bot.commands[_scope_key(parameters)] = parameters["commands"]
        return True

    def _delete_commands(self, parameters: Parameters) -> bool:
        self._bot.commands.pop(_scope_key(parameters), None)
        return True

    def _set_profile(self, name: str, limit: int, parameters: Parameters) -> bool:
        text = parameters.get(name, "")
        if len(text) > limit:
            raise bad_request(f"BOT_{name.upper()}_TOO_LONG")
        self._bot.profile[f"{name}/{_language(parameters)}"] = text
        return True

    def _get_profile(self, name: str, parameters: Parameters) -> Body:
        told = self._bot.profile
        ours = self._bot.first_name if name == "name" else ""
        default = told.get(f"{name}/", ours)
        return {name: told.get(f"{name}/{_language(parameters)}", default)}

    # -- about chats -----------------------------------------------------------------------

    def _get_chat(self, parameters: Parameters) -> Body:
        chat = self._chat(parameters)
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
        chat, user_id = self._chat(parameters), parameters["user_id"]
        account = self._account(user_id)
        if account is None:
            raise bad_request("user not found")
        status = chat.status_of(user_id)
        if chat.type == "private":
            status = Status.MEMBER
        is_anonymous = user_id in chat.anonymous
        return self._switchboard.member(account, status, is_anonymous=is_anonymous)

    def _get_administrators(self, parameters: Parameters) -> list[Body]:
        chat = self._chat(parameters)
        if chat.type == "private":
            raise bad_request("there are no administrators in the private chat")
        return [
            self._switchboard.member(account, status, is_anonymous=account_id in chat.anonymous)
            for account_id, status in chat.members.items()
            if chat.is_admin(account_id)
            and (account := self._account(account_id)) is not None
            and (
                not account["is_bot"]
                or account_id == self._bot.id
                or parameters.get("return_bots", False)
            )
        ]

    def _member_count(self, chat: Chat) -> int:
        gone = {Status.LEFT, Status.KICKED}
        return 2 if chat.type == "private" else sum(s not in gone for s in chat.members.values())

    def _leave(self, parameters: Parameters) -> bool:
        chat = self._chat(parameters)
        if chat.type == "private":
            raise bad_request("chat not found")
        self._switchboard.stand(chat, self._bot, Status.LEFT, self._bot.as_json())
        return True

    def _account(self, account_id: int) -> Body | None:
        account = self._world.users.get(account_id) or self._world.bots.get(account_id)
        return None if account is None else account.as_json()

    # -- reading parameters against the world ----------------------------------------------

    def _chat(self, parameters: Parameters) -> Chat:
        chat_id = parameters["chat_id"]
        chat = self._world.chat(chat_id, self._bot.id)
        if chat is None:
            if self._has_met(chat_id):
                raise forbidden("bot can't initiate conversation with a user")
            raise bad_request("chat not found")
        if chat.migrated_to is not None:
            raise bad_request(
                "group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.migrated_to
            )
        status = chat.status_of(self._bot.id)
        if chat.type == "private":
            self._check_person(chat, status)
        elif status is Status.KICKED:
            raise forbidden(f"bot was kicked from the {chat.type} chat")
        elif status is Status.LEFT:
            raise forbidden(f"bot is not a member of the {chat.type} chat")
        return chat

    def _has_met(self, account_id: int | str) -> bool:
        """Whether the bot knows of somebody from a group, though they never wrote to it."""
        return any(
            account_id in chat.members and self._bot.id in chat.members
            for chat in self._world.chats.values()
        )

    def _check_person(self, chat: Chat, status: Status) -> None:
        if self._world.users[chat.id].is_deactivated:
            raise forbidden("user is deactivated")
        if status is Status.KICKED:
            raise forbidden("bot was blocked by the user")
        if status is Status.LEFT:
            raise forbidden("bot can't initiate conversation with a user")

    def _chat_to_write(self, parameters: Parameters, kind: str) -> Chat:
        chat = self._chat(parameters)
        if kind in chat.forbidden and not chat.is_admin(self._bot.id):
            what = "text messages" if kind == "text" else f"{kind}s"
            raise bad_request(f"not enough rights to send {what} to the chat")
        if chat.type == "channel" and not chat.is_admin(self._bot.id):
            raise bad_request("need administrator rights in the channel chat")
        return chat

    def _thread(self, chat: Chat, parameters: Parameters) -> int | None:
        thread_id: int | None = parameters.get("message_thread_id")
        if thread_id is None or thread_id == 0:
            return None
        topic = chat.topics.get(thread_id)
        if topic is None and any(post.thread_id == thread_id for post in chat.posts.values()):
            raise bad_request("message thread is not a forum topic thread")
        if topic is None or topic.is_deleted:
            raise bad_request("message thread not found")
        if topic.is_closed and not chat.is_admin(self._bot.id):
            raise bad_request("TOPIC_CLOSED")
        return thread_id

    def _reply_target(self, chat: Chat, parameters: Parameters) -> int | None:
        if "reply_parameters" not in parameters:
            return None
        reply = only_known("ReplyParameters", parameters["reply_parameters"])
        if "message_id" not in reply:
            raise bad_request("message identifier is not specified")
        is_here = reply.get("chat_id") in {None, chat.id, str(chat.id)}
        target = chat.standing(int(reply["message_id"])) if is_here else None
        if target is None:
            if reply.get("allow_sending_without_reply"):
                return None
            raise bad_request("message to be replied not found")
        quote = str(reply.get("quote", ""))
        if quote not in str(target.body.get("text", target.body.get("caption", ""))):
            raise bad_request("QUOTE_TEXT_INVALID")
        return target.message_id

    def _text(self, parameters: Parameters, too_long: str) -> Content:
        entities = parameters.get("entities")
        for entity in entities or []:
            only_known("MessageEntity", entity)
        text, entities = formatted(
            parameters["text"].rstrip(), parameters.get("parse_mode"), entities
        )
        if not text.strip():
            raise bad_request("message text is empty")
        if len(text) > TEXT_LIMIT:
            raise bad_request(too_long)
        content: Content = {"text": text}
        if entities:
            content["entities"] = entities
        if "link_preview_options" in parameters:
            content["link_preview_options"] = only_known(
                "LinkPreviewOptions", parameters["link_preview_options"]
            )
        return content

    def _caption(self, parameters: Parameters) -> Content:
        entities = parameters.get("caption_entities")
        for entity in entities or []:
            only_known("MessageEntity", entity)
        caption, entities = formatted(
            parameters.get("caption", "").rstrip(), parameters.get("parse_mode"), entities
        )
        if len(caption) > CAPTION_LIMIT:
            raise bad_request("message caption is too long")
        if not caption:
            return {}
        return {"caption": caption} | ({"caption_entities": entities} if entities else {})

    def _input_media(self, given: object, uploads: Uploads) -> Content:
        kind = given.get("type") if isinstance(given, dict) else None
        if kind not in _INPUT_MEDIA:
            raise bad_request("can't parse InputMedia: type must be non-empty")
        media = only_known(_INPUT_MEDIA[kind], given)
        content = self._media(kind, media.get("media", ""), media, uploads)
        return content | _shown_with(media)

    def _media(self, kind: str, given: object, described: Parameters, uploads: Uploads) -> Content:
        """What a message of *kind* holds, from an upload or the id of a file sent before."""
        upload = _upload(given, uploads)
        if upload is None:
            return self._media_again(kind, str(given)) | self._caption(described)
        if not upload.data:
            raise bad_request("file must be non-empty")
        if len(upload.data) > self._upload_limit:
            raise too_large()
        shelf = self._world.shelf
        thumbnail = _upload(described.get("thumbnail"), uploads)
        small = None if thumbnail is None else thumbnail.data
        match kind:
            case "photo":
                content = shelf.photo(upload.data)
            case "sticker":
                content = shelf.sticker(upload.data, upload.media_type)
            case "document":
                content = shelf.document(upload, small)
            case _:
                content = shelf.film(
                    kind,
                    upload,
                    width=int(described.get("width", 0)),
                    height=int(described.get("height", 0)),
                    duration_s=int(described.get("duration", 0)),
                    thumbnail=small,
                )
        return content | self._caption(described)

    def _media_again(self, kind: str, file_id: str) -> Content:
        known = self._world.shelf.known.get(unique_id_of(file_id, self._bot.id) or "")
        if known is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        if known[0] != kind:
            raise bad_request(f"can't use file of type {known[0].title()} as {kind.title()}")
        return dict(known[1])

    def _get_file(self, parameters: Parameters) -> Body:
        unique_id = unique_id_of(parameters["file_id"], self._bot.id)
        stored = self._world.shelf.by_id.get(unique_id or "")
        if stored is None:
            raise bad_request("invalid file_id")
        size = len(self._world.shelf.data(stored.unique_id))
        if size > DOWNLOAD_LIMIT and self._upload_limit <= UPLOAD_LIMIT:
            raise bad_request("file is too big")
        told: Body = with_file_ids(
            {
                "file_unique_id": stored.unique_id,
                "file_size": size,
                "file_path": stored.path,
            },
            self._bot.id,
        )
        return told


def _upload(given: object, uploads: Uploads) -> Upload | None:
    """The file sent along with the call, None where *given* is the id of an earlier one."""
    if isinstance(given, Upload):
        return given
    if not isinstance(given, str) or not given.startswith("attach://"):
        return None
    name = given.removeprefix("attach://")
    if name not in uploads:
        raise bad_request(f'file "{name}" is not attached')
    return uploads[name]


def _shown_with(described: Parameters) -> Content:
    """How the media is shown, in the names that messages use."""
    content: Content = {}
    if described.get("has_spoiler"):
        content["has_media_spoiler"] = True
    if described.get("show_caption_above_media"):
        content["show_caption_above_media"] = True
    return content


def _markup(parameters: Parameters) -> Body | None:
    """The inline keyboard of a call, checked; other keyboards belong to no message."""
    given = parameters.get("reply_markup")
    if not given or "inline_keyboard" not in given:
        return None
    markup = only_known("InlineKeyboardMarkup", given)
    for row in markup["inline_keyboard"]:
        for button in row:
            _check_button(only_known("InlineKeyboardButton", button))
    return markup if any(markup["inline_keyboard"]) else None


def _reaction(given: object) -> str:
    """The emoji of a reaction; custom ones are for chats that have chosen some, and none has."""
    if isinstance(given, dict) and given.get("type") == "custom_emoji":
        only_known("ReactionTypeCustomEmoji", given)
        raise bad_request("REACTION_INVALID")
    emoji = only_known("ReactionTypeEmoji", given).get("emoji")
    if emoji not in {known.value for known in ReactionEmoji}:
        raise bad_request("REACTION_INVALID")
    return str(emoji)


def _check_button(button: Body) -> None:
    if not str(button.get("text", "")).strip():
        raise bad_request('can\'t parse inline keyboard button: Field "text" must be non-empty')
    if len(_BUTTON_ACTIONS & button.keys()) != 1:
        raise bad_request(
            "can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"
        )
    if "callback_data" in button and not 1 <= len(button["callback_data"].encode()) <= 64:
        raise bad_request("BUTTON_DATA_INVALID")
    if "url" in button and not re.match(r"(https?|tg)://", button["url"]):
        raise bad_request("BUTTON_URL_INVALID")
    if "copy_text" in button:
        copied = only_known("CopyTextButton", button["copy_text"])
        if not 1 <= len(copied["text"]) <= 256:
            raise bad_request("BUTTON_COPY_TEXT_INVALID")


def _scope_key(parameters: Parameters) -> str:
    scope = only_known("BotCommandScope", parameters.get("scope", {"type": "default"}))
    if scope.get("type") not in {kind.value for kind in BotCommandScopeType}:
        raise bad_request("can't parse BotCommandScope: unsupported type specified")
    parts = [str(scope[name]) for name in ("type", "chat_id", "user_id") if name in scope]
    return f"{':'.join(parts)}/{_language(parameters)}"


def _language(parameters: Parameters) -> str:
    language = str(parameters.get("language_code", ""))
    if not re.fullmatch(r"([a-z]{2})?", language):
        raise bad_request("language code is invalid")
    return language
