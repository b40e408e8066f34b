"""A conversation on a platform in memory, with a real ledger, Redis, store and darkroom."""

from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace

import pytest

from tests.platforms import MemoryPlatform, Person
from vivant.chat import Sender
from vivant.conversation import Conversation
from vivant.director.sight import Box, Sight
from vivant.director.sight import Person as Seen
from vivant.photos import CleanPhoto, PhotoCleaner
from vivant.services import Services, open_conversation
from vivant.settings import Settings

_FACE = Box(left=0.4, top=0.2, right=0.6, bottom=0.4)
ONE = Sight(people=(Seen(face=_FACE, free_hands=1, free_arms=1),))
TWO = Sight(people=ONE.people * 2)


class SightedCleaner(PhotoCleaner):
    """The real darkroom, but what is seen there is what a test says: models are not at hand."""

    def __init__(self, cleaner: PhotoCleaner) -> None:
        self.cleaner = cleaner
        self.sight: Sight | None = None

    async def clean(self, upload: bytes) -> CleanPhoto:
        return replace(await self.cleaner.clean(upload), sight=self.sight)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"blocked_words": ("forbidden",), "contact": "@operator", "upkeep_s": 0.1}
    )


@pytest.fixture
def platform() -> Iterator[MemoryPlatform]:
    """Strict: what it does not forgive fails the test, wherever it happened."""
    platform = MemoryPlatform()
    yield platform
    assert platform.violations == []


@pytest.fixture
async def conversation(
    services: Services, platform: MemoryPlatform
) -> AsyncGenerator[Conversation]:
    async with open_conversation(services, platform) as opened:
        cleaner = SightedCleaner(opened.intake.cleaner)
        yield replace(opened, intake=replace(opened.intake, cleaner=cleaner))


@pytest.fixture
def eyes(conversation: Conversation) -> SightedCleaner:
    """What is seen in photos."""
    cleaner = conversation.intake.cleaner
    assert isinstance(cleaner, SightedCleaner)
    return cleaner


@pytest.fixture
def ada(platform: MemoryPlatform, conversation: Conversation) -> Person:
    return Person(platform, conversation, Sender(id="ada"))
