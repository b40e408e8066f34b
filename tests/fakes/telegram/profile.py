"""The methods by which a bot says what it is: commands, name, descriptions."""

from __future__ import annotations

import re
from dataclasses import dataclass

from telegram.constants import BotCommandScopeType

from tests.fakes.telegram.access import Access
from tests.fakes.telegram.methods import Parameters, only_known
from tests.fakes.telegram.refusals import bad_request
from tests.fakes.telegram.world import Body, BotAccount

#: https://core.telegram.org/bots/api#setmyname and the two after it.
LIMITS = {"name": 64, "description": 512, "short_description": 120}
#: https://core.telegram.org/bots/api#setmycommands.
MOST_COMMANDS = 100


@dataclass(frozen=True)
class Profile:
    """What one bot told of itself, by language."""

    bot: BotAccount
    access: Access

    def set_commands(self, parameters: Parameters) -> bool:
        """The commands for one scope and language."""
        if len(parameters["commands"]) > MOST_COMMANDS:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        for given in parameters["commands"]:
            command = only_known("BotCommand", given)
            if not re.fullmatch(r"[a-z0-9_]{1,32}", str(command.get("command"))):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= len(str(command.get("description", ""))) <= 256:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        self.bot.commands[self._scope(parameters)] = parameters["commands"]
        return True

    def get_commands(self, parameters: Parameters) -> list[Body]:
        """The commands of exactly that scope and language."""
        return self.bot.commands.get(self._scope(parameters), [])

    def delete_commands(self, parameters: Parameters) -> bool:
        """Let higher scopes show through again."""
        self.bot.commands.pop(self._scope(parameters), None)
        return True

    def set_text(self, name: str, parameters: Parameters) -> bool:
        """The name, the description or the short description."""
        text = parameters.get(name, "")
        if len(text) > LIMITS[name]:
            raise bad_request(f"BOT_{name.upper()}_TOO_LONG")
        self.bot.profile[f"{name}/{_language(parameters)}"] = text
        return True

    def get_text(self, name: str, parameters: Parameters) -> Body:
        """As told for that language, else for all."""
        told = self.bot.profile
        default = told.get(f"{name}/", self.bot.first_name if name == "name" else "")
        return {name: told.get(f"{name}/{_language(parameters)}", default)}

    def _scope(self, parameters: Parameters) -> str:
        scope = only_known("BotCommandScope", parameters.get("scope", {"type": "default"}))
        if scope.get("type") not in {kind.value for kind in BotCommandScopeType}:
            raise bad_request("can't parse BotCommandScope: unsupported type specified")
        if "chat_id" in scope:
            self.access.chat({"chat_id": int(scope["chat_id"])})
        parts = [str(scope[name]) for name in ("type", "chat_id", "user_id") if name in scope]
        return f"{':'.join(parts)}/{_language(parameters)}"


def _language(parameters: Parameters) -> str:
    language = str(parameters.get("language_code", ""))
    if not re.fullmatch(r"([a-z]{2})?", language):
        raise bad_request("language code is invalid")
    return language
