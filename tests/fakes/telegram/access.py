"""What a call names: the chat, the topic, the message; and whether this bot may go there.

The order of the checks and their words are those of the server's own source,
tdlib/telegram-bot-api.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.fakes.telegram.methods import Parameters, only_known
from tests.fakes.telegram.refusals import bad_request, forbidden
from tests.fakes.telegram.world import Body, BotAccount, Chat, Post, Status, World


@dataclass(frozen=True)
class Access:
    """One bot's view of the world; each method answers, or raises `Refusal`."""

    world: World
    bot: BotAccount

    def chat(self, parameters: Parameters) -> Chat:
        """The chat of `chat_id`, if the bot is in it."""
        if "chat_id" not in parameters:
            raise bad_request("chat_id is empty")
        chat_id = parameters["chat_id"]
        chat = self.world.chat(chat_id, self.bot.id)
        if chat is None:
            if self._has_met(chat_id):
                raise forbidden("bot can't initiate conversation with a user")
            raise bad_request("chat not found")
        if chat.migrated_to is not None:
            raise bad_request(
                "group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.migrated_to
            )
        status = chat.status_of(self.bot.id)
        if chat.type == "private":
            self._check_person(chat, status)
        elif status is Status.KICKED:
            raise forbidden(f"bot was kicked from the {chat.type} chat")
        elif status is Status.LEFT:
            raise forbidden(f"bot is not a member of the {chat.type} chat")
        return chat

    def chat_to_write(self, parameters: Parameters, kind: str) -> Chat:
        """The chat of `chat_id`, if the bot may send messages of *kind* there."""
        chat = self.chat(parameters)
        if kind in chat.forbidden and not chat.is_admin(self.bot.id):
            what = "text messages" if kind == "text" else f"{kind}s"
            raise bad_request(f"not enough rights to send {what} to the chat")
        if chat.type == "channel" and not chat.is_admin(self.bot.id):
            raise bad_request("need administrator rights in the channel chat")
        return chat

    def thread(self, chat: Chat, parameters: Parameters) -> int | None:
        """The topic of `message_thread_id`, if it is one and open."""
        thread_id: int = parameters.get("message_thread_id", 0)
        if thread_id <= 0:
            return None
        topic = chat.topics.get(thread_id)
        if topic is None and any(post.thread_id == thread_id for post in chat.posts.values()):
            raise bad_request("message thread is not a forum topic thread")
        if topic is None or topic.is_deleted:
            raise bad_request("message thread not found")
        if topic.is_closed and not chat.is_admin(self.bot.id):
            raise bad_request("TOPIC_CLOSED")
        return thread_id

    def reply_target(self, chat: Chat, parameters: Parameters) -> int | None:
        """The message of `reply_parameters`; None if it is gone and need not be there."""
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

    def post_to_edit(self, parameters: Parameters) -> Post:
        """The message of `chat_id` and `message_id`, if the bot may change it."""
        if "inline_message_id" in parameters:
            raise bad_request("invalid inline message identifier specified")
        chat = self.chat(parameters)
        if "message_id" not in parameters:
            raise bad_request("message identifier is not specified")
        post = chat.standing(parameters["message_id"])
        if post is None:
            raise bad_request("message to edit not found")
        if post.bot_id != self.bot.id or "invoice" in post.body:
            raise bad_request("message can't be edited")
        return post

    def account(self, account_id: int) -> Body:
        """The User object of a person or a bot."""
        account = self.world.users.get(account_id) or self.world.bots.get(account_id)
        if account is None:
            raise bad_request("user not found")
        return account.as_json()

    def _check_person(self, chat: Chat, status: Status) -> None:
        if self.world.users[chat.id].is_deactivated:
            raise forbidden("user is deactivated")
        if status is Status.KICKED:
            raise forbidden("bot was blocked by the user")
        if status is Status.LEFT:
            raise forbidden("bot can't initiate conversation with a user")

    def _has_met(self, account_id: int | str) -> bool:
        """Whether the bot knows of somebody from a group, though they never wrote to it."""
        return any(
            account_id in chat.members and self.bot.id in chat.members
            for chat in self.world.chats.values()
        )
