"""Cards are asked of `nvidia-smi`; here a script answers in its place."""

from pathlib import Path

import pytest

from vivant.engine.diffusion import cards
from vivant.errors import SettingsError


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
def test_a_device_is_a_card_with_a_name_of_its_own() -> None:
    """CUDA may count in another order."""
    card = cards.card("1")

    assert card
    assert card.uuid == "GPU-bbbb"
    assert cards.card("cpu") is None


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
