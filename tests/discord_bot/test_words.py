"""What people read: descriptions and suggestions in their language, answers for one person."""

import pytest
from pydantic import SecretStr

from tests.conftest import wait_until
from tests.discord_bot.test_promise import asks, ended
from tests.discord_bot.test_ways_in import clips
from tests.fakes.discord_api import Channel, DiscordServer, Person, Upload
from vivant.bots.discord import whoami
from vivant.errors import SettingsError
from vivant.services import Services
from vivant.settings import Settings


@pytest.mark.usefixtures("bot")
async def test_commands_are_described_in_the_languages_of_their_readers(
    discord: DiscordServer,
) -> None:
    """Names stay, so that what one person shows another works for both."""
    commands = discord.world.commands[None]
    status = next(command for command in commands if command["name"] == "status")
    animate = next(command for command in commands if command["name"] == "animate")

    assert status["description_localizations"]["de"] != status["description"]
    assert not status.get("name_localizations")
    assert [option["name"] for option in animate["options"]] == [
        "photo",
        "action",
        "length",
        "motion",
        "seed",
    ]
    assert [option["required"] for option in animate["options"]][:2] == [True, True]
    assert {command["name"] for command in commands} == {
        "animate",
        "Animate",
        "status",
        "cancel",
        "help",
        "privacy",
        "forget",
        "terms",
        "settings",
    }


@pytest.mark.usefixtures("bot")
async def test_what_can_be_acted_is_suggested_while_somebody_types(
    discord: DiscordServer, general: Channel, ada: Person
) -> None:
    """Their own words first, so that sending them is one key."""
    typing = ada.types_in("animate", general, "action", "wa")
    await discord.until(lambda: typing.choices is not None)

    assert typing.choices is not None
    assert [choice["value"] for choice in typing.choices] == ["wa", "wave", "sway"]


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_lengths_are_suggested_that_the_engine_can_make(
    discord: DiscordServer, services: Services, general: Channel, ada: Person
) -> None:
    """The quick engine makes eight seconds at most."""

    async def is_known() -> bool:
        return bool(await services.ledger.fleet.profiles())

    await wait_until(is_known)
    typing = ada.types_in("animate", general, "length", "")
    await discord.until(lambda: typing.choices is not None)

    assert typing.choices is not None
    assert [choice["value"] for choice in typing.choices] == [2, 3, 4, 5, 6, 8]


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_length_motion_and_seed_reach_the_job(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, photo: bytes
) -> None:
    del discord
    ada.runs(
        "animate",
        general,
        photo=photo,
        action="slow zoom in",
        length=2.0,
        motion=1.5,
        seed=7,
    )
    job = await ended(services)

    assert (job.wish.duration_s, job.wish.strength, job.wish.seed) == (2.0, 1.5, 7)
    assert job.clip is not None
    assert job.clip.duration_s == 2.0


@pytest.mark.usefixtures("bot", "quick_engine")
@pytest.mark.parametrize("command", ["status", "cancel", "help", "privacy", "forget", "terms"])
async def test_what_is_about_one_person_is_seen_by_that_person_alone(
    command: str, discord: DiscordServer, general: Channel, ada: Person, bob: Person
) -> None:
    asked = ada.runs(command, general)
    await discord.until(lambda: asked.reply and asked.reply.content)

    assert asked.reply is not None
    assert asked.reply.only_for is ada
    assert general.seen_by(bob) == []
    assert discord.refused == []


@pytest.mark.usefixtures("bot")
async def test_status_tells_what_is_left_when_it_renews_and_that_no_engine_runs(
    discord: DiscordServer, general: Channel, ada: Person, photo: bytes
) -> None:
    """Times are Discord's own, so each reader's app says them."""
    waits = asks(ada, general, photo)
    await discord.until(lambda: waits.reply and "no engine" in waits.reply.text)
    asked = ada.runs("status", general)
    await discord.until(lambda: asked.reply and asked.reply.content)

    assert asked.reply is not None
    assert "9 clips" in asked.reply.content
    assert "<t:" in asked.reply.content
    assert "slow zoom in" in asked.reply.content


