"""Photos out of Telegram's store: never more bytes than a photo may have."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from telegram import Bot

from vivant.bots.telegram.incoming import Picture
from vivant.bots.telegram.refusals import our_errors
from vivant.clips import RefusalReason
from vivant.errors import FileTooLarge, PlatformError, Refused, TryLater
from vivant.photos import MAX_UPLOAD_BYTES

_LIMIT_MB: Final = MAX_UPLOAD_BYTES // (1024 * 1024)
_SOON_S: Final = 2.0
#: A photo that takes longer holds a place that others wait for.
_LONGEST_S: Final = 120.0
#: Bytes as they are on the wire are what is counted: nothing unfolds into more.
_PLAIN: Final = {"Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Downloads:
    """Fetches for one bot."""

    api: Bot
    http: httpx.AsyncClient

    async def fetch(self, picture: Picture) -> bytes:
        """The bytes of *picture*.

        Raises `Refused` (TOO_BIG), before anything is read where Telegram knows the size, and
        `TryLater`.
        """
        _check(picture.size_bytes)
        try:
            with our_errors():
                file = await self.api.get_file(picture.file_id)
        except FileTooLarge as exc:
            raise _too_big() from exc
        _check(file.file_size)
        if file.file_path is None:
            raise PlatformError("Telegram names no place for the file")
        # A local server in its local mode names a file on a disk that we share.
        at_hand = Path(file.file_path)
        if at_hand.is_absolute():
            return await asyncio.to_thread(_read, at_hand)
        try:
            async with asyncio.timeout(_LONGEST_S):
                return await self._stream(file.file_path)
        except TimeoutError as exc:
            raise TryLater(_SOON_S) from exc

    async def _stream(self, url: str) -> bytes:
        read = bytearray()
        try:
            async with self.http.stream("GET", url, headers=_PLAIN) as response:
                if response.is_server_error:
                    raise TryLater(_SOON_S)
                if not response.is_success:
                    raise PlatformError(f"the file was refused with {response.status_code}")
                async for part in response.aiter_raw():
                    read += part
                    _check(len(read))
        except httpx.HTTPError as exc:
            raise TryLater(_SOON_S) from exc
        return bytes(read)


def _check(size_bytes: int | None) -> None:
    if size_bytes is not None and size_bytes > MAX_UPLOAD_BYTES:
        raise _too_big()


def _too_big() -> Refused:
    return Refused(RefusalReason.TOO_BIG, limit=_LIMIT_MB)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            # One byte more than is taken, so that "too big" can be told from "just fits".
            read = file.read(MAX_UPLOAD_BYTES + 1)
    except OSError as exc:
        raise PlatformError("the Bot API server's folder cannot be read here") from exc
    _check(len(read))
    return read
