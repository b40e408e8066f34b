"""Weights come from a hub on loopback: only what is safe, checked, at one commit."""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from vivant.engine.diffusion.download import download, is_present
from vivant.engine.diffusion.preset import folder_of, named
from vivant.errors import SettingsError

COMMIT = "c0ffee" + "0" * 34
NEWER = "decade" + "0" * 34


@dataclass
class Hub:
    """What the hub has, and what was asked of it."""

    repos: dict[str, dict[str, bytes]]
    commit: str = COMMIT
    gated: bool = False
    #: Paths of files that arrive with a bit flipped.
    broken: set[str] = field(default_factory=set)
    fetched: list[str] = field(default_factory=list)
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    """As much of the hub's API as its own library needs."""

    hub: Hub

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def log_message(self, *_: object) -> None:
        """Not in a test's output."""

    def _answer(self, *, with_body: bool) -> None:
        path = self.path.partition("?")[0].strip("/")
        if self.hub.gated:
            self._send(403, {"X-Error-Code": "GatedRepo"}, b"{}")
        elif path.startswith("api/models/"):
            self._send(200, {"Content-Type": "application/json"}, self._listing(path))
        else:
            repo, _, rest = path.partition("/resolve/")
            commit, _, name = rest.partition("/")
            content = self.hub.repos[repo][name]
            if with_body:
                self.hub.fetched.append(f"{repo}/{name}")
                if name in self.hub.broken:
                    content = bytes([content[0] ^ 1]) + content[1:]
            etag = hashlib.sha256(content).hexdigest()
            headers = {"ETag": f'"{etag}"', "X-Repo-Commit": commit}
            self._send(200, headers, content, with_body=with_body)

    def _listing(self, path: str) -> bytes:
        repo = path.removeprefix("api/models/").partition("/revision/")[0]
        siblings = [
            {"rfilename": name, "size": len(content), **_digests(name, content)}
            for name, content in self.hub.repos[repo].items()
        ]
        asked = path.partition("/revision/")[2]
        sha = asked or self.hub.commit
        return json.dumps({"id": repo, "sha": sha, "siblings": siblings}).encode()

    def _send(
        self, status: int, headers: dict[str, str], body: bytes, *, with_body: bool = True
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)


def _digests(name: str, content: bytes) -> dict[str, object]:
    """Large files are known by their SHA-256, small ones by git's id of their blob."""
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    if not name.endswith(".safetensors"):
        return {"blobId": blob}
    lfs = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "pointerSize": 1}
    return {"blobId": blob, "lfs": lfs}


@pytest.fixture
def hub() -> Iterator[Hub]:
    """The repositories of `fast`, with things in them that nobody should take."""
    weights = named("fast").weights
    base = {
        "model_index.json": b"{}",
        "vae/config.json": b'{"vae": 1}',
        "vae/diffusion_pytorch_model.safetensors": b"V" * 3000,
        "vae/diffusion_pytorch_model.bin": b"a pickle",
        "transformer/diffusion_pytorch_model.safetensors": b"the slow one",
        "pipeline.py": b"import os",
        "vae/../../elsewhere.json": b"{}",
        "another_vae/diffusion_pytorch_model.safetensors": b"for another pipeline",
    }
    part = {
        "transformer/config.json": b'{"fast": 1}',
        "transformer/diffusion_pytorch_model.safetensors": b"T" * 5000,
        "vae/diffusion_pytorch_model.safetensors": b"not asked for",
    }
    hub = Hub(repos={weights.repo: base, weights.parts[0].repo: part})
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": hub}))
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield hub
    server.shutdown()
    server.server_close()
    thread.join()


def unheard(here: int, total: int) -> None:
    """Nobody looks."""


