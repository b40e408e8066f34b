"""A strict Discord on loopback, for the real discord.py: REST, gateway, files, interactions.

It decides what is true: an unknown call is a 404, an unknown field a 400, and every refusal is
worded as the documentation words it. Tests act as people and look at what people see:

    async with DiscordServer() as discord:
        alice = discord.person("alice", locale="de")
        home = discord.guild("Home", alice)
        general = discord.channel(home, "general")
        ...  # start the bot with discord.api_url and discord.token
        await discord.until(lambda: discord.is_ready)
        asked = alice.runs("animate", general, photo=png, action="group hug")
        await discord.until(lambda: asked.reply and asked.reply.attachments)
        assert general.seen_by(alice)[-1].attachments[0].data.startswith(...)

    discord.fails(Trouble.LOSES_ANSWER, "PATCH", "/webhooks/*")
    discord.clock.advance(900)          # the token of an interaction is over
    discord.gateway.closes()            # the bot resumes
    assert discord.refused == []        # nothing it sent was wrong

As a process of its own it is `python -m tests.fakes.discord_api`. It knows one bot, and nothing of
Vivant. What it leaves out, it answers by 404: polls, stickers, webhooks other than those of
interactions, private threads, announcements, voice, and whatever a moderator configures.
"""

from tests.fakes.discord_api.calls import Bucket, Call, Fault, Trouble, Upload
from tests.fakes.discord_api.gateway import Intent
from tests.fakes.discord_api.people import CannotDo, Person
from tests.fakes.discord_api.server import DiscordServer
from tests.fakes.discord_api.world import (
    Attachment,
    Channel,
    ChannelKind,
    Entitlement,
    Guild,
    Interaction,
    Look,
    Message,
    MessageFlag,
    Overwrite,
    Permission,
    Role,
    Sku,
    User,
)

__all__ = [
    "Attachment",
    "Bucket",
    "Call",
    "CannotDo",
    "Channel",
    "ChannelKind",
    "DiscordServer",
    "Entitlement",
    "Fault",
    "Guild",
    "Intent",
    "Interaction",
    "Look",
    "Message",
    "MessageFlag",
    "Overwrite",
    "Permission",
    "Person",
    "Role",
    "Sku",
    "Trouble",
    "Upload",
    "User",
]
