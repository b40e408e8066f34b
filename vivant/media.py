"""Photos and clips at rest, for a while: one object each, in a directory or in S3.

S3 is set up by the environment, as everywhere: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
`AWS_REGION` (or the role of the machine); for a store that is not Amazon's `AWS_ENDPOINT_URL`, and
`AWS_ALLOW_HTTP=true` where that begins with http://. The bucket must be there. What may be done in
it: GetObject, PutObject, DeleteObject, ListBucket.

A store belongs to one ledger: what no job of that ledger holds is deleted after an hour. Two
services in one bucket need two prefixes.
"""

import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Self

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from vivant.clips import MediaRef
from vivant.errors import MediaMissing, SettingsError

_SUFFIX: Final = {"image/png": ".png", "image/jpeg": ".jpg", "video/mp4": ".mp4"}
#: The names that `put` gives. Whatever else lies in the folder or bucket is somebody else's.
_OURS: Final = re.compile(r"[\w-]{22}\.(png|jpg|mp4)", re.ASCII)
#: What is not there is the built-in FileNotFoundError, and not one of the library's own.
_STORE_ERRORS: Final = (BaseError, OSError)
#: The library's own patience is three minutes, and a person waits.
_PATIENCE: Final = timedelta(seconds=20)


@dataclass(frozen=True, slots=True)
class MediaStore:
    """Shared by the bots and the engines. Raises `MediaMissing` and no error of its library."""

    store: ObjectStore

    @classmethod
    def open(cls, url: str) -> Self:
        """`file:///folder`, made if need be, or `s3://bucket/prefix`; raises `SettingsError`."""
        scheme, _, path = url.partition("://")
        try:
            if scheme == "s3":
                return cls(S3Store.from_url(url, retry_config={"retry_timeout": _PATIENCE}))
            # As it is written, not as an URL: a folder may have # or % in its name.
            folder = Path(path)
            if scheme != "file" or not folder.is_absolute() or folder == Path("/"):
                raise SettingsError(f"{url} names no folder: file:///a/folder is three slashes")
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return cls(LocalStore(folder))
        except (*_STORE_ERRORS, ValueError) as exc:
            raise SettingsError(f"VIVANT_MEDIA_URL: the store cannot be opened: {exc}") from exc

    async def put(self, data: bytes, media_type: str) -> MediaRef:
        """Store *data* under a name that nobody can guess."""
        key = secrets.token_urlsafe(16) + _SUFFIX[media_type]
        try:
            await obstore.put_async(self.store, key, data)
        except _STORE_ERRORS as exc:
            # The operator needs the reason ("No space left on device"), and nobody the key.
            why = str(exc).partition("\n")[0].replace(key, "…")
            raise MediaMissing(f"could not store: {why}") from exc
        return MediaRef(key=key, media_type=media_type, size_bytes=len(data))

    async def get(self, ref: MediaRef) -> bytes:
        """Read it back."""
        try:
            found = await obstore.get_async(self.store, ref.key)
            return bytes(await found.bytes_async())
        except _STORE_ERRORS as exc:
            raise MediaMissing(type(exc).__name__) from exc

    async def copy(self, ref: MediaRef) -> MediaRef:
        """The same bytes under a name of their own."""
        # Not the store's own copy: in a directory that is a link, as old as what it links to, and
        # the upkeep would take it for an orphan.
        return await self.put(await self.get(ref), ref.media_type)

    async def delete(self, ref: MediaRef) -> None:
        """Forget it; deleting twice is fine."""
        try:
            await obstore.delete_async(self.store, ref.key)
        except FileNotFoundError:
            return
        except _STORE_ERRORS as exc:
            raise MediaMissing(f"could not delete: {type(exc).__name__}") from exc

    async def older_than(self, age_s: float) -> AsyncIterator[MediaRef]:
        """Everything that `put` stored more than *age_s* seconds ago."""
        before = datetime.now(UTC) - timedelta(seconds=age_s)
        try:
            async for page in obstore.list(self.store):
                for found in page:
                    if found["last_modified"] < before and _OURS.fullmatch(found["path"]):
                        yield MediaRef(key=found["path"], media_type="", size_bytes=found["size"])
        except _STORE_ERRORS as exc:
            raise MediaMissing(f"could not list: {type(exc).__name__}") from exc
