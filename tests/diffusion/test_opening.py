"""What can be opened on this machine, and what is said when it cannot be."""

import sys
from argparse import Namespace
from pathlib import Path

import pytest

from vivant.engine.diffusion import child
from vivant.engine.diffusion.download import Record, needs
from vivant.engine.diffusion.engine import open_engine
from vivant.engine.diffusion.preset import folder_of, named
from vivant.errors import SettingsError


def fetch(name: str, models: Path) -> None:
    """Write down what a download would."""
    for need in needs(named(name)):
        folder = folder_of(models, need.repo)
        folder.mkdir(parents=True, exist_ok=True)
        record = Record.read(folder)
        record.fetched.append(need.name)
        record.write(folder)


@pytest.mark.usefixtures("two_cards")
@pytest.mark.parametrize(
    ("which", "device", "complaint"),
    [
        ("fast", "0", "vivant engine download fast"),
        ("balanced", "1", "needs a card of 23 GB, NVIDIA GeForce RTX 4070 has 13 GB"),
        ("best", "0", "VIVANT_ACCEPT_LICENCES"),
        ("nonsense", "0", "there is no engine 'nonsense'"),
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


def test_without_the_engines_packages_the_way_to_them_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not a stack trace of an import in another process."""
    monkeypatch.delitem(sys.modules, "vivant.engine.diffusion.pipeline", raising=False)
    monkeypatch.setitem(sys.modules, "torch", None)
    arguments = Namespace(preset=None, folder=tmp_path, models=tmp_path, device="cpu")

    with pytest.raises(SettingsError, match=r"pip install 'vivant\[engine\]'"):
        child.loaded(arguments)
