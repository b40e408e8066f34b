"""What somebody can send who does not use a Discord app, or means it ill."""

from typing import Any

import pytest

from tests.discord_bot.test_promise import MESSAGES, asks, ended
from tests.discord_bot.test_ways_in import clips
from tests.fakes.discord_api import (
    Channel,
    DiscordServer,
    Guild,
    Interaction,
    Message,
    Overwrite,
    Permission,
    Person,
    Trouble,
    Upload,
)
from tests.fakes.discord_api.world import InteractionKind
from vivant.bots.discord.outgoing import written
from vivant.clips import JobState
from vivant.services import Services

pytestmark = pytest.mark.usefixtures("bot", "quick_engine")


def forges_form(person: Person, channel: Channel, custom_id: str, **fields: Any) -> Interaction:
    """A form that nobody opened."""
    parts = [
        {"type": 18, "id": number, "component": {"type": 4, "id": 100 + number, "custom_id": name}
         | value}
        for number, (name, value) in enumerate(fields.items(), 1)
    ]  # fmt: skip
    data = {"custom_id": custom_id, "components": parts}
    return person._acts(InteractionKind.MODAL_SUBMIT, channel, data)


def forges_press(person: Person, message: Message, custom_id: str) -> Interaction:
    """A press of a button that does not stand there."""
    data = {"component_type": 2, "custom_id": custom_id, "id": 1}
    return person._acts(InteractionKind.COMPONENT, message.channel, data, message=message)


async def is_told(discord: DiscordServer, asked: Interaction) -> str:
    """What the one who asked reads of it last, beside what stood there."""

    def told() -> list[str]:
        answers = [message for message in (asked.reply, *asked.followups) if message is not None]
        return [answer.text for answer in answers if answer.text and answer is not asked.message]

    await discord.until(told)
    return told()[-1]


async def test_a_form_shows_nobody_a_photo_of_a_room_that_is_shut_to_them(
    discord: DiscordServer, home: Guild, general: Channel, ada: Person, bob: Person, photo: bytes
) -> None:
    """Its id names a message of a channel that Bob does not see."""
    secret = discord.channel(home, "secret")
    secret.overwrites[bob.id] = Overwrite(deny=Permission.VIEW_CHANNEL)
    posted = ada.posts(secret, f"{discord.bot.mention} slow zoom in", files=[photo])
    await discord.until(lambda: clips(secret, ada), within_s=20)
    opened = ada.uses_on(posted, "Animate")
    await discord.until(lambda: opened.modal)
    tried = forges_form(bob, general, f"animate:{posted.id}", words={"value": "slow zoom in"})

    assert "Apps, then Animate" in await is_told(discord, tried)
    assert clips(general, bob) == []


@pytest.mark.parametrize("custom_id", ["", "animate:", "animate:x", "who:knows"])
async def test_a_form_of_nonsense_is_answered_and_makes_nothing(
    custom_id: str, discord: DiscordServer, general: Channel, bob: Person
) -> None:
    tried = forges_form(bob, general, custom_id, words={"value": "hug"}, other={"values": ["1"]})

    assert await is_told(discord, tried)
    assert clips(general, bob) == []


