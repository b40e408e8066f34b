"""`/settings`: what a server chose, as a form that is filled in by choosing.

Each field says by its id what it changes, so it works after a restart as well. The rules
themselves are `houses.House`.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Self, TypeAlias

import discord
from discord import ui

from vivant.bots.discord.forms import Filled, Form
from vivant.houses import MOST_CLIPS, House
from vivant.locales import LANGUAGES
from vivant.messages import Messages

_CLIPS: Final = (1, 2, 3, 5, 10, 20, 50)
_MOST_CHOSEN: Final = 25
_SWITCHES: Final = ("open_buttons", "spoiler", "threads", "quiet")
#: Languages as they call themselves.
_NAMES: Final = {"en": "English", "de": "Deutsch", "es": "Español", "ru": "Русский", "zh": "中文"}
_NONE: Final = "-"
_ROOMS: Final = [
    discord.ChannelType.text,
    discord.ChannelType.voice,
    discord.ChannelType.forum,
    discord.ChannelType.public_thread,
]

Field: TypeAlias = ui.Button[Any] | ui.Select[Any] | ui.ChannelSelect[Any] | ui.RoleSelect[Any]


class Setting(ui.DynamicItem[Any], template=r"house:(?P<what>[a-z_]+)"):
    """One field of the form, whichever it is."""

    def __init__(self, field: Field) -> None:
        super().__init__(field)

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Somebody chose something in a form that may be older than this process."""
        del interaction, match
        assert isinstance(item, ui.Button | ui.Select | ui.ChannelSelect | ui.RoleSelect)  # noqa: S101  # nothing else is sent
        return cls(item)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand it on."""
        data: Any = interaction.data
        what = self.custom_id.partition(":")[2]
        await interaction.client.office.on_setting(interaction, what, data.get("values", []))


class SettingsForm(ui.LayoutView):
    """How the house is now, each field ready to be changed."""

    def __init__(self, words: Messages, house: House, *, reads_messages: bool) -> None:
        super().__init__(timeout=None)
        switches = (*_SWITCHES, "every_photo") if reads_messages else _SWITCHES
        rooms = ui.ChannelSelect[Any](
            custom_id="house:rooms",
            channel_types=_ROOMS,
            min_values=0,
            max_values=_MOST_CHOSEN,
            default_values=[discord.Object(int(room)) for room in house.rooms],
        )
        roles = ui.RoleSelect[Any](
            custom_id="house:roles",
            min_values=0,
            max_values=_MOST_CHOSEN,
            default_values=[discord.Object(int(role)) for role in house.roles],
        )
        clips = _choice(
            "house:clips",
            [(_NONE, words.part("no limit")), *((str(n), str(n)) for n in _CLIPS)],
            [_NONE if house.clips is None else str(house.clips)],
        )
        language = _choice(
            "house:language",
            [(_NONE, words.part("own language")), *((tag, _NAMES[tag]) for tag in LANGUAGES)],
            [house.language or _NONE],
        )
        chosen = [name for name in switches if getattr(house, name)]
        what_else = _choice(
            "house:switches",
            [(name, words.switch(name)) for name in switches],
            chosen,
            at_once=len(switches),
        )
        by_role = ui.Button[Any](label=words.part("clips by role"), custom_id="house:role_clips")
        form = ui.Container[Any]()
        for title, field in (
            ("rooms", rooms),
            ("roles", roles),
            ("clips", clips),
            ("clips by role", by_role),
            ("language", language),
            ("switches", what_else),
        ):
            form.add_item(ui.TextDisplay(_titled(words, title, house)))
            form.add_item(ui.ActionRow(Setting(field)))
        self.add_item(form)


class RoleClipsForm(Form):
    """How many clips a day those with certain roles may ask for."""

    KIND: Final = "role_clips"
    _ROLES: Final = "roles"
    _CLIPS: Final = "clips"

    def __init__(self, words: Messages) -> None:
        super().__init__(self.KIND, "", words.part("clips by role"))
        roles = ui.RoleSelect[Any](custom_id=self._ROLES, max_values=_MOST_CHOSEN)
        clips = ui.TextInput[Any](custom_id=self._CLIPS, required=False, max_length=3)
        self.ask(words.form_roles(), roles)
        self.ask(words.form_clips(), clips)

    @classmethod
    def told(cls, form: Filled) -> tuple[Sequence[str], str]:
        """The roles, and how many clips."""
        return form.values.get(cls._ROLES, ()), form.one(cls._CLIPS).strip()


def changed(house: House, what: str, values: Sequence[str]) -> House:
    """*house* with what was chosen in one field of the form."""
    chosen = None if not values or values[0] == _NONE else values[0]
    match what:
        case "rooms":
            return replace(house, rooms=tuple(values))
        case "roles":
            return replace(house, roles=tuple(values))
        case "clips":
            return replace(house, clips=None if chosen is None else int(chosen))
        case "language":
            return replace(house, language=chosen)
        case "switches":
            return replace(
                house,
                open_buttons="open_buttons" in values,
                spoiler="spoiler" in values,
                threads="threads" in values,
                quiet="quiet" in values,
                every_photo="every_photo" in values,
            )
        case _:
            return house


def with_role_clips(house: House, roles: Sequence[str], clips: str) -> House:
    """*house* with the clips of some roles; "" takes their own number away.

    Raises `ValueError` for what is no number, or too large a one.
    """
    by_role = {role: most for role, most in house.clips_by_role.items() if role not in roles}
    if clips:
        most = int(clips)
        if not 0 <= most <= MOST_CLIPS:
            raise ValueError(clips)
        by_role |= dict.fromkeys(roles, most)
    return replace(house, clips_by_role=by_role)


def _titled(words: Messages, title: str, house: House) -> str:
    told = [f"**{words.part(title)}**"]
    if title == "clips by role":
        told += [f"<@&{role}>: {most}" for role, most in house.clips_by_role.items()]
    return "\n".join(told)


def _choice(
    custom_id: str,
    options: Sequence[tuple[str, str]],
    chosen: Sequence[str],
    *,
    at_once: int | None = None,
) -> ui.Select[Any]:
    return ui.Select(
        custom_id=custom_id,
        min_values=1 if at_once is None else 0,
        max_values=at_once or 1,
        options=[
            discord.SelectOption(label=label[:100], value=value, default=value in chosen)
            for value, label in options
        ],
    )
