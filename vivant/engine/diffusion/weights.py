"""Weights from the disk to the card: read whole or refused, and laid where memory lets them be.

safetensors only, no code of strangers, nothing fetched. What does not fit together is said in a
sentence that names the part. Imports torch and diffusers.
"""

import contextlib
import importlib.util
import inspect
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import diffusers
import torch
import transformers

from vivant.engine.diffusion.families import class_for
from vivant.engine.diffusion.preset import Lora, Part, Placement, Preset, Weights, folder_of
from vivant.engine.diffusion.wire import Failed, Trouble

logger = logging.getLogger(__name__)

#: Typed only in part.
_diffusers: Any = diffusers

#: Exact attention, the fastest first: (module that must be installed, backend, compute
#: capability it starts at). Nothing is fetched from a hub.
_ATTENTION = (("flash_attn_interface", "_flash_3", (9, 0)), ("flash_attn", "flash", (8, 0)))
_DTYPES = {
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
    "float32": torch.float32,
}
#: Libraries whose text is too long for a line.
_MOST_TEXT = 300
#: Share of a LoRA's layers that the denoiser may be without: lightx2v's have some for the eyes
#: of an older Wan.
_MOST_UNKNOWN = 1 / 4
_FROM_DISK: Final[Mapping[str, Any]] = {"use_safetensors": True, "local_files_only": True}


def loaded(preset: Preset, folder: Path, models: Path, device: torch.device) -> Any:
    """The pipeline in *folder*; the repositories of parts and LoRAs lie in *models*.

    Raises `Trouble` that says what is missing, broken, or not for photos.
    """
    _quieten()
    index = _index(folder)
    try:
        kind = getattr(_diffusers, class_for(index))
    except LookupError as exc:
        raise unusable(str(exc)) from exc
    dtypes = {
        "default": dtype(preset.speed.dtype, device),
        "vae": dtype(preset.speed.vae_dtype, device),
    }
    named, wanted = _named_parts(index, preset.weights), preset.weights.components
    takes = inspect.signature(kind.__init__).parameters
    parts: dict[str, Any] = {}
    elsewhere = {part.component: part for part in preset.weights.parts}
    for name, (library, class_name) in named.items():
        if wanted and name not in wanted:
            # What another class takes is never asked for; what this one would take is denied it.
            if name in takes:
                parts[name] = None
            continue
        part = elsewhere.get(name, Part(component=name, subfolder=name))
        home = folder_of(models, part.repo) if part.repo else folder
        with _about(name):
            source = home / part.subfolder
            if not source.is_dir():
                raise unusable(f"there is no folder {source}")
            made_of = _class(library, class_name)
            if issubclass(made_of, torch.nn.Module):
                parts[name] = _read(made_of, source, dtypes.get(name, dtypes["default"]))
            elif name in elsewhere:
                parts[name] = made_of.from_pretrained(source, local_files_only=True)
    with _about(kind.__name__):
        pipe = kind.from_pretrained(
            folder, dtype=dtypes, trust_remote_code=False, **parts, **_FROM_DISK
        )
    for number, lora in enumerate(preset.weights.loras):
        with _about(lora.file):
            _load_lora(pipe, f"lora_{number}", lora, folder, models)
    if preset.weights.loras:
        pipe.fuse_lora(components=sorted({lora.into for lora in preset.weights.loras}))
        pipe.unload_lora_weights()
    pipe.set_progress_bar_config(disable=True)
    return pipe


def placed(pipe: Any, denoisers: Sequence[Any], preset: Preset, device: torch.device) -> None:
    """Put the weights where the card's memory lets them be."""
    placement = placement_on(preset, device)
    if placement.storage:
        for denoiser in denoisers:
            denoiser.enable_layerwise_casting(
                storage_dtype=getattr(torch, placement.storage),
                compute_dtype=dtype(preset.speed.dtype, device),
            )
    if placement.offload == "model":
        pipe.enable_model_cpu_offload(device=device)
    elif placement.offload == "encoders":
        modules = [n for n, part in pipe.components.items() if isinstance(part, torch.nn.Module)]
        pipe.enable_group_offload(
            onload_device=device,
            offload_device=torch.device("cpu"),
            offload_type="leaf_level",
            use_stream=device.type == "cuda",
            exclude_modules=[name for name in modules if "_encoder" not in name],
        )
    else:
        pipe.to(device)


def placement_on(preset: Preset, device: torch.device) -> Placement:
    """How it lies on *device*; raises `Trouble` when that is too small."""
    memory = torch.cuda.mem_get_info(device)[1] / 1e9 if device.type == "cuda" else None
    placement = preset.placement_on(memory)
    if placement is None:
        raise unusable(f"it needs a card of {preset.needs_gb:g} GB, this has {memory or 0:.0f} GB")
    return placement


def choose_attention(denoisers: Sequence[Any], backend: str, device: torch.device) -> None:
    """Let them attend by *backend*, "best" being the fastest exact one that is installed."""
    if backend == "best":
        card = torch.cuda.get_device_capability(device)
        backend = next(
            (
                name
                for module, name, since in _ATTENTION
                if card >= since and importlib.util.find_spec(module)
            ),
            "native",
        )
    for denoiser in denoisers:
        try:
            denoiser.set_attention_backend(backend)
        except (ImportError, RuntimeError, ValueError):
            # Installed for another version or another card: torch's own is always there.
            logger.warning("attention by %s cannot be used", backend, exc_info=True)
            denoiser.set_attention_backend("native")


