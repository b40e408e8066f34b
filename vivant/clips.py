"""The nouns of the service: what is asked for, what is made, and how it can end.

Nothing here does I/O, and nothing here knows a chat platform, Redis, SQL or torch.
"""

import math
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplyTo:
    """Where an answer belongs. Only the platform that made it reads the ids."""

    platform: str
    #: The account that was asked; only the process that holds its token can answer.
    bot: str
    chat_id: str
    #: The message that asked; the answer is a reply to it.
    message_id: str | None = None
    thread_id: str | None = None
    #: A short-lived right to answer this one event (Discord's interaction token).
    token: str | None = None
    #: The server that the chat is a room of; None where the chat stands for itself.
    server_id: str | None = None

    def is_same_house(self, other: "ReplyTo") -> bool:
        """Whether both are in one chat, or one server, of one bot."""
        mine = (self.platform, self.bot, self.house_id)
        return mine == (other.platform, other.bot, other.house_id)

    @property
    def house_id(self) -> str:
        """Whose rules hold there: the server's, or the chat's own."""
        return self.server_id or self.chat_id


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRef:
    """A stored photo or clip; `MediaStore` turns it back into bytes."""

    key: str
    media_type: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the sender chose besides the words; None leaves it to the engine."""

    #: 1 is as directed, below is calmer, above is stronger.
    strength: float = 1.0
    duration_s: float | None = None
    #: "Again" takes a new one; the same seed is the same performance.
    seed: int | None = None
    #: The last frame leads back into the first.
    loop: bool = False


class Work(StrEnum):
    """What a job asks of an engine's process."""

    RENDER = "render"  #: a photo becomes a clip
    EXTEND = "extend"  #: a clip goes on from its last frame
    LOOP = "loop"  #: a clip there and back again; the engine itself rests

    @property
    def cost(self) -> int:
        """Clips it takes from the sender's credit."""
        return 0 if self is Work.LOOP else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipSettings:
    """What will be rendered, snapped to what the engine can make, in diffusers' own words."""

    width: int
    height: int
    num_frames: int
    frame_rate: int
    seed: int = 0
    strength: float = 1.0
    loop: bool = False

    @property
    def duration_s(self) -> float:
        """How long the clip plays."""
        return self.num_frames / self.frame_rate


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineProfile:
    """What one engine can make, as data: bots snap a wish to it without any engine code."""

    #: As in `VIVANT_ENGINE`: "puppet", a preset's name, or a directory's.
    name: str
    frame_rate: int
    default_num_frames: int
    max_num_frames: int
    #: Lengths are k * `frame_stride` + 1 frames; 1 takes any length.
    frame_stride: int = 1
    #: Width and height are multiples of this.
    size_multiple: int = 2
    #: Pixels of a clip that keeps the photo's own shape; unused where `buckets` says more.
    area: int = 420_000
    #: The only sizes (width, height) it makes; the nearest in aspect is taken.
    buckets: tuple[tuple[int, int], ...] = ()
    has_sound: bool = False
    #: Can be led from a first photo to a last one.
    takes_last_photo: bool = False

    def settings_for(self, width: int, height: int, wish: Wish) -> ClipSettings:
        """Snap *wish* for a photo of *width* x *height* pixels."""
        clip_width, clip_height = self._size(width, height)
        asked = self.default_num_frames
        if wish.duration_s is not None:
            asked = round(wish.duration_s * self.frame_rate)
        asked = max(self.frame_stride + 1, min(asked, self.max_num_frames))
        return ClipSettings(
            width=clip_width,
            height=clip_height,
            num_frames=(asked - 1) // self.frame_stride * self.frame_stride + 1,
            frame_rate=self.frame_rate,
            seed=wish.seed or 0,
            strength=wish.strength,
            loop=wish.loop,
        )

    def _size(self, width: int, height: int) -> tuple[int, int]:
        aspect = width / height
        if self.buckets:
            return min(self.buckets, key=lambda size: abs(math.log(size[0] / size[1] / aspect)))
        scale = math.sqrt(self.area / (width * height))
        step = self.size_multiple
        return max(step, round(width * scale / step) * step), max(
            step, round(height * scale / step) * step
        )


