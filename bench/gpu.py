"""A preset's real architecture with random weights on a card: stock diffusers, then our engine.

Speed and memory do not depend on what the weights are. Both run in one process on the same
weights, schedule, size and seed: first the pipeline as diffusers gives it, eager, and then the
same object under `vivant.engine.diffusion.pipeline`. Both lie all on the card. Each row is told
and written as soon as it is there, so that a run may be stopped.

python -m bench.gpu fast [--rounds 3] [--bucket 0] [--json rows.json]
python -m bench.gpu fast --shallow   # on the CPU: the real widths, one layer of each
python -m bench.gpu fast --tiny      # on the CPU, only to see that this script runs

Not yet run on a card. The configurations below are typed in from the papers and from the
defaults of diffusers' classes, and not yet compared with the published `config.json` files;
`tests/diffusion/test_architectures.py` holds their numbers of parameters.
"""

import argparse
import gc
import json
import os
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import diffusers as typed_diffusers
import numpy as np
import torch
import transformers as typed_transformers
from diffusers.pipelines import ltx2 as typed_ltx2
from diffusers.pipelines.ltx2.vocoder import LTX2Vocoder
from PIL import Image
from rich.console import Console
from rich.table import Table

from tests.diffusion import tiny
from vivant.engine.diffusion.pipeline import Pipeline, forced
from vivant.engine.diffusion.preset import Placement, Preset, named
from vivant.engine.diffusion.wire import Render, Trouble

# Typed only in part.
diffusers: Any = typed_diffusers
transformers: Any = typed_transformers
ltx2_parts: Any = typed_ltx2

WORDS = ("a warm hug", "a gentle kiss", "they laugh", "they wave", "they sway", "they nod")
#: Of a card's memory, what weights may take: the rest is for what a clip needs.
MOST_WEIGHTS = 0.85


@dataclass(frozen=True)
class Depth:
    """How much of a model is built: all of it, or one layer and few words, at full width."""

    is_shallow: bool = False

    def layers(self, of: int) -> int:
        return 1 if self.is_shallow else of

    def words(self, of: int) -> int:
        return 256 if self.is_shallow else of


def wan_text(depth: Depth) -> dict[str, Any]:
    """UMT5-XXL (google/umt5-xxl): 5.7 billion parameters."""
    config = transformers.UMT5Config(
        vocab_size=depth.words(256_384),
        d_model=4096,
        d_kv=64,
        d_ff=10_240,
        num_layers=depth.layers(24),
        num_heads=64,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
    )
    return {
        "tokenizer": tiny.t5_tokenizer(),
        "text_encoder": transformers.UMT5EncoderModel(config).eval(),
    }


def wan_5b(depth: Depth) -> Any:
    """Wan2.2 TI2V-5B: 30 layers of 3072; VAE 16 x 16 x 4 (arXiv 2503.20314, Wan2.2's README)."""
    transformer = diffusers.WanTransformer3DModel(
        num_attention_heads=24,
        attention_head_dim=128,
        in_channels=48,
        out_channels=48,
        ffn_dim=14_336,
        num_layers=depth.layers(30),
    )
    vae = diffusers.AutoencoderKLWan(
        base_dim=160,
        decoder_base_dim=256,
        z_dim=48,
        is_residual=True,
        in_channels=12,
        out_channels=12,
        patch_size=2,
        latents_mean=[0.0] * 48,
        latents_std=[1.0] * 48,
        scale_factor_spatial=16,
    )
    return diffusers.WanImageToVideoPipeline(
        **wan_text(depth),
        vae=vae,
        transformer=transformer,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        expand_timesteps=True,
    )


def wan_a14b(depth: Depth) -> Any:
    """Wan2.2 I2V-A14B: two experts of 40 layers of 5120; VAE 8 x 8 x 4 (as Wan2.1 14B)."""
    experts = [
        diffusers.WanTransformer3DModel(
            in_channels=36, out_channels=16, num_layers=depth.layers(40)
        )
        for _ in range(2)
    ]
    return diffusers.WanImageToVideoPipeline(
        **wan_text(depth),
        vae=diffusers.AutoencoderKLWan(),
        transformer=experts[0],
        transformer_2=experts[1],
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        boundary_ratio=0.9,
    )


