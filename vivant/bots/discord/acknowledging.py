"""The first answer to an interaction, within three seconds whatever happens.

Discord shows "The application did not respond" otherwise, and never sends the interaction again.
"""

import asyncio
import logging
from typing import Any, Final

import aiohttp
import discord

from vivant.bots.discord.refusals import ALREADY_ACKNOWLEDGED, UNKNOWN_INTERACTION, our_errors

#: Then the three seconds are over for certain.
_TOO_LATE_S: Final = 3.0

logger = logging.getLogger(__name__)


async def defer(interaction: discord.Interaction[Any], *, ephemeral: bool = False) -> int | None:
    """Say "thinking"; the id of the message that says so, None when it came too late.

    A reply that got lost on the way is asked for again, and so is one that stands already
    because Discord told us of the interaction twice.
    """
    with our_errors():
        try:
            async with asyncio.timeout(_TOO_LATE_S):
                return await _deferred(interaction, ephemeral=ephemeral)
        except discord.HTTPException as exc:
            if exc.code == ALREADY_ACKNOWLEDGED:
                return (await interaction.original_response()).id
            if exc.code == UNKNOWN_INTERACTION:
                logger.warning("an interaction was answered too late")
                return None
            raise


async def _deferred(interaction: discord.Interaction[Any], *, ephemeral: bool) -> int | None:
    while True:
        try:
            done = await interaction.response.defer(ephemeral=ephemeral, thinking=True)
        except (aiohttp.ClientError, OSError):
            logger.info("the line broke while an interaction was answered; once more")
        else:
            return None if done is None else done.message_id
