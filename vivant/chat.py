"""The seam: what a platform tells us, and all it must do for us."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from vivant.clips import Clip, Note, ReplyTo, Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who asked, as their platform knows them."""

    id: str
    #: IETF tag of the language they read, "en" when the platform does not say.
    language: str = "en"
    #: May speak for the chat: an admin of the group, a moderator of the server.
    is_moderator: bool = False
    #: What the server calls them, as ids; none where a chat knows no roles.
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoMessage:
    """One photo and its words, from any platform."""

    #: The platform's own number of what happened; the same event is the same job.
    event_id: str
    reply_to: ReplyTo
    sender: Sender
    words: str
    photo: bytes
    #: The largest file that chat takes.
    limit_bytes: int
    wish: Wish = field(default_factory=Wish)
    #: Where the clip shall end, when the words lead "from … to …" between two photos.
    last_photo: bytes | None = None
    #: A message of ours that stands already and shall become the answer.
    status_message: str | None = None
    #: "All adults, and fine with it?" was answered with yes.
    has_consent: bool = False
    #: Buttons work there, so a question can be answered.
    can_ask: bool = True
    #: What the answer must say of how the photo was chosen.
    notes: tuple[Note, ...] = ()


class Verb(StrEnum):
    """What a button does; the owner of its target is checked on our side."""

    CANCEL = "cancel"  #: a job
    CHOOSE = "choose"  #: what shall happen in the photo of a draft
    CONSENT = "consent"  #: all adults, and fine with it: the draft goes on
    DROP = "drop"  #: the draft is forgotten
    CORRECT = "correct"  #: that is not what the words meant: the job becomes a draft again
    # Under a clip; each names its job.
    AGAIN = "again"  #: the same words, another performance
    CALMER = "calmer"
    STRONGER = "stronger"
    EDIT = "edit"  #: the same photo, other words
    LONGER = "longer"  #: on from the last picture
    LOOP = "loop"  #: there and back again, at no cost
    FILE = "file"  #: the clip as a file
    DELETE = "delete"
    REPORT = "report"  #: onto the operator's list
    #: A pack of clips: the target is how many, and the platform's own folder takes the money.
    BUY = "buy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """One button under a message of ours."""

    label: str
    verb: Verb
    #: The id of a job or a draft; of a pack, the number of its clips.
    target: str
    choice: str = ""

    @property
    def data(self) -> str:
        """What the platform carries for us: at most 64 bytes, no word of a person."""
        return f"{self.verb}:{self.target}:{self.choice}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """Somebody pressed a button."""

    #: The platform's own number of the press: pressed once, done once.
    event_id: str
    verb: Verb
    target: str
    choice: str
    sender: Sender
    reply_to: ReplyTo
    #: The message under which the button stands.
    message_id: str
    #: Where what the press asks for belongs; None: where the job of the button was asked for.
    answer_to: ReplyTo | None = None

    @staticmethod
    def read(data: str) -> tuple[Verb, str, str] | None:
        """Verb, target and choice of a button's data; None when it is none of ours."""
        verb, _, rest = data.partition(":")
        target, _, choice = rest.partition(":")
        if verb not in list(Verb) or not target:
            return None
        return Verb(verb), target, choice


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMessage:
    """Words that may belong to a photo which waits for them."""

    event_id: str
    reply_to: ReplyTo
    sender: Sender
    words: str
    #: The message of ours that they answer, if they answer one.
    answers: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Film:
    """The bytes of a clip, ready to be shown."""

    clip: Clip
    video: bytes
    thumbnail: bytes
    file_name: str
    #: The line under it.
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The final answer of a job: a clip with a line under it, or words alone."""

    text: str
    film: Film | None = None
    buttons: tuple[Button, ...] = ()


class ChatPlatform(Protocol):
    """Raises `PlatformError` and its kinds, and no exception of its library."""

    @property
    def name(self) -> str:
        """As in `ReplyTo.platform`."""
        ...

    @property
    def bot(self) -> str:
        """As in `ReplyTo.bot`: the account whose token this process holds."""
        ...

    @property
    def shows(self) -> frozenset[Verb]:
        """The buttons that it can show and answer."""
        ...

    def edit_every_s(self, to: ReplyTo) -> float:
        """How often that chat bears an edit, in seconds."""
        ...

    def moment(self, at: float, language: str = "en") -> str:
        """A time to come (seconds since 1970) as this platform shows it: "in about 40 s".

        `Messages(language).moment(at)` where its apps know no times of their own.
        """
        ...

    async def send_text(
        self, to: ReplyTo, text: str, *, buttons: tuple[Button, ...] = (), nonce: str | None = None
    ) -> str:
        """Reply in the thread with words; the id of the message.

        The same *nonce* twice is one message, where the platform knows how.
        """
        ...

    async def edit_text(
        self, to: ReplyTo, message_id: str, text: str, *, buttons: tuple[Button, ...] = ()
    ) -> None:
        """Change a message of ours. What it says already is success."""
        ...

    async def edit_into(self, to: ReplyTo, message_id: str, answer: Answer) -> None:
        """Turn a message of ours into the answer. Doing it twice shows it once.

        Raises `ClipRefused` where the chat takes no clip.
        """
        ...

    async def send_file(self, to: ReplyTo, film: Film) -> None:
        """Send the clip as a file, as it was made; raises `ClipRefused`."""
        ...

    async def remove(self, to: ReplyTo, message_id: str) -> None:
        """Delete a message of ours; one that is gone is success."""
        ...

    async def alone_with(self, user_id: str) -> ReplyTo | None:
        """Where *user_id* can be told something in private; None where nobody can."""
        ...
