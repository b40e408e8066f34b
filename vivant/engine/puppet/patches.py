"""Patches of a picture, copied into a hole from where their surroundings match (PatchMatch)."""

import cv2
import numpy as np

from vivant.director.look.arrays import Picture, Plane, Tensor

#: Patches are found on a picture of this many pixels across.
_WORK = 200
#: A patch reaches so many pixels to each side.
_PATCH = 3
_LEVELS = 4
#: From level to level, from coarse to fine.
_GROWTH = 1.6


class Patches:
    """Fills a hole with patches of the rest, from coarse to fine."""

    def __init__(self, picture: Picture, hole: Plane, shown: Plane) -> None:
        self._picture = picture
        self._hole = hole.astype(np.float32)
        self._shown = shown.astype(np.float32)
        self._rng = np.random.default_rng(0)

    def filled(self) -> Picture:
        """The picture with what is *shown* of the hole filled; the rest of the hole may not be."""
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
