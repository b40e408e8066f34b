"""The bad-input table, as far as it concerns pictures: what runs, what is refused, and why."""

import io
import logging
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from PIL import Image

from tests.photos import bad_images as bad
from vivant.clips import Note, RefusalReason
from vivant.errors import Refused
from vivant.photos import MAX_SIDE, CleanPhoto, PhotoCleaner, open_cleaner
from vivant.photos.door import admit
from vivant.photos.picture import develop

pytestmark = pytest.mark.asyncio(loop_scope="module")

MB = 1_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cleaner() -> AsyncIterator[PhotoCleaner]:
    async with open_cleaner() as opened:
        yield opened


@pytest.fixture(autouse=True)
def _debug(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "vivant.photos")


async def refusal(cleaner: PhotoCleaner, upload: bytes) -> Refused:
    with pytest.raises(Refused) as refused:
        await cleaner.clean(upload)
    return refused.value


def child_peak_bytes(caplog: pytest.LogCaptureFixture) -> int:
    peak = caplog.records[-1].__dict__["peak_bytes"]
    assert isinstance(peak, int)
    assert peak > 0
    return peak


def opened(photo: CleanPhoto) -> Image.Image:
    """The stored bytes decoded again, after asserting that they are a picture and only that."""
    stored = Image.open(io.BytesIO(photo.data), formats=("JPEG",))
    assert (stored.mode, stored.size) == ("RGB", (photo.width, photo.height))
    assert photo.media_type == "image/jpeg"
    assert not stored.getexif()
    assert set(stored.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    assert photo.data.endswith(b"\xff\xd9")
    return stored


def is_near(pixel: object, colour: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(a - b) <= 6 for a, b in zip(pixel, colour, strict=True))


async def test_an_empty_file_is_refused(cleaner: PhotoCleaner) -> None:
    assert (await refusal(cleaner, bad.EMPTY)).reason is RefusalReason.EMPTY_IMAGE


@pytest.mark.parametrize(
    "upload",
    [bad.TEXT, bad.SVG, bad.PDF, bad.EPS, bad.tiff(), b"RIFF\0\0\0\0WAVE", b"\xff\xd8", b"G"],
    ids=["text", "svg", "pdf", "eps", "tiff", "wav", "two_bytes_of_jpeg", "one_byte"],
)
async def test_what_is_no_photo_is_refused_whatever_its_name(
    cleaner: PhotoCleaner, upload: bytes
) -> None:
    assert (await refusal(cleaner, upload)).reason is RefusalReason.UNSUPPORTED_FORMAT


@pytest.mark.parametrize(
    "upload",
    [
        bad.jpeg_cut_in_half(),
        bad.png_with_one_broken_idat_byte(),
        bad.png_of_width_zero(),
        bad.ztxt_bomb(),
        bad.jpeg()[:20],
        bad.saved(bad.gradient(), "WEBP")[:200],
        bad.saved(bad.gradient(), "AVIF")[:200],
        bad.saved(bad.gradient(), "GIF")[:200],
    ],
    ids=[
        "jpeg_cut_in_half",
        "png_with_one_broken_idat_byte",
        "png_of_width_zero",
        "ztxt_bomb",
        "jpeg_cut_early",
        "webp_cut",
        "avif_cut",
        "gif_cut",
    ],
)
async def test_a_broken_file_is_refused_in_little_memory(
    cleaner: PhotoCleaner, upload: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await refusal(cleaner, upload)).reason is RefusalReason.CORRUPT_IMAGE
    assert child_peak_bytes(caplog) < 100 * MB


@pytest.mark.parametrize(
    ("upload", "max_bytes"),
    [(bad.png_bomb(), 50_000), (bad.huge_header(), 69), (bad.png_41_mp(), 50_000)],
    ids=["png_bomb", "huge_header", "png_41_mp"],
)
async def test_too_many_pixels_are_refused_by_the_header(
    cleaner: PhotoCleaner, upload: bytes, max_bytes: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert len(upload) <= max_bytes
    refused = await refusal(cleaner, upload)

    assert refused.reason is RefusalReason.TOO_MANY_PIXELS
    assert refused.details == {"limit": 40}
    assert child_peak_bytes(caplog) < 100 * MB


async def test_a_file_over_20_mb_is_refused_before_any_child_sees_it(
    cleaner: PhotoCleaner, caplog: pytest.LogCaptureFixture
) -> None:
    refused = await refusal(cleaner, bad.jpeg_and_30_mb_of_nul())

    assert refused.reason is RefusalReason.TOO_BIG
    assert refused.details == {"limit": 20}
    assert not caplog.records  # a child would have left its line


async def test_a_file_of_19_mb_runs(cleaner: PhotoCleaner) -> None:
    opened(await cleaner.clean(bad.jpeg_of_19_mb()))


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (63, 200)])
async def test_a_tiny_picture_is_refused(cleaner: PhotoCleaner, size: tuple[int, int]) -> None:
    refused = await refusal(cleaner, bad.png(*size))

    assert refused.reason is RefusalReason.TOO_SMALL
    assert refused.details == {"limit": 64}


@pytest.mark.parametrize("size", [(64, 1000), (1000, 64)])
async def test_a_strip_is_refused(cleaner: PhotoCleaner, size: tuple[int, int]) -> None:
    refused = await refusal(cleaner, bad.png(*size))

    assert refused.reason is RefusalReason.BAD_ASPECT
    assert refused.details == {"limit": 8}


@pytest.mark.parametrize("size", [(64, 64), (64, 512)])
async def test_the_smallest_and_longest_that_are_allowed_run(
    cleaner: PhotoCleaner, size: tuple[int, int]
) -> None:
    assert opened(await cleaner.clean(bad.png(*size))).size == size


