"""What is true on this Discord: people, servers, channels, messages, interactions.

Plain data that tests read freely. Nothing here knows HTTP, websockets or JSON forms.
"""

import base64
import itertools
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from tests.fakes.discord_api.refusals import Json

#: Discord counts from the first second of 2015.
EPOCH_MS = 1_420_070_400_000
MIB = 1024 * 1024
#: Bytes per file by a server's boost tier.
FILE_LIMITS = {0: 10 * MIB, 1: 10 * MIB, 2: 50 * MIB, 3: 100 * MIB}
#: "You must send an initial response within 3 seconds of receiving the event."
ANSWER_WITHIN_S = 3.0
#: "Interaction tokens are valid for 15 minutes."
TOKEN_LASTS_S = 900.0
#: `enforce_nonce` looks back "the past few minutes"; a short guess is the strict one.
NONCE_WINDOW_S = 180.0
#: Links to attachments expire (`ex` in the address).
LINK_LASTS_S = 86_400.0


class ChannelKind(IntEnum):
    """The types of channel that exist here."""

    TEXT = 0
    DM = 1
    VOICE = 2
    GROUP_DM = 3
    THREAD = 11
    FORUM = 15


class MessageFlag(IntFlag):
    """The flags of a message that are read here."""

    SUPPRESS_EMBEDS = 1 << 2
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    COMPONENTS_V2 = 1 << 15


NO_FLAGS = MessageFlag(0)


class Permission(IntFlag):
    """The permissions that are asked for here."""

    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    SEND_MESSAGES_IN_THREADS = 1 << 38
    USE_EXTERNAL_APPS = 1 << 50


NO_PERMISSIONS = Permission(0)
ALL_PERMISSIONS = Permission((1 << 53) - 1)
#: What `@everyone` may in a new server.
USUAL_PERMISSIONS = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.ADD_REACTIONS
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.USE_EXTERNAL_APPS
)


class Clock:
    """The server's time: the real one, plus what a test has skipped."""

    def __init__(self) -> None:
        self._skipped_s = 0.0

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self._skipped_s

    def advance(self, seconds: float) -> None:
        """Let *seconds* pass at once."""
        self._skipped_s += seconds


@dataclass(eq=False, kw_only=True)
class User:
    """A person or a bot."""

    id: int
    name: str
    bot: bool = False
    #: The language of the person's own Discord.
    locale: str = "en-US"
    #: The app is installed to this account and travels with it everywhere.
    has_installed_app: bool = False
    #: False: "Cannot send messages to this user".
    takes_dms: bool = True

    @property
    def mention(self) -> str:
        """How a message names this user."""
        return f"<@{self.id}>"

    def __repr__(self) -> str:
        return f"<{self.name}>"


@dataclass(eq=False, kw_only=True)
class Role:
    """A role of a server; the one with the server's id is `@everyone`."""

    id: int
    name: str
    permissions: Permission = NO_PERMISSIONS

    @property
    def mention(self) -> str:
        """How a message names this role."""
        return f"<@&{self.id}>"


@dataclass(eq=False, kw_only=True)
class Member:
    """Somebody in a server."""

    user: User
    joined_at: float
    roles: list[Role] = field(default_factory=list)
    nick: str | None = None


@dataclass(eq=False, kw_only=True)
class Guild:
    """A server."""

    id: int
    name: str
    owner: User
    preferred_locale: str = "en-US"
    premium_tier: int = 0
    roles: dict[int, Role] = field(default_factory=dict)
    members: dict[int, Member] = field(default_factory=dict)
    #: AutoMod: a message with one of these words is refused.
    blocked_words: set[str] = field(default_factory=set)
    #: The same for the titles of threads.
    blocked_in_titles: set[str] = field(default_factory=set)

    @property
    def everyone(self) -> Role:
        """The role that everybody has."""
        return self.roles[self.id]

    def __repr__(self) -> str:
        return f"<server {self.name}>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Overwrite:
    """What one role or member may more, or less, in one channel."""

    allow: Permission = NO_PERMISSIONS
    deny: Permission = NO_PERMISSIONS


