"""What a message means to the bot that reads it. Pure: it asks nobody and answers nothing.

In a private chat every message is for the bot. In a group it is one that names the bot, begins
with a command of its, or answers a message of its.
"""

import re
from dataclasses import dataclass
from typing import Final

from telegram import (
    Chat,
    Document,
    ExternalReplyInfo,
    MaybeInaccessibleMessage,
    Message,
    PhotoSize,
    Sticker,
    User,
)
from telegram.constants import ChatType

from vivant.bots.telegram.outgoing import PLATFORM
from vivant.chat import Sender
from vivant.clips import ReplyTo

_COMMAND: Final = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]+))?(?:[\s:,]+|$)")
_ANIMATE: Final = "animate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A file that may be a photo; its bytes are still at Telegram's."""

    file_id: str
    #: As Telegram says, if it does.
    size_bytes: int | None
    #: The message that shows it; None where it stands in another chat.
    message_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A photo shall move."""

    picture: Picture
    words: str
    #: The asking event: the message with the words, or the photo itself.
    event_id: str
    #: The asking event that the photo was itself, where words answer it.
    answers: str | None = None
    #: None for a photo that stands alone.
    album: str | None = None
    #: False for a photo in a group that does not name the bot: its album may, or its chat may have
    #: said that every photo with words is meant.
    is_addressed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Words for the bot, and no photo."""

    words: str
    #: The message they answer, if it is one of ours.
    answers: str | None = None
    #: Said with /animate or the bot's name, or to the bot alone; not just under its message.
    is_addressed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command other than /animate."""

    name: str
    argument: str
    #: False where another bot of the group may be meant.
    is_addressed: bool


@dataclass(frozen=True, slots=True)
class Film:
    """A video, an animation or a moving sticker."""

    album: str | None = None


Meaning = Wanted | Words | Command | Film


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads for one bot."""

    bot_id: int
    username: str

    def read(self, message: Message) -> Meaning | None:
        """What *message* wants of this bot; None where it wants nothing."""
        if _is_of_a_bot(message):
            return None  # two bots that answer each other never stop
        text = message.text or message.caption or ""
        command = _COMMAND.match(text)
        if command is not None and not self._is_ours(command[2]):
            return None
        is_for_us = message.chat.type == ChatType.PRIVATE or self._names_us(text)
        if command is not None and command[1].lower() == _ANIMATE:
            return self._asked(message, self._words(text[command.end() :]), is_addressed=True)
        if command is not None and message.text is not None:
            return Command(
                name=command[1].lower(),
                argument=text[command.end() :].strip(),
                is_addressed=is_for_us or command[2] is not None,
            )
        return self._asked(message, self._words(text), is_addressed=is_for_us)

    def _asked(self, message: Message, words: str, *, is_addressed: bool) -> Meaning | None:
        picture = _picture_of(message)
        if picture is not None:
            return Wanted(
                picture=picture,
                words=words,
                event_id=event_of(message),
                album=message.media_group_id,
                is_addressed=is_addressed,
            )
        if _is_film(message):
            return Film(message.media_group_id) if is_addressed else None
        if message.text is None:
            # A voice message, a place: it is answered like words that are none of a photo's.
            is_empty = message.effective_attachment is None
            return None if is_empty or not is_addressed else Words(words="", is_addressed=True)
        replied = message.reply_to_message
        if is_addressed and (shown := _picture_shown_by(message)) is not None:
            answers = None if replied is None else album_event(replied) or event_of(replied)
            event_id = event_of(message)
            return Wanted(picture=shown, words=words, event_id=event_id, answers=answers)
        if replied is not None and self._is_of_ours(replied):
            return Words(words=words, answers=str(replied.message_id), is_addressed=is_addressed)
        if is_addressed and replied is not None and _is_film(replied):
            return Film()
        return Words(words=words, is_addressed=True) if is_addressed else None

    def _is_ours(self, named: str | None) -> bool:
        return named is None or named.lower() == self.username.lower()

    def _is_of_ours(self, message: Message) -> bool:
        return message.from_user is not None and message.from_user.id == self.bot_id

    def _names_us(self, text: str) -> bool:
        return self._name.search(text) is not None

    def _words(self, text: str) -> str:
        """*text* without our name: it says who shall do it, not what."""
        return " ".join(self._name.sub(" ", text).split())

    @property
    def _name(self) -> re.Pattern[str]:
        # With the commas around it: "hug us, @vivant_bot" is "hug us".
        name = rf"[\s,:;]*(?<![\w@])@{re.escape(self.username)}(?!\w)[,:;]*"
        return re.compile(name, re.IGNORECASE)