def ltx_2(depth: Depth) -> Any:
    """LTX-2 19B, by the defaults of diffusers' classes, and the text half of Gemma 3 12B.

    LTX-2.5's own configuration was not at hand.
    """
    text = {
        "hidden_size": 3840,
        "intermediate_size": 15_360,
        "num_hidden_layers": depth.layers(48),
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 256,
        "vocab_size": depth.words(262_208),
    }
    vision = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1,
              "num_attention_heads": 2, "image_size": 28, "patch_size": 14}  # fmt: skip
    config = transformers.Gemma3Config(text_config=text, vision_config=vision)
    return diffusers.LTX2ImageToVideoPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=diffusers.AutoencoderKLLTX2Video(
            spatial_compression_ratio=32, temporal_compression_ratio=8
        ),
        audio_vae=diffusers.AutoencoderKLLTX2Audio(),
        text_encoder=transformers.Gemma3ForConditionalGeneration(config).eval(),
        tokenizer=tiny.gemma_tokenizer(),
        # It reads what comes out of every layer, and what goes into the first.
        connectors=ltx2_parts.LTX2TextConnectors(text_proj_in_factor=depth.layers(48) + 1),
        transformer=diffusers.LTX2VideoTransformer3DModel(num_layers=depth.layers(48)),
        vocoder=LTX2Vocoder(),
    )


REAL: dict[str, Callable[[Depth], Any]] = {"fast": wan_5b, "balanced": wan_a14b, "best": ltx_2}
TINY: dict[str, Callable[[], Any]] = {
    "fast": tiny.wan_5b,
    "balanced": tiny.wan_a14b,
    "best": tiny.ltx2,
}


def built(name: str, device: torch.device, depth: Depth) -> Any:
    """The pipeline with random weights, each part made where and as it computes."""
    # A card computes as the presets say, a CPU as it can.
    torch.set_default_dtype(torch.float32 if device.type == "cpu" else torch.bfloat16)
    try:
        with device:
            pipe = REAL[name](depth)
    finally:
        torch.set_default_dtype(torch.float32)
    if device.type != "cpu":
        pipe.vae.to(getattr(torch, named(name).speed.vae_dtype))
    return pipe


@dataclass
class Stages:
    """Seconds of one clip by what was done; the card is waited for at every border."""

    device: torch.device
    seconds: dict[str, list[float]] = field(default_factory=dict)

    def watch(self, name: str, module: torch.nn.Module) -> None:
        """Time every forward of *module*."""
        began: list[float] = []
        module.register_forward_pre_hook(lambda *_: began.append(self.now()))
        module.register_forward_hook(
            lambda *_: self.seconds.setdefault(name, []).append(self.now() - began.pop())
        )

    def watch_decode(self, vae: Any) -> None:
        """Time every decode."""
        decode = vae.decode

        def timed(*args: Any, **kwargs: Any) -> Any:
            began = self.now()
            made = decode(*args, **kwargs)
            self.seconds.setdefault("decode", []).append(self.now() - began)
            return made

        # The engine goes by the name of what it wraps.
        timed.__name__ = "decode"
        vae.decode = timed

    def now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()


@dataclass
class Row:
    """What one way of rendering took; seconds."""

    way: str
    #: Compiling included.
    first_s: float
    #: With words that were never said before.
    clips_s: list[float]
    #: With words that were said before.
    again_s: float
    #: The median pass of a denoiser.
    pass_s: float
    passes: int
    text_s: float
    decode_s: float
    peak_gb: float


def measured(way: str, render: Callable[[str], object], stages: Stages, rounds: int) -> Row:
    """The first clip, some with new words, and one with words that were said before."""
    gc.collect()
    if stages.device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(stages.device)

    def clip(words: str) -> float:
        stages.seconds.clear()
        began = stages.now()
        render(words)
        return stages.now() - began

    first = clip("the first words")
    said = [f"{WORDS[number % len(WORDS)]}, number {number}" for number in range(rounds)]
    clips = [clip(words) for words in said]
    done = dict(stages.seconds)
    again = clip(said[-1])
    return Row(
        way=way,
        first_s=first,
        clips_s=clips,
        again_s=again,
        pass_s=statistics.median(done["denoise"]),
        passes=len(done["denoise"]),
        text_s=sum(done.get("text", [])),
        decode_s=sum(done["decode"]),
        peak_gb=(
            torch.cuda.max_memory_allocated(stages.device) / 1e9
            if stages.device.type == "cuda"
            else 0.0
        ),
    )


@dataclass(frozen=True)
class Clip:
    """What is rendered."""

    photo: Image.Image
    width: int
    height: int
    frames: int


