"""The commands that Telegram's apps offer: by place, and in the reader's language."""

import logging
from collections.abc import Sequence
from typing import Final

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
)

from vivant.bots.telegram.refusals import our_errors
from vivant.errors import PlatformError
from vivant.locales import LANGUAGES
from vivant.messages import Messages

_IN_GROUPS: Final = ("animate", "status", "cancel", "help")
_FOR_ADMINS: Final = (*_IN_GROUPS, "settings")
_ALONE: Final = ("animate", "status", "cancel", "help", "settings", "privacy", "forget", "terms")
_SHOP: Final = ("buy", "paysupport")

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
