"""Which cards this machine has, asked of the driver's own `nvidia-smi`: no torch needed."""

import csv
import os
import shutil
import subprocess
from dataclasses import dataclass

from vivant.errors import SettingsError

#: Devices that are no card of NVIDIA's.
OTHERS = ("cpu", "mps")


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One NVIDIA card."""

    #: As `nvidia-smi` counts, which is not always as CUDA does.
    index: int
    #: What CUDA_VISIBLE_DEVICES takes; the same after a restart and in any order.
    uuid: str
    name: str
    memory_gb: float


def found() -> tuple[Card, ...]:
    """The cards that this process may use; none where there is no driver."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    ask = ["--query-gpu=index,uuid,name,memory.total", "--format=csv,noheader,nounits"]
    try:
        told = subprocess.run(  # noqa: S603 - the driver's own program
            [program, *ask], capture_output=True, text=True, timeout=30, check=True
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return ()
    cards = (
        Card(
            index=int(index),
            uuid=uuid.strip(),
            name=name.strip(),
            # nvidia-smi counts in MiB.
            memory_gb=float(memory) * 1024**2 / 1e9,
        )
        for index, uuid, name, memory in csv.reader(told.splitlines())
    )
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return tuple(cards)
    allowed = visible.split(",")
    return tuple(card for card in cards if {str(card.index), card.uuid} & set(allowed))


def devices(spec: str) -> list[str]:
    """The devices that "all", "0,1", "cpu" or "mps" means, one engine each.

    Raises `SettingsError` when a card is not there.
    """
    if spec in OTHERS:
        return [spec]
    there = [str(card.index) for card in found()]
    if not there:
        raise SettingsError(
            "no NVIDIA card was found (nvidia-smi lists none); VIVANT_ENGINE=puppet needs none"
        )
    if spec == "all":
        return there
    asked = [each.strip() for each in spec.split(",")]
    missing = [each for each in asked if each not in there]
    if missing:
        raise SettingsError(f"no card {', '.join(missing)}; there are {', '.join(there)} and all")
    return asked


def card(device: str) -> Card | None:
    """The card that *device* means; None for a CPU. Raises `SettingsError` as `devices`."""
    if device in OTHERS:
        return None
    devices(device)
    return next(card for card in found() if str(card.index) == device)
