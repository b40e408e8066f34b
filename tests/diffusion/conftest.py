"""Tiny pipelines on the disk, and engines that end with the test."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from vivant.clips import ClipSettings
from vivant.director.plan import Action, Beat, Plan
from vivant.engine import Shot
from vivant.engine.diffusion.engine import DiffusionEngine
from vivant.engine.diffusion.host import Post
from vivant.engine.diffusion.preset import folder_of, named, of_directory

# Tiny tensors: a second thread only waits for the first. Read when torch is imported.
os.environ.setdefault("OMP_NUM_THREADS", "1")

#: Loads an engine on a directory: (folder, limits and module of the post).
OpenEngine = Callable[..., DiffusionEngine]

#: What a test renders: small, and right for every family.
SMALL = ClipSettings(width=96, height=64, num_frames=17, frame_rate=24, seed=7)


@pytest.fixture(scope="session")
def photo() -> Image.Image:
    """A smooth picture, 4 to 3, without any asset."""
    rows, columns = np.mgrid[0:90, 0:120].astype(np.float32)
    shades = np.stack([columns / 120, rows / 90, 0.5 + 0.5 * np.sin(columns / 7)], axis=-1)
    return Image.fromarray((shades * 255).astype(np.uint8))


@pytest.fixture(scope="session")
def shot(photo: Image.Image) -> Shot:
    """Two people shall hug, in a small clip."""
    plan = Plan(words="a warm hug", beats=(Beat(action=Action.HUG),))
    return Shot(photo=photo, plan=plan, settings=SMALL)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the tiny repositories of this run lie."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def wan_folder(models: Path) -> Path:
    """A plain directory: a tiny Wan 5B that makes small clips in four steps."""
    from tests.diffusion import tiny  # noqa: PLC0415 - imports torch

    return tiny.saved(
        tiny.wan_5b(),
        models / "tiny-wan",
        "clip = { num_frames = 17, max_num_frames = 33, area = 6144 }\n"
        "call = { num_inference_steps = 4, guidance_scale = 1.0 }\n"
        "prompting = { style = 'wan' }\n",
    )


@pytest.fixture
def open_engine(models: Path) -> Iterator[OpenEngine]:
    """Opens engines on the CPU; all of them end with the test."""
    with ExitStack() as stack:

        def opened(folder: Path, **post: Any) -> DiffusionEngine:
            told: dict[str, Any] = {"models": models, "device": "cpu"} | post
            engine = DiffusionEngine(of_directory(folder), Post(folder=folder, **told))
            stack.callback(engine.close)
            engine.setup()
            return engine

        yield opened


@pytest.fixture(scope="session")
def wan_engine(wan_folder: Path, models: Path) -> Iterator[DiffusionEngine]:
    """A tiny Wan at work for all who leave it at work: a process with torch takes seconds."""
    engine = DiffusionEngine(
        of_directory(wan_folder), Post(folder=wan_folder, models=models, device="cpu")
    )
    engine.setup()
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def repositories(models: Path) -> Path:
    """What `download` would leave for the shipped presets, with tiny random weights.

    Two of the three repositories name the class that makes clips of words alone.
    """
    from tests.diffusion import tiny  # noqa: PLC0415 - imports torch

    fast, balanced, best = (named(name) for name in ("fast", "balanced", "best"))
    base = tiny.saved(
        tiny.as_class("WanPipeline", tiny.wan_5b(), expand_timesteps=True),
        folder_of(models, fast.weights.repo),
    )
    part = folder_of(models, fast.weights.parts[0].repo)
    part.mkdir()
    (base / "transformer").rename(part / "transformer")
    tiny.saved(tiny.wan_a14b(), folder_of(models, balanced.weights.repo))
    for lora, strength in zip(balanced.weights.loras, (0.1, 0.2), strict=True):
        tiny.wan_lora(folder_of(models, lora.repo), lora.file, strength=strength)
    tiny.saved(tiny.as_class("LTX2Pipeline", tiny.ltx2()), folder_of(models, best.weights.repo))
    return models


@pytest.fixture
def moody(open_engine: OpenEngine, tmp_path: Path) -> Callable[..., DiffusionEngine]:
    """Opens an engine whose worker process has these moods, one after another."""

    def opened(*moods: str, vivant_toml: str = "", **post: Any) -> DiffusionEngine:
        (tmp_path / "model_index.json").write_text("{}", "utf-8")
        (tmp_path / "moods").write_text("\n".join(moods), "utf-8")
        (tmp_path / "vivant.toml").write_text(vivant_toml, "utf-8")
        return open_engine(tmp_path, models=tmp_path, module="tests.diffusion.stand_in", **post)

    return opened


@pytest.fixture
def two_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a large and a small card."""
    program = tmp_path / "nvidia-smi"
    program.write_text(
        "#!/bin/sh\n"
        "echo '0, GPU-aaaa, NVIDIA H100 80GB HBM3, 81559'\n"
        "echo '1, GPU-bbbb, NVIDIA GeForce RTX 4070, 12282'\n",
        "utf-8",
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
