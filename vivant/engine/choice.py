"""`VIVANT_ENGINE` becomes engines: one a card where there are cards, else one for the processor.

Nothing heavy is imported before it is chosen.
"""

from pathlib import Path
from typing import Final

from vivant.director.look import models
from vivant.engine import Engine
from vivant.engine.diffusion import cards
from vivant.engine.diffusion.download import is_present
from vivant.engine.diffusion.preset import Preset, named, shipped
from vivant.errors import SettingsError

PUPPET: Final = "puppet"
AUTO: Final = "auto"


def open_engines(
    name: str, *, models_dir: Path, gpus: str, accepted: frozenset[str]
) -> list[Engine]:
    """The engines called *name*, not yet set up: one a device of *gpus* ("all", "0,1", "cpu").

    "auto" takes the best preset that is downloaded, allowed and fits the cards, and the puppet
    where there is none. Raises `SettingsError` that says how to mend it.
    """
    if name == PUPPET or (name == AUTO and not cards.found()):
        return [_puppet(models_dir / PUPPET)]
    from vivant.engine.diffusion.engine import open_engine  # noqa: PLC0415  # OpenCV where used

    if name != AUTO and not Path(name).is_dir():
        named(name)  # a slip is said before anything about cards
    if name == AUTO:
        name = best_here(models_dir, accepted) or PUPPET
    if name == PUPPET:
        return [_puppet(models_dir / PUPPET)]
    return [
        open_engine(name, models_dir=models_dir, device=device, accepted=accepted)
        for device in cards.devices(gpus)
    ]


def best_here(models_dir: Path, accepted: frozenset[str]) -> str | None:
    """The heaviest preset that the smallest card here could open now; None where none can."""
    memory = min((card.memory_gb for card in cards.found()), default=None)
    if memory is None:
        return None
    able = [
        preset.name
        for preset in shipped()  # the lightest first
        if preset.placement_on(memory) is not None
        and is_present(preset, models_dir)
        and is_accepted(preset, accepted)
    ]
    return able[-1] if able else None


def is_accepted(preset: Preset, accepted: frozenset[str]) -> bool:
    """Whether its licence asks for nothing, or the operator took it."""
    return not preset.licence.must_be_accepted or preset.name in accepted


def _puppet(folder: Path) -> Engine:
    from vivant.engine.puppet.engine import PuppetEngine  # noqa: PLC0415  # OpenCV where used

    if not models.present(folder):
        raise SettingsError(
            "the CPU engine's models are not on this machine; "
            "get them once with: vivant engine download puppet"
        )
    return PuppetEngine(folder)
