"""Puts messages into chats and tells each bot what that bot may see of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from tests.fakes.telegram.files import with_file_ids
from tests.fakes.telegram.words import covered
from tests.fakes.telegram.world import (
    RARE_UPDATES,
    Body,
    BotAccount,
    Chat,
    Post,
    Status,
    World,
)

#: The parts of a message that an edit replaces.
CONTENT = frozenset(
    {
        "text",
        "entities",
        "link_preview_options",
        "caption",
        "caption_entities",
        "show_caption_above_media",
        "has_media_spoiler",
        "photo",
        "document",
        "video",
        "animation",
        "sticker",
    }
)


class Switchboard:
    """The one place where the world changes, so that whoever waits for it can be woken."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """Wake all who wait in `until`."""
        self._changed.set()
        self._changed = asyncio.Event()

    async def until(self, holds: Callable[[], object], *, timeout_s: float | None = 10.0) -> None:
        """Return as soon as *holds* does; `TimeoutError` if that takes too long."""
        async with asyncio.timeout(timeout_s):
            while not holds():
                await self._changed.wait()

    def reserve(self, chat: Chat, count: int) -> int:
        """The first of *count* numbers in a row that no other message of *chat* will have."""
        first = chat.next_message_id
        chat.next_message_id += count
        return first

    def chat_of(self, post: Post) -> Chat:
        """Where *post* stands."""
        return self.world.chats[post.chat_key]

    def post(
        self,
        chat: Chat,
        content: Body,
        *,
        sender: Body | None = None,
        sender_chat: Body | None = None,
        bot: BotAccount | None = None,
        reply_to: int | None = None,
        thread_id: int | None = None,
        message_id: int | None = None,
    ) -> Post:
        """Add a message to *chat* and tell the bots that may see it.

        Give a *message_id* only if `reserve` gave it to you.
        """
        message_id = message_id or self.reserve(chat, 1)
        body: Body = {
            "message_id": message_id,
            "date": int(self.world.now()),
            "chat": self.about(chat),
        }
        if sender is not None:
            body["from"] = sender
        if sender_chat is not None:
            body["sender_chat"] = sender_chat
        thread_id = self._thread(chat, reply_to, thread_id)
        if thread_id is not None:
            body["message_thread_id"] = thread_id
            if chat.is_forum:
                body["is_topic_message"] = True
                # A message in a topic that replies to nothing is a reply to the topic's opening.
                reply_to = reply_to or thread_id
        post = Post(
            message_id=message_id,
            chat_key=chat.key,
            body=body | content,
            bot_id=None if bot is None else bot.id,
            reply_to=reply_to,
        )
        chat.posts[message_id] = post
        if bot is not None:
            chat.last_bot_id = bot.id
        self._tell_all(chat, post, "channel_post" if chat.type == "channel" else "message")
        self.changed()
        return post

    def edit(self, post: Post, content: Body, markup: Body | None = None) -> None:
        """Replace what *post* shows; its keyboard goes unless *markup* brings one."""
        chat = self.chat_of(post)
        kept = {
            name: value
            for name, value in post.body.items()
            if name not in CONTENT and name != "reply_markup"
        }
        post.earlier.append(post.body)
        post.body = kept | content | {"edit_date": int(self.world.now())}
        if markup is not None:
            post.body["reply_markup"] = markup
        kind = "edited_channel_post" if chat.type == "channel" else "edited_message"
        self._tell_all(chat, post, kind)
        self.changed()

    def tell(self, bot: BotAccount, kind: str, content: object) -> None:
        """Queue an update for *bot*, if it wants that kind."""
        wanted = bot.allowed_updates
        if kind in RARE_UPDATES if wanted is None else kind not in wanted:
            return
        told = {"update_id": bot.next_update_id, kind: with_file_ids(content, bot.id)}
        bot.next_update_id += 1
        bot.updates.append(told)
        self.changed()

    def rendered(self, post: Post, bot: BotAccount) -> Body:
        """*post* as *bot* is sent it, with the message it replies to."""
        body = dict(post.body)
        target = self.chat_of(post).standing(post.reply_to)
        if target is not None:
            body["reply_to_message"] = target.body
        told: Body = with_file_ids(body, bot.id)
        return told

    def about(self, chat: Chat) -> Body:
        """The Chat object of a message."""
        body: Body = {"id": chat.id, "type": chat.type}
        if chat.bot_id is not None:
            user = self.world.users[chat.id]
            body["first_name"] = user.first_name
            if user.username:
                body["username"] = user.username
            return body
        body["title"] = chat.title
        if chat.username:
            body["username"] = chat.username
        if chat.is_forum:
            body["is_forum"] = True
        return body

    def stand(self, chat: Chat, bot: BotAccount, status: Status, by: Body) -> None:
        """Change what *bot* is in *chat*, and tell it."""
        old = chat.status_of(bot.id)
        chat.members[bot.id] = status
        self.tell(
            bot,
            "my_chat_member",
            {
                "chat": self.about(chat),
                "from": by,
                "date": int(self.world.now()),
                "old_chat_member": self.member(bot.as_json(), old),
                "new_chat_member": self.member(bot.as_json(), status),
            },
        )

    def member(self, account: Body, status: Status, *, is_anonymous: bool = False) -> Body:
        """The ChatMember object of an account."""
        body: Body = {"user": account, "status": status.value}
        match status:
            case Status.CREATOR:
                body["is_anonymous"] = is_anonymous
            case Status.ADMINISTRATOR:
                rights = (
                    "can_manage_chat can_delete_messages can_manage_video_chats "
                    "can_restrict_members can_promote_members can_change_info can_invite_users "
                    "can_post_stories can_edit_stories can_delete_stories"
                )
                body |= dict.fromkeys(rights.split(), True)
                body |= {"can_be_edited": False, "is_anonymous": is_anonymous}
            case Status.KICKED:
                body["until_date"] = 0
            case Status.MEMBER | Status.LEFT:
                pass
        return body

    def sees(self, bot: BotAccount, chat: Chat, post: Post) -> bool:
        """Whether *bot* is told of *post*: https://core.telegram.org/bots/features#privacy-mode."""
        if chat.bot_id is not None:
            return chat.bot_id == bot.id
        if chat.status_of(bot.id) in {Status.LEFT, Status.KICKED}:
            return False
        if chat.type == "channel" or not bot.privacy or chat.is_admin(bot.id):
            return True
        return self._is_meant_for(bot, chat, post)

    def _is_meant_for(self, bot: BotAccount, chat: Chat, post: Post) -> bool:
        body = post.body
        if not CONTENT & body.keys():
            return True  # a service message
        target = chat.standing(post.reply_to)
        if target is not None and target.bot_id == bot.id:
            return True
        if chat.last_bot_id in {None, bot.id} and _has_bare_command(body):
            return True
        return (
            _addresses(bot, body, "text", "bot_command")
            or (bot.captions_pass_privacy and _addresses(bot, body, "caption", "bot_command"))
            or (bot.mentions_pass_privacy and _addresses(bot, body, "text", "mention"))
            or (bot.mentions_pass_privacy and _addresses(bot, body, "caption", "mention"))
        )

    def _thread(self, chat: Chat, reply_to: int | None, thread_id: int | None) -> int | None:
        if thread_id is not None or chat.is_forum or chat.type != "supergroup":
            return thread_id
        target = None if reply_to is None else chat.posts.get(reply_to)
        if target is None:
            return None
        # In a plain supergroup, replies form threads of their own; they are no topics.
        return target.thread_id or target.message_id

    def _tell_all(self, chat: Chat, post: Post, kind: str) -> None:
        for bot in self.world.bots.values():
            # Bots hear neither themselves nor each other.
            if post.bot_id is None and self.sees(bot, chat, post):
                self.tell(bot, kind, self.rendered(post, bot))


def _addresses(bot: BotAccount, body: Body, words: str, kind: str) -> bool:
    """Whether an entity of *kind* in the text or the caption names *bot*."""
    entities = body.get("entities" if words == "text" else "caption_entities", [])
    handle = f"@{bot.username}".lower()
    return any(
        entity["type"] == kind and covered(body[words], entity).lower().endswith(handle)
        for entity in entities
    )


def _has_bare_command(body: Body) -> bool:
    return any(
        entity["type"] == "bot_command" and "@" not in covered(body["text"], entity)
        for entity in body.get("entities", [])
    )
