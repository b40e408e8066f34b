"""More than a person may ask in a minute: it is cut off, and said once."""

import pytest

from tests.conftest import wait_until
from tests.engines import QuickEngine
from tests.platforms import MemoryPlatform, Person
from vivant.chat import Verb
from vivant.clips import RefusalReason
from vivant.errors import Refused
from vivant.messages import Messages
from vivant.services import Services
from vivant.settings import Settings

TOO_FAST = Messages().refused(Refused(RefusalReason.TOO_FAST))


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"max_requests_per_minute": 2})


async def test_a_storm_of_photos_is_answered_once(
    platform: MemoryPlatform, ada: Person, photo: bytes
) -> None:
    """A chat bears so many messages a minute, and others wait for theirs there."""
    for _ in range(6):
        await ada.sends(photo, "smile")
    for _ in range(4):
        await ada.called("bob").sends(photo, "smile")

    said = [shown.text for shown in platform.in_chat()]
    assert said.count(TOO_FAST) == 2
    assert len(said) == 2 * 2 + 2


async def test_a_storm_of_words_for_a_photo_is_answered_once(
    platform: MemoryPlatform, ada: Person, photo: bytes
) -> None:
    """As a reply to the question, again and again."""
    await ada.sends(photo)
    question = platform.only()
    for _ in range(6):
        await ada.says("a word that is forbidden", answering=question)

    said = [shown.text for shown in platform.in_chat()]
    assert said.count(TOO_FAST) == 1
    assert len(said) == 3


async def test_a_storm_of_edits_changes_nothing_more(
    services: Services, ada: Person, photo: bytes
) -> None:
    """An edit is a request like any other."""
    event = await ada.sends(photo, "smile")
    for words in ("laugh", "wave", "sway"):
        assert await ada.rewords(event, words)

    (job,) = await services.ledger.jobs.open_jobs()
    assert job.plan is not None
    assert job.plan.words == "laugh"


@pytest.mark.parametrize("verb", [Verb.AGAIN, Verb.EDIT])
async def test_a_press_that_is_seen_to_twice_is_one_request(
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
    verb: Verb,
) -> None:
    """Whoever is told "too fast" the second time thinks that nothing comes of it."""
    await ada.sends(photo, "slow zoom in")
    await wait_until(lambda: len(platform.clips()) == 1)
    clip = platform.only()

    first = await ada.presses(clip, verb, event="press-1")
    second = await ada.pushes(clip, clip.button(verb), event="press-1")

    assert first == second != TOO_FAST
