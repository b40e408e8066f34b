"""`VIVANT_ENGINE` becomes engines: one a card where there are cards, else one for the processor.

Nothing heavy is imported before it is chosen.
"""

from pathlib import Path
from typing import Final

from vivant.director.look import models
from vivant.engine import Engine
from vivant.engine.diffusion import cards
from vivant.errors import SettingsError

PUPPET: Final = "puppet"
AUTO: Final = "auto"


def open_engines(
    name: str, *, models_dir: Path, gpus: str, accepted: frozenset[str]
) -> list[Engine]:
    """The engines called *name*, not yet set up: one a device of *gpus* ("all", "0,1", "cpu").

    "auto" takes on each card the best preset that is downloaded, allowed and fits it, and the
    puppet where there is none. Raises `SettingsError` that says how to mend it.
    """
    if name == PUPPET or (name == AUTO and not cards.found()):
        return [_puppet(models_dir / PUPPET)]
    from vivant.engine.diffusion import shelf  # noqa: PLC0415  # OpenCV and numpy where used

    engines: list[Engine] = []
    for device in cards.devices(gpus):
        which = name if name != AUTO else shelf.best_here(models_dir, device, accepted)
        if which is not None:
            engines.append(
                shelf.open_engine(which, models_dir=models_dir, device=device, accepted=accepted)
            )
    return engines or [_puppet(models_dir / PUPPET)]


def _puppet(folder: Path) -> Engine:
    from vivant.engine.puppet.engine import PuppetEngine  # noqa: PLC0415  # OpenCV where used

    if not models.present(folder):
        raise SettingsError(
            "the CPU engine's models are not on this machine; "
            "get them once with: vivant engine download puppet"
        )
    return PuppetEngine(folder)
