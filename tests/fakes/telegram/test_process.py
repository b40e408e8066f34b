"""The fake as a process of its own, its people played over HTTP."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from telegram import Bot, InputMediaVideo

from tests.fakes.telegram.conftest import CLIP, jpeg

REPOSITORY = Path(__file__).parents[3]
TOKEN = "7:AAF4keT0ken"  # noqa: S105 - of a bot that lives on loopback


@asynccontextmanager
async def running(state_file: Path) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.fakes.telegram_api",
        "--token",
        TOKEN,
        "--state-file",
        str(state_file),
        stdout=asyncio.subprocess.PIPE,
        cwd=REPOSITORY,
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_a_whole_conversation_over_http_outlives_the_process(tmp_path: Path) -> None:
    state_file = tmp_path / "telegram.state"
    async with (
        running(state_file) as url,
        httpx.AsyncClient(base_url=url) as control,
        Bot(TOKEN, base_url=f"{url}/bot", base_file_url=f"{url}/file/bot") as bot,
    ):
        sent = await control.post(
            "/control/photo", params={"person": "ada", "caption": "hug"}, content=jpeg()
        )
        (update,) = await bot.get_updates(timeout=10)
        assert update.message is not None
        assert update.message.message_id == sent.json()["message_id"]
        await control.post("/control/fault", params={"kind": "error", "method": "sendMessage"})
        refused = await control.post(f"/bot{TOKEN}/sendMessage", json={"chat_id": 1, "text": "x"})
        status = await bot.send_message(update.message.chat.id, "in line")
        await bot.edit_message_media(
            InputMediaVideo(CLIP, filename="clip.mp4"), status.chat.id, status.message_id
        )
        calls = (await control.get("/control/calls")).json()

    assert refused.status_code == 502
    assert [(call["method"], call["fault"]) for call in calls if "Message" in call["method"]] == [
        ("sendMessage", "error"),
        ("sendMessage", None),
        ("editMessageMedia", None),
    ]
    async with running(state_file) as url, httpx.AsyncClient(base_url=url) as control:
        chats = (await control.get("/control/chats")).json()
        where: dict[str, str | int] = {"person": "ada", "message_id": status.message_id}
        clip = await control.get("/control/media", params=where)

    ((photo, answer),) = chats.values()
    assert photo["text"] == "hug"
    assert answer["media"]["kind"] == "video"
    assert answer["edits"] == 1
    assert clip.content == CLIP


async def test_people_press_edit_and_reply_over_http(tmp_path: Path) -> None:
    async with (
        running(tmp_path / "telegram.state") as url,
        httpx.AsyncClient(base_url=url) as control,
        Bot(TOKEN, base_url=f"{url}/bot") as bot,
    ):
        group = await control.post(
            "/control/group", params={"title": "Friends", "people": "ada,ben"}
        )
        where = {"chat": group.json()["chat"], "person": "ben"}
        said = await control.post("/control/say", params=where | {"text": "/help@bot7_bot"})
        message_id = said.json()["message_id"]
        await control.post(
            "/control/edit", params=where | {"message_id": message_id, "text": "/animate@bot7_bot"}
        )
        missing = await control.post(
            "/control/press", params=where | {"message_id": message_id, "button": "Again"}
        )
        updates = await bot.get_updates(offset=2)

    assert missing.status_code == 404
    assert updates[0].message is not None
    assert updates[0].message.text == "/help@bot7_bot"
    assert updates[1].edited_message is not None
