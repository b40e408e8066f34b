"""Fat lines with round ends: what limbs, trunks and skulls are drawn with."""

import cv2
import numpy as np

from vivant.director.look.arrays import Plane, Point


def capsule(shape: tuple[int, int], start: Point, end: Point, radius: float) -> Plane:
    """Signed distance in pixels to a fat line from *start* to *end*: negative inside."""
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    along = (end - start).astype(np.float32)
    from_x, from_y = x - np.float32(start[0]), y - np.float32(start[1])
    length = float(along @ along) + 1e-6
    t = np.clip((from_x * along[0] + from_y * along[1]) / length, 0, 1)
    distance: Plane = cv2.magnitude(from_x - t * along[0], from_y - t * along[1]) - radius
    return distance
