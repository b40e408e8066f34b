"""`VIVANT_ENGINE` becomes an engine: the card's where there is one, else the processor's."""

from pathlib import Path

from vivant.director.look import models
from vivant.engine import Engine
from vivant.errors import SettingsError

PUPPET = "puppet"


def open_engine(name: str, models_dir: Path) -> Engine:
    """The engine called *name*, not yet set up; raises `SettingsError` that says how to mend it."""
    if name in ("auto", PUPPET):
        return _puppet(models_dir / PUPPET)
    raise SettingsError(
        f"VIVANT_ENGINE: there is no engine {name!r}; auto and puppet are what there is"
    )


def _puppet(folder: Path) -> Engine:
    from vivant.engine.puppet.engine import PuppetEngine  # noqa: PLC0415  # OpenCV only where used

    if not models.present(folder):
        raise SettingsError(
            "the CPU engine's models are not on this machine; "
            "get them once with: vivant engine download puppet"
        )
    return PuppetEngine(folder)
