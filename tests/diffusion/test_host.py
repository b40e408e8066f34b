"""What holds when a worker process dies, hangs or is short of memory; no model is needed."""

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import termios
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.diffusion.stand_in import STEPS
from vivant.clips import FailureReason, Note
from vivant.engine import RenderStopped, Shot
from vivant.engine.diffusion.engine import DiffusionEngine
from vivant.errors import RenderError, SettingsError

Moody = Callable[..., DiffusionEngine]
#: A single colour that slides is a still to the gates.
ANY_CLIP = "gates = { max_unchanged = 1.0 }"


def unheard(step: int, total: int) -> None:
    """Nobody follows the steps."""


def unread(pipe: int) -> int:
    """Bytes that wait in a pipe."""
    return int.from_bytes(fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)), sys.byteorder)


def failure(engine: DiffusionEngine, shot: Shot) -> RenderError:
    """Render what cannot be rendered."""
    with pytest.raises(RenderError) as raised:
        engine.render(shot, unheard)
    return raised.value


@pytest.mark.parametrize("mood", ["die", "broken", "stall"])
def test_a_lost_process_is_replaced_and_the_next_clip_is_made(
    moody: Moody, shot: Shot, mood: str
) -> None:
    """Killed, with a broken card, or hanging: the job may be tried again, and then succeeds."""
    engine = moody(mood, "fine", silence_limit_s=3)
    first = engine.pid

    failed = failure(engine, shot)
    frames = engine.render(shot, unheard)

    assert failed.reason is FailureReason.RENDER_FAILED
    assert failed.transient
    assert frames.num_frames == shot.settings.num_frames
    assert engine.pid != first


def test_a_process_that_is_killed_from_outside_is_noticed(moody: Moody, shot: Shot) -> None:
    """SIGKILL in the middle of a render, as the kernel does when memory is short."""
    engine = moody("fine")

    def kill(step: int, total: int) -> None:
        assert engine.pid
        os.kill(engine.pid, signal.SIGKILL)

    with pytest.raises(RenderError) as raised:
        engine.render(shot, kill)

    assert raised.value.transient
    assert engine.render(shot, unheard).num_frames == shot.settings.num_frames


def test_a_process_that_dies_between_two_renders_is_replaced(moody: Moody, shot: Shot) -> None:
    """Nobody watches it then; the next render finds out and is not lost."""
    engine = moody("fine")
    assert engine.pid
    os.kill(engine.pid, signal.SIGKILL)
    os.waitid(os.P_PID, engine.pid, os.WEXITED | os.WNOWAIT)

    assert engine.render(shot, unheard).num_frames == shot.settings.num_frames


def test_a_stopped_process_counts_as_stalled(moody: Moody, shot: Shot) -> None:
    """SIGSTOP: alive, and silent for longer than the limit."""
    engine = moody("fine", silence_limit_s=3)
    stopped = engine.pid
    assert stopped
    os.kill(stopped, signal.SIGSTOP)

    assert failure(engine, shot).transient
    assert engine.pid != stopped


@pytest.mark.parametrize("when", ["it is sent the photo", "it sends the frames"])
def test_a_process_that_stops_in_the_middle_of_a_picture_counts_as_stalled(
    moody: Moody, shot: Shot, when: str
) -> None:
    """Pictures are larger than the pipe: whoever writes or reads one waits for the other end."""
    engine = moody("fine", silence_limit_s=1)
    stopped, child = engine.pid, engine._host._child
    assert stopped
    assert child
    large = replace(shot, settings=replace(shot.settings, width=1280, height=704))

    def stop_in_the_frames(step: int, total: int) -> None:
        if step == STEPS:
            while unread(child.line.fileno()) < 50_000:
                pass
            os.kill(stopped, signal.SIGSTOP)

    if when == "it is sent the photo":
        os.kill(stopped, signal.SIGSTOP)
    with pytest.raises(RenderError) as raised:
        engine.render(large, stop_in_the_frames)

    assert raised.value.transient
    assert engine.pid != stopped


def test_an_error_of_one_render_is_final_and_the_process_stays(moody: Moody, shot: Shot) -> None:
    """The same order would fail again; the next one need not."""
    engine = moody("error", "fine")
    pid = engine.pid

    failed = failure(engine, shot)

    assert failed.reason is FailureReason.RENDER_FAILED
    assert not failed.transient
    assert engine.render(shot, unheard).num_frames == shot.settings.num_frames
    assert engine.pid == pid


def test_a_stop_comes_through_and_the_process_stays(moody: Moody, shot: Shot) -> None:
    """Cancelled at a step: no later step is heard of, and the next clip is made."""
    engine = moody("fine")
    pid = engine.pid
    heard: list[int] = []

    def stop_at_two(step: int, total: int) -> None:
        heard.append(step)
        if step == 2:
            raise RenderStopped

    with pytest.raises(RenderStopped):
        engine.render(shot, stop_at_two)
    frames = engine.render(shot, lambda step, total: heard.append(step))

    assert heard == [1, 2, *range(1, STEPS + 1)]
    assert frames.num_frames == shot.settings.num_frames
    assert engine.pid == pid


