"""Photos and clips at rest, for a while: one object each, in a directory or in S3."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore, from_url

from vivant.clips import MediaRef
from vivant.errors import MediaMissing

_SUFFIX: Final = {"image/png": ".png", "image/jpeg": ".jpg", "video/mp4": ".mp4"}


@dataclass(frozen=True, slots=True)
class MediaStore:
    """Shared by the bots and the engines. Raises `MediaMissing` and no error of its library."""

    store: ObjectStore

    @classmethod
    def open(cls, url: str) -> Self:
        """`file:///folder`, made if need be, or `s3://bucket/prefix` (AWS_… in the environment)."""
        parts = urlsplit(url)
        if parts.scheme == "file":
            Path(parts.path).mkdir(parents=True, exist_ok=True, mode=0o700)
            return cls(LocalStore(parts.path))
        return cls(from_url(url))

    async def put(self, data: bytes, media_type: str) -> MediaRef:
        """Store *data* under a name that nobody can guess."""
        key = secrets.token_urlsafe(16) + _SUFFIX[media_type]
        try:
            await obstore.put_async(self.store, key, data)
        except BaseError as exc:
            raise MediaMissing(f"could not store: {type(exc).__name__}") from exc
        return MediaRef(key=key, media_type=media_type, size_bytes=len(data))

    async def get(self, ref: MediaRef) -> bytes:
        """Read it back."""
        try:
            found = await obstore.get_async(self.store, ref.key)
            return bytes(await found.bytes_async())
        except BaseError as exc:
            raise MediaMissing(type(exc).__name__) from exc

    async def copy(self, ref: MediaRef) -> MediaRef:
        """The same bytes under a name of their own."""
        return await self.put(await self.get(ref), ref.media_type)

    async def delete(self, ref: MediaRef) -> None:
        """Forget it; deleting twice is fine."""
        try:
            await obstore.delete_async(self.store, ref.key)
        except NotFoundError:
            return
        except BaseError as exc:
            raise MediaMissing(f"could not delete: {type(exc).__name__}") from exc

    async def older_than(self, age_s: float) -> AsyncIterator[MediaRef]:
        """Everything stored more than *age_s* seconds ago."""
        before = datetime.now(UTC) - timedelta(seconds=age_s)
        try:
            async for page in obstore.list(self.store):
                for found in page:
                    if found["last_modified"] < before:
                        yield MediaRef(key=found["path"], media_type="", size_bytes=found["size"])
        except BaseError as exc:
            raise MediaMissing(f"could not list: {type(exc).__name__}") from exc
