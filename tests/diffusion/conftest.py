"""Tiny pipelines on the disk, and engines that end with the test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
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
from vivant.engine.diffusion.preset import Preset, Speed, file_of, folder_of, named, of_directory

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
            engine = DiffusionEngine(
                of_directory(folder), Post(folder=folder, models=models, device="cpu", **post)
            )
            stack.callback(engine.close)
            engine.setup()
            return engine

        yield opened


def shipped(name: str, models: Path) -> tuple[Preset, Post]:
    """A shipped preset as it is, on the tiny weights in *models*; nothing is warmed up."""
    preset = named(name)
    post = Post(
        folder=folder_of(models, preset.weights.repo),
        models=models,
        device="cpu",
        preset_file=file_of(preset),
    )
    return replace(preset, speed=Speed(warm_up=False)), post