@dataclass(eq=False, kw_only=True)
class Channel:
    """Where messages are: a channel, a thread, a forum post, the chat of a voice channel, a DM."""

    id: int
    kind: ChannelKind
    name: str
    guild: Guild | None = None
    #: Of a thread or a forum post.
    parent: "Channel | None" = None
    #: Who is in a DM or group DM.
    recipients: list[User] = field(default_factory=list)
    owner: User | None = None
    nsfw: bool = False
    archived: bool = False
    deleted: bool = False
    #: By the id of a role or of a user.
    overwrites: dict[int, Overwrite] = field(default_factory=dict)
    messages: dict[int, "Message"] = field(default_factory=dict)
    #: Who was shown "is typing", once per call.
    typing: list[User] = field(default_factory=list)

    @property
    def file_limit(self) -> int:
        """Bytes that one file may have here."""
        return FILE_LIMITS[self.guild.premium_tier if self.guild else 0]

    @property
    def is_private(self) -> bool:
        """Whether it is a DM or a group DM."""
        return self.guild is None

    def seen_by(self, person: User) -> list["Message"]:
        """The messages that *person* sees here now, oldest first."""
        if self.deleted or not self.may(person, Permission.VIEW_CHANNEL):
            return []
        everything = sorted(self.messages.values(), key=lambda message: message.id)
        return [message for message in everything if message.only_for in (None, person)]

    def may(self, user: User, wanted: Permission) -> bool:
        """Whether *user* has all of *wanted* here."""
        return not wanted & ~self.permissions_of(user)

    def permissions_of(self, user: User) -> Permission:
        """What *user* may here, as the documentation computes it."""
        if self.guild is None:
            return USUAL_PERMISSIONS if user in self.recipients else NO_PERMISSIONS
        member = self.guild.members.get(user.id)
        if member is None:
            return NO_PERMISSIONS
        if user is self.guild.owner:
            return ALL_PERMISSIONS
        allowed = self.guild.everyone.permissions
        for role in member.roles:
            allowed |= role.permissions
        if Permission.ADMINISTRATOR in allowed:
            return ALL_PERMISSIONS
        overwrites = (self.parent or self).overwrites
        nothing = Overwrite()
        everyone = overwrites.get(self.guild.id, nothing)
        allowed = allowed & ~everyone.deny | everyone.allow
        of_roles = [overwrites.get(role.id, nothing) for role in member.roles]
        for overwrite in of_roles:
            allowed &= ~overwrite.deny
        for overwrite in of_roles:
            allowed |= overwrite.allow
        own = overwrites.get(user.id, nothing)
        return allowed & ~own.deny | own.allow

    def __repr__(self) -> str:
        return f"<{self.kind.name.lower()} {self.name}>"


@dataclass(eq=False, kw_only=True)
class Attachment:
    """A file on the CDN."""

    id: int
    filename: str
    data: bytes
    content_type: str
    #: The path on the CDN.
    path: str
    #: Width and height, of a picture.
    size_px: tuple[int, int] | None = None
    description: str | None = None
    spoiler: bool = False

    @property
    def is_spoiler(self) -> bool:
        """Whether it is hidden until it is tapped."""
        return self.spoiler or self.filename.startswith("SPOILER_")

    def __repr__(self) -> str:
        return f"<{self.filename}, {len(self.data)} bytes>"


@dataclass(frozen=True, kw_only=True)
class Look:
    """What a message showed at one time."""

    content: str = ""
    embeds: tuple[Json, ...] = ()
    components: tuple[Json, ...] = ()
    attachments: tuple[Attachment, ...] = ()


@dataclass(eq=False, kw_only=True)
class Message:
    """A message, as it is now and as it was before each edit."""

    id: int
    channel: Channel
    author: User
    look: Look
    sent_at: float
    flags: MessageFlag = NO_FLAGS
    edited_at: float | None = None
    before: list[Look] = field(default_factory=list)
    reply_to: "Message | None" = None
    #: As it was sent; the message itself may be gone.
    reference: Json | None = None
    #: The interaction that it answers.
    interaction: "Interaction | None" = None
    #: The one person who sees it (ephemeral); None is everybody.
    only_for: User | None = None
    nonce: str | None = None
    #: Who is mentioned in it, as the API lists them.
    mentions: list[User] = field(default_factory=list)
    #: Whose phone rang by a mention or a reply.
    pinged: set[User] = field(default_factory=set)
    pinged_roles: set[Role] = field(default_factory=set)
    pinged_everyone: bool = False
    reactions: dict[str, list[User]] = field(default_factory=dict)
    thread: Channel | None = None

    @property
    def content(self) -> str:
        """Its text."""
        return self.look.content

    @property
    def embeds(self) -> tuple[Json, ...]:
        """Its embeds, as the API shows them."""
        return self.look.embeds

    @property
    def components(self) -> tuple[Json, ...]:
        """Its components, as the API shows them."""
        return self.look.components

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """Its files."""
        return self.look.attachments

    @property
    def visible_files(self) -> list[Attachment]:
        """The files that a person sees: a layout shows only those that a part of it names."""
        if MessageFlag.COMPONENTS_V2 not in self.flags:
            return list(self.attachments)
        parts = list(walk(self.components))
        media = [item["media"] for part in parts for item in part.get("items", [])]
        media += [part[name] for name in ("media", "file") for part in parts if name in part]
        named = {item.get("attachment_id") for item in media}
        return [file for file in self.attachments if str(file.id) in named]

    @property
    def ephemeral(self) -> bool:
        """Whether one person sees it only."""
        return self.only_for is not None

    @property
    def loading(self) -> bool:
        """Whether it still says "… is thinking"."""
        return MessageFlag.LOADING in self.flags

    @property
    def silent(self) -> bool:
        """Whether it was sent without a notification."""
        return MessageFlag.SUPPRESS_NOTIFICATIONS in self.flags

    @property
    def deleted(self) -> bool:
        """Whether it is gone."""
        return self.channel.deleted or self.id not in self.channel.messages

    @property
    def text(self) -> str:
        """All words that a person reads in it, also those in components and embeds."""
        parts = [self.content]
        for embed in self.embeds:
            parts += [embed.get("title", ""), embed.get("description", "")]
            parts += [f"{row['name']}\n{row['value']}" for row in embed.get("fields", [])]
        parts += [part["content"] for part in walk(self.components) if part["type"] == 10]
        return "\n".join(part for part in parts if part)

    @property
    def buttons(self) -> list[Json]:
        """Its buttons, in order."""
        return [part for part in walk(self.components) if part["type"] == 2]

    def __repr__(self) -> str:
        return f"<message {self.text!r} {list(self.attachments) or ''}>"


