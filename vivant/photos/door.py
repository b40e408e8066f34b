"""What is let in: formats by how their bytes begin, and every limit, as data.

Knows neither Pillow nor processes; nothing here looks past the first bytes of an upload.
"""

from enum import StrEnum

from vivant.clips import RefusalReason
from vivant.errors import Refused

#: What Telegram hands a bot at most, so no platform can bring more; download no further.
MAX_UPLOAD_BYTES = 20 * 1024 * 1024
#: Below this no face is left to move; in pixels.
MIN_SIDE = 64
#: Longest side over shortest: a strip has no people in it.
MAX_ASPECT = 8
#: Longest side of what is stored, in pixels. The largest clip any engine makes is 1920 wide,
#: and most make 832 to 1280: more would only cost time and disk.
MAX_SIDE = 1920
#: Longest that one photo may take, in seconds of the wall clock; then its child is killed.
WALL_S = 20


class Format(StrEnum):
    """What can be decoded; the value is Pillow's name for it."""

    JPEG = "JPEG"
    PNG = "PNG"
    WEBP = "WEBP"
    GIF = "GIF"
    AVIF = "AVIF"
    HEIF = "HEIF"

    @property
    def max_megapixels(self) -> int:
        """A JPEG is shrunk while it is decoded, so a 64 MP phone photo costs little memory."""
        return 64 if self is Format.JPEG else 40


def admit(upload: bytes) -> Format:
    """Say what *upload* is, whatever it is called.

    Raises `Refused`: `EMPTY_IMAGE`, `TOO_BIG` (limit in MB), `UNSUPPORTED_FORMAT`.
    """
    if not upload:
        raise Refused(RefusalReason.EMPTY_IMAGE)
    if len(upload) > MAX_UPLOAD_BYTES:
        raise Refused(RefusalReason.TOO_BIG, limit=MAX_UPLOAD_BYTES // (1024 * 1024))
    for start, named in _STARTS.items():
        if upload.startswith(start):
            return named
    if upload.startswith(b"RIFF") and upload[8:12] == b"WEBP":
        return Format.WEBP
    brands = _brands(upload)
    # AVIF first: it shares the general brands mif1 and msf1 with HEIF.
    if brands & _AVIF_BRANDS:
        return Format.AVIF
    if brands & _HEIF_BRANDS:
        return Format.HEIF
    raise Refused(RefusalReason.UNSUPPORTED_FORMAT)


_STARTS = {
    b"\xff\xd8\xff": Format.JPEG,
    b"\x89PNG\r\n\x1a\n": Format.PNG,
    b"GIF87a": Format.GIF,
    b"GIF89a": Format.GIF,
}
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}


def _brands(upload: bytes) -> set[bytes]:
    """The brands in the `ftyp` box of an ISO base media file (ISO/IEC 14496-12, 4.3)."""
    if upload[4:8] != b"ftyp":
        return set()
    box_bytes = min(int.from_bytes(upload[:4], "big"), 256)
    return {upload[8:12], *(upload[i : i + 4] for i in range(16, box_bytes, 4))}
