"""Forms: words for a photo that is there, and other words (or another photo) for a clip.

What a form is about stands in its id, and what was filled in comes with the interaction, so a
form that was open during a restart is as good as any.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import discord
from discord import ui

from vivant.bots.discord.attachments import Upload
from vivant.messages import Messages

#: Discord's limit on titles, labels and the names of choices.
LONGEST_LABEL: Final = 45
_LONGEST_CHOICE: Final = 100
_LONGEST_WORDS: Final = 1000

# What fields are known by.
_WORDS: Final = "words"
_WHICH: Final = "which"
_PHOTO: Final = "photo"

#: A field, in what Discord tells of a form.
_LABEL: Final = discord.ComponentType.label.value


class Form(ui.Modal):
    """A form that nothing in this process waits for."""

    def __init__(self, kind: str, about: str, title: str) -> None:
        super().__init__(title=title[:LONGEST_LABEL], custom_id=f"{kind}:{about}")
        # discord.py would keep it and look for it by its id; see `Filled`.
        self.stop()

    def ask(self, label: str, field: ui.Item[Any]) -> None:
        """Add one field."""
        self.add_item(ui.Label(text=label[:LONGEST_LABEL], component=field))


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """A form that somebody sent."""

    #: As they stand in its id.
    kind: str
    about: str
    #: What was typed, chosen or uploaded, by the id of the field.
    values: Mapping[str, tuple[str, ...]]
    uploads: tuple[Upload, ...]

    @classmethod
    def of(cls, interaction: discord.Interaction[Any]) -> Self:
        """Read what Discord tells."""
        told: Any = interaction.data
        kind, _, about = told["custom_id"].partition(":")
        fields = [part["component"] for part in told["components"] if part["type"] == _LABEL]
        values = {
            field["custom_id"]: tuple(field["values"] if "values" in field else (field["value"],))
            for field in fields
        }
        files = told.get("resolved", {}).get("attachments", {})
        uploads = tuple(Upload.told(files[key]) for key in values.get(_PHOTO, ()) if key in files)
        return cls(kind=kind, about=about, values=values, uploads=uploads)

    @property
    def words(self) -> str:
        """What shall happen."""
        return self.one(_WORDS)

    @property
    def which(self) -> list[int]:
        """The numbers of the chosen photos; the first where there was no choice."""
        return [int(number) for number in self.values.get(_WHICH, ("1",)) if number.isdecimal()]

    def one(self, name: str) -> str:
        """What stands in a field; "" for nothing."""
        return next(iter(self.values.get(name, ())), "") or ""


class AnimateForm(Form):
    """Words for the photo of a message; of several photos, for which."""

    KIND: Final = "animate"

    def __init__(self, words: Messages, message_id: int, photos: Sequence[Upload]) -> None:
        super().__init__(self.KIND, str(message_id), words.form_title())
        self.ask(words.form_words(), _words_field())
        if len(photos) > 1:
            options = [
                discord.CheckboxGroupOption(
                    label=f"{number}. {photo.name}"[:_LONGEST_CHOICE],
                    value=str(number),
                    default=number == 1,
                )
                for number, photo in enumerate(photos, 1)
            ]
            which = ui.CheckboxGroup[Any](
                custom_id=_WHICH, options=options, min_values=1, max_values=len(options)
            )
            self.ask(words.form_which(), which)


class EditForm(Form):
    """Other words for the photo of a job, and another photo if there is one."""

    KIND: Final = "edit"

    def __init__(self, words: Messages, job_id: str, said: str) -> None:
        super().__init__(self.KIND, job_id, words.form_title())
        self.ask(words.form_words(), _words_field(said))
        photo = ui.FileUpload[Any](custom_id=_PHOTO, required=False, max_values=1)
        self.ask(words.form_photo(), photo)


def _words_field(said: str = "") -> ui.TextInput[Any]:
    return ui.TextInput(
        custom_id=_WORDS,
        style=discord.TextStyle.short,
        default=said[:_LONGEST_WORDS] or None,
        max_length=_LONGEST_WORDS,
    )
