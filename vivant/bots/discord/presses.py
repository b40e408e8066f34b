"""Buttons under our messages, the forms that some of them open, and the menu of a message."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import discord

from vivant.bots.discord.acknowledging import defer
from vivant.bots.discord.addressing import files_of
from vivant.bots.discord.attachments import Upload
from vivant.bots.discord.attention import Attention
from vivant.bots.discord.forms import AnimateForm, EditForm, Filled
from vivant.bots.discord.incoming import asked_by, place_in_thread, place_of, sender_of
from vivant.bots.discord.mailbox import Posted
from vivant.bots.discord.outgoing import written
from vivant.bots.discord.place import PLATFORM, Shown
from vivant.bots.discord.reading import Reader
from vivant.chat import Press, Verb
from vivant.clips import Wish
from vivant.conversation import Conversation
from vivant.intake import owner_of
from vivant.jobs import Job
from vivant.messages import Messages

#: Of one message; a form offers no more to choose from.
_MOST_PHOTOS: Final = 10
#: Messages whose photos are remembered for forms that may still be sent.
_MOST_SHOWN: Final = 1000


@dataclass(slots=True)
class Presses:
    """Sees to them for one bot."""

    account: str
    conversation: Conversation
    attention: Attention
    reader: Reader
    #: What was found in messages whose menu was used: who may use it was shown it by Discord,
    #: which may not show it to the bot again.
    _photos: OrderedDict[Posted, Sequence[Upload]] = field(default_factory=OrderedDict, init=False)

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
            files = files_of(message)
            photos = _photos_in(files)
            if photos:
                posted = _posted(interaction, message.id)
                self._remember(posted, photos)
                await interaction.response.send_modal(AnimateForm(words, message.id, photos))
                return
            said = words.no_photo_there()
            if any(file.is_video for file in files):
                said = self.conversation.video_hint(sender_of(interaction))
            await interaction.response.send_message(said, ephemeral=True)

    async def on_animate_form(self, interaction: discord.Interaction[Any], form: Filled) -> None:
        """Somebody sent the form that the menu of a message opened: a clip of each chosen photo."""

        async def ask(response_id: int) -> None:
            self.attention.take_on()
            photos = await self._photos_of(interaction, form.about)
            chosen = [photo for number, photo in enumerate(photos, 1) if number in form.which]
            if not chosen:
                said = Messages(str(interaction.locale)).form_expired()
                await interaction.edit_original_response(content=said)
                return
            asked = asked_by(interaction, response_id, self.account, form.words, Wish())
            await self.reader.asking.for_each(asked, chosen)

        await self.attention.answer(interaction, ask)

    def _remember(self, posted: Posted, photos: Sequence[Upload]) -> None:
        self._photos[posted] = photos
        if len(self._photos) > _MOST_SHOWN:
            self._photos.popitem(last=False)

    async def _photos_of(
        self, interaction: discord.Interaction[Any], about: str
    ) -> Sequence[Upload]:
        """The photos that a form offered; after a restart only where the bot may look for them."""
        # The number of the message only: where it stands is where the form was sent, so that no
        # forged one shows what its sender may not see.
        posted = _posted(interaction, int(about))
        known = self._photos.get(posted)
        if known is not None:
            return known
        message = await self.reader.fetched(posted)
        return [] if message is None else _photos_in(files_of(message))

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
            form = EditForm(words, job_id, job.plan.words)
            await interaction.response.send_modal(form)

    async def _may_edit(self, interaction: discord.Interaction[Any], job: Job) -> bool:
        if job.owner == owner_of(PLATFORM, str(interaction.user.id)):
            return True
        server = interaction.guild_id
        if server is None or job.reply_to is None or job.reply_to.house_id != str(server):
            return False
        return (await self.conversation.house(str(server))).open_buttons


def _posted(interaction: discord.Interaction[Any], message_id: int) -> Posted:
    return Posted(
        message_id=message_id,
        channel_id=interaction.channel_id or 0,
        guild_id=interaction.guild_id or 0,
    )


def _photos_in(files: Sequence[Upload]) -> list[Upload]:
    return [file for file in files if file.is_picture][:_MOST_PHOTOS]
