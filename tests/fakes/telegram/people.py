"""People: each verb does what a client app does, and makes the updates that Telegram would."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.fakes.telegram.methods import Upload
from tests.fakes.telegram.switchboard import Switchboard
from tests.fakes.telegram.words import entities_of
from tests.fakes.telegram.world import (
    ANONYMOUS_ADMIN,
    CHANNEL_BOT,
    SERVICE,
    Body,
    BotAccount,
    Chat,
    Payment,
    Post,
    Query,
    Status,
    User,
    chat_key,
)

#: Seconds until an unanswered press is given up; not documented, about what clients wait.
PRESS_LIFE_S = 30.0
#: https://core.telegram.org/bots/api#precheckoutquery: "within 10 seconds".
CHECKOUT_LIFE_S = 10.0


class NotPaid(Exception):
    """The bot did not agree to the payment; the text is what the person read."""


@dataclass
class Person:
    """Somebody with a client app. Wherever a verb takes a chat, a bot means one's chat with it."""

    switchboard: Switchboard
    user: User

    @property
    def id(self) -> int:
        """The account's id, which is also the id of its private chats."""
        return self.user.id

    def chat_with(self, bot: BotAccount) -> Chat:
        """The private chat with *bot*, made when it is first needed."""
        key = chat_key(self.id, bot.id)
        chats = self.switchboard.world.chats
        if key not in chats:
            chats[key] = Chat(id=self.id, type="private", bot_id=bot.id)
        return chats[key]

    def says(
        self,
        where: Chat | BotAccount,
        text: str,
        *,
        topic: int | None = None,
        reply_to: Post | None = None,
    ) -> Post:
        """Write a text message."""
        return self._sends(where, _text(text), topic=topic, reply_to=reply_to)

    def starts(self, bot: BotAccount, payload: str = "") -> Post:
        """Press Start, or follow a link that carries *payload*."""
        return self.says(bot, f"/start {payload}".strip())

    def sends_photo(
        self,
        where: Chat | BotAccount,
        jpeg: bytes,
        *,
        caption: str | None = None,
        topic: int | None = None,
        reply_to: Post | None = None,
        album: str | None = None,
    ) -> Post:
        """Send a photo the usual way: Telegram scales it and drops its EXIF."""
        content = self.switchboard.world.shelf.photo(jpeg) | _caption(caption)
        return self._sends(where, content, topic=topic, reply_to=reply_to, album=album)

    def sends_album(
        self,
        where: Chat | BotAccount,
        photos: Sequence[bytes],
        *,
        caption: str | None = None,
        captioned: int = 0,
        arriving: Sequence[int] | None = None,
        topic: int | None = None,
        reply_to: Post | None = None,
    ) -> list[Post]:
        """Send photos as one album; the words stand on the photo numbered *captioned*.

        *arriving* is the order in which bots are told of the photos, if it is another.
        """
        album = str(self.switchboard.world.new_id())
        first = self.switchboard.reserve(self._chat(where), len(photos))
        posts = [
            self._sends(
                where,
                self.switchboard.world.shelf.photo(photos[number])
                | (_caption(caption) if number == captioned else {}),
                topic=topic,
                reply_to=reply_to,
                album=album,
                message_id=first + number,
            )
            for number in arriving or range(len(photos))
        ]
        return sorted(posts, key=lambda post: post.message_id)

    def sends_document(
        self,
        where: Chat | BotAccount,
        data: bytes,
        file_name: str,
        media_type: str,
        *,
        caption: str | None = None,
        topic: int | None = None,
        reply_to: Post | None = None,
        album: str | None = None,
    ) -> Post:
        """Send a file as it is."""
        upload = Upload(file_name, media_type, data)
        content = self.switchboard.world.shelf.document(upload) | _caption(caption)
        return self._sends(where, content, topic=topic, reply_to=reply_to, album=album)

    def sends_sticker(
        self,
        where: Chat | BotAccount,
        data: bytes,
        media_type: str = "image/webp",
        *,
        topic: int | None = None,
        reply_to: Post | None = None,
    ) -> Post:
        """Send a sticker: static as WebP, moving as video/webm or application/x-tgsticker."""
        content = self.switchboard.world.shelf.sticker(data, media_type)
        return self._sends(where, content, topic=topic, reply_to=reply_to)

    def sends_video(
        self,
        where: Chat | BotAccount,
        mp4: bytes,
        *,
        caption: str | None = None,
        topic: int | None = None,
        reply_to: Post | None = None,
    ) -> Post:
        """Send a video."""
        return self._sends_film("video", where, mp4, caption, topic, reply_to)

    def sends_animation(
        self,
        where: Chat | BotAccount,
        mp4: bytes,
        *,
        caption: str | None = None,
        topic: int | None = None,
        reply_to: Post | None = None,
    ) -> Post:
        """Send a GIF, which Telegram has made a silent MP4."""
        return self._sends_film("animation", where, mp4, caption, topic, reply_to)

    def forwards(
        self,
        post: Post,
        where: Chat | BotAccount,
        *,
        hidden: bool = False,
        topic: int | None = None,
    ) -> Post:
        """Forward a message; a *hidden* sender forbids links to the account."""
        kept = {
            name: value
            for name, value in post.body.items()
            if name
            not in {
                "message_id",
                "date",
                "chat",
                "from",
                "sender_chat",
                "message_thread_id",
                "is_topic_message",
                "reply_markup",
                "edit_date",
                "media_group_id",
            }
        }
        sender = post.body.get("from", SERVICE)
        origin: Body = {"date": post.body["date"]}
        if self.switchboard.chat_of(post).type == "channel":
            origin |= {
                "type": "channel",
                "chat": post.body["chat"],
                "message_id": post.message_id,
            }
        elif hidden:
            origin |= {"type": "hidden_user", "sender_user_name": sender["first_name"]}
        else:
            origin |= {"type": "user", "sender_user": sender}
        return self._sends(where, kept | {"forward_origin": origin}, topic=topic)

    def edits(self, post: Post, text: str) -> None:
        """Change the text or the caption of one's own message."""
        media = {
            name: post.body[name]
            for name in ("photo", "document", "video", "animation")
            if name in post.body
        }
        self.switchboard.edit(post, media | _caption(text) if media else _text(text))

    def deletes(self, post: Post) -> None:
        """Delete a message for everyone; Telegram tells bots nothing of it."""
        post.is_deleted = True
        self.switchboard.changed()

    def presses(self, post: Post, button: str) -> Query:
        """Press the button with that text, or that callback data, under *post*."""
        found = next(
            (
                key
                for row in post.body.get("reply_markup", {}).get("inline_keyboard", [])
                for key in row
                if button in {key["text"], key.get("callback_data")}
            ),
            None,
        )
        if found is None:
            raise LookupError(f"no button {button!r} under message {post.message_id}")
        return self.presses_data(post, found["callback_data"])

    def presses_data(self, post: Post, data: str) -> Query:
        """Send callback *data* that may stand on no button: anybody can with a client of theirs."""
        bot = self.switchboard.world.bots[post.bot_id or 0]
        chat = self.switchboard.chat_of(post)
        query = self._asks(bot, PRESS_LIFE_S)
        self.switchboard.tell(
            bot,
            "callback_query",
            {
                "id": query.id,
                "from": self.user.as_json(),
                "message": self.switchboard.rendered(post, bot),
                "chat_instance": f"-{chat.id}7",
                "data": data,
            },
        )
        return query

    def reacts(self, post: Post, *emoji: str) -> None:
        """Put one's reactions under *post*; bots see it where they are admins and asked for it."""
        chat = self.switchboard.chat_of(post)
        old = post.reactions.get(self.id, [])
        post.reactions[self.id] = list(emoji)
        for bot in self.switchboard.world.bots.values():
            if chat.bot_id == bot.id or chat.is_admin(bot.id):
                self.switchboard.tell(
                    bot,
                    "message_reaction",
                    {
                        "chat": self.switchboard.about(chat),
                        "message_id": post.message_id,
                        "user": self.user.as_json(),
                        "date": int(self.switchboard.world.now()),
                        "old_reaction": [{"type": "emoji", "emoji": one} for one in old],
                        "new_reaction": [{"type": "emoji", "emoji": one} for one in emoji],
                    },
                )
        self.switchboard.changed()

    async def pays(self, offer: Post | str, *, waiting_s: float = CHECKOUT_LIFE_S) -> Payment:
        """Pay the invoice of a message, or of a link; `NotPaid` unless the bot agrees in time."""
        world = self.switchboard.world
        key = offer if isinstance(offer, str) else self._invoice_key(offer)
        invoice = world.invoices[key]
        bot = world.bots[invoice.bot_id]
        query = self._asks(bot, waiting_s)
        price = {
            "currency": "XTR",
            "total_amount": invoice.total_amount,
            "invoice_payload": invoice.payload,
        }
        self.switchboard.tell(
            bot, "pre_checkout_query", {"id": query.id, "from": self.user.as_json()} | price
        )
        try:
            await self.switchboard.until(lambda: query.answer is not None, timeout_s=waiting_s)
        except TimeoutError as exc:
            raise NotPaid("the bot did not answer the pre-checkout query") from exc
        if not (query.answer or {}).get("ok"):
            raise NotPaid((query.answer or {}).get("error_message", ""))
        payment = Payment(
            charge_id=f"stx{world.new_id()}",
            bot_id=bot.id,
            user_id=self.id,
            amount=invoice.total_amount,
            payload=invoice.payload,
            date=int(world.now()),
        )
        world.payments[payment.charge_id] = payment
        done = price | {
            "telegram_payment_charge_id": payment.charge_id,
            "provider_payment_charge_id": "",
        }
        self._sends(bot, {"successful_payment": done})
        return payment

    def blocks_bot(self, bot: BotAccount) -> None:
        """Stop the bot: from now on it may not write."""
        self.switchboard.stand(self.chat_with(bot), bot, Status.KICKED, self.user.as_json())

    def unblocks_bot(self, bot: BotAccount) -> None:
        """Let the bot write again."""
        self.switchboard.stand(self.chat_with(bot), bot, Status.MEMBER, self.user.as_json())

    def deletes_account(self) -> None:
        """Leave Telegram."""
        self.user.is_deactivated = True

    def _sends_film(
        self,
        kind: str,
        where: Chat | BotAccount,
        mp4: bytes,
        caption: str | None,
        topic: int | None,
        reply_to: Post | None,
    ) -> Post:
        content = self.switchboard.world.shelf.film(
            kind, Upload("film.mp4", "video/mp4", mp4), width=640, height=480, duration_s=3
        )
        return self._sends(where, content | _caption(caption), topic=topic, reply_to=reply_to)

    def _sends(
        self,
        where: Chat | BotAccount,
        content: Body,
        *,
        topic: int | None = None,
        reply_to: Post | None = None,
        album: str | None = None,
        message_id: int | None = None,
    ) -> Post:
        chat = self._chat(where)
        if album is not None:
            content = content | {"media_group_id": album}
        sender: Body | None = self.user.as_json()
        sender_chat: Body | None = None
        if chat.type == "channel":
            sender, sender_chat = None, self.switchboard.about(chat)
        elif self.id in chat.anonymous:
            sender, sender_chat = ANONYMOUS_ADMIN, self.switchboard.about(chat)
        post = self.switchboard.post(
            chat,
            content,
            sender=sender,
            sender_chat=sender_chat,
            reply_to=None if reply_to is None else reply_to.message_id,
            thread_id=topic,
            message_id=message_id,
        )
        if chat.type == "channel" and chat.linked_chat_id is not None:
            self._forward_to_discussion(chat, post)
        return post

    def _forward_to_discussion(self, channel: Chat, post: Post) -> None:
        """Telegram copies each post of a channel into its discussion group by itself."""
        group = self.switchboard.world.chats[str(channel.linked_chat_id)]
        content = {
            name: value
            for name, value in post.body.items()
            if name not in {"message_id", "date", "chat", "sender_chat"}
        }
        about = self.switchboard.about(channel)
        self.switchboard.post(
            group,
            content
            | {
                "is_automatic_forward": True,
                "forward_origin": {
                    "type": "channel",
                    "chat": about,
                    "message_id": post.message_id,
                    "date": post.body["date"],
                },
            },
            sender=SERVICE,
            sender_chat=about,
        )

    def says_as_channel(self, where: Chat, channel: Chat, text: str) -> Post:
        """Write in a group in the name of one's channel."""
        return self.switchboard.post(
            where, _text(text), sender=CHANNEL_BOT, sender_chat=self.switchboard.about(channel)
        )

    def _asks(self, bot: BotAccount, life_s: float) -> Query:
        world = self.switchboard.world
        query = Query(str(world.new_id()), bot.id, world.now(), life_s)
        world.queries[query.id] = query
        return query

    def _chat(self, where: Chat | BotAccount) -> Chat:
        if isinstance(where, Chat):
            return where
        chat = self.chat_with(where)
        if chat.status_of(where.id) is Status.KICKED:
            self.unblocks_bot(where)
        chat.members[where.id] = Status.MEMBER
        return chat

    def _invoice_key(self, post: Post) -> str:
        return f"{post.chat_key}/{post.message_id}"


def _text(text: str) -> Body:
    content: Body = {"text": text}
    if entities := entities_of(text):
        content["entities"] = entities
    return content


def _caption(caption: str | None) -> Body:
    if not caption:
        return {}
    content: dict[str, Any] = {"caption": caption}
    if entities := entities_of(caption):
        content["caption_entities"] = entities
    return content
