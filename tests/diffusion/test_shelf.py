"""What can be opened on this machine, and what is said when it cannot."""

from pathlib import Path

import pytest

from vivant.engine.diffusion.download import Record, needs
from vivant.engine.diffusion.preset import folder_of, named
from vivant.engine.diffusion.shelf import best_here, open_engine, standings
from vivant.errors import SettingsError

NOBODY: frozenset[str] = frozenset()


def fetch(name: str, models: Path) -> None:
    """Write down what a download would."""
    for need in needs(named(name)):
        folder = folder_of(models, need.repo)
        folder.mkdir(parents=True, exist_ok=True)
        record = Record.read(folder)
        record.fetched.append(need.name)
        record.write(folder)


@pytest.mark.usefixtures("two_cards")
def test_the_table_tells_cards_disk_and_licence_apart(tmp_path: Path) -> None:
    """All that an operator needs to choose."""
    fetch("fast", tmp_path)

    fast, balanced, best = standings(tmp_path, NOBODY)

    assert [bool(placement) for _, placement in fast.on_cards] == [True, True]
    assert [bool(placement) for _, placement in balanced.on_cards] == [True, False]
    assert (fast.is_present, balanced.is_present) == (True, False)
    assert (balanced.is_accepted, best.is_accepted) == (True, False)


@pytest.mark.usefixtures("two_cards")
def test_the_best_that_is_here_is_chosen(tmp_path: Path) -> None:
    """It fits the card, its weights are on the disk, and its licence was taken."""
    assert best_here(tmp_path, "0", NOBODY) is None
    for name in ("fast", "balanced", "best"):
        fetch(name, tmp_path)

    assert best_here(tmp_path, "0", NOBODY) == "balanced"
    assert best_here(tmp_path, "0", frozenset({"best"})) == "best"
    assert best_here(tmp_path, "1", frozenset({"best"})) == "fast"
    assert best_here(tmp_path, "cpu", NOBODY) is None


@pytest.mark.usefixtures("two_cards")
@pytest.mark.parametrize(
    ("which", "device", "complaint"),
    [
        ("fast", "0", "vivant engine download fast"),
        ("balanced", "1", "needs a card of 23 GB, NVIDIA GeForce RTX 4070 has 13 GB"),
        ("best", "0", "VIVANT_ACCEPT_LICENCES"),
        ("nonsense", "0", "there is no preset 'nonsense'"),
        ("fast", "7", "no card 7"),
    ],
)
def test_what_cannot_be_opened_says_how_to_mend_it(
    tmp_path: Path, which: str, device: str, complaint: str
) -> None:
    """At start, not at the first photo."""
    with pytest.raises(SettingsError, match=complaint):
        open_engine(which, models_dir=tmp_path, device=device)


@pytest.mark.usefixtures("two_cards")
def test_a_preset_that_is_here_tells_what_it_makes_before_it_is_loaded(tmp_path: Path) -> None:
    """Bots snap wishes to it while the weights are still on their way to the card."""
    fetch("fast", tmp_path)

    engine = open_engine("fast", models_dir=tmp_path, device="1")

    assert engine.profile == named("fast").profile
    assert engine.pid is None
