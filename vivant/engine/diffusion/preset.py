"""A preset: which weights, how they are called, what they make, what they oblige to.

Data only, read from one TOML file each and checked. A plain diffusers directory is a preset
too: all of it is optional there, and may be written in a `vivant.toml` beside the weights.
Knows no torch.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from vivant.clips import EngineProfile
from vivant.errors import SettingsError

#: Beside the weights of a plain directory: what its makers know better than the defaults.
BESIDE_WEIGHTS = "vivant.toml"

#: What a call of the pipeline, or a scheduler's configuration, takes.
Argument = bool | int | float | str

#: A noise level: 1 is nothing but noise.
Sigma = Annotated[float, Field(gt=0, le=1)]

#: A key that nobody reads is a typing error.
_EXACT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True, kw_only=True, config=_EXACT)
class Part:
    """A component that is taken from elsewhere."""

    component: str
    #: Empty: a folder of the directory itself.
    repo: str = ""
    revision: str = ""
    subfolder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, config=_EXACT)
class Lora:
    """A LoRA that is fused into one denoiser when the weights are loaded."""

    file: str
    #: Empty: a file of the directory itself.
    repo: str = ""
    revision: str = ""
    into: Literal["transformer", "transformer_2"] = "transformer"


@dataclass(frozen=True, slots=True, kw_only=True, config=_EXACT)
class Weights:
    """Where the weights come from; without a repository it is a plain directory."""

    repo: str = ""
    #: The commit. Empty: the one that the first download finds, written down beside it.
    revision: str = ""
    #: What of the repository is fetched and loaded; empty: all that its index names.
    components: tuple[str, ...] = ()
    parts: tuple[Part, ...] = ()
    loras: tuple[Lora, ...] = ()
    #: On the disk, in GB; 0 where it is not known.
    disk_gb: float = 0


@dataclass(frozen=True, slots=True, kw_only=True, config=_EXACT)
class ClipRules:
    """What it makes. A plain directory leaves zeros, which the loaded pipeline fills."""

    frame_rate: int = 0
    num_frames: int = 0
    max_num_frames: int = 0
    frame_stride: int = 0
    size_multiple: int = 0
    area: int = 420_000
    #: (width, height); the nearest in aspect is taken.
    buckets: tuple[tuple[int, int], ...] = ()
    has_sound: bool = False
    takes_last_photo: bool = False

    @model_validator(mode="after")
    def _fits_the_pipeline(self) -> Self:
        for width, height in self.buckets:
            if self.size_multiple and (width % self.size_multiple or height % self.size_multiple):
                raise ValueError(f"{width} x {height} is no multiple of {self.size_multiple}")
        for frames in (self.num_frames, self.max_num_frames):
            if frames and self.frame_stride and (frames - 1) % self.frame_stride:
                raise ValueError(f"{frames} frames are not k * {self.frame_stride} + 1")
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=_EXACT)
class Schedule:
    """The noise levels, forced: a few-step model is only good at those it was trained on."""

    #: A scheduler class of diffusers; empty keeps the pipeline's own.
    scheduler: str = ""
    sigmas: tuple[Sigma, ...] = ()
    config: dict[str, Argument] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _falls(self) -> Self:
        if list(self.sigmas) != sorted(self.sigmas, reverse=True):
            raise ValueError("sigmas fall from 1 towards 0")
        if bool(self.sigmas) != bool(self.scheduler):
            raise ValueError("sigmas and the scheduler to force them on go together")
        return self


@dataclass(frozen=True, slots=True, kw_only=True, config=_EXACT)
class Prompting:
    """How the model likes to be spoken to."""

    #: Empty says no more than the person's own words.
    style: Literal["", "wan", "ltx"] = ""
    negative: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, config=_EXACT)
class Placement:
    """One way to lie in memory; the first that the card holds is taken."""

    #: Of the card's memory, in GB; 0 fits everywhere.
    needs_gb: float = 0
    #: "none": all on the card. "encoders": text encoders stream through it.
    #: "model": one part at a time is on the card.
    offload: Literal["none", "encoders", "model"] = "none"
    #: How the denoisers' weights are stored; empty is as they compute.
    storage: Literal["", "float8_e4m3fn"] = ""


@dataclass(frozen=True, slots=True, kw_only=True, config=_EXACT)
class Speed:
    """How it computes on a card; a CPU computes in float32 and compiles nothing."""

    dtype: Literal["bfloat16", "float16", "float32"] = "bfloat16"
    vae_dtype: Literal["bfloat16", "float16", "float32"] = "float32"
    #: An attention backend of diffusers, or "best": the fastest exact one that is installed.
    attention: str = "native"
    #: The repeated blocks of the denoisers, by torch.compile.
    compile: bool = False
    #: Every bucket is rendered once before the engine says that it is ready.
    warm_up: bool = False
    #: Encoded prompts that are kept, in MB of main memory.
    prompt_cache_mb: int = 256


@dataclass(frozen=True, slots=True, kw_only=True, config=_EXACT)
class Gates:
    """What a clip must pass before it goes out; a blank does not look. See `gates`."""

    #: Likeness of the first frame and the photo; 1 is the same.
    min_first_frame_ssim: float | None = None
    #: 95th percentile of the movement between two frames, in pixels of a 320 pixels wide clip.
    min_motion: float | None = None
    max_motion: float | None = None
    #: How much that movement changes from frame to frame, same unit.
    max_jerk: float | None = None
    #: What is left of the difference of two frames after the movement, in 1/255.
    max_warp_error: float | None = None
    #: Second difference of the mean brightness, in 1/255.
    max_flicker: float | None = None
    #: Share of the first frames' detail that the last ones still have.
    min_sharpness_kept: float | None = None
    #: Shift of the mean colour of the last frames from the photo, in 1/255.
    max_colour_drift: float | None = None
    #: Largest difference of two neighbours over the usual one.
    max_cut: float | None = None
    #: Share of frames that are as the one before: 1 is a still.
    max_unchanged: float = 0.95


@dataclass(frozen=True, slots=True, kw_only=True, config=_EXACT)
class Licence:
    """What the makers of the weights ask for."""

    name: str = ""
    url: str = ""
    #: Each a sentence for the operator.
    obliges: tuple[str, ...] = ()
    #: The operator must say yes before anything is fetched or loaded.
    must_be_accepted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, config=_EXACT)
class Preset:
    """All that tells one engine from another."""

    name: str
    summary: str = ""
    #: Seconds a clip takes, in words: what, on which card, and who says so.
    expected: str = ""
    weights: Weights = Weights()
    clip: ClipRules = ClipRules()
    schedule: Schedule = Schedule()
    #: Further arguments of the pipeline's call, by its own names.
    call: dict[str, Argument] = Field(default_factory=dict)
    prompting: Prompting = Prompting()
    placements: tuple[Placement, ...] = (Placement(),)
    speed: Speed = Speed()
    gates: Gates = Gates()
    licence: Licence = Licence()

    @model_validator(mode="after")
    def _says_what_it_makes(self) -> Self:
        clip = self.clip
        made = (clip.frame_rate, clip.num_frames, clip.frame_stride, clip.size_multiple)
        if self.weights.repo and 0 in made:
            raise ValueError("bots snap wishes before anything is loaded: fill [clip]")
        if self.weights.repo and not self.weights.components:
            raise ValueError("a repository may hold more than is used: name the components")
        return self

    @property
    def needs_gb(self) -> float:
        """The least memory of a card that holds it."""
        return min(placement.needs_gb for placement in self.placements)

    def placement_on(self, memory_gb: float | None) -> Placement | None:
        """How it lies in *memory_gb*; None when it does not. A CPU (None) takes the first."""
        if memory_gb is None:
            return self.placements[0]
        return next((each for each in self.placements if each.needs_gb <= memory_gb), None)

    @property
    def profile(self) -> EngineProfile:
        """What bots snap a wish to; a plain directory's is only whole once it is loaded."""
        clip = self.clip
        return EngineProfile(
            name=self.name,
            frame_rate=clip.frame_rate,
            default_num_frames=clip.num_frames,
            max_num_frames=clip.max_num_frames or clip.num_frames,
            frame_stride=clip.frame_stride,
            size_multiple=clip.size_multiple,
            area=clip.area,
            buckets=clip.buckets,
            has_sound=clip.has_sound,
            takes_last_photo=clip.takes_last_photo,
        )


