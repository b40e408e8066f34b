"""One fleet for a whole page of tests: real processes that a test kills and the next one needs."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.guarantees.stage import Stage, open_stage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    """The fleet of a page of tests; nothing of it runs yet."""
    async with open_stage(tmp_path_factory.mktemp("fleet")) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def stage(page: Stage) -> Stage:
    """One bot and one engine at work, and nothing under way."""
    page.fleet.gate.unlink(missing_ok=True)
    page.telegram.faults.coming.clear()
    page.fleet.one("engine")
    page.fleet.one("telegram")
    return page