def rows_of(
    preset: Preset, pipe: Any, clip: Clip, device: torch.device, rounds: int
) -> Iterator[Row]:
    """Stock diffusers, and then ours around the same object; a way that fails says so."""
    stages = Stages(device)
    stages.watch("text", pipe.text_encoder)
    for name in ("transformer", "transformer_2"):
        if getattr(pipe, name, None) is not None:
            stages.watch("denoise", getattr(pipe, name))
    stages.watch_decode(pipe.vae)
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = forced(preset.schedule)
    rate = {"frame_rate": preset.clip.frame_rate} if preset.clip.has_sound else {}

    def stock(words: str) -> object:
        made = pipe(
            image=clip.photo,
            prompt=words,
            width=clip.width,
            height=clip.height,
            num_frames=clip.frames,
            num_inference_steps=len(preset.schedule.sigmas),
            generator=torch.Generator("cpu").manual_seed(0),
            output_type="np",
            **preset.call,
            **rate,
        )
        return (np.nan_to_num(made.frames[0]) * 255).round().astype("uint8")

    pipeline: list[Pipeline] = []

    def ours(words: str) -> object:
        if not pipeline:
            pipeline.append(Pipeline(preset, pipe, device.type))
        order = Render(
            prompt=words,
            negative_prompt="",
            seed=0,
            width=clip.width,
            height=clip.height,
            num_frames=clip.frames,
            frame_rate=preset.clip.frame_rate,
        )
        return pipeline[0].render(order, [clip.photo], lambda step, total: None, lambda: None)

    for way, render in (("stock diffusers", stock), ("vivant", ours)):
        try:
            yield measured(way, render, stages, rounds)
        except (torch.OutOfMemoryError, Trouble) as exc:
            print(f"{way}: {type(exc).__name__}: {exc}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("preset", choices=sorted(REAL))
    small = parser.add_mutually_exclusive_group()
    small.add_argument("--tiny", action="store_true")
    small.add_argument("--shallow", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bucket", type=int, default=0, help="which of the preset's sizes")
    parser.add_argument("--json", type=Path, help="where the rows go as well")
    arguments = parser.parse_args()
    is_small = arguments.tiny or arguments.shallow
    device = torch.device("cpu" if is_small else "cuda")
    if device.type == "cuda" and not torch.cuda.is_available():
        parser.error("torch finds no card; --tiny and --shallow need none")
    # As the engine's worker process has it; read when the card is first used.
    os.environ.setdefault("PYTORCH_ALLOC_CONF", "expandable_segments:True")
    # All on the card, as stock is: what differs is how it computes.
    preset = replace(named(arguments.preset), placements=(Placement(),))
    width, height = preset.clip.buckets[arguments.bucket]
    frames = preset.clip.num_frames
    if is_small:
        width, height, frames = 96, 64, 17
    noise = np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    clip = Clip(Image.fromarray(noise), width, height, frames)
    console = Console(highlight=False)
    if not is_small:
        _check_fits(parser, preset.name, device)
    with torch.no_grad():
        pipe = (
            TINY[preset.name]()
            if arguments.tiny
            else built(preset.name, device, Depth(is_shallow=arguments.shallow))
        )
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else "a CPU"
    console.print(
        f"{preset.name}: {width} x {height} x {frames} on {card}, torch {torch.__version__}, "
        f"diffusers {diffusers.__version__}, {weights_gb(pipe):.1f} GB of weights"
    )
    rows: list[Row] = []
    for row in rows_of(preset, pipe, clip, device, arguments.rounds):
        rows.append(row)
        console.print(f"{row.way}: {statistics.median(row.clips_s):.2f} s a clip")
        if arguments.json:
            told = {
                "preset": preset.name,
                "size": [width, height, frames],
                "card": card,
                "torch": torch.__version__,
                "diffusers": diffusers.__version__,
                "rows": [asdict(each) for each in rows],
            }
            arguments.json.write_text(json.dumps(told, indent=1), "utf-8")
    console.print(table(rows))
    if len(rows) == 2:
        stock, ours = (min(row.clips_s) for row in rows)
        console.print(f"{stock / ours:.2f} times as fast as stock")


def weights_gb(pipe: Any) -> float:
    """What the weights of all parts take."""
    parts = [part for part in pipe.components.values() if isinstance(part, torch.nn.Module)]
    return sum(weight.nbytes for part in parts for weight in part.parameters()) / 1e9


def table(rows: list[Row]) -> Table:
    """The rows as a person reads them."""
    told = Table("way", "first", "clip", "again", "a pass", "passes", "text", "decode", "peak GB")
    for row in rows:
        told.add_row(
            row.way,
            f"{row.first_s:.2f}",
            f"{statistics.median(row.clips_s):.2f}",
            f"{row.again_s:.2f}",
            f"{row.pass_s:.3f}",
            str(row.passes),
            f"{row.text_s:.2f}",
            f"{row.decode_s:.2f}",
            f"{row.peak_gb:.1f}",
        )
    return told


def _check_fits(parser: argparse.ArgumentParser, name: str, device: torch.device) -> None:
    """Say it before minutes are spent on making what does not fit."""
    needs = weights_gb(built(name, torch.device("meta"), Depth()))
    has = torch.cuda.mem_get_info(device)[1] / 1e9
    if needs > MOST_WEIGHTS * has:
        parser.error(f"{name} has {needs:.0f} GB of weights, this card {has:.0f} GB: take less")


if __name__ == "__main__":
    main()
