"""A bot, a server with people in it, and the API without any client: what the tests here share."""

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
import pytest
from discord import app_commands
from PIL import Image

from tests.fakes.discord_api import Channel, DiscordServer, Guild, Interaction, Person
from vivant.bots.discord.api_url import follow_gateway, point_at

MESSAGES = "/channels/{channel}/messages"
CALLBACK = "/interactions/{interaction}/{token}/callback"
ANSWERS = "/webhooks/{application}/{token}/messages/{message}"


def png(width: int = 64, height: int = 48) -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(picture, "PNG")
    return picture.getvalue()


class Bot(discord.Client):
    """A bot that keeps what it is asked, and does what a test says."""

    def __init__(self, intents: discord.Intents | None = None, **options: Any) -> None:
        super().__init__(
            intents=intents or discord.Intents.default(), guild_ready_timeout=0.01, **options
        )
        self.tree = app_commands.CommandTree(self)
        self.heard: list[discord.Message] = []
        #: What it heard of later, of those messages.
        self.told: list[str] = []
        self.came = asyncio.Event()
        self.resumed = 0
        self.does: Callable[[discord.Interaction], Awaitable[object]] = self.defers

        @self.tree.command(description="Make a photo move")
        @app_commands.allowed_installs(guilds=True, users=True)
        @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
        async def animate(
            interaction: discord.Interaction,
            photo: discord.Attachment,
            action: app_commands.Range[str, 1, 100],
            seconds: app_commands.Range[int, 1, 5] | None = None,
        ) -> None:
            del action, seconds
            interaction.extras["photo"] = photo
            await self.does(interaction)

        @animate.autocomplete("action")
        async def suggest(
            interaction: discord.Interaction, typed: str
        ) -> list[app_commands.Choice[str]]:
            del interaction
            words = ["group hug", "group wave", "slow zoom"]
            return [app_commands.Choice(name=w.title(), value=w) for w in words if typed in w]

        @self.tree.context_menu(name="Animate")
        async def animate_message(
            interaction: discord.Interaction, message: discord.Message
        ) -> None:
            interaction.extras["message"] = message
            await self.does(interaction)

        @self.tree.command(description="Change how it behaves here")
        @app_commands.default_permissions(manage_guild=True)
        @app_commands.guild_only()
        async def settings(interaction: discord.Interaction) -> None:
            await self.does(interaction)

    async def defers(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer()

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """A client that hung up while its servers still came says `ready` all the same."""
        if not self.is_closed():
            super().dispatch(event, *args, **kwargs)

    async def setup_hook(self) -> None:
        await follow_gateway(self)
        await self.tree.sync()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """The real one waits five seconds."""

    async def on_ready(self) -> None:
        self.came.set()

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)

    async def on_raw_message_edit(self, payload: discord.RawMessageUpdateEvent) -> None:
        del payload
        self.told.append("edit")

    async def on_raw_message_delete(self, payload: discord.RawMessageDeleteEvent) -> None:
        del payload
        self.told.append("delete")

    async def on_raw_reaction_add(self, payload: discord.RawReactionActionEvent) -> None:
        del payload
        self.told.append("reaction")

    async def on_resumed(self) -> None:
        self.resumed += 1


class Place:
    """A server with two people, one channel and a bot that is there."""

    def __init__(self, discord_server: DiscordServer, bot: Bot) -> None:
        self.discord = discord_server
        self.bot = bot
        self.alice: Person = discord_server.person("alice", locale="de")
        self.bob: Person = discord_server.person("bob")
        self.home: Guild = discord_server.guild("Home", self.alice, self.bob, locale="fr")
        self.general: Channel = discord_server.channel(self.home, "general")

    def channel(self, channel: Channel | None = None) -> discord.PartialMessageable:
        return self.bot.get_partial_messageable((channel or self.general).id)

    async def asked(self, **options: Any) -> Interaction:
        """What becomes of alice's `/animate`, once it was answered."""
        interaction = self.alice.runs(
            "animate", self.general, photo=png(), action="group hug", **options
        )
        await self.discord.until(lambda: interaction.answered)
        return interaction


@asynccontextmanager
async def running(server: DiscordServer, bot: discord.Client) -> AsyncIterator[None]:
    point_at(server.api_url)
    task = asyncio.create_task(bot.start(server.token))
    try:
        await server.until(lambda: bot.is_ready() or task.done())
        yield
    finally:
        await bot.close()
        await task


class Http:
    """The API without discord.py, for what it would not send."""

    def __init__(self, server: DiscordServer, session: aiohttp.ClientSession) -> None:
        self._server = server
        self._session = session

    async def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with self._session.request(
            method, self._server.api_url + path, json=body
        ) as response:
            return response.status, await response.json()


async def refused(calling: Awaitable[object]) -> tuple[int, int]:
    """Status and code of a refusal."""
    with pytest.raises(discord.HTTPException) as caught:
        await calling
    return caught.value.status, caught.value.code