class Note(StrEnum):
    """A truth about the answer that the person is told in one line; `messages` words each."""

    #: The photo was an animation; its first picture was taken.
    FIRST_FRAME_ONLY = "first_frame_only"
    #: The photos came as an album with one set of words; the first one was taken.
    FIRST_OF_ALBUM = "first_of_album"
    #: The words asked for nothing this engine can act out; a calm living photo was made.
    CALM_INSTEAD = "calm_instead"
    #: Arms lean in but cannot wrap around anybody.
    ARMS_CANNOT_WRAP = "arms_cannot_wrap"
    #: They lean towards each other but stand too far apart to touch.
    TOO_FAR_TO_TOUCH = "too_far_to_touch"
    #: Faces stay as the photo shows them, so lips do not meet.
    FACES_CANNOT_TURN = "faces_cannot_turn"
    #: No hand is raised and free; a friendly tilt was made.
    NO_FREE_HAND = "no_free_hand"
    #: The arm lies on the body or in a sleeve; chest and shoulders act instead.
    NO_FREE_ARM = "no_free_arm"
    #: Steps and turns cannot be made; a gentle sway was.
    NO_STEPS = "no_steps"
    #: An open mouth cannot purse; eyes and lean act instead.
    OPEN_MOUTH = "open_mouth"
    #: A crowd: only the largest people move.
    CROWD = "crowd"
    #: Not asked for by the photo: nobody was found to act, so the camera moves.
    NOBODY_FOUND = "nobody_found"
    #: The card's memory asked for a shorter clip.
    FEWER_FRAMES = "fewer_frames"
    #: The card's memory asked for a smaller picture.
    SMALLER_PICTURE = "smaller_picture"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A finished clip, stored."""

    video: MediaRef
    width: int
    height: int
    duration_s: float
    has_sound: bool
    thumbnail: MediaRef
    notes: tuple[Note, ...] = ()


class RenderStage(StrEnum):
    """Where a running job is."""

    PREPARING = "preparing"  #: fetching and decoding the photo
    RENDERING = "rendering"  #: the only stage that counts steps
    ENCODING = "encoding"  #: frames to mp4, and storing it


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far one render has come; lossy, newest wins."""

    job_id: str
    stage: RenderStage
    step: int
    total_steps: int


class JobState(StrEnum):
    """Where a job is; `ledger.jobs` holds every arrow between them."""

    QUEUED = "queued"  #: accepted, paid for, waiting for an engine
    RENDERING = "rendering"  #: leased by one engine worker
    READY = "ready"  #: an answer exists, clip or error, and waits for its bot
    SENDING = "sending"  #: leased by the bot that owns the token
    DONE = "done"  #: the platform confirmed the answer
    UNDELIVERABLE = "undeliverable"  #: the platform will never take it


class RefusalReason(StrEnum):
    """Why nothing was queued and nothing charged; said at once."""

    NO_PHOTO = "no_photo"
    EMPTY_IMAGE = "empty_image"
    UNSUPPORTED_FORMAT = "unsupported_format"
    NEEDS_HEIC = "needs_heic"
    CORRUPT_IMAGE = "corrupt_image"
    TOO_MANY_PIXELS = "too_many_pixels"
    TOO_BIG = "too_big"
    TOO_SMALL = "too_small"
    BAD_ASPECT = "bad_aspect"
    CAPTION_TOO_LONG = "caption_too_long"
    NO_CREDIT = "no_credit"
    NOT_ALLOWED = "not_allowed"
    TOO_MANY_OPEN = "too_many_open"
    TOO_FAST = "too_fast"
    TOO_MANY_TODAY = "too_many_today"
    POLICY = "policy"
    #: The photo cannot carry the action: a hug of one. The refusal says what can.
    CANNOT_BE = "cannot_be"
    #: A kiss between people: "All adults, and fine with it?" was not answered yet.
    NEEDS_CONSENT = "needs_consent"
    #: The photo and the clip were forgotten after the stated time.
    FORGOTTEN = "forgotten"
    #: The operator is taking nothing new just now.
    DRAINING = "draining"


class FailureReason(StrEnum):
    """Why an accepted job ended in words and a refund instead of a clip."""

    RENDER_FAILED = "render_failed"
    OUT_OF_MEMORY = "out_of_memory"
    CLIP_REJECTED = "clip_rejected"
    PHOTO_GONE = "photo_gone"
    TOO_LATE = "too_late"
    CANCELLED = "cancelled"
    CLIP_TOO_LARGE = "clip_too_large"
    CLIP_FORBIDDEN = "clip_forbidden"