class InteractionKind(IntEnum):
    """What a person did."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL_SUBMIT = 5


@dataclass(eq=False, kw_only=True)
class Interaction:
    """Something that a person did with the app, and what became of it."""

    id: int
    kind: InteractionKind
    token: str
    user: User
    channel: Channel
    data: Json
    #: Who installed the app: "0" a server, "1" a person.
    owners: Json
    locale: str
    created_at: float
    #: The message whose button was pressed.
    message: Message | None = None
    #: The type of the first answer; None while there is none.
    answered_by: int | None = None
    reply: Message | None = None
    followups: list[Message] = field(default_factory=list)
    #: How many follow-ups were sent, also those deleted since.
    followups_sent: int = 0
    #: What was suggested to somebody who types.
    choices: list[Json] | None = None
    #: The form that was opened.
    modal: Json | None = None
    #: It reached a bot.
    delivered: bool = False

    @property
    def answered(self) -> bool:
        """Whether the app acknowledged it in time; if not: "The application did not respond"."""
        return self.answered_by is not None

    @property
    def user_installed_only(self) -> bool:
        """Whether the app is here only through the person who uses it."""
        return "0" not in self.owners


@dataclass(eq=False, kw_only=True)
class Sku:
    """Something that can be bought. Type 2 durable, 3 consumable, 5 subscription."""

    id: int
    name: str
    type: int = 5


@dataclass(eq=False, kw_only=True)
class Entitlement:
    """Something that was bought."""

    id: int
    sku: Sku
    user: User | None
    guild: Guild | None = None
    consumed: bool = False
    deleted: bool = False
    starts_at: float | None = None
    ends_at: float | None = None
    #: 8 is a subscription or purchase in the app, 4 a test purchase.
    type: int = 8


@dataclass(eq=False, kw_only=True)
class World:
    """All of it."""

    bot: User
    clock: Clock = field(default_factory=Clock)
    #: Where files are served from; known once the server listens.
    cdn: str = ""
    users: dict[int, User] = field(default_factory=dict)
    guilds: dict[int, Guild] = field(default_factory=dict)
    channels: dict[int, Channel] = field(default_factory=dict)
    #: By their path on the CDN.
    files: dict[str, Attachment] = field(default_factory=dict)
    #: By their token.
    interactions: dict[str, Interaction] = field(default_factory=dict)
    #: By server; None holds the global ones.
    commands: dict[int | None, list[Json]] = field(default_factory=dict)
    skus: dict[int, Sku] = field(default_factory=dict)
    entitlements: dict[int, Entitlement] = field(default_factory=dict)
    #: The bot's last messages, for `enforce_nonce`.
    recent: deque[Message] = field(default_factory=lambda: deque(maxlen=1000))
    _count: Iterator[int] = field(default_factory=itertools.count)

    @property
    def token(self) -> str:
        """The bot's token: its id in base64 first, as all of them."""
        return base64.b64encode(str(self.bot.id).encode()).decode() + ".fake.for-tests"

    @property
    def application_id(self) -> int:
        """The app's id is its bot's, as for every app made since 2016."""
        return self.bot.id

    def new_id(self) -> int:
        """A snowflake: time first, so that ids sort by it."""
        since_ms = int(self.clock.now() * 1000) - EPOCH_MS
        return since_ms << 22 | next(self._count) % (1 << 22)

    def dm(self, user: User) -> Channel:
        """The DM between the bot and *user*."""
        for channel in self.channels.values():
            if channel.kind is ChannelKind.DM and set(channel.recipients) == {self.bot, user}:
                return channel
        channel = Channel(
            id=self.new_id(), kind=ChannelKind.DM, name=user.name, recipients=[self.bot, user]
        )
        self.channels[channel.id] = channel
        return channel

    def has_bot(self, guild: Guild) -> bool:
        """Whether the bot is a member of *guild*."""
        return self.bot.id in guild.members

    def sees(self, channel: Channel) -> bool:
        """Whether the bot is where *channel* is and may look into it."""
        return not channel.deleted and channel.may(self.bot, Permission.VIEW_CHANNEL)


def walk(components: Sequence[Json]) -> Iterator[Json]:
    """Every component, parents before children."""
    for part in components:
        yield part
        yield from walk(part.get("components", []))
        yield from walk([part[name] for name in ("accessory", "component") if name in part])
