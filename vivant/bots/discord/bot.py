"""The client: what Discord tells us, handed to the conversation."""

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import discord
from discord import app_commands

from vivant.bots.discord.acknowledging import defer
from vivant.bots.discord.api_url import follow_gateway
from vivant.bots.discord.attachments import Downloads, Upload
from vivant.bots.discord.buttons import PressButton
from vivant.bots.discord.forms import AnimateForm, EditForm
from vivant.bots.discord.incoming import manager_of, place_in_thread, place_of, sender_of
from vivant.bots.discord.place import PLATFORM, Shown
from vivant.bots.discord.premium import Till
from vivant.bots.discord.reading import Reader
from vivant.bots.discord.refusals import our_errors
from vivant.bots.discord.settings import (
    RoleClipsForm,
    Setting,
    SettingsForm,
    changed,
    with_role_clips,
)
from vivant.chat import PhotoMessage, Press, Sender, Verb
from vivant.clips import RefusalReason, Wish
from vivant.conversation import Conversation
from vivant.errors import LedgerDown, PlatformError, Refused
from vivant.houses import House
from vivant.intake import owner_of
from vivant.jobs import Job
from vivant.messages import Messages
from vivant.settings import Settings

#: A longer wait is for the ledger, which remembers it across restarts.
_LONGEST_PAUSE_S: Final = 30.0
#: Of one message; a form offers no more to choose from.
_MOST_PHOTOS: Final = 10

logger = logging.getLogger(__name__)


