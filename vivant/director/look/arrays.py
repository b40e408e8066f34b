"""What the arrays of the puppet and its eyes mean.

OpenCV's stubs promise no element type, so these names document what they cannot check.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

#: uint8, height x width x 3 (RGB) or x 4 (RGBA).
Picture: TypeAlias = NDArray[Any]
#: float32, height x width; a mask or a matte lies in 0..1.
Plane: TypeAlias = NDArray[Any]
#: float32, height x width x 2: x and y, in pixels.
Field: TypeAlias = NDArray[Any]
#: float64, n x 2: x and y, in pixels of the picture that was looked at.
Points: TypeAlias = NDArray[Any]
#: float64, 2: one of them, or a direction.
Point: TypeAlias = NDArray[Any]
#: float64, 4: left, top, right, bottom, in pixels.
Rect: TypeAlias = NDArray[Any]
#: Whatever a network takes or gives.
Tensor: TypeAlias = NDArray[Any]


def point(x: float, y: float) -> Point:
    """A point, or a step to the right and down."""
    return np.array([x, y], np.float64)
