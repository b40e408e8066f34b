"""The GPU engine around a tiny Wan on the CPU: what it costs, how soon it stops and is back.

A bare call of the same pipeline, in this process, takes turns with the engine and its worker
process; same weights, size, steps and seed. Who begins changes from round to round, and it goes
on until neither has been faster than before for a while: what a neighbour costs does not count.

python -m bench.diffusion [--rounds 60]
"""

import argparse
import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import diffusers as typed_diffusers
import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table

from tests.diffusion import tiny
from vivant.clips import ClipSettings
from vivant.director.plan import Plan
from vivant.engine import RenderStopped, Shot
from vivant.engine.diffusion.engine import DiffusionEngine
from vivant.engine.diffusion.host import Post
from vivant.engine.diffusion.preset import of_directory
from vivant.errors import RenderError

diffusers: Any = typed_diffusers

STEPS = 4
BESIDE = f"call = {{ num_inference_steps = {STEPS}, guidance_scale = 1.0 }}"
#: Rounds without a faster one, after which no faster one is waited for.
SETTLED = 8
SIZES = ((96, 64, 17), (320, 192, 33))


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def shot_of(width: int, height: int, frames: int) -> Shot:
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    shades = np.stack([columns / width, rows / height, 0.5 + 0.5 * np.sin(columns / 7)], axis=-1)
    return Shot(
        photo=Image.fromarray((shades * 255).astype(np.uint8)),
        plan=Plan(words="group hug", beats=()),
        settings=ClipSettings(width=width, height=height, num_frames=frames, frame_rate=24),
    )


def bare_call(pipe: Any, shot: Shot) -> object:
    """What one would write without the engine, up to the bytes."""
    made = pipe(
        image=shot.photo,
        prompt=shot.plan.words,
        width=shot.settings.width,
        height=shot.settings.height,
        num_frames=shot.settings.num_frames,
        num_inference_steps=STEPS,
        guidance_scale=1.0,
        generator=torch.Generator("cpu").manual_seed(0),
        output_type="np",
    )
    return (made.frames[0] * 255).round().astype("uint8")


@dataclass
class Way:
    """One way to make a clip, and what its rounds took."""

    work: Callable[[], object]
    took_s: list[float] = field(default_factory=list)

    def again(self) -> None:
        self.took_s.append(seconds(self.work))

    @property
    def least_s(self) -> float:
        return min(self.took_s)

    @property
    def is_settled(self) -> bool:
        """Whether the last rounds brought nothing new: less than a hundredth."""
        before = self.took_s[:-SETTLED]
        return bool(before) and min(before) <= self.least_s * 1.01


def overhead(engine: DiffusionEngine, pipe: Any, rounds: int) -> Table:
    """The least of the rounds is what the code costs; the median also has the neighbours' load."""
    table = Table("clip", "rounds", "bare, s (median)", "engine, s (median)", "more", "allowed")
    for width, height, frames in SIZES:
        shot = shot_of(width, height, frames)
        bare = Way(partial(bare_call, pipe, shot))
        ours = Way(partial(engine.render, shot, unheard))
        # Both are warm before it counts.
        bare.work(), ours.work()
        while len(ours.took_s) < rounds and not (bare.is_settled and ours.is_settled):
            turns = (bare, ours) if len(ours.took_s) % 2 else (ours, bare)
            for way in turns:
                way.again()
        table.add_row(
            f"{width} x {height} x {frames}",
            str(len(ours.took_s)),
            *(f"{way.least_s:.3f} ({statistics.median(way.took_s):.3f})" for way in (bare, ours)),
            f"{(ours.least_s - bare.least_s) * 1000:+.0f} ms",
            f"{bare.least_s * 50 + 50:.0f} ms",
        )
    return table


def unheard(step: int, total: int) -> None:
    pass


def cancel(engine: DiffusionEngine) -> tuple[int, float]:
    """Stop at the first step: the last step that was heard of, and seconds until it is free."""
    heard: list[float] = []

    def stop(step: int, total: int) -> None:
        heard.append(time.perf_counter())
        raise RenderStopped

    try:
        engine.render(shot_of(*SIZES[-1]), stop)
    except RenderStopped:
        return len(heard), time.perf_counter() - heard[0]
    raise AssertionError("it was not stopped")


def revival(engine: DiffusionEngine) -> tuple[float, float]:
    """Kill the worker process in a render: seconds until it is noticed, and until a clip."""
    killed: list[float] = []

    def kill(step: int, total: int) -> None:
        assert engine.pid
        os.kill(engine.pid, signal.SIGKILL)
        killed.append(time.perf_counter())

    small = shot_of(96, 64, 17)
    try:
        engine.render(small, kill)
    except RenderError:
        noticed = time.perf_counter() - killed[0]
    else:
        raise AssertionError("it was not noticed")
    engine.render(small, unheard)
    return noticed, time.perf_counter() - killed[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=60, help="at most")
    rounds = parser.parse_args().rounds
    console = Console()
    # One thread each: a neighbour's load then slows both alike.
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    diffusers.utils.logging.disable_progress_bar()
    with tempfile.TemporaryDirectory() as models:
        folder = tiny.saved(tiny.wan_5b(), Path(models) / "tiny-wan", BESIDE)
        pipe = diffusers.WanImageToVideoPipeline.from_pretrained(folder)
        pipe.set_progress_bar_config(disable=True)
        engine = DiffusionEngine(
            of_directory(folder), Post(folder=folder, models=Path(models), device="cpu")
        )
        console.print(f"from nothing to loaded: {seconds(engine.setup):.1f} s")
        console.print(overhead(engine, pipe, rounds))
        steps, free = cancel(engine)
        console.print(f"cancel: {steps} step heard of, free again after {free:.2f} s")
        noticed, back = revival(engine)
        console.print(f"SIGKILL: noticed after {noticed * 1000:.0f} ms, next clip at {back:.1f} s")
        engine.close()


if __name__ == "__main__":
    main()
