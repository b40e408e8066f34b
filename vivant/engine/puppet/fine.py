"""The finer picture that warps read from: twice the photo, with its own pixels untouched.

Reading it by two neighbours each way looks as sharp as reading the photo by four, and takes a
third of the time (1.0 against 4.7 ms for 648 x 648 RGBA on one core).
"""

import cv2
import numpy as np

from vivant.director.look.arrays import Field, Picture

#: Pixel x of the photo is pixel FINE * x of the finer picture.
FINE = 2


def finer(picture: Picture) -> Picture:
    """*picture* at twice the size; every second pixel is one of its own, exactly."""
    height, width = picture.shape[:2]
    x, y = np.meshgrid(
        np.arange(width * FINE, dtype=np.float32) / FINE,
        np.arange(height * FINE, dtype=np.float32) / FINE,
    )
    return cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def read(picture: Picture, where: Field) -> Picture:
    """*picture* at *where* (its own pixels), between its four nearest."""
    # OpenCV's stubs do not know that the first map can hold both x and y.
    pixels: Picture = cv2.remap(  # type: ignore[call-overload]
        picture, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return pixels


def places(offset: Field) -> Field:
    """*offset* (from each pixel of a picture to where it reads) as places; changes *offset*."""
    offset[..., 0] += np.arange(offset.shape[1], dtype=np.float32)
    offset[..., 1] += np.arange(offset.shape[0], dtype=np.float32)[:, None]
    return offset


def opaque(picture: Picture) -> Picture:
    """RGB with a full alpha: OpenCV is faster on four channels than on three."""
    return np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
