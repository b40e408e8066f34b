"""Every photo of a folder x every action: what was measured, and what did not hold.

    python -m tests.gates.matrix --photos DIR --models-dir DIR [--actions smile,nod]
        [--only PART_OF_NAME] [--sheets DIR] [--json FILE]

Exits with 1 when a gate stays shut that no note excuses, or a rule is broken.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from tests.gates.clips import SEED_1, Seen, Studio
from tests.gates.gates import GATES, KISS_ALONE, LOOP, RULES, Gate
from tests.gates.witness import Sighting, Witness
from vivant.clips import Note
from vivant.director.plan import Action

#: With one of these the answer itself says that it could not be.
EXCUSES = {
    Action.HUG: {Note.TOO_FAR_TO_TOUCH, Note.NOBODY_FOUND},
    Action.KISS: {Note.TOO_FAR_TO_TOUCH, Note.NOBODY_FOUND, Note.CALM_INSTEAD},
    Action.FLEX: {Note.NO_FREE_ARM, Note.NOBODY_FOUND},
    Action.WAVE: {Note.NO_FREE_HAND, Note.NOBODY_FOUND},
}
_ALWAYS_EXCUSES = {Note.NOBODY_FOUND, Note.CALM_INSTEAD}

_CAMERAS_OWN = {Action.ZOOM, Action.PAN, Action.PARALLAX, Action.IDLE}


def gates_of(action: Action, seen: Sighting) -> tuple[Gate, ...]:
    """What must be seen of *action* in a clip with so many heads."""
    alone = len(seen.heads) < 2
    if action is Action.KISS and alone:
        return KISS_ALONE
    if action is Action.HUG and alone:
        return ()
    return GATES.get(action, ())


def faults(action: Action, clip: Seen, seen: Sighting) -> Iterator[str]:
    """What did not hold."""
    excused = bool(EXCUSES.get(action, _ALWAYS_EXCUSES) & set(clip.notes))
    for gate in gates_of(action, seen):
        values = gate.values(seen)
        if values and not gate.opens(seen) and not excused:
            told = " ".join(f"{value:.3g}" for value in values)
            yield f"{gate.name}: {told}, not over {gate.over:g}"
    if action is Action.IDLE:
        for other, gates in GATES.items():
            for gate in gates:
                if not gate.shut(seen):
                    yield f"idle, but {gate.name} ({other})"
    for rule in RULES:
        if not rule.holds(seen):
            yield f"{rule.name}: {rule.value(seen):.3g}"


def measured(action: Action, seen: Sighting) -> str:
    """The values of the action's own gates."""
    return "; ".join(
        f"{gate.name} " + " ".join(f"{value:.3g}" for value in gate.values(seen))
        for gate in gates_of(action, seen)
    )


def sheet(clip: Seen) -> Image.Image:
    """Twelve pictures of *clip*, from its first to its last."""
    chosen = np.linspace(0, len(clip.frames) - 1, 12).round().astype(int)
    height, width = clip.frames[0].shape[:2]
    size = (480, round(480 * height / width))
    page = Image.new("RGB", (4 * size[0], 3 * size[1]))
    for place, index in enumerate(chosen):
        small = Image.fromarray(clip.frames[index]).resize(size, Image.Resampling.LANCZOS)
        page.paste(small, (place % 4 * size[0], place // 4 * size[1]))
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--models-dir", type=Path, required=True)
    parser.add_argument("--actions", default=",".join(Action))
    parser.add_argument("--only", default="")
    parser.add_argument("--sheets", type=Path)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    actions = [Action(name) for name in chosen.actions.split(",")]
    photos = sorted(
        path
        for path in chosen.photos.iterdir()
        if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"} and chosen.only in path.name
    )
    console = Console()
    table = Table("photo", "action", "notes", "measured", "does not hold")
    witness, broken = Witness(chosen.models_dir), 0
    with tempfile.TemporaryDirectory() as folder:
        studio = Studio(chosen.models_dir, Path(folder))
        for path in photos:
            photo = Image.open(path).convert("RGB")
            nobody = False
            for action in actions:
                if nobody and action not in _CAMERAS_OWN:
                    continue
                clip = studio.film(photo, action)
                seen = witness.sees(clip)
                wrong = list(faults(action, clip, seen))
                broken += bool(wrong)
                # Where nobody is, all that people could do is the same clip.
                nobody |= Note.NOBODY_FOUND in clip.notes
                table.add_row(
                    path.stem, action, " ".join(clip.notes), measured(action, seen),
                    "\n".join(wrong) or "-",
                )  # fmt: skip
                console.log(path.stem, action, *(wrong or ["holds"]))
                if chosen.sheets is not None:
                    chosen.sheets.mkdir(parents=True, exist_ok=True)
                    sheet(clip).save(chosen.sheets / f"{path.stem}-{action}.jpg")
                if chosen.json is not None:
                    record = {"photo": path.stem, "action": action, "notes": clip.notes,
                              "wrong": wrong} | asdict(seen)  # fmt: skip
                    with chosen.json.open("a") as file:
                        file.write(json.dumps(record) + "\n")
            looped = witness.sees(studio.film(photo, Action.SMILE, wish=replace(SEED_1, loop=True)))
            broken += not LOOP.holds(looped)
            table.add_row(
                path.stem, "loop", "", f"seam {looped.seam:.2f}",
                "-" if LOOP.holds(looped) else LOOP.name,
            )  # fmt: skip
    console.print(table)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
