"""One admitted upload to one clean picture, with Pillow.

Runs where it may die: in a child of the darkroom. Knows no process and no platform.
"""

import io

from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from vivant.clips import RefusalReason
from vivant.errors import Refused
from vivant.photos.door import MAX_ASPECT, MAX_SIDE, MIN_SIDE, Format

_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def develop(upload: bytes, named: Format) -> tuple[Image.Image, bool]:
    """Decode, bound, turn upright, to sRGB on white; also say whether it was an animation.

    The picture is RGB, its longest side at most `MAX_SIDE`, and carries no metadata. Raises
    `Refused` for what the header tells (before anything is decoded), and whatever Pillow
    raises for broken data: for the caller that is all one.
    """
    if named is Format.HEIF and named not in Image.OPEN:
        raise Refused(RefusalReason.NEEDS_HEIC)
    try:
        picture = Image.open(io.BytesIO(upload), formats=(named,))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise Refused(RefusalReason.TOO_MANY_PIXELS, limit=named.max_megapixels) from exc
    with picture:
        _check_size(picture.size, named)
        if isinstance(picture, PngImagePlugin.PngImageFile):
            # Pillow skips the checksums of pixel data: a flipped byte would show as garbage.
            with Image.open(io.BytesIO(upload), formats=(named,)) as twin:
                twin.verify()
        # A phone's file may hold a second picture (depth, gain map); that is no animation.
        still = named in {Format.JPEG, Format.HEIF}
        animated = not still and getattr(picture, "is_animated", False)
        profile = picture.info.get("icc_profile")
        rgb = _to_srgb(_bounded(picture), profile)
        turn = _UPRIGHT.get(_orientation(picture))
    upright = rgb if turn is None else rgb.transpose(turn)
    upright.info.clear()
    return upright, animated


def print_jpeg(picture: Image.Image) -> bytes:
    """Encode for keeping.

    JPEG at quality 95 with full colour resolution: 40 to 53 dB from the PNG on twelve photos,
    which nobody sees, with a quarter to half of its bytes and a twentieth of its time.
    """
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=95, subsampling="4:4:4")
    return out.getvalue()


def _check_size(size: tuple[int, int], named: Format) -> None:
    width, height = size
    if width * height > named.max_megapixels * 1_000_000:
        raise Refused(RefusalReason.TOO_MANY_PIXELS, limit=named.max_megapixels)
    if min(size) < MIN_SIDE:
        raise Refused(RefusalReason.TOO_SMALL, limit=MIN_SIDE)
    if max(size) > MAX_ASPECT * min(size):
        raise Refused(RefusalReason.BAD_ASPECT, limit=MAX_ASPECT)


def _bounded(picture: Image.Image) -> Image.Image:
    """Decode, no larger than is kept; L, RGB or CMYK, on white."""
    scale = min(1.0, MAX_SIDE / max(picture.size))
    size = (round(picture.width * scale), round(picture.height * scale))
    # A JPEG decodes at 1/2, 1/4 or 1/8, whichever is still large enough: half the time of
    # decoding a 12 MP photo in full, and 52 dB from it.
    picture.draft(None, size)
    picture.load()
    bounded = _plain(picture).resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    if bounded.mode != "RGBA":
        return bounded
    white = Image.new("RGB", size, "white")
    white.paste(bounded, mask=bounded)
    return white


def _plain(picture: Image.Image) -> Image.Image:
    """In a mode that can be resized: L, RGB, RGBA or CMYK. Copies only where it must."""
    if picture.mode.startswith("I;16"):
        # Converting alone would cut at 255 instead of scaling.
        return picture.point(lambda value: value / 256).convert("L")
    if picture.has_transparency_data:
        return picture if picture.mode == "RGBA" else picture.convert("RGBA")
    if picture.mode in {"L", "RGB", "CMYK"}:
        return picture
    return picture.convert("RGB")


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            shown = ImageCms.profileToProfile(picture, source, target, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a broken profile, or one for another kind of picture, says nothing
        else:
            if shown is not None:
                return shown
    return picture.convert("RGB")


def _orientation(picture: Image.Image) -> int:
    try:
        return int(picture.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - EXIF breaks in more ways than Pillow names; upright then
        return 1
