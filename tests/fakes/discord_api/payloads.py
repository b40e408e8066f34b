"""How the API words what is in the `World`: JSON objects as the documentation lists them."""

import datetime as dt

from tests.fakes.discord_api.refusals import Json
from tests.fakes.discord_api.world import (
    LINK_LASTS_S,
    Attachment,
    Channel,
    ChannelKind,
    Entitlement,
    Guild,
    Interaction,
    InteractionKind,
    Member,
    Message,
    Permission,
    Role,
    Sku,
    User,
    World,
)


def timestamp(seconds: float) -> str:
    """ISO 8601, as the API writes it."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat()


class Payloads:
    """Words one world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def user(self, user: User) -> Json:
        """A user."""
        return {
            "id": str(user.id),
            "username": user.name,
            "global_name": None if user.bot else user.name.title(),
            "discriminator": "0",
            "avatar": None,
            "bot": user.bot,
            "public_flags": 0,
        }

    def member(self, member: Member, *, with_user: bool = True) -> Json:
        """A member of a server."""
        payload: Json = {
            "nick": member.nick,
            "avatar": None,
            "roles": [str(role.id) for role in member.roles],
            "joined_at": timestamp(member.joined_at),
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
            "communication_disabled_until": None,
        }
        return {**payload, "user": self.user(member.user)} if with_user else payload

    def role(self, role: Role) -> Json:
        """A role."""
        return {
            "id": str(role.id),
            "name": role.name,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "icon": None,
            "unicode_emoji": None,
            "position": 0 if role.name == "@everyone" else 1,
            "permissions": str(int(role.permissions)),
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }

    def guild(self, guild: Guild) -> Json:
        """A server, as REST gives it."""
        return {
            "id": str(guild.id),
            "name": guild.name,
            "icon": None,
            "splash": None,
            "discovery_splash": None,
            "description": None,
            "owner_id": str(guild.owner.id),
            "region": "deprecated",
            "afk_channel_id": None,
            "afk_timeout": 300,
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "roles": [self.role(role) for role in guild.roles.values()],
            "emojis": [],
            "stickers": [],
            "features": ["AUTO_MODERATION"] if guild.blocked_words else [],
            "mfa_level": 0,
            "nsfw_level": 0,
            "application_id": None,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "rules_channel_id": None,
            "public_updates_channel_id": None,
            "vanity_url_code": None,
            "banner": None,
            "premium_tier": guild.premium_tier,
            "premium_subscription_count": 0,
            "preferred_locale": guild.preferred_locale,
            "max_members": 500_000,
            "premium_progress_bar_enabled": False,
        }

    def guild_create(self, guild: Guild, *, all_members: bool) -> Json:
        """A server, as the gateway gives it."""
        here = [c for c in self._world.channels.values() if c.guild is guild and not c.deleted]
        me = guild.members[self._world.bot.id]
        members = guild.members.values() if all_members else [me]
        return {
            **self.guild(guild),
            "joined_at": timestamp(me.joined_at),
            "large": False,
            "unavailable": False,
            "member_count": len(guild.members),
            "members": [self.member(member) for member in members],
            "channels": [self.channel(c) for c in here if c.parent is None],
            "threads": [
                self.channel(c)
                for c in here
                if c.parent is not None and not c.archived and self._world.sees(c)
            ],
            "voice_states": [],
            "presences": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    def channel(self, channel: Channel) -> Json:
        """A channel of any kind."""
        last = max(channel.messages, default=None)
        payload: Json = {
            "id": str(channel.id),
            "type": int(channel.kind),
            "last_message_id": None if last is None else str(last),
            "flags": 0,
        }
        if channel.guild is None:
            others = [user for user in channel.recipients if user is not self._world.bot]
            payload["recipients"] = [self.user(user) for user in others]
            if channel.kind is ChannelKind.GROUP_DM:
                owner = channel.owner or others[0]
                payload |= {"name": channel.name, "icon": None, "owner_id": str(owner.id)}
            return payload
        payload |= {
            "name": channel.name,
            "guild_id": str(channel.guild.id),
            "parent_id": None if channel.parent is None else str(channel.parent.id),
            "rate_limit_per_user": 0,
            "nsfw": channel.nsfw,
        }
        if channel.kind is ChannelKind.THREAD:
            owner = channel.owner or channel.guild.owner
            return payload | {
                "owner_id": str(owner.id),
                "message_count": len(channel.messages),
                "member_count": 1,
                "total_message_sent": len(channel.messages),
                "thread_metadata": {
                    "archived": channel.archived,
                    "auto_archive_duration": 1440,
                    "archive_timestamp": timestamp(self._world.clock.now()),
                    "locked": False,
                },
            }
        payload |= {
            "position": 0,
            "topic": None,
            "permission_overwrites": [
                {
                    "id": str(who),
                    "type": 0 if who in channel.guild.roles else 1,
                    "allow": str(int(overwrite.allow)),
                    "deny": str(int(overwrite.deny)),
                }
                for who, overwrite in channel.overwrites.items()
            ],
        }
        if channel.kind is ChannelKind.VOICE:
            payload |= {"bitrate": 64_000, "user_limit": 0, "rtc_region": None}
        if channel.kind is ChannelKind.FORUM:
            payload |= {
                "available_tags": [],
                "default_reaction_emoji": None,
                "default_sort_order": None,
                "default_forum_layout": 0,
            }
        return payload

    def link(self, attachment: Attachment) -> str:
        """The address of a file; it expires, as Discord's do."""
        until = int(self._world.clock.now() + LINK_LASTS_S)
        return f"{self._world.cdn}/{attachment.path}?ex={until:x}&is={until - 86_400:x}&hm=00"

    def attachment(self, attachment: Attachment) -> Json:
        """A file."""
        link = self.link(attachment)
        payload: Json = {
            "id": str(attachment.id),
            "filename": attachment.filename,
            "size": len(attachment.data),
            "url": link,
            "proxy_url": link,
            "content_type": attachment.content_type,
            "flags": 8 if attachment.is_spoiler else 0,
        }
        if attachment.size_px is not None:
            payload["width"], payload["height"] = attachment.size_px
        if attachment.description is not None:
            payload["description"] = attachment.description
        return payload

    def message(self, message: Message, *, sees_all: bool = True, nested: bool = False) -> Json:
        """A message, as REST gives it; *sees_all* is the message content intent."""
        payload: Json = {
            "id": str(message.id),
            "channel_id": str(message.channel.id),
            "type": self._message_type(message),
            "author": self.user(message.author),
            "content": message.content,
            "timestamp": timestamp(message.sent_at),
            "edited_timestamp": None if message.edited_at is None else timestamp(message.edited_at),
            "tts": False,
            "mention_everyone": message.pinged_everyone,
            "mentions": [self.user(user) for user in message.mentions],
            "mention_roles": [],
            "attachments": [self.attachment(file) for file in message.attachments],
            "embeds": list(message.embeds),
            "components": list(message.components),
            "pinned": False,
            "flags": int(message.flags),
        }
        if message.nonce is not None:
            payload["nonce"] = message.nonce
        if message.reactions:
            payload["reactions"] = [
                {
                    "emoji": {"id": None, "name": emoji},
                    "count": len(users),
                    "count_details": {"burst": 0, "normal": len(users)},
                    "me": self._world.bot in users,
                    "me_burst": False,
                    "burst_colors": [],
                }
                for emoji, users in message.reactions.items()
            ]
        if message.thread is not None:
            payload["thread"] = self.channel(message.thread)
        if message.reference is not None and not nested:
            payload["message_reference"] = {"type": 0, **message.reference}
            target = message.reply_to
            payload["referenced_message"] = (
                None
                if target is None or target.deleted
                else self.message(target, sees_all=sees_all, nested=True)
            )
        if message.author is self._world.bot:
            payload["application_id"] = str(self._world.application_id)
        if message.interaction is not None:
            interaction = message.interaction
            payload["webhook_id"] = str(self._world.application_id)
            payload["interaction_metadata"] = {
                "id": str(interaction.id),
                "type": int(interaction.kind),
                "user": self.user(interaction.user),
                "authorizing_integration_owners": interaction.owners,
            }
        if not sees_all and not self._is_meant_for_bot(message):
            payload |= {"content": "", "embeds": [], "attachments": [], "components": []}
        return payload

    def _is_meant_for_bot(self, message: Message) -> bool:
        """What a bot is told of without the message content intent, through any of the APIs."""
        bot = self._world.bot
        return message.channel.is_private or message.author is bot or bot in message.mentions

    def message_event(self, message: Message, *, sees_all: bool) -> Json:
        """A message, as the gateway gives it."""
        payload = self.message(message, sees_all=sees_all)
        guild = message.channel.guild
        if guild is not None:
            payload["guild_id"] = str(guild.id)
            member = guild.members.get(message.author.id)
            if member is not None:
                payload["member"] = self.member(member, with_user=False)
            for mentioned in payload["mentions"]:
                if int(mentioned["id"]) in guild.members:
                    mentioned["member"] = self.member(
                        guild.members[int(mentioned["id"])], with_user=False
                    )
        return payload

    def interaction(self, interaction: Interaction) -> Json:
        """What the gateway tells of something that a person did."""
        channel, user = interaction.channel, interaction.user
        payload: Json = {
            "id": str(interaction.id),
            "application_id": str(self._world.application_id),
            "type": int(interaction.kind),
            "data": interaction.data,
            "channel_id": str(channel.id),
            "channel": self.channel(channel),
            "token": interaction.token,
            "version": 1,
            "locale": interaction.locale,
            "app_permissions": str(int(self._app_permissions(interaction))),
            "entitlements": [
                self.entitlement(one)
                for one in self._world.entitlements.values()
                if one.user is user or (one.guild is not None and one.guild is channel.guild)
            ],
            "entitlement_sku_ids": [],
            "authorizing_integration_owners": interaction.owners,
            "context": interaction_context(channel, self._world.bot),
            "attachment_size_limit": channel.file_limit,
        }
        if interaction.message is not None:
            payload["message"] = self.message(interaction.message)
        guild = channel.guild
        if guild is None:
            return {**payload, "user": self.user(user)}
        permissions = channel.permissions_of(user)
        payload["channel"]["permissions"] = str(int(permissions))
        return payload | {
            "guild_id": str(guild.id),
            "guild": {"id": str(guild.id), "locale": guild.preferred_locale, "features": []},
            "guild_locale": guild.preferred_locale,
            "member": {
                **self.member(guild.members[user.id]),
                "permissions": str(int(permissions)),
            },
        }

    def _app_permissions(self, interaction: Interaction) -> Permission:
        channel = interaction.channel
        if self._world.sees(channel):
            return channel.permissions_of(self._world.bot)
        # Only the person brought the app: it may what an interaction's answer may carry.
        return Permission.EMBED_LINKS | Permission.ATTACH_FILES | Permission.MENTION_EVERYONE

    def _message_type(self, message: Message) -> int:
        if message.interaction is not None and message.interaction.kind is InteractionKind.COMMAND:
            return 20
        return 19 if message.reference is not None else 0

    def sku(self, sku: Sku) -> Json:
        """Something that can be bought."""
        return {
            "id": str(sku.id),
            "type": sku.type,
            "application_id": str(self._world.application_id),
            "name": sku.name,
            "slug": sku.name.lower().replace(" ", "-"),
            "flags": 4,
        }

    def entitlement(self, entitlement: Entitlement) -> Json:
        """Something that was bought."""
        starts, ends = entitlement.starts_at, entitlement.ends_at
        payload: Json = {
            "id": str(entitlement.id),
            "sku_id": str(entitlement.sku.id),
            "application_id": str(self._world.application_id),
            "user_id": None if entitlement.user is None else str(entitlement.user.id),
            "type": entitlement.type,
            "deleted": entitlement.deleted,
            "consumed": entitlement.consumed,
            "starts_at": None if starts is None else timestamp(starts),
            "ends_at": None if ends is None else timestamp(ends),
        }
        if entitlement.guild is not None:
            payload["guild_id"] = str(entitlement.guild.id)
        return payload


def interaction_context(channel: Channel, bot: User) -> int:
    """0 in a server, 1 in the bot's DM, 2 in any other private channel."""
    if channel.guild is not None:
        return 0
    return 1 if channel.kind is ChannelKind.DM and bot in channel.recipients else 2
