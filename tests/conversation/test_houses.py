"""What a chat's moderators may set, and that it is obeyed."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import update

from tests.conftest import wait_until
from tests.conversation.conftest import SightedCleaner
from tests.engines import QuickEngine
from tests.platforms import MemoryPlatform, Person
from vivant.chat import Sender, Verb
from vivant.clips import RefusalReason, ReplyTo
from vivant.conversation import Conversation
from vivant.errors import Refused
from vivant.houses import Guests, House, Houses
from vivant.ledger.schema import accounts
from vivant.messages import Messages
from vivant.services import Services

SAID = Messages()


@pytest.fixture
def moderator(ada: Person) -> Person:
    return ada.called("mod", is_moderator=True)


async def chosen(conversation: Conversation, moderator: Person, **rules: object) -> None:
    """The moderator sets *rules* for the chat."""
    house = replace(await conversation.house("home"), **rules)  # type: ignore[arg-type]
    said = await conversation.change_house("home", moderator.sender, house)
    assert said == Messages(house.language or "en").house_kept()


async def test_only_a_moderator_changes_a_house(
    conversation: Conversation, ada: Person, moderator: Person
) -> None:
    """Everybody may look; what was set stays set, for that chat alone."""
    changed = House(quiet=True)
    said = await conversation.change_house("home", ada.sender, changed)
    assert said == SAID.moderators_only()
    assert await conversation.house("home") == House()

    await chosen(conversation, moderator, quiet=True, clips_by_role={"vip": 5})
    assert await conversation.house("home") == House(quiet=True, clips_by_role={"vip": 5})
    assert await conversation.house("elsewhere") == House()


async def test_settings_are_said_in_words(
    conversation: Conversation, ada: Person, moderator: Person
) -> None:
    """`/settings`: nothing shows them, "name value" changes one, nonsense changes nothing."""
    for words in ("quiet on", "clips 3", "language de", "guests moderators"):
        said = await conversation.settings("home", moderator.sender, words)
        assert said in (Messages("en").house_kept(), Messages("de").house_kept())
    house = House(quiet=True, clips=3, language="de", guests=Guests.MODERATORS)
    assert await conversation.house("home") == house

    for words in ("", "quiet perhaps", "clips many", "clips 1000", "language tlh", "roof open"):
        shown = await conversation.settings("home", moderator.sender, words)
        assert shown == Messages("de").house(house)
    assert await conversation.settings("home", ada.sender, "quiet off") == (
        Messages("de").moderators_only()
    )
    assert await conversation.house("home") == house
    await conversation.settings("home", moderator.sender, "clips -")
    assert (await conversation.house("home")).clips is None


@pytest.mark.parametrize(
    "rules",
    [
        {"guests": Guests.MODERATORS},
        {"roles": ("artist",)},
        {"rooms": ("another",)},
    ],
)
async def test_who_is_no_guest_is_told_so_once_an_hour(
    services: Services,
    conversation: Conversation,
    platform: MemoryPlatform,
    ada: Person,
    moderator: Person,
    photo: bytes,
    rules: dict[str, object],
) -> None:
    """Refused before any work; others of the chat each hear it once too."""
    await chosen(conversation, moderator, **rules)
    await ada.sends(photo, "smile")
    await ada.sends(photo, "smile")
    assert platform.only().text == SAID.refused(Refused(RefusalReason.NOT_ALLOWED))
    await ada.called("bob").sends(photo, "smile")
    assert len(platform.in_chat()) == 2
    assert await services.ledger.jobs.waiting() == 0


async def test_guests_come_by_role_by_room_and_as_moderators(
    services: Services,
    conversation: Conversation,
    platform: MemoryPlatform,
    ada: Person,
    moderator: Person,
    photo: bytes,
) -> None:
    """A role lets in; a topic's id is a room; moderators need no role."""
    await chosen(conversation, moderator, roles=("artist",), rooms=("topic",))
    artist = ada.called("eve", roles=frozenset({"artist", "other"}))
    await artist.at("home", "topic").sends(photo, "smile")
    await moderator.at("home", "topic").sends(photo, "smile")
    assert await services.ledger.jobs.waiting() == 2
    await moderator.at("home", "lounge").sends(photo, "smile")
    await ada.at("home", "topic").sends(photo, "smile")
    assert await services.ledger.jobs.waiting() == 2


async def test_a_house_limits_the_clips_of_a_person_in_a_day(
    services: Services,
    conversation: Conversation,
    platform: MemoryPlatform,
    ada: Person,
    moderator: Person,
    photo: bytes,
) -> None:
    """Exactly so many, however many come at once; elsewhere they have all of theirs."""
    await chosen(conversation, moderator, clips=2)
    await asyncio.gather(*(ada.sends(photo, "smile") for _ in range(5)))
    assert await services.ledger.jobs.waiting() == 2
    refusals = [shown.text for shown in platform.in_chat() if not shown.buttons]
    assert (
        refusals
        == ["That makes 2 clips today, which is the most for one day here. Nothing was charged."]
        * 3
    )

    await ada.called("bob").sends(photo, "smile")
    await ada.at("elsewhere").sends(photo, "smile")
    assert await services.ledger.jobs.waiting() == 4
    assert await services.ledger.people.discrepancies() == []


