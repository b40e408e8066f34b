"""Discord's objects into ours."""

import datetime as dt
from dataclasses import replace
from typing import Any, Final

import discord

from vivant.bots.discord.place import Place, Shown, token_until
from vivant.chat import PhotoMessage, Sender
from vivant.clips import Wish

#: What a chat without boosts takes, and a DM.
FILE_LIMIT: Final = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES

Interaction = discord.Interaction[Any]


def sender_of(interaction: Interaction) -> Sender:
    """Who did it, in the language of their own app."""
    return Sender(
        id=str(interaction.user.id),
        language=str(interaction.locale),
        is_moderator=interaction.guild_id is not None and interaction.permissions.manage_messages,
        roles=_roles_of(interaction.user),
    )


def manager_of(interaction: Interaction) -> Sender:
    """Who did it; speaks for the server only with "Manage Server"."""
    may = interaction.guild_id is not None and interaction.permissions.manage_guild
    return replace(sender_of(interaction), is_moderator=may)


def author_of(message: discord.Message, language: str) -> Sender:
    """Who wrote it; which language they read it does not tell."""
    moderates = False
    if isinstance(message.author, discord.Member):
        moderates = message.channel.permissions_for(message.author).manage_messages
    return Sender(
        id=str(message.author.id),
        language=language,
        is_moderator=moderates,
        roles=_roles_of(message.author),
    )


def asked_by(
    interaction: Interaction, response_id: int, bot: str, words: str, wish: Wish
) -> PhotoMessage:
    """What an interaction asks for, without the photo; its response becomes the clip."""
    return PhotoMessage(
        event_id=str(interaction.id),
        reply_to=place_of(interaction, response_id).reply_to(bot),
        sender=sender_of(interaction),
        words=words,
        photo=b"",
        limit_bytes=interaction.filesize_limit,
        wish=wish,
        status_message=str(Shown(message_id=response_id, by_token=True)),
    )


def place_of(interaction: Interaction, response_id: int) -> Place:
    """Where its answer belongs: with the response that stands there already."""
    return Place(
        channel_id=interaction.channel_id or 0,
        message_id=response_id,
        asker_id=interaction.user.id,
        is_away=not _may_write(interaction),
        parent_id=_parent_of(interaction.channel),
        server_id=interaction.guild_id,
        token=interaction.token,
        token_until=token_until(_seconds(interaction.created_at)),
    )


def place_of_message(message: discord.Message) -> Place:
    """Where the answer to *message* belongs: in its channel, as a reply."""
    return Place(
        channel_id=message.channel.id,
        message_id=message.id,
        parent_id=_parent_of(message.channel),
        server_id=None if message.guild is None else message.guild.id,
    )


def place_in_thread(interaction: Interaction, message: discord.Message) -> Place | None:
    """Where the answer to a press under *message* belongs, if the clip has a thread of its own."""
    thread = None if interaction.guild is None else interaction.guild.get_thread(message.id)
    if thread is None or not _may_write(interaction):
        return None
    return Place(
        channel_id=thread.id,
        message_id=message.id,
        asker_id=interaction.user.id,
        parent_id=thread.parent_id,
        server_id=interaction.guild_id,
    )


def limit_of(message: discord.Message) -> int:
    """The largest file that its channel takes, in bytes."""
    return FILE_LIMIT if message.guild is None else message.guild.filesize_limit


def _may_write(interaction: Interaction) -> bool:
    """Whether the bot can write there without the interaction's token."""
    if interaction.context.dm_channel:
        return True
    if not interaction.is_guild_integration():
        return False
    channel = interaction.channel
    may = interaction.app_permissions
    writes = may.send_messages
    if isinstance(channel, discord.Thread):
        writes = may.send_messages_in_threads
    return may.view_channel and writes


def _parent_of(channel: object) -> int | None:
    return channel.parent_id if isinstance(channel, discord.Thread) else None


def _roles_of(user: discord.User | discord.Member) -> frozenset[str]:
    if not isinstance(user, discord.Member):
        return frozenset()
    return frozenset(str(role.id) for role in user.roles if not role.is_default())


def _seconds(moment: dt.datetime) -> float:
    return moment.timestamp()