def compiled(denoisers: Sequence[Any]) -> None:
    """Compile the blocks that they repeat, for each shape when it first comes."""
    settings = torch._dynamo.config  # noqa: SLF001 - its only name
    # Each bucket, and each size that memory asks for, is a graph of its own; both experts
    # of a pair count against one limit.
    settings.recompile_limit = 64
    # Slower is better than nothing where a compiler is missing; it is logged.
    settings.suppress_errors = True
    for denoiser in denoisers:
        if getattr(denoiser, "_repeated_blocks", None):
            denoiser.compile_repeated_blocks(dynamic=False)


def dtype(name: str, device: torch.device) -> torch.dtype:
    """A CPU computes in float32: it is slower in anything less."""
    return torch.float32 if device.type == "cpu" else _DTYPES[name]


def unusable(text: str) -> Trouble:
    """What ends the loading, in the words that the operator reads."""
    return Trouble(Failed(kind="unusable", text=text))


def _index(folder: Path) -> Mapping[str, Any]:
    try:
        index = json.loads((folder / "model_index.json").read_text("utf-8"))
    except (OSError, ValueError) as exc:
        raise unusable(f"model_index.json cannot be read: {exc}") from exc
    if not isinstance(index, dict):
        raise unusable("model_index.json describes no pipeline")
    return index


def _named_parts(index: Mapping[str, Any], weights: Weights) -> dict[str, tuple[str, str]]:
    """(library, class) of every part that the index names; all that the preset wants are there."""
    parts = {
        name: (str(made_of[0]), str(made_of[1]))
        for name, made_of in index.items()
        if isinstance(made_of, list) and len(made_of) == 2 and made_of[0] is not None
    }
    unknown = {*weights.components, *(part.component for part in weights.parts)} - parts.keys()
    if unknown:
        raise unusable(f"model_index.json names no {', '.join(sorted(unknown))}")
    return parts


def _class(library: str, name: str) -> Any:
    """The class of a part. Code that lies beside the weights is never run, whoever names it."""
    if library in ("diffusers", "transformers"):
        module: Any = _diffusers if library == "diffusers" else transformers
    elif hasattr(_diffusers.pipelines, library):
        module = getattr(_diffusers.pipelines, library)
    else:
        raise unusable(f"it is made of {library}, which is not trusted")
    kind = getattr(module, name, None)
    if not isinstance(kind, type):
        raise unusable(f"{library} {_version(library)} has no {name}")
    return kind


def _version(library: str) -> str:
    return str(transformers.__version__ if library == "transformers" else diffusers.__version__)


def _read(kind: Any, source: Path, of: torch.dtype) -> Any:
    """Read one part whole: a weight that stays random is noise that nobody can explain."""
    module, told = kind.from_pretrained(source, dtype=of, output_loading_info=True, **_FROM_DISK)
    for what in ("missing_keys", "mismatched_keys"):
        keys = sorted(str(key[0] if isinstance(key, tuple) else key) for key in told[what])
        if keys:
            flaw = "are not in its files" if what == "missing_keys" else "have another shape"
            raise unusable(f"{len(keys)} weights of {kind.__name__} {flaw}, first {keys[0]}")
    return module


def _load_lora(pipe: Any, name: str, lora: Lora, folder: Path, models: Path) -> None:
    home = folder_of(models, lora.repo) if lora.repo else folder
    if not (home / lora.file).is_file():
        raise unusable(f"there is no file {home / lora.file}")
    denoiser = getattr(pipe, lora.into, None)
    if denoiser is None:
        raise unusable(f"{type(pipe).__name__} has no {lora.into} to take it")
    where = {"weight_name": lora.file, **_FROM_DISK}
    told = pipe.lora_state_dict(home, **where)
    tensors = told[0] if isinstance(told, tuple) else told
    layers = {key.partition(".lora_")[0].removeprefix("transformer.") for key in tensors}
    # What it does not know, a denoiser leaves out without a word.
    unknown = sorted(layers - {each for each, _ in denoiser.named_modules()})
    if len(unknown) > _MOST_UNKNOWN * len(layers):
        raise unusable(
            f"{len(unknown)} of its {len(layers)} layers are not in {lora.into}, first {unknown[0]}"
        )
    if unknown:
        logger.info("of %s, %d layers are left out", lora.file, len(unknown))
    pipe.load_lora_weights(
        home,
        adapter_name=name,
        **where,
        **({"load_into_transformer_2": True} if lora.into == "transformer_2" else {}),
    )


@contextlib.contextmanager
def _about(name: str) -> Iterator[None]:
    """Name what was being read when it went wrong."""
    try:
        yield
    except Trouble as exc:
        raise unusable(f"{name}: {exc}") from exc
    except Exception as exc:
        # What a wrong file makes of the loaders is not written down anywhere.
        text = " ".join(str(exc).split())[:_MOST_TEXT]
        raise unusable(f"{name}: {type(exc).__name__}: {text}") from exc


def _quieten() -> None:
    """Warnings of the libraries quote prompts, and progress bars are for terminals."""
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
