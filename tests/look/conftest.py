"""The eyes, opened once; the networks are fetched on the first run and stay."""

from pathlib import Path

import pytest

from tests.puppet.conftest import MODELS
from vivant.director.look import Looker, models


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The six networks."""
    models.fetch(MODELS)
    return MODELS


@pytest.fixture(scope="session")
def looker(models_dir: Path) -> Looker:
    """Ready to look."""
    return Looker(models_dir)