@pytest.mark.parametrize("verb", ["again", "delete", "cancel", "edit", "longer", "file", "loop"])
async def test_the_job_of_somebody_elsewhere_cannot_be_pressed(
    verb: str,
    discord: DiscordServer,
    services: Services,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    """Eve runs a server of her own, where the bot said something, and writes Ada's job into it."""
    asks(ada, general, photo)
    job = await ended(services)
    eve = discord.person("eve")
    lair = discord.channel(discord.guild("Lair", eve, owner=eve), "lair")
    asked = eve.posts(lair, f"{discord.bot.mention} hello")
    await discord.until(lambda: len(lair.seen_by(eve)) == 2)
    ours = lair.seen_by(eve)[-1]
    ours.look = type(ours.look)(
        content=ours.content,
        components=(
            {
                "type": 1,
                "id": 1,
                "components": [
                    {"type": 2, "id": 2, "style": 2, "label": "x", "custom_id": f"{verb}:{job.id}:"}
                ],
            },
        ),
    )
    tried = forges_press(eve, ours, f"{verb}:{job.id}:")

    assert "not yours" in await is_told(discord, tried)
    assert len(clips(general, ada)) == 1
    assert clips(lair, eve) == []
    assert asked in lair.seen_by(eve)


async def test_a_command_of_yesterday_is_answered(
    discord: DiscordServer, general: Channel, bob: Person
) -> None:
    """An app that was open for long shows what is not there any more."""
    told = {"id": "1", "name": "portrait", "type": 1, "options": []}
    tried = bob._acts(InteractionKind.COMMAND, general, told)

    assert "Nothing was charged" in await is_told(discord, tried)


async def test_a_press_of_a_button_that_does_not_stand_there_does_nothing(
    discord: DiscordServer,
    services: Services,
    general: Channel,
    ada: Person,
    bob: Person,
    photo: bytes,
) -> None:
    """discord.py looks for it in the message first."""
    asked = asks(ada, general, photo)
    job = await ended(services)
    assert asked.reply is not None
    forges_press(bob, asked.reply, f"consent:{job.id}:")
    again = ada.clicks(asked.reply, "Again")
    await discord.until(lambda: len(clips(general, ada)) == 2, within_s=20)

    assert again.answered
    assert len(clips(general, ada)) == 2


@pytest.mark.parametrize(
    "upload",
    [
        Upload("photo.png", b"<html><script>alert(1)</script>"),
        Upload("photo.jpg", b"%PDF-1.7 nothing"),
        Upload("photo.webp", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        Upload("photo.gif", b"GIF89a"),
        Upload("photo", b""),
    ],
)
async def test_a_file_that_lies_about_what_it_is_is_refused(
    upload: Upload, discord: DiscordServer, general: Channel, bob: Person
) -> None:
    asked = bob.runs("animate", general, photo=upload, action="group hug")

    assert "Nothing was charged" in await is_told(discord, asked)


async def test_huge_words_are_refused_and_charge_nothing(
    discord: DiscordServer, services: Services, general: Channel, bob: Person, photo: bytes
) -> None:
    """A message takes 2,000 letters, a caption 1,000."""
    bob.posts(general, f"{discord.bot.mention} {'hug ' * 480}", files=[photo])
    await discord.until(lambda: len(general.seen_by(bob)) == 2)

    assert "That is a lot of words" in general.seen_by(bob)[-1].text
    assert (await services.ledger.people.credit(f"discord:{bob.id}")).free == 10


async def test_a_host_of_files_that_fails_is_said_and_charges_nothing(
    discord: DiscordServer, services: Services, general: Channel, bob: Person, photo: bytes
) -> None:
    discord.fails(Trouble.LOSES_CALL, "GET", "/ephemeral-attachments/*", times=-1)
    asked = asks(bob, general, photo)

    assert "Nothing was charged" in await is_told(discord, asked)
    assert (await services.ledger.people.credit(f"discord:{bob.id}")).free == 10


async def test_a_gateway_that_asks_to_reconnect_again_and_again_loses_nothing(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, photo: bytes
) -> None:
    """Op 7 five times in a row, and a message before each."""
    (session,) = discord.gateway.connected
    asked = ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
    for number in range(1, 6):
        discord.gateway.asks_to_reconnect()
        await discord.until(lambda n=number: session.resumed == n, within_s=20)  # type: ignore[misc]
    job = await ended(services)

    assert job.state is JobState.DONE
    assert [clip.reply_to for clip in clips(general, ada)] == [asked]


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (
            "https://x>[free nitro](https://evil.example )",
            r"<https://x>>\[free nitro](<https://evil.example> )",
        ),
        ("https://x>**bold**", r"<https://x>>\*\*bold\*\*"),
        (r"https://x\[a](https://evil.example)", r"<https://x>\\\[a](<https://evil.example>)"),
        ("https://[a](HTTPS://evil.example)", r"https://\[a](<HTTPS://evil.example>)"),
        ("[**a**](b)", r"\[\*\*a\*\*](b)"),
        ("see https://x.example/a_b - slow", "see <https://x.example/a_b> - slow"),
        ("  - a\n# b\n> c - d", "  \\- a\n\\# b\n\\> c - d"),
    ],
)
async def test_no_link_hides_under_words_and_none_lets_markdown_through(
    words: str, shown: str
) -> None:
    assert written(words) == shown


async def test_a_photo_does_not_wait_for_the_mentions_of_somebody_else(
    discord: DiscordServer, home: Guild, general: Channel, ada: Person, bob: Person, photo: bytes
) -> None:
    """Discord takes one answer a second in a channel: it is Bob who waits for the rest of them."""
    elsewhere = discord.channel(home, "photos")
    discord.limits("POST", MESSAGES, calls=5, per_s=5)
    for _ in range(60):
        bob.posts(general, discord.bot.mention)
    ada.posts(elsewhere, f"{discord.bot.mention} slow zoom in", files=[photo])

    await discord.until(lambda: clips(elsewhere, ada))

    answers = [message for message in general.seen_by(bob) if message.author is discord.bot]
    assert len(answers) < 60
