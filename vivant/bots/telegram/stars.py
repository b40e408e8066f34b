"""Packs of clips for Telegram Stars: offered, agreed to, given back.

Telegram takes the money; digital goods may be sold for Stars only.
https://core.telegram.org/bots/payments-stars
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from telegram import Bot, LabeledPrice, PreCheckoutQuery, RefundedPayment

from vivant.bots.telegram.outgoing import PLATFORM, in_thread, reply_parameters
from vivant.bots.telegram.refusals import TooLate, our_errors
from vivant.clips import ReplyTo
from vivant.errors import PlatformError
from vivant.ledger import People
from vivant.messages import Messages

_STARS: Final = "XTR"
_PAYLOAD: Final = "clips:"

logger = logging.getLogger(__name__)


def packs_of(told: tuple[str, ...]) -> dict[int, int]:
    """Clips -> Stars, from `VIVANT_TELEGRAM_STAR_PACKS`."""
    return {int(clips): int(stars) for clips, _, stars in (pack.partition(":") for pack in told)}


@dataclass(frozen=True, slots=True)
class Stars:
    """The till of one bot; nothing is for sale where there are no packs."""

    api: Bot
    people: People
    #: Clips -> Stars.
    packs: Mapping[int, int]

    async def offer(self, to: ReplyTo, clips: int, language: str) -> bool:
        """Send the invoice of a pack; False where it is not sold (any more)."""
        stars = self.packs.get(clips)
        if stars is None:
            return False
        words = Messages(language)

        async def send(chat_id: int, thread_id: int | None) -> None:
            with our_errors():
                await self.api.send_invoice(
                    chat_id,
                    title=words.pack(clips),
                    description=words.about_pack(clips),
                    payload=f"{_PAYLOAD}{clips}",
                    currency=_STARS,
                    prices=[LabeledPrice(words.pack(clips), stars)],
                    message_thread_id=thread_id,
                    reply_parameters=reply_parameters(to, chat_id),
                )

        await in_thread(to, send)
        return True

    async def agree(self, raw: dict[str, Any]) -> None:
        """Answer a pre-checkout query, for which Telegram waits ten seconds and no longer."""
        query = PreCheckoutQuery.de_json(raw, self.api)
        is_sold = query.currency == _STARS and (
            self.packs.get(clips_of(query.invoice_payload)) == query.total_amount
        )
        words = Messages(query.from_user.language_code or "en")
        try:
            with our_errors():
                await self.api.answer_pre_checkout_query(
                    query.id, ok=is_sold, error_message=None if is_sold else words.not_sold()
                )
        except TooLate:
            logger.warning("a payment was agreed to too late")
        except PlatformError as exc:  # nothing was paid: the person can press again
            logger.warning("a payment was not agreed to", extra={"why": str(exc)})

    async def refunded(self, payer: str, payment: RefundedPayment) -> int | None:
        """Take back what a refunded payment bought, as far as it is not spent.

        How many clips; None where that was done before.
        """
        gone = await self.people.take_back(
            f"{PLATFORM}:{payer}",
            clips_of(payment.invoice_payload),
            source=f"refund:{payment.telegram_payment_charge_id}",
        )
        if gone is not None:
            logger.info("refunded", extra={"clips": gone, "stars": payment.total_amount})
        return gone


async def refund(api: Bot, user_id: int, charge_id: str) -> None:
    """Give the Stars of a payment back; Telegram then tells the bot, which takes the clips back.

    Raises `PlatformError` with Telegram's reason: CHARGE_NOT_FOUND, CHARGE_ALREADY_REFUNDED.
    """
    with our_errors():
        await api.refund_star_payment(user_id, charge_id)


def clips_of(payload: str) -> int:
    """How many clips an invoice is for; 0 where it is none of ours."""
    told = payload.removeprefix(_PAYLOAD)
    return int(told) if payload.startswith(_PAYLOAD) and told.isdecimal() else 0
