"""Buttons under our messages, the forms that some of them open, and the menu of a message."""

import secrets
from dataclasses import dataclass, field
from typing import Any, Final

import discord

from vivant.bots.discord.acknowledging import defer
from vivant.bots.discord.attachments import Upload
from vivant.bots.discord.attention import Attention
from vivant.bots.discord.forms import AnimateForm, EditForm
from vivant.bots.discord.incoming import place_in_thread, place_of, sender_of
from vivant.bots.discord.outgoing import written
from vivant.bots.discord.place import PLATFORM, Shown
from vivant.chat import Press, Verb
from vivant.conversation import Conversation
from vivant.intake import owner_of
from vivant.jobs import Job
from vivant.messages import Messages

#: Of one message; a form offers no more to choose from.
_MOST_PHOTOS: Final = 10


@dataclass(slots=True)
class Presses:
    """Sees to them for one bot."""

    account: str
    conversation: Conversation
    attention: Attention
    #: What the forms of this process are known by.
    forms: str = field(default_factory=lambda: secrets.token_hex(4), init=False)

    async def on_press(
        self, interaction: discord.Interaction[Any], pressed: tuple[Verb, str, str] | None
    ) -> None:
        """Somebody pressed a button; *pressed* is what stands in it, None if it is none of ours."""
        async with self.attention.working(), self.attention.telling(interaction):
            if pressed is not None and pressed[0] is Verb.EDIT:
                await self._open_form(interaction, pressed[1])
            else:
                await self._do(interaction, pressed, None)

    async def on_edit(self, interaction: discord.Interaction[Any], job_id: str, words: str) -> None:
        """Somebody sent the form with other words for the photo of a job."""
        async with self.attention.working(), self.attention.telling(interaction):
            await self._do(interaction, (Verb.EDIT, job_id, ""), words)

    async def on_menu(
        self, interaction: discord.Interaction[Any], message: discord.Message
    ) -> None:
        """Somebody chose "Animate" in the menu of a message."""
        async with self.attention.working(), self.attention.telling(interaction):
            words = Messages(str(interaction.locale))
            files = [Upload.of(file) for file in message.attachments]
            files += [Upload.of(f) for shot in message.message_snapshots for f in shot.attachments]
            photos = [file for file in files if file.is_picture][:_MOST_PHOTOS]
            if photos:
                await interaction.response.send_modal(AnimateForm(words, self.forms, photos))
                return
            said = words.no_photo_there()
            if any(file.is_video for file in files):
                said = self.conversation.video_hint(sender_of(interaction))
            await interaction.response.send_message(said, ephemeral=True)

    async def on_form(self, interaction: discord.Interaction[Any]) -> None:
        """A form was sent; say so if it is one of a process that is no more."""
        data: Any = interaction.data
        if not str(data["custom_id"]).startswith(self.forms):
            async with self.attention.telling(interaction):
                said = Messages(str(interaction.locale)).expired()
                await interaction.response.send_message(said, ephemeral=True)

    async def _do(
        self,
        interaction: discord.Interaction[Any],
        pressed: tuple[Verb, str, str] | None,
        words: str | None,
    ) -> None:
        if await defer(interaction, thinking=False) is None:
            return
        self.attention.take_on()
        press = None if pressed is None else self._press(interaction, *pressed)
        said: str | None
        if press is None:
            said = Messages(str(interaction.locale)).expired()
        elif words is None:
            said = await self.conversation.on_press(press)
        else:
            said = await self.conversation.on_edit(press, words)
        if said:
            await interaction.followup.send(written(said), ephemeral=True)

    def _press(
        self, interaction: discord.Interaction[Any], verb: Verb, target: str, choice: str
    ) -> Press | None:
        message = interaction.message
        if message is None:
            return None
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

    async def _open_form(self, interaction: discord.Interaction[Any], job_id: str) -> None:
        words = Messages(str(interaction.locale))
        job = await self.conversation.ledger.jobs.get(job_id)
        if job is None or job.plan is None:
            await interaction.response.send_message(words.expired(), ephemeral=True)
        elif not await self._may_edit(interaction, job):
            await interaction.response.send_message(words.not_yours(), ephemeral=True)
        else:
            form = EditForm(words, self.forms, job_id, job.plan.words)
            await interaction.response.send_modal(form)

    async def _may_edit(self, interaction: discord.Interaction[Any], job: Job) -> bool:
        if job.owner == owner_of(PLATFORM, str(interaction.user.id)):
            return True
        server = interaction.guild_id
        if server is None or job.reply_to is None or job.reply_to.house_id != str(server):
            return False
        return (await self.conversation.house(str(server))).open_buttons
