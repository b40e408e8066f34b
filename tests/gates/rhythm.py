"""How strongly something swings at a pace: what tells a nod from a laugh."""

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]


def swing(series: Series, frame_rate: int, slowest_hz: float, fastest_hz: float) -> float:
    """The amplitude of the sine that has as much energy in the band as *series*.

    A drift (leaning, the camera's push) is taken out first, so that only what goes to and
    fro counts. *series* has one value a frame, in any unit; the answer has the same.
    """
    at = np.linspace(-1, 1, len(series))
    level = series - np.polyval(np.polyfit(at, series, 2), at)
    window = np.hanning(len(level))
    powers = np.abs(np.fft.rfft(level * window)) ** 2
    hz = np.fft.rfftfreq(len(level), 1 / frame_rate)
    band = (hz >= slowest_hz) & (hz <= fastest_hz)
    mean_square = 2 * powers[band].sum() / (len(level) * (window**2).sum())
    return float(np.sqrt(2 * mean_square))
