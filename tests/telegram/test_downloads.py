"""Photos out of Telegram's store: by HTTP, or from the disk of a Bot API server of one's own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp import web
from telegram import Bot

from tests.fakes.telegram_api import BotAccount, FakeTelegram, FaultKind, Person
from vivant.bots.telegram.downloads import Downloads
from vivant.bots.telegram.incoming import Picture
from vivant.bots.telegram.server import Server, open_bot
from vivant.clips import RefusalReason
from vivant.errors import PlatformError, Refused, TryLater
from vivant.photos import MAX_UPLOAD_BYTES


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient() as client:
        yield client


@pytest.fixture
async def downloads(
    telegram: FakeTelegram, account: BotAccount, http: httpx.AsyncClient
) -> AsyncIterator[Downloads]:
    async with open_bot(Server(telegram.url), account.token) as api:
        yield Downloads(api, http)


@pytest.fixture
def picture(ada: Person, account: BotAccount, photo: bytes) -> Picture:
    sent = ada.sends_document(account, photo, "me.jpg", "image/jpeg")
    file_id = f"{sent.body['document']['file_unique_id']}-{account.id}"
    return Picture(file_id=file_id, size_bytes=len(photo), message_id="1")


async def test_a_file_comes_as_it_was_sent(
    downloads: Downloads, picture: Picture, photo: bytes
) -> None:
    """Byte for byte."""
    assert await downloads.fetch(picture) == photo


async def test_an_outage_is_worth_another_try(
    telegram: FakeTelegram,
    downloads: Downloads,
    picture: Picture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of the server; a file that is not there is not."""
    telegram.faults.add(FaultKind.ERROR, method="getFile")
    with pytest.raises(TryLater):
        await downloads.fetch(picture)
    monkeypatch.setattr(telegram.world.shelf, "at", lambda path: None)
    with pytest.raises(PlatformError) as missing:
        await downloads.fetch(picture)
    assert not isinstance(missing.value, TryLater)


class _OwnServer:
    """A Bot API server that says whatever a test wants of one file, and never ends sending it."""

    def __init__(self, file: dict[str, Any], kind: str = "endless") -> None:
        self.file = file
        self.kind = kind
        self.sent = 0
        self.encodings: set[str | None] = set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/getMe"):
            me = {"id": 1, "is_bot": True, "first_name": "V", "username": "v_bot"}
            return web.json_response({"ok": True, "result": me})
        if request.path.endswith("/getFile"):
            return web.json_response({"ok": True, "result": self.file})
        self.encodings.add(request.headers.get("Accept-Encoding"))
        if self.kind == "elsewhere":
            raise web.HTTPFound("/elsewhere")
        response = web.StreamResponse()
        await response.prepare(request)
        if self.kind == "slow":
            await response.write(b"\xff")
            await asyncio.Event().wait()
        while self.sent < 4 * MAX_UPLOAD_BYTES:
            await response.write(bytes(1024 * 1024))
            self.sent += 1024 * 1024
        return response


async def _fetched(
    file: dict[str, Any], http: httpx.AsyncClient, kind: str = "endless"
) -> tuple[_OwnServer, bytes | RefusalReason]:
    """What the bot made of *file*, and the server that told it so."""
    server = _OwnServer({"file_id": "f", "file_unique_id": "u"} | file, kind)
    app = web.Application()
    app.router.add_route("*", "/{anything:.*}", server.answer)
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        api: Bot
        async with open_bot(Server(f"http://127.0.0.1:{runner.addresses[0][1]}"), "1:A") as api:
            asked = Picture(file_id="f", size_bytes=None, message_id="1")
            try:
                return server, await Downloads(api, http).fetch(asked)
            except Refused as refusal:
                return server, refusal.reason
    finally:
        await runner.cleanup()


async def test_a_local_server_names_a_file_on_its_disk(
    http: httpx.AsyncClient, photo: bytes, tmp_path: Path
) -> None:
    """Which is read there, up to the limit and no further."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo)
    assert (await _fetched({"file_path": str(path)}, http))[1] == photo

    with path.open("ab") as file:
        file.truncate(MAX_UPLOAD_BYTES + 1)
    assert (await _fetched({"file_path": str(path)}, http))[1] is RefusalReason.TOO_BIG


async def test_no_more_is_read_than_a_photo_may_have(http: httpx.AsyncClient) -> None:
    """Whatever size was told: here none, and then it never ends."""
    server, read = await _fetched({"file_path": "photos/1.jpg"}, http)

    assert read is RefusalReason.TOO_BIG
    assert server.sent < 3 * MAX_UPLOAD_BYTES
    assert server.encodings == {"identity"}  # nothing that would unfold into more


async def test_a_server_that_sends_drop_by_drop_is_not_waited_for(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However lively the line is: others wait for their photos. It is worth another try."""
    monkeypatch.setattr("vivant.bots.telegram.downloads._LONGEST_S", 0.2)

    with pytest.raises(TryLater):
        await _fetched({"file_path": "photos/1.jpg"}, http, "slow")


async def test_a_server_that_sends_elsewhere_is_not_followed(http: httpx.AsyncClient) -> None:
    """The token is a part of the address, and goes to nobody else."""
    with pytest.raises(PlatformError, match="302"):
        await _fetched({"file_path": "photos/1.jpg"}, http, "elsewhere")


async def test_a_size_that_is_told_late_is_late_enough(http: httpx.AsyncClient) -> None:
    """Telegram told it with the file: nothing was read."""
    told = {"file_path": "photos/1.jpg", "file_size": MAX_UPLOAD_BYTES + 1}
    server, read = await _fetched(told, http)

    assert read is RefusalReason.TOO_BIG
    assert server.sent == 0
