"""The commands: what they are answered with, and how Telegram's apps offer them."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
)

from vivant.bots.telegram.incoming import Command
from vivant.bots.telegram.outgoing import TelegramPlatform, is_group
from vivant.bots.telegram.refusals import our_errors
from vivant.bots.telegram.stars import Stars
from vivant.chat import Button, Sender, Verb
from vivant.clips import ReplyTo
from vivant.conversation import Conversation
from vivant.errors import PlatformError
from vivant.locales import LANGUAGES
from vivant.messages import Messages

_IN_GROUPS: Final = ("animate", "status", "cancel", "help")
_FOR_ADMINS: Final = (*_IN_GROUPS, "settings")
_ALONE: Final = ("animate", "status", "cancel", "help", "settings", "privacy", "forget", "terms")
_SHOP: Final = ("buy", "paysupport")
#: "/settings topic here", said in the topic where answers shall go.
_TOPIC: Final = {"topic here": True, "topic -": False}

logger = logging.getLogger(__name__)


async def offer_commands(api: Bot, *, sells: bool) -> None:
    """Tell Telegram which commands to offer where; the bot works without, so nothing is raised."""
    places: tuple[tuple[BotCommandScope, Sequence[str]], ...] = (
        (BotCommandScopeAllPrivateChats(), (*_ALONE, *(_SHOP if sells else ()))),
        (BotCommandScopeAllGroupChats(), _IN_GROUPS),
        (BotCommandScopeAllChatAdministrators(), _FOR_ADMINS),
    )
    try:
        for scope, names in places:
            for language in LANGUAGES:
                words = Messages(language)
                with our_errors():
                    await api.set_my_commands(
                        [BotCommand(name, words.command(name)) for name in names],
                        scope=scope,
                        # The one without a language is for all that are not named.
                        language_code=None if language == "en" else language,
                    )
    except PlatformError as exc:
        logger.warning("the commands were not offered", extra={"why": str(exc)})


@dataclass(frozen=True, slots=True)
class Commands:
    """Answers to commands."""

    platform: TelegramPlatform
    conversation: Conversation
    stars: Stars

    async def on_command(self, command: Command, to: ReplyTo, sender: Sender) -> None:
        """Answer *command*; one that may be another bot's is left to that bot."""
        conversation = self.conversation
        usage = conversation.help(sender, in_group=is_group(to))
        match command.name:
            case "status":
                answer = await conversation.status(sender)
            case "cancel":
                answer = await conversation.cancel(sender)
            case "start" | "help":
                answer = usage
            case "privacy":
                answer = conversation.privacy(sender)
            case "forget":
                answer = await conversation.forget(sender)
            case "terms":
                answer = conversation.terms(sender)
            case "paysupport":
                answer = conversation.paysupport(sender)
            case "settings":
                answer = await self._settings(command.argument, to, sender)
            case "admin" if to.chat_id == sender.id:  # a private chat
                event = f"{to.chat_id}:{to.message_id}"
                said = await conversation.operate(sender, command.argument, event)
                answer = usage if said is None else said
            case "buy" if self.stars.packs:
                await self.show_packs(to, sender)
                return
            case _ if command.is_addressed:
                answer = usage
            case _:
                return
        await self.platform.send_text(to, answer)

    async def show_packs(self, to: ReplyTo, sender: Sender) -> None:
        """What is sold, a button each."""
        words = Messages(sender.language)
        buttons = tuple(
            Button(label=words.pack_button(clips, stars), verb=Verb.BUY, target=str(clips))
            for clips, stars in self.stars.packs.items()
        )
        said = words.shop(self.conversation.limits.free_clips_per_day)
        await self.platform.send_text(to, said, buttons=buttons)

    async def _settings(self, said: str, to: ReplyTo, sender: Sender) -> str:
        is_here = _TOPIC.get(said.lower())
        if is_here is None:
            told = await self.conversation.settings(to.house_id, sender, said)
            if said or to.thread_id is None:
                return told
            return f"{told}\n{Messages(sender.language).house_topic()}"
        house = await self.conversation.house(to.house_id)
        house = replace(house, answers_in=to.thread_id if is_here else None)
        return await self.conversation.change_house(to.house_id, sender, house)
