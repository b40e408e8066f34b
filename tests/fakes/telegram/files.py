"""The files that Telegram keeps, and what it makes of a photo when it takes one."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from typing import Any

from PIL import Image, ImageOps

from tests.fakes.telegram.methods import Upload
from tests.fakes.telegram.refusals import bad_request

MEGABYTE = 1024 * 1024
#: The Bot API's limits: https://core.telegram.org/bots/api#sending-files and #getfile.
DOWNLOAD_LIMIT = 20 * MEGABYTE
UPLOAD_LIMIT = 50 * MEGABYTE
PHOTO_LIMIT = 10 * MEGABYTE
THUMBNAIL_LIMIT = 200 * 1024
THUMBNAIL_SIDE = 320

#: The boxes that photos are scaled into, small to large, as clients show them:
#: https://core.telegram.org/api/files#image-thumbnail-types.
_BOXES = (90, 320, 800, 1280)
_FOLDERS = {
    "photo": "photos",
    "document": "documents",
    "video": "videos",
    "animation": "animations",
    "sticker": "stickers",
}

Content = dict[str, Any]


@dataclass
class StoredFile:
    """One file on Telegram's disks."""

    unique_id: str
    path: str
    #: Of its bytes, in `Shelf.contents`.
    digest: str


@dataclass
class Shelf:
    """All files, by their unique id. Each upload is a new file, but equal bytes are kept once.

    The methods named after a kind of message answer with what such a message holds.
    """

    by_id: dict[str, StoredFile] = field(default_factory=dict[str, StoredFile])
    by_path: dict[str, str] = field(default_factory=dict[str, str])
    contents: dict[str, bytes] = field(default_factory=dict[str, bytes])
    #: Unique id -> kind and content, for a bot that sends a file again by its `file_id`.
    known: dict[str, tuple[str, Content]] = field(default_factory=dict[str, tuple[str, Content]])
    #: Digest of a sent photo -> digests and sizes of what it was scaled to, so that the same
    #: photo is scaled once.
    scaled: dict[str, list[tuple[str, tuple[int, int]]]] = field(
        default_factory=dict[str, list[tuple[str, tuple[int, int]]]]
    )

    def store(self, kind: str, digest: str, file_name: str) -> StoredFile:
        """A new file with the bytes of *digest*; its path ends as the file's name does."""
        number = len(self.by_id)
        _, dot, suffix = file_name.rpartition(".")
        path = f"{_FOLDERS[kind]}/file_{number}{dot}{suffix if dot else ''}"
        stored = StoredFile(f"{kind[0].upper()}{digest[:10]}{number}", path, digest)
        self.by_id[stored.unique_id] = stored
        self.by_path[path] = stored.unique_id
        return stored

    def keep(self, data: bytes) -> str:
        """Keep *data*, and name it by its digest."""
        digest = hashlib.sha256(data).hexdigest()
        self.contents.setdefault(digest, data)
        return digest

    def data(self, unique_id: str) -> bytes:
        """The bytes of a file."""
        return self.contents[self.by_id[unique_id].digest]

    def at(self, path: str) -> bytes | None:
        """What is downloaded under *path*."""
        unique_id = self.by_path.get(path)
        return None if unique_id is None else self.data(unique_id)

    def photo(self, data: bytes) -> Content:
        """A photo as Telegram keeps it: upright, scaled to several sizes, JPEG, no EXIF."""
        if len(data) > PHOTO_LIMIT:
            raise bad_request(
                f"file of size {len(data)} bytes is too big for a photo; "
                f"the maximum size is {PHOTO_LIMIT} bytes"
            )
        digest = hashlib.sha256(data).hexdigest()
        if digest not in self.scaled:
            self.scaled[digest] = self._scaled(data)
        sizes = [self._size(scaled, size) for scaled, size in self.scaled[digest]]
        content = {"photo": sizes}
        for size in sizes:
            self.known[size["file_unique_id"]] = ("photo", content)
        return content

    def film(
        self,
        kind: str,
        upload: Upload,
        *,
        width: int,
        height: int,
        duration_s: int,
        thumbnail: bytes | None = None,
    ) -> Content:
        """A "video" or an "animation", of the size and length that the sender says it has.

        The real server does not look into files over 10 MB either, and what was left out shows
        as a square of length 0:00.
        """
        film = self._file(kind, upload, thumbnail)
        film |= {"width": width, "height": height, "duration": duration_s}
        content = {kind: film}
        if kind == "animation":
            # "For backward compatibility, when this field is set, the document field will also
            # be set": https://core.telegram.org/bots/api#message.
            content["document"] = self._file(kind, upload, thumbnail)
        self.known[film["file_unique_id"]] = (kind, content)
        return content

    def document(self, upload: Upload, thumbnail: bytes | None = None) -> Content:
        """A file as it is."""
        document = self._file("document", upload, thumbnail)
        self.known[document["file_unique_id"]] = ("document", {"document": document})
        return {"document": document}

    def sticker(self, data: bytes, media_type: str) -> Content:
        """A sticker: WebP is static, WebM and TGS move."""
        name = "sticker." + media_type.rpartition("/")[2]
        stored = self.store("sticker", self.keep(data), name)
        sticker = {
            "file_unique_id": stored.unique_id,
            "file_size": len(data),
            "type": "regular",
            "width": 512,
            "height": 512,
            "is_animated": media_type == "application/x-tgsticker",
            "is_video": media_type == "video/webm",
            "emoji": "🙂",
        }
        self.known[stored.unique_id] = ("sticker", {"sticker": sticker})
        return {"sticker": sticker}

    def _file(self, kind: str, upload: Upload, thumbnail: bytes | None) -> Content:
        stored = self.store(kind, self.keep(upload.data), upload.file_name)
        file: Content = {
            "file_unique_id": stored.unique_id,
            "file_name": upload.file_name,
            "mime_type": upload.media_type,
            "file_size": len(upload.data),
        }
        small = self._thumbnail(thumbnail)
        if small is not None:
            file["thumbnail"] = small
        return file

    def _scaled(self, data: bytes) -> list[tuple[str, tuple[int, int]]]:
        try:
            with Image.open(io.BytesIO(data)) as opened:
                image = ImageOps.exif_transpose(opened).convert("RGB")
        except OSError as exc:
            raise bad_request("IMAGE_PROCESS_FAILED") from exc
        longest, shortest = max(image.size), min(image.size)
        if sum(image.size) > 10_000 or longest > 20 * shortest:
            raise bad_request("PHOTO_INVALID_DIMENSIONS")
        sizes = []
        for box in [box for box in _BOXES[:-1] if box < longest] + [_BOXES[-1]]:
            scaled = image.copy()
            scaled.thumbnail((box, box))
            written = io.BytesIO()
            scaled.save(written, "JPEG", quality=87)
            sizes.append((self.keep(written.getvalue()), scaled.size))
        return sizes

    def _thumbnail(self, data: bytes | None) -> Content | None:
        """The size of a thumbnail, None where Telegram would ignore it."""
        if data is None or len(data) > THUMBNAIL_LIMIT:
            return None
        try:
            with Image.open(io.BytesIO(data)) as opened:
                if opened.format != "JPEG" or max(opened.size) > THUMBNAIL_SIDE:
                    return None
                return self._size(self.keep(data), opened.size)
        except OSError:
            return None

    def _size(self, digest: str, size: tuple[int, int]) -> Content:
        stored = self.store("photo", digest, "photo.jpg")
        return {
            "file_unique_id": stored.unique_id,
            "width": size[0],
            "height": size[1],
            "file_size": len(self.contents[digest]),
        }


def with_file_ids(body: Any, bot_id: int) -> Any:
    """*body* with a `file_id` beside each `file_unique_id`: ids of files differ from bot to bot."""
    if isinstance(body, list):
        return [with_file_ids(item, bot_id) for item in body]
    if not isinstance(body, dict):
        return body
    told = {name: with_file_ids(value, bot_id) for name, value in body.items()}
    if "file_unique_id" in told:
        told["file_id"] = f"{told['file_unique_id']}-{bot_id}"
    return told


def unique_id_of(file_id: str, bot_id: int) -> str | None:
    """The file that *file_id* names to this bot, None if it is not an id of this bot's."""
    unique_id, _, owner = file_id.rpartition("-")
    return unique_id if owner == str(bot_id) else None
