"""Clips of the astronaut and of her as a pair, each made and measured once for all tests."""

from pathlib import Path

import pytest

from tests.gates.clips import SEED_1, Seen, Studio
from tests.gates.witness import Sighting, Witness
from tests.puppet import photos
from tests.puppet.conftest import MODELS
from vivant.clips import Wish
from vivant.director.look import models
from vivant.director.plan import Action, Beat


class Archive:
    """What was filmed and seen so far. Small pictures: faces are large enough to measure."""

    _AREA = 200_000

    def __init__(self, studio: Studio, witness: Witness) -> None:
        self._studio = studio
        self._witness = witness
        self._photos = {"astronaut": photos.astronaut(), "pair": photos.pair()}
        self._clips: dict[tuple[object, ...], Seen] = {}
        self._sightings: dict[tuple[object, ...], Sighting] = {}

    def clip(self, who: str, *acts: Action | Beat, wish: Wish = SEED_1) -> Seen:
        """*who* does *acts*; without any it is a still, as an engine that does nothing makes it."""
        key = (who, acts, wish)
        if key not in self._clips:
            self._clips[key] = self._filmed(who, *acts, wish=wish)
        return self._clips[key]

    def seen(self, who: str, *acts: Action | Beat, wish: Wish = SEED_1) -> Sighting:
        """What the witness measured in that clip."""
        key = (who, acts, wish)
        if key not in self._sightings:
            self._sightings[key] = self._witness.sees(self.clip(who, *acts, wish=wish))
        return self._sightings[key]

    def filmed_again(self, who: str, *acts: Action | Beat) -> Seen:
        """The same clip, made anew."""
        return self._filmed(who, *acts, wish=SEED_1)

    def _filmed(self, who: str, *acts: Action | Beat, wish: Wish) -> Seen:
        photo = self._photos[who]
        if not acts:
            return self._studio.still(photo, area=self._AREA)
        return self._studio.film(photo, *acts, area=self._AREA, wish=wish)


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
