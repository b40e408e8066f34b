"""Button data that somebody made up: a chat's say ends at its door, and only a loop is free."""

from dataclasses import replace

import pytest

from tests.conftest import engine_at_work, wait_until
from tests.engines import QuickEngine
from tests.platforms import MemoryPlatform, Person
from vivant.chat import Button, Verb
from vivant.conversation import Conversation
from vivant.errors import Undeliverable
from vivant.messages import Messages
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


@pytest.mark.parametrize("verb", [Verb.CHOOSE, Verb.DROP])
@pytest.mark.parametrize("is_over", [True, False])
async def test_a_question_is_answered_where_it_stands_and_never_over_a_message_of_others(
    services: Services,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
    verb: Verb,
    is_over: bool,
) -> None:
    """The draft is one's own; the message that it is pressed under is Ada's, clip or not yet."""
    bea = ada.called("bea")
    await ada.sends(photo, "slow zoom in")
    hers = platform.only()
    if is_over:
        async with engine_at_work(services, QuickEngine()):
            await wait_until(lambda: len(platform.clips()) == 1)
    text, film = hers.text, hers.film
    await bea.sends(photo)
    draft = platform.in_chat()[-1].button(Verb.CHOOSE)

    said = await bea.pushes(hers, replace(draft, verb=verb))

    assert (hers.text, hers.film) == (text, film)
    if verb is Verb.DROP:
        assert said == Messages().dropped()
    else:
        job = (await services.ledger.jobs.latest(bea.owner, 1))[0]
        assert job.status_message not in (None, hers.id)


async def test_a_message_is_known_by_its_chat_and_not_by_its_number_alone(
    services: Services, platform: MemoryPlatform, ada: Person, photo: bytes
) -> None:
    """The question's number in another chat is somebody else's message."""
    await ada.sends(photo)
    question = platform.only()

    await ada.at("elsewhere").pushes(question, question.button(Verb.CHOOSE))

    (job,) = await services.ledger.jobs.latest(ada.owner, 1)
    assert job.status_message != question.id
    assert question.text == Messages().what_should_happen()
    assert platform.only("elsewhere").button(Verb.CANCEL).target == job.id


async def test_deleting_takes_away_ones_own_clip_only(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """Whatever message it was pressed under."""
    bea = ada.called("bea")
    await ada.sends(photo, "slow zoom in")
    await bea.sends(photo, "slow zoom in")
    await wait_until(lambda: len(platform.clips()) == 2)
    hers, mine = platform.in_chat()

    await bea.pushes(hers, mine.button(Verb.DELETE))

    assert platform.only() is hers


async def test_what_is_deleted_while_it_waits_is_cancelled(
    services: Services, platform: MemoryPlatform, ada: Person, photo: bytes
) -> None:
    """It would count among nobody's open jobs, and be rendered for nobody."""
    await ada.sends(photo, "slow zoom in")
    status = platform.only()
    before = await services.ledger.jobs.waiting()

    said = await ada.pushes(status, pressed(Verb.DELETE, status.button(Verb.CANCEL).target))

    assert said == Messages().cancelled(1)
    assert before == 1
    assert await services.ledger.jobs.waiting() == 0
    assert (await services.ledger.people.credit(ada.owner)).reserved == 0


@pytest.mark.parametrize("verb", [Verb.AGAIN, Verb.EDIT])
async def test_what_is_asked_for_elsewhere_is_answered_elsewhere(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
    verb: Verb,
) -> None:
    """Whoever was thrown out of a chat has her own clips still, and writes nothing there."""
    await ada.sends(photo, "slow zoom in")
    await wait_until(lambda: len(platform.clips()) == 1)
    clip = platform.only()

    await ada.at("elsewhere").pushes(clip, clip.button(verb))
    if verb is Verb.EDIT:
        question = platform.only("elsewhere")
        await ada.at("elsewhere").pushes(question, question.button(Verb.CHOOSE))

    await wait_until(lambda: len(platform.clips("elsewhere")) == 1)
    assert platform.only() is clip


async def test_a_question_that_is_answered_elsewhere_brings_its_clip_elsewhere(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """The clip goes where the answer came from, which may be all that is left to her."""
    await ada.sends(photo)
    question = platform.only()

    await ada.at("elsewhere").pushes(question, question.button(Verb.CHOOSE))

    await wait_until(lambda: len(platform.clips("elsewhere")) == 1)
    assert platform.only() is question
