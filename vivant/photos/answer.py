"""What the darkroom and its children say, as it crosses to the process that asked."""

import msgspec

from vivant.clips import RefusalReason
from vivant.director.sight import Sight


class Ready(msgspec.Struct):
    """The darkroom's first word."""

    #: Why nobody will look at the photos, where it was asked for.
    blind: str | None


class Developed(msgspec.Struct, tag=True):
    """A child's good answer."""

    data: bytes
    width: int
    height: int
    animated: bool
    sight: Sight | None
    #: Why looking failed, if it did.
    blind: str | None
    peak_bytes: int


class TurnedAway(msgspec.Struct, tag=True):
    """A child's refusal, or the darkroom's word on a child that died."""

    reason: RefusalReason
    limit: int | None
    #: For the log.
    why: str
    peak_bytes: int


Answer = Developed | TurnedAway
