"""What people hide: the background behind them, made up from the background around them.

Near the edge, structure is continued by inpainting; further in, patches of the photo are
copied from where their surroundings match (PatchMatch). Inpainting alone smears, patches
alone show the outline.
"""

import cv2
import numpy as np

from vivant.director.look.arrays import Picture, Plane, Tensor
from vivant.engine.puppet.curves import smooth_each

#: Patches are found on a picture of this many pixels across.
_WORK = 200
#: A patch reaches so many pixels to each side.
_PATCH = 3
_LEVELS = 4
#: From level to level, from coarse to fine.
_GROWTH = 1.6
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
    depth = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)
    deep = ((depth > _DEEP * across) & (shown > 0)).astype(np.uint8)
    deep = cv2.dilate(deep, _disc(0.03 * across))
    if deep.any():
        patches = _Patches(picture, unsure, shown * deep).filled().astype(np.float32)
        busy = _busy(picture, unsure)
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


class _Patches:
    """Fills a hole with patches of the rest, from coarse to fine."""

    def __init__(self, picture: Picture, hole: Plane, shown: Plane) -> None:
        self._picture = picture
        self._hole = hole.astype(np.float32)
        self._shown = shown.astype(np.float32)
        self._rng = np.random.default_rng(0)

    def filled(self) -> Picture:
        height, width = self._hole.shape
        scale = _WORK / max(height, width)
        guess: Plane | None = None
        move: Tensor = np.zeros((1, 1, 2), np.int64)
        for level in range(_LEVELS - 1, -1, -1):
            size = (
                max(24, round(width * scale / _GROWTH**level)),
                max(24, round(height * scale / _GROWTH**level)),
            )
            looks = 2 if level == 0 else 4 if level >= _LEVELS - 2 else 3
            improved = self._level(size, guess, move, looks)
            if improved is None:
                return self._picture
            guess, move = improved
        return self._picture if guess is None else self._at_full_size(guess, move)

    def _level(
        self, size: tuple[int, int], guess: Plane | None, move: Tensor, looks: int
    ) -> tuple[Plane, Tensor] | None:
        small = cv2.resize(self._picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        gone = cv2.resize(self._hole, size, interpolation=cv2.INTER_AREA) > 0.02
        wanted = gone & (cv2.resize(self._shown, size, interpolation=cv2.INTER_AREA) > 0.02)
        around = np.ones((2 * _PATCH + 1, 2 * _PATCH + 1), np.uint8)
        usable = cv2.dilate(gone.astype(np.uint8), around) == 0
        usable = usable if usable.sum() >= 50 else ~gone
        points, sources = np.argwhere(wanted), np.argwhere(usable)
        if not len(points) or not len(sources):
            return None
        if guess is None:
            estimate = cv2.inpaint(
                small.astype(np.uint8), gone.astype(np.uint8), 3, cv2.INPAINT_TELEA
            ).astype(np.float32)
            found = sources[self._rng.integers(len(sources), size=len(points))]
        else:
            larger = cv2.resize(guess, size, interpolation=cv2.INTER_CUBIC)
            estimate = np.where(gone[..., None], larger, small)
            found = self._carried_over(points, move, size)
            lost = ~usable[found[:, 0], found[:, 1]]
            found[lost] = sources[self._rng.integers(len(sources), size=int(lost.sum()))]
        match = _Match(usable, points, found, self._rng)
        for look in range(looks):
            match.improve(estimate, rounds=2 if look == 0 else 1)
            voted = match.vote(small)
            estimate = np.where(wanted[..., None], voted, estimate)
        move = np.zeros((size[1], size[0], 2), np.int64)
        move[points[:, 0], points[:, 1]] = match.found - points
        return estimate, move

    def _carried_over(self, points: Tensor, move: Tensor, size: tuple[int, int]) -> Tensor:
        """The coarser level's finds, at this level."""
        before = np.array(move.shape[:2])
        now = np.array([size[1], size[0]])
        at = np.minimum(points * before // now, before - 1)
        grown = points + move[at[:, 0], at[:, 1]] * now / before
        carried: Tensor = np.clip(grown, 0, now - 1).astype(int)
        return carried

    def _at_full_size(self, guess: Plane, move: Tensor) -> Picture:
        """The smooth estimate, with the detail of the real pixels it was copied from."""
        height, width = self._hole.shape
        smooth = cv2.resize(guess, (width, height), interpolation=cv2.INTER_CUBIC)
        grow = np.array([height / move.shape[0], width / move.shape[1]], np.float32)
        moves = cv2.resize(
            move.astype(np.float32) * grow, (width, height), interpolation=cv2.INTER_NEAREST
        )
        y, x = np.mgrid[0:height, 0:width].astype(np.float32)
        copied = cv2.remap(
            self._picture,
            x + moves[..., 1],
            y + moves[..., 0],
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        ).astype(np.float32)
        # What was not looked for was not moved: whoever stands there has no part in it.
        copied = np.where((np.abs(moves).sum(-1) > 0)[..., None], copied, smooth)
        detail = copied - cv2.GaussianBlur(copied, (0, 0), max(height, width) / _WORK)
        whole: Picture = np.clip(smooth + 0.8 * detail, 0, 255).astype(np.uint8)
        return whole


class _Match:
    """For each wanted point the place whose surroundings look most alike (PatchMatch)."""

    def __init__(
        self, usable: Plane, points: Tensor, found: Tensor, rng: np.random.Generator
    ) -> None:
        self.found = found
        self._usable, self._points, self._rng = usable, points, rng
        self._shape = usable.shape
        self._number = np.full(self._shape, -1, np.int64)
        self._number[points[:, 0], points[:, 1]] = np.arange(len(points))
        dy, dx = np.mgrid[-_PATCH : _PATCH + 1, -_PATCH : _PATCH + 1].reshape(2, -1)
        self._stride = self._shape[1] + 2 * _PATCH
        self._window = (dy + _PATCH) * self._stride + dx + _PATCH
        self._cost: Tensor = np.zeros(len(points))

    def improve(self, estimate: Plane, rounds: int) -> None:
        """Take over what neighbours found, and look at random places nearby."""
        padded = np.pad(estimate, ((_PATCH, _PATCH), (_PATCH, _PATCH), (0, 0)), mode="edge")
        self._pixels = padded.reshape(-1, 3)
        self._targets = self._patches(self._points)
        self._cost = self._costs(self.found)
        for _ in range(rounds):
            for step in ((0, 1), (0, -1), (1, 0), (-1, 0)):
                beside = np.clip(self._points + step, 0, np.array(self._shape) - 1)
                number = self._number[beside[:, 0], beside[:, 1]]
                known = (number >= 0)[:, None]
                self._try(np.where(known, self.found[number] - step, self.found))
            radius = max(self._shape) / 2
            while radius > 1.5:
                jump = self._rng.uniform(-radius, radius, self.found.shape).astype(int)
                self._try(self.found + jump)
                radius /= 3

    def vote(self, picture: Plane) -> Plane:
        """Every found patch votes for the pixels it covers, the better the stronger."""
        pad = ((_PATCH, _PATCH), (_PATCH, _PATCH), (0, 0))
        source = np.pad(picture, pad, mode="edge")
        total = np.zeros_like(source)
        weight = np.zeros((*source.shape[:2], 1), np.float32)
        spread = float(np.percentile(self._cost, 60)) + 1e-3
        trust = (np.exp(-self._cost / (2 * spread)) + 1e-4).astype(np.float32)[:, None]
        for dy in range(2 * _PATCH + 1):
            for dx in range(2 * _PATCH + 1):
                to_y, to_x = self._points[:, 0] + dy, self._points[:, 1] + dx
                # One write for each point and offset, so no two fall on the same pixel.
                total[to_y, to_x] += source[self.found[:, 0] + dy, self.found[:, 1] + dx] * trust
                weight[to_y, to_x] += trust
        voted: Plane = (total / np.maximum(weight, 1e-6))[_PATCH:-_PATCH, _PATCH:-_PATCH]
        return voted

    def _try(self, places: Tensor) -> None:
        places = np.clip(places, 0, np.array(self._shape) - 1)
        cost = self._costs(places)
        better = cost < self._cost
        self.found = np.where(better[:, None], places, self.found)
        self._cost = np.where(better, cost, self._cost)

    def _patches(self, places: Tensor) -> Plane:
        start = places[:, 0] * self._stride + places[:, 1]
        patches: Plane = self._pixels[start[:, None] + self._window]
        return patches

    def _costs(self, places: Tensor) -> Tensor:
        apart = self._patches(places) - self._targets
        cost: Tensor = np.einsum("nkc,nkc->n", apart, apart)
        cost[~self._usable[places[:, 0], places[:, 1]]] = 1e12
        return cost