class VivantBot(discord.AutoShardedClient):
    """One bot account. It keeps no messages and no members."""

    # Set once it is known which bot this is, before the gateway is asked for anything.
    conversation: Conversation
    reader: Reader
    till: Till

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
        #: What the forms of this process are known by.
        self.forms = secrets.token_hex(4)
        self.tree = app_commands.CommandTree(self)
        #: Nothing new is taken: the process is about to end.
        self.is_leaving = False
        self._at_work: set[asyncio.Task[Any]] = set()

    @property
    def account(self) -> str:
        """As in `ReplyTo.bot`."""
        return str(self.application_id)

    async def setup_hook(self) -> None:
        """Logged in; the gateway comes next."""
        await follow_gateway(self)
        self.add_dynamic_items(PressButton, Setting)

    # ---- a photo

    async def on_animate(
        self, interaction: discord.Interaction[Any], photo: Upload, words: str, wish: Wish
    ) -> None:
        """A photo that came with an interaction which nobody has answered yet."""
        async with self.working():
            response_id = await defer(interaction)
            if response_id is None:
                return
            async with self.telling(interaction):
                self.take_on()
                if photo.is_video:
                    hint = self.conversation.video_hint(sender_of(interaction))
                    await interaction.edit_original_response(content=hint)
                    return
                message = PhotoMessage(
                    event_id=str(interaction.id),
                    reply_to=place_of(interaction, response_id).reply_to(self.account),
                    sender=sender_of(interaction),
                    words=words,
                    photo=await self.downloads.fetch(photo),
                    limit_bytes=interaction.filesize_limit,
                    wish=wish,
                    status_message=str(Shown(message_id=response_id, by_token=True)),
                )
                try:
                    await self.conversation.on_photo(message)
                except PlatformError:
                    if not await self._is_accepted(message):
                        raise
                    # Only "on it" was not shown; the answer has a delivery of its own.
                    logger.info("an acknowledgement was not shown")

    async def _is_accepted(self, message: PhotoMessage) -> bool:
        key = self.conversation.intake.key_of(message.reply_to, message.event_id)
        return await self.conversation.ledger.jobs.find(key) is not None

    async def on_message(self, message: discord.Message) -> None:
        """Somebody wrote something."""
        async with self.working():
            await self.reader.hear(message)

    async def on_raw_message_edit(self, edited: discord.RawMessageUpdateEvent) -> None:
        """Somebody changed what they wrote."""
        async with self.working():
            await self.reader.hear_anew(edited.message)

    async def on_shard_ready(self, shard_id: int) -> None:
        """A new session: what was posted before it began nobody will tell us."""
        async with self.working():
            mine = [guild for guild in self.guilds if guild.shard_id == shard_id]
            await self.reader.catch_up(mine)
            await self.till.catch_up()

    async def on_entitlement_create(self, bought: discord.Entitlement) -> None:
        """Somebody bought something."""
        async with self.working():
            await self._credit(bought)

    async def on_entitlement_update(self, bought: discord.Entitlement) -> None:
        """A subscription goes on for another period, or ends."""
        async with self.working():
            await self._credit(bought)

    async def _credit(self, bought: discord.Entitlement) -> None:
        try:
            await self.till.credit(bought)
        except (PlatformError, LedgerDown) as exc:
            # It is asked for at the next start; a purchase does not go away.
            logger.warning("a purchase is not credited yet", extra={"why": str(exc)})

    async def on_buy(self, interaction: discord.Interaction[Any]) -> None:
        """Show what is for sale."""
        async with self.working():
            if await defer(interaction, ephemeral=True) is None:
                return
            async with self.telling(interaction):
                free = self.conversation.limits.free_clips_per_day
                said = Messages(str(interaction.locale)).shop(free)
                await interaction.edit_original_response(content=said, view=self.till.offer())

    # ---- a command

    async def answer_alone(
        self,
        interaction: discord.Interaction[Any],
        what: Callable[[Conversation, Sender], Awaitable[str]],
    ) -> None:
        """Answer a command with words that only the asker sees."""
        async with self.working():
            if await defer(interaction, ephemeral=True) is None:
                return
            async with self.telling(interaction):
                said = await what(self.conversation, sender_of(interaction))
                await interaction.edit_original_response(content=said)

    # ---- the server's settings

    async def on_settings(self, interaction: discord.Interaction[Any]) -> None:
        """Show them, to those who may change them."""
        async with self.working():
            if await defer(interaction, ephemeral=True) is None:
                return
            async with self.telling(interaction):
                sender = manager_of(interaction)
                if not sender.is_moderator:
                    said = Messages(sender.language).moderators_only()
                    await interaction.edit_original_response(content=said)
                    return
                house = await self.conversation.house(str(interaction.guild_id))
                await interaction.edit_original_response(view=self._form(interaction, house))

    async def on_setting(
        self, interaction: discord.Interaction[Any], what: str, values: Sequence[str]
    ) -> None:
        """Something was chosen in the form."""
        async with self.working(), self.telling(interaction):
            if what == "role_clips":
                form = RoleClipsForm(Messages(str(interaction.locale)), self.forms)
                await interaction.response.send_modal(form)
                return
            if await defer(interaction, thinking=False) is None:
                return
            house = await self.conversation.house(str(interaction.guild_id))
            await self._change(interaction, changed(house, what, values))

    async def on_role_clips(
        self, interaction: discord.Interaction[Any], roles: Sequence[str], clips: str
    ) -> None:
        """The form for clips by role was sent."""
        async with self.working(), self.telling(interaction):
            if await defer(interaction, thinking=False) is None:
                return
            house = await self.conversation.house(str(interaction.guild_id))
            with contextlib.suppress(ValueError):  # the form is shown again as it was
                house = with_role_clips(house, roles, clips)
            await self._change(interaction, house)

    async def _change(self, interaction: discord.Interaction[Any], house: House) -> None:
        sender = manager_of(interaction)
        said = await self.conversation.change_house(str(interaction.guild_id), sender, house)
        if sender.is_moderator:
            await interaction.edit_original_response(view=self._form(interaction, house))
        else:
            await interaction.followup.send(said, ephemeral=True)

    def _form(self, interaction: discord.Interaction[Any], house: House) -> SettingsForm:
        words = Messages(str(interaction.locale))
        return SettingsForm(words, house, reads_messages=self.intents.message_content)

    # ---- a menu

    async def on_menu(
        self, interaction: discord.Interaction[Any], message: discord.Message
    ) -> None:
        """Somebody chose "Animate" in the menu of a message."""
        async with self.working(), self.telling(interaction):
            words = Messages(str(interaction.locale))
            files = [Upload.of(file) for file in message.attachments]
            files += [Upload.of(f) for shot in message.message_snapshots for f in shot.attachments]
            photos = [file for file in files if file.is_picture][:_MOST_PHOTOS]
            if photos:
                await interaction.response.send_modal(AnimateForm(words, "", self.forms, photos))
            elif any(file.is_video for file in files):
                hint = self.conversation.video_hint(sender_of(interaction))
                await interaction.response.send_message(hint, ephemeral=True)
            else:
                await interaction.response.send_message(words.no_photo_there(), ephemeral=True)

    # ---- a button or a form

    async def on_press(
        self, interaction: discord.Interaction[Any], pressed: tuple[Verb, str, str] | None
    ) -> None:
        """Somebody pressed a button under a message of ours."""
        async with self.working(), self.telling(interaction):
            if pressed is not None and pressed[0] is Verb.EDIT:
                await self._open_form(interaction, pressed[1])
                return
            if await defer(interaction, thinking=False) is None:
                return
            self.take_on()
            press = self._press(interaction, pressed)
            said: str | None = Messages(str(interaction.locale)).expired()
            if press is not None:
                said = await self.conversation.on_press(press)
            if said:
                await interaction.followup.send(said, ephemeral=True)

    async def on_edit(
        self, interaction: discord.Interaction[Any], pressed: tuple[Verb, str, str], words: str
    ) -> None:
        """Somebody sent the form with other words for a photo of ours."""
        async with self.working(), self.telling(interaction):
            if await defer(interaction, thinking=False) is None:
                return
            self.take_on()
            press = self._press(interaction, pressed)
            said: str | None = Messages(str(interaction.locale)).expired()
            if press is not None:
                said = await self.conversation.on_edit(press, words)
            if said:
                await interaction.followup.send(said, ephemeral=True)

    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """A form of a process that is no more; discord.py knows nothing of it."""
        if interaction.type is not discord.InteractionType.modal_submit:
            return
        data: Any = interaction.data
        if not str(data["custom_id"]).startswith(self.forms):
            said = Messages(str(interaction.locale)).expired()
            async with self.telling(interaction):
                await interaction.response.send_message(said, ephemeral=True)

    async def _open_form(self, interaction: discord.Interaction[Any], job_id: str) -> None:
        words = Messages(str(interaction.locale))
        job = await self.conversation.ledger.jobs.get(job_id)
        if job is None or job.plan is None:
            await interaction.response.send_message(words.expired(), ephemeral=True)
        elif not await self._may_edit(interaction, job):
            await interaction.response.send_message(words.not_yours(), ephemeral=True)
        else:
            form = EditForm(words, job.plan.words, self.forms, job_id)
            await interaction.response.send_modal(form)

    async def _may_edit(self, interaction: discord.Interaction[Any], job: Job) -> bool:
        if job.owner == owner_of(PLATFORM, str(interaction.user.id)):
            return True
        server = interaction.guild_id
        return server is not None and (await self.conversation.house(str(server))).open_buttons

    def _press(
        self, interaction: discord.Interaction[Any], pressed: tuple[Verb, str, str] | None
    ) -> Press | None:
        message = interaction.message
        if pressed is None or message is None:
            return None
        verb, target, choice = pressed
        here = place_of(interaction, message.id).reply_to(self.account)
        thread = place_in_thread(interaction, message)
        # A response of an interaction; what was sent to the channel is changed by the channel.
        is_response = message.interaction_metadata is not None
        return Press(
            event_id=str(interaction.id),
            verb=verb,
            target=target,
            choice=choice,
            sender=sender_of(interaction),
            reply_to=here,
            message_id=str(Shown(message_id=message.id, by_token=is_response)),
            answer_to=here if thread is None else thread.reply_to(self.account),
        )

    # ---- coming and going

    @asynccontextmanager
    async def working(self) -> AsyncGenerator[None]:
        """What runs inside is waited for before the process ends."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  # inside a coroutine there is one
        self._at_work.add(task)
        try:
            yield
        finally:
            self._at_work.discard(task)

    def take_on(self) -> None:
        """Raise `Refused` where the process is about to end: what is new is for the next one."""
        if self.is_leaving:
            raise Refused(RefusalReason.DRAINING)

    async def finish(self, within_s: float) -> None:
        """Take nothing new, and let what is under way come to its end."""
        self.is_leaving = True
        if self._at_work:
            await asyncio.wait(self._at_work, timeout=within_s)

    @asynccontextmanager
    async def telling(self, interaction: discord.Interaction[Any]) -> AsyncGenerator[None]:
        """Whatever goes wrong inside, the one who asked is told.

        Of a command or a form the first answer is given already, outside.
        """
        words = Messages(str(interaction.locale))
        said: str | None = None
        try:
            yield
        except Refused as refusal:
            said = words.refused(refusal)
        except (PlatformError, discord.HTTPException, LedgerDown) as exc:
            logger.warning("an interaction failed", extra={"why": type(exc).__name__})
            said = words.went_wrong()
        except Exception:  # the interaction's boundary: nobody is left with "thinking"
            logger.exception("an interaction failed")
            said = words.went_wrong()
        if said is not None:
            await self._tell(interaction, said)

    async def _tell(self, interaction: discord.Interaction[Any], said: str) -> None:
        try:
            with our_errors():
                if interaction.type is not discord.InteractionType.component:
                    await interaction.edit_original_response(content=said)
                elif interaction.response.is_done():
                    await interaction.followup.send(said, ephemeral=True)
                else:
                    await interaction.response.send_message(said, ephemeral=True)
        except PlatformError as exc:
            logger.warning("could not say so", extra={"why": str(exc)})
