"""The wire: msgpack both ways. arq's own default is pickle, which runs what it reads."""

from typing import Any

import msgspec

from vivant.clips import Progress

# arq stores what a job raised next to its result; only its name is worth keeping.
_encoder = msgspec.msgpack.Encoder(enc_hook=lambda value: type(value).__name__)


def dumps(job: dict[str, Any]) -> bytes:
    """One arq job or result."""
    return _encoder.encode(job)


def loads(data: bytes) -> dict[str, Any]:
    """One arq job or result, as plain values."""
    return msgspec.msgpack.decode(data, type=dict[str, Any])


def progress_to_wire(progress: Progress) -> bytes:
    """One report of a render."""
    return _encoder.encode(progress)


def progress_from_wire(data: bytes) -> Progress:
    """One report of a render; raises `msgspec.ValidationError` when it is none."""
    return msgspec.msgpack.decode(data, type=Progress)
