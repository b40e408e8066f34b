"""The first answer to an interaction, within three seconds whatever happens.

Discord shows "The application did not respond" otherwise, and never sends the interaction again.
"""

import asyncio
import logging
from typing import Any, Final

import aiohttp
import discord

from vivant.bots.discord.refusals import ALREADY_ACKNOWLEDGED, our_errors
from vivant.errors import PlatformError

#: Then the three seconds are over for certain.
_TOO_LATE_S: Final = 3.0
_ONCE_MORE_S: Final = 0.1

logger = logging.getLogger(__name__)


async def defer(
    interaction: discord.Interaction[Any], *, ephemeral: bool = False, thinking: bool = True
) -> int | None:
    """Take the interaction on; the id of the message that answers it, None when it is too late.

    *thinking*: by a new message that says so; else by the message whose button was pressed.

    A reply that got lost on the way is asked for again, and so is one that stands already
    because Discord told us of the interaction twice.
    """
    try:
        with our_errors():
            try:
                async with asyncio.timeout(_TOO_LATE_S):
                    return await _deferred(interaction, ephemeral=ephemeral, thinking=thinking)
            except discord.HTTPException as exc:
                if exc.code != ALREADY_ACKNOWLEDGED:
                    raise
                return (await interaction.original_response()).id
    except PlatformError as exc:
        # Nobody was promised anything: the asker reads that we did not respond.
        logger.warning("an interaction was answered too late", extra={"why": str(exc)})
        return None


async def _deferred(
    interaction: discord.Interaction[Any], *, ephemeral: bool, thinking: bool
) -> int | None:
    while True:
        try:
            done = await interaction.response.defer(ephemeral=ephemeral, thinking=thinking)
        except (aiohttp.ClientError, OSError):
            logger.info("the line broke while an interaction was answered; once more")
            await asyncio.sleep(_ONCE_MORE_S)
        else:
            return None if done is None else done.message_id
