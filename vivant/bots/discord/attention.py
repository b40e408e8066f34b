"""What is under way in this process, and that whoever asked is told how it ended."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import discord
from discord import InteractionResponseType, InteractionType

from vivant.bots.discord.acknowledging import defer
from vivant.bots.discord.refusals import our_errors
from vivant.clips import RefusalReason
from vivant.errors import LedgerDown, PlatformError, Refused
from vivant.messages import Messages

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Attention:
    """Every event is seen to inside one of these blocks."""

    #: Nothing new is taken: the process is about to end.
    is_leaving: bool = False
    _at_work: set[asyncio.Task[Any]] = field(default_factory=set, init=False)

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

    async def answer(
        self,
        interaction: discord.Interaction[Any],
        work: Callable[[int], Awaitable[None]],
        *,
        ephemeral: bool = False,
    ) -> None:
        """Say "thinking", and do *work* with the id of the message that says so.

        Nothing is done where it came too late to say it.
        """
        async with self.working():
            response_id = await defer(interaction, ephemeral=ephemeral)
            if response_id is not None:
                async with self.telling(interaction):
                    await work(response_id)

    @asynccontextmanager
    async def telling(self, interaction: discord.Interaction[Any]) -> AsyncGenerator[None]:
        """Whatever goes wrong inside, the one who asked is told."""
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

    def take_on(self) -> None:
        """Raise `Refused` where the process is about to end: what is new is for the next one."""
        if self.is_leaving:
            raise Refused(RefusalReason.DRAINING)

    async def finish(self, within_s: float) -> None:
        """Take nothing new, and let what is under way come to its end."""
        self.is_leaving = True
        if self._at_work:
            await asyncio.wait(self._at_work, timeout=within_s)

    async def _tell(self, interaction: discord.Interaction[Any], said: str) -> None:
        first = interaction.response.type
        # A command whose first answer is not known here was answered all the same: told twice.
        is_told_twice = first is None and interaction.type is InteractionType.application_command
        try:
            with our_errors():
                if first is InteractionResponseType.deferred_channel_message or is_told_twice:
                    await interaction.edit_original_response(content=said)
                elif first is None:
                    await interaction.response.send_message(said, ephemeral=True)
                else:  # the message that stands there is a clip, or a form
                    await interaction.followup.send(said, ephemeral=True)
        except PlatformError as exc:
            logger.warning("could not say so", extra={"why": str(exc)})
