"""The methods that send, edit, delete and react."""

from __future__ import annotations

from dataclasses import dataclass

from telegram.constants import ChatAction as ChatActionName
from telegram.constants import ReactionEmoji

from tests.fakes.telegram.access import Access
from tests.fakes.telegram.contents import Contents, keyboard, recaptioned, text
from tests.fakes.telegram.files import Content
from tests.fakes.telegram.methods import Parameters, only_known
from tests.fakes.telegram.refusals import NOT_MODIFIED, bad_request
from tests.fakes.telegram.switchboard import CONTENT, Switchboard
from tests.fakes.telegram.world import Body, BotAccount, Chat, ChatAction, Post

#: https://core.telegram.org/bots/api#deletemessage.
DELETE_WITHIN_S = 48 * 3600

_CAPTIONED = frozenset({"photo", "document", "video", "animation"})


@dataclass(frozen=True)
class Messages:
    """What one bot does to messages."""

    switchboard: Switchboard
    bot: BotAccount
    access: Access
    contents: Contents

    def send_message(self, parameters: Parameters) -> Body:
        """A text."""
        chat = self.access.chat_to_write(parameters, "text")
        return self.send(chat, text(parameters, "message is too long"), parameters)

    def send_media(self, kind: str, parameters: Parameters) -> Body:
        """A photo, document, video, animation or sticker."""
        chat = self.access.chat_to_write(parameters, kind)
        content = self.contents.media(kind, parameters[kind], parameters)
        return self.send(chat, content, parameters)

    def send_media_group(self, parameters: Parameters) -> list[Body]:
        """An album: photos and videos mixed, or documents."""
        given = parameters["media"]
        if not 2 <= len(given) <= 10:
            raise bad_request("media group must include 2-10 items")
        kinds = {str(item.get("type")) for item in given}
        if kinds - {"photo", "video"} and kinds != {"document"}:
            raise bad_request("can't use the media of the specified type in the album")
        for kind in sorted(kinds):
            self.access.chat_to_write(parameters, kind)
        chat = self.access.chat(parameters)
        album = {"media_group_id": str(self.switchboard.world.new_id())}
        contents = [self.contents.input_media(item) for item in given]
        return [self.send(chat, content | album, parameters) for content in contents]

    def send(self, chat: Chat, content: Content, parameters: Parameters) -> Body:
        """Send *content* as the other parameters say: where in the chat, with which buttons."""
        reply_to = self.access.reply_target(chat, parameters)
        thread_id = self.access.thread(chat, parameters)
        markup = keyboard(parameters)
        post = self.switchboard.post(
            chat,
            content if markup is None else content | {"reply_markup": markup},
            sender=None if chat.type == "channel" else self.bot.as_json(),
            sender_chat=self.switchboard.about(chat) if chat.type == "channel" else None,
            bot=self.bot,
            reply_to=reply_to,
            thread_id=thread_id,
        )
        return self.switchboard.rendered(post, self.bot)

    def send_chat_action(self, parameters: Parameters) -> bool:
        """Say what the bot is doing just now."""
        chat = self.access.chat_to_write(parameters, "text")
        action = parameters["action"]
        if action not in {name.value for name in ChatActionName}:
            raise bad_request("wrong parameter action in request")
        thread_id: int | None = parameters.get("message_thread_id")
        if thread_id != 1:  # an action may name the General topic, a message may not
            thread_id = self.access.thread(chat, parameters)
        now = self.switchboard.world.now()
        chat.actions.append(ChatAction(self.bot.id, action, thread_id, now))
        self.switchboard.changed()
        return True

    def edit_text(self, parameters: Parameters) -> Body:
        """Another text in a text message."""
        post = self.access.post_to_edit(parameters)
        if "text" not in post.body:
            raise bad_request("there is no text in the message to edit")
        return self._edit(post, text(parameters, "MESSAGE_TOO_LONG"), parameters)

    def edit_caption(self, parameters: Parameters) -> Body:
        """Another caption under the same media."""
        post = self.access.post_to_edit(parameters)
        if not _CAPTIONED & post.body.keys():
            raise bad_request("there is no caption in the message to edit")
        return self._edit(post, recaptioned(_content(post), parameters), parameters)

    def edit_media(self, parameters: Parameters) -> Body:
        """Other media in a message, or the first in one that was text."""
        post = self.access.post_to_edit(parameters)
        kind = parameters["media"].get("type")
        if "media_group_id" in post.body and kind not in {"photo", "video"}:
            raise bad_request("can't use the media of the specified type in the album")
        self.access.chat_to_write(parameters, str(kind))
        return self._edit(post, self.contents.input_media(parameters["media"]), parameters)

    def edit_reply_markup(self, parameters: Parameters) -> Body:
        """Other buttons, or none."""
        post = self.access.post_to_edit(parameters)
        return self._edit(post, _content(post), parameters)

    def delete(self, parameters: Parameters) -> bool:
        """Delete a message: the bot's own, or as an administrator anybody's."""
        chat = self.access.chat(parameters)
        post = chat.standing(parameters["message_id"])
        if post is None:
            raise bad_request("message to delete not found")
        is_ours = post.bot_id == self.bot.id
        if not is_ours and chat.type != "private" and not chat.is_admin(self.bot.id):
            raise bad_request("message can't be deleted")
        if self.switchboard.world.now() - post.body["date"] > DELETE_WITHIN_S:
            raise bad_request("message can't be deleted for everyone")
        post.is_deleted = True
        self.switchboard.changed()
        return True

    def delete_several(self, parameters: Parameters) -> bool:
        """Delete messages; "if some of the specified messages can't be found, they are skipped"."""
        chat = self.access.chat(parameters)
        if not 1 <= len(parameters["message_ids"]) <= 100:
            raise bad_request("message identifiers are not specified")
        for message_id in parameters["message_ids"]:
            if chat.standing(message_id) is not None:
                self.delete(parameters | {"message_id": message_id})
        return True

    def react(self, parameters: Parameters) -> bool:
        """Put a reaction under a message, or take the bot's away."""
        post = self.access.chat(parameters).standing(parameters["message_id"])
        if post is None:
            raise bad_request("message to react not found")
        reactions = parameters.get("reaction", [])
        if len(reactions) > 1:  # "bots can set up to one reaction per message"
            raise bad_request("REACTIONS_TOO_MANY")
        post.reactions[self.bot.id] = [_reaction(reaction) for reaction in reactions]
        self.switchboard.changed()
        return True

    def _edit(self, post: Post, content: Content, parameters: Parameters) -> Body:
        markup = keyboard(parameters)
        if content == _content(post) and markup == post.body.get("reply_markup"):
            raise bad_request(NOT_MODIFIED)
        self.switchboard.edit(post, content, markup)
        return self.switchboard.rendered(post, self.bot)


def _content(post: Post) -> Content:
    return {name: value for name, value in post.body.items() if name in CONTENT}


def _reaction(given: object) -> str:
    """The emoji of a reaction; custom ones are for chats that have chosen some, and none has."""
    if isinstance(given, dict) and given.get("type") == "custom_emoji":
        only_known("ReactionTypeCustomEmoji", given)
        raise bad_request("REACTION_INVALID")
    emoji = only_known("ReactionTypeEmoji", given).get("emoji")
    if emoji not in {known.value for known in ReactionEmoji}:
        raise bad_request("REACTION_INVALID")
    return str(emoji)
