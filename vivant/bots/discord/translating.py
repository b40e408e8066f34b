"""Names and descriptions of commands, in the languages of those who read them."""

from collections.abc import Callable

import discord
from discord import app_commands
from discord.app_commands import locale_str

from vivant.messages import Messages

#: Discord's limit on descriptions and on the names of choices.
_LONGEST = 100


def told(say: Callable[[Messages], str]) -> locale_str:
    """A sentence that Discord keeps in every language that we have."""
    return locale_str(say(Messages())[:_LONGEST], say=say)


class Translator(app_commands.Translator):
    """From the same catalogue as everything else that is said."""

    async def translate(
        self,
        string: locale_str,
        locale: discord.Locale,
        context: app_commands.TranslationContextTypes,
    ) -> str | None:
        """None where the English stands in for a language."""
        del context
        say = string.extras.get("say")
        if say is None:
            return None
        said = str(say(Messages(str(locale))))[:_LONGEST]
        return None if said == string.message else said
