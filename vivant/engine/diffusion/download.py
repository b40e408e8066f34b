"""Weights from the hub to the disk, checked; the only code here that ever fetches.

safetensors and small text files only, at one commit, each file against the hash that the hub
states. What was fetched is written down beside it, so that a preset without a pinned commit
still stays at the one it first found. Never imports torch.
"""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from vivant.engine.diffusion.preset import Preset, check_accepted, folder_of
from vivant.errors import SettingsError

if TYPE_CHECKING:
    from vivant.engine.diffusion.hub import Hub

#: Called with (bytes that are here, bytes in all) while a preset is fetched.
OnBytes = Callable[[int, int], None]

#: What was fetched, beside the weights.
RECORD = "vivant-weights.json"
#: Nothing that could run: no pickle, no Python.
_SAFE = ("*.safetensors", "*.json", "*.txt", "*.model", "*.jinja")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What one preset takes from one repository."""

    repo: str
    revision: str
    #: Patterns of files.
    only: tuple[str, ...] = ("*",)

    def takes(self, file: str) -> bool:
        """Whether *file* is fetched."""
        return (
            any(fnmatch(file, pattern) for pattern in self.only)
            and any(fnmatch(file, pattern) for pattern in _SAFE)
            # Nothing is written beside its folder, whatever a hub lists.
            and ".." not in PurePosixPath(file).parts
        )

    @property
    def name(self) -> str:
        """As the record of what was fetched calls it."""
        return " ".join(self.only)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What was fetched from one repository, at which commit."""

    commit: str = ""
    #: File to digest: "sha256:..." of a large one, "git:..." (its blob id) of a small one.
    files: dict[str, str] = field(default_factory=dict)
    #: The needs that are wholly here.
    fetched: list[str] = field(default_factory=list)

    @classmethod
    def read(cls, folder: Path) -> "Record":
        """The record beside the weights; an empty one where nothing was fetched."""
        try:
            return cls(**json.loads((folder / RECORD).read_text("utf-8")))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, TypeError) as exc:
            raise SettingsError(f"{folder / RECORD} cannot be read: {exc}") from exc

    def write(self, folder: Path) -> None:
        """Write it whole or not at all."""
        new = folder / f"{RECORD}.new"
        new.write_text(json.dumps(asdict(self), indent=1), "utf-8")
        new.replace(folder / RECORD)


def needs(preset: Preset) -> tuple[Need, ...]:
    """What *preset* is made of; the base leaves out what comes from elsewhere."""
    weights = preset.weights
    elsewhere = {part.component for part in weights.parts if part.repo}
    folders = [f"{name}/*" for name in weights.components if name not in elsewhere]
    return (
        Need(repo=weights.repo, revision=weights.revision, only=("model_index.json", *folders)),
        *(
            Need(
                repo=part.repo,
                revision=part.revision,
                only=(f"{part.subfolder}/*" if part.subfolder else "*",),
            )
            for part in weights.parts
            if part.repo
        ),
        *(
            Need(repo=lora.repo, revision=lora.revision, only=(lora.file,))
            for lora in weights.loras
            if lora.repo
        ),
    )


def is_present(preset: Preset, models_dir: Path) -> bool:
    """Whether all of *preset* was fetched, at the commits that it pins."""
    for need in needs(preset):
        record = Record.read(folder_of(models_dir, need.repo))
        if need.name not in record.fetched or need.revision not in ("", record.commit):
            return False
    return True


def download(
    preset: Preset,
    models_dir: Path,
    on_bytes: OnBytes,
    *,
    accepted: frozenset[str] = frozenset(),
    endpoint: str | None = None,
) -> None:
    """Fetch what is missing of *preset* and check it; may be stopped and called again.

    *accepted* names the presets whose licence the operator took; *endpoint* is another hub.
    A token for gated weights is taken from HF_TOKEN. Raises `SettingsError`.
    """
    # Whoever only asks what is here needs no hub.
    from vivant.engine.diffusion.hub import Hub  # noqa: PLC0415

    check_accepted(preset, accepted)
    hub = Hub(endpoint)
    listed = [_Listed.at(hub, need, models_dir) for need in needs(preset)]
    total = sum(file.size for each in listed for file in each.files)
    here = sum(file.size for each in listed for file in each.files if each.has(file))
    _check_space(models_dir, total - here)
    on_bytes(here, total)
    for each in listed:
        for file in each.files:
            if each.has(file):
                continue

            def on_part(count: int, before: int = here, most: int = file.size) -> None:
                on_bytes(before + min(count, most), total)

            each.fetch(hub, file, on_part)
            here += file.size
            on_bytes(here, total)
        each.finish()


@dataclass(frozen=True, slots=True, kw_only=True)
class HubFile:
    """One file, as the hub states it."""

    name: str
    size: int
    #: As in a `Record`.
    digest: str


@dataclass(slots=True, kw_only=True)
class _Listed:
    """One need, with what the hub says is in it."""

    need: Need
    folder: Path
    record: Record
    files: list[HubFile]

    @classmethod
    def at(cls, hub: "Hub", need: Need, models_dir: Path) -> "_Listed":
        folder = folder_of(models_dir, need.repo)
        record = Record.read(folder)
        commit, files = hub.listed(need.repo, need.revision or record.commit)
        if record.commit != commit:
            record = Record(commit=commit)
        files = [file for file in files if need.takes(file.name)]
        if not files:
            raise SettingsError(f"{need.repo} has no safetensors that {need.name} asks for")
        return cls(need=need, folder=folder, record=record, files=files)

    def has(self, file: HubFile) -> bool:
        path = self.folder / file.name
        return (
            self.record.files.get(file.name) == file.digest
            and path.is_file()
            and path.stat().st_size == file.size
        )

    def fetch(self, hub: "Hub", file: HubFile, on_part: Callable[[int], None]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / file.name
        hub.fetch(self.need.repo, self.record.commit, file, self.folder, on_part)
        if _digest(path, file) != file.digest:
            path.unlink()
            raise SettingsError(f"{self.need.repo}/{file.name} is not what the hub says it is")
        self.record.files[file.name] = file.digest
        self.record.write(self.folder)

    def finish(self) -> None:
        # Another need of the same repository may have written since.
        record = Record.read(self.folder)
        known = record if record.commit == self.record.commit else self.record
        if self.need.name not in known.fetched:
            known.fetched.append(self.need.name)
        known.write(self.folder)


def _check_space(models_dir: Path, missing: int) -> None:
    models_dir.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(models_dir).free
    if missing > free:
        raise SettingsError(
            f"{missing / 1e9:.0f} GB are missing, {models_dir} has {free / 1e9:.0f} GB free"
        )


def _digest(path: Path, file: HubFile) -> str:
    kind = file.digest.partition(":")[0]
    # A blob's id in git is a SHA-1 over a header and the content.
    hashed = hashlib.sha256() if kind == "sha256" else hashlib.sha1(usedforsecurity=False)
    if kind == "git":
        hashed.update(f"blob {path.stat().st_size}\0".encode())
    with path.open("rb") as content:
        while chunk := content.read(_CHUNK):
            hashed.update(chunk)
    return f"{kind}:{hashed.hexdigest()}"