@pytest.mark.usefixtures("bot")
async def test_what_is_no_picture_is_refused_in_place_and_charges_nothing(
    discord: DiscordServer, general: Channel, ada: Person
) -> None:
    asked = ada.runs(
        "animate", general, photo=Upload("notes.jpg", b"not a picture"), action="group hug"
    )
    await discord.until(lambda: asked.reply and asked.reply.content)

    assert asked.reply is not None
    assert "not a picture I can read" in asked.reply.content
    assert "Nothing was charged" in asked.reply.content


@pytest.mark.usefixtures("bot")
async def test_a_film_is_told_that_photos_are_wanted(
    discord: DiscordServer, general: Channel, ada: Person
) -> None:
    asked = ada.runs("animate", general, photo=Upload("me.mp4", b"ftyp"), action="group hug")
    await discord.until(lambda: asked.reply and asked.reply.content)

    assert asked.reply is not None
    assert "not videos" in asked.reply.content


@pytest.mark.usefixtures("bot")
async def test_21_mb_are_too_many_and_no_more_than_20_are_read(
    discord: DiscordServer, ada: Person
) -> None:
    """On a server whose boosts let a person send them."""
    boosted = discord.guild("Boosted", ada, premium_tier=3)
    lobby = discord.channel(boosted, "lobby")
    asked = ada.runs("animate", lobby, photo=b"\xff\xd8\xff" + bytes(21_000_000), action="hug")
    await discord.until(lambda: asked.reply and asked.reply.content, within_s=30)

    assert asked.reply is not None
    assert "too big" in asked.reply.content


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_the_limit_of_a_boosted_server_travels_with_the_job(
    discord: DiscordServer, services: Services, ada: Person, photo: bytes
) -> None:
    boosted = discord.guild("Boosted", ada, premium_tier=2)
    lobby = discord.channel(boosted, "lobby")
    asks(ada, lobby, photo)
    job = await ended(services)

    assert job.limit_bytes == 50 * 1024 * 1024
    assert len(clips(lobby, ada)) == 1


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_a_message_is_answered_in_the_language_that_its_author_was_last_seen_with(
    discord: DiscordServer, general: Channel, ada: Person
) -> None:
    """A message itself tells none; Ada's app spoke German when she asked for help."""
    ada.locale = "de"
    ada.posts(general, f"{discord.bot.mention} hallo?")
    await discord.until(lambda: len(general.seen_by(ada)) == 2)
    helped = ada.runs("help", general)
    await discord.until(lambda: helped.reply and helped.reply.content)
    ada.posts(general, f"{discord.bot.mention} hallo?")
    await discord.until(lambda: len(general.seen_by(ada)) == 5)

    assert "Send me a photo" in general.seen_by(ada)[1].text
    assert "Foto" in general.seen_by(ada)[-1].text


@pytest.mark.usefixtures("bot", "quick_engine")
async def test_a_photo_without_words_is_asked_about_by_buttons_that_fit(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, photo: bytes
) -> None:
    """The question becomes the clip."""
    ada.posts(general, discord.bot.mention, files=[photo])
    await discord.until(lambda: len(general.seen_by(ada)) == 2)
    question = general.seen_by(ada)[-1]
    ada.clicks(question, question.buttons[0]["label"])
    await ended(services)

    assert clips(general, ada) == [question]
    assert discord.refused == []


async def test_the_doctor_asks_who_the_bot_is(discord: DiscordServer, settings: Settings) -> None:
    assert await whoami(settings) == "vivant"
    assert not discord.is_ready


async def test_a_token_that_discord_does_not_know_is_said(settings: Settings) -> None:
    wrong = settings.model_copy(update={"discord_token": SecretStr("unknown")})
    with pytest.raises(SettingsError, match="VIVANT_DISCORD_TOKEN"):
        await whoami(wrong)
