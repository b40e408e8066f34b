"""Every upload of the bad-input table, made in code: nothing hostile lies in the repository."""

import io
import struct
import zipfile
import zlib
from functools import cache

from PIL import Image, ImageCms

EMPTY = b""
TEXT = b"This is not a photo, whatever its name says.\n"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="200" height="200"><rect/></svg>'
PDF = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog>>\nendobj\n"
EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 200 200\nshowpage\n"
SCRIPT = b"<script>alert(1)</script>"

_PNG = b"\x89PNG\r\n\x1a\n"


def gradient(width: int = 320, height: int = 240, mode: str = "RGB") -> Image.Image:
    """Smooth, with a red left half on top, so that turning it can be seen."""
    picture = Image.linear_gradient("L").resize((width, height)).convert("RGB")
    picture.paste("red", (0, 0, width // 2, height // 2))
    return picture.convert(mode)


def saved(picture: Image.Image, name: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, name, **options)
    return out.getvalue()


def jpeg(width: int = 320, height: int = 240) -> bytes:
    return saved(gradient(width, height), "JPEG")


def png(width: int = 320, height: int = 240) -> bytes:
    return saved(gradient(width, height), "PNG")


def tiff() -> bytes:
    return saved(gradient(), "TIFF")


def jpeg_cut_in_half() -> bytes:
    whole = saved(Image.effect_noise((640, 480), 60), "JPEG")
    return whole[: len(whole) // 2]


def png_with_one_broken_idat_byte() -> bytes:
    """Stored without compression, so that only the checksum tells."""
    whole = bytearray(saved(gradient(), "PNG", compress_level=0))
    whole[len(whole) // 2] ^= 0x10
    return bytes(whole)


def png_of_width_zero() -> bytes:
    return _PNG + _ihdr(0, 100) + _chunk(b"IDAT", zlib.compress(b"")) + _chunk(b"IEND", b"")


def ztxt_bomb() -> bytes:
    bomb = _chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(50_000_000), 9))
    whole = png()
    after_header = len(_PNG) + 25
    return whole[:after_header] + bomb + whole[after_header:]


@cache
def png_bomb() -> bytes:
    """20,000 x 20,000 pixels, one bit each, all black: 48 kB."""
    packer = zlib.compressobj(9)
    row = bytes(1 + 20_000 // 8)
    packed = b"".join(packer.compress(row) for _ in range(20_000)) + packer.flush()
    header = _ihdr(20_000, 20_000, depth=1, colour=0)
    return _PNG + header + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def huge_header() -> bytes:
    """65,535 x 65,535 pixels, it says."""
    return _PNG + _ihdr(65_535, 65_535) + _chunk(b"IDAT", b"") + _chunk(b"IEND", b"")


def jpeg_and_30_mb_of_nul() -> bytes:
    return jpeg() + bytes(30_000_000)


def jpeg_of_19_mb() -> bytes:
    """Small as a picture, long to send."""
    return jpeg() + bytes(19_000_000)


@cache
def phone_jpeg_48_mp() -> bytes:
    return saved(gradient(8064, 6048), "JPEG")


@cache
def png_41_mp() -> bytes:
    return saved(Image.new("1", (6410, 6410)), "PNG")


@cache
def png_40_mp_with_alpha() -> bytes:
    return saved(Image.new("RGBA", (8000, 5000), (0, 0, 255, 128)), "PNG", compress_level=1)


def cmyk_jpeg() -> bytes:
    return saved(gradient(mode="CMYK"), "JPEG")


def grey_16_bit_png() -> bytes:
    return saved(Image.new("I;16", (100, 100), 0x8000), "PNG")


def transparent_png() -> bytes:
    return saved(Image.new("RGBA", (100, 100), (255, 0, 0, 0)), "PNG")


def palette_png_with_transparency() -> bytes:
    picture = Image.new("P", (100, 100), 1)
    picture.putpalette([255, 0, 0, 0, 0, 255])
    return saved(picture, "PNG", transparency=1)


def jpeg_with_broken_profile() -> bytes:
    return saved(gradient(), "JPEG", icc_profile=b"this is no profile" * 20)


def red_jpeg_whose_profile_makes_it_green() -> bytes:
    """Its profile is sRGB with the places of red and green exchanged."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exchanged = (
        profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    )
    return saved(Image.new("RGB", (100, 100), "red"), "JPEG", icc_profile=exchanged)


def jpeg_from_a_phone(orientation: int) -> bytes:
    """With an orientation, and where it was taken."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "PhoneMaker"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 51.0, 29.0), 3: "E", 4: (2.0, 17.0, 40.0)})
    return saved(gradient(), "JPEG", exif=exif)


def jpeg_with_broken_exif() -> bytes:
    return saved(gradient(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12")


def jpeg_with_a_second_picture() -> bytes:
    """MPO, as phones write it for depth and gain maps."""
    return saved(gradient(), "MPO", save_all=True, append_images=[gradient(160, 120)])


def animation(name: str) -> bytes:
    frames = [Image.new("RGB", (100, 100), colour) for colour in ("red", "lime", "blue")]
    return saved(frames[0], name, save_all=True, append_images=frames[1:])


def jpeg_zip_polyglot() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("run.sh", SCRIPT)
    return jpeg() + archive.getvalue()


def jpeg_with_script_in_comment() -> bytes:
    return saved(gradient(), "JPEG", comment=SCRIPT)


def _chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def _ihdr(width: int, height: int, *, depth: int = 8, colour: int = 2) -> bytes:
    return _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
