"""An mp4 that every phone plays, in the right colours, and that says a machine made it."""

import re
import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.conftest import frames_of
from vivant.clips import FailureReason
from vivant.engine import Frames, RenderStopped, Sound
from vivant.engine.encode import COMMENT, encode_mp4, within
from vivant.errors import RenderError

SKIN, GREEN, GREY = (224, 172, 140), (30, 180, 60), (128, 128, 128)


def bars(count: int = 12) -> Iterator[NDArray[np.uint8]]:
    """Three bars of colour; the middle one is green, as an HD player is picky about."""
    picture = np.empty((120, 180, 3), np.uint8)
    for index, colour in enumerate((SKIN, GREEN, GREY)):
        picture[:, index * 60 : (index + 1) * 60] = colour
    for _ in range(count):
        yield picture


def frames(sound: Sound | None = None) -> Frames:
    return Frames(pictures=bars(), width=180, height=120, num_frames=12, frame_rate=12, sound=sound)


def told(video: bytes, tmp_path: Path) -> str:
    """What ffmpeg says of a file."""
    path = tmp_path / "told.mp4"
    path.write_bytes(video)
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-i", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


def test_every_phone_plays_it(tmp_path: Path) -> None:
    """H.264 High, yuv420p, BT.709 tagged, index first, marked."""
    video = encode_mp4(frames()).video

    said = told(video, tmp_path)
    assert re.search(r"h264 \(High\).*yuv420p\(tv, bt709, progressive\), 180x120", said), said
    assert COMMENT in said
    assert video.find(b"moov") < video.find(b"mdat")


def test_colours_arrive_as_they_were(tmp_path: Path) -> None:
    """Within 3 of 255; without the conversion skin and green are off by up to 23."""
    (first, *_) = frames_of(encode_mp4(frames()).video, tmp_path)

    for index, colour in enumerate((SKIN, GREEN, GREY)):
        seen = first[60, index * 60 + 30]
        assert np.abs(seen.astype(int) - colour).max() <= 3, (seen, colour)


def test_the_sound_arrives(tmp_path: Path) -> None:
    """As AAC, as long as the pictures."""
    tone = (np.sin(np.linspace(0, 440 * 2 * np.pi, 16_000)) * 9000).astype("<i2")
    sound = Sound(samples=tone.tobytes(), channels=1, sample_rate=16_000)
    video = encode_mp4(frames(sound)).video

    assert "Audio: aac" in told(video, tmp_path)
    heard = tmp_path / "heard.wav"
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(tmp_path / "told.mp4")]
    subprocess.run([*command, str(heard)], check=True)
    with wave.open(str(heard)) as file:
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    assert np.abs(samples).max() > 5000


def test_stopping_comes_through_and_leaves_no_ffmpeg_behind() -> None:
    """An engine that draws as it is asked raises in the middle."""

    def stopped() -> Iterator[NDArray[np.uint8]]:
        yield from bars(3)
        raise RenderStopped

    with pytest.raises(RenderStopped):
        encode_mp4(Frames(pictures=stopped(), width=180, height=120, num_frames=12, frame_rate=12))


def test_an_ffmpeg_that_fails_is_no_clip(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As on a full disk: what it left plays nowhere. The log says why."""
    monkeypatch.setattr("vivant.engine.encode.FAST_START", ("-f", "mp4", "-fs", "none"))

    with pytest.raises(RenderError) as error:
        encode_mp4(frames())

    assert error.value.transient
    (record,) = caplog.records
    assert "Expected number for fs" in vars(record)["why"]


def test_a_clip_that_is_small_enough_is_left_alone() -> None:
    """Not a byte is touched."""
    video = encode_mp4(frames()).video

    assert within(video, len(video)) is video


def test_what_cannot_be_made_to_fit_is_said_so() -> None:
    """A face that is no face any more is no answer."""
    video = encode_mp4(frames()).video

    with pytest.raises(RenderError) as error:
        within(video, 300)
    assert error.value.reason is FailureReason.CLIP_TOO_LARGE
