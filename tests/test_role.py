"""One of several processes has the role; the others come after it."""

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.conftest import wait_until
from tests.ledger.orders import LEASES, LIMITS
from vivant.errors import VivantError
from vivant.ledger import Fleet, open_ledger
from vivant.role import Role, until


@pytest.fixture
async def fleet(tmp_path: Path) -> AsyncGenerator[Fleet]:
    async with open_ledger(f"sqlite+aiosqlite:///{tmp_path}/ledger", LEASES, LIMITS) as ledger:
        yield ledger.fleet


def role(fleet: Fleet, *, lease_s: float = 60.0) -> Role:
    return Role(fleet, "telegram:1", lease_s=lease_s, beat_s=0.02)


class Work:
    """Goes on until it is cancelled, and then takes as long as it is let."""

    def __init__(self) -> None:
        self.is_going_on = False
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self) -> None:
        self.is_going_on = True
        try:
            await asyncio.Event().wait()
        finally:
            await self.may_end.wait()
            self.is_going_on = False


async def test_the_second_begins_only_when_the_first_has_put_things_in_order(fleet: Fleet) -> None:
    first, second = Work(), Work()
    first.may_end.clear()
    stop = asyncio.Event()
    playing = asyncio.create_task(until(stop, role(fleet).play(first)))
    await wait_until(lambda: first.is_going_on)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(role(fleet).play(second))
        stop.set()
        assert not await role(fleet)._hold()
        assert not second.is_going_on
        first.may_end.set()
        await playing
        await wait_until(lambda: second.is_going_on)
        assert not first.is_going_on
        waiting.cancel()


async def test_whoever_loses_the_role_ends_its_work(fleet: Fleet) -> None:
    """Its lease ran out while it could not renew it, and another took over."""
    work = Work()
    late = role(fleet)
    async with asyncio.TaskGroup() as tasks:
        playing = tasks.create_task(late.play(work))
        await wait_until(lambda: work.is_going_on)
        await fleet.release(late.name, late.me)
        assert await fleet.hold(late.name, "another", for_s=60)
        await playing

    assert not work.is_going_on
    assert not await fleet.hold(late.name, late.me, for_s=60)


async def test_what_breaks_the_work_is_raised_and_the_role_is_free(fleet: Fleet) -> None:
    async def broken() -> None:
        raise VivantError("the line is dead")

    mine = role(fleet)
    with pytest.raises(VivantError, match="the line is dead"):
        await mine.play(broken)

    assert await fleet.hold(mine.name, "another", for_s=60)
