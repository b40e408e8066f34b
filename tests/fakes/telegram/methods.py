"""Which methods of Bot API 10.0 this server speaks, what each may be given, and of which type.

A parameter has the same type wherever it appears, so types stand once, by name. The real server
ignores what it does not know; this one refuses it, because a misspelt field is a bug.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from tests.fakes.telegram.refusals import bad_request, not_found


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart request."""

    file_name: str
    media_type: str
    data: bytes


#: The parameters of one call, in their types.
Parameters = dict[str, Any]


class Kind(Enum):
    """The type of a parameter on the wire."""

    INTEGER = auto()
    STRING = auto()
    BOOLEAN = auto()
    CHAT = auto()  #: an id, or @username
    FILE = auto()  #: an upload, attach://name, or a file_id
    OBJECT = auto()
    ARRAY = auto()


def _named(kind: Kind, names: str) -> dict[str, Kind]:
    return dict.fromkeys(names.split(), kind)


KINDS: dict[str, Kind] = (
    _named(
        Kind.INTEGER,
        "cache_time direct_messages_topic_id duration height limit max_connections "
        "max_tip_amount message_id message_thread_id offset photo_height photo_size photo_width "
        "start_timestamp subscription_period timeout user_id width",
    )
    | _named(
        Kind.STRING,
        "action business_connection_id callback_query_id caption currency description emoji "
        "error_message file_id inline_message_id ip_address language_code message_effect_id name "
        "parse_mode payload photo_url pre_checkout_query_id provider_data provider_token "
        "secret_token short_description start_parameter telegram_payment_charge_id text title url",
    )
    | _named(
        Kind.BOOLEAN,
        "allow_paid_broadcast disable_content_type_detection disable_notification "
        "drop_pending_updates has_spoiler is_big is_flexible need_email need_name "
        "need_phone_number need_shipping_address ok protect_content return_bots "
        "send_email_to_provider send_phone_number_to_provider show_alert "
        "show_caption_above_media supports_streaming",
    )
    | _named(Kind.CHAT, "chat_id")
    | _named(Kind.FILE, "animation certificate cover document photo sticker thumbnail video")
    | _named(
        Kind.OBJECT,
        "link_preview_options reply_markup reply_parameters scope suggested_post_parameters",
    )
    | _named(
        Kind.ARRAY,
        "allowed_updates caption_entities commands entities message_ids prices reaction "
        "suggested_tip_amounts",
    )
)


@dataclass(frozen=True, slots=True)
class Method:
    """What one method may be given."""

    required: frozenset[str]
    optional: frozenset[str]
    #: Where this method's types differ from `KINDS`.
    differing: Mapping[str, Kind]

    def kind(self, name: str) -> Kind | None:
        """The type of parameter *name*, None if the method has no such parameter."""
        if name not in self.required | self.optional:
            return None
        return self.differing.get(name) or KINDS[name]


def _method(required: str = "", optional: str = "", **differing: Kind) -> Method:
    return Method(frozenset(required.split()), frozenset(optional.split()), differing)


_SENDING_INVOICE = (
    "message_thread_id direct_messages_topic_id disable_notification "
    "protect_content allow_paid_broadcast message_effect_id reply_parameters "
)
_SENDING = _SENDING_INVOICE + "business_connection_id "
_SENDING_ONE = _SENDING + "suggested_post_parameters reply_markup "
_CAPTION = "caption parse_mode caption_entities show_caption_above_media "
_SIZE = "duration width height thumbnail "
_EDITING = "business_connection_id chat_id message_id inline_message_id reply_markup "
_INVOICE = (
    "provider_token max_tip_amount suggested_tip_amounts provider_data photo_url photo_size "
    "photo_width photo_height need_name need_phone_number need_email need_shipping_address "
    "send_phone_number_to_provider send_email_to_provider is_flexible "
)