async def test_a_phone_photo_of_48_megapixels_is_bounded_in_little_memory(
    cleaner: PhotoCleaner, caplog: pytest.LogCaptureFixture
) -> None:
    stored = opened(await cleaner.clean(bad.phone_jpeg_48_mp()))

    assert stored.size == (MAX_SIDE, MAX_SIDE * 6048 // 8064)
    assert child_peak_bytes(caplog) < 150 * MB


async def test_the_largest_png_with_alpha_fits_the_limits(cleaner: PhotoCleaner) -> None:
    assert opened(await cleaner.clean(bad.png_40_mp_with_alpha())).size == (1920, 1200)


async def test_cmyk_becomes_rgb(cleaner: PhotoCleaner) -> None:
    stored = opened(await cleaner.clean(bad.cmyk_jpeg()))

    assert is_near(stored.getpixel((20, 20)), (254, 0, 0))


async def test_sixteen_bit_grey_keeps_its_brightness(cleaner: PhotoCleaner) -> None:
    stored = opened(await cleaner.clean(bad.grey_16_bit_png()))

    assert is_near(stored.getpixel((50, 50)), (128, 128, 128))


@pytest.mark.parametrize(
    "upload",
    [bad.transparent_png(), bad.palette_png_with_transparency()],
    ids=["rgba", "palette"],
)
async def test_what_is_transparent_lies_on_white(cleaner: PhotoCleaner, upload: bytes) -> None:
    stored = opened(await cleaner.clean(upload))

    assert stored.getcolors() == [(100 * 100, (255, 255, 255))]


async def test_a_broken_colour_profile_is_ignored(cleaner: PhotoCleaner) -> None:
    stored = opened(await cleaner.clean(bad.jpeg_with_broken_profile()))

    assert is_near(stored.getpixel((20, 20)), (254, 0, 0))


async def test_a_good_colour_profile_is_applied(cleaner: PhotoCleaner) -> None:
    stored = opened(await cleaner.clean(bad.red_jpeg_whose_profile_makes_it_green()))

    assert is_near(stored.getpixel((50, 50)), (0, 255, 0))


async def test_a_photo_held_sideways_is_stored_upright_and_without_the_place(
    cleaner: PhotoCleaner,
) -> None:
    upload = bad.jpeg_from_a_phone(orientation=6)
    assert b"PhoneMaker" in upload
    photo = await cleaner.clean(upload)
    stored = opened(photo)

    assert stored.size == (240, 320)
    assert is_near(stored.getpixel((220, 20)), (254, 0, 0))  # the red corner is on the right now
    assert b"PhoneMaker" not in photo.data
    assert b"Exif" not in photo.data


@pytest.mark.parametrize(
    "upload",
    [bad.jpeg_from_a_phone(orientation=99), bad.jpeg_with_broken_exif()],
    ids=["orientation_99", "broken_exif"],
)
async def test_an_orientation_that_says_nothing_changes_nothing(
    cleaner: PhotoCleaner, upload: bytes
) -> None:
    stored = opened(await cleaner.clean(upload))

    assert stored.size == (320, 240)
    assert is_near(stored.getpixel((20, 20)), (254, 0, 0))


@pytest.mark.parametrize("name", ["GIF", "PNG", "WEBP", "AVIF"])
async def test_of_an_animation_the_first_frame_is_taken_and_said_so(
    cleaner: PhotoCleaner, name: str
) -> None:
    photo = await cleaner.clean(bad.animation(name))

    assert photo.notes == (Note.FIRST_FRAME_ONLY,)
    assert is_near(opened(photo).getpixel((50, 50)), (255, 0, 0))


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
async def test_a_still_picture_of_each_format_runs_without_a_note(
    cleaner: PhotoCleaner, name: str
) -> None:
    photo = await cleaner.clean(bad.saved(bad.gradient(), name))

    assert photo.notes == ()
    assert photo.sight is None
    assert opened(photo).size == (320, 240)


async def test_a_second_picture_inside_a_phone_photo_is_no_animation(
    cleaner: PhotoCleaner,
) -> None:
    photo = await cleaner.clean(bad.jpeg_with_a_second_picture())

    assert photo.notes == ()
    assert opened(photo).size == (320, 240)


async def test_heic_runs_where_the_extra_is_installed(cleaner: PhotoCleaner) -> None:
    heif = pytest.importorskip("pillow_heif")
    upload = io.BytesIO()
    heif.from_pillow(bad.gradient()).save(upload, format="HEIF")

    assert opened(await cleaner.clean(upload.getvalue())).size == (320, 240)


async def test_heic_without_the_extra_is_refused_with_a_reason_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The extra is what registers the format with Pillow."""
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    upload = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
    with pytest.raises(Refused) as refused:
        develop(upload, admit(upload))

    assert refused.value.reason is RefusalReason.NEEDS_HEIC


@pytest.mark.parametrize(
    "upload",
    [bad.jpeg_zip_polyglot(), bad.jpeg_with_script_in_comment()],
    ids=["jpeg_zip_polyglot", "script_in_comment"],
)
async def test_what_a_file_smuggles_is_not_stored(cleaner: PhotoCleaner, upload: bytes) -> None:
    photo = await cleaner.clean(upload)
    opened(photo)

    assert b"PK\x03\x04" not in photo.data
    assert bad.SCRIPT not in photo.data


async def test_a_png_by_another_name_is_stored_as_a_jpeg(cleaner: PhotoCleaner) -> None:
    """No name reaches the cleaner; the bytes alone say what they are."""
    upload = bad.png()

    assert opened(await cleaner.clean(upload)).size == (320, 240)
