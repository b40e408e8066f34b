"""The terminal: the same path as every chat, with no account and no token."""

from typing import Final

PLATFORM: Final = "terminal"
#: All terminals of one ledger are one bot: a clip whose terminal was killed is written by the next.
BOT: Final = "local"
