"""Discord on loopback: REST, gateway and files on one port, and the world behind them."""

import asyncio
import hashlib
import json
import re
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from aiohttp import BodyPartReader, web

from tests.fakes.discord_api import forms
from tests.fakes.discord_api.applications import ApplicationCalls
from tests.fakes.discord_api.calls import (
    Answer,
    Bucket,
    Call,
    Fault,
    Route,
    Trouble,
    Upload,
    rate_limited,
)
from tests.fakes.discord_api.channels import ChannelCalls
from tests.fakes.discord_api.gateway import Gateway, Intent
from tests.fakes.discord_api.interactions import InteractionCalls
from tests.fakes.discord_api.payloads import Payloads
from tests.fakes.discord_api.people import Person
from tests.fakes.discord_api.refusals import Json, Problems, Refused, Why, wrong
from tests.fakes.discord_api.world import (
    MIB,
    USUAL_PERMISSIONS,
    Channel,
    ChannelKind,
    Clock,
    Entitlement,
    Guild,
    Member,
    Permission,
    Role,
    Sku,
    User,
    World,
)
from tests.fakes.discord_api.writing import Writing

API = "/api/v10"


class DiscordServer:
    """A strict Discord for one bot; see the package for how to use it."""

    def __init__(self) -> None:
        clock = Clock()
        bot = User(id=1_000_000_000_000_000_001, name="vivant", bot=True)
        self.world = World(bot=bot, clock=clock)
        self.world.users[bot.id] = bot
        self.payloads = Payloads(self.world)
        self.gateway = Gateway(self.world, self.payloads)
        self.writing = Writing(self.world, self.payloads, self.gateway)
        #: Every REST call, in order.
        self.calls: list[Call] = []
        #: What goes wrong next, the first that fits a call hits it.
        self.faults: list[Fault] = []
        self.buckets: list[Bucket] = []
        #: A mistake of this server itself; the test that met it fails by it.
        self.broken: Exception | None = None
        self._routes = [
            (re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", route.path)), route)
            for route in (
                *ChannelCalls(self.world, self.payloads, self.gateway, self.writing).routes(),
                *InteractionCalls(self.world, self.payloads, self.writing).routes(),
                *ApplicationCalls(self.world, self.payloads, self.gateway).routes(),
            )
        ]
        self._runner: web.AppRunner | None = None
        self.origin = ""

    # Its life. -----------------------------------------------------------------------------

    async def start(self, port: int = 0, *more: Callable[[web.Application], None]) -> None:
        """Listen on loopback; port 0 takes a free one. *more* may add routes of their own."""
        # The limit that counts is the channel's, and is told in Discord's own words.
        app = web.Application(client_max_size=1024 * MIB)
        app.router.add_get("/gateway", self.gateway.serve)
        # `/gateway/?v=10`: the client keeps the path of the address that it was told.
        app.router.add_get("/gateway/", self.gateway.serve)
        app.router.add_route("*", API + "/{path:.*}", self._serve)
        app.router.add_get("/{path:(?:ephemeral-)?attachments/.*}", self._serve_file)
        for add in more:
            add(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        port = self._runner.addresses[0][1]
        self.origin = f"http://127.0.0.1:{port}"
        self.gateway.url = f"ws://127.0.0.1:{port}/gateway"
        self.world.cdn = self.origin

    async def close(self) -> None:
        """Close every line and stop listening."""
        await self.gateway.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()
        if self.broken is not None and error is None:
            raise self.broken

    async def until(self, holds: Callable[[], object], *, within_s: float = 10.0) -> None:
        """Wait until *holds()* is true; if it never is, say what was called last."""
        deadline = time.monotonic() + within_s
        while not holds():
            if self.broken is not None:
                raise self.broken
            if time.monotonic() > deadline:
                last = "\n".join(
                    f"  {call.method} {call.path} -> {call.status} {call.answer!r:.300}"
                    for call in self.calls[-8:]
                )
                raise AssertionError(f"Not within {within_s:g} s. The last calls:\n{last}")
            await asyncio.sleep(0.005)

    # What tests read. ----------------------------------------------------------------------

    @property
    def port(self) -> int:
        """Where it listens; after `close`, `start` takes it again."""
        return int(self.origin.rpartition(":")[2])

    @property
    def api_url(self) -> str:
        """For `VIVANT_DISCORD_API_URL`."""
        return self.origin + API

    @property
    def token(self) -> str:
        """For `VIVANT_DISCORD_TOKEN`."""
        return self.world.token

    @property
    def bot(self) -> User:
        """The bot's user."""
        return self.world.bot

    @property
    def clock(self) -> Clock:
        """The server's time, which tests may advance."""
        return self.world.clock

    @property
    def refused(self) -> list[Call]:
        """The calls that were answered by a 4xx: usually a mistake of the bot."""
        return [call for call in self.calls if call.status and 400 <= call.status < 500]

    @property
    def is_ready(self) -> bool:
        """Whether a bot is connected to the gateway."""
        return bool(self.gateway.connected)

    def calls_to(self, method: str, route: str) -> list[Call]:
        """The calls of one route, named as in the documentation: `/channels/{channel}`."""
        return [call for call in self.calls if (call.method, call.route) == (method, route)]

    # What tests set up. --------------------------------------------------------------------

    def person(
        self,
        name: str,
        *,
        locale: str = "en-US",
        has_installed_app: bool = False,
        takes_dms: bool = True,
    ) -> Person:
        """Somebody new on Discord, whose own app speaks *locale*."""
        if locale not in forms.LOCALES:
            raise ValueError(f"{locale!r} is none of Discord's languages")
        person = Person(
            id=self.world.new_id(),
            name=name,
            locale=locale,
            has_installed_app=has_installed_app,
            takes_dms=takes_dms,
            world=self.world,
            payloads=self.payloads,
            writing=self.writing,
            gateway=self.gateway,
        )
        self.world.users[person.id] = person
        return person

    def guild(
        self,
        name: str,
        *people: User,
        owner: User | None = None,
        locale: str = "en-US",
        premium_tier: int = 0,
        with_bot: bool = True,
    ) -> Guild:
        """A new server with *people* (and the bot) in it."""
        ident = self.world.new_id()
        guild = Guild(
            id=ident,
            name=name,
            owner=owner or self.person(f"owner of {name}"),
            preferred_locale=locale,
            premium_tier=premium_tier,
        )
        guild.roles[ident] = Role(id=ident, name="@everyone", permissions=USUAL_PERMISSIONS)
        self.world.guilds[ident] = guild
        for user in (guild.owner, *people, *([self.bot] if with_bot else [])):
            self.joins(guild, user)
        return guild

    def joins(self, guild: Guild, user: User, *roles: Role) -> None:
        """Let somebody into a server."""
        member = Member(user=user, joined_at=self.clock.now(), roles=list(roles))
        guild.members[user.id] = member
        if user is self.bot:
            self.gateway.dispatch(
                "GUILD_CREATE",
                self.payloads.guild_create(guild, all_members=False),
                guild=guild,
                intent=Intent.GUILDS,
            )
        elif self.world.has_bot(guild):
            data = {**self.payloads.member(member), "guild_id": str(guild.id)}
            self.gateway.dispatch(
                "GUILD_MEMBER_ADD", data, guild=guild, intent=Intent.GUILD_MEMBERS
            )

    def removes_bot(self, guild: Guild) -> None:
        """Kick the bot out of a server."""
        del guild.members[self.bot.id]
        data = {"id": str(guild.id)}
        self.gateway.dispatch("GUILD_DELETE", data, guild=guild, intent=Intent.GUILDS)

    def role(self, guild: Guild, name: str, permissions: Permission, *members: User) -> Role:
        """A new role, given to *members*."""
        role = Role(id=self.world.new_id(), name=name, permissions=permissions)
        guild.roles[role.id] = role
        for user in members:
            guild.members[user.id].roles.append(role)
        if self.world.has_bot(guild):
            self.gateway.dispatch(
                "GUILD_ROLE_CREATE",
                {"guild_id": str(guild.id), "role": self.payloads.role(role)},
                guild=guild,
                intent=Intent.GUILDS,
            )
        return role

    def channel(
        self,
        guild: Guild,
        name: str,
        kind: ChannelKind = ChannelKind.TEXT,
        *,
        nsfw: bool = False,
    ) -> Channel:
        """A new channel: text, voice (with its chat) or forum."""
        channel = Channel(id=self.world.new_id(), kind=kind, name=name, guild=guild, nsfw=nsfw)
        return self._opened(channel, "CHANNEL_CREATE")

    def thread(self, parent: Channel, name: str, owner: User | None = None) -> Channel:
        """A new thread of a text channel, or a post of a forum."""
        thread = Channel(
            id=self.world.new_id(),
            kind=ChannelKind.THREAD,
            name=name,
            guild=parent.guild,
            parent=parent,
            owner=owner,
        )
        return self._opened(thread, "THREAD_CREATE")

    def group_dm(self, *people: User) -> Channel:
        """A group DM; bots are never in one."""
        channel = Channel(
            id=self.world.new_id(),
            kind=ChannelKind.GROUP_DM,
            name=", ".join(person.name for person in people),
            recipients=list(people),
        )
        self.world.channels[channel.id] = channel
        return channel

    def dm(self, person: User) -> Channel:
        """The DM between *person* and the bot."""
        return self.world.dm(person)

    def deletes(self, channel: Channel) -> None:
        """Delete a channel or thread, and all in it."""
        event = "THREAD_DELETE" if channel.parent else "CHANNEL_DELETE"
        payload = self.payloads.channel(channel)
        seen = self.world.sees(channel)
        channel.deleted = True
        if seen:
            self.gateway.dispatch(event, payload, guild=channel.guild, intent=Intent.GUILDS)

    def sku(self, name: str, type_: int = 5) -> Sku:
        """Something to sell."""
        sku = Sku(id=self.world.new_id(), name=name, type=type_)
        self.world.skus[sku.id] = sku
        return sku

    def refunds(self, bought: Entitlement) -> None:
        """Give somebody their money back."""
        bought.deleted = True
        self.gateway.dispatch("ENTITLEMENT_DELETE", self.payloads.entitlement(bought))

    def fails(
        self,
        trouble: Trouble,
        method: str = "*",
        route: str = "*",
        *,
        times: int = 1,
        status: int = 500,
        retry_after_s: float = 1.0,
        delay_s: float = 0.0,
    ) -> Fault:
        """Let the next calls that fit go wrong; see `Trouble`."""
        fault = Fault(
            trouble=trouble,
            method=method,
            route=route,
            times=times,
            status=status,
            retry_after_s=retry_after_s,
            delay_s=delay_s,
        )
        self.faults.append(fault)
        return fault

    def limits(self, method: str, route: str, *, calls: int, per_s: float) -> Bucket:
        """Limit a route, as Discord does: told in headers, enforced by 429."""
        bucket = Bucket(method=method, route=route, calls=calls, per_s=per_s)
        self.buckets.append(bucket)
        return bucket

    def _opened(self, channel: Channel, event: str) -> Channel:
        self.world.channels[channel.id] = channel
        if self.world.sees(channel):
            payload = self.payloads.channel(channel)
            self.gateway.dispatch(event, payload, guild=channel.guild, intent=Intent.GUILDS)
        return channel

    # REST. ---------------------------------------------------------------------------------

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        # `raw_path`: an emoji in a path stays quoted until its call unquotes it.
        path = request.raw_path.partition("?")[0].removeprefix(API)
        try:
            route, names = self._route(request.method, path)
        except Refused as refused:
            call = self._heard(request, path, path, {})
            return self._reply(call, refused.status, refused.body(), {})
        call = self._heard(request, route.path, path, names)
        fault = self._fault(request.method, route.path)
        if fault is not None:
            early = self._early(call, request, fault)
            if early is not None:
                return early
        headers, allowed = self._spend(call)
        if not allowed:
            body = rate_limited(float(headers["X-RateLimit-Reset-After"]), everywhere=False)
            return self._reply(call, 429, body, headers)
        try:
            self._check_right(route, request)
            self._check_query(route, request)
            call.form, call.uploads = await self._body(route, request)
            status, body = self._answer(route, call)
        except Refused as refused:
            status, body = refused.status, refused.body()
        if fault is not None and fault.trouble is Trouble.LOSES_ANSWER:
            return self._break(request)
        if fault is not None and fault.trouble is Trouble.DELAY:
            await asyncio.sleep(fault.delay_s)
        return self._reply(call, status, body, headers)

    def _answer(self, route: Route, call: Call) -> Answer:
        """Do what the call asks for: at once, with nothing else in between."""
        try:
            answer = route.answer(call)
        except Refused:
            raise
        except Exception as exc:
            self.broken = exc
            raise
        call.applied = True
        return answer

    def _heard(self, request: web.Request, route: str, path: str, names: dict[str, str]) -> Call:
        call = Call(
            method=request.method,
            route=route,
            path=path,
            names=names,
            query=dict(request.query),
            headers=dict(request.headers),
            at=time.monotonic(),
        )
        self.calls.append(call)
        return call

    def _route(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        elsewhere = False
        for pattern, route in self._routes:
            found = pattern.fullmatch(path)
            if found is not None and route.method == method:
                return route, found.groupdict()
            elsewhere = elsewhere or found is not None
        raise Refused(Why.METHOD_NOT_ALLOWED if elsewhere else Why.NOT_FOUND)

    def _fault(self, method: str, path: str) -> Fault | None:
        return next((fault for fault in self.faults if fault.takes(method, path)), None)

    def _early(self, call: Call, request: web.Request, fault: Fault) -> web.Response | None:
        """The answer of a fault that keeps the call from being done."""
        match fault.trouble:
            case Trouble.LOSES_CALL:
                return self._break(request)
            case Trouble.STATUS:
                body = {"message": f"{fault.status}: Server Error", "code": 0}
                return self._reply(call, fault.status, body, {})
            case Trouble.RATE_LIMIT | Trouble.GLOBAL_RATE_LIMIT:
                everywhere = fault.trouble is Trouble.GLOBAL_RATE_LIMIT
                body = rate_limited(fault.retry_after_s, everywhere=everywhere)
                headers = {
                    "Retry-After": f"{fault.retry_after_s:g}",
                    "X-RateLimit-Scope": "global" if everywhere else "user",
                }
                if everywhere:
                    headers["X-RateLimit-Global"] = "true"
                return self._reply(call, 429, body, headers)
            case Trouble.LOSES_ANSWER | Trouble.DELAY:
                return None

    def _break(self, request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    def _spend(self, call: Call) -> tuple[dict[str, str], bool]:
        limit, left, renews_s, allowed = 50, 49, 1.0, True
        for bucket in self.buckets:
            if (bucket.method, bucket.route) == (call.method, call.route):
                limit = bucket.calls
                major = "/".join(
                    call.names[name]
                    for name in ("channel", "guild", "application", "token")
                    if name in call.names
                )
                allowed, left, renews_s = bucket.spend(major, time.monotonic())
        name = hashlib.sha256(f"{call.method} {call.route}".encode()).hexdigest()[:32]
        headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(left),
            "X-RateLimit-Reset": f"{time.time() + renews_s:.3f}",
            "X-RateLimit-Reset-After": f"{renews_s:.3f}",
            "X-RateLimit-Bucket": name,
        }
        if not allowed:
            headers |= {"Retry-After": f"{renews_s:.3f}", "X-RateLimit-Scope": "user"}
        return headers, allowed

    def _check_right(self, route: Route, request: web.Request) -> None:
        right = f"Bot {self.token}"
        if route.for_bots and request.headers.get("Authorization") != right:
            raise Refused(Why.UNAUTHORIZED)

    def _check_query(self, route: Route, request: web.Request) -> None:
        problems = Problems()
        for name in request.query:
            if name not in route.query:
                problems.add((name,), "UNKNOWN_FIELD", "This parameter is not known here.")
        problems.refuse()

    async def _body(self, route: Route, request: web.Request) -> tuple[Any, dict[int, Upload]]:
        uploads: dict[int, Upload] = {}
        if request.content_type == "multipart/form-data" and route.takes_files:
            form, uploads = await self._multipart(request)
        elif not request.can_read_body:
            form = {} if route.form is not None else None
        elif request.content_type != "application/json":
            raise wrong((), "CONTENT_TYPE_INVALID", "Expected Content-Type application/json.")
        else:
            form = parsed(await request.text())
        if route.form is not None:
            forms.check(route.form, form)
        elif form and not route.takes_files:
            raise wrong((), "UNKNOWN_FIELD", "This call has no body.")
        return form, uploads

    async def _multipart(self, request: web.Request) -> tuple[Any, dict[int, Upload]]:
        form: Any = {}
        uploads: dict[int, Upload] = {}
        async for part in await request.multipart():
            assert isinstance(part, BodyPartReader)
            name = part.name or ""
            file = re.fullmatch(r"files\[(\d)\]", name)
            if name == "payload_json":
                form = parsed(await part.text())
            elif file is not None:
                data = bytes(await part.read(decode=False))
                uploads[int(file[1])] = Upload(part.filename or "unknown", data)
            else:
                raise wrong((name,), "UNKNOWN_FIELD", "Parts are payload_json and files[n].")
        return form, uploads

    def _reply(
        self, call: Call, status: int, body: Json | None, headers: dict[str, str]
    ) -> web.Response:
        call.status, call.answer = status, body
        # Discord sits behind a proxy; a 429 without `Via` is taken for a ban of that proxy.
        headers = {**headers, "Via": "1.1 google"}
        if body is None:
            return web.Response(status=status, headers=headers)
        # Exactly this type, without a charset, or discord.py does not parse it.
        headers["Content-Type"] = "application/json"
        return web.Response(body=json.dumps(body).encode(), status=status, headers=headers)

    # Files. --------------------------------------------------------------------------------

    async def _serve_file(self, request: web.Request) -> web.StreamResponse:
        fault = self._fault("GET", request.path)
        if fault is not None and fault.trouble in (Trouble.LOSES_CALL, Trouble.LOSES_ANSWER):
            return self._break(request)
        if fault is not None and fault.trouble is Trouble.STATUS:
            return web.Response(status=fault.status)
        if fault is not None and fault.trouble is Trouble.DELAY:
            await asyncio.sleep(fault.delay_s)
        file = self.world.files.get(request.match_info["path"])
        until = int(request.query.get("ex", "0"), 16)
        if file is None or "hm" not in request.query or until < self.clock.now():
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=file.data, content_type=file.content_type)


def parsed(text: str) -> Any:
    """The JSON of a body."""
    try:
        return json.loads(text)
    except ValueError:
        raise Refused(Why.INVALID_JSON) from None
