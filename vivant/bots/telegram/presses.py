"""Buttons that were pressed: to the conversation, or to the till."""

import logging
from dataclasses import dataclass
from typing import Final

from telegram import CallbackQuery

from vivant.bots.telegram.admins import Admins
from vivant.bots.telegram.incoming import person, reply_to
from vivant.bots.telegram.outgoing import TelegramPlatform
from vivant.bots.telegram.refusals import our_errors
from vivant.bots.telegram.stars import Stars
from vivant.chat import Press, Verb
from vivant.conversation import Conversation
from vivant.errors import PlatformError, Undeliverable
from vivant.messages import Messages

#: https://core.telegram.org/bots/api#answercallbackquery
_MOST_LETTERS: Final = 200
#: What is longer than this cannot be read before it fades: it stays until it is tapped away.
_FADES: Final = 80

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Presses:
    """The presses of one bot's buttons."""

    platform: TelegramPlatform
    conversation: Conversation
    admins: Admins
    stars: Stars

    async def on_press(self, query: CallbackQuery) -> None:
        """Do what the button says, then end the turning wheel on it."""
        press = await self._read(query)
        word = None
        if press is not None:
            try:
                word = await self._do(press)
            except Undeliverable:  # the chat takes no message of ours, but a press has its own word
                word = Messages(press.sender.language).may_not_write()
        await self._answer(query, word)

    async def _read(self, query: CallbackQuery) -> Press | None:
        """The press; None where the data is none of ours: any client can send any."""
        read, shown = Press.read(query.data or ""), query.message
        if read is None or shown is None:
            return None
        verb, target, choice = read
        message_id = str(shown.message_id)
        return Press(
            event_id=f"press:{query.id}",
            verb=verb,
            target=target,
            choice=choice,
            sender=await self.admins.sender(person(query.from_user, shown.chat), shown.chat),
            reply_to=reply_to(shown, self.platform.bot, message_id=message_id),
            message_id=message_id,
        )

    async def _do(self, press: Press) -> str | None:
        """A word for the presser alone, if there is one to say."""
        if press.verb is not Verb.BUY:
            return await self.conversation.on_press(press)
        clips = int(press.target) if press.target.isdecimal() else 0
        is_sold = await self.stars.offer(press.reply_to, clips, press.sender.language)
        return None if is_sold else Messages(press.sender.language).not_sold()

    async def _answer(self, query: CallbackQuery, word: str | None) -> None:
        if word is not None and len(word) > _MOST_LETTERS:
            word = word[: _MOST_LETTERS - 1] + "…"
        try:
            with our_errors():
                await self.platform.api.answer_callback_query(
                    query.id, word, show_alert=word is not None and len(word) > _FADES
                )
        except PlatformError as exc:  # what the button said is done
            logger.info("a button was not answered", extra={"why": type(exc).__name__})
