"""`vivant` as people and scripts use it: what it says, what it ends with, what it leaves behind."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import vivant
from tests.conftest import frames_of, wait_until
from tests.puppet.conftest import MODELS
from vivant.demo import PHOTO
from vivant.director.look import models

NOBODYS = "123456:AAE-a-token-of-nobody"


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With the models of the CPU engine, as `vivant engine download puppet` leaves them."""
    models.fetch(MODELS)
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "models").symlink_to(MODELS.parent)
    monkeypatch.setenv("VIVANT_DATA_DIR", str(folder))
    return folder


def told(*words: str) -> subprocess.CompletedProcess[str]:
    """What becomes of `vivant WORDS`."""
    command = [sys.executable, "-m", "vivant", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def left_behind(data_dir: Path) -> list[str]:
    """The command lines of what still works on *data_dir*; a Redis is at home there."""
    mine = f"VIVANT_DATA_DIR={data_dir}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            is_home = (process / "cwd").readlink().is_relative_to(data_dir)
            is_told = mine in (process / "environ").read_bytes()
            if (is_home or is_told) and process.name != str(os.getpid()):
                found.append((process / "cmdline").read_text().replace("\0", " "))
        except OSError:  # it ended meanwhile, or is somebody else's
            continue
    return found


def start_up(log: Path) -> subprocess.Popen[bytes]:
    """`vivant up`, which writes *log*."""
    with log.open("wb") as out:
        return subprocess.Popen([sys.executable, "-m", "vivant", "up"], stdout=out, stderr=out)


def test_a_script_gets_a_clip_and_one_line_about_it(data_dir: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"

    made = told("animate", str(PHOTO), "slow zoom in", "--seconds", "1", "-o", str(clip), "--json")

    assert made.returncode == 0, made.stderr
    (line,) = made.stdout.splitlines()
    told_script = json.loads(line)
    assert told_script["clip"] == str(clip)
    assert set(told_script["seconds"]) == {"wait", "prepare", "render", "encode", "store"}
    assert len(frames_of(clip.read_bytes(), tmp_path)) == 24
    assert left_behind(data_dir) == []


@pytest.mark.parametrize(
    ("words", "exit_code", "sentence"),
    [
        (["no-such-file.jpg"], 1, "there is no file no-such-file.jpg"),
        ([str(PHOTO), "zoom", "-o", "no/such/folder/clip.mp4"], 1, "no such folder"),
        ([str(PHOTO), "zoom", "-o", str(PHOTO)], 1, "a clip is an mp4"),
        ([str(PHOTO), "group hug"], 3, "Nothing was charged"),
        ([__file__, "zoom"], 3, "Nothing was charged"),
    ],
)
def test_a_script_is_told_why_there_is_no_clip(
    words: list[str], exit_code: int, sentence: str
) -> None:
    ended = told("animate", *words, "--json")

    assert ended.returncode == exit_code
    (line,) = ended.stdout.splitlines()
    assert json.loads(line)["clip"] is None
    assert sentence in json.loads(line)["said"]


def test_a_setting_that_cannot_be_is_one_line_and_no_traceback(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VIVANT_KEEP_HOURS", "for ever")

    for words in (["up"], ["engine"], ["bot", "telegram"], ["doctor"], ["admin", "jobs"]):
        ended = told(*words)

        assert ended.returncode == 1, words
        assert ended.stderr.startswith("vivant: VIVANT_KEEP_HOURS: "), words
        assert len(ended.stderr.splitlines()) == 1, words


def test_it_says_which_vivant_it_is() -> None:
    assert told("--version").stdout == f"vivant {vivant.__version__}\n"


def test_the_doctor_is_content_where_nothing_is_missing_but_a_token() -> None:
    seen = told("doctor")

    assert seen.returncode == 0, seen.stdout
    for what in ("redis", "ledger", "media", "engine", "ffmpeg"):
        assert f"✓  {what}" in seen.stdout
    assert "VIVANT_TELEGRAM_TOKEN" in seen.stdout
    assert "VIVANT_DISCORD_TOKEN" in seen.stdout


def test_the_doctor_says_how_to_mend_what_does_not_answer_and_shows_no_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Port 9 is closed; one thing that is broken hides nothing that comes after it."""
    monkeypatch.setenv("VIVANT_TELEGRAM_TOKEN", NOBODYS)
    monkeypatch.setenv("VIVANT_TELEGRAM_API_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("VIVANT_REDIS_URL", "redis://127.0.0.1:9")
    monkeypatch.setenv("COLUMNS", "200")

    seen = told("doctor")

    assert seen.returncode == 1
    assert "✗  redis" in seen.stdout
    assert "✓  ledger" in seen.stdout
    assert "see VIVANT_TELEGRAM_API_URL" in seen.stdout
    assert NOBODYS not in seen.stdout + seen.stderr


def test_an_up_of_which_nothing_can_start_says_so_to_a_service_manager(data_dir: Path) -> None:
    (data_dir / "models").unlink()

    ended = told("up")

    assert ended.returncode == 78
    assert "vivant engine download puppet" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert left_behind(data_dir) == []


async def test_up_runs_until_ctrl_c_and_leaves_nothing_behind(data_dir: Path) -> None:
    log = data_dir / "up.log"
    up = start_up(log)
    try:
        await wait_until(lambda: "engine ready" in log.read_text(), within_s=40)
        assert any("redis-server" in command for command in left_behind(data_dir))
        assert "no bot is set up" in log.read_text()
        up.send_signal(signal.SIGINT)
        await wait_until(lambda: up.poll() is not None, within_s=40)
    finally:
        up.kill()

    assert up.returncode == 0
    assert "Traceback" not in log.read_text()
    assert left_behind(data_dir) == []


async def test_an_up_that_was_killed_takes_its_children_along(data_dir: Path) -> None:
    """They notice that nobody holds the other end of their standard input."""
    log = data_dir / "up.log"
    up = start_up(log)
    await wait_until(lambda: "engine ready" in log.read_text(), within_s=40)
    up.kill()
    up.wait()

    await wait_until(lambda: left_behind(data_dir) == [], within_s=40)
