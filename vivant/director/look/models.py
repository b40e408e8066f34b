"""The six small networks that see people: fetched at set-up, never kept in the repository.

They lie in the wheel of `mediapipe` (Apache-2.0, Google), which is taken by its package name
and unpacked for them alone; no code of it is installed. Knows no network's inside.
"""

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from vivant.errors import VivantError

#: The last release that carries the networks as plain files. The platform's tag only picks
#: which wheel is opened; the networks inside are the same in all of them.
WHEEL = "mediapipe==0.10.21"
_TAGS = ("--python-version", "3.11", "--platform", "manylinux_2_28_x86_64")

_INSIDE = "mediapipe/modules"

FACES_NEAR = "face_detection_short_range.tflite"
FACES_FAR = "face_detection_full_range_sparse.tflite"
FACE_MESH = "face_landmark.tflite"
POSES = "pose_detection.tflite"
POSE_POINTS = "pose_landmark_full.tflite"
SILHOUETTES = "selfie_segmentation.tflite"

#: sha256 of each, measured on the wheel above.
SHA256 = {
    FACES_NEAR: "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    FACES_FAR: "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
    FACE_MESH: "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    POSES: "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    POSE_POINTS: "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    SILHOUETTES: "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
}


class ModelsMissing(VivantError):
    """The networks are not there and could not be had; the text says why."""


def present(models_dir: Path) -> bool:
    """Whether all six lie in *models_dir*, each exactly the file that was measured."""
    return not _missing(models_dir)


def fetch(models_dir: Path, on_bytes: Callable[[int], None] = lambda _size: None) -> None:
    """Put the six into *models_dir*; what is there and right stays as it is.

    *on_bytes* hears the size of each file as it lands. Each file appears whole or not at all,
    so a fetch that was cut off can simply run again, also beside another one.
    Raises `ModelsMissing` when the package cannot be had or is not the one that was measured.
    """
    missing = _missing(models_dir)
    if not missing:
        return
    models_dir.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=models_dir, prefix=".fetch-") as work:
        wheel = _download(Path(work))
        for name, content in _unpacked(wheel, missing):
            landing = Path(work) / name
            landing.write_bytes(content)
            landing.replace(models_dir / name)
            on_bytes(len(content))


def _missing(models_dir: Path) -> list[str]:
    return [name for name, digest in SHA256.items() if _sha256(models_dir / name) != digest]


def _sha256(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def _download(into: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    command = [*pip, "download", "--no-deps", "--only-binary=:all:", *_TAGS, "--dest", str(into)]
    try:
        subprocess.run([*command, WHEEL], check=True, capture_output=True, text=True)  # noqa: S603
    except subprocess.CalledProcessError as exc:
        raise ModelsMissing(f"pip could not download {WHEEL}: {exc.stderr.strip()}") from exc
    except OSError as exc:
        raise ModelsMissing(f"pip could not be started: {exc}") from exc
    return next(into.glob("*.whl"))


def _unpacked(wheel: Path, names: list[str]) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    with zipfile.ZipFile(wheel) as archive:
        where = {Path(entry).name: entry for entry in archive.namelist() if _INSIDE in entry}
        for name in names:
            content = archive.read(where[name]) if name in where else b""
            if hashlib.sha256(content).hexdigest() != SHA256[name]:
                raise ModelsMissing(f"{name} in {wheel.name} is not the file that was measured")
            found.append((name, content))
    return found
