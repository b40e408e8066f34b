"""What the parent and its worker process say to each other over one pipe.

Small messages are JSON; pictures and sound follow as plain bytes, so that nothing is pickled
and a clip is not copied once more than it must be. Knows no torch and no queue.
"""

import json
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from vivant.engine import Sound


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """Make one clip. One message of RGB bytes, height x width x 3, follows for each photo."""

    prompt: str
    negative_prompt: str
    seed: int
    width: int
    height: int
    num_frames: int
    frame_rate: int
    #: 1, or 2 when the second photo is where the clip shall end.
    photos: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """End the running render at its next step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The weights are loaded; what this pipeline can make, read from its parts."""

    pipeline: str
    #: The card and the libraries, by name and version: what it cannot do depends on them.
    made_on: str
    frame_rate: int
    num_frames: int
    frame_stride: int
    size_multiple: int
    #: [width, height]: the only ones that it makes; none: any.
    sizes: list[list[int]]
    has_sound: bool
    takes_last_photo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step is done."""

    step: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Alive:
    """Work goes on inside a step; it feeds the watchdog and nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A clip is finished. One message of bytes for each frame follows, then one of sound."""

    num_frames: int
    width: int
    height: int
    #: 0 channels: there is no sound, and no message for it.
    channels: int
    sample_rate: int
    #: Times that a denoiser ran; equal to the steps unless guidance asks for more.
    passes: int
    #: The memory was short, so that the VAE worked in tiles.
    tiled: bool
    #: Most memory that the render took on the card, in bytes; 0 on a CPU.
    peak_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Take:
    """One rendered clip; it travels as `Made` and the bytes after it."""

    #: num_frames x height x width x 3.
    pictures: NDArray[np.uint8]
    sound: Sound | None
    passes: int
    tiled: bool
    peak_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The render ended because it was told to; the pipeline is as good as new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """There is no clip."""

    #: "memory": too little of it. "error": this render only. "broken": the card or the
    #: process is of no use any more, and it ends. "unusable": the weights cannot be loaded.
    kind: Literal["memory", "error", "broken", "unusable"]
    text: str


Message = Render | Stop | Ready | Step | Alive | Made | Stopped | Failed

_KINDS: dict[str, type[Message]] = {
    kind.__name__: kind for kind in (Render, Stop, Ready, Step, Alive, Made, Stopped, Failed)
}


def send(line: Connection, message: Message) -> None:
    """Say *message*; raises `OSError` when nobody is at the other end."""
    line.send_bytes(json.dumps([type(message).__name__, asdict(message)]).encode())


def receive(line: Connection) -> Message:
    """Wait for the next message; raises `EOFError` or `OSError` when the other end is gone."""
    kind, facts = json.loads(line.recv_bytes())
    return _KINDS[kind](**facts)


def send_take(line: Connection, take: Take) -> None:
    """Say `Made`, and hand the clip over."""
    frames, height, width, _ = take.pictures.shape
    send(
        line,
        Made(
            num_frames=frames,
            width=width,
            height=height,
            channels=take.sound.channels if take.sound else 0,
            sample_rate=take.sound.sample_rate if take.sound else 0,
            passes=take.passes,
            tiled=take.tiled,
            peak_bytes=take.peak_bytes,
        ),
    )
    for picture in take.pictures:
        line.send_bytes(picture.reshape(-1).data)
    if take.sound:
        line.send_bytes(take.sound.samples)


def receive_take(line: Connection, made: Made, limit_s: float) -> Take:
    """Fetch the clip that follows *made*; raises as `receive`, and when nothing comes."""
    pictures = np.empty((made.num_frames, made.height, made.width, 3), np.uint8)
    for picture in pictures:
        if not line.poll(limit_s):
            raise EOFError("the frames stopped coming")
        line.recv_bytes_into(picture.reshape(-1).data)
    sound = None
    if made.channels:
        sound = Sound(
            samples=line.recv_bytes(), channels=made.channels, sample_rate=made.sample_rate
        )
    return Take(
        pictures=pictures,
        sound=sound,
        passes=made.passes,
        tiled=made.tiled,
        peak_bytes=made.peak_bytes,
    )


class Trouble(Exception):
    """Ends a render, or the loading, in the words that the parent is told."""

    def __init__(self, failed: Failed) -> None:
        super().__init__(failed.text)
        self.failed = failed
