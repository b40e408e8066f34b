"""One loaded pipeline, whatever its family: the same call, steps, cancel and frames for all.

Imports torch and diffusers, so it is for the worker process only. Knows no pipe and no parent.
"""

import inspect
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from vivant.engine import OnStep, RenderStopped, Sound
from vivant.engine.diffusion import weights
from vivant.engine.diffusion.families import FAMILIES
from vivant.engine.diffusion.parts import (
    HeardScheduler,
    PatientVae,
    Watch,
    free_memory,
    keep_prompts,
)
from vivant.engine.diffusion.preset import Preset, Schedule
from vivant.engine.diffusion.wire import Failed, Ready, Render, Take, Trouble

logger = logging.getLogger(__name__)

#: Typed only in part.
_diffusers: Any = diffusers

#: Where pipelines keep what denoises; Wan A14B has two.
_DENOISERS = ("transformer", "transformer_2", "unet")
#: Seconds of a clip, where nothing knows the usual length.
_USUAL_S = 5
#: Frames that are turned to bytes at once; bounds the memory that the turning takes.
_AT_ONCE = 16

#: How the libraries say it when it is no `OutOfMemoryError` of torch.
_MEMORY_WORDS = ("out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
#: After these no call to the card succeeds any more in this process.
_BROKEN_WORDS = ("CUDA error", "device-side assert", "EXECUTION_FAILED", "NCCL error")


class Pipeline:
    """A diffusers pipeline *pipe*, set up for *device* as its preset says.

    Raises `Trouble`, in `load` and in `render`.
    """

    def __init__(self, preset: Preset, pipe: Any, device: str) -> None:
        self._preset = preset
        self._pipe = pipe
        self._device = torch.device(device)
        self._family = FAMILIES[type(pipe).__name__]
        self._offered = inspect.signature(type(pipe).__call__).parameters
        self._own = self._settled(dict(preset.call))
        if preset.schedule.scheduler:
            pipe.scheduler = forced(preset.schedule)
        self._denoisers = [
            part for name in _DENOISERS if (part := getattr(pipe, name, None)) is not None
        ]
        self._watch = Watch(self._denoisers)
        self._vae = PatientVae(pipe.vae, self._watch)
        self._scheduler = (
            None if "callback_on_step_end" in self._offered else HeardScheduler(pipe.scheduler)
        )
        keep_prompts(pipe, preset.speed.prompt_cache_mb * 1_000_000)
        self._was_short = False
        weights.placed(pipe, self._denoisers, preset, self._device)
        if self._device.type == "cuda":
            weights.choose_attention(self._denoisers, preset.speed.attention, self._device)
            if preset.speed.compile:
                weights.compiled(self._denoisers)

    @classmethod
    def load(cls, preset: Preset, folder: Path, *, models: Path, device: str) -> "Pipeline":
        """Load from *folder*; the repositories of parts and LoRAs lie in *models*."""
        where = torch.device(device)
        try:
            weights.placement_on(preset, where)
            return cls(preset, weights.loaded(preset, folder, models, where), device)
        except Trouble:
            raise
        except Exception as exc:
            # What wrong weights make of the libraries is not written down anywhere.
            raise weights.unusable(f"{type(exc).__name__}: {exc}") from exc

    @property
    def ready(self) -> Ready:
        """What it makes, read from its parts and the defaults of its call."""
        pipe, clip, family = self._pipe, self._preset.clip, self._family
        stride = _either(pipe, "vae_scale_factor_temporal", "vae_temporal_compression_ratio", 1)
        spatial = _either(pipe, "vae_scale_factor_spatial", "vae_spatial_compression_ratio", 8)
        patch = getattr(self._denoisers[0].config, "patch_size", 1)
        across = patch[-1] if isinstance(patch, Sequence) else patch
        frame_rate = clip.frame_rate or int(
            self._default("frame_rate") or self._default("fps") or family.rate(pipe)
        )
        asked = clip.num_frames or int(
            family.num_frames(pipe)
            or self._default("num_frames")
            or self._default("frames")
            or _USUAL_S * frame_rate + 1
        )
        return Ready(
            pipeline=type(pipe).__name__,
            made_on=self._made_on(),
            frame_rate=frame_rate,
            num_frames=(asked - 1) // stride * stride + 1,
            frame_stride=stride,
            size_multiple=max(spatial * across, family.size_multiple),
            sizes=[list(size) for size in family.sizes(pipe)],
            has_sound=getattr(pipe, "vocoder", None) is not None,
            takes_last_photo=family.takes_last_photo(pipe),
        )

    def render(
        self,
        order: Render,
        photos: Sequence[Image.Image],
        on_step: OnStep,
        check: Callable[[], None],
    ) -> Take:
        """Make one clip; *photos* have its size already.

        *on_step* is called after every step, *check* before every pass of a denoiser and of
        the VAE; what they raise comes out, and leaves the pipeline as good as new.
        """
        if self._was_short:
            # The last one's exception, and all that its traceback held on to, is gone by now.
            free_memory()
            self._was_short = False
        self._watch.start(check)
        if self._scheduler is not None:
            self._scheduler.start(on_step)
        self._vae.tiled = False
        on_card = self._device.type == "cuda"
        if on_card:
            torch.cuda.reset_peak_memory_stats(self._device)
        # A scheduler that adds noise in its steps draws it from here, as no pipeline hands it
        # the generator of the call; and not the noise again that the clip began as.
        torch.manual_seed(order.seed + 1)
        try:
            made = self._pipe(**self._call(order, photos, on_step))
            return Take(
                # Families that make their clips in windows make whole windows.
                pictures=_pictures(made.frames[0][: order.num_frames]),
                sound=self._sound(getattr(made, "audio", None)),
                passes=self._watch.passes,
                tiled=self._vae.tiled,
                peak_bytes=torch.cuda.max_memory_allocated(self._device) if on_card else 0,
            )
        except RenderStopped:
            self._pipe.maybe_free_model_hooks()
            raise
        except Exception as exc:
            trouble = Trouble(_failed(exc))
            self._was_short = trouble.failed.kind == "memory"
            if trouble.failed.kind != "broken":
                self._pipe.maybe_free_model_hooks()
            raise trouble from exc

    def _made_on(self) -> str:
        on_card = self._device.type == "cuda"
        card = torch.cuda.get_device_name(self._device) if on_card else self._device.type
        return f"{card}, torch {torch.__version__}, diffusers {diffusers.__version__}"

    def _settled(self, own: dict[str, Any]) -> dict[str, Any]:
        """What of the preset's arguments its call takes; guidance may have an object of its own.

        An argument that nothing takes is refused.
        """
        guider: Any = getattr(self._pipe, "guider", None)
        known = guider.config.keys() if guider is not None else set()
        guided = (own.keys() - self._offered.keys()) & known
        for_guider = {name: own[name] for name in guided}
        if for_guider:
            self._pipe.guider = guider.new(**for_guider)
        unknown = own.keys() - self._offered.keys() - for_guider.keys()
        if unknown:
            name = type(self._pipe).__name__
            raise weights.unusable(f"{name} takes no {', '.join(sorted(unknown))}")
        return {name: value for name, value in own.items() if name not in for_guider}

    def _call(
        self, order: Render, photos: Sequence[Image.Image], on_step: OnStep
    ) -> dict[str, Any]:
        """What the pipeline is called with: all that its family's signature offers."""

        def after_step(
            pipe: Any, index: int, timestep: object, tensors: dict[str, Any]
        ) -> dict[str, Any]:
            on_step(index + 1, len(pipe.scheduler.timesteps))
            return tensors

        frames = order.num_frames + self._family.lost_frames(self._pipe)
        call: dict[str, Any] = {
            "prompt": order.prompt,
            "width": order.width,
            "height": order.height,
            "num_frames": frames,
            "frames": frames,
            "frame_rate": order.frame_rate,
            "fps": order.frame_rate,
            # On the CPU, so that a seed is the same performance on every card.
            "generator": torch.Generator("cpu").manual_seed(order.seed),
            "callback_on_step_end": after_step,
            "output_type": "pt",
        }
        if self._preset.schedule.sigmas:
            call["num_inference_steps"] = len(self._preset.schedule.sigmas)
        if order.negative_prompt:
            call["negative_prompt"] = order.negative_prompt
        call |= self._family.photos(self._pipe, photos, order.num_frames) | self._own
        return {name: value for name, value in call.items() if name in self._offered}

    def _sound(self, audio: torch.Tensor | None) -> Sound | None:
        if audio is None:
            return None
        # channels x samples, or samples alone; -1 to 1
        waves = audio[0].float().cpu().nan_to_num().clamp(-1, 1)
        waves = waves if waves.ndim == 2 else waves[None]
        told = getattr(self._pipe, "audio_sample_rate", None)
        return Sound(
            samples=(waves.T * 32767).round().to(torch.int16).contiguous().numpy().tobytes(),
            channels=waves.shape[0],
            sample_rate=told or self._pipe.vocoder.config.output_sampling_rate,
        )

    def _default(self, name: str) -> Any:
        offered = self._offered.get(name)
        return None if offered is None or offered.default is offered.empty else offered.default


def forced(schedule: Schedule) -> Any:
    """A scheduler that steps through these noise levels, whatever the pipeline asks for.

    Wan takes no list of them, and LTX would shift it: the defaults silently give another one.
    """
    kind = getattr(_diffusers, schedule.scheduler)

    class Forced(kind):  # type: ignore[misc, valid-type]
        def set_timesteps(
            self, num_inference_steps: object = None, device: object = None, **_: object
        ) -> None:
            super().set_timesteps(sigmas=list(schedule.sigmas), device=device)

    Forced.set_timesteps.__signature__ = inspect.signature(kind.set_timesteps)  # type: ignore[attr-defined]
    return Forced(**schedule.config)


def _pictures(video: torch.Tensor) -> NDArray[np.uint8]:
    """Turn frames x 3 x height x width, 0 to 1, into bytes before they leave the card."""
    frames, _, height, width = video.shape
    pictures = np.empty((frames, height, width, 3), np.uint8)
    for start in range(0, frames, _AT_ONCE):
        part = video[start : start + _AT_ONCE].float().nan_to_num()
        part = part.mul(255).round_().clamp_(0, 255).to(torch.uint8)
        pictures[start : start + _AT_ONCE] = part.permute(0, 2, 3, 1).cpu().numpy()
    return pictures


def _failed(exc: Exception) -> Failed:
    """Tell what can be helped by asking for less from what cannot be helped at all."""
    text = f"{type(exc).__name__}: {exc}"
    if isinstance(exc, (torch.OutOfMemoryError, MemoryError)) or any(
        words in text for words in _MEMORY_WORDS
    ):
        return Failed(kind="memory", text=text)
    if any(words in text for words in _BROKEN_WORDS):
        return Failed(kind="broken", text=text)
    return Failed(kind="error", text=text)


def _either(pipe: Any, one: str, other: str, default: int) -> int:
    return int(getattr(pipe, one, None) or getattr(pipe, other, None) or default)