def test_a_preset_is_fetched_from_all_its_repositories(hub: Hub, tmp_path: Path) -> None:
    """Only what it takes from each, no pickle and no code; then it counts as here."""
    preset = named("fast")
    heard: list[tuple[int, int]] = []

    assert not is_present(preset, tmp_path)
    download(preset, tmp_path, lambda *each: heard.append(each), endpoint=hub.url)

    base = folder_of(tmp_path, preset.weights.repo)
    part = folder_of(tmp_path, preset.weights.parts[0].repo)
    assert _files(base) == {
        "model_index.json",
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
    }
    assert _files(part) == {
        "transformer/config.json",
        "transformer/diffusion_pytorch_model.safetensors",
    }
    assert is_present(preset, tmp_path)
    # Nothing beside its folder, whatever a hub lists.
    assert not [each for each in hub.fetched if ".." in each]
    assert heard[0] == (0, heard[0][1])
    assert heard[-1] == (heard[0][1], heard[0][1])
    assert [here for here, _ in heard] == sorted(here for here, _ in heard)


def test_what_is_here_is_not_fetched_again(hub: Hub, tmp_path: Path) -> None:
    """A download that was stopped goes on where it was."""
    preset = named("fast")
    download(preset, tmp_path, unheard, endpoint=hub.url)
    hub.fetched.clear()
    lost = folder_of(tmp_path, preset.weights.repo) / "vae" / "config.json"
    lost.unlink()

    download(preset, tmp_path, unheard, endpoint=hub.url)

    assert hub.fetched == [f"{preset.weights.repo}/vae/config.json"]


def test_a_file_that_is_not_what_the_hub_says_is_thrown_away(hub: Hub, tmp_path: Path) -> None:
    """By its hash; the preset is not here then."""
    hub.broken.add("transformer/diffusion_pytorch_model.safetensors")

    with pytest.raises(SettingsError, match="is not what the hub says"):
        download(named("fast"), tmp_path, unheard, endpoint=hub.url)

    assert not is_present(named("fast"), tmp_path)


def test_a_preset_without_a_pin_stays_at_what_it_found_first(hub: Hub, tmp_path: Path) -> None:
    """The hub moved on; this machine's clips do not change by themselves."""
    preset = named("fast")
    download(preset, tmp_path, unheard, endpoint=hub.url)
    hub.commit = NEWER

    download(preset, tmp_path, unheard, endpoint=hub.url)

    record = folder_of(tmp_path, preset.weights.repo) / "vivant-weights.json"
    assert json.loads(record.read_text("utf-8"))["commit"] == COMMIT


def test_a_pin_that_moved_is_fetched_anew(hub: Hub, tmp_path: Path) -> None:
    """What is here is of another commit."""
    preset = named("fast")
    download(preset, tmp_path, unheard, endpoint=hub.url)
    pinned = replace(preset, weights=replace(preset.weights, revision=NEWER))

    assert not is_present(pinned, tmp_path)
    download(pinned, tmp_path, unheard, endpoint=hub.url)

    assert is_present(pinned, tmp_path)


def test_gated_weights_say_what_to_do(hub: Hub, tmp_path: Path) -> None:
    """The terms are on the hub's page; a token proves that they were taken."""
    hub.gated = True

    with pytest.raises(SettingsError, match="HF_TOKEN"):
        download(named("fast"), tmp_path, unheard, endpoint=hub.url)


def test_a_hub_out_of_reach_is_said_in_a_line(tmp_path: Path) -> None:
    """Not in a stack trace of the library."""
    with pytest.raises(SettingsError, match="Wan-AI"):
        download(named("fast"), tmp_path, unheard, endpoint="http://127.0.0.1:9")


def test_a_licence_that_was_not_taken_fetches_nothing(hub: Hub, tmp_path: Path) -> None:
    """The terms come first."""
    with pytest.raises(SettingsError, match="VIVANT_ACCEPT_LICENCES"):
        download(named("best"), tmp_path, unheard, endpoint=hub.url)

    assert hub.fetched == []


def _files(folder: Path) -> set[str]:
    """What is there, but for what the hub's library and we write down."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and ".cache" not in path.parts and path.name != "vivant-weights.json"
    }
