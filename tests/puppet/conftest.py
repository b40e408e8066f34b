"""The engine, loaded once; its networks are fetched on the first run and stay."""

from pathlib import Path

import pytest

from vivant.director.look import models
from vivant.engine.puppet.engine import PuppetEngine

#: Where `make models` puts them.
MODELS = Path(__file__).parents[2] / "data" / "models" / "puppet"


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """The six networks."""
    models.fetch(MODELS)
    return MODELS


@pytest.fixture(scope="session")
def engine(models_dir: Path) -> PuppetEngine:
    """Ready to render."""
    engine = PuppetEngine(models_dir)
    engine.setup()
    return engine
