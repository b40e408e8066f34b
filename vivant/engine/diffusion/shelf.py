"""What can be opened on this machine: presets against its cards, its disk, and the licences.

Never imports torch.
"""

from dataclasses import dataclass
from pathlib import Path

from vivant.engine.diffusion import cards
from vivant.engine.diffusion.cards import Card
from vivant.engine.diffusion.download import is_present
from vivant.engine.diffusion.engine import DiffusionEngine
from vivant.engine.diffusion.host import Post
from vivant.engine.diffusion.preset import (
    Placement,
    Preset,
    check_accepted,
    file_of,
    folder_of,
    named,
    of_directory,
    shipped,
)
from vivant.errors import SettingsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one preset stands on this machine."""

    preset: Preset
    #: How it would lie on each card; None where it does not fit.
    on_cards: tuple[tuple[Card, Placement | None], ...]
    #: Its weights are on the disk.
    is_present: bool
    #: Its licence asks for nothing, or the operator took it.
    is_accepted: bool


def standings(models_dir: Path, accepted: frozenset[str]) -> tuple[Standing, ...]:
    """All presets that ship, the lightest first."""
    here = cards.found()
    return tuple(
        Standing(
            preset=preset,
            on_cards=tuple((card, preset.placement_on(card.memory_gb)) for card in here),
            is_present=is_present(preset, models_dir),
            is_accepted=not preset.licence.must_be_accepted or preset.name in accepted,
        )
        for preset in shipped()
    )


def best_here(models_dir: Path, device: str, accepted: frozenset[str]) -> str | None:
    """The heaviest preset that could be opened on *device* now; None on a CPU."""
    card = cards.card(device)
    if card is None:
        return None
    able = [
        each.preset.name
        for each in standings(models_dir, accepted)
        if each.is_present and each.is_accepted and dict(each.on_cards).get(card)
    ]
    return able[-1] if able else None


def open_engine(
    which: str, *, models_dir: Path, device: str, accepted: frozenset[str] = frozenset()
) -> DiffusionEngine:
    """Open a preset by its name, or a plain diffusers directory by its path.

    *device* is one of `cards.devices`; *accepted* names the presets whose licence the operator
    took. Nothing is loaded before `setup`. Raises `SettingsError` that says how to mend it.
    """
    card = cards.card(device)
    visible = device if card is None else card.uuid
    folder = Path(which)
    if folder.is_dir():
        post = Post(folder=folder.resolve(), models=models_dir, device=visible)
        return DiffusionEngine(of_directory(folder.resolve()), post)
    preset = named(which)
    check_accepted(preset, accepted)
    if card is not None and preset.placement_on(card.memory_gb) is None:
        raise SettingsError(
            f"{which} needs a card of {preset.needs_gb:g} GB, "
            f"{card.name} has {card.memory_gb:.0f} GB"
        )
    if not is_present(preset, models_dir):
        raise SettingsError(
            f"the weights of {which} are not in {models_dir}; get them once with: "
            f"vivant engine download {which} ({preset.weights.disk_gb:g} GB)"
        )
    post = Post(
        folder=folder_of(models_dir, preset.weights.repo),
        models=models_dir,
        device=visible,
        preset_file=file_of(preset),
    )
    return DiffusionEngine(preset, post)