_SHIPPED = Path(__file__).parent / "presets"


def shipped() -> tuple[Preset, ...]:
    """The presets of this package, the lightest first."""
    presets = (read(path) for path in _SHIPPED.glob("*.toml"))
    return tuple(sorted(presets, key=lambda preset: preset.needs_gb))


def named(name: str) -> Preset:
    """Look up a shipped preset; raises `SettingsError` that lists what VIVANT_ENGINE takes."""
    presets = shipped()
    for preset in presets:
        if preset.name == name:
            return preset
    there = ", ".join(preset.name for preset in presets)
    raise SettingsError(
        f"there is no engine {name!r}; there are auto, puppet, {there}, and a pipeline's directory"
    )


def file_of(preset: Preset) -> Path:
    """Where a shipped preset is written down."""
    return _SHIPPED / f"{preset.name}.toml"


def check_accepted(preset: Preset, accepted: frozenset[str]) -> None:
    """Raise `SettingsError` with the terms when the operator has not taken the licence."""
    licence = preset.licence
    if licence.must_be_accepted and preset.name not in accepted:
        terms = " ".join(licence.obliges)
        raise SettingsError(
            f"{preset.name} is under the {licence.name} ({licence.url}), which obliges you. "
            f"{terms} To take it, name {preset.name} in VIVANT_ACCEPT_LICENCES."
        )


def folder_of(models_dir: Path, repo: str) -> Path:
    """Where the files of a repository lie, once for all presets that take from it."""
    return models_dir / repo.replace("/", "--")


def of_directory(folder: Path) -> Preset:
    """Read a plain diffusers directory; raises `SettingsError` when it is none."""
    if not (folder / "model_index.json").is_file():
        raise SettingsError(f"{folder} is no diffusers pipeline: it has no model_index.json")
    beside = folder / BESIDE_WEIGHTS
    return read(beside, name=folder.name) if beside.is_file() else Preset(name=folder.name)


def read(path: Path, name: str = "") -> Preset:
    """Read one preset file; raises `SettingsError` that names the key that is wrong."""
    try:
        written = tomllib.loads(path.read_text("utf-8"))
        return TypeAdapter(Preset).validate_python({"name": name or path.stem} | written)
    except ValidationError as exc:
        wrong = "; ".join(
            f"{'.'.join(map(str, each['loc'])) or 'it'}: {each['msg']}" for each in exc.errors()
        )
        raise SettingsError(f"{path}: {wrong}") from exc
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise SettingsError(f"{path}: {exc}") from exc
