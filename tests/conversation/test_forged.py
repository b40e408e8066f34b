"""Button data that somebody made up: a chat's say ends at its door, and only a loop is free."""

import pytest

from tests.conftest import wait_until
from tests.engines import QuickEngine
from tests.platforms import MemoryPlatform, Person
from vivant.chat import Button, Verb
from vivant.conversation import Conversation
from vivant.errors import Undeliverable
from vivant.services import Services


@pytest.fixture
def mallory(ada: Person) -> Person:
    """In a chat of her own, where everybody may speak for the chat."""
    return ada.called("mallory", is_moderator=True).at("elsewhere")


async def ended(services: Services, job_id: str) -> bool:
    job = await services.ledger.jobs.get(job_id)
    return job is not None and job.is_over


def pressed(verb: Verb, job_id: str) -> Button:
    return Button(label="x", verb=verb, target=job_id)


@pytest.mark.parametrize("verb", [Verb.FILE, Verb.EDIT, Verb.AGAIN, Verb.DELETE, Verb.CANCEL])
async def test_whoever_speaks_for_one_chat_has_no_say_in_another(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    conversation: Conversation,
    ada: Person,
    mallory: Person,
    photo: bytes,
    verb: Verb,
) -> None:
    """Not as a moderator there, and not with buttons that are open there."""
    await ada.sends(photo, "slow zoom in")
    await wait_until(lambda: len(platform.clips()) == 1)
    job_id = platform.only().button(Verb.REPORT).target
    await wait_until(lambda: ended(services, job_id))
    await mallory.sends(photo, "smile")
    await wait_until(lambda: len(platform.clips("elsewhere")) == 1)
    await conversation.settings("elsewhere", mallory.sender, "open_buttons on")
    renders = quick_engine.renders

    said = await mallory.pushes(platform.only("elsewhere"), pressed(verb, job_id))

    job = await services.ledger.jobs.get(job_id)
    assert said is not None
    assert "not yours" in said
    assert job is not None
    assert job.photo is not None
    assert job.clip is not None
    assert platform.files == []
    assert quick_engine.renders == renders


@pytest.mark.parametrize("verb", [Verb.LOOP, Verb.LONGER, Verb.AGAIN])
async def test_nothing_comes_of_a_clip_that_is_not_there(
    services: Services, platform: MemoryPlatform, ada: Person, photo: bytes, verb: Verb
) -> None:
    """A loop costs nothing, so a loop of nothing must not become a render."""
    await ada.sends(photo, "slow zoom in")
    status = platform.only()
    job_id = status.button(Verb.CANCEL).target
    before = await services.ledger.people.credit(ada.owner)

    await ada.pushes(status, pressed(verb, job_id))

    assert await services.ledger.jobs.waiting() == 1
    assert await services.ledger.people.credit(ada.owner) == before


async def test_a_loop_is_not_looped_again(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """Each time it would be twice as long, and free."""
    await ada.sends(photo, "slow zoom in")
    await wait_until(lambda: len(platform.clips()) == 1)
    await ada.pushes(platform.only(), platform.only().button(Verb.LOOP))
    await wait_until(lambda: len(platform.clips()) == 2)
    loop = platform.clips()[-1]
    job_id = loop.button(Verb.REPORT).target
    await wait_until(lambda: ended(services, job_id))

    said = await ada.pushes(loop, pressed(Verb.LOOP, job_id))

    assert said is not None
    assert await services.ledger.jobs.open_jobs() == []


@pytest.mark.parametrize("verb", [Verb.FILE, Verb.LOOP, Verb.LONGER])
async def test_a_clip_that_was_given_back_is_given_to_nobody(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
    verb: Verb,
) -> None:
    """The chat took no answer, so it cost nothing; the clip is still in the store."""
    platform.fails("edit_into", Undeliverable("blocked"))
    await ada.sends(photo, "slow zoom in")
    status = platform.only()
    job_id = status.button(Verb.CANCEL).target
    await wait_until(lambda: ended(services, job_id))

    said = await ada.pushes(status, pressed(verb, job_id))

    job = await services.ledger.jobs.get(job_id)
    assert job is not None
    assert job.clip is not None
    assert said is not None
    assert platform.files == []
    assert await services.ledger.jobs.open_jobs() == []
    assert platform.clips() == []
