"""One job: what was ordered, and where it stands. Data only; `ledger.jobs` moves it."""

from dataclasses import dataclass

from vivant.clips import (
    Clip,
    ClipSettings,
    FailureReason,
    JobState,
    MediaRef,
    Note,
    ReplyTo,
    Wish,
    Work,
)
from vivant.director.plan import Plan
from vivant.director.sight import Sight

#: The engine of a job that was accepted while none was known: any worker may take it.
ANY_ENGINE = "any"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One photo and its plan, looked at and allowed, not yet paid for."""

    #: Keyed hash of the asking event: the same event is the same job.
    key: str
    #: "platform:user id": whose credit it is.
    owner: str
    reply_to: ReplyTo
    language: str
    plan: Plan
    photo: MediaRef
    photo_width: int
    photo_height: int
    #: None where nobody looked.
    sight: Sight | None
    wish: Wish
    settings: ClipSettings
    engine: str
    #: The largest file that chat takes.
    limit_bytes: int
    notes: tuple[Note, ...] = ()
    work: Work = Work.RENDER
    #: The clip that is extended or looped; a copy of its own, like the photo.
    source_clip: MediaRef | None = None
    #: Where the clip shall end, for an engine that can be led there.
    last_photo: MediaRef | None = None
    #: "All adults, and fine with it?" was answered with yes for this photo.
    has_consent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One row of the ledger, as read at one moment."""

    id: str
    state: JobState
    #: Only rises; a transition names the one it holds.
    attempt: int
    failures: int
    owner: str
    #: None after the purge, like `plan` and `photo`.
    reply_to: ReplyTo | None
    language: str
    plan: Plan | None
    photo: MediaRef | None
    photo_width: int
    photo_height: int
    sight: Sight | None
    wish: Wish
    settings: ClipSettings
    engine: str
    limit_bytes: int
    notes: tuple[Note, ...]
    work: Work
    source_clip: MediaRef | None
    last_photo: MediaRef | None
    clip: Clip | None
    failure: FailureReason | None
    #: The bot's own "on it" message, which becomes the clip.
    status_message: str | None
    #: Short lines sent so far.
    lines: int
    #: The short line that becomes the clip instead.
    line_message: str | None
    delivery_tries: int
    created_at_ms: int
    claimed_at_ms: int | None
    ready_at_ms: int | None
    ended_at_ms: int | None
    #: Seconds of each stage, for `--json` and for expected times.
    stages: dict[str, float]

    @property
    def is_over(self) -> bool:
        """Whether the platform has the answer, or never will."""
        return self.state in (JobState.DONE, JobState.UNDELIVERABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one person may ask for; the operator's settings."""

    free_clips_per_day: int
    max_open_jobs: int
    max_renders_per_day: int
    max_requests_per_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a waiting job stands."""

    #: Jobs that will be claimed or finished before it.
    ahead: int
    #: From measured renders; None while nothing was measured or no engine is alive.
    expected_s: float | None
    engine_alive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """What a person has left."""

    free: int
    paid: int
    reserved: int
    #: When the free clips renew: 00:00 UTC, seconds since 1970.
    renews_at: int
