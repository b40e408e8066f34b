"""What people buy in Discord's own shop becomes clips, each purchase once. Off until configured."""

import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

import discord
from discord import ui

from vivant.bots.discord.place import PLATFORM
from vivant.bots.discord.refusals import our_errors
from vivant.chat import Sender
from vivant.conversation import Conversation
from vivant.errors import LedgerDown, PlatformError
from vivant.intake import owner_of

logger = logging.getLogger(__name__)


def packs_of(told: tuple[str, ...]) -> dict[int, int]:
    """The setting: "sku:clips" each."""
    return {int(sku): int(clips) for sku, _, clips in (pack.partition(":") for pack in told)}


@dataclass(slots=True)
class Till:
    """Credits entitlements; what it was not told of while it was away it asks for."""

    client: discord.Client
    conversation: Conversation
    #: Clips by the id of their SKU.
    packs: Mapping[int, int]
    _consumable: set[int] = field(default_factory=set, init=False)

    def offer(self) -> ui.View:
        """A button for each pack; Discord's app says what it is and what it costs."""
        view = ui.View(timeout=None)
        for sku in self.packs:
            view.add_item(ui.Button(style=discord.ButtonStyle.premium, sku_id=sku))
        return view

    async def catch_up(self) -> None:
        """Credit what was bought while nobody listened, and take back what was refunded."""
        if not self.packs:
            return
        try:
            with our_errors():
                skus = await self.client.fetch_skus()
                consumable = discord.SKUType.consumable
                self._consumable = {sku.id for sku in skus if sku.type is consumable}
                wanted = [discord.Object(sku) for sku in self.packs]
                # Backwards from a time to come: read forwards, discord.py 2.7.1 forgets to ask for
                # what was deleted.
                async for bought in self.client.entitlements(
                    limit=None,
                    skus=wanted,
                    exclude_deleted=False,
                    before=discord.utils.utcnow() + dt.timedelta(days=1),
                ):
                    if bought.deleted:
                        await self.take_back(bought)
                    elif not bought.is_expired():
                        await self.credit(bought)
        except (PlatformError, LedgerDown) as exc:
            logger.warning("purchases could not be asked for", extra={"why": str(exc)})

    async def credit(self, bought: discord.Entitlement) -> None:
        """Give the clips of one purchase, or of one period of a subscription."""
        clips = self.packs.get(bought.sku_id)
        if clips is None or bought.user_id is None or bought.deleted:
            return
        await self.conversation.paid(Sender(id=str(bought.user_id)), clips, _source(bought))
        if bought.sku_id in self._consumable and not bought.consumed:
            # After the credit: a purchase that is consumed and not credited would be lost.
            with our_errors():
                await bought.consume()

    async def take_back(self, bought: discord.Entitlement) -> None:
        """Discord gave the money back: the clips go, as far as they are not spent."""
        clips = self.packs.get(bought.sku_id)
        if clips is None or bought.user_id is None:
            return
        # Credited first if it never was, so that no other purchase pays for it.
        await self.conversation.paid(Sender(id=str(bought.user_id)), clips, _source(bought))
        people = self.conversation.ledger.people
        owner = owner_of(PLATFORM, str(bought.user_id))
        gone = await people.take_back(owner, clips, source=f"refund:{_source(bought)}")
        if gone is not None:
            logger.info("refunded", extra={"clips": gone})


def _source(bought: discord.Entitlement) -> str:
    """The number of one purchase; a subscription has one for each period."""
    period = "" if bought.ends_at is None else f":{bought.ends_at.timestamp():.0f}"
    return f"{PLATFORM}:{bought.id}{period}"