def test_short_memory_is_tried_once_more_before_less_is_asked_for(moody: Moody, shot: Shot) -> None:
    """Another process may have left the card meanwhile: the clip is whole."""
    frames = moody("memory", "fine").render(shot, unheard)

    assert frames.num_frames == shot.settings.num_frames
    assert frames.notes == ()


def test_short_memory_makes_a_shorter_clip_and_says_so(moody: Moody, shot: Shot) -> None:
    """Three quarters of the frames fit; the size stays."""
    size = shot.settings.width * shot.settings.height
    frames = moody(f"fits {size * 13}").render(shot, unheard)

    assert frames.num_frames == 13
    assert (frames.width, frames.height) == (shot.settings.width, shot.settings.height)
    assert frames.notes == (Note.FEWER_FRAMES,)


def test_shorter_still_too_much_makes_a_smaller_picture_and_says_so(
    moody: Moody, shot: Shot
) -> None:
    """Half the frames, then three quarters of the sides."""
    frames = moody(f"fits {64 * 48 * 9}").render(shot, unheard)

    assert frames.num_frames == 9
    assert (frames.width, frames.height) == (64, 48)
    assert frames.notes == (Note.FEWER_FRAMES, Note.SMALLER_PICTURE)


def test_what_a_card_could_not_do_is_not_asked_of_it_again(moody: Moody, shot: Shot) -> None:
    """The second clip of that shape goes straight to what fits."""
    engine = moody(f"fits {shot.settings.width * shot.settings.height * 13}")
    first: list[int] = []
    second: list[int] = []

    engine.render(shot, lambda step, total: first.append(step))
    engine.render(shot, lambda step, total: second.append(step))

    assert first == [1, 2, 1, 2, 1, 2, 3, 4]
    assert second == [1, 2, 3, 4]


def test_what_a_card_could_not_do_is_still_known_after_a_restart(
    moody: Moody, shot: Shot, tmp_path: Path
) -> None:
    """Not for ever: after a week it is tried again, as somebody else may have had the card."""
    fits = f"fits {shot.settings.width * shot.settings.height * 13}"
    moody(fits).render(shot, unheard)
    (notes,) = (tmp_path / "limits").glob("*-a-card-of-2-3-GB.json")
    heard: list[int] = []

    moody(fits).render(shot, lambda step, total: heard.append(step))
    assert heard == [1, 2, 3, 4]

    rows = json.loads(notes.read_text("utf-8"))
    aged = [[pixels, frames, when - 8 * 24 * 3600] for pixels, frames, when in rows]
    notes.write_text(json.dumps(aged), "utf-8")
    assert moody("fine").render(shot, unheard).notes == ()


def test_notes_that_cannot_be_read_are_found_out_again(
    moody: Moody, shot: Shot, tmp_path: Path
) -> None:
    """A disk that was full."""
    fits = f"fits {shot.settings.width * shot.settings.height * 13}"
    moody(fits).render(shot, unheard)
    (notes,) = (tmp_path / "limits").iterdir()
    notes.write_text("[[", "utf-8")

    assert moody("fine").render(shot, unheard).notes == ()


def test_no_memory_at_all_is_an_honest_error_and_the_next_clip_is_made(
    moody: Moody, shot: Shot
) -> None:
    """Every rung fails twice; that says nothing about what the card can do later."""
    engine = moody(*["memory"] * 10, "fine")

    failed = failure(engine, shot)
    frames = engine.render(shot, unheard)

    assert failed.reason is FailureReason.OUT_OF_MEMORY
    assert not failed.transient
    assert frames.notes == ()


def test_a_clip_that_fails_the_gates_gets_one_more_try(moody: Moody, shot: Shot) -> None:
    """A still first, then a clip: the person sees the clip."""
    frames = moody("still", "fine").render(shot, unheard)

    assert frames.num_frames == shot.settings.num_frames


def test_two_clips_that_fail_the_gates_are_an_honest_error(moody: Moody, shot: Shot) -> None:
    """A still is not a result."""
    assert failure(moody("still"), shot).reason is FailureReason.CLIP_REJECTED


def test_a_photo_is_cut_and_never_stretched(moody: Moody, shot: Shot) -> None:
    """A wide photo in a square clip: its middle, from top to bottom; circles stay round."""
    wide = Image.new("RGB", (400, 200), "blue")
    wide.paste("red", (100, 0, 300, 200))
    settings = replace(shot.settings, width=64, height=64)

    frames = moody("fine", vivant_toml=ANY_CLIP).render(
        replace(shot, photo=wide, settings=settings), unheard
    )

    first = next(iter(frames.pictures))
    assert first.shape == (64, 64, 3)
    assert np.all(first[:, 4:-4] == (255, 0, 0))


