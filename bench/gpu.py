"""A preset's real architecture with random weights on a card: stock diffusers, then our engine.

Speed and memory do not depend on what the weights are. Both run in one process on the same
weights, schedule, size and seed: first the pipeline as diffusers gives it, all on the card,
eager, and then the same object under `vivant.engine.diffusion.pipeline`.

python -m bench.gpu fast [--rounds 3]
python -m bench.gpu fast --tiny      # on the CPU, only to see that this script runs

Not yet run on a card. The configurations below are typed in from the papers and from the
defaults of diffusers' classes, and not yet compared with the published `config.json` files.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
from vivant.engine.diffusion.wire import Render

# Typed only in part.
diffusers: Any = typed_diffusers
transformers: Any = typed_transformers
ltx2_parts: Any = typed_ltx2

WORDS = ("a warm hug", "a gentle kiss", "they laugh", "they wave", "they sway", "they nod")


def wan_text() -> dict[str, Any]:
    """UMT5-XXL (google/umt5-xxl): 5.7 billion parameters."""
    config = transformers.UMT5Config(
        vocab_size=256_384,
        d_model=4096,
        d_kv=64,
        d_ff=10_240,
        num_layers=24,
        num_heads=64,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
    )
    return {
        "tokenizer": tiny.t5_tokenizer(),
        "text_encoder": transformers.UMT5EncoderModel(config).eval(),
    }


def wan_5b() -> Any:
    """Wan2.2 TI2V-5B: 30 layers of 3072; VAE 16 x 16 x 4 (arXiv 2503.20314, Wan2.2's README)."""
    transformer = diffusers.WanTransformer3DModel(
        num_attention_heads=24,
        attention_head_dim=128,
        in_channels=48,
        out_channels=48,
        ffn_dim=14_336,
        num_layers=30,
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
        **wan_text(),
        vae=vae,
        transformer=transformer,
        scheduler=tiny.unipc(),
        expand_timesteps=True,
    )


def wan_a14b() -> Any:
    """Wan2.2 I2V-A14B: two experts of 40 layers of 5120; VAE 8 x 8 x 4 (as Wan2.1 14B)."""
    experts = [diffusers.WanTransformer3DModel(in_channels=36, out_channels=16) for _ in range(2)]
    return diffusers.WanImageToVideoPipeline(
        **wan_text(),
        vae=diffusers.AutoencoderKLWan(),
        transformer=experts[0],
        transformer_2=experts[1],
        scheduler=tiny.unipc(),
        boundary_ratio=0.9,
    )


def ltx_2() -> Any:
    """LTX-2 19B, by the defaults of diffusers' classes, and the text half of Gemma 3 12B.

    LTX-2.5's own configuration was not at hand.
    """
    text = {
        "hidden_size": 3840,
        "intermediate_size": 15_360,
        "num_hidden_layers": 48,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 256,
        "vocab_size": 262_208,
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
        connectors=ltx2_parts.LTX2TextConnectors(),
        transformer=diffusers.LTX2VideoTransformer3DModel(),
        vocoder=LTX2Vocoder(),
    )


REAL: dict[str, Callable[[], Any]] = {"fast": wan_5b, "balanced": wan_a14b, "best": ltx_2}
TINY: dict[str, Callable[[], Any]] = {
    "fast": tiny.wan_5b,
    "balanced": tiny.wan_a14b,
    "best": tiny.ltx2,
}


def built(preset: Preset, device: torch.device, *, is_tiny: bool) -> Any:
    """The pipeline with random weights, each part made where and as it computes."""
    if is_tiny:
        return TINY[preset.name]()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with device:
            pipe = REAL[preset.name]()
    finally:
        torch.set_default_dtype(torch.float32)
    pipe.vae.to(getattr(torch, preset.speed.vae_dtype))
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
    """What one way of rendering took."""

    way: str
    first_s: float
    clips_s: list[float]
    again_s: float
    step_s: float
    passes: int
    text_s: float
    decode_s: float
    peak_gb: float


def measured(way: str, render: Callable[[str], object], stages: Stages, rounds: int) -> Row:
    """The first clip, some with new words, and one with words that were said before."""
    on_card = stages.device.type == "cuda"
    if on_card:
        torch.cuda.reset_peak_memory_stats(stages.device)

    def clip(words: str) -> float:
        stages.seconds.clear()
        began = stages.now()
        render(words)
        return stages.now() - began

    first = clip("the first words")
    clips = [clip(WORDS[number % len(WORDS)]) for number in range(rounds)]
    done = dict(stages.seconds)
    again = clip(WORDS[(rounds - 1) % len(WORDS)])
    passes = done["denoise"]
    return Row(
        way=way,
        first_s=first,
        clips_s=clips,
        again_s=again,
        step_s=statistics.median(passes),
        passes=len(passes),
        text_s=sum(done.get("text", [])),
        decode_s=sum(done["decode"]),
        peak_gb=torch.cuda.max_memory_allocated(stages.device) / 1e9 if on_card else 0.0,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("preset", choices=sorted(REAL))
    parser.add_argument("--tiny", action="store_true", help="on the CPU, to check this script")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bucket", type=int, default=0, help="which of the preset's sizes")
    arguments = parser.parse_args()
    console = Console()
    device = torch.device("cpu" if arguments.tiny else "cuda")
    # All on the card, as stock is: what differs is how it computes.
    preset = replace(named(arguments.preset), placements=(Placement(),))
    width, height = preset.clip.buckets[arguments.bucket]
    frames = preset.clip.num_frames
    if arguments.tiny:
        width, height, frames = 96, 64, 17
    photo = Image.fromarray(
        np.random.default_rng(0).integers(0, 255, (height, width, 3), dtype=np.uint8)
    )
    pipe = built(preset, device, is_tiny=arguments.tiny).to(device)
    pipe.set_progress_bar_config(disable=True)
    stages = Stages(device)
    stages.watch("text", pipe.text_encoder)
    for name in ("transformer", "transformer_2"):
        if getattr(pipe, name, None) is not None:
            stages.watch("denoise", getattr(pipe, name))
    stages.watch_decode(pipe.vae)
    pipe.scheduler = forced(preset.schedule)

    def stock(words: str) -> object:
        rate = {"frame_rate": preset.clip.frame_rate} if preset.clip.has_sound else {}
        made = pipe(
            image=photo,
            prompt=words,
            width=width,
            height=height,
            num_frames=frames,
            num_inference_steps=len(preset.schedule.sigmas),
            generator=torch.Generator("cpu").manual_seed(0),
            output_type="np",
            **preset.call,
            **rate,
        )
        return (made.frames[0] * 255).round().astype("uint8")

    rows = [measured("stock diffusers", stock, stages, arguments.rounds)]
    pipeline = Pipeline(preset, pipe, device.type)

    def ours(words: str) -> object:
        order = Render(
            prompt=words,
            negative_prompt="",
            seed=0,
            width=width,
            height=height,
            num_frames=frames,
            frame_rate=preset.clip.frame_rate,
        )
        return pipeline.render(order, [photo], lambda step, total: None, lambda: None)

    rows.append(measured("vivant", ours, stages, arguments.rounds))
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU, tiny"
    console.print(
        f"{preset.name}: {width} x {height} x {frames} on {card}, torch {torch.__version__}, "
        f"diffusers {diffusers.__version__}"
    )
    table = Table("way", "first", "clip", "again", "a step", "passes", "text", "decode", "peak GB")
    for row in rows:
        table.add_row(
            row.way,
            f"{row.first_s:.2f}",
            f"{statistics.median(row.clips_s):.2f}",
            f"{row.again_s:.2f}",
            f"{row.step_s:.3f}",
            str(row.passes),
            f"{row.text_s:.2f}",
            f"{row.decode_s:.2f}",
            f"{row.peak_gb:.1f}",
        )
    console.print(table)
    console.print(f"{min(rows[0].clips_s) / min(rows[1].clips_s):.2f} times as fast as stock")


if __name__ == "__main__":
    main()
