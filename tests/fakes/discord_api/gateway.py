"""The gateway: sessions that identify, get events, lose the line and resume."""

import asyncio
import contextlib
import json
import zlib
from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag

from aiohttp import WSMsgType, web

from tests.fakes.discord_api.payloads import Payloads
from tests.fakes.discord_api.refusals import Json
from tests.fakes.discord_api.world import Channel, ChannelKind, Guild, Message, World


class Op(IntEnum):
    """Gateway opcodes."""

    DISPATCH = 0
    HEARTBEAT = 1
    IDENTIFY = 2
    PRESENCE_UPDATE = 3
    VOICE_STATE_UPDATE = 4
    RESUME = 6
    RECONNECT = 7
    REQUEST_GUILD_MEMBERS = 8
    INVALID_SESSION = 9
    HELLO = 10
    HEARTBEAT_ACK = 11


WITH_DATA = {Op.IDENTIFY, Op.RESUME, Op.REQUEST_GUILD_MEMBERS}


class Close(IntEnum):
    """Gateway close codes."""

    UNKNOWN_ERROR = 4000
    UNKNOWN_OPCODE = 4001
    DECODE_ERROR = 4002
    NOT_AUTHENTICATED = 4003
    AUTHENTICATION_FAILED = 4004
    ALREADY_AUTHENTICATED = 4005
    INVALID_SEQUENCE = 4007
    SESSION_TIMED_OUT = 4009
    INVALID_SHARD = 4010
    SHARDING_REQUIRED = 4011
    INVALID_API_VERSION = 4012
    INVALID_INTENTS = 4013
    DISALLOWED_INTENTS = 4014


class Intent(IntFlag):
    """Which events a session wants."""

    GUILDS = 1 << 0
    GUILD_MEMBERS = 1 << 1
    GUILD_PRESENCES = 1 << 8
    GUILD_MESSAGES = 1 << 9
    GUILD_MESSAGE_REACTIONS = 1 << 10
    DIRECT_MESSAGES = 1 << 12
    DIRECT_MESSAGE_REACTIONS = 1 << 13
    MESSAGE_CONTENT = 1 << 15


NO_INTENT = Intent(0)
PRIVILEGED = Intent.GUILD_MEMBERS | Intent.GUILD_PRESENCES | Intent.MESSAGE_CONTENT
KNOWN_INTENTS = (1 << 26) - 1
#: A session that missed more than these cannot be resumed. Discord does not tell its number.
KEPT_EVENTS = 10_000


@dataclass(eq=False)
class Line:
    """One websocket, from the server's side. Frames go out in order, without waiting."""

    socket: web.WebSocketResponse
    compressor: "zlib._Compress | None"
    outbox: "asyncio.Queue[Json | int]" = field(default_factory=asyncio.Queue)
    #: False: nothing goes out any more, as on a dead line.
    alive: bool = True

    def send(self, payload: Json) -> None:
        """Send one frame soon."""
        self.outbox.put_nowait(payload)

    def close(self, code: int) -> None:
        """Close with *code* once all before it is out."""
        self.outbox.put_nowait(code)

    async def write(self) -> None:
        """Put the frames on the wire, until the line closes."""
        while True:
            frame = await self.outbox.get()
            if not self.alive:
                continue
            if isinstance(frame, int):
                await self.socket.close(code=frame)
                return
            text = json.dumps(frame)
            with contextlib.suppress(ConnectionResetError):
                if self.compressor is None:
                    await self.socket.send_str(text)
                else:
                    packed = self.compressor.compress(text.encode())
                    packed += self.compressor.flush(zlib.Z_SYNC_FLUSH)
                    await self.socket.send_bytes(packed)


@dataclass(eq=False)
class Session:
    """One identified bot (or shard of it), which outlives its line for a while."""

    id: str
    intents: Intent
    shard: tuple[int, int]
    line: Line | None
    sequence: int = 0
    #: What was sent last, for RESUME.
    log: deque[Json] = field(default_factory=lambda: deque(maxlen=KEPT_EVENTS))
    resumed: int = 0

    def dispatch(self, event: str, data: Json, *, keep: bool = True) -> bool:
        """Send an event, or keep it for when the line is back; whether it went out."""
        if self.line is None and not keep:
            return False
        self.sequence += 1
        frame = {"op": int(Op.DISPATCH), "t": event, "s": self.sequence, "d": data}
        self.log.append(frame)
        if self.line is None:
            return False
        self.line.send(frame)
        return True

    def minds(self, guild: Guild | None) -> bool:
        """Whether *guild* (None: DMs) belongs to this shard."""
        number, shards = self.shard
        return number == (0 if guild is None else (guild.id >> 22) % shards)


