"""The operator's words in a DM with the bot."""

import pytest

from tests.discord_bot.stage import at_work
from tests.fakes.discord_api import Channel, DiscordServer, Person
from vivant.services import Services
from vivant.settings import Settings


@pytest.fixture
def settings(settings: Settings, ada: Person) -> Settings:
    """Ada runs this bot."""
    return settings.model_copy(update={"admins": (f"discord:{ada.id}",)})


async def test_whoever_runs_the_bot_may_say_the_operators_words(
    services: Services, discord: DiscordServer, general: Channel, ada: Person
) -> None:
    """A grant said in a DM adds clips, and is written down."""
    del general
    chat = discord.dm(ada)
    async with at_work(services, discord):
        ada.posts(chat, "admin grant discord:77 5")
        await discord.until(lambda: len(chat.seen_by(ada)) == 2, within_s=20)

    assert (await services.ledger.people.credit("discord:77")).paid == 5
    assert "grant discord:77 5" in str(await services.ledger.audit.latest(1))


async def test_nobody_else_may(
    services: Services, discord: DiscordServer, general: Channel, bob: Person
) -> None:
    """They are told how to send a photo."""
    del general
    chat = discord.dm(bob)
    async with at_work(services, discord):
        bob.posts(chat, "admin grant discord:77 5")
        await discord.until(lambda: len(chat.seen_by(bob)) == 2, within_s=20)

    assert "photo" in chat.seen_by(bob)[-1].text
    assert (await services.ledger.people.credit("discord:77")).paid == 0
