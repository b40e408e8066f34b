"""What an engine is. Importing this package never imports torch, OpenCV or numpy."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from PIL import Image

from vivant.clips import ClipSettings, EngineProfile, Note
from vivant.director.plan import Plan
from vivant.director.sight import Sight

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


#: Called after every step with (step, total); raises `RenderStopped` to end the render.
OnStep = Callable[[int, int], None]


class RenderStopped(BaseException):
    """Nobody waits for this clip any more: cancelled, or the lease is lost.

    A `BaseException`, so that no library's `except Exception` on the way swallows it.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """What the family made beside the frames."""

    #: Interleaved 16-bit samples.
    samples: bytes
    channels: int
    sample_rate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """The pictures of one clip, and how fast to show them.

    An engine that draws as it goes hands out an iterator: the encoder's pull does the work,
    no clip lies in memory as a whole, and `RenderStopped` comes out of the iteration.
    """

    #: RGB, each height x width x 3.
    pictures: "Iterable[NDArray[np.uint8]]"
    width: int
    height: int
    num_frames: int
    frame_rate: int
    sound: Sound | None = None
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """All that an engine is told."""

    #: RGB, upright, any size; the engine fits it to `settings` and never stretches it.
    photo: Image.Image
    plan: Plan
    settings: ClipSettings
    #: Who was seen in the photo; None where nobody looked.
    sight: Sight | None = None
    #: Where the clip shall end, for an engine whose profile takes it.
    last_photo: Image.Image | None = None


class Engine(Protocol):
    """Loads once, then renders; both are called on a thread, never on the event loop."""

    @property
    def profile(self) -> EngineProfile:
        """What it can make; known before `setup` for all but a plain directory."""
        ...

    def setup(self) -> None:
        """Load the weights; called once, before the first render."""
        ...

    def render(self, shot: Shot, on_step: OnStep) -> Frames:
        """Bring the photo to life.

        Raises `RenderStopped` when *on_step* says so, `RenderError` when there is no clip.
        """
        ...

    def close(self) -> None:
        """Let go of memory and processes."""
        ...
