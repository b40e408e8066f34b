"""`/privacy`, `/forget`, `/terms`, `/paysupport`, and a payment that is counted once."""

import asyncio

from tests.conftest import wait_until
from tests.engines import QuickEngine
from tests.platforms import MemoryPlatform, Person
from vivant.conversation import Conversation
from vivant.services import Services


async def stored(services: Services) -> set[str]:
    return {ref.key async for ref in services.media.older_than(-1)}


async def test_privacy_and_terms_say_how_long_and_whom_to_ask(
    conversation: Conversation, ada: Person
) -> None:
    """From the settings, not from hope."""
    told = conversation.privacy(ada.sender)
    assert "kept for 24 hours" in told
    assert "/forget" in told
    for words in (told, conversation.terms(ada.sender), conversation.paysupport(ada.sender)):
        assert words.endswith("Questions: @operator")


async def test_forget_removes_everything_of_that_person_now(
    services: Services,
    quick_engine: QuickEngine,
    conversation: Conversation,
    platform: MemoryPlatform,
    ada: Person,
    photo: bytes,
) -> None:
    """A finished clip, a job under way, a photo that waits for words; nothing of anybody else."""
    bob = ada.called("bob").at("bob")
    await bob.sends(photo, "smile")
    await wait_until(lambda: len(platform.clips("bob")) == 1)
    await wait_until(lambda: _is_settled(services, bob))
    of_bob = await stored(services)
    await ada.sends(photo, "smile")
    await wait_until(lambda: len(platform.clips()) == 1)
    await wait_until(lambda: _is_settled(services, ada))
    await ada.sends(photo)
    quick_engine.go.clear()
    await ada.sends(photo, "hug")
    await wait_until(lambda: quick_engine.renders == 3)

    said = await conversation.forget(ada.sender)
    assert "Forgotten: your photos" in said
    assert "Stopping 1 clip." in said
    assert "What stays:" in said
    quick_engine.go.set()
    await wait_until(lambda: platform.in_chat()[-1].text == "Cancelled. Your clip was given back.")
    await wait_until(lambda: _holds_only(services, of_bob))

    assert await services.ledger.people.discrepancies() == []
    assert (await services.ledger.people.credit(ada.owner)).free == 9
    assert await services.ledger.jobs.open_jobs(owner=ada.owner) == []
    assert not await ada.says("laugh")


async def _holds_only(services: Services, keys: set[str]) -> bool:
    return await stored(services) == keys


async def _is_settled(services: Services, person: Person) -> bool:
    has = await services.ledger.people.credit(person.owner)
    return (has.free, has.reserved) == (9, 0)


async def test_a_payment_is_counted_once_however_often_it_is_told(
    services: Services, conversation: Conversation, ada: Person
) -> None:
    """By the platform's number of it; the thanks are the same each time."""
    said = await asyncio.gather(*(conversation.paid(ada.sender, 10, "charge-1") for _ in range(3)))
    await conversation.paid(ada.sender, 10, "charge-2")

    assert set(said) == {"Thank you! 10 clips more for you. Questions: /paysupport"}
    assert (await services.ledger.people.credit(ada.owner)).paid == 20
    assert await services.ledger.people.discrepancies() == []
