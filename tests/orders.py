"""Orders for tests that begin where an intake ends."""

import itertools
from dataclasses import replace
from typing import Any

from tests.engines import QuickEngine
from vivant.clips import ReplyTo, Wish
from vivant.director.words import understand
from vivant.jobs import Job, Order
from vivant.services import Services

_numbers = itertools.count(1)


async def ordered(services: Services, photo: bytes, **changes: Any) -> Job:
    """Accept one order of a photo that is stored, for the quick engine, and ring for it."""
    profile = QuickEngine().profile
    number = next(_numbers)
    order = Order(
        key=f"event-{number}",
        owner="test:ada",
        reply_to=ReplyTo(platform="test", bot="bot", chat_id="chat", message_id=str(number)),
        language="en",
        plan=understand("slow zoom in"),
        photo=await services.media.put(photo, "image/jpeg"),
        photo_width=320,
        photo_height=240,
        sight=None,
        wish=Wish(),
        settings=profile.settings_for(320, 240, Wish()),
        engine=profile.name,
        limit_bytes=10_000_000,
    )
    job, _ = await services.ledger.jobs.accept(replace(order, **changes))
    await services.bells.ring("vivant:render")
    return job


async def now(services: Services, job: Job) -> Job:
    """The job as the ledger has it now."""
    found = await services.ledger.jobs.get(job.id)
    assert found is not None
    return found
