"""The whole story without an account: a photo and a few words in, a clip in a file out."""

from pathlib import Path

from rich.console import Console

from tests.conftest import frames_of
from tests.engines import QuickEngine
from vivant.bots.terminal.animate import Exit, animate
from vivant.clips import JobState, Wish
from vivant.services import Services


async def test_a_photo_in_the_terminal_comes_back_as_a_clip(
    services: Services, quick_engine: QuickEngine, photo: bytes, tmp_path: Path
) -> None:
    """Through the cleaner, the ledger, the bell, a worker, the encoder and the delivery."""
    picture = tmp_path / "me.jpg"
    picture.write_bytes(photo)
    clip = tmp_path / "me.mp4"

    outcome = await animate(
        services, Console(quiet=True), picture, "slow zoom in", clip, Wish(), yes=False
    )

    assert outcome.exit is Exit.CLIP
    assert "slow zoom in" in outcome.said
    assert "AI-generated" in outcome.said
    frames = frames_of(clip.read_bytes(), tmp_path)
    assert len(frames) == 8
    assert frames[0].shape == (120, 160, 3)
    assert abs(frames[0].astype(int) - frames[-1].astype(int)).mean() > 3
    assert outcome.job is not None
    assert outcome.job.state is JobState.DONE
    assert set(outcome.job.stages) == {"wait", "prepare", "render", "encode", "store"}
    assert await services.ledger.people.discrepancies() == []


async def test_what_is_no_picture_is_refused_in_the_terminal_too(
    services: Services, quick_engine: QuickEngine, tmp_path: Path
) -> None:
    """A clear sentence, nothing queued, nothing written."""
    picture = tmp_path / "me.jpg"
    picture.write_text("not a picture at all")
    clip = tmp_path / "me.mp4"

    outcome = await animate(services, Console(quiet=True), picture, "hug", clip, Wish(), yes=False)

    assert outcome.exit is Exit.REFUSED
    assert outcome.said.endswith("Nothing was charged.")
    assert await services.ledger.jobs.waiting() == 0
    assert not clip.exists()
    assert quick_engine.renders == 0
