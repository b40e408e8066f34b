"""Which messages are meant for the bot, and what they ask.

A message that names the bot, or any message in a DM. Without the privileged intent to read all
messages Discord shows us exactly these, and of a message that they reply to maybe only that it
is there.
"""

import re
from dataclasses import dataclass
from typing import Final

import discord

from vivant.bots.discord.attachments import Upload

_KINDS: Final = (discord.MessageType.default, discord.MessageType.reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a message asks."""

    words: str
    #: Attached to it, or to the message that it replies to or forwards.
    photos: tuple[Upload, ...]
    #: It names the bot, so it wants an answer in any case.
    is_named: bool
    #: A film is there, but no photo.
    is_video: bool = False
    #: Our own message that it replies to.
    answers: int | None = None
    #: It replies to a message of which Discord shows us nothing.
    is_blind: bool = False


def wanted(message: discord.Message, bot_id: int, *, every_photo: bool = False) -> Wanted | None:
    """None when *message* is not meant for the bot.

    *every_photo*: where a server chose so, a photo with words needs no name.
    """
    if message.author.bot or message.webhook_id is not None or message.type not in _KINDS:
        return None
    named = bot_id in message.raw_mentions
    target = _target(message)
    replies_to_us = target is not None and target.author.id == bot_id
    # What is said about a clip is said to the others there.
    answers_us = target is not None and replies_to_us and not target.attachments
    is_meant = named or answers_us or message.guild is None
    if not is_meant and not (every_photo and message.attachments and message.content):
        return None
    files = files_of(message)
    if not files and target is not None and not replies_to_us:
        files = files_of(target)
    photos = tuple(file for file in files if file.is_picture)
    hidden = target is not None and not (target.content or target.attachments or target.embeds)
    return Wanted(
        words=_words(message.content, bot_id),
        photos=photos,
        is_named=named,
        is_video=not photos and any(file.is_video for file in files),
        answers=target.id if target is not None and replies_to_us else None,
        is_blind=not photos and hidden and not replies_to_us,
    )


def files_of(message: discord.Message) -> list[Upload]:
    """What is attached to *message*, or to one that it forwards."""
    shots = [file for shot in message.message_snapshots for file in shot.attachments]
    return [Upload.of(file) for file in (*message.attachments, *shots)]


def _target(message: discord.Message) -> discord.Message | None:
    """The message that *message* replies to, where Discord sent it along."""
    reference = message.reference
    if reference is None or message.type is not discord.MessageType.reply:
        return None
    resolved = reference.resolved
    return resolved if isinstance(resolved, discord.Message) else None


def _words(content: str, bot_id: int) -> str:
    return " ".join(re.sub(rf"<@!?{bot_id}>", " ", content).split())
