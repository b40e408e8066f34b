"""Cards are asked of `nvidia-smi`; here a script answers in its place."""

from pathlib import Path

import pytest

from vivant.engine.diffusion import cards
from vivant.errors import SettingsError


@pytest.fixture
def two_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with a large and a small card."""
    program = tmp_path / "nvidia-smi"
    program.write_text(
        "#!/bin/sh\n"
        "echo '0, GPU-aaaa, NVIDIA H100 80GB HBM3, 81559'\n"
        "echo '1, GPU-bbbb, NVIDIA GeForce RTX 4070, 12282'\n",
        "utf-8",
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


@pytest.fixture
def no_card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without the driver."""
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.mark.usefixtures("two_cards")
def test_cards_are_found_with_name_and_memory() -> None:
    """In GB of a thousand million bytes, as presets count."""
    large, small = cards.found()

    assert (large.name, round(large.memory_gb, 1)) == ("NVIDIA H100 80GB HBM3", 85.5)
    assert (small.index, round(small.memory_gb, 1)) == (1, 12.9)


@pytest.mark.usefixtures("two_cards")
def test_all_cards_or_some_of_them() -> None:
    """One engine for each."""
    assert cards.devices("all") == ["0", "1"]
    assert cards.devices("1") == ["1"]
    assert cards.devices("cpu") == ["cpu"]


@pytest.mark.usefixtures("two_cards")
def test_a_card_that_is_not_there_is_named() -> None:
    """With those that are."""
    with pytest.raises(SettingsError, match="no card 2; there are 0, 1"):
        cards.devices("0,2")


@pytest.mark.usefixtures("two_cards")
def test_a_worker_process_sees_its_card_by_uuid() -> None:
    """CUDA may count in another order."""
    assert cards.visible("1") == "GPU-bbbb"
    assert cards.visible("cpu") == "cpu"


@pytest.mark.usefixtures("two_cards")
def test_cards_that_are_hidden_stay_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler gave this process one of two."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")

    assert cards.devices("all") == ["1"]


@pytest.mark.usefixtures("no_card")
def test_without_a_card_the_way_out_is_said() -> None:
    """No stack trace about a missing program."""
    assert cards.found() == ()
    with pytest.raises(SettingsError, match="VIVANT_ENGINE=puppet"):
        cards.devices("all")
