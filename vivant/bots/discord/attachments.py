"""Photos from Discord's own store of files, and from nowhere else.

An address comes from an attachment, never from words; even so it is looked at before it is
asked, so that no message can make the bot knock at other doors.
"""

import ipaddress
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Self

import aiohttp
import discord
import yarl

from vivant.bots.discord.refusals import our_errors
from vivant.errors import PlatformError
from vivant.photos import MAX_UPLOAD_BYTES

_CDN: Final = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
_CHUNK: Final = 64 * 1024
_PATIENCE: Final = aiohttp.ClientTimeout(total=60, sock_connect=10, sock_read=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One attached file."""

    url: str
    name: str
    #: As Discord guessed it from the name; "" where it does not say.
    media_type: str

    @classmethod
    def of(cls, attachment: discord.Attachment) -> Self:
        """What we need of it."""
        return cls(
            url=attachment.url,
            name=attachment.filename,
            media_type=attachment.content_type or "",
        )

    @classmethod
    def told(cls, payload: dict[str, Any]) -> Self:
        """The same, as Discord tells it where its library does not look."""
        return cls(
            url=payload["url"],
            name=payload["filename"],
            media_type=payload.get("content_type") or "",
        )

    @property
    def is_picture(self) -> bool:
        """Whether it may be one; the darkroom has the last word."""
        is_named_so = self.name.lower().endswith((".heic", ".heif", ".avif"))
        return self.media_type.startswith("image/") or not self.media_type or is_named_so

    @property
    def is_video(self) -> bool:
        """Whether it is a film."""
        return self.media_type.startswith("video/")


@dataclass(frozen=True, slots=True)
class Downloads:
    """Fetches attachments."""

    session: aiohttp.ClientSession
    #: Scheme, host and port of the configured API.
    api: yarl.URL

    async def fetch(self, upload: Upload) -> bytes:
        """The bytes, or one byte more than is taken: the cleaner says "too big".

        Raises `TryLater` when the line breaks, `PlatformError` when there is no such file.
        """
        url = yarl.URL(upload.url)
        if not self._is_discords(url):
            raise PlatformError("an attachment that is not on Discord's own hosts")
        read = bytearray()
        with our_errors():
            async with self.session.get(url, allow_redirects=False, timeout=_PATIENCE) as answer:
                if answer.status != 200:
                    raise PlatformError(f"an attachment was answered by {answer.status}")
                # Unpacked bytes count: a small gzip may hold a large nothing.
                async for chunk in answer.content.iter_chunked(_CHUNK):
                    read += chunk
                    if len(read) > MAX_UPLOAD_BYTES:
                        break
        return bytes(read[: MAX_UPLOAD_BYTES + 1])

    def _is_discords(self, url: yarl.URL) -> bool:
        if not url.absolute or url.scheme not in ("http", "https"):
            return False
        at_the_api = url.origin() == self.api
        if url.scheme == "http" and _is_loopback(url.host):
            return at_the_api
        return url.scheme == "https" and (at_the_api or _is_cdn(url))


@asynccontextmanager
async def open_downloads(api_url: str) -> AsyncGenerator[Downloads]:
    """A line of its own: no token of the bot ever goes to a file's address."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield Downloads(session, yarl.URL(api_url).origin())


def _is_cdn(url: yarl.URL) -> bool:
    return url.host in _CDN and url.port == 443


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
