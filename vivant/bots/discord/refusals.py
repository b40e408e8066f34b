"""What Discord says no with, in our own errors. No exception of its library leaves this folder."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

import aiohttp
import discord

from vivant.errors import (
    FileTooLarge,
    MessageGone,
    PlatformError,
    TextRefused,
    TryLater,
    Undeliverable,
)

# Names as in "JSON error codes" of Discord's documentation.
UNKNOWN_MESSAGE: Final = 10008
ALREADY_ACKNOWLEDGED: Final = 40060
MISSING_PERMISSIONS: Final = 50013
CANNOT_REPLY_WITHOUT_HISTORY: Final = 160002

#: An interaction that lets nothing more through.
TOKEN_IS_OVER: Final = frozenset(
    {
        10015,  # Unknown Webhook: the interaction is not known any more
        40094,  # An app that only its user installed may follow up five times
        50027,  # Invalid Webhook Token: its fifteen minutes are over
    }
)
_GONE: Final = TOKEN_IS_OVER | frozenset(
    {
        UNKNOWN_MESSAGE,
        50083,  # Thread is archived: a new message wakes it, an edit does not
    }
)
_NEVER: Final = frozenset(
    {
        10003,  # Unknown Channel
        10004,  # Unknown Guild
        50001,  # Missing Access
        50007,  # Cannot send messages to this user
        50008,  # Cannot send messages in a non-text channel
        MISSING_PERMISSIONS,
        CANNOT_REPLY_WITHOUT_HISTORY,
    }
)
_TOO_LARGE: Final = 40005
#: AutoMod: the message, or the title of a thread.
_BLOCKED: Final = frozenset({200000, 200001})

_AFTER_A_FAULT_S: Final = 5.0
_AFTER_A_LOST_LINE_S: Final = 2.0


@contextmanager
def our_errors() -> Generator[None]:
    """Raise `PlatformError` and its kinds for whatever discord.py raises inside."""
    try:
        yield
    except discord.RateLimited as exc:
        raise TryLater(exc.retry_after) from exc
    except discord.DiscordServerError as exc:
        raise TryLater(_AFTER_A_FAULT_S) from exc
    except discord.HTTPException as exc:
        raise _ours(exc) from exc
    except (aiohttp.ClientError, OSError, TimeoutError) as exc:
        raise TryLater(_AFTER_A_LOST_LINE_S) from exc


def _ours(exc: discord.HTTPException) -> PlatformError:
    # The code alone: the text of a refusal may repeat what a person wrote.
    what = f"Discord: {exc.status}, code {exc.code}"
    if exc.status == 429:
        return TryLater(float(exc.response.headers.get("Retry-After", _AFTER_A_FAULT_S)))
    if exc.code in _GONE:
        return MessageGone(what)
    if exc.code in _NEVER:
        return Undeliverable(what)
    if exc.status == 413 or exc.code == _TOO_LARGE:
        return FileTooLarge(what)
    if exc.code in _BLOCKED:
        return TextRefused(what)
    return PlatformError(what)
