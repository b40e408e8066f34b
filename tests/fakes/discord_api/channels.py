"""Calls about channels, messages, threads, reactions, servers and people."""

from urllib.parse import unquote

from tests.fakes.discord_api import forms
from tests.fakes.discord_api.calls import Answer, Call, Route, route
from tests.fakes.discord_api.gateway import Gateway, Intent
from tests.fakes.discord_api.payloads import Payloads
from tests.fakes.discord_api.refusals import Json, Refused, Why, wrong
from tests.fakes.discord_api.world import (
    Channel,
    ChannelKind,
    Guild,
    Message,
    Permission,
    World,
)
from tests.fakes.discord_api.writing import SETTABLE, SETTABLE_IN_EDITS, Writing


class ChannelCalls:
    """Answers them."""

    def __init__(
        self, world: World, payloads: Payloads, gateway: Gateway, writing: Writing
    ) -> None:
        self._world = world
        self._payloads = payloads
        self._gateway = gateway
        self._writing = writing

    def routes(self) -> list[Route]:
        """The table."""
        channel = "/channels/{channel}"
        message = "/channels/{channel}/messages/{message}"
        mine = message + "/reactions/{emoji}/@me"
        return [
            route("GET", channel, self.get_channel),
            route("PATCH", channel, self.edit_thread, forms.EDITED_THREAD),
            route("POST", channel + "/typing", self.type),
            route(
                "GET", channel + "/messages", self.list_messages, query="limit before after around"
            ),
            route("POST", channel + "/messages", self.create, forms.NEW_MESSAGE, takes_files=True),
            route("GET", message, self.get_message),
            route("PATCH", message, self.edit, forms.JUST_A_LOOK, takes_files=True),
            route("DELETE", message, self.delete),
            route("PUT", mine, self.react),
            route("DELETE", mine, self.unreact),
            route("POST", message + "/threads", self.thread_from, forms.THREAD_FROM_MESSAGE),
            route(
                "POST",
                channel + "/threads",
                self.new_thread,
                takes_files=True,
                query="use_nested_fields",
            ),
            route("PUT", channel + "/thread-members/@me", self.join_thread),
            route("GET", "/guilds/{guild}", self.get_guild, query="with_counts"),
            route("GET", "/guilds/{guild}/channels", self.list_channels),
            route("GET", "/guilds/{guild}/threads/active", self.active_threads),
            route("GET", "/guilds/{guild}/members/{user}", self.get_member),
            route("GET", "/users/@me", self.get_me),
            route("POST", "/users/@me/channels", self.open_dm, forms.NEW_DM),
            route("GET", "/users/{user}", self.get_user),
        ]

    # Channels. -----------------------------------------------------------------------------

    def get_channel(self, call: Call) -> Answer:
        """Get Channel."""
        return 200, self._payloads.channel(self._channel(call))

    def edit_thread(self, call: Call) -> Answer:
        """Modify Channel, of a thread."""
        thread = self._channel(call)
        if thread.kind is not ChannelKind.THREAD:
            raise Refused(Why.WRONG_CHANNEL_TYPE)
        if thread.owner is not self._world.bot:
            self._need(thread, Permission.MANAGE_THREADS)
        thread.name = call.form.get("name", thread.name)
        thread.archived = call.form.get("archived", thread.archived)
        payload = self._payloads.channel(thread)
        self._gateway.dispatch("THREAD_UPDATE", payload, guild=thread.guild)
        return 200, payload

    def type(self, call: Call) -> Answer:
        """Trigger Typing Indicator."""
        channel = self._channel(call)
        self._need_send(channel)
        channel.typing.append(self._world.bot)
        return 204, None

    # Messages. -----------------------------------------------------------------------------

    def list_messages(self, call: Call) -> Answer:
        """Get Channel Messages, newest first."""
        channel = self._channel(call)
        limit = call.asked("limit", 50)
        if not 1 <= limit <= 100:
            words = "int value should be between 1 and 100."
            raise wrong(("limit",), "NUMBER_TYPE_MAX", words)
        if not channel.may(self._world.bot, Permission.READ_MESSAGE_HISTORY):
            return 200, []
        found = [m for m in channel.messages.values() if not m.ephemeral]
        found.sort(key=lambda message: message.id)
        if "after" in call.query:
            found = [m for m in found if m.id > call.asked("after", 0)][:limit]
        elif "around" in call.query:
            middle = call.asked("around", 0)
            older = [m for m in found if m.id <= middle][-(limit // 2 + 1) :]
            found = older + [m for m in found if m.id > middle][: limit - len(older)]
        elif "before" in call.query:
            found = [m for m in found if m.id < call.asked("before", 0)]
        return 200, [self._shown(message) for message in reversed(found[-limit:])]

    def get_message(self, call: Call) -> Answer:
        """Get Channel Message."""
        channel = self._channel(call)
        self._need(channel, Permission.READ_MESSAGE_HISTORY)
        return 200, self._shown(self._message(channel, call))

    def create(self, call: Call) -> Answer:
        """Create Message."""
        channel, form = self._channel(call), call.form
        if channel.kind is ChannelKind.FORUM:
            raise Refused(Why.NOT_A_TEXT_CHANNEL)
        self._need_send(channel)
        if channel.kind is ChannelKind.DM and not all(u.takes_dms for u in channel.recipients):
            raise Refused(Why.CANNOT_MESSAGE_USER)
        if call.uploads:
            self._need(channel, Permission.ATTACH_FILES)
        if form.get("embeds"):
            self._need(channel, Permission.EMBED_LINKS)
        reference = self._reference(channel, form.get("message_reference"))
        nonce = form.get("nonce")
        if nonce is not None and form.get("enforce_nonce"):
            there = self._writing.sent_with(nonce)
            if there is not None:
                return 200, self._shown(there)
        draft = self._writing.draft(channel, form, call.uploads, settable=SETTABLE)
        message = self._writing.send(channel, draft, reference=reference, nonce=nonce)
        return 200, self._shown(message)

    def edit(self, call: Call) -> Answer:
        """Edit Message."""
        channel = self._channel(call)
        message = self._message(channel, call)
        if message.author is not self._world.bot:
            raise Refused(Why.NOT_YOUR_MESSAGE)
        if channel.archived:
            raise Refused(Why.ARCHIVED_THREAD)
        if call.uploads:
            self._need(channel, Permission.ATTACH_FILES)
        draft = self._writing.draft(
            channel, call.form, call.uploads, settable=SETTABLE_IN_EDITS, current=message
        )
        self._writing.edit(message, draft)
        return 200, self._shown(message)

    def delete(self, call: Call) -> Answer:
        """Delete Message."""
        channel = self._channel(call)
        message = self._message(channel, call)
        if message.author is not self._world.bot:
            if channel.is_private:
                raise Refused(Why.NOT_IN_A_DM)
            self._need(channel, Permission.MANAGE_MESSAGES)
        self._writing.delete(message)
        return 204, None

    def react(self, call: Call) -> Answer:
        """Create Reaction."""
        channel = self._channel(call)
        message = self._message(channel, call)
        self._need(channel, Permission.READ_MESSAGE_HISTORY)
        emoji = unquote(call.names["emoji"])
        if emoji.isascii():
            raise Refused(Why.UNKNOWN_EMOJI)
        if emoji not in message.reactions:
            self._need(channel, Permission.ADD_REACTIONS)
            if len(message.reactions) == 20:
                raise Refused(Why.TOO_MANY_REACTIONS)
        users = message.reactions.setdefault(emoji, [])
        if self._world.bot not in users:
            users.append(self._world.bot)
        return 204, None

    def unreact(self, call: Call) -> Answer:
        """Delete Own Reaction."""
        message = self._message(self._channel(call), call)
        emoji = unquote(call.names["emoji"])
        users = message.reactions.get(emoji, [])
        if self._world.bot in users:
            users.remove(self._world.bot)
        if not users:
            message.reactions.pop(emoji, None)
        return 204, None

    # Threads. ------------------------------------------------------------------------------

    def thread_from(self, call: Call) -> Answer:
        """Start Thread from Message."""
        channel = self._channel(call)
        message = self._message(channel, call)
        if channel.kind is not ChannelKind.TEXT:
            raise Refused(Why.WRONG_CHANNEL_TYPE)
        self._need(channel, Permission.CREATE_PUBLIC_THREADS)
        if message.thread is not None:
            raise Refused(Why.THREAD_ALREADY_THERE)
        # "The id of the created thread will be the same as the id of the source message."
        message.thread = self._start(channel, call.form["name"], ident=message.id)
        return 201, self._payloads.channel(message.thread)

    def new_thread(self, call: Call) -> Answer:
        """Start Thread without Message, or Start Thread in Forum."""
        channel = self._channel(call)
        if channel.kind is ChannelKind.FORUM:
            forms.check(forms.NEW_POST, call.form)
            self._need(channel, Permission.SEND_MESSAGES)
            content = call.form["message"]
            draft = self._writing.draft(
                channel, content, call.uploads, settable=SETTABLE, at=("message",)
            )
            thread = self._start(channel, call.form["name"])
            message = self._writing.send(thread, draft)
            payload = self._payloads.channel(thread)
            return 201, {**payload, "message": self._shown(message)}
        forms.check(forms.NEW_THREAD, call.form)
        if channel.kind is not ChannelKind.TEXT:
            raise Refused(Why.WRONG_CHANNEL_TYPE)
        self._need(channel, Permission.CREATE_PUBLIC_THREADS)
        return 201, self._payloads.channel(self._start(channel, call.form["name"]))

    def join_thread(self, call: Call) -> Answer:
        """Join Thread."""
        thread = self._channel(call)
        if thread.kind is not ChannelKind.THREAD:
            raise Refused(Why.WRONG_CHANNEL_TYPE)
        if thread.archived:
            raise Refused(Why.ARCHIVED_THREAD)
        return 204, None

    def _start(self, channel: Channel, name: str, ident: int | None = None) -> Channel:
        forbidden = channel.guild.blocked_in_titles if channel.guild else ()
        if any(word in name.casefold() for word in forbidden):
            raise Refused(Why.TITLE_BLOCKED)
        thread = Channel(
            id=ident or self._world.new_id(),
            kind=ChannelKind.THREAD,
            name=name,
            guild=channel.guild,
            parent=channel,
            owner=self._world.bot,
        )
        self._world.channels[thread.id] = thread
        payload = {**self._payloads.channel(thread), "newly_created": True}
        self._gateway.dispatch("THREAD_CREATE", payload, guild=thread.guild)
        return thread

    # Servers and people. -------------------------------------------------------------------

    def get_guild(self, call: Call) -> Answer:
        """Get Guild."""
        return 200, self._payloads.guild(self._guild(call))

    def list_channels(self, call: Call) -> Answer:
        """Get Guild Channels."""
        guild = self._guild(call)
        here = [c for c in self._world.channels.values() if c.guild is guild and not c.deleted]
        return 200, [self._payloads.channel(c) for c in here if c.parent is None]

    def active_threads(self, call: Call) -> Answer:
        """List Active Guild Threads."""
        guild = self._guild(call)
        here = [c for c in self._world.channels.values() if c.guild is guild and c.parent]
        threads = [c for c in here if not c.archived and self._world.sees(c)]
        return 200, {"threads": [self._payloads.channel(c) for c in threads], "members": []}

    def get_member(self, call: Call) -> Answer:
        """Get Guild Member."""
        member = self._guild(call).members.get(call.number("user", Why.UNKNOWN_USER))
        if member is None:
            raise Refused(Why.UNKNOWN_MEMBER)
        return 200, self._payloads.member(member)

    def get_me(self, call: Call) -> Answer:
        """Get Current User."""
        del call
        return 200, {**self._payloads.user(self._world.bot), "verified": True, "mfa_enabled": True}

    def get_user(self, call: Call) -> Answer:
        """Get User."""
        user = self._world.users.get(call.number("user", Why.UNKNOWN_USER))
        if user is None:
            raise Refused(Why.UNKNOWN_USER)
        return 200, self._payloads.user(user)

    def open_dm(self, call: Call) -> Answer:
        """Create DM."""
        user = self._world.users.get(int(call.form["recipient_id"]))
        if user is None or user is self._world.bot:
            raise wrong(("recipient_id",), "INVALID_RECIPIENT", "Invalid Recipient(s)")
        return 200, self._payloads.channel(self._world.dm(user))

    # What most of them need. ---------------------------------------------------------------

    def _shown(self, message: Message) -> Json:
        # REST knows the intent by the switch in the developer portal.
        sees_all = Intent.MESSAGE_CONTENT in self._gateway.allowed_intents
        return self._payloads.message(message, sees_all=sees_all)

    def _channel(self, call: Call) -> Channel:
        channel = self._world.channels.get(call.number("channel", Why.UNKNOWN_CHANNEL))
        if channel is None or channel.deleted:
            raise Refused(Why.UNKNOWN_CHANNEL)
        if not self._world.sees(channel):
            raise Refused(Why.MISSING_ACCESS)
        return channel

    def _guild(self, call: Call) -> Guild:
        guild = self._world.guilds.get(call.number("guild", Why.UNKNOWN_GUILD))
        if guild is None or not self._world.has_bot(guild):
            raise Refused(Why.UNKNOWN_GUILD)
        return guild

    def _message(self, channel: Channel, call: Call) -> Message:
        message = channel.messages.get(call.number("message", Why.UNKNOWN_MESSAGE))
        if message is None or message.ephemeral:
            raise Refused(Why.UNKNOWN_MESSAGE)
        return message

    def _need(self, channel: Channel, permission: Permission) -> None:
        if not channel.may(self._world.bot, permission):
            raise Refused(Why.MISSING_PERMISSIONS)

    def _need_send(self, channel: Channel) -> None:
        if channel.kind is ChannelKind.THREAD:
            self._need(channel, Permission.SEND_MESSAGES_IN_THREADS)
            if channel.archived:
                # Sending unarchives a thread unless it is locked; none is locked here.
                channel.archived = False
        else:
            self._need(channel, Permission.SEND_MESSAGES)

    def _reference(self, channel: Channel, asked: Json | None) -> Json | None:
        if asked is None:
            return None
        if not channel.may(self._world.bot, Permission.READ_MESSAGE_HISTORY):
            raise Refused(Why.CANNOT_REPLY_WITHOUT_HISTORY)
        at = ("message_reference",)
        if int(asked.get("channel_id", channel.id)) != channel.id:
            words = "Cannot reply to a message in a different channel"
            raise wrong(at, "REPLIES_CANNOT_REFERENCE_OTHER_CHANNEL", words)
        target = channel.messages.get(int(asked["message_id"]))
        if target is None or target.ephemeral:
            if asked.get("fail_if_not_exists", True):
                raise wrong(at, "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
            return None
        return asked
