"""One call to the REST API: the table of routes, what a call carried, how it was answered."""

import fnmatch
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from tests.fakes.discord_api.refusals import Json, Refused, Why, wrong
from tests.fakes.discord_api.shapes import Shape


@dataclass(frozen=True, slots=True)
class Upload:
    """One part `files[n]` of a multipart call."""

    filename: str
    data: bytes


@dataclass(eq=False, kw_only=True)
class Call:
    """One call, for the one who answers it and for the history."""

    method: str
    #: The route's path, with names in braces.
    route: str
    path: str
    names: Mapping[str, str]
    query: Mapping[str, str]
    headers: Mapping[str, str] = field(repr=False)
    #: The JSON body, or None.
    form: Any = None
    uploads: Mapping[int, Upload] = field(default_factory=dict)
    at: float
    #: None: no answer reached the client.
    status: int | None = None
    answer: Any = field(default=None, repr=False)
    #: Whether it changed anything; false for what a fault or a refusal stopped.
    applied: bool = False

    def number(self, name: str, unknown: Why) -> int:
        """The id *name* of the path; refused as *unknown* where it is none."""
        if not self.names[name].isdigit():
            raise Refused(unknown)
        return int(self.names[name])

    def asked(self, name: str, default: int) -> int:
        """A number of the query."""
        word = self.query.get(name, str(default))
        if not word.isdigit():
            raise wrong((name,), "NUMBER_TYPE_COERCE", f'Value "{word}" is not int.')
        return int(word)


#: Status and JSON; None is an empty body.
Answer: TypeAlias = tuple[int, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A method and a path, what may be sent to it and who answers."""

    method: str
    path: str
    answer: Callable[[Call], Answer]
    form: Shape | None = None
    #: The names that its query may have.
    query: frozenset[str] = frozenset()
    takes_files: bool = False
    #: False: the token in the path is the right to call it.
    for_bots: bool = True


def route(
    method: str,
    path: str,
    answer: Callable[[Call], Answer],
    form: Shape | None = None,
    *,
    query: str = "",
    takes_files: bool = False,
    for_bots: bool = True,
) -> Route:
    """A line of a table of routes; *query* lists names."""
    return Route(
        method=method,
        path=path,
        answer=answer,
        form=form,
        query=frozenset(query.split()),
        takes_files=takes_files,
        for_bots=for_bots,
    )


class Trouble(StrEnum):
    """What goes wrong with a call."""

    LOSES_CALL = "loses_call"  #: the line breaks before Discord sees the call
    LOSES_ANSWER = "loses_answer"  #: Discord does it, and the line breaks
    STATUS = "status"  #: answered by a bare status such as 500, 502, 503; nothing is done
    RATE_LIMIT = "rate_limit"  #: 429 for this route
    GLOBAL_RATE_LIMIT = "global_rate_limit"  #: 429 for everything
    DELAY = "delay"  #: done, but late


@dataclass(eq=False, kw_only=True)
class Fault:
    """What goes wrong with the next calls that fit it."""

    trouble: Trouble
    method: str = "*"
    #: Matched against the route, as `/channels/{channel}/messages`; `*` is anything. Files are
    #: at `/attachments/*` and `/ephemeral-attachments/*`.
    route: str = "*"
    #: How many calls it hits; -1 is all of them.
    times: int = 1
    status: int = 500
    retry_after_s: float = 1.0
    delay_s: float = 0.0
    #: How many calls it has hit.
    hits: int = 0

    def takes(self, method: str, path: str) -> bool:
        """Whether it hits this call; it is counted if so."""
        if self.times == 0 or self.method not in ("*", method):
            return False
        if not fnmatch.fnmatchcase(path, self.route):
            return False
        self.times -= self.times > 0
        self.hits += 1
        return True


@dataclass(eq=False, kw_only=True)
class Bucket:
    """A rate limit: so many calls in so many seconds, for each channel, server or webhook."""

    method: str
    route: str
    calls: int
    per_s: float
    #: Calls left and when they renew, by the ids that count apart.
    windows: dict[str, tuple[int, float]] = field(default_factory=dict)

    def spend(self, major: str, now: float) -> tuple[bool, int, float]:
        """Count a call: whether it may go, how many are left, seconds until they renew."""
        left, renews_at = self.windows.get(major, (self.calls, now + self.per_s))
        if now >= renews_at:
            left, renews_at = self.calls, now + self.per_s
        allowed = left > 0
        self.windows[major] = (max(0, left - 1), renews_at)
        return allowed, max(0, left - 1), renews_at - now


def rate_limited(retry_after_s: float, *, everywhere: bool) -> Json:
    """The body of a 429."""
    return {
        "message": "You are being rate limited.",
        "retry_after": retry_after_s,
        "global": everywhere,
    }
