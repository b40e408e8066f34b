"""The folder that a clip is made in: nothing of it stays, however its process ends."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from vivant.engine.workbench import workbench

#: Half a clip lies there; then it waits to be killed.
_AT_WORK = """
import sys
from vivant.engine.workbench import workbench
with workbench() as folder:
    (folder / "clip.mp4").write_bytes(b"half a clip")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this process and its children keep what is for a while."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def at_work() -> tuple[subprocess.Popen[str], Path]:
    """Another process in the middle of a clip, for longer than a clip takes."""
    process = subprocess.Popen(
        [sys.executable, "-c", _AT_WORK], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    folder = Path(process.stdout.readline().strip())
    os.utime(folder, (1, 1))
    return process, folder


def test_nothing_stays_after_the_block(temporary: Path) -> None:
    with workbench() as folder:
        (folder / "clip.mp4").write_bytes(b"a clip")
        assert folder.parent == temporary

    assert list(temporary.glob("vivant*")) == []


def test_what_a_killed_process_left_goes_with_the_next_clip(temporary: Path) -> None:
    """And what one that lives is at work on stays."""
    killed, left = at_work()
    living, in_use = at_work()
    killed.kill()
    killed.communicate()

    with workbench():
        assert not left.exists()
        assert in_use.exists()

    living.communicate()
    assert list(temporary.glob("vivant*")) == []


def test_nobody_elses_folder_is_touched(temporary: Path) -> None:
    """Not by a link of that name either."""
    theirs = temporary / "theirs"
    theirs.mkdir()
    (theirs / "clip.mp4").touch()
    (temporary / "vivant-clip-link").symlink_to(theirs)
    os.utime(theirs, (1, 1))

    with workbench():
        pass

    assert (theirs / "clip.mp4").exists()