class Gateway:
    """All sessions of the bot, and what tests may do to them."""

    def __init__(self, world: World, payloads: Payloads) -> None:
        self._world = world
        self._payloads = payloads
        #: By session id.
        self.sessions: dict[str, Session] = {}
        #: Privileged intents that are switched on in the developer portal; a new app has none.
        self.allowed_intents = NO_INTENT
        self.heartbeat_interval_s = 41.25
        #: False: heartbeats are not acknowledged any more.
        self.acknowledges = True
        self.heartbeats = 0
        self.recommended_shards = 1
        self.url = ""
        self._lines: set[Line] = set()

    # What tests see and do. ----------------------------------------------------------------

    @property
    def application_flags(self) -> int:
        """What the portal's switches are called on an app that is not verified."""
        limited = {
            Intent.GUILD_PRESENCES: 1 << 13,
            Intent.GUILD_MEMBERS: 1 << 15,
            Intent.MESSAGE_CONTENT: 1 << 19,
        }
        return sum(flag for intent, flag in limited.items() if intent in self.allowed_intents)

    @property
    def connected(self) -> list[Session]:
        """The sessions that have a line now."""
        return [session for session in self.sessions.values() if session.line is not None]

    def asks_to_reconnect(self) -> None:
        """RECONNECT (op 7): "You should attempt to reconnect and resume immediately"."""
        for session in self.connected:
            self._to(session, {"op": int(Op.RECONNECT), "d": None})

    def invalidates_sessions(self, *, resumable: bool = False) -> None:
        """INVALID_SESSION (op 9): the bot must identify anew, or resume if *resumable*."""
        for session in self.connected:
            self._to(session, {"op": int(Op.INVALID_SESSION), "d": resumable})
            if not resumable:
                session.line = None
                del self.sessions[session.id]

    def closes(self, code: int = Close.UNKNOWN_ERROR) -> None:
        """Close every line with *code*; the sessions can be resumed."""
        for session in self.connected:
            if session.line is not None:
                session.line.close(code)
                session.line = None

    def goes_silent(self) -> None:
        """Every line of now is dead, without a word; what happens is kept for RESUME."""
        for session in self.connected:
            if session.line is not None:
                session.line.alive = False
                session.line = None

    def forgets_sessions(self) -> None:
        """No session can be resumed: a RESUME is answered by INVALID_SESSION."""
        self.closes()
        self.sessions.clear()

    # What the rest of the server tells. ----------------------------------------------------

    def dispatch(
        self,
        event: str,
        data: Json,
        *,
        guild: Guild | None = None,
        intent: Intent = NO_INTENT,
        keep: bool = True,
    ) -> bool:
        """Send an event to whom it concerns; whether it went out at once."""
        sent = False
        for session in list(self.sessions.values()):
            if session.minds(guild) and intent & ~session.intents == 0:
                sent |= session.dispatch(event, data, keep=keep)
        return sent

    def message(self, event: str, message: Message) -> None:
        """Tell that a message is new or was edited."""
        channel = message.channel
        if message.ephemeral or not self._world.sees(channel):
            return
        for session in list(self.sessions.values()):
            if self._wants(session, channel, Intent.GUILD_MESSAGES, Intent.DIRECT_MESSAGES):
                sees_all = Intent.MESSAGE_CONTENT in session.intents
                data = self._payloads.message_event(message, sees_all=sees_all)
                session.dispatch(event, data)

    def about(self, event: str, channel: Channel, data: Json) -> None:
        """Tell something else about a message in *channel*: it is gone, somebody reacted."""
        if not self._world.sees(channel):
            return
        if channel.guild is not None:
            data = {**data, "guild_id": str(channel.guild.id)}
        intents = (
            (Intent.GUILD_MESSAGE_REACTIONS, Intent.DIRECT_MESSAGE_REACTIONS)
            if "REACTION" in event
            else (Intent.GUILD_MESSAGES, Intent.DIRECT_MESSAGES)
        )
        for session in list(self.sessions.values()):
            if self._wants(session, channel, *intents):
                session.dispatch(event, data)

    def _wants(self, session: Session, channel: Channel, guild: Intent, direct: Intent) -> bool:
        wanted = direct if channel.kind is ChannelKind.DM else guild
        return session.minds(channel.guild) and wanted in session.intents

    # The line itself. ----------------------------------------------------------------------

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """One websocket, from HELLO to close."""
        socket = web.WebSocketResponse(max_msg_size=4096)
        await socket.prepare(request)
        # zstd-stream is for newer Pythons; the client reads plain text under it as well.
        compressed = request.query.get("compress") == "zlib-stream"
        line = Line(socket, zlib.compressobj() if compressed else None)
        writer = asyncio.create_task(line.write())
        self._lines.add(line)
        try:
            if request.query.get("v") != "10":
                line.close(Close.INVALID_API_VERSION)
            else:
                interval_ms = int(self.heartbeat_interval_s * 1000)
                hello = {"heartbeat_interval": interval_ms}
                line.send({"op": int(Op.HELLO), "d": hello, "s": None, "t": None})
            await self._listen(line)
        finally:
            self._lines.discard(line)
            for session in self.sessions.values():
                if session.line is line:
                    session.line = None
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionResetError):
                await writer
        return socket

    async def close(self) -> None:
        """Close every line, for good."""
        for line in list(self._lines):
            await line.socket.close(code=1001)

    async def _listen(self, line: Line) -> None:
        session: Session | None = None
        while True:
            try:
                # A client that misses heartbeats for twice the interval is gone.
                async with asyncio.timeout(2 * self.heartbeat_interval_s):
                    message = await line.socket.receive()
            except TimeoutError:
                line.close(Close.SESSION_TIMED_OUT)
                continue
            if message.type is not WSMsgType.TEXT:
                return
            try:
                frame: Json = json.loads(message.data)
                op = Op(frame["op"])
                data: Json = dict(frame["d"] or {}) if op in WITH_DATA else {}
            except (ValueError, KeyError, TypeError):
                line.close(Close.DECODE_ERROR)
                continue
            if not line.alive:
                continue
            if op is Op.HEARTBEAT:
                self.heartbeats += 1
                if self.acknowledges:
                    line.send({"op": int(Op.HEARTBEAT_ACK), "d": None})
            elif op in (Op.IDENTIFY, Op.RESUME) and session is not None:
                line.close(Close.ALREADY_AUTHENTICATED)
            elif op is Op.IDENTIFY:
                session = self._identify(line, data)
            elif op is Op.RESUME:
                session = self._resume(line, data)
            elif op not in (Op.PRESENCE_UPDATE, Op.VOICE_STATE_UPDATE, Op.REQUEST_GUILD_MEMBERS):
                line.close(Close.UNKNOWN_OPCODE)
            elif session is None:
                line.close(Close.NOT_AUTHENTICATED)
            elif op is Op.REQUEST_GUILD_MEMBERS:
                self._members(session, data)

    def _identify(self, line: Line, asked: Json) -> Session | None:
        refused = self._refuse_identify(asked)
        if refused is not None:
            line.close(refused)
            return None
        number, shards = asked.get("shard", [0, 1])
        session = Session(
            id=f"{self._world.new_id():x}",
            intents=Intent(asked["intents"]),
            shard=(number, shards),
            line=line,
        )
        self.sessions[session.id] = session
        mine = [guild for guild in self._world.guilds.values() if session.minds(guild)]
        guilds = [guild for guild in mine if self._world.has_bot(guild)]
        ready = {
            "v": 10,
            "user": self._payloads.user(self._world.bot) | {"verified": True, "mfa_enabled": True},
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "shard": [number, shards],
            "application": {
                "id": str(self._world.application_id),
                "flags": self.application_flags,
            },
        }
        session.dispatch("READY", ready)
        if Intent.GUILDS in session.intents:
            everybody = Intent.GUILD_MEMBERS in session.intents
            for guild in guilds:
                data = self._payloads.guild_create(guild, all_members=everybody)
                session.dispatch("GUILD_CREATE", data)
        return session

    def _refuse_identify(self, asked: Json) -> Close | None:
        number, shards = asked.get("shard", [0, 1])
        intents = asked.get("intents")
        if asked.get("token") != self._world.token:
            return Close.AUTHENTICATION_FAILED
        if not 0 <= number < shards:
            return Close.INVALID_SHARD
        if not isinstance(intents, int) or intents & ~KNOWN_INTENTS:
            return Close.INVALID_INTENTS
        if Intent(intents) & PRIVILEGED & ~self.allowed_intents:
            return Close.DISALLOWED_INTENTS
        return None

    def _resume(self, line: Line, asked: Json) -> Session | None:
        if asked.get("token") != self._world.token:
            line.close(Close.AUTHENTICATION_FAILED)
            return None
        session = self.sessions.get(asked.get("session_id") or "")
        if session is None or asked["seq"] < session.log[0]["s"] - 1:
            line.send({"op": int(Op.INVALID_SESSION), "d": False})
            return None
        if asked["seq"] > session.sequence:
            line.close(Close.INVALID_SEQUENCE)
            return None
        session.line = line
        for frame in session.log:
            if frame["s"] > asked["seq"]:
                line.send(frame)
        session.resumed += 1
        session.dispatch("RESUMED", {})
        return session

    def _members(self, session: Session, asked: Json) -> None:
        guild = self._world.guilds[int(asked["guild_id"])]
        wanted = {int(ident) for ident in asked.get("user_ids", [])}
        prefix = asked.get("query", "")
        found = [
            self._payloads.member(member)
            for member in guild.members.values()
            if (member.user.id in wanted if wanted else member.user.name.startswith(prefix))
        ]
        data: Json = {
            "guild_id": str(guild.id),
            "members": found[: asked.get("limit") or None],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [],
        }
        if "nonce" in asked:
            data["nonce"] = asked["nonce"]
        session.dispatch("GUILD_MEMBERS_CHUNK", data)

    def _to(self, session: Session, frame: Json) -> None:
        if session.line is not None:
            session.line.send(frame)