METHODS: dict[str, Method] = {
    "getMe": _method(),
    "logOut": _method(),
    "close": _method(),
    "getUpdates": _method("", "offset limit timeout allowed_updates"),
    "setWebhook": _method(
        "",
        "url certificate ip_address max_connections allowed_updates drop_pending_updates "
        "secret_token",
    ),
    "deleteWebhook": _method("", "drop_pending_updates"),
    "getWebhookInfo": _method(),
    "getFile": _method("file_id"),
    "sendMessage": _method(
        "chat_id text", _SENDING_ONE + "parse_mode entities link_preview_options"
    ),
    "sendPhoto": _method("chat_id photo", _SENDING_ONE + _CAPTION + "has_spoiler"),
    "sendDocument": _method(
        "chat_id document",
        _SENDING_ONE
        + "caption parse_mode caption_entities thumbnail disable_content_type_detection",
    ),
    "sendVideo": _method(
        "chat_id video",
        _SENDING_ONE + _CAPTION + _SIZE + "has_spoiler supports_streaming cover start_timestamp",
    ),
    "sendAnimation": _method("chat_id animation", _SENDING_ONE + _CAPTION + _SIZE + "has_spoiler"),
    "sendSticker": _method("chat_id sticker", _SENDING_ONE + "emoji"),
    "sendMediaGroup": _method("chat_id media", _SENDING, media=Kind.ARRAY),
    "sendChatAction": _method("chat_id action", "business_connection_id message_thread_id"),
    "editMessageText": _method("text", _EDITING + "parse_mode entities link_preview_options"),
    "editMessageMedia": _method("media", _EDITING, media=Kind.OBJECT),
    "editMessageCaption": _method("", _EDITING + _CAPTION),
    "editMessageReplyMarkup": _method("", _EDITING),
    "deleteMessage": _method("chat_id message_id"),
    "deleteMessages": _method("chat_id message_ids"),
    "setMessageReaction": _method("chat_id message_id", "reaction is_big"),
    "answerCallbackQuery": _method("callback_query_id", "text show_alert url cache_time"),
    "answerPreCheckoutQuery": _method("pre_checkout_query_id ok", "error_message"),
    "sendInvoice": _method(
        "chat_id title description payload currency prices",
        _SENDING_INVOICE + _INVOICE + "suggested_post_parameters reply_markup start_parameter",
    ),
    "createInvoiceLink": _method(
        "title description payload currency prices",
        _INVOICE + "business_connection_id subscription_period",
    ),
    "refundStarPayment": _method("user_id telegram_payment_charge_id"),
    "getStarTransactions": _method("", "offset limit"),
    "setMyCommands": _method("commands", "scope language_code"),
    "getMyCommands": _method("", "scope language_code"),
    "deleteMyCommands": _method("", "scope language_code"),
    "setMyName": _method("", "name language_code"),
    "getMyName": _method("", "language_code"),
    "setMyDescription": _method("", "description language_code"),
    "getMyDescription": _method("", "language_code"),
    "setMyShortDescription": _method("", "short_description language_code"),
    "getMyShortDescription": _method("", "language_code"),
    "getChat": _method("chat_id"),
    "getChatMember": _method("chat_id user_id"),
    "getChatAdministrators": _method("chat_id", "return_bots"),
    "getChatMemberCount": _method("chat_id"),
    "leaveChat": _method("chat_id"),
}

#: Objects inside parameters: name of the type -> its fields.
FIELDS: dict[str, frozenset[str]] = {
    name: frozenset(fields.split())
    for name, fields in {
        "ReplyParameters": (
            "message_id chat_id allow_sending_without_reply quote quote_parse_mode "
            "quote_entities quote_position checklist_task_id poll_option_id"
        ),
        "InlineKeyboardMarkup": "inline_keyboard",
        "InlineKeyboardButton": (
            "text icon_custom_emoji_id style url callback_data web_app login_url "
            "switch_inline_query switch_inline_query_current_chat "
            "switch_inline_query_chosen_chat copy_text callback_game pay"
        ),
        "CopyTextButton": "text",
        "LabeledPrice": "label amount",
        "BotCommand": "command description",
        "BotCommandScope": "type chat_id user_id",
        "ReactionTypeEmoji": "type emoji",
        "ReactionTypeCustomEmoji": "type custom_emoji_id",
        "LinkPreviewOptions": (
            "is_disabled url prefer_small_media prefer_large_media show_above_text"
        ),
        "MessageEntity": (
            "type offset length url user language custom_emoji_id unix_time date_time_format"
        ),
        "InputMediaPhoto": (
            "type media caption parse_mode caption_entities show_caption_above_media has_spoiler"
        ),
        "InputMediaVideo": (
            "type media thumbnail cover start_timestamp caption parse_mode caption_entities "
            "show_caption_above_media width height duration supports_streaming has_spoiler"
        ),
        "InputMediaAnimation": (
            "type media thumbnail caption parse_mode caption_entities show_caption_above_media "
            "width height duration has_spoiler"
        ),
        "InputMediaDocument": (
            "type media thumbnail caption parse_mode caption_entities "
            "disable_content_type_detection"
        ),
    }.items()
}

