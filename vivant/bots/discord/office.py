"""`/settings` at work: shown to those who manage a server, and kept choice by choice."""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import discord

from vivant.bots.discord.acknowledging import defer
from vivant.bots.discord.attention import Attention
from vivant.bots.discord.forms import Filled
from vivant.bots.discord.incoming import manager_of
from vivant.bots.discord.settings import RoleClipsForm, SettingsForm, changed, with_role_clips
from vivant.conversation import Conversation
from vivant.houses import House
from vivant.messages import Messages


@dataclass(frozen=True, slots=True)
class Office:
    """The settings of all servers of one bot."""

    conversation: Conversation
    attention: Attention
    #: A server may ask for every photo only where the bot is shown every message.
    reads_messages: bool

    async def on_settings(self, interaction: discord.Interaction[Any]) -> None:
        """Show them, to those who may change them."""

        async def show(response_id: int) -> None:
            del response_id
            sender = manager_of(interaction)
            if not sender.is_moderator:
                said = Messages(sender.language).moderators_only()
                await interaction.edit_original_response(content=said)
                return
            form = self._form(interaction, await self._house(interaction))
            await interaction.edit_original_response(view=form)

        await self.attention.answer(interaction, show, ephemeral=True)

    async def on_setting(
        self, interaction: discord.Interaction[Any], what: str, values: Sequence[str]
    ) -> None:
        """Something was chosen in the form."""
        async with self.attention.working(), self.attention.telling(interaction):
            if what == "role_clips":
                form = RoleClipsForm(Messages(str(interaction.locale)))
                await interaction.response.send_modal(form)
            elif await defer(interaction, thinking=False) is not None:
                house = await self._house(interaction)
                with contextlib.suppress(ValueError):  # the form is shown again as it was
                    house = changed(house, what, values)
                await self._keep(interaction, house)

    async def on_role_clips(self, interaction: discord.Interaction[Any], form: Filled) -> None:
        """The form for clips by role was sent."""
        async with self.attention.working(), self.attention.telling(interaction):
            if await defer(interaction, thinking=False) is None:
                return
            house = await self._house(interaction)
            with contextlib.suppress(ValueError):  # the form is shown again as it was
                house = with_role_clips(house, *RoleClipsForm.told(form))
            await self._keep(interaction, house)

    async def _house(self, interaction: discord.Interaction[Any]) -> House:
        return await self.conversation.house(str(interaction.guild_id))

    async def _keep(self, interaction: discord.Interaction[Any], house: House) -> None:
        sender = manager_of(interaction)
        said = await self.conversation.change_house(str(interaction.guild_id), sender, house)
        if sender.is_moderator:
            await interaction.edit_original_response(view=self._form(interaction, house))
        else:
            await interaction.followup.send(said, ephemeral=True)

    def _form(self, interaction: discord.Interaction[Any], house: House) -> SettingsForm:
        words = Messages(str(interaction.locale))
        return SettingsForm(words, house, reads_messages=self.reads_messages)
