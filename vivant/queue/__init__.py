"""The bell and the radio: wake-ups through arq, progress by publish and subscribe.

The only folder that knows arq and Redis. Nothing here is the truth: a wiped Redis loses
nothing, since a bell carries no work and the ledger holds every job.
"""

from vivant.queue.bell import RENDER, Bells, delivery, open_bells
from vivant.queue.progress import STOPS, Radio, hearing_progress, listening
from vivant.queue.worker import Hearing, hearing

__all__ = [
    "RENDER",
    "STOPS",
    "Bells",
    "Hearing",
    "Radio",
    "delivery",
    "hearing",
    "hearing_progress",
    "listening",
    "open_bells",
]
