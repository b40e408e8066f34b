"""What engines need and the repository does not hold, fetched once, at set-up, and checked."""

from pathlib import Path

from rich.console import Console

from vivant.director.look import models
from vivant.errors import SettingsError


def download(name: str, models_dir: Path, console: Console) -> None:
    """Fetch what engine *name* needs into *models_dir*; raises `SettingsError` if it cannot."""
    if name != "puppet":
        raise SettingsError(f"there is nothing to download for {name!r}; puppet is what there is")
    folder = models_dir / name
    if models.present(folder):
        console.print(f"{name}: complete, {folder}")
        return
    with console.status(f"{name}: fetching {models.WHEEL} (36 MB)…"):
        try:
            models.fetch(folder)
        except models.ModelsMissing as exc:
            raise SettingsError(str(exc)) from exc
    console.print(f"{name}: fetched and checked, {folder}")
