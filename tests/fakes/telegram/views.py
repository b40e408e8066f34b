"""What a person sees: the messages of a chat as they stand now, with their bytes."""

from __future__ import annotations

from dataclasses import dataclass

from tests.fakes.telegram.files import Shelf
from tests.fakes.telegram.world import Body, BotAccount, Chat, Post, User

_KINDS = ("animation", "video", "photo", "sticker", "document")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMedia:
    """The photo, clip or file of a message."""

    kind: str
    data: bytes
    file_name: str | None = None
    media_type: str | None = None
    #: As the sender said; 0 shows as a square of no length.
    width: int = 0
    height: int = 0
    duration_s: int = 0
    thumbnail: bytes | None = None
    has_spoiler: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownButton:
    """One button under a message."""

    text: str
    #: Callback data, None for buttons that do something else.
    data: str | None
    #: The whole button, as the bot sent it.
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownMessage:
    """One message as a person sees it."""

    post: Post
    message_id: int
    #: The bot that sent it, None for people.
    bot_id: int | None
    #: Text, or caption.
    text: str
    media: ShownMedia | None
    buttons: tuple[tuple[ShownButton, ...], ...]
    reply_to: int | None
    topic: int | None
    #: How often it was changed.
    edits: int
    #: Account id -> its reactions.
    reactions: dict[int, list[str]]

    @property
    def button_texts(self) -> list[str]:
        """All buttons, row after row."""
        return [button.text for row in self.buttons for button in row]


def visible(
    chat: Chat, shelf: Shelf, *, topic: int | None = None, by: int | None = None
) -> list[ShownMessage]:
    """The messages that stand in *chat*, oldest first; of one topic, by one bot, if asked."""
    return [
        shown(post, shelf)
        for _, post in sorted(chat.posts.items())
        if not post.is_deleted
        and (topic is None or post.thread_id == topic)
        and (by is None or post.bot_id == by)
    ]


def shown(post: Post, shelf: Shelf) -> ShownMessage:
    """One message as it stands now, even if it was deleted."""
    body = post.body
    return ShownMessage(
        post=post,
        message_id=post.message_id,
        bot_id=post.bot_id,
        text=str(body.get("text") or body.get("caption") or ""),
        media=_media(body, shelf),
        buttons=tuple(
            tuple(
                ShownButton(text=key["text"], data=key.get("callback_data"), body=key)
                for key in row
            )
            for row in body.get("reply_markup", {}).get("inline_keyboard", [])
        ),
        reply_to=post.reply_to,
        topic=post.thread_id,
        edits=len(post.earlier),
        reactions=dict(post.reactions),
    )


def commands(chat: Chat, bot: BotAccount, user: User) -> list[str]:
    """The commands that the client of *user* offers in *chat*.

    In the order of https://core.telegram.org/bots/api#determining-list-of-commands.
    """
    if chat.type == "private":
        scopes = [f"chat:{chat.id}", "all_private_chats", "default"]
    else:
        is_admin = chat.is_admin(user.id)
        scopes = [
            f"chat_member:{chat.id}:{user.id}",
            *([f"chat_administrators:{chat.id}"] if is_admin else []),
            f"chat:{chat.id}",
            *(["all_chat_administrators"] if is_admin else []),
            "all_group_chats",
            "default",
        ]
    for scope in scopes:
        for language in (user.language_code or "", ""):
            if told := bot.commands.get(f"{scope}/{language}"):
                return [str(command["command"]) for command in told]
    return []


def _media(body: Body, shelf: Shelf) -> ShownMedia | None:
    kind = next((kind for kind in _KINDS if kind in body), None)
    if kind is None:
        return None
    file = body[kind][-1] if kind == "photo" else body[kind]
    thumbnail = file.get("thumbnail")
    return ShownMedia(
        kind=kind,
        data=shelf.data(file["file_unique_id"]),
        file_name=file.get("file_name"),
        media_type=file.get("mime_type"),
        width=file.get("width", 0),
        height=file.get("height", 0),
        duration_s=file.get("duration", 0),
        thumbnail=None if thumbnail is None else shelf.data(thumbnail["file_unique_id"]),
        has_spoiler=body.get("has_media_spoiler", False),
    )
