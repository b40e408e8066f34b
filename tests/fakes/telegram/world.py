"""What Telegram remembers: accounts, chats, their messages, and what waits for each bot.

Plain data that msgspec can write down and read back; the rules stand in the other modules.
A message is kept as the JSON that bots are sent, without what differs from bot to bot.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from tests.fakes.telegram.files import Shelf

Body = dict[str, Any]

#: Accounts of Telegram's own, as every client knows them.
SERVICE: Body = {"id": 777000, "is_bot": False, "first_name": "Telegram"}
ANONYMOUS_ADMIN: Body = {
    "id": 1087968824,
    "is_bot": True,
    "first_name": "Group",
    "username": "GroupAnonymousBot",
}
CHANNEL_BOT: Body = {
    "id": 136817688,
    "is_bot": True,
    "first_name": "Channel",
    "username": "Channel_Bot",
}

#: Not sent unless a bot asks for them by name.
RARE_UPDATES = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


class Status(StrEnum):
    """What an account is in a chat."""

    CREATOR = "creator"
    ADMINISTRATOR = "administrator"
    MEMBER = "member"
    LEFT = "left"
    KICKED = "kicked"


@dataclass
class User:
    """A person's account."""

    id: int
    first_name: str
    username: str | None = None
    language_code: str | None = None
    is_deactivated: bool = False

    def as_json(self) -> Body:
        """As bots see it."""
        body: Body = {"id": self.id, "is_bot": False, "first_name": self.first_name}
        if self.username:
            body["username"] = self.username
        if self.language_code:
            body["language_code"] = self.language_code
        return body


@dataclass
class Webhook:
    """Where a bot's updates are posted."""

    url: str
    secret_token: str | None = None
    max_connections: int = 40
    last_error_date: int | None = None
    last_error_message: str | None = None


@dataclass
class BotAccount:
    """A bot's account, and what it has told Telegram."""

    id: int
    token: str
    username: str
    first_name: str
    #: Privacy mode, on unless BotFather was asked otherwise.
    privacy: bool = True
    #: Whether a bare @mention passes privacy mode: not promised, and reported not to.
    mentions_pass_privacy: bool = False
    #: Whether a command to this bot passes privacy mode in a caption: not promised, not tried.
    captions_pass_privacy: bool = False
    is_logged_out: bool = False
    updates: list[Body] = field(default_factory=list[Body])
    next_update_id: int = 1
    #: None is Telegram's default: all but `RARE_UPDATES`.
    allowed_updates: list[str] | None = None
    webhook: Webhook | None = None
    #: f"{scope}/{language}" -> the commands.
    commands: dict[str, list[Body]] = field(default_factory=dict[str, list[Body]])
    #: f"{name|description|short_description}/{language}" -> the text.
    profile: dict[str, str] = field(default_factory=dict[str, str])

    def as_json(self) -> Body:
        """As others see it."""
        return {
            "id": self.id,
            "is_bot": True,
            "first_name": self.first_name,
            "username": self.username,
        }

    def about_itself(self) -> Body:
        """The answer to getMe."""
        return self.as_json() | {
            "can_join_groups": True,
            "can_read_all_group_messages": not self.privacy,
            "supports_inline_queries": False,
            "can_connect_to_business": False,
            "has_main_web_app": False,
        }


@dataclass
class Topic:
    """A topic of a forum; its id is that of the message that opened it."""

    id: int
    name: str
    is_closed: bool = False
    is_deleted: bool = False


@dataclass
class Post:
    """A message in its chat."""

    message_id: int
    #: `Chat.key`.
    chat_key: str
    #: The Message object, less `reply_to_message` and `file_id`s.
    body: Body
    #: The bot that sent it; None for people and service messages.
    bot_id: int | None = None
    reply_to: int | None = None
    is_deleted: bool = False
    #: Earlier bodies, oldest first: one for each edit.
    earlier: list[Body] = field(default_factory=list[Body])
    #: Account id -> its reactions, as emoji.
    reactions: dict[int, list[str]] = field(default_factory=dict[int, list[str]])

    @property
    def thread_id(self) -> int | None:
        """The topic or thread it stands in."""
        thread_id = self.body.get("message_thread_id")
        return None if thread_id is None else int(thread_id)


