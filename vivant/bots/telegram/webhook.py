"""The other way in: Telegram posts updates to an address of ours.

The door speaks plain HTTP on loopback or inside a private network; whatever speaks https to the
world (a reverse proxy) stands before it. Knows nothing of what updates mean.
"""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from aiohttp import web
from telegram import Bot

from vivant.bots.telegram.refusals import our_errors
from vivant.errors import LedgerDown, PlatformError, SettingsError, TryLater

Put = Callable[[Sequence[dict[str, Any]]], Awaitable[None]]

#: https://core.telegram.org/bots/api#setwebhook
_SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  # the header's name
#: An update holds no file; the largest text is a few kilobytes.
_MOST_BYTES: Final = 1024 * 1024

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """One listener for all bots of the process."""

    #: What Telegram finds it by, without a slash at the end.
    url: str
    #: Key of the secrets that Telegram must show.
    key: bytes
    _boxes: dict[str, Put] = field(default_factory=dict, init=False)

    def open(self, bot: str, put: Put) -> None:
        """Let the posts for *bot* in."""
        self._boxes[bot] = put

    async def tell_telegram(self, api: Bot, kinds: Sequence[str]) -> None:
        """Have the updates posted here from now on; raises `SettingsError` where it will not."""
        bot = str(api.id)
        while True:
            try:
                with our_errors():
                    await api.set_webhook(
                        f"{self.url}/telegram/{bot}",
                        secret_token=self._secret(bot),
                        allowed_updates=list(kinds),
                    )
            except TryLater as exc:
                await asyncio.sleep(exc.retry_after_s)
            except PlatformError as exc:
                raise SettingsError(f"VIVANT_TELEGRAM_WEBHOOK_URL: {exc}") from exc
            else:
                logger.info("updates are posted to us", extra={"bot": bot})
                return

    async def on_post(self, request: web.Request) -> web.Response:
        """200 once the update is kept; anything else, and Telegram posts it again."""
        bot = request.match_info["bot"]
        # Bytes that are no UTF-8 come in as surrogates.
        shown = request.headers.get(_SECRET_HEADER, "").encode("utf-8", "surrogateescape")
        # Also for a bot that we are not, so that the time taken tells nothing.
        is_telegram = hmac.compare_digest(shown, self._secret(bot).encode())
        put = self._boxes.get(bot)
        if put is None or not is_telegram:
            return web.Response(status=403)
        try:
            update = await request.json()
        except (ValueError, RecursionError, LookupError):  # no JSON, too deep, no such charset
            return web.Response(status=400)
        if not isinstance(update, dict) or not isinstance(update.get("update_id"), int):
            return web.Response(status=400)
        try:
            await put([update])
        except LedgerDown:
            return web.Response(status=503)
        return web.Response()

    def _secret(self, bot: str) -> str:
        return hmac.new(self.key, f"telegram webhook {bot}".encode(), hashlib.sha256).hexdigest()


@asynccontextmanager
async def open_door(url: str, listen: str, key: bytes) -> AsyncGenerator[Door]:
    """Listen at *listen* (host:port) until the block ends; raises `SettingsError`."""
    door = Door(url.rstrip("/"), key)
    app = web.Application(client_max_size=_MOST_BYTES)
    app.router.add_post("/telegram/{bot}", door.on_post)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    host, _, port = listen.rpartition(":")
    try:
        try:
            await web.TCPSite(runner, host, int(port)).start()
        except OSError as exc:
            raise SettingsError(f"VIVANT_TELEGRAM_WEBHOOK_LISTEN: {exc.strerror}") from exc
        yield door
    finally:
        await runner.cleanup()
