"""Draw every action on every photo, to be looked at: `docs/contact-sheets/`.

    python -m tools.contact_sheets [--into FOLDER] [PHOTOS …]

Without PHOTOS it takes those that may be shown: public domain and CC0, out of the scikit-image
package. With folders or files of photos it draws all of them as well. A sheet is one photo: a
row an action, seven moments a row, and below each the faces, close.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tests.puppet import photos
from tests.puppet.conftest import MODELS
from tests.puppet.shots import shot
from vivant.director.look import models
from vivant.director.look.people import PeopleFinder
from vivant.director.plan import Action, Beat, Direction
from vivant.engine.puppet.engine import PROFILE, PuppetEngine

Picture = NDArray[Any]

_MOMENTS = 7
_TILE_WIDTH = 168
#: Half a tile, so that the strips of two faces lie beside each other.
_FACE = _TILE_WIDTH // 2
_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}

_PEOPLE = (
    *(Beat(action=action) for action in (Action.SMILE, Action.LAUGH, Action.HUG, Action.KISS)),
    *(Beat(action=action) for action in (Action.FLEX, Action.WAVE, Action.SWAY, Action.NOD)),
    *(Beat(action=action) for action in (Action.WINK, Action.BLINK)),
    Beat(action=Action.LOOK, direction=Direction.LEFT),
    Beat(action=Action.LOOK, direction=Direction.UP),
    *(Beat(action=action) for action in (Action.BREATHE, Action.IDLE)),
)
_CAMERA = (
    Beat(action=Action.ZOOM),
    Beat(action=Action.ZOOM, direction=Direction.OUT),
    Beat(action=Action.PAN, direction=Direction.LEFT),
    Beat(action=Action.PARALLAX),
)


def sheet(engine: PuppetEngine, finder: PeopleFinder, photo: Image.Image) -> Picture:
    """Every action that fits *photo*."""
    acting = bool(finder.find(np.array(photo.convert("RGB"))))
    beats = (*_PEOPLE, *_CAMERA) if acting else _CAMERA
    rows = [_row(engine, finder, photo, beat) for beat in beats]
    width = max(row.shape[1] for row in rows)
    return np.concatenate([_widened(row, width) for row in rows])


def _row(engine: PuppetEngine, finder: PeopleFinder, photo: Image.Image, beat: Beat) -> Picture:
    clip = engine.render(shot(photo, beat, area=PROFILE.area), lambda _step, _total: None)
    wanted = np.linspace(0, clip.num_frames - 1, _MOMENTS).round().astype(int).tolist()
    moments = [frame for index, frame in enumerate(clip.pictures) if index in wanted]
    height = round(_TILE_WIDTH * clip.height / clip.width)
    tiles = [
        cv2.resize(moment, (_TILE_WIDTH, height), interpolation=cv2.INTER_AREA)
        for moment in moments
    ]
    direction = f" {beat.direction}" if beat.direction else ""
    title = f"{beat.action}{direction}  {'  '.join(clip.notes)}"
    label = np.full((20, _TILE_WIDTH * _MOMENTS, 3), 255, np.uint8)
    cv2.putText(label, title, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 1, cv2.LINE_AA)
    parts: list[Picture] = [label, np.concatenate(tiles, 1)]
    strips = list(_faces(finder, moments))
    parts += [np.concatenate(strips[at : at + 2], 1) for at in range(0, len(strips), 2)]
    return np.concatenate([_widened(part, _TILE_WIDTH * _MOMENTS) for part in parts])


def _faces(finder: PeopleFinder, moments: Sequence[Picture]) -> Iterator[Picture]:
    """A strip for each of the first four faces: where it was in the first moment."""
    people = [person for person in finder.find(moments[0]) if person.face is not None]
    for person in people[:4]:
        assert person.face is not None  # noqa: S101
        reach = 0.85 * person.face.size
        left, top = (person.face.centre - reach).astype(int)
        side = int(2 * reach)
        crops = []
        for moment in moments:
            padded = cv2.copyMakeBorder(moment, side, side, side, side, cv2.BORDER_REPLICATE)
            crop = padded[top + side : top + 2 * side, left + side : left + 2 * side]
            crops.append(cv2.resize(crop, (_FACE, _FACE), interpolation=cv2.INTER_AREA))
        yield np.concatenate(crops, 1)


def _widened(picture: Picture, width: int) -> Picture:
    missing = width - picture.shape[1]
    return np.pad(picture, ((0, 0), (0, missing), (0, 0)), constant_values=255)


def _chosen(paths: Sequence[Path]) -> Iterator[tuple[str, Image.Image]]:
    yield "astronaut", photos.astronaut()
    yield "pair", photos.pair()
    yield "cat", photos.cat()
    yield "coffee", photos.coffee()
    yield "rocket", photos.rocket()
    for path in paths:
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        for file in files:
            if file.suffix.lower() in _SUFFIXES:
                yield file.stem, Image.open(file).convert("RGB")


def main() -> None:
    """Draw them all."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("photos", nargs="*", type=Path)
    arguments.add_argument("--into", type=Path, default=Path("docs/contact-sheets"))
    arguments.add_argument("--png", action="store_true", help="for viewers that show no JPEG")
    chosen = arguments.parse_args()
    models.fetch(MODELS)
    engine, finder = PuppetEngine(MODELS), PeopleFinder(MODELS)
    chosen.into.mkdir(parents=True, exist_ok=True)
    for name, photo in _chosen(chosen.photos):
        picture = Image.fromarray(sheet(engine, finder, photo))
        path = chosen.into / f"{name}.{'png' if chosen.png else 'jpg'}"
        picture.save(path, quality=66)
        sys.stdout.write(f"{path}\n")


if __name__ == "__main__":
    main()