async def test_a_refusal_for_another_reason_takes_no_clip_of_the_house(
    services: Services, conversation: Conversation, ada: Person, moderator: Person, photo: bytes
) -> None:
    """Without credit nothing was made, so the house's own clip is still there."""
    await chosen(conversation, moderator, clips=1)
    held = await _without_credit(services, ada)
    await ada.sends(photo, "smile")
    assert await services.ledger.jobs.waiting() == 0
    await services.ledger.people.grant(ada.owner, held, source="grant:test")
    await ada.sends(photo, "smile")

    assert await services.ledger.jobs.waiting() == 1


async def _without_credit(services: Services, person: Person) -> int:
    """Take all free clips of *person* away; how many those were."""
    free = (await services.ledger.people.credit(person.owner)).free
    async with services.ledger.db.writing() as conn:
        await conn.execute(update(accounts).where(accounts.c.owner == person.owner).values(free=0))
    return free


@pytest.mark.parametrize(
    ("roles", "clips"),
    [(set(), 1), ({"fan"}, 2), ({"fan", "vip"}, 4), ({"guest"}, 0), ({"unknown"}, 1)],
)
def test_who_has_several_roles_has_the_most_of_them(roles: set[str], clips: int) -> None:
    """By role, else what everybody has."""
    house = House(clips=1, clips_by_role={"fan": 2, "vip": 4, "guest": 0})
    sender = Sender(id="ada", roles=frozenset(roles))

    assert house.clips_of(sender) == clips


async def test_the_language_of_a_house_goes_before_the_senders(
    quick_engine: QuickEngine,
    conversation: Conversation,
    platform: MemoryPlatform,
    ada: Person,
    eyes: SightedCleaner,
    moderator: Person,
    photo: bytes,
) -> None:
    """On every message there: questions, status, answer, refusals, words for a presser."""
    await chosen(conversation, moderator, language="de")
    russian = ada.called("eve", language="ru")
    await russian.sends(photo)
    question = platform.only()
    assert question.text == Messages("de").what_should_happen()
    assert question.buttons[0].label == "Langsamer Zoom"
    await russian.presses(question, Verb.CHOOSE, "zoom")
    await wait_until(lambda: len(platform.clips()) == 1)
    clip = platform.only()
    assert any(text.startswith("Verstanden: langsamer Zoom.") for text in clip.history)
    assert "KI-generiert" in clip.text
    assert await ada.presses(clip, Verb.AGAIN) == Messages("de").not_yours()
    await russian.sends(b"no picture")
    assert platform.in_chat()[-1].text.endswith("Es wurde nichts berechnet.")

    await russian.at("elsewhere").sends(photo)
    assert platform.in_chat("elsewhere")[0].text == Messages("ru").what_should_happen()
    place = ReplyTo(platform="memory", bot="bot", chat_id="home")
    assert (await conversation.guest(place, russian.sender)).language == "de"


async def test_a_quiet_house_hears_nothing_between_on_it_and_the_clip(
    quick_engine: QuickEngine,
    conversation: Conversation,
    platform: MemoryPlatform,
    ada: Person,
    moderator: Person,
    photo: bytes,
) -> None:
    """No progress, no positions; another chat has them."""
    await chosen(conversation, moderator, quiet=True)
    quick_engine.go.clear()
    await ada.sends(photo, "smile")
    await wait_until(lambda: quick_engine.renders == 1)
    await ada.sends(photo, "laugh")
    await conversation.status_messages.tell_positions()
    quick_engine.go.set()
    await wait_until(lambda: len(platform.clips()) == 2)
    assert [len(shown.history) for shown in platform.in_chat()] == [2, 2]

    quick_engine.go.clear()
    await ada.at("loud").sends(photo, "smile")
    await wait_until(lambda: len(platform.in_chat("loud")[0].history) > 1)
    quick_engine.go.set()
    await wait_until(lambda: len(platform.clips("loud")) == 1)


async def test_open_buttons_are_for_everybody_and_whoever_presses_pays(
    services: Services,
    quick_engine: QuickEngine,
    conversation: Conversation,
    platform: MemoryPlatform,
    ada: Person,
    moderator: Person,
    photo: bytes,
) -> None:
    """Again and edit are open; ending and deleting stay with the owner."""
    await chosen(conversation, moderator, open_buttons=True)
    bob = ada.called("bob")
    await ada.sends(photo, "smile")
    await wait_until(lambda: len(platform.clips()) == 1)
    clip = platform.only()
    assert await bob.presses(clip, Verb.AGAIN) == "This takes one clip; 9 left after it."
    await wait_until(lambda: len(platform.clips()) == 2)
    assert await bob.presses(clip, Verb.DELETE) == SAID.not_yours()

    assert (await services.ledger.people.credit(ada.owner)).free == 9
    assert (await services.ledger.people.credit(bob.owner)).free == 9


async def test_a_room_of_a_server_obeys_the_servers_house(services: Services) -> None:
    """A channel has no rules of its own."""
    houses = Houses(services.ledger)
    await houses.put("memory", "server", House(quiet=True))
    room = ReplyTo(platform="memory", bot="bot", chat_id="channel", server_id="server")

    assert (await houses.at(room)).quiet
    assert not (await houses.at(replace(room, server_id=None))).quiet
