"""Lets other processes play the people: routes under /control, beside the API.

What is done is told in the query, bytes are the body:

    POST /control/person?person=alice&locale=de&installed=true
    POST /control/channel?name=clips&kind=TEXT
    POST /control/run?person=alice&command=animate&option.action=group+hug     the body is the photo
    POST /control/post?person=alice&text=...&file_name=photo.jpg&reply_to=...  the body is the photo
    POST /control/use?person=alice&message=...&command=Animate
    POST /control/press?person=alice&message=...&button=Again
    POST /control/delete?person=alice&message=...
    POST /control/fault?trouble=loses_answer&method=PATCH&route=...&times=1
    POST /control/gateway?do=closes
    POST /control/advance?seconds=900
    GET  /control/channels?person=alice   what is to be seen, by channel, now
    GET  /control/file?message=...&number=0
    GET  /control/interactions            what became of what people did
    GET  /control/calls                   the calls of the bot, and how they were answered

`channel=` is a name or an id, and `@dm` the person's chat with the bot; without it, `general`. A
person is made at the first mention and joins the one server.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from aiohttp import web

from tests.fakes.discord_api.calls import Trouble, Upload
from tests.fakes.discord_api.people import CannotDo, Person, Value, leaf_of
from tests.fakes.discord_api.refusals import Json
from tests.fakes.discord_api.server import DiscordServer
from tests.fakes.discord_api.world import Channel, ChannelKind, Interaction, Message

Act: TypeAlias = Callable[[web.Request], Awaitable[web.Response]]

#: How a word of the query becomes the value of an option, by the option's type.
FROM_WORDS: dict[int, Callable[[str], str | float | bool]] = {
    3: str,
    4: int,
    5: lambda word: word == "true",
    10: float,
}


class Control:
    """The routes under /control of one Discord, which has one server, Home."""

    def __init__(self, discord: DiscordServer) -> None:
        self._discord = discord
        self._home = discord.guild("Home")
        self._people: dict[str, Person] = {}
        discord.channel(self._home, "general")

    def add_to(self, app: web.Application) -> None:
        """Serve them beside the API."""
        acts: dict[str, Act] = {
            "person": self._person_comes,
            "channel": self._channel_opens,
            "run": self._run,
            "post": self._post,
            "use": self._use,
            "press": self._press,
            "delete": self._delete,
            "fault": self._fault,
            "gateway": self._gateway,
            "advance": self._advance,
        }
        for name, act in acts.items():
            app.router.add_post(f"/control/{name}", possible(act))
        app.router.add_get("/control/channels", self._channels)
        app.router.add_get("/control/file", self._file)
        app.router.add_get("/control/interactions", self._interactions)
        app.router.add_get("/control/calls", self._calls)

    # What people do. -----------------------------------------------------------------------

    async def _person_comes(self, request: web.Request) -> web.Response:
        person = self._person(request.query)
        person.locale = request.query.get("locale", person.locale)
        person.has_installed_app = request.query.get("installed") == "true"
        return web.json_response({"id": str(person.id)})

    async def _channel_opens(self, request: web.Request) -> web.Response:
        kind = ChannelKind[request.query.get("kind", "TEXT")]
        channel = self._discord.channel(self._home, told(request.query, "name"), kind)
        return web.json_response({"id": str(channel.id)})

    async def _run(self, request: web.Request) -> web.Response:
        query, name = request.query, told(request.query, "command")
        person, data = self._person(query), await request.read()
        options: dict[str, Value] = {}
        commands = self._discord.world.commands.get(None, [])
        for command in commands:
            if (command["name"], command["type"]) != (name.partition(" ")[0], 1):
                continue
            for known in leaf_of(command, name).get("options", []):
                word = query.get(f"option.{known['name']}")
                if known["type"] == 11 and data:
                    file_name = query.get("file_name", "photo.jpg")
                    options[known["name"]] = Upload(file_name, data)
                elif word is not None:
                    options[known["name"]] = FROM_WORDS[known["type"]](word)
        return acted(person.runs_with(name, self._channel(query), options))

    async def _post(self, request: web.Request) -> web.Response:
        query, data = request.query, await request.read()
        reply_to = self._message(query, "reply_to") if "reply_to" in query else None
        files = [Upload(query.get("file_name", "photo.jpg"), data)] if data else []
        message = self._person(query).posts(
            self._channel(query), query.get("text", ""), files=files, reply_to=reply_to
        )
        return web.json_response({"id": str(message.id)})

    async def _use(self, request: web.Request) -> web.Response:
        message = self._message(request.query)
        person = self._person(request.query)
        return acted(person.uses_on(message, told(request.query, "command")))

    async def _press(self, request: web.Request) -> web.Response:
        message = self._message(request.query)
        person = self._person(request.query)
        return acted(person.clicks(message, told(request.query, "button")))

    async def _delete(self, request: web.Request) -> web.Response:
        self._person(request.query).deletes(self._message(request.query))
        return web.json_response({})

    # What goes wrong. ----------------------------------------------------------------------

    async def _fault(self, request: web.Request) -> web.Response:
        query = request.query
        self._discord.fails(
            Trouble(told(query, "trouble")),
            query.get("method", "*"),
            query.get("route", "*"),
            times=int(query.get("times", 1)),
            status=int(query.get("status", 500)),
            retry_after_s=float(query.get("retry_after_s", 1)),
            delay_s=float(query.get("delay_s", 0)),
        )
        return web.json_response({})

    async def _gateway(self, request: web.Request) -> web.Response:
        gateway = self._discord.gateway
        does = {
            "closes": gateway.closes,
            "goes_silent": gateway.goes_silent,
            "asks_to_reconnect": gateway.asks_to_reconnect,
            "invalidates_sessions": gateway.invalidates_sessions,
            "forgets_sessions": gateway.forgets_sessions,
        }
        does[told(request.query, "do")]()
        return web.json_response({})

    async def _advance(self, request: web.Request) -> web.Response:
        self._discord.clock.advance(float(told(request.query, "seconds")))
        return web.json_response({})

    # What is to be seen. -------------------------------------------------------------------

    async def _channels(self, request: web.Request) -> web.Response:
        person = self._person(request.query)
        channels = [*self._discord.world.channels.values()]
        return web.json_response(
            {
                "@dm" if channel is self._discord.dm(person) else channel.name: [
                    shown(message) for message in channel.seen_by(person)
                ]
                for channel in channels
                if channel.guild is not None or person in channel.recipients
            }
        )

    async def _file(self, request: web.Request) -> web.Response:
        files = self._message(request.query).attachments
        return web.Response(body=files[int(request.query.get("number", 0))].data)

    async def _interactions(self, request: web.Request) -> web.Response:
        del request
        return web.json_response(
            [
                {
                    "id": str(one.id),
                    "person": one.user.name,
                    "delivered": one.delivered,
                    "answered_by": one.answered_by,
                    "reply": None if one.reply is None else str(one.reply.id),
                }
                for one in self._discord.world.interactions.values()
            ]
        )

    async def _calls(self, request: web.Request) -> web.Response:
        del request
        return web.json_response(
            [
                {
                    "method": call.method,
                    "route": call.route,
                    "path": call.path,
                    "form": call.form,
                    "files": len(call.uploads),
                    "status": call.status,
                    "applied": call.applied,
                    "code": call.answer.get("code") if isinstance(call.answer, dict) else None,
                    "at": call.at,
                }
                for call in self._discord.calls
            ]
        )

    # Who and where. ------------------------------------------------------------------------

    def _person(self, query: Mapping[str, str]) -> Person:
        name = told(query, "person")
        if name not in self._people:
            self._people[name] = self._discord.person(name)
            self._discord.joins(self._home, self._people[name])
        return self._people[name]

    def _channel(self, query: Mapping[str, str]) -> Channel:
        name = query.get("channel", "general")
        if name == "@dm":
            return self._discord.dm(self._person(query))
        for channel in self._discord.world.channels.values():
            if name in (channel.name, str(channel.id)):
                return channel
        raise web.HTTPNotFound(text=f"no channel {name!r}")

    def _message(self, query: Mapping[str, str], name: str = "message") -> Message:
        ident = int(told(query, name))
        for channel in self._discord.world.channels.values():
            if ident in channel.messages:
                return channel.messages[ident]
        raise web.HTTPNotFound(text=f"no message {ident}")


def possible(act: Act) -> Act:
    """What nobody could do in a Discord app is a 409 that says why."""

    async def tried(request: web.Request) -> web.Response:
        try:
            return await act(request)
        except CannotDo as impossible:
            raise web.HTTPConflict(text=str(impossible)) from impossible

    return tried


def told(query: Mapping[str, str], name: str) -> str:
    """A word of the query that must be there."""
    if name not in query:
        raise web.HTTPBadRequest(text=f"{name}= is missing")
    return query[name]


def acted(interaction: Interaction) -> web.Response:
    """What an act started."""
    return web.json_response({"id": str(interaction.id), "delivered": interaction.delivered})


def shown(message: Message) -> Json:
    """One message, as it is seen now."""
    reply_to = message.reply_to
    return {
        "id": str(message.id),
        "author": message.author.name,
        "text": message.text,
        "buttons": [part.get("label") or part.get("custom_id") for part in message.buttons],
        "files": [
            {
                "name": file.filename,
                "size": len(file.data),
                "sha256": hashlib.sha256(file.data).hexdigest(),
            }
            for file in message.visible_files
        ],
        "reply_to": None if reply_to is None else str(reply_to.id),
        "thinking": message.loading,
        "edits": len(message.before),
        "only_for": None if message.only_for is None else message.only_for.name,
        "pinged": sorted(user.name for user in message.pinged),
        "nonce": message.nonce,
    }