def test_a_tall_photo_keeps_its_upper_part(moody: Moody, shot: Shot) -> None:
    """Heads are there."""
    tall = Image.new("RGB", (200, 400), "blue")
    tall.paste("red", (0, 80, 200, 260))
    settings = replace(shot.settings, width=64, height=64)

    frames = moody("fine", vivant_toml=ANY_CLIP).render(
        replace(shot, photo=tall, settings=settings), unheard
    )

    assert np.all(next(iter(frames.pictures))[8:56] == (255, 0, 0))


def test_a_loop_leads_back_to_its_first_frame(moody: Moody, shot: Shot) -> None:
    """There and back, in about the time that was promised, at half the price."""
    settings = replace(shot.settings, loop=True, num_frames=33)

    frames = moody("fine").render(replace(shot, settings=settings), unheard)

    pictures = np.stack(list(frames.pictures))
    assert frames.num_frames == len(pictures) == 32
    assert np.array_equal(pictures[1:], pictures[:0:-1])


def test_the_profile_of_a_directory_is_whole_once_it_is_loaded(moody: Moody) -> None:
    """What its file leaves open comes from the pipeline."""
    profile = moody("fine", vivant_toml="clip = { num_frames = 9 }").profile

    assert (profile.default_num_frames, profile.max_num_frames) == (9, 9)
    assert (profile.frame_rate, profile.frame_stride, profile.size_multiple) == (24, 4, 16)


def test_a_rehearsal_finds_out_what_the_card_can_do(moody: Moody, shot: Shot) -> None:
    """Every bucket is rendered before anyone waits: the first clip goes straight to what fits."""
    width, height = shot.settings.width, shot.settings.height
    engine = moody(
        f"fits {width * height * 13}",
        vivant_toml="speed = { warm_up = true }\n"
        f"clip = {{ num_frames = 17, buckets = [[{width}, {height}]] }}",
    )
    heard: list[int] = []

    frames = engine.render(shot, lambda step, total: heard.append(step))

    assert heard == [1, 2, 3, 4]
    assert frames.notes == (Note.FEWER_FRAMES,)


def test_a_rehearsal_that_fails_is_a_setting_that_is_wrong(moody: Moody) -> None:
    """Better at start than at the first photo."""
    with pytest.raises(SettingsError, match="does not render"):
        moody(
            "error",
            vivant_toml="speed = { warm_up = true }\n"
            "clip = { num_frames = 17, buckets = [[96, 64]] }",
        )


def test_a_closed_engine_hands_its_job_back(moody: Moody, shot: Shot) -> None:
    """Closed in the middle of a render, by another thread as well: no process is left."""
    engine = moody("fine")

    def close(step: int, total: int) -> None:
        threading.Thread(target=engine.close).start()

    with pytest.raises(RenderError) as raised:
        engine.render(shot, close)

    assert raised.value.transient
    assert failure(engine, shot).transient
    assert engine.pid is None


def test_weights_that_cannot_be_used_are_a_setting_that_is_wrong(
    moody: Moody, tmp_path: Path
) -> None:
    """The text of the worker process comes through."""
    (tmp_path / "unusable").touch()

    with pytest.raises(SettingsError, match="these are no weights"):
        moody()


def test_the_process_ends_with_its_parent(tmp_path: Path) -> None:
    """Even a parent that is killed leaves no process on the card."""
    (tmp_path / "model_index.json").write_text("{}", "utf-8")
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path\n"
            "from vivant.engine.diffusion.host import Host, Post\n"
            "here = Path(sys.argv[1])\n"
            "host = Host(Post(folder=here, models=here, device='cpu',"
            " module='tests.diffusion.stand_in'))\n"
            "host.start(); print(host.pid, flush=True); sys.stdin.read()",
            str(tmp_path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with parent:
        assert parent.stdout
        pidfd = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        # Readable once the process is gone; it is no child of ours.
        gone, _, _ = select.select([pidfd], [], [], 30)
        os.close(pidfd)

    assert gone


def test_the_parent_never_imports_torch() -> None:
    """Nor diffusers, nor transformers: they are the worker process's gigabytes."""
    code = (
        "import sys; import vivant.engine.diffusion.engine\n"
        "print({'torch', 'diffusers', 'transformers'} & sys.modules.keys())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "set()"


def test_asking_what_is_here_needs_no_hub() -> None:
    """A machine with the CPU engine alone has none of the GPU engine's packages."""
    code = (
        "import sys; import vivant.engine.diffusion.cards, vivant.engine.diffusion.download\n"
        "print({'huggingface_hub', 'numpy', 'cv2'} & sys.modules.keys())"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "set()"


def test_the_process_knows_no_secret_and_no_hub(
    moody: Moody, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens of bots stay with the bots; nothing is fetched at run time."""
    monkeypatch.setenv("VIVANT_TELEGRAM_TOKEN", "secret")
    engine = moody("fine")

    told = Path(f"/proc/{engine.pid}/environ").read_bytes().split(b"\0")

    assert not [each for each in told if each.startswith(b"VIVANT_")]
    assert b"HF_HUB_OFFLINE=1" in told
