"""The eyes: an upper lid that comes down over an eye that stays, and a gaze that wanders.

The skin between brow and lid is stretched over the eye. What it is stretched to is not the
dark crease but the skin around the eye, carried across it; else a closed eye is a grey patch.
"""

import cv2
import numpy as np

from vivant.director.look.arrays import Picture, Plane, Point, Points
from vivant.engine.puppet.curves import smooth, smooth_each

#: Less open than this share of its width, an eye is closed in the photo.
_ALREADY_CLOSED = 0.14

Eye = tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...]]


class Eyelids:
    """One eye."""

    def __init__(
        self, eye: Eye, points: Points, right: Point, down: Point, picture: Picture
    ) -> None:
        """*points* in pixels of *picture*, RGBA; *eye*: upper lid, lower lid, brow, cheek."""
        upper, lower, brow = (points[list(line)] for line in eye[:3])
        origin = (upper[0] + upper[-1]) / 2
        axes = np.stack([right, down], 1)
        upper, lower, brow = ((line - origin) @ axes for line in (upper, lower, brow))
        self._width = float(upper[-1, 0] - upper[0, 0])
        at = np.linspace(upper[0, 0], upper[-1, 0], 9)
        self._opening = float(
            (np.interp(at, *lower.T) - np.interp(at, *upper.T)).max() if self._width > 0 else 0
        )
        self.open = self._width >= 8 and self._opening / self._width >= _ALREADY_CLOSED
        if not self.open:
            return
        reach = 0.75 * self._width + 6
        left, top = np.maximum((origin - reach).astype(int), 0)
        far_right, bottom = np.minimum(
            (origin + reach).astype(int), (picture.shape[1], picture.shape[0])
        )
        self._box = np.s_[int(top) : int(bottom), int(left) : int(far_right)]
        y, x = np.mgrid[self._box].astype(np.float32)
        dx, dy = x - np.float32(origin[0]), y - np.float32(origin[1])
        self._across = dx * np.float32(right[0]) + dy * np.float32(right[1])
        self._along = dx * np.float32(down[0]) + dy * np.float32(down[1])
        self._column, self._row = x - np.float32(left), y - np.float32(top)
        self._right, self._down = right.astype(np.float32), down.astype(np.float32)
        self._draw_lines(upper, lower, brow)
        cheek = points[list(eye[3])].astype(int)
        cheek = np.clip(cheek, 0, np.array(picture.shape[1::-1]) - 1)
        tone = np.median(picture[cheek[:, 1], cheek[:, 0], :3].astype(np.float32), 0)
        self._closed = self._skin(picture[self._box][..., :3], tone)
        self._lash = self._lash_colour(picture[self._box][..., :3])

    def draw(self, picture: Picture, closed: float, gaze: Point) -> None:
        """Turn the eye by *gaze* (right, down; -1..1), then close it by *closed* (0..1)."""
        if not self.open:
            return
        patch = picture[self._box][..., :3]
        if float(np.abs(gaze).max()) > 1e-3:
            self._look(patch, gaze)
        if closed > 0.01:
            self._close(patch, closed)

    def _draw_lines(self, upper: Points, lower: Points, brow: Points) -> None:
        """The lids' and the brow's heights at every pixel's column."""
        first, last = float(upper[0, 0]), float(upper[-1, 0])
        width = self._width
        places = np.linspace(first - 0.3 * width, last + 0.3 * width, 160)
        upper_line = _calm(np.interp(places, *upper.T))
        lower_line = _calm(np.interp(places, *lower.T))
        self._upper = _at(places, upper_line, self._across)
        self._lower = _at(places, lower_line, self._across)
        # Skin comes from the lower three quarters of the way up to the brow.
        under_brow = brow[:, 1] + 0.25 * (np.interp(brow[:, 0], places, upper_line) - brow[:, 1])
        top = _at(brow[:, 0], under_brow, self._across)
        self._top = np.minimum(top, self._upper - 0.175 * width)
        self._corners = smooth_each(self._across, first - 0.16 * width, first + 0.05 * width) * (
            1 - smooth_each(self._across, last - 0.05 * width, last + 0.16 * width)
        )
        self._lashes = 0.10 * self._opening + 1.6
        self._middle = (first + last) / 2
        off = np.clip((self._across - self._middle) / (0.5 * width), -1, 1)
        round_ = (1 - off**2) ** 2
        self._up_or_down = round_ * self._inside(0.5, 3.5)
        # The mesh draws eyes a little too narrow. Along a lid nothing is seen to move, so what
        # looks aside takes the lids' edges along rather than leave half of the iris behind.
        self._aside = round_ * self._inside(-2.5, 2.0)

    def _inside(self, start: float, full: float) -> Plane:
        """0 up to *start* pixels inside of both lids, 1 from *full* on."""
        above = smooth_each(self._along - self._upper, start, full)
        return above * smooth_each(self._lower - self._along, start, full)

    def _skin(self, patch: Picture, cheek: Plane) -> Plane:
        """The closed lid's colour: the skin around the eye, carried across it."""
        margin = self._lashes + 0.28 * self._opening
        eye = (
            (self._along > self._upper - margin)
            & (self._along < self._lower + margin)
            & (np.abs(self._across - self._middle) < 0.66 * self._width)
        )
        whole = cv2.inpaint(np.ascontiguousarray(patch), eye.astype(np.uint8), 3, cv2.INPAINT_TELEA)
        soft = cv2.GaussianBlur(whole, (0, 0), max(1.0, 0.06 * self._width))
        tone = 0.62 * soft + 0.38 * 0.94 * cheek
        # Round, and a little darker towards the lashes.
        off = np.clip((self._across - self._middle) / (0.62 * self._width), -1, 1)
        low = (self._along - self._upper) / self._opening
        shade = (0.955 + 0.05 * (1 - off**2)) * (1 - 0.07 * smooth_each(low, 0.2, 1.1))
        skin: Plane = (tone * shade[..., None]).astype(np.float32)
        return skin

    def _lash_colour(self, patch: Picture) -> Plane:
        """The dark of the eye's own upper edge."""
        eye = (self._along > self._upper - self._lashes) & (self._along < self._lower)
        eye &= np.abs(self._across - self._middle) < 0.4 * self._width
        pixels = patch[eye].astype(np.float32) if eye.any() else np.zeros((1, 3), np.float32)
        light = pixels.sum(1)
        colour: Plane = pixels[light <= np.percentile(light, 25)].mean(0)
        return colour

    def _lash_line(self, closed: float) -> Plane:
        """Where the lashes of a lid that is so far down lie, 0..1."""
        off = np.clip((self._across - self._middle) / (0.56 * self._width), -1, 1)
        thick = 0.085 * self._opening + 0.9
        down = self._lower + 0.06 * self._opening
        at = self._upper + (down - self._upper) * np.float32(closed)
        line = np.exp(-(((self._along - at) / thick) ** 2)) * np.sqrt(1 - off**2)
        drawn: Plane = 0.62 * smooth(closed, 0.35, 0.65) * line
        return drawn

    def _look(self, patch: Picture, gaze: Point) -> None:
        aside, down = np.array([0.14, 0.05], np.float32) * np.float32(self._width) * gaze
        aside, down = self._aside * np.float32(aside), self._up_or_down * np.float32(down)
        x = self._column - aside * self._right[0] - down * self._down[0]
        y = self._row - aside * self._right[1] - down * self._down[1]
        patch[...] = cv2.remap(
            np.ascontiguousarray(patch), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )

    def _close(self, patch: Picture, closed: float) -> None:
        # The mesh draws eyes a little too narrow: the lid goes on to where none of it shows.
        way = np.maximum(self._lower - self._upper + 0.34 * self._opening + 1.5, 0)
        way = way * self._corners * np.float32(closed)
        edge = self._upper + self._lashes + way
        t = np.clip((self._along - self._top) / (edge - self._top), 0, 1)
        # Monotone from [top, edge] to [top, upper lid], and of slope 1 at the top.
        back = np.where((self._along > edge) | (t <= 0), 0, -way * (t * t * (1.6 - 0.6 * t)))
        x = self._column + back * self._down[0]
        y = self._row + back * self._down[1]
        lid = cv2.remap(
            np.ascontiguousarray(patch), x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        ).astype(np.float32)
        lashes = 1 - smooth_each(self._along, edge - 1.7 * self._lashes, edge - 0.5 * self._lashes)
        bare = smooth_each(self._along, self._upper - 0.55 * self._opening, self._upper + 1.0)
        # The photo's own lashes ride on the lid a little; further down they, and what is left of
        # the iris beside them, would be a hard stump.
        shut = smooth(closed, 0.35, 0.65)
        tone = closed * bare * (lashes + (1 - lashes) * shut) * self._corners
        lid += (self._closed - lid) * tone[..., None]
        lid += (self._lash - lid) * self._lash_line(closed)[..., None]
        cover = 1 - smooth_each(self._along, edge - 1.4, edge + 1.4)
        cover = (cover * smooth_each(self._along, self._top - 2, self._top))[..., None]
        patch[...] = np.clip(patch * (1 - cover) + lid * cover, 0, 255)


def _calm(line: Points) -> Points:
    """Without the corners of a line's few points."""
    return np.convolve(np.pad(line, 3, "edge"), np.ones(7) / 7, "valid")


def _at(places: Points, heights: Points, across: Plane) -> Plane:
    at: Plane = np.interp(across, places, heights).astype(np.float32)
    return at
