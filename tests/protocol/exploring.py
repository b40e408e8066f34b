"""Looks at every world that can be reached, those that took the fewest misfortunes first.

So a world that was seen is never worth a second look, however much bad luck is left, and a trace
that is found has as few misfortunes as can be, and is a shortest one among those.
"""

from array import array
from collections import deque
from dataclasses import dataclass, field

from tests.protocol.row import CONTRACT, Rules
from tests.protocol.world import Kind, World, broken_promise, is_over, steps


@dataclass(frozen=True, slots=True)
class Broken:
    """A way in which the promise does not hold."""

    promise: str
    #: What happened, first to last.
    trace: tuple[str, ...]

    def __str__(self) -> str:
        return "\n".join((self.promise, *self.trace))


@dataclass(frozen=True, slots=True)
class Explored:
    """What was looked at, and the first thing that was found wrong."""

    worlds: int
    #: Every step that was taken at least once.
    names: frozenset[str]
    broken: Broken | None


@dataclass(slots=True)
class _Atlas:
    """Every world that was found, by number, and how it was come to."""

    numbers: dict[World, int] = field(default_factory=dict)
    #: The world before it, -1 for the first, and the step that was taken.
    before: "array[int]" = field(default_factory=lambda: array("i"))
    by: list[str] = field(default_factory=list)

    def add(self, world: World, before: int, by: str) -> bool:
        """Whether it is new."""
        if world in self.numbers:
            return False
        self.numbers[world] = len(self.by)
        self.before.append(before)
        self.by.append(by)
        return True

    def trace(self, number: int) -> tuple[str, ...]:
        names = []
        while number > 0:
            names.append(self.by[number])
            number = self.before[number]
        return tuple(reversed(names))


def explore(start: World, rules: Rules = CONTRACT, *, misfortunes: int) -> Explored:
    """Every world that *start* can become with so many misfortunes, until a promise is broken.

    A world from which no run of ordinary steps comes to an end is stuck; that is looked for last.
    """
    atlas = _Atlas()
    names: set[str] = set()
    #: Every ordinary step, by the numbers of the worlds that it leads from and to.
    sources, targets = array("i"), array("i")
    dawn: dict[World, tuple[int, str]] = {start: (-1, "")}
    for luck in range(misfortunes, -1, -1):
        to_visit = deque(
            world for world, (before, by) in dawn.items() if atlas.add(world, before, by)
        )
        dawn = {}
        while to_visit:
            world = to_visit.popleft()
            number = atlas.numbers[world]
            promise = broken_promise(world)
            if promise is not None:
                found = Broken(promise, atlas.trace(number))
                return Explored(len(atlas.by), frozenset(names), found)
            for step in steps(world, rules, is_lucky=not luck):
                names.add(step.name)
                if step.kind is Kind.MISFORTUNE:
                    if step.after not in atlas.numbers:
                        dawn.setdefault(step.after, (number, step.name))
                    continue
                if atlas.add(step.after, number, step.name):
                    to_visit.append(step.after)
                sources.append(number)
                targets.append(atlas.numbers[step.after])
    stuck = _stuck(atlas, sources, targets)
    broken = None if stuck is None else Broken("it never ends", atlas.trace(stuck))
    return Explored(len(atlas.by), frozenset(names), broken)


def _stuck(atlas: _Atlas, sources: "array[int]", targets: "array[int]") -> int | None:
    """The number of a world that has no way to an end."""
    ends = bytearray(is_over(world) for world in atlas.numbers)
    is_news = True
    while is_news:
        is_news = False
        # Backwards: most steps lead to worlds that were found later.
        for before, after in zip(reversed(sources), reversed(targets), strict=True):
            if ends[after] and not ends[before]:
                ends[before] = is_news = True
    stuck = ends.find(0)
    return None if stuck < 0 else stuck