@dataclass
class ChatAction:
    """'The bot is sending a video', and when that was (`World.now`)."""

    bot_id: int
    action: str
    thread_id: int | None
    at: float


@dataclass
class Chat:
    """A conversation."""

    id: int
    type: str
    title: str | None = None
    username: str | None = None
    is_forum: bool = False
    #: The bot of a private chat, whose id is the person's.
    bot_id: int | None = None
    members: dict[int, Status] = field(default_factory=dict[int, Status])
    #: Administrators who post as the group.
    anonymous: set[int] = field(default_factory=set[int])
    topics: dict[int, Topic] = field(default_factory=dict[int, Topic])
    posts: dict[int, Post] = field(default_factory=dict[int, Post])
    actions: list[ChatAction] = field(default_factory=list[ChatAction])
    next_message_id: int = 1
    #: A channel's discussion group, and the other way round.
    linked_chat_id: int | None = None
    #: The supergroup that this group became.
    migrated_to: int | None = None
    #: The bot that spoke last: it gets the commands that name no bot.
    last_bot_id: int | None = None
    #: What bots that are no administrators may not send here: "text", "photo", "video" ...
    forbidden: set[str] = field(default_factory=set[str])

    @property
    def key(self) -> str:
        """Its place in the world."""
        return chat_key(self.id, self.bot_id)

    def status_of(self, account_id: int) -> Status:
        """What the account is here."""
        return self.members.get(account_id, Status.LEFT)

    def is_admin(self, account_id: int) -> bool:
        """Whether the account may do more than talk."""
        return self.status_of(account_id) in {Status.CREATOR, Status.ADMINISTRATOR}

    def standing(self, message_id: int | None) -> Post | None:
        """The message, unless it was deleted."""
        post = None if message_id is None else self.posts.get(message_id)
        return None if post is None or post.is_deleted else post


def chat_key(chat_id: int, bot_id: int | None) -> str:
    """Private chats are told apart by bot, all others by id alone."""
    return f"{chat_id}@{bot_id}" if bot_id is not None else str(chat_id)


@dataclass
class Query:
    """A question that a bot must answer: a pressed button, or a payment about to be made."""

    id: str
    bot_id: int
    asked_at: float
    life_s: float
    answer: Body | None = None


@dataclass
class Invoice:
    """What is offered for Stars."""

    bot_id: int
    title: str
    payload: str
    total_amount: int
    subscription_period: int | None = None


@dataclass
class Payment:
    """Stars that a person paid."""

    charge_id: str
    bot_id: int
    user_id: int
    amount: int
    payload: str
    date: int
    is_refunded: bool = False


@dataclass
class World:
    """Everything."""

    users: dict[int, User] = field(default_factory=dict[int, User])
    bots: dict[int, BotAccount] = field(default_factory=dict[int, BotAccount])
    chats: dict[str, Chat] = field(default_factory=dict[str, Chat])
    shelf: Shelf = field(default_factory=Shelf)
    queries: dict[str, Query] = field(default_factory=dict[str, Query])
    #: Link, or f"{chat key}/{message id}" -> the offer.
    invoices: dict[str, Invoice] = field(default_factory=dict[str, Invoice])
    payments: dict[str, Payment] = field(default_factory=dict[str, Payment])
    last_id: int = 1000
    #: How far this clock is ahead of the machine's.
    ahead_s: float = 0.0

    def new_id(self) -> int:
        """A number that no other account, album, query or payment has."""
        self.last_id += 1
        return self.last_id

    def now(self) -> float:
        """Telegram's clock, in seconds."""
        return time.time() + self.ahead_s

    def bot_with(self, token: str) -> BotAccount | None:
        """The bot that holds *token*."""
        return next((bot for bot in self.bots.values() if bot.token == token), None)

    def chat(self, chat_id: int | str, bot_id: int) -> Chat | None:
        """The chat that *bot_id* means by *chat_id*, a number or @username."""
        if isinstance(chat_id, str):
            name = chat_id.removeprefix("@").lower()
            return next(
                (chat for chat in self.chats.values() if (chat.username or "").lower() == name),
                None,
            )
        return self.chats.get(str(chat_id)) or self.chats.get(chat_key(chat_id, bot_id))
