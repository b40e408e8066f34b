"""Everything the service raises on purpose.

* VivantError
  + Refused            - said to the person at once; nothing was queued, nothing charged
  + SettingsError      - the process cannot start as configured
  + RedisMissing       - no Redis to be had; says how to get one
  + RedisDown          - the Redis that was named does not answer at start
  + LedgerDown         - the database did not answer; nothing was changed
  + RowUnreadable      - a row of another version, say; what it holds is not known
  + MediaMissing       - the photo or clip is not in the store (any more)
  + RenderError        - the engine made no clip; `transient` says whether another try may
  + NotDone            - the operator asked for what cannot be; the text says why
  + PlatformError      - the chat platform did not take what we sent
    x TryLater         - not now; worth trying again after `retry_after_s`
    x MessageGone      - the message to edit is not there, or may not be edited any more
    x Undeliverable    - it will never take it: blocked, chat gone, no permission
    x FileTooLarge     - the file is over the chat's limit
    x ClipRefused      - the chat takes words of ours, and no clip in any shape
    x TextRefused      - the chat's own rules do not let these words pass
"""

from vivant.clips import FailureReason, RefusalReason


class VivantError(Exception):
    """Base of all errors raised on purpose."""


class Refused(VivantError):
    """The request was turned away before anything was queued or charged."""

    def __init__(self, reason: RefusalReason, **details: object) -> None:
        super().__init__(reason.value)
        self.reason = reason
        #: What the sentence needs: a limit, a count, what can be asked instead.
        self.details = details


class SettingsError(VivantError):
    """A setting is wrong; the text names it and says what is allowed."""


class RedisMissing(VivantError):
    """There is no Redis; the text says three ways to get one."""


class RedisDown(VivantError):
    """The Redis that was named does not answer; the text says which setting names it."""


class LedgerDown(VivantError):
    """The database did not answer; what was under way there was rolled back."""


class RowUnreadable(VivantError):
    """The ledger has a row that this version cannot read."""


class MediaMissing(VivantError):
    """The photo or clip is not in the store, or not any more."""


class RenderError(VivantError):
    """The engine made no clip."""

    def __init__(self, reason: FailureReason, *, transient: bool = False) -> None:
        super().__init__(reason.value)
        self.reason = reason
        #: Another try may work: the engine's process died, or memory was short.
        self.transient = transient


class NotDone(VivantError):
    """The operator's words name nothing that can be done; the text says what is missing."""


class PlatformError(VivantError):
    """The chat platform did not take what we sent."""


class TryLater(PlatformError):
    """Not now; worth trying again."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"no answer, or not now; to be tried again in {retry_after_s:g} s")
        self.retry_after_s = retry_after_s


class MessageGone(PlatformError):
    """The message to edit is not there, or may not be edited any more."""


class Undeliverable(PlatformError):
    """The platform will never take this answer."""


class FileTooLarge(PlatformError):
    """The file is over the limit of that chat."""


class ClipRefused(PlatformError):
    """The chat takes words of ours, and no clip in any shape."""


class TextRefused(PlatformError):
    """The chat's own rules (a server's AutoMod) do not let these words pass."""
