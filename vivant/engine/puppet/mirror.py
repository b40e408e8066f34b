"""A hole's surroundings, mirrored into it at its edge: lines and texture go on without a seam."""

import cv2
import numpy as np

from vivant.director.look.arrays import Picture, Plane
from vivant.engine.puppet.curves import smooth_each

#: Shares of the longer side: how far a mirror's bends are smoothed, and how softly it ends.
_CALM, _SOFT = 0.02, 0.008
#: Where the ways to the edge point so far apart, two mirrors meet and neither is to be believed.
_APART, _TOGETHER = 0.4, 0.75


def mirrored(picture: Picture, hole: Plane) -> tuple[Plane, Plane]:
    """What lies as far beyond the nearest edge of *hole* as each pixel lies within it.

    And how much that is to be believed, 0..1: nowhere outside of *hole*, beyond the picture, or
    where the other side's mirror begins.
    """
    height, width = hole.shape
    across = max(hole.shape)
    way, agreed = _to_the_edge(hole)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    from_x, from_y = x + 2 * way[..., 0], y + 2 * way[..., 1]
    copied = cv2.remap(picture, from_x, from_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    missing = cv2.remap(
        hole.astype(np.float32), from_x, from_y, cv2.INTER_LINEAR, borderValue=(1.0,)
    )
    seen = np.where(hole > 0, (missing < 0.01) & (agreed > _APART), True).astype(np.float32)
    seen = np.clip(2 * cv2.GaussianBlur(seen, (0, 0), _SOFT * across) - 1, 0, 1)
    belief: Plane = seen * smooth_each(agreed, _APART, _TOGETHER) * (hole > 0)
    return copied.astype(np.float32), belief


def _to_the_edge(hole: Plane) -> tuple[Plane, Plane]:
    """From each pixel of *hole* to its edge, in pixels; and how far neighbours' ways agree."""
    height, width = hole.shape
    depth, labels = cv2.distanceTransformWithLabels(
        hole, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    places = np.dstack(np.meshgrid(np.arange(width), np.arange(height))).astype(np.float32)
    edges = np.zeros((int(labels.max()) + 1, 2), np.float32)
    known = hole == 0
    edges[labels[known]] = places[known]
    way = edges[labels] - places
    # A ragged edge would break every line; its direction is smoothed, its distance stays.
    spread = (0, 0), _CALM * max(hole.shape)
    inside = np.maximum(cv2.GaussianBlur(hole.astype(np.float32), *spread), 1e-3)
    depths = np.maximum(cv2.GaussianBlur(depth, *spread) / inside, 1e-3)
    smoothed = cv2.GaussianBlur(way, *spread) / inside[..., None]
    length = np.hypot(smoothed[..., 0], smoothed[..., 1])
    agreed = length / depths
    return smoothed * (depth / np.maximum(length, 1e-3))[..., None], agreed
