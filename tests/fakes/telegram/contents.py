"""What a bot puts into a message: text, caption, media and buttons, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.fakes.telegram.files import Content, Shelf, unique_id_of
from tests.fakes.telegram.methods import Parameters, Upload, only_known
from tests.fakes.telegram.refusals import bad_request, too_large
from tests.fakes.telegram.words import formatted
from tests.fakes.telegram.world import Body

#: https://core.telegram.org/bots/api#sendmessage and #sendphoto.
TEXT_LIMIT = 4096
CAPTION_LIMIT = 1024

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


@dataclass(frozen=True)
class Contents:
    """Makes contents from the parameters of one bot's calls."""

    shelf: Shelf
    bot_id: int
    #: Bytes of one file.
    upload_limit: int

    def media(self, kind: str, given: object, described: Parameters) -> Content:
        """What a message of *kind* holds, from an upload or the id of a file sent before."""
        shown = _caption(described)
        if described.get("has_spoiler"):
            shown["has_media_spoiler"] = True
        if not isinstance(given, Upload):
            return self._again(kind, str(given)) | shown
        return self._uploaded(kind, given, described) | shown

    def input_media(self, given: object) -> Content:
        """What a message holds, from an InputMedia."""
        kind = given.get("type") if isinstance(given, dict) else None
        if kind not in _INPUT_MEDIA:
            raise bad_request("can't parse InputMedia: type must be non-empty")
        media = only_known(_INPUT_MEDIA[kind], given)
        return self.media(kind, media.get("media"), media)

    def _uploaded(self, kind: str, upload: Upload, described: Parameters) -> Content:
        if not upload.data:
            raise bad_request("file must be non-empty")
        if len(upload.data) > self.upload_limit:
            raise too_large()
        given = described.get("thumbnail")
        # "Thumbnails can't be reused and can be only uploaded as a new file."
        thumbnail = given.data if isinstance(given, Upload) else None
        match kind:
            case "photo":
                return self.shelf.photo(upload.data)
            case "sticker":
                return self.shelf.sticker(upload.data, upload.media_type)
            case "document":
                return self.shelf.document(upload, thumbnail)
            case _:
                return self.shelf.film(
                    kind,
                    upload,
                    width=int(described.get("width", 0)),
                    height=int(described.get("height", 0)),
                    duration_s=int(described.get("duration", 0)),
                    thumbnail=thumbnail,
                )

    def _again(self, kind: str, file_id: str) -> Content:
        known = self.shelf.known.get(unique_id_of(file_id, self.bot_id) or "")
        if known is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        if known[0] != kind:
            raise bad_request(f"can't use file of type {known[0].title()} as {kind.title()}")
        return dict(known[1])


def text(parameters: Parameters, too_long: str) -> Content:
    """What a text message holds; *too_long* is how this method words that refusal."""
    shown, entities = formatted(
        parameters["text"].rstrip(), parameters.get("parse_mode"), parameters.get("entities")
    )
    if not shown.strip():
        raise bad_request("message text is empty")
    if len(shown) > TEXT_LIMIT:
        raise bad_request(too_long)
    content: Content = {"text": shown}
    if entities:
        content["entities"] = entities
    if "link_preview_options" in parameters:
        content["link_preview_options"] = only_known(
            "LinkPreviewOptions", parameters["link_preview_options"]
        )
    return content


def recaptioned(content: Content, parameters: Parameters) -> Content:
    """The media of *content* with the caption of *parameters*."""
    kept = {name: value for name, value in content.items() if "caption" not in name}
    return kept | _caption(parameters)


def keyboard(parameters: Parameters) -> Body | None:
    """The inline keyboard of a call, checked; other keyboards belong to no message."""
    given = parameters.get("reply_markup")
    if not given or "inline_keyboard" not in given:
        return None
    markup = only_known("InlineKeyboardMarkup", given)
    for row in markup["inline_keyboard"]:
        for button in row:
            _check_button(only_known("InlineKeyboardButton", button))
    return markup if any(markup["inline_keyboard"]) else None


def _caption(described: Parameters) -> Content:
    caption, entities = formatted(
        described.get("caption", "").rstrip(),
        described.get("parse_mode"),
        described.get("caption_entities"),
    )
    if len(caption) > CAPTION_LIMIT:
        raise bad_request("message caption is too long")
    content: Content = {}
    if caption:
        content["caption"] = caption
    if entities:
        content["caption_entities"] = entities
    if described.get("show_caption_above_media"):
        content["show_caption_above_media"] = True
    return content


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
