"""What a server chooses for itself, by the form that only those who manage it see."""

from typing import Any

import pytest

from tests.discord_bot.test_promise import asks, ended
from tests.discord_bot.test_ways_in import clips
from tests.fakes.discord_api import (
    Channel,
    DiscordServer,
    Guild,
    Message,
    Permission,
    Person,
)
from vivant.houses import House, Houses
from vivant.services import Services

pytestmark = pytest.mark.usefixtures("bot", "quick_engine")


@pytest.fixture
def manager(discord: DiscordServer, home: Guild, general: Channel) -> Person:
    """Somebody with "Manage Server"."""
    del general
    person = discord.person("mia")
    discord.joins(home, person, discord.role(home, "managers", Permission.MANAGE_GUILD))
    return person


async def house_of(services: Services, home: Guild) -> House:
    return await Houses(services.ledger).get("discord", str(home.id))


async def opened(discord: DiscordServer, manager: Person, general: Channel) -> Message:
    """The form, as it stands before the one who opened it."""
    asked = manager.runs("settings", general)
    await discord.until(lambda: asked.reply and asked.reply.components)
    assert asked.reply is not None
    return asked.reply


async def test_the_form_is_for_its_manager_alone_and_is_kept(
    discord: DiscordServer,
    services: Services,
    home: Guild,
    general: Channel,
    manager: Person,
    ada: Person,
) -> None:
    """Each choice is kept at once, and the form shows it."""
    animators = discord.role(home, "animators", Permission(0), ada)
    form = await opened(discord, manager, general)
    assert form.only_for is manager
    await picks(discord, manager, form, "house:rooms", general)
    await picks(discord, manager, form, "house:roles", animators)
    await picks(discord, manager, form, "house:clips", "5")
    await picks(discord, manager, form, "house:language", "de")
    await picks(discord, manager, form, "house:switches", "spoiler", "threads")

    assert await house_of(services, home) == House(
        rooms=(str(general.id),),
        roles=(str(animators.id),),
        clips=5,
        language="de",
        spoiler=True,
        threads=True,
    )
    assert discord.refused == []


async def test_clips_by_role_are_filled_into_a_form_of_their_own(
    discord: DiscordServer, services: Services, home: Guild, general: Channel, manager: Person
) -> None:
    patrons = discord.role(home, "patrons", Permission(0))
    form = await opened(discord, manager, general)
    pressed = manager.clicks(form, "house:role_clips")
    await discord.until(lambda: pressed.modal)
    assert pressed.modal is not None
    roles, number = (part["component"]["custom_id"] for part in pressed.modal["components"])
    filled: dict[str, Any] = {roles: [patrons], number: "20"}
    manager.submits(pressed, filled)
    await discord.until(lambda: f"{patrons.mention}: 20" in form.text)

    assert (await house_of(services, home)).clips_by_role == {str(patrons.id): 20}


async def test_a_manager_who_is_none_any_more_changes_nothing(
    discord: DiscordServer, services: Services, home: Guild, general: Channel, manager: Person
) -> None:
    """The form still stands before them; the right is asked for at each choice."""
    form = await opened(discord, manager, general)
    home.members[manager.id].roles.clear()
    picked = manager.picks(form, "house:clips", "5")
    await discord.until(lambda: picked.followups)

    assert "Only those who moderate" in picked.followups[0].text
    assert await house_of(services, home) == House()


async def test_a_channel_that_is_not_chosen_is_said_no_to_and_its_threads_too(
    discord: DiscordServer,
    services: Services,
    home: Guild,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    gallery = discord.channel(home, "gallery")
    thread = discord.thread(gallery, "portraits", ada)
    await chosen(services, home, rooms=(str(gallery.id),))
    elsewhere = asks(ada, general, photo)
    await discord.until(lambda: elsewhere.reply and "may not work" in elsewhere.reply.text)
    asks(ada, thread, photo)
    await discord.until(lambda: clips(thread, ada), within_s=20)

    assert clips(general, ada) == []


async def test_a_role_may_be_asked_for(
    discord: DiscordServer,
    services: Services,
    home: Guild,
    general: Channel,
    ada: Person,
    bob: Person,
    photo: bytes,
) -> None:
    role = discord.role(home, "animators", Permission(0), ada)
    await chosen(services, home, roles=(str(role.id),))
    refused = asks(bob, general, photo)
    await discord.until(lambda: refused.reply and "may not work" in refused.reply.text)
    asks(ada, general, photo)
    await ended(services)

    assert len(clips(general, ada)) == 1


async def test_spoiler_hides_a_clip_until_it_is_tapped(
    services: Services, home: Guild, general: Channel, ada: Person, photo: bytes
) -> None:
    await chosen(services, home, spoiler=True)
    asks(ada, general, photo)
    await ended(services)

    (clip,) = clips(general, ada)
    assert clip.attachments[0].is_spoiler


async def test_a_clip_has_a_thread_of_its_own_and_what_comes_of_it_goes_there(
    discord: DiscordServer,
    services: Services,
    home: Guild,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    await chosen(services, home, threads=True)
    asks(ada, general, photo)
    await ended(services)
    (clip,) = clips(general, ada)
    await discord.until(lambda: clip.thread)
    thread = clip.thread
    assert thread is not None
    assert "slow zoom in" in thread.name
    ada.clicks(clip, "Again")
    await discord.until(lambda: clips(thread, ada), within_s=20)

    assert clips(general, ada) == [clip]


async def test_a_title_that_automod_refuses_costs_nobody_the_clip(
    discord: DiscordServer,
    services: Services,
    home: Guild,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    """The clip is there, without a thread; the next of it comes in the channel."""
    home.blocked_in_titles.add("slow")
    await chosen(services, home, threads=True)
    asks(ada, general, photo)
    await ended(services)
    (clip,) = clips(general, ada)
    await discord.until(lambda: discord.refused)
    ada.clicks(clip, "Again")
    await discord.until(lambda: len(clips(general, ada)) == 2, within_s=20)

    assert clip.thread is None
    assert {call.answer["code"] for call in discord.refused} == {200001}


async def test_buttons_are_the_askers_until_the_server_opens_them(
    discord: DiscordServer,
    services: Services,
    home: Guild,
    general: Channel,
    ada: Person,
    bob: Person,
    photo: bytes,
) -> None:
    """Whoever presses pays."""
    asks(ada, general, photo)
    await ended(services)
    (clip,) = clips(general, ada)
    meddled = bob.clicks(clip, "Again")
    await discord.until(lambda: meddled.followups)
    assert "not yours" in meddled.followups[0].text
    await chosen(services, home, open_buttons=True)
    bob.clicks(clip, "Again")
    await discord.until(lambda: len(clips(general, bob)) == 2, within_s=20)

    left = await services.ledger.people.credit(f"discord:{bob.id}")
    assert left.free == 9


async def test_the_house_speaks_its_own_language(
    services: Services, home: Guild, general: Channel, ada: Person, photo: bytes
) -> None:
    await chosen(services, home, language="de")
    asks(ada, general, photo)
    await ended(services)

    (clip,) = clips(general, ada)
    assert "AI-generated" not in clip.text


async def chosen(services: Services, home: Guild, **choices: Any) -> None:
    """The house, as its manager chose it."""
    await Houses(services.ledger).put("discord", str(home.id), House(**choices))


async def picks(
    discord: DiscordServer, manager: Person, form: Message, custom_id: str, *values: Any
) -> None:
    """Choose in one field, and see the form shown anew."""
    shown = len(form.before)
    manager.picks(form, custom_id, *values)
    await discord.until(lambda: len(form.before) > shown)
