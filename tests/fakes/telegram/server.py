"""The Bot API over HTTP: reads a request as Telegram would, and replies, late or not at all."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.fakes.telegram.bot_api import BotApi
from tests.fakes.telegram.faults import Fault, FaultKind, Faults, FloodLimits
from tests.fakes.telegram.files import MEGABYTE
from tests.fakes.telegram.methods import METHODS, Parameters, Upload, read_parameters
from tests.fakes.telegram.refusals import (
    Refusal,
    bad_request,
    not_found,
    too_large,
    too_many_requests,
    unauthorized,
)
from tests.fakes.telegram.switchboard import Switchboard
from tests.fakes.telegram.updates import UpdateDesk
from tests.fakes.telegram.world import BotAccount

#: The name under which `Faults` knows the fetching of a file.
DOWNLOAD = "download"

_REASONS = {500: "Internal Server Error", 502: "Bad Gateway", 504: "Gateway Timeout"}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a bot, as it was asked and how it ended."""

    bot_id: int
    method: str
    #: An uploaded file stands here by its name.
    parameters: Mapping[str, Any]
    #: How Telegram answered no; None if the call was carried out.
    refusal: Refusal | None
    #: What was done to the call or its reply.
    fault: FaultKind | None
    #: Telegram's clock.
    at: float


class BotServer:
    """Answers `/bot<token>/<method>` and `/file/bot<token>/<path>`."""

    def __init__(
        self,
        switchboard: Switchboard,
        desk: UpdateDesk,
        faults: Faults,
        calls: list[Call],
        *,
        upload_limit: int,
    ) -> None:
        self._switchboard = switchboard
        self._desk = desk
        self._faults = faults
        self._calls = calls
        self._upload_limit = upload_limit
        #: None lets any number pass.
        self.flood: FloodLimits | None = None

    def app(self) -> web.Application:
        """The server, to be run by any of aiohttp's runners."""
        # The room above the limit is for the other fields; BotApi refuses the file itself.
        app = web.Application(client_max_size=self._upload_limit + MEGABYTE)
        app.router.add_route("*", "/bot{token:[^/]+}/{method}", self._call)
        app.router.add_get("/file/bot{token:[^/]+}/{path:.+}", self._download)
        return app

    async def _download(self, request: web.Request) -> web.Response:
        fault = self._faults.take(DOWNLOAD)
        try:
            _fail_if_told(fault)
        except Refusal as exc:
            await _spoil(request, fault)
            return web.json_response(exc.as_json(), status=exc.status)
        await _spoil(request, fault)
        bot = self._switchboard.world.bot_with(request.match_info["token"])
        data = None
        if bot is not None:
            data = self._switchboard.world.shelf.at(request.match_info["path"])
        if data is None:
            return web.json_response(not_found().as_json(), status=404)
        return web.Response(body=data, content_type="application/octet-stream")

    async def _call(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        fault: Fault | None = None
        refusal: Refusal | None = None
        result: object = None
        bot: BotAccount | None = None
        parameters: Parameters = {}
        try:
            bot = self._bot(request.match_info["token"])
            if method not in METHODS:
                raise not_found()
            given, uploads = await _read(request)
            parameters = read_parameters(method, given, uploads)
            fault = self._faults.take(method)
            _fail_if_told(fault)
            result = await self._carry_out(bot, method, parameters)
        except Refusal as exc:
            refusal = exc
        if bot is not None:
            self._record(bot, method, parameters, refusal, fault)
        await _spoil(request, fault)
        if refusal is not None:
            return web.json_response(refusal.as_json(), status=refusal.status)
        return web.json_response({"ok": True, "result": result})

    async def _carry_out(self, bot: BotAccount, method: str, parameters: Parameters) -> object:
        match method:
            case "getUpdates":
                return await self._desk.get_updates(bot, parameters)
            case "setWebhook":
                return self._desk.set_webhook(bot, parameters)
            case "deleteWebhook":
                return self._desk.delete_webhook(bot, parameters)
            case "getWebhookInfo":
                return self._desk.webhook_info(bot)
            case _:
                if self.flood is not None and _is_message(method) and "chat_id" in parameters:
                    self.flood.check(bot.id, parameters["chat_id"])
                api = BotApi(self._switchboard, bot, upload_limit=self._upload_limit)
                return api.call(method, parameters)

    def _bot(self, token: str) -> BotAccount:
        bot = self._switchboard.world.bot_with(token)
        if bot is None:
            raise unauthorized()
        if bot.is_logged_out:
            raise bad_request("Logged out")
        return bot

    def _record(
        self,
        bot: BotAccount,
        method: str,
        parameters: Mapping[str, Any],
        refusal: Refusal | None,
        fault: Fault | None,
    ) -> None:
        at = self._switchboard.world.now()
        kind = None if fault is None else fault.kind
        self._calls.append(Call(bot.id, method, _named(parameters), refusal, kind, at))
        self._switchboard.changed()


def _named(value: Any) -> Any:
    """*value* with each upload's name in its place: a history need not keep the bytes."""
    if isinstance(value, Upload):
        return value.file_name
    if isinstance(value, list):
        return [_named(item) for item in value]
    if isinstance(value, dict):
        return {name: _named(item) for name, item in value.items()}
    return value


def _fail_if_told(fault: Fault | None) -> None:
    if fault is None:
        return
    match fault.kind:
        case FaultKind.ERROR:
            reason = _REASONS.get(fault.status, "Internal Server Error")
            raise Refusal(fault.status, reason)
        case FaultKind.FLOOD:
            raise too_many_requests(fault.retry_after)
        case FaultKind.DROP_CALL:
            raise Refusal(502, "Bad Gateway")  # never read: the connection closes
        case FaultKind.DROP_REPLY | FaultKind.DELAY:
            return


async def _spoil(request: web.Request, fault: Fault | None) -> None:
    """Keep the reply back, or close the connection on it."""
    if fault is None:
        return
    if fault.kind is FaultKind.DELAY:
        await asyncio.sleep(fault.delay_s)
    if fault.kind in {FaultKind.DROP_REPLY, FaultKind.DROP_CALL} and request.transport:
        request.transport.abort()


def _is_message(method: str) -> bool:
    """Whether *method* counts against the flood limits: messages and edits do."""
    return method.startswith(("send", "edit")) and method != "sendChatAction"


async def _read(request: web.Request) -> tuple[dict[str, object], dict[str, Upload]]:
    """What a request says, by query, form or JSON, and the files that come with it."""
    given: dict[str, object] = dict(request.query)
    uploads: dict[str, Upload] = {}
    try:
        if request.content_type == "application/json":
            body = await request.json() if request.can_read_body else {}
            if not isinstance(body, dict):
                raise bad_request("can't parse JSON object")
            return given | body, uploads
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                with value.file as file:
                    uploads[name] = Upload(value.filename, value.content_type, file.read())
            elif isinstance(value, str):
                given[name] = value
            else:
                raise bad_request(f'field "{name}" has no text')
    except web.HTTPRequestEntityTooLarge as exc:
        raise too_large() from exc
    except json.JSONDecodeError as exc:
        raise bad_request("can't parse JSON object") from exc
    return given, uploads
