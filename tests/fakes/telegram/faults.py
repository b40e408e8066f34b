"""What goes wrong between a bot and Telegram, on demand."""

from __future__ import annotations

import math
import time
from collections import defaultdict, deque
from dataclasses import dataclass, field
from enum import StrEnum

from tests.fakes.telegram.refusals import too_many_requests


class FaultKind(StrEnum):
    """How a call is spoilt."""

    DROP_REPLY = "drop_reply"  #: the call is applied, the connection closed without a reply
    DROP_CALL = "drop_call"  #: the connection is closed and nothing was applied
    ERROR = "error"  #: an HTTP error of Telegram's own, nothing was applied
    FLOOD = "flood"  #: 429 with `retry_after`, nothing was applied
    DELAY = "delay"  #: the call is applied, the reply comes later


@dataclass
class Fault:
    """One thing that goes wrong, a number of times."""

    kind: FaultKind
    #: None spoils any method but getUpdates; "download" is the fetching of a file.
    method: str | None = None
    times: int = 1
    status: int = 502
    retry_after: int = 1
    delay_s: float = 1.0


@dataclass
class Faults:
    """The faults still to come."""

    coming: list[Fault] = field(default_factory=list[Fault])

    def add(
        self,
        kind: FaultKind,
        *,
        method: str | None = None,
        times: int = 1,
        status: int = 502,
        retry_after: int = 1,
        delay_s: float = 1.0,
    ) -> Fault:
        """Spoil the next *times* calls of *method*."""
        fault = Fault(FaultKind(kind), method, times, status, retry_after, delay_s)
        self.coming.append(fault)
        return fault

    def take(self, method: str) -> Fault | None:
        """The fault that this call meets, used up once more."""
        for fault in self.coming:
            if fault.method == method or (fault.method is None and method != "getUpdates"):
                fault.times -= 1
                if fault.times <= 0:
                    self.coming.remove(fault)
                return fault
        return None


@dataclass
class FloodLimits:
    """What https://core.telegram.org/bots/faq#my-bot-is-hitting-limits allows; edits count.

    The real limits are not as sharp as this; short bursts pass there.
    """

    overall_per_s: int = 30
    chat_per_s: int = 1
    group_per_min: int = 20
    #: The times of the calls that were let through, by what they count against.
    _passed: defaultdict[tuple[int, str], deque[float]] = field(
        default_factory=lambda: defaultdict(deque)
    )

    def check(self, bot_id: int, chat_id: int | str) -> None:
        """Let a send or an edit pass, or refuse it with 429."""
        now = time.monotonic()
        windows = [("all", self.overall_per_s, 1.0), (f"{chat_id}/s", self.chat_per_s, 1.0)]
        if str(chat_id).startswith(("-", "@")):  # a person's id is positive
            windows.append((f"{chat_id}/min", self.group_per_min, 60.0))
        for name, most, span_s in windows:
            passed = self._passed[bot_id, name]
            while passed and passed[0] <= now - span_s:
                passed.popleft()
            if len(passed) >= most:
                raise too_many_requests(max(1, math.ceil(passed[0] + span_s - now)))
        for name, _, _ in windows:
            self._passed[bot_id, name].append(now)
