"""Clips of the astronaut and of her as a pair, each made and measured once for all tests."""

from pathlib import Path

import pytest
from PIL import Image

from tests.gates.clips import Seen, Studio
from tests.gates.witness import Sighting, Witness
from tests.puppet import photos
from tests.puppet.conftest import MODELS
from vivant.director.look import models
from vivant.director.plan import Action


class Archive:
    """What was filmed and seen so far. Small pictures: faces are large enough to measure."""

    AREA = 300_000

    def __init__(self, studio: Studio, witness: Witness) -> None:
        self._studio = studio
        self._witness = witness
        self._photos = {"astronaut": photos.astronaut(), "pair": photos.pair()}
        self._clips: dict[tuple[str, str, bool], Seen] = {}
        self._sightings: dict[tuple[str, str, bool], Sighting] = {}

    def photo(self, who: str) -> Image.Image:
        """The photo itself."""
        return self._photos[who]

    def clip(self, who: str, action: Action | None, *, loop: bool = False) -> Seen:
        """*who* does *action*; None is a still, as an engine that does nothing would make."""
        key = (who, action or "still", loop)
        if key not in self._clips:
            photo = self._photos[who]
            self._clips[key] = (
                self._studio.still(photo, area=self.AREA)
                if action is None
                else self._studio.film(photo, action, area=self.AREA, loop=loop)
            )
        return self._clips[key]

    def seen(self, who: str, action: Action | None, *, loop: bool = False) -> Sighting:
        """What the witness measured in that clip."""
        key = (who, action or "still", loop)
        if key not in self._sightings:
            self._sightings[key] = self._witness.sees(self.clip(who, action, loop=loop))
        return self._sightings[key]

    def again(self, who: str, action: Action, *, seed: int) -> Seen:
        """Film anew."""
        return self._studio.film(self._photos[who], action, area=self.AREA, seed=seed)


@pytest.fixture(scope="session")
def witness() -> Witness:
    """Every measure, its networks loaded once."""
    models.fetch(MODELS)
    return Witness(MODELS)


@pytest.fixture(scope="session")
def archive(witness: Witness, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Clips that many tests look at."""
    folder: Path = tmp_path_factory.mktemp("films")
    return Archive(Studio(MODELS, folder), witness)
