"""Lets other processes play the people: routes under /control, beside the Bot API.

What is done is told in the query, bytes are the body:

    POST /control/say?person=ada&text=...
    POST /control/photo?person=ada&caption=...
    POST /control/document?person=ada&file_name=...&media_type=...&caption=...
    POST /control/press?person=ada&message_id=...&button=...
    POST /control/edit?person=ada&message_id=...&text=...
    POST /control/delete?person=ada&message_id=...
    POST /control/block?person=ada
    POST /control/pay?person=ada&message_id=...
    POST /control/group?title=...&people=ada,ben&forum=true
    POST /control/fault?kind=drop_reply&method=editMessageMedia&times=1
    POST /control/flood                            the flood limits hold from now on
    GET  /control/chats                            all chats, with what is to be seen in them
    GET  /control/media?chat=...&message_id=...    the bytes of what a message shows
    GET  /control/calls                            the calls of bots, and how they ended

`chat=` and `topic=` say where; without a chat it is the private chat with the first bot. A person
is made at the first mention.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from aiohttp import web

from tests.fakes.telegram.faults import FaultKind
from tests.fakes.telegram.people import NotPaid, Person
from tests.fakes.telegram.views import ShownMessage
from tests.fakes.telegram.world import Body, BotAccount, Chat, Post

if TYPE_CHECKING:
    from tests.fakes.telegram_api import FakeTelegram


class Control:
    """The routes under /control of one fake Telegram."""

    def __init__(self, telegram: FakeTelegram) -> None:
        self._telegram = telegram

    def add_to(self, app: web.Application) -> None:
        """Serve them beside the Bot API."""
        post, get = app.router.add_post, app.router.add_get
        post("/control/say", self._say)
        post("/control/photo", self._photo)
        post("/control/document", self._document)
        post("/control/press", self._press)
        post("/control/edit", self._edit)
        post("/control/delete", self._delete)
        post("/control/block", self._block)
        post("/control/pay", self._pay)
        post("/control/group", self._group)
        post("/control/fault", self._fault)
        post("/control/flood", self._flood)
        get("/control/chats", self._chats)
        get("/control/media", self._media)
        get("/control/calls", self._calls)

    # -- what people do ----------------------------------------------------------------------

    async def _say(self, request: web.Request) -> web.Response:
        person, chat, topic, reply_to = self._setting(request)
        text = _told(request.query, "text")
        return _as_json(person.says(chat, text, topic=topic, reply_to=reply_to))

    async def _photo(self, request: web.Request) -> web.Response:
        person, chat, topic, reply_to = self._setting(request)
        return _as_json(
            person.sends_photo(
                chat,
                await request.read(),
                caption=request.query.get("caption"),
                topic=topic,
                reply_to=reply_to,
                album=request.query.get("album"),
            )
        )

    async def _document(self, request: web.Request) -> web.Response:
        person, chat, topic, reply_to = self._setting(request)
        return _as_json(
            person.sends_document(
                chat,
                await request.read(),
                _told(request.query, "file_name"),
                request.query.get("media_type", "image/jpeg"),
                caption=request.query.get("caption"),
                topic=topic,
                reply_to=reply_to,
            )
        )

    async def _press(self, request: web.Request) -> web.Response:
        try:
            self._person(request).presses(self._post(request), _told(request.query, "button"))
        except LookupError as exc:
            raise web.HTTPNotFound(text=str(exc)) from exc
        return web.json_response({})

    async def _edit(self, request: web.Request) -> web.Response:
        self._person(request).edits(self._post(request), _told(request.query, "text"))
        return web.json_response({})

    async def _delete(self, request: web.Request) -> web.Response:
        self._person(request).deletes(self._post(request))
        return web.json_response({})

    async def _block(self, request: web.Request) -> web.Response:
        self._person(request).blocks_bot(self._bot())
        return web.json_response({})

    async def _pay(self, request: web.Request) -> web.Response:
        try:
            payment = await self._person(request).pays(self._post(request))
        except NotPaid as exc:
            raise web.HTTPPaymentRequired(text=str(exc)) from exc
        return web.json_response({"charge_id": payment.charge_id})

    async def _group(self, request: web.Request) -> web.Response:
        people = [self._named(name) for name in _told(request.query, "people").split(",") if name]
        chat = self._telegram.add_supergroup(
            _told(request.query, "title"),
            *people,
            self._bot(),
            is_forum=request.query.get("forum") == "true",
        )
        return web.json_response({"chat": chat.id})

    # -- what goes wrong ---------------------------------------------------------------------

    async def _fault(self, request: web.Request) -> web.Response:
        told = request.query
        self._telegram.faults.add(
            FaultKind(_told(told, "kind")),
            method=told.get("method"),
            times=int(told.get("times", 1)),
            status=int(told.get("status", 502)),
            retry_after=int(told.get("retry_after", 1)),
            delay_s=float(told.get("delay_s", 1)),
        )
        return web.json_response({})

    async def _flood(self, request: web.Request) -> web.Response:
        del request
        self._telegram.limit_flood()
        return web.json_response({})

    # -- what is to be seen ------------------------------------------------------------------

    async def _chats(self, request: web.Request) -> web.Response:
        del request
        return web.json_response(
            {
                chat.key: [_seen(message) for message in self._telegram.visible(chat)]
                for chat in self._telegram.world.chats.values()
            }
        )

    async def _media(self, request: web.Request) -> web.Response:
        media = self._telegram.shown(self._post(request)).media
        if media is None:
            raise web.HTTPNotFound(text="that message shows no media")
        return web.Response(body=media.data)

    async def _calls(self, request: web.Request) -> web.Response:
        del request
        return web.json_response(
            [
                {
                    "bot_id": call.bot_id,
                    "method": call.method,
                    "parameters": dict(call.parameters),
                    "refusal": None if call.refusal is None else call.refusal.description,
                    "fault": call.fault,
                    "at": call.at,
                }
                for call in self._telegram.calls
            ]
        )

    # -- who and where -----------------------------------------------------------------------

    def _setting(
        self, request: web.Request
    ) -> tuple[Person, Chat | BotAccount, int | None, Post | None]:
        told = request.query
        topic = int(told["topic"]) if "topic" in told else None
        reply_to = self._post(request, "reply_to") if "reply_to" in told else None
        where = self._chat(request) if "chat" in told else self._bot()
        return self._person(request), where, topic, reply_to

    def _person(self, request: web.Request) -> Person:
        return self._named(_told(request.query, "person"))

    def _named(self, username: str) -> Person:
        try:
            return self._telegram.person(username)
        except LookupError:
            return self._telegram.add_person(username.title(), username=username)

    def _bot(self) -> BotAccount:
        return next(iter(self._telegram.world.bots.values()))

    def _chat(self, request: web.Request) -> Chat:
        told = request.query
        if "chat" not in told:
            return self._person(request).chat_with(self._bot())
        chats = self._telegram.world.chats
        found = chats.get(told["chat"])
        if found is None:
            raise web.HTTPNotFound(text=f"no chat {told['chat']!r}")
        return found

    def _post(self, request: web.Request, name: str = "message_id") -> Post:
        post = self._chat(request).posts.get(int(_told(request.query, name)))
        if post is None:
            raise web.HTTPNotFound(text=f"no message {request.query[name]}")
        return post


def _told(query: Mapping[str, str], name: str) -> str:
    if name not in query:
        raise web.HTTPBadRequest(text=f"{name}= is missing")
    return query[name]


def _as_json(post: Post) -> web.Response:
    return web.json_response({"chat": post.chat_key, "message_id": post.message_id})


def _seen(message: ShownMessage) -> Body:
    seen: Body = {
        "message_id": message.message_id,
        "bot_id": message.bot_id,
        "text": message.text,
        "buttons": message.button_texts,
        "reply_to": message.reply_to,
        "topic": message.topic,
        "edits": message.edits,
        "reactions": {str(who): emoji for who, emoji in message.reactions.items()},
    }
    if message.media is not None:
        seen["media"] = {
            "kind": message.media.kind,
            "size": len(message.media.data),
            "sha256": hashlib.sha256(message.media.data).hexdigest(),
            "file_name": message.media.file_name,
        }
    return seen
