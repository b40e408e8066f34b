"""What a process is made of, opened together and closed together. The one place of wiring."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from vivant.chat import ChatPlatform
from vivant.conversation import Conversation
from vivant.delivery import Delivery
from vivant.houses import Houses
from vivant.intake import HouseRules, Intake
from vivant.jobs import Limits
from vivant.ledger import Leases, Ledger, open_ledger
from vivant.media import MediaStore
from vivant.photos import open_cleaner
from vivant.queue import Bells, Radio, delivery, hearing, hearing_progress, open_bells
from vivant.queue.local_redis import check_url, local_redis
from vivant.settings import Settings
from vivant.upkeep import Upkeep
from vivant.waiting import StatusMessages

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Handed to whoever needs it; there are no globals."""

    settings: Settings
    redis_url: str
    ledger: Ledger
    media: MediaStore
    bells: Bells
    radio: Radio


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncGenerator[Services]:
    """Redis (a private one where none is named), ledger, media, and their upkeep."""
    async with AsyncExitStack() as stack:
        if settings.redis_url is None:
            redis_url = await stack.enter_async_context(local_redis(settings.data_dir))
        else:
            check_url(settings.redis_url)
            redis_url = settings.redis_url
        ledger = await stack.enter_async_context(
            open_ledger(settings.ledger_url, leases_of(settings), limits_of(settings))
        )
        bells = await stack.enter_async_context(open_bells(redis_url))
        media = MediaStore.open(settings.store_url)
        upkeep = Upkeep(ledger, media, bells, settings.upkeep_s, settings.keep_hours * 3600)
        await stack.enter_async_context(running(upkeep.run(), "upkeep"))
        yield Services(
            settings=settings,
            redis_url=redis_url,
            ledger=ledger,
            media=media,
            bells=bells,
            radio=Radio(bells.redis),
        )


@asynccontextmanager
async def open_conversation(
    services: Services, platform: ChatPlatform
) -> AsyncGenerator[Conversation]:
    """One bot at work: what comes in is answered, what is ready is delivered."""
    settings = services.settings
    async with AsyncExitStack() as stack:
        cleaner = await stack.enter_async_context(
            open_cleaner(models_dir=settings.models_dir / "puppet")
        )
        rules = HouseRules(
            allowed_chats=settings.allowed_chats,
            banned_users=settings.banned_users,
            blocked_words=settings.blocked_words,
            engine=settings.engine_name,
        )
        houses = Houses(services.ledger)
        intake = Intake(
            services.ledger,
            services.media,
            services.bells,
            cleaner,
            rules,
            houses,
            settings.identity_secret(),
        )
        status = StatusMessages(platform, services.ledger, houses)
        out = Delivery(platform, services.ledger, services.media, status, settings.beat_s)
        await stack.enter_async_context(
            hearing(
                services.redis_url,
                delivery(platform.name, platform.bot),
                out.on_ring,
                at_once=8,
                drain_s=settings.drain_s,
            )
        )
        await stack.enter_async_context(running(status.keep_true(), "status messages"))
        await stack.enter_async_context(
            hearing_progress(services.redis_url, platform.name, platform.bot, status.on_progress)
        )
        yield Conversation(
            platform,
            intake,
            services.ledger,
            services.radio,
            status,
            limits_of(settings),
            settings.keep_hours,
            settings.contact,
            settings.admins,
        )


@asynccontextmanager
async def running(work: Coroutine[Any, Any, None], name: str) -> AsyncGenerator[None]:
    """Keep *work* going beside the block, and end it with the block."""
    task = asyncio.create_task(work, name=name)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and (broke := task.exception()) is not None:
            logger.error("%s broke off", name, exc_info=broke)


def limits_of(settings: Settings) -> Limits:
    """How much one person may ask for."""
    return Limits(
        free_clips_per_day=settings.free_clips_per_day,
        max_open_jobs=settings.max_open_jobs,
        max_renders_per_day=settings.max_renders_per_day,
        max_requests_per_minute=settings.max_requests_per_minute,
    )


def leases_of(settings: Settings) -> Leases:
    """How long each hold lasts."""
    return Leases(lease_s=settings.lease_s, deadline_s=settings.deadline_s)
