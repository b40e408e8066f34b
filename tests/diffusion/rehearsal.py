"""A loaded pipeline with a photo at hand, called as the worker process does it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from vivant.engine.diffusion.preset import Preset
from vivant.engine.diffusion.wire import Render, Take

ORDER = Render(
    prompt="a warm hug",
    negative_prompt="",
    seed=7,
    width=96,
    height=64,
    num_frames=17,
    frame_rate=24,
)


def nothing(*_: object) -> None:
    """Nobody listens."""


class Rehearsal:
    """A loaded pipeline with a photo at hand."""

    def __init__(self, preset: Preset, folder: Path, models: Path, photo: Image.Image) -> None:
        from vivant.engine.diffusion.pipeline import Pipeline  # noqa: PLC0415 - imports torch

        self.pipeline = Pipeline.load(preset, folder, models=models, device="cpu")
        #: diffusers' own object.
        self.pipe: Any = self.pipeline._pipe
        self.photo = photo

    def render(
        self,
        order: Render = ORDER,
        on_step: Callable[[int, int], None] = nothing,
        check: Callable[[], None] = nothing,
    ) -> Take:
        """Render *order* with the photo in its size."""
        photo = self.photo.resize((order.width, order.height))
        return self.pipeline.render(order, [photo] * order.photos, on_step, check)