def reply_to(message: MaybeInaccessibleMessage, bot: str, *, message_id: str | None) -> ReplyTo:
    """Where an answer to *message* belongs, as a reply to *message_id*."""
    thread_id = None
    # Replies in a plain supergroup have a thread id as well, which no answer may name.
    if isinstance(message, Message) and message.is_topic_message:
        thread_id = message.message_thread_id
    return ReplyTo(
        platform=PLATFORM,
        bot=bot,
        chat_id=str(message.chat.id),
        message_id=message_id,
        thread_id=None if thread_id is None else str(thread_id),
    )


def event_of(message: Message) -> str:
    """The number of what happened: a message's number counts within its chat only."""
    return f"{message.chat.id}:{message.message_id}"


def album_event(message: Message) -> str | None:
    """One event for all photos of an album."""
    if message.media_group_id is None:
        return None
    return f"{message.chat.id}:album:{message.media_group_id}"


def sender_of(message: Message) -> Sender:
    """Who wrote it; whoever writes in the name of a chat has that chat's credit."""
    if message.sender_chat is not None:
        return Sender(
            id=str(message.sender_chat.id),
            is_moderator=message.sender_chat.id == message.chat.id,
        )
    if message.from_user is None:
        return Sender(id=str(message.chat.id))
    return person(message.from_user, message.chat)


def person(user: User, chat: Chat) -> Sender:
    """Somebody with an account; alone with the bot, one speaks for the chat."""
    return Sender(
        id=str(user.id),
        language=user.language_code or "en",
        is_moderator=chat.type == ChatType.PRIVATE,
    )


def _is_of_a_bot(message: Message) -> bool:
    """Anonymous admins and channels write by bots of Telegram's own, in the name of a chat."""
    author = message.from_user
    return author is not None and author.is_bot and message.sender_chat is None


def _picture_of(message: Message) -> Picture | None:
    return _picture(message, str(message.message_id))


def _picture_shown_by(message: Message) -> Picture | None:
    """The photo that *message* answers, here or in another chat."""
    if message.reply_to_message is not None:
        return _picture_of(message.reply_to_message)
    if message.external_reply is not None:
        return _picture(message.external_reply, None)
    return None


def _picture(shown: Message | ExternalReplyInfo, message_id: str | None) -> Picture | None:
    file = _file(shown)
    if file is None:
        return None
    return Picture(file_id=file.file_id, size_bytes=file.file_size, message_id=message_id)


def _file(shown: Message | ExternalReplyInfo) -> PhotoSize | Document | Sticker | None:
    if shown.photo:
        return shown.photo[-1]  # sizes come smallest first
    if shown.sticker is not None:
        return None if shown.sticker.is_animated or shown.sticker.is_video else shown.sticker
    # A GIF is an animation, and for old bots' sake a document too.
    if shown.document is not None and not _is_film(shown):
        return shown.document
    return None


def _is_film(shown: Message | ExternalReplyInfo) -> bool:
    if shown.video or shown.animation or shown.video_note:
        return True
    if shown.sticker is not None:
        return shown.sticker.is_animated or shown.sticker.is_video
    return shown.document is not None and (shown.document.mime_type or "").startswith("video/")
