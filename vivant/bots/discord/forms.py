"""Forms: words for a photo that is there, and other words (or another photo) for a clip.

A form lives as long as its process. One that was open during a restart says so when it is sent,
and the menu or button that opened it still works.
"""

import secrets
from collections.abc import Sequence
from typing import Any, Final

import discord
from discord import ui

from vivant.bots.discord.attachments import Upload
from vivant.clips import Wish
from vivant.messages import Messages

#: Discord's limit on titles, labels and the names of choices.
_LONGEST_LABEL: Final = 45
_LONGEST_CHOICE: Final = 100
_LONGEST_WORDS: Final = 1000
#: A form that nobody sends is let go of after this.
_PATIENCE_S: Final = 3600.0


class Form(ui.Modal):
    """One field for words, and what else its kind asks."""

    def __init__(self, words: Messages, forms: str, said: str = "") -> None:
        super().__init__(
            title=words.form_title()[:_LONGEST_LABEL],
            timeout=_PATIENCE_S,
            custom_id=f"{forms}:{secrets.token_hex(8)}",
        )
        self._said: ui.TextInput[Form] = ui.TextInput(
            style=discord.TextStyle.short,
            default=said[:_LONGEST_WORDS] or None,
            max_length=_LONGEST_WORDS,
        )
        self.add_item(
            ui.Label(text=words.form_words()[:_LONGEST_LABEL], component=self._said),
        )

    @property
    def said(self) -> str:
        """The words."""
        return self._said.value


class AnimateForm(Form):
    """Words for the photo of a message; of several photos, which."""

    def __init__(self, words: Messages, forms: str, photos: Sequence[Upload]) -> None:
        super().__init__(words, forms)
        self._photos = photos
        self._which: ui.RadioGroup[Form] | None = None
        if len(photos) > 1:
            self._which = ui.RadioGroup(
                options=[
                    discord.RadioGroupOption(
                        label=f"{number}. {photo.name}"[:_LONGEST_CHOICE],
                        value=str(number),
                        default=number == 1,
                    )
                    for number, photo in enumerate(photos, 1)
                ]
            )
            self.add_item(ui.Label(text=words.form_which()[:_LONGEST_LABEL], component=self._which))

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        """Like `/animate`."""
        number = 1
        if self._which is not None and self._which.value:
            number = int(self._which.value)
        photo = self._photos[number - 1]
        await interaction.client.on_animate(interaction, photo, self.said, Wish())


class EditForm(Form):
    """Other words for the photo of a job, and another photo if there is one."""

    def __init__(self, words: Messages, forms: str, job_id: str, said: str) -> None:
        super().__init__(words, forms, said)
        self._job_id = job_id
        self._photo: ui.FileUpload[Form] = ui.FileUpload(required=False, max_values=1)
        self.add_item(ui.Label(text=words.form_photo()[:_LONGEST_LABEL], component=self._photo))

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        """A new job from the same photo, or like `/animate` with a new one."""
        if self._photo.values:
            photo = Upload.of(self._photo.values[0])
            await interaction.client.on_animate(interaction, photo, self.said, Wish())
        else:
            await interaction.client.presses.on_edit(interaction, self._job_id, self.said)
