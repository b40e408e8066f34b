"""Looks at every world that can be reached, nearest first, so that a trace found is a shortest."""

from collections import deque
from dataclasses import dataclass

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


def explore(start: World, rules: Rules = CONTRACT) -> Explored:
    """Every world that *start* can become, until a promise is broken.

    A world from which no run of ordinary steps comes to an end is stuck; that is looked for last.
    """
    came_from: dict[World, tuple[World, str] | None] = {start: None}
    #: By ordinary steps alone: who leads here.
    leads_here: dict[World, list[World]] = {}
    names: set[str] = set()
    to_visit = deque(came_from)
    while to_visit:
        world = to_visit.popleft()
        promise = broken_promise(world)
        if promise is not None:
            trace = _trace(came_from, world)
            return Explored(len(came_from), frozenset(names), Broken(promise, trace))
        for step in steps(world, rules):
            names.add(step.name)
            if step.kind is not Kind.MISFORTUNE:
                leads_here.setdefault(step.after, []).append(world)
            if step.after not in came_from:
                came_from[step.after] = (world, step.name)
                to_visit.append(step.after)
    stuck = _stuck(came_from, leads_here)
    broken = None if stuck is None else Broken("it never ends", _trace(came_from, stuck))
    return Explored(len(came_from), frozenset(names), broken)


def _stuck(
    came_from: dict[World, tuple[World, str] | None], leads_here: dict[World, list[World]]
) -> World | None:
    ends = {world for world in came_from if is_over(world)}
    to_visit = deque(ends)
    while to_visit:
        for before in leads_here.get(to_visit.popleft(), ()):
            if before not in ends:
                ends.add(before)
                to_visit.append(before)
    return next((world for world in came_from if world not in ends), None)


def _trace(came_from: dict[World, tuple[World, str] | None], world: World) -> tuple[str, ...]:
    names = []
    while (step := came_from[world]) is not None:
        world, name = step
        names.append(name)
    return tuple(reversed(names))
