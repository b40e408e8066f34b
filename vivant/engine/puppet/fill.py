"""What people hide: the background behind them, made up from the background around them.

Before a calm background, structure is continued by inpainting near the edge, and further in
patches of the photo are copied from where their surroundings match (PatchMatch). Inpainting
alone smears, patches alone show the outline. Of a busy background patches make a puzzle, so it
is mirrored at the edge as far as that reaches.
"""

import cv2
import numpy as np

from vivant.director.look.arrays import Picture, Plane
from vivant.engine.puppet.curves import smooth_each
from vivant.engine.puppet.mirror import mirrored
from vivant.engine.puppet.patches import Patches

#: Nearer to its edge than this share of the longer side, a hole is continued, not patched.
_DEEP = 0.02
#: Mean slope (Sobel, of 255) around a hole, up to which it is calm, and from which it is busy.
_CALM, _BUSY = 12.0, 18.0


def filled(picture: Picture, hole: Plane, shown: Plane) -> Picture:
    """*picture* with *hole* made up: well where it will be *shown*, and a soft guess elsewhere."""
    if not hole.any():
        return picture.copy()
    across = max(hole.shape)
    # Fringes of hair just outside would be smeared all over the inside.
    unsure = cv2.dilate(hole, _disc(0.005 * across))
    made = _continued(picture, unsure, shown).astype(np.float32)
    busy = _busy(picture, unsure)
    mirror, belief = mirrored(picture, unsure)
    belief *= busy
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)
    deep = ((depth > _DEEP * across) & (shown > 0) & (belief < 0.99)).astype(np.uint8)
    deep = cv2.dilate(deep, _disc(0.03 * across))
    if deep.any():
        patches = Patches(picture, unsure, shown * deep).filled().astype(np.float32)
        # What was found elsewhere gives texture and edges. Before a calm background its light
        # must fit the surroundings; before a busy one that would wash its edges out.
        off = cv2.GaussianBlur(patches - made, (0, 0), 0.02 * across)
        patches -= off * (smooth_each(np.abs(off).max(-1), 10, 35) * (1 - busy))[..., None]
        calm_share = smooth_each(depth, 0.006 * across, 0.035 * across)
        busy_share = smooth_each(depth, 0.006 * across, 0.022 * across)
        share = calm_share + (busy_share - calm_share) * busy
        made += (patches - made) * share[..., None]
    made += _step_at_the_edge(picture, made, hole, unsure)
    made += _grain(picture, hole)[..., None]
    made += (mirror - made) * belief[..., None]
    whole: Picture = np.where(hole[..., None] > 0, np.clip(made, 0, 255), picture).astype(np.uint8)
    return whole


def nearest(picture: Picture, gone: Plane) -> Picture:
    """Every pixel in the colour of the nearest one that is not *gone*, softened."""
    _, labels = cv2.distanceTransformWithLabels(
        gone, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((int(labels.max()) + 1, 3), np.uint8)
    known = gone == 0
    colours[labels[known]] = picture[known]
    spread: Picture = colours[labels]
    return cv2.GaussianBlur(spread, (0, 0), 3)


def _busy(picture: Picture, gone: Plane) -> Plane:
    """How much goes on around each pixel among those that are not *gone*: 0 calm, 1 busy."""
    across = max(gone.shape)
    grey: Plane = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey = cv2.GaussianBlur(grey, (0, 0), 1.5)
    slope = cv2.magnitude(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1))
    known = 1 - cv2.dilate(gone, _disc(0.004 * across)).astype(np.float32)
    spread = 0.05 * across
    around = _blurred(slope * known, spread) / np.maximum(_blurred(known, spread), 1e-4)
    busy: Plane = smooth_each(around, _CALM, _BUSY)
    return busy


def _blurred(plane: Plane, spread: float) -> Plane:
    """A wide blur, worked out on a smaller picture."""
    small = cv2.resize(plane, None, fx=1 / 4, fy=1 / 4, interpolation=cv2.INTER_AREA)
    wide = cv2.GaussianBlur(small, (0, 0), spread / 4)
    return cv2.resize(wide, plane.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _step_at_the_edge(picture: Picture, made: Plane, hole: Plane, unsure: Plane) -> Plane:
    """What must be added inside so that the edge of the hole does not show: fading inwards.

    The ring between *hole* and *unsure* is both known and made up, so the difference is known.
    """
    across = max(hole.shape)
    ring = ((unsure > 0) & (hole == 0)).astype(np.float32)
    spread = (0, 0), 0.006 * across
    step = cv2.GaussianBlur((picture - made) * ring[..., None], *spread)
    step /= np.maximum(cv2.GaussianBlur(ring, *spread), 1e-3)[..., None]
    depth, labels = cv2.distanceTransformWithLabels(
        hole, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    nearest = np.zeros((int(labels.max()) + 1, 3), np.float32)
    known = hole == 0
    nearest[labels[known]] = step[known]
    inside: Plane = cv2.GaussianBlur(nearest[labels], (0, 0), 2)
    # A larger step is a real edge of the background that ends behind somebody.
    inside = np.clip(inside, -60, 60)
    inside *= (1 - smooth_each(depth, 0, 0.025 * across))[..., None]
    return inside


def _disc(radius: float) -> Plane:
    size = 2 * round(radius) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))


def _continued(picture: Picture, hole: Plane, shown: Plane) -> Picture:
    height, width = hole.shape
    small = (width // 3, height // 3)
    little = cv2.resize(picture, small, interpolation=cv2.INTER_AREA)
    gone = cv2.resize(hole.astype(np.uint8), small, interpolation=cv2.INTER_NEAREST)
    gone = cv2.dilate(gone, np.ones((3, 3), np.uint8))
    depth = cv2.distanceTransform(gone, cv2.DIST_L2, 3)
    wanted = cv2.resize(shown.astype(np.uint8), small, interpolation=cv2.INTER_NEAREST) > 0
    edge = (gone > 0) & (wanted | (depth < 4)) & (depth < 0.10 * max(small))
    deep = (gone > 0) & ~edge
    # Telea goes on from both sides of the edge, so the inside must look like the outside.
    little = np.where(deep[..., None], nearest(little, gone), little)
    little = cv2.inpaint(little, edge.astype(np.uint8), 4, cv2.INPAINT_TELEA)
    return cv2.resize(little, (width, height), interpolation=cv2.INTER_CUBIC)


def _grain(picture: Picture, hole: Plane) -> Plane:
    """The photo's own noise, so that what was made up does not look like plastic."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    noise = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), 1.5))[hole == 0]
    level = min(4.0, float(np.median(noise))) if len(noise) else 0.0
    grain: Plane = np.random.default_rng(3).standard_normal(hole.shape).astype(np.float32) * level
    return grain
