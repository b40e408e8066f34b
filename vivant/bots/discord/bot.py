"""The client: what Discord tells us, handed to the conversation."""

import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import discord
from discord import app_commands

from vivant.bots.discord.api_url import follow_gateway
from vivant.bots.discord.attachments import Downloads, Upload
from vivant.bots.discord.attention import Attention
from vivant.bots.discord.buttons import PressButton
from vivant.bots.discord.forms import AnimateForm, EditForm, Filled
from vivant.bots.discord.incoming import asked_by, sender_of
from vivant.bots.discord.office import Office
from vivant.bots.discord.outgoing import written
from vivant.bots.discord.premium import Till
from vivant.bots.discord.presses import Presses
from vivant.bots.discord.reading import Reader
from vivant.bots.discord.refusals import our_errors
from vivant.bots.discord.settings import RoleClipsForm, Setting
from vivant.chat import Sender
from vivant.clips import Wish
from vivant.conversation import Conversation
from vivant.errors import LedgerDown, PlatformError
from vivant.messages import Messages
from vivant.settings import Settings

#: A longer wait is for the ledger, which remembers it across restarts.
_LONGEST_PAUSE_S: Final = 30.0

logger = logging.getLogger(__name__)


class Commands(app_commands.CommandTree["VivantBot"]):
    """What finds its command answers for itself; what does not is told here."""

    async def on_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /
    ) -> None:
        """An app that was open for long shows a command of yesterday."""
        logger.warning("a command was not understood", extra={"why": type(error).__name__})
        is_command = interaction.type is discord.InteractionType.application_command
        if is_command and not interaction.response.is_done():
            said = Messages(str(interaction.locale)).went_wrong()
            with contextlib.suppress(PlatformError), our_errors():
                await interaction.response.send_message(said, ephemeral=True)


class VivantBot(discord.AutoShardedClient):
    """One bot account. It keeps no messages and no members."""

    # Set by `talks`, before the gateway is asked for anything.
    conversation: Conversation
    reader: Reader
    till: Till
    presses: Presses
    office: Office

    def __init__(self, downloads: Downloads, settings: Settings) -> None:
        some: dict[str, Any] = {}
        if settings.discord_shard_ids:
            some["shard_ids"] = list(settings.discord_shard_ids)
        # Neither library for voice is missed here, so neither is warned about.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        super().__init__(
            intents=discord.Intents(
                guilds=True,
                guild_messages=True,
                dm_messages=True,
                message_content=settings.discord_reads_messages,
            ),
            allowed_mentions=discord.AllowedMentions.none(),
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            max_ratelimit_timeout=_LONGEST_PAUSE_S,
            shard_count=settings.discord_shards,
            **some,
        )
        self.downloads = downloads
        self.attention = Attention()
        self.tree = Commands(self)

    @property
    def account(self) -> str:
        """As in `ReplyTo.bot`."""
        return str(self.application_id)

    async def setup_hook(self) -> None:
        """Logged in; the gateway comes next."""
        await follow_gateway(self)
        self.add_dynamic_items(PressButton, Setting)

    def talks(self, conversation: Conversation, reader: Reader, till: Till) -> None:
        """It is known which bot this is, and who answers for it."""
        self.conversation, self.reader, self.till = conversation, reader, till
        self.presses = Presses(self.account, conversation, self.attention, reader)
        self.office = Office(conversation, self.attention, self.intents.message_content)

    # ---- a command

    async def on_animate(
        self, interaction: discord.Interaction[Any], photo: Upload, words: str, wish: Wish
    ) -> None:
        """`/animate`, or a form with a photo in it."""

        async def ask(response_id: int) -> None:
            self.attention.take_on()
            if photo.is_video:
                hint = self.conversation.video_hint(sender_of(interaction))
                await interaction.edit_original_response(content=hint)
                return
            asked = asked_by(interaction, response_id, self.account, words, wish)
            await self.reader.asking.as_said(asked, [photo])

        await self.attention.answer(interaction, ask)

    async def answer_alone(
        self,
        interaction: discord.Interaction[Any],
        what: Callable[[Conversation, Sender], Awaitable[str]],
    ) -> None:
        """Answer a command with words that only the asker sees."""

        async def say(response_id: int) -> None:
            del response_id
            said = await what(self.conversation, sender_of(interaction))
            await interaction.edit_original_response(content=written(said))

        await self.attention.answer(interaction, say, ephemeral=True)

    async def on_buy(self, interaction: discord.Interaction[Any]) -> None:
        """Show what is for sale."""

        async def show(response_id: int) -> None:
            del response_id
            said = Messages(str(interaction.locale)).shop(
                self.conversation.limits.free_clips_per_day
            )
            await interaction.edit_original_response(content=said, view=self.till.offer())

        await self.attention.answer(interaction, show, ephemeral=True)

    # ---- what the gateway tells

    def dispatch(self, event: str, /, *args: Any, **kwargs: Any) -> None:
        """A bot that hung up hears nothing more: its servers may still be coming in."""
        if not self.is_closed():
            super().dispatch(event, *args, **kwargs)

    async def on_message(self, message: discord.Message) -> None:
        """Somebody wrote something."""
        async with self.attention.working():
            await self.reader.hear(message)

    async def on_raw_message_edit(self, edited: discord.RawMessageUpdateEvent) -> None:
        """Somebody changed what they wrote."""
        async with self.attention.working():
            await self.reader.hear_anew(edited.message)

    async def on_shard_ready(self, shard_id: int) -> None:
        """A new session: what was posted before it began nobody will tell us."""
        async with self.attention.working():
            mine = [guild for guild in self.guilds if guild.shard_id == shard_id]
            await self.reader.catch_up(mine)
            if shard_id == 0:  # DMs and purchases are told to the first shard
                await self.reader.catch_up_in_private()
                await self.till.catch_up()

    async def on_entitlement_create(self, bought: discord.Entitlement) -> None:
        """Somebody bought something."""
        async with self.attention.working():
            await self._count(self.till.credit(bought))

    async def on_entitlement_update(self, bought: discord.Entitlement) -> None:
        """A subscription goes on for another period, or ends."""
        async with self.attention.working():
            await self._count(self.till.credit(bought))

    async def on_entitlement_delete(self, bought: discord.Entitlement) -> None:
        """Discord gave somebody their money back."""
        async with self.attention.working():
            await self._count(self.till.take_back(bought))

    async def _count(self, counting: Awaitable[None]) -> None:
        try:
            await counting
        except (PlatformError, LedgerDown) as exc:
            # A purchase is asked for at the next start; one that was given back is not.
            logger.warning("a purchase is not counted yet", extra={"why": str(exc)})

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Commands and buttons find their way by themselves; forms find it here."""
        self.reader.languages.hear(interaction)
        if interaction.type is discord.InteractionType.modal_submit:
            await self._on_form(interaction, Filled.of(interaction))

    async def _on_form(self, interaction: discord.Interaction[Any], form: Filled) -> None:
        match form.kind:
            case AnimateForm.KIND:
                await self.presses.on_animate_form(interaction, form)
            case EditForm.KIND if form.uploads:
                await self.on_animate(interaction, form.uploads[0], form.words, Wish())
            case EditForm.KIND:
                await self.presses.on_edit(interaction, form.about, form.words)
            case RoleClipsForm.KIND:
                await self.office.on_role_clips(interaction, form)
            case _:
                async with self.attention.telling(interaction):
                    said = Messages(str(interaction.locale)).expired()
                    await interaction.response.send_message(said, ephemeral=True)
