"""The words on the way: understood, asked, suggested, refused, pressed."""

import asyncio

import pytest

from tests.conftest import wait_until
from tests.conversation.conftest import ONE, TWO, SightedCleaner
from tests.engines import QuickEngine
from tests.platforms import MemoryPlatform, Person, Shown
from vivant.chat import Verb
from vivant.clips import Work
from vivant.jobs import Job
from vivant.messages import Messages
from vivant.services import Services

SAID = Messages()


async def a_clip(platform: MemoryPlatform, count: int = 1, chat: str = "home") -> None:
    await wait_until(lambda: len(platform.clips(chat)) == count)


async def credit(services: Services, person: Person) -> tuple[int, int]:
    """What *person* has left, and what is held for open jobs."""
    has = await services.ledger.people.credit(person.owner)
    return has.free + has.paid, has.reserved


async def test_one_message_says_what_was_understood_and_becomes_the_clip(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """The words are on it from the first to the last; one clip was counted."""
    await ada.sends(photo, "group hug")
    await a_clip(platform)
    answer = platform.only()
    await wait_until(lambda: _settled(services, ada, 9))

    assert answer.history[0].startswith("Understood: hug.")
    assert answer.text.startswith("“group hug” · ")
    assert "AI-generated" in answer.text
    assert answer.to.message_id == "ada-1"
    assert await services.ledger.people.discrepancies() == []


async def _settled(services: Services, person: Person, left: int) -> bool:
    return await credit(services, person) == (left, 0)


async def test_the_same_event_twice_is_one_job_and_one_message(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """A platform that repeats itself costs nobody a clip."""
    await asyncio.gather(*(ada.sends(photo, "smile", event="e") for _ in range(3)))
    await a_clip(platform)
    await ada.sends(photo, "smile", event="e")

    assert len(platform.in_chat()) == 1
    assert quick_engine.renders == 1
    await wait_until(lambda: _settled(services, ada, 9))


async def test_a_hug_of_one_is_refused_with_what_fits_and_a_suggestion_becomes_the_clip(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    eyes: SightedCleaner,
    photo: bytes,
) -> None:
    """Before any cost; the refusal itself turns into the clip of what was pressed."""
    eyes.sight = ONE
    await ada.sends(photo, "a warm hug")
    refusal = platform.only()

    assert refusal.text.startswith("A hug needs two people, I see one. What fits: smile, ")
    assert refusal.text.endswith("Nothing was charged.")
    assert 3 <= len(refusal.buttons) <= 6
    assert {button.choice for button in refusal.buttons}.isdisjoint({"hug"})
    assert await credit(services, ada) == (10, 0)

    assert await ada.presses(refusal, Verb.CHOOSE, "smile") is None
    await a_clip(platform)
    assert platform.only().text.startswith("“smile”")


async def test_a_kiss_of_two_asks_once_for_that_photo(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    eyes: SightedCleaner,
    photo: bytes,
) -> None:
    """Nothing is queued before the yes; again, and other words for the same photo, do not ask."""
    eyes.sight = TWO
    await ada.sends(photo, "a gentle kiss")
    question = platform.only()
    assert question.text == "All adults, and fine with it? Nothing was charged."
    assert [button.label for button in question.buttons] == ["Yes", "No"]
    assert quick_engine.renders == 0

    await ada.presses(question, Verb.CONSENT)
    await a_clip(platform)
    clip = platform.only()
    await ada.presses(clip, Verb.AGAIN)
    await a_clip(platform, 2)
    await ada.presses(clip, Verb.EDIT)
    (asks,) = [shown for shown in platform.in_chat() if shown.film is None]
    assert await ada.says("a wild kiss", answering=asks)
    await a_clip(platform, 3)


async def test_a_kiss_that_is_not_agreed_to_is_forgotten(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    eyes: SightedCleaner,
    photo: bytes,
) -> None:
    """No: nothing is made, nothing is charged, and the photo goes at once."""
    eyes.sight = TWO
    await ada.sends(photo, "kiss")
    question = platform.only()
    yes = question.button(Verb.CONSENT)
    await ada.presses(question, Verb.DROP)

    assert platform.only().text == "Then not. Nothing was charged."
    assert platform.only().buttons == ()
    assert await credit(services, ada) == (10, 0)
    assert [ref async for ref in services.media.older_than(-1)] == []
    assert await ada.pushes(question, yes) == SAID.not_yours()
    assert quick_engine.renders == 0


async def test_a_kiss_that_was_chosen_asks_as_well(
    platform: MemoryPlatform, ada: Person, eyes: SightedCleaner, photo: bytes
) -> None:
    """The button "kiss" under a photo without words leads to the same question."""
    eyes.sight = TWO
    await ada.sends(photo)
    await ada.presses(platform.only(), Verb.CHOOSE, "kiss")

    assert platform.only().text == "All adults, and fine with it? Nothing was charged."


@pytest.mark.parametrize("sight", [None, ONE, TWO])
async def test_a_photo_without_words_gets_buttons_that_fit_it(
    platform: MemoryPlatform, ada: Person, eyes: SightedCleaner, photo: bytes, sight: object
) -> None:
    """Three to six; none needs more people than there are."""
    eyes.sight = sight  # type: ignore[assignment]
    await ada.sends(photo)
    question = platform.only()
    choices = {button.choice for button in question.buttons}

    assert question.text == SAID.what_should_happen()
    assert 3 <= len(choices) <= 6
    assert ("hug" in choices) == (sight is TWO)
    assert all(button.label[0].isupper() for button in question.buttons)


async def test_words_that_come_after_their_photo_belong_to_it(
    quick_engine: QuickEngine, platform: MemoryPlatform, ada: Person, photo: bytes
) -> None:
    """As the next message, or as a reply; words of others and words for nothing do not."""
    assert not await ada.says("smile")
    await ada.sends(photo)
    question = platform.only()
    assert not await ada.called("bob").says("laugh", answering=question)
    assert not await ada.at("elsewhere").says("laugh")
    assert await ada.says("smile")
    await a_clip(platform)

    assert platform.clips()[0].text.startswith("“smile”")
    assert not await ada.says("laugh")


async def test_blocked_words_are_refused_wherever_they_are_said(
    services: Services, platform: MemoryPlatform, ada: Person, photo: bytes
) -> None:
    """With the photo and after it; the operator finds that in the audit, without the words."""
    await ada.sends(photo, "something forbidden")
    assert (
        platform.only().text == "I do not make that. Other words are welcome. Nothing was charged."
    )
    await ada.sends(photo)
    await ada.says("f o r b i d d e n", answering=platform.in_chat()[-1])
    deeds = await services.ledger.audit.latest(10)

    assert platform.in_chat()[-1].text.startswith("I do not make that.")
    assert [(deed.by, deed.outcome) for deed in deeds] == [("memory:ada", "refused")] * 2
    assert all("forbidden" not in deed.words for deed in deeds)


async def test_a_press_that_renders_says_what_it_costs(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """One clip, or none for a loop; twice the same press is one job."""
    await ada.sends(photo, "smile")
    await a_clip(platform)
    clip = platform.only()
    assert await ada.presses(clip, Verb.AGAIN, event="p") == "This takes one clip; 8 left after it."
    assert await ada.presses(clip, Verb.AGAIN, event="p") == "This takes one clip; 8 left after it."
    assert await ada.presses(clip, Verb.LOOP) == "This takes none of your clips."
    await a_clip(platform, 3)

    await wait_until(lambda: _settled(services, ada, 8))
    asked, again, loop = [await _job_of(services, shown) for shown in platform.clips()]
    assert asked.settings.seed != again.settings.seed
    assert (loop.work, loop.work.cost) == (Work.LOOP, 0)
    assert await services.ledger.people.discrepancies() == []


async def test_something_else_stops_the_job_and_asks_anew(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """The wrong idea of the words costs nothing; the same photo gets its other words."""
    quick_engine.go.clear()
    await ada.sends(photo, "hug")
    status = platform.only()
    await wait_until(lambda: quick_engine.renders == 1)
    await ada.presses(status, Verb.CORRECT)
    quick_engine.go.set()
    await wait_until(lambda: status.text == "Cancelled. Your clip was given back.")
    (question,) = [shown for shown in platform.in_chat() if shown is not status]
    await ada.presses(question, Verb.CHOOSE, question.buttons[0].choice)
    await a_clip(platform)

    await wait_until(lambda: _settled(services, ada, 9))
    assert len(platform.in_chat()) == 2


async def test_only_the_owner_presses_but_a_moderator_may_end_things(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """Checked on our side; anybody may report."""
    bob, mod = ada.called("bob"), ada.called("mod", is_moderator=True)
    quick_engine.go.clear()
    await ada.sends(photo, "hug")
    status = platform.only()
    assert await bob.presses(status, Verb.CANCEL) == SAID.not_yours()
    assert await mod.presses(status, Verb.CORRECT) == SAID.not_yours()
    assert await mod.presses(status, Verb.CANCEL) == "Stopping 1 clip."
    quick_engine.go.set()
    await wait_until(lambda: status.text == "Cancelled. Your clip was given back.")

    await ada.sends(photo, "smile")
    await a_clip(platform)
    (clip,) = platform.clips()
    for verb in (Verb.AGAIN, Verb.EDIT, Verb.LONGER, Verb.FILE):
        assert await bob.presses(clip, verb) == SAID.not_yours()
    assert await mod.presses(clip, Verb.AGAIN) == SAID.not_yours()
    assert await bob.presses(clip, Verb.REPORT) == SAID.reported()
    await wait_until(lambda: _settled(services, ada, 9))
    assert await mod.presses(clip, Verb.DELETE) == SAID.deleted()
    assert platform.clips() == []
    assert (await _job_of(services, clip)).clip is None
    (report,) = await services.ledger.reports.latest(10)
    assert report.by == bob.owner


async def test_status_tells_position_expected_time_and_what_is_left(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """Once a render was measured, the wait is told; `/cancel` ends it."""
    await ada.sends(photo, "smile")
    await a_clip(platform)
    quick_engine.go.clear()
    await ada.sends(photo, "hug")
    await wait_until(lambda: quick_engine.renders == 2)
    await ada.sends(photo, "laugh")
    first, hug, laugh, health = (await ada.conversation.status(ada.sender)).splitlines()

    assert first.startswith("7 clips left today; new ones come <en:")
    assert hug.startswith("“hug”: On it. Ready <en:")
    assert laugh.startswith("“laugh”: 1 ahead of you. Ready <en:")
    assert health == "The engine is well."
    assert await ada.conversation.cancel(ada.sender) == "Stopping 2 clips."
    quick_engine.go.set()
    await wait_until(lambda: _settled(services, ada, 9))
    assert (await ada.conversation.status(ada.sender)).splitlines()[1] == (
        "Nothing of yours is waiting."
    )


async def test_a_press_on_what_was_forgotten_asks_for_the_photo(
    services: Services,
    quick_engine: QuickEngine,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """Buttons outlive what they are about."""
    await ada.sends(photo, "smile")
    await a_clip(platform)
    clip = platform.only()
    await wait_until(lambda: _settled(services, ada, 9))
    await services.ledger.jobs.purge(clip.buttons[0].target)

    assert await ada.presses(clip, Verb.AGAIN) == SAID.not_yours()


async def _job_of(services: Services, shown: Shown) -> Job:
    job = await services.ledger.jobs.get(shown.buttons[0].target)
    assert job is not None
    return job
