"""The Bot API server that bots call: Telegram's own, or one that the operator runs."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from telegram import Bot
from telegram.constants import FileSizeLimit
from telegram.request import HTTPXRequest

from vivant.bots.telegram.refusals import our_errors

PUBLIC_HOST: Final = "api.telegram.org"

#: A clip of some megabytes on a slow line.
_UPLOAD_S: Final = 120
#: Telegram looks into a clip before it answers the edit that brings it.
_REPLY_S: Final = 30
_CONNECT_S: Final = 10


@dataclass(frozen=True, slots=True)
class Server:
    """Where calls go, and how large a file may be there."""

    #: Without a slash at the end; calls go to `{url}/bot<token>/<method>`.
    url: str

    @property
    def is_local(self) -> bool:
        """Whether the operator runs it, which lifts the limits on files.

        https://core.telegram.org/bots/api#using-a-local-bot-api-server
        """
        return urlsplit(self.url).hostname != PUBLIC_HOST

    @property
    def upload_limit_bytes(self) -> int:
        """The largest file that it takes from a bot: 50 MB, 2,000 MB on a local one."""
        if self.is_local:
            return int(FileSizeLimit.FILESIZE_UPLOAD_LOCAL_MODE)
        return int(FileSizeLimit.FILESIZE_UPLOAD)


def number_of(token: str) -> str:
    """The bot's own id, which outlives its token."""
    return token.partition(":")[0]


@asynccontextmanager
async def open_bot(server: Server, token: str) -> AsyncGenerator[Bot]:
    """Say hello, and hang up at the end.

    Raises `SettingsError` where the token is not known, `TryLater` where nobody answers.
    """
    bot = Bot(
        token,
        base_url=f"{server.url}/bot",
        base_file_url=f"{server.url}/file/bot",
        request=HTTPXRequest(
            connection_pool_size=64,
            connect_timeout=_CONNECT_S,
            read_timeout=_REPLY_S,
            write_timeout=_REPLY_S,
            media_write_timeout=_UPLOAD_S,
            pool_timeout=_REPLY_S,
        ),
    )
    try:
        with our_errors():
            await bot.initialize()
        yield bot
    finally:
        await bot.shutdown()