#: What is said when a required parameter is missing; the others are named as they are.
_MISSING = {
    "chat_id": "chat_id is empty",
    "text": "message text is empty",
    "message_id": "message identifier is not specified",
    "photo": "there is no photo in the request",
    "document": "there is no document in the request",
    "video": "there is no video in the request",
    "animation": "there is no animation in the request",
    "sticker": "there is no sticker in the request",
    "file_id": "file_id not specified",
    "action": "wrong parameter action in request",
}


#: What a field of an object is in JSON; a field means what the parameter of its name means.
_JSON_TYPES: dict[Kind, tuple[type, ...]] = {
    Kind.INTEGER: (int,),
    Kind.STRING: (str,),
    Kind.BOOLEAN: (bool,),
    Kind.CHAT: (int, str),
    Kind.OBJECT: (dict,),
    Kind.ARRAY: (list,),
}


def only_known(type_name: str, given: object) -> dict[str, Any]:
    """*given*, if it is an object with no other fields than a *type_name* has."""
    if not isinstance(given, dict):
        raise bad_request(f"{type_name} must be an object")
    for name, value in given.items():
        if name not in FIELDS[type_name]:
            raise bad_request(f'unknown field "{name}" in {type_name}')
        kind = KINDS.get(name)
        if kind in _JSON_TYPES and not isinstance(value, _JSON_TYPES[kind]):
            raise bad_request(f'field "{name}" must be of type {kind.name.title()}')
    return given


def read_parameters(
    method_name: str, given: Mapping[str, object], uploads: Mapping[str, Upload]
) -> Parameters:
    """The parameters of a call in their types; refuses what the method does not have.

    *given* holds strings where the call was a form, JSON values where it was JSON. Where a
    parameter says attach://name, that upload stands in its place.
    """
    method = METHODS.get(method_name)
    if method is None:
        raise not_found()
    parameters: Parameters = {}
    for name, value in given.items():
        kind = method.kind(name)
        if kind is None:
            raise bad_request(f'unknown parameter "{name}" in {method_name}')
        typed = _typed(name, kind, value)
        is_media = kind is Kind.FILE or name == "media"
        parameters[name] = _with_uploads(typed, uploads) if is_media else typed
    for name, upload in uploads.items():
        if method.kind(name) is Kind.FILE:
            parameters[name] = upload
        elif not any(f"attach://{name}" in str(value) for value in given.values()):
            raise bad_request(f'unknown file "{name}" in {method_name}')
    for name in sorted(method.required):
        if parameters.get(name) in (None, ""):
            raise bad_request(_MISSING.get(name, f'parameter "{name}" is required'))
    return parameters


def _with_uploads(value: object, uploads: Mapping[str, Upload]) -> object:
    """*value* with the uploads that it names by attach://, in it or in its fields."""
    if isinstance(value, list):
        return [_with_uploads(item, uploads) for item in value]
    if isinstance(value, dict):
        files = value.keys() & {"media", "thumbnail", "cover"}
        return value | {name: _with_uploads(value[name], uploads) for name in files}
    if not isinstance(value, str) or not value.startswith("attach://"):
        return value
    name = value.removeprefix("attach://")
    if name not in uploads:
        raise bad_request(f'file "{name}" is not attached')
    return uploads[name]


def _typed(name: str, kind: Kind, value: object) -> object:
    match kind:
        case Kind.INTEGER:
            return _integer(name, value)
        case Kind.BOOLEAN:
            if str(value).lower() not in {"true", "false", "1", "0"}:
                raise bad_request(f'parameter "{name}" must be a Boolean')
            return str(value).lower() in {"true", "1"}
        case Kind.CHAT:
            if isinstance(value, str) and value.startswith("@"):
                return value
            return _integer(name, value)
        case Kind.STRING | Kind.FILE:
            if not isinstance(value, str):
                raise bad_request(f'parameter "{name}" must be a String')
            return value
        case Kind.OBJECT | Kind.ARRAY:
            return _from_json(name, dict if kind is Kind.OBJECT else list, value)


def _integer(name: str, value: object) -> int:
    try:
        return int(str(value))
    except ValueError as exc:
        raise bad_request(f'parameter "{name}" must be an Integer') from exc


def _from_json(name: str, wanted: type, value: object) -> object:
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except json.JSONDecodeError as exc:
            raise bad_request(f"can't parse {name} JSON object") from exc
    if not isinstance(value, wanted):
        raise bad_request(f'parameter "{name}" must be of type {wanted.__name__}')
    return value
