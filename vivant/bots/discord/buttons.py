"""Our buttons as Discord's. All that one knows is in its id, so it works right after a restart."""

import re
from collections.abc import Sequence
from typing import Any, Self

import discord
from discord import ui

from vivant.chat import Button, Press

#: Discord's limit on a label.
_LONGEST_LABEL = 80


class PressButton(ui.DynamicItem[ui.Button[ui.View]], template=r"(?P<data>[a-z_]+:[^:]+:[^:]*)"):
    """One button of ours, whichever it is; what a press does is the conversation's business."""

    def __init__(self, data: str, label: str | None = None) -> None:
        super().__init__(
            ui.Button(
                label=label[:_LONGEST_LABEL] if label else "·",
                style=discord.ButtonStyle.secondary,
                custom_id=data,
            )
        )

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """A press arrived for a message that may be older than this process."""
        del interaction, item
        return cls(match["data"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Hand it on."""
        await interaction.client.presses.on_press(interaction, Press.read(self.custom_id))


def view_of(buttons: Sequence[Button]) -> ui.View | None:
    """The buttons as a row, or rows; None for none, which takes away those that are there."""
    if not buttons:
        return None
    view = ui.View(timeout=None)
    for button in buttons:
        view.add_item(PressButton(button.data, button.label))
    return view
