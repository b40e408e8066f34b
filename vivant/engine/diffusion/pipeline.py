"""One loaded pipeline, whatever its family: the same call, steps, cancel and frames for all.

Imports torch and diffusers, so it is for the worker process only. Knows no pipe and no parent.
"""

import functools
import gc
import importlib
import importlib.util
import inspect
import json
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch
import transformers
from numpy.typing import NDArray
from PIL import Image

from vivant.engine import OnStep, RenderStopped, Sound
from vivant.engine.diffusion.preset import Placement, Preset, Schedule, Weights, folder_of
from vivant.engine.diffusion.wire import Failed, Ready, Render, Take, Trouble

logger = logging.getLogger(__name__)

#: Typed only in part.
_diffusers: Any = diffusers

#: Where pipelines keep what denoises; Wan A14B has two.
_DENOISERS = ("transformer", "transformer_2", "unet")
#: What their calls take the photo as.
_PHOTO_NAMES = ("image", "cond_image")
#: Families whose call knows no frame rate, by the start of the class name; else 24.
_FRAME_RATES = {"Wan": 16, "CogVideoX": 8, "SkyReels": 24, "Hunyuan": 24, "StableVideo": 7}
#: Exact attention, the fastest first: (module that must be installed, backend, compute
#: capability it starts at). Nothing is fetched from a hub.
_ATTENTION = (("flash_attn_interface", "_flash_3", (9, 0)), ("flash_attn", "flash", (8, 0)))
_DTYPES = {
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "float32": torch.float32,
}
#: What an encoded prompt is known by; with anything else it is encoded anew.
_PLAIN = (str, int, float, torch.dtype, type(None))
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
        self._offered = inspect.signature(type(self._pipe).__call__).parameters
        self._photo_name = self._checked()
        if preset.schedule.scheduler:
            self._pipe.scheduler = forced(preset.schedule)
        self._denoisers = [
            part for name in _DENOISERS if (part := getattr(self._pipe, name, None)) is not None
        ]
        self._watch = _Watch(self._denoisers)
        self._vae = _PatientVae(self._pipe.vae, self._watch)
        _keep_prompts(self._pipe, preset.speed.prompt_cache_mb * 1_000_000)
        self._was_short = False
        self._place(_placement(preset, self._device))
        if self._device.type == "cuda":
            self._choose_attention()
            if preset.speed.compile:
                self._compile()

    @classmethod
    def load(cls, preset: Preset, folder: Path, *, models: Path, device: str) -> "Pipeline":
        """Load from *folder*; the repositories of parts and LoRAs lie in *models*."""
        _quieten()
        try:
            _placement(preset, torch.device(device))
            return cls(preset, _loaded(preset, folder, models, torch.device(device)), device)
        except Trouble:
            raise
        except Exception as exc:
            # What a wrong file makes of the loaders is not written down anywhere.
            raise _unusable(f"{type(exc).__name__}: {exc}") from exc

    @property
    def ready(self) -> Ready:
        """What it makes, read from its parts and the defaults of its call."""
        pipe, clip = self._pipe, self._preset.clip
        stride = _either(pipe, "vae_scale_factor_temporal", "vae_temporal_compression_ratio", 1)
        spatial = _either(pipe, "vae_scale_factor_spatial", "vae_spatial_compression_ratio", 8)
        patch = getattr(self._denoisers[0].config, "patch_size", 1)
        across = patch[-1] if isinstance(patch, Sequence) else patch
        usual = next((_FRAME_RATES[each] for each in _FRAME_RATES if self._is_a(each)), 24)
        expands = bool(getattr(pipe.config, "expand_timesteps", False))
        frame_rate = clip.frame_rate or int(
            self._default("frame_rate") or self._default("fps") or (24 if expands else usual)
        )
        asked = clip.num_frames or int(
            self._default("num_frames") or self._default("frames") or 4 * frame_rate
        )
        return Ready(
            pipeline=type(pipe).__name__,
            frame_rate=frame_rate,
            num_frames=(asked - 1) // stride * stride + 1,
            frame_stride=stride,
            size_multiple=spatial * across,
            has_sound=getattr(pipe, "vocoder", None) is not None,
            takes_last_photo="last_image" in self._offered and not expands,
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
                pictures=_pictures(made.frames[0]),
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

    def _checked(self) -> str:
        """Refuse a pipeline that takes no photo, or not what the preset passes."""
        name = type(self._pipe).__name__
        unknown = self._preset.call.keys() - self._offered.keys()
        if unknown:
            raise _unusable(f"{name} takes no {', '.join(sorted(unknown))}")
        photo_name = next((each for each in _PHOTO_NAMES if each in self._offered), None)
        if photo_name is None:
            raise _unusable(f"{name} takes no photo")
        return photo_name

    def _call(
        self, order: Render, photos: Sequence[Image.Image], on_step: OnStep
    ) -> dict[str, Any]:
        """What the pipeline is called with: all that its family's signature offers."""
        sigmas = self._preset.schedule.sigmas
        own = self._preset.call.get("num_inference_steps")
        steps = int(len(sigmas) or own or self._default("num_inference_steps"))

        def after_step(
            pipe: Any, index: int, timestep: object, tensors: dict[str, Any]
        ) -> dict[str, Any]:
            on_step(index + 1, len(pipe.scheduler.timesteps))
            return tensors

        if "callback_on_step_end" not in self._offered:
            self._watch.count_steps(on_step, steps)
        call: dict[str, Any] = {
            self._photo_name: photos[0],
            "prompt": order.prompt,
            "width": order.width,
            "height": order.height,
            "num_frames": order.num_frames,
            "frames": order.num_frames,
            "frame_rate": order.frame_rate,
            "fps": order.frame_rate,
            "num_inference_steps": steps,
            # On the CPU, so that a seed is the same performance on every card.
            "generator": torch.Generator("cpu").manual_seed(order.seed),
            "callback_on_step_end": after_step,
            "output_type": "pt",
        }
        if order.negative_prompt:
            call["negative_prompt"] = order.negative_prompt
        if len(photos) > 1:
            call["last_image"] = photos[1]
        call |= self._preset.call
        return {name: value for name, value in call.items() if name in self._offered}

    def _sound(self, audio: torch.Tensor | None) -> Sound | None:
        if audio is None:
            return None
        # channels x samples, or samples alone; -1 to 1
        waves = audio[0].float().cpu().nan_to_num().clamp(-1, 1)
        waves = waves if waves.ndim == 2 else waves[None]
        return Sound(
            samples=(waves.T * 32767).round().to(torch.int16).contiguous().numpy().tobytes(),
            channels=waves.shape[0],
            sample_rate=self._pipe.vocoder.config.output_sampling_rate,
        )

    def _place(self, placement: Placement) -> None:
        """Put the weights where the card's memory lets them be."""
        pipe = self._pipe
        if placement.storage:
            for denoiser in self._denoisers:
                denoiser.enable_layerwise_casting(
                    storage_dtype=getattr(torch, placement.storage),
                    compute_dtype=_dtype(self._preset.speed.dtype, self._device),
                )
        if placement.offload == "model":
            pipe.enable_model_cpu_offload(device=self._device)
        elif placement.offload == "encoders":
            modules = [
                n for n, part in pipe.components.items() if isinstance(part, torch.nn.Module)
            ]
            pipe.enable_group_offload(
                onload_device=self._device,
                offload_device=torch.device("cpu"),
                offload_type="leaf_level",
                use_stream=self._device.type == "cuda",
                exclude_modules=[name for name in modules if "_encoder" not in name],
            )
        else:
            pipe.to(self._device)

    def _choose_attention(self) -> None:
        backend = self._preset.speed.attention
        if backend == "best":
            card = torch.cuda.get_device_capability(self._device)
            backend = next(
                (
                    name
                    for module, name, since in _ATTENTION
                    if card >= since and importlib.util.find_spec(module)
                ),
                "native",
            )
        for denoiser in self._denoisers:
            try:
                denoiser.set_attention_backend(backend)
            except (ImportError, RuntimeError, ValueError):
                # Installed for another version or another card: torch's own is always there.
                logger.warning("attention by %s cannot be used", backend, exc_info=True)
                denoiser.set_attention_backend("native")

    def _compile(self) -> None:
        settings = torch._dynamo.config  # noqa: SLF001 - its only name
        # Each bucket, and each size that memory asks for, is a graph of its own; both experts
        # of a pair count against one limit.
        settings.recompile_limit = 64
        # Slower is better than nothing where a compiler is missing; it is logged.
        settings.suppress_errors = True
        for denoiser in self._denoisers:
            if getattr(denoiser, "_repeated_blocks", None):
                denoiser.compile_repeated_blocks(dynamic=False)

    def _default(self, name: str) -> Any:
        offered = self._offered.get(name)
        return None if offered is None or offered.default is offered.empty else offered.default

    def _is_a(self, family: str) -> bool:
        return type(self._pipe).__name__.startswith(family)


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


def _placement(preset: Preset, device: torch.device) -> Placement:
    memory = torch.cuda.mem_get_info(device)[1] / 1e9 if device.type == "cuda" else None
    placement = preset.placement_on(memory)
    if placement is None:
        raise _unusable(f"it needs a card of {preset.needs_gb:g} GB, this has {memory or 0:.0f} GB")
    return placement


def _loaded(preset: Preset, folder: Path, models: Path, device: torch.device) -> Any:
    """Read the pipeline and its parts from the disk: safetensors only, no foreign code."""
    speed = preset.speed
    default, vae = _dtype(speed.dtype, device), _dtype(speed.vae_dtype, device)
    kept: dict[str, Any] = {"use_safetensors": True, "local_files_only": True}
    index = json.loads((folder / "model_index.json").read_text("utf-8"))
    # By its own class: `DiffusionPipeline` overlooks parts that the class calls optional.
    kind = getattr(_diffusers, str(index["_class_name"]))
    parts: dict[str, Any] = dict.fromkeys(preset.weights.without)
    for part in preset.weights.parts:
        library, name = index[part.component]
        if library not in ("diffusers", "transformers"):
            raise _unusable(f"{part.component} is made of {library}, which is not trusted")
        parts[part.component] = getattr(importlib.import_module(library), name).from_pretrained(
            folder_of(models, part.repo) if part.repo else folder,
            subfolder=part.subfolder or None,
            dtype=vae if part.component == "vae" else default,
            **kept,
        )
    pipe = kind.from_pretrained(
        folder, dtype={"default": default, "vae": vae}, trust_remote_code=False, **parts, **kept
    )
    _fuse_loras(pipe, preset.weights, folder, models)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _fuse_loras(pipe: Any, weights: Weights, folder: Path, models: Path) -> None:
    for number, lora in enumerate(weights.loras):
        pipe.load_lora_weights(
            folder_of(models, lora.repo) if lora.repo else folder,
            weight_name=lora.file,
            adapter_name=f"lora_{number}",
            use_safetensors=True,
            local_files_only=True,
            **({"load_into_transformer_2": True} if lora.into == "transformer_2" else {}),
        )
    if weights.loras:
        pipe.fuse_lora(components=sorted({lora.into for lora in weights.loras}))
        pipe.unload_lora_weights()


class _Watch:
    """Hears every pass of every denoiser: counts it, and lets a stop come through."""

    def __init__(self, denoisers: Sequence[torch.nn.Module]) -> None:
        self.passes = 0
        self.check: Callable[[], None] = lambda: None
        self._on_step: OnStep | None = None
        self._steps = 0
        for denoiser in denoisers:
            denoiser.register_forward_pre_hook(self._heard)

    def start(self, check: Callable[[], None]) -> None:
        """A new render begins."""
        self.passes = 0
        self.check = check
        self._on_step = None

    def count_steps(self, on_step: OnStep, steps: int) -> None:
        """Take passes for steps: this family has no callback."""
        self._on_step = on_step
        self._steps = steps

    def _heard(self, module: torch.nn.Module, args: object) -> None:
        self.check()
        if self._on_step is not None and self.passes:
            self._on_step(min(self.passes, self._steps), self._steps)
        self.passes += 1


class _PatientVae:
    """Lets a VAE work in tiles where memory is too short for the whole, without a new denoise.

    What was too large once is tiled at once the next time; all else stays whole, which is
    faster and has no seams.
    """

    def __init__(self, vae: Any, watch: _Watch) -> None:
        self.tiled = False
        self._vae = vae
        self._watch = watch
        self._too_large: set[tuple[str, tuple[int, ...]]] = set()
        vae.decode = self._patient(vae.decode)
        vae.encode = self._patient(vae.encode)

    def _patient(self, work: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(work)
        def patient(tensor: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
            self._watch.check()
            shape = (work.__name__, tuple(tensor.shape))
            if shape not in self._too_large:
                try:
                    return work(tensor, *args, **kwargs)
                except torch.OutOfMemoryError:
                    logger.warning("out of memory: in tiles", extra={"work": work.__name__})
                    self._too_large.add(shape)
                # Out of the handler: its traceback holds on to what filled the memory.
                free_memory()
            self.tiled = True
            self._vae.enable_tiling()
            try:
                return work(tensor, *args, **kwargs)
            finally:
                self._vae.disable_tiling()

        return patient


def _keep_prompts(pipe: Any, limit_bytes: int) -> None:
    """Spare the text encoder what it said before; the oldest goes when *limit_bytes* are full.

    "Again" and the buttons of suggestions repeat themselves, and an encoder may be larger
    than all the rest.
    """
    encode = getattr(pipe, "encode_prompt", None)
    if encode is None or not limit_bytes:
        return
    kept: OrderedDict[object, tuple[torch.Tensor | None, ...]] = OrderedDict()

    def size(encoded: tuple[torch.Tensor | None, ...]) -> int:
        return sum(each.nbytes for each in encoded if each is not None)

    @functools.wraps(encode)
    def remembered(*args: Any, **kwargs: Any) -> Any:
        device = kwargs.get("device") or pipe._execution_device  # noqa: SLF001 - as it does itself
        said = {name: value for name, value in sorted(kwargs.items()) if name != "device"}
        if not all(isinstance(each, _PLAIN) for each in (*args, *said.values())):
            return encode(*args, **kwargs)
        asked = (*args, *said.items())
        if asked in kept:
            kept.move_to_end(asked)
            return tuple(
                each if each is None else each.to(device, copy=True) for each in kept[asked]
            )
        encoded = encode(*args, **kwargs)
        if isinstance(encoded, tuple) and all(
            each is None or isinstance(each, torch.Tensor) for each in encoded
        ):
            kept[asked] = tuple(
                each if each is None else each.detach().to("cpu", copy=True) for each in encoded
            )
            while sum(map(size, kept.values())) > limit_bytes:
                kept.popitem(last=False)
        return encoded

    pipe.encode_prompt = remembered


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


def _unusable(text: str) -> Trouble:
    return Trouble(Failed(kind="unusable", text=text))


def _quieten() -> None:
    """Warnings of the libraries quote prompts, and progress bars are for terminals."""
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()


def free_memory() -> None:
    """Give back what nobody holds any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _dtype(name: str, device: torch.device) -> torch.dtype:
    """A CPU computes in float32: it is slower in anything less."""
    return torch.float32 if device.type == "cpu" else _DTYPES[name]


def _either(pipe: Any, one: str, other: str, default: int) -> int:
    return int(getattr(pipe, one, None) or getattr(pipe, other, None) or default)
