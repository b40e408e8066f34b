"""`vivant doctor`: what is configured, whether it answers, and how to mend it.

Asks everything by itself and changes nothing; a token is never shown.
"""

import asyncio
import importlib.util
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from vivant.errors import TryLater, VivantError
from vivant.ledger import open_ledger
from vivant.media import MediaStore
from vivant.queue import open_bells
from vivant.queue.local_redis import check_url, local_redis
from vivant.services import leases_of, limits_of
from vivant.settings import Settings

_PATIENCE_S: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    is_well: bool
    found: str
    mend: str = ""
    #: Not needed for what is configured.
    is_optional: bool = False


async def examine(settings: Settings) -> list[Finding]:
    """Look at everything; nothing that is broken hides what comes after it."""
    looks: list[tuple[str, str, Callable[[Settings], Awaitable[Finding]]]] = [
        ("redis", "VIVANT_REDIS_URL", _redis),
        ("ledger", "VIVANT_DATABASE_URL", _ledger),
        ("media", "VIVANT_MEDIA_URL", _media),
        ("engine", "VIVANT_ENGINE", _engine),
        ("ffmpeg", "", _ffmpeg),
        ("telegram", "VIVANT_TELEGRAM_API_URL", _telegram),
        ("discord", "VIVANT_DISCORD_API_URL", _discord),
    ]
    findings = []
    for what, setting, look in looks:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                findings.append(await look(settings))
        except (TimeoutError, TryLater):
            mend = f"is it reachable? see {setting}"
            findings.append(Finding(what=what, is_well=False, found="no answer", mend=mend))
        except VivantError as exc:
            findings.append(Finding(what=what, is_well=False, found=str(exc)))
    return findings


async def _redis(settings: Settings) -> Finding:
    if settings.redis_url is None:
        async with local_redis(settings.data_dir) as url, open_bells(url) as bells:
            return Finding(
                what="redis",
                is_well=await bells.answers(),
                found="a private one, started when needed",
            )
    check_url(settings.redis_url)
    try:
        async with open_bells(settings.redis_url) as bells:
            return Finding(what="redis", is_well=await bells.answers(), found="answers")
    except OSError as exc:
        return Finding(
            what="redis", is_well=False, found=type(exc).__name__, mend="see VIVANT_REDIS_URL"
        )


async def _ledger(settings: Settings) -> Finding:
    async with open_ledger(settings.ledger_url, leases_of(settings), limits_of(settings)) as ledger:
        kind = ledger.db.writers.dialect.name
        wrong = await ledger.people.discrepancies()
        waiting = await ledger.jobs.waiting()
    if wrong:
        return Finding(
            what="ledger", is_well=False, found=wrong[0], mend="vivant admin ledger check"
        )
    return Finding(what="ledger", is_well=True, found=f"{kind}, adds up, {waiting} waiting")


async def _media(settings: Settings) -> Finding:
    store = MediaStore.open(settings.store_url)
    ref = await store.put(b"probe", "image/png")
    is_same = await store.get(ref) == b"probe"
    await store.delete(ref)
    return Finding(what="media", is_well=is_same, found=settings.store_url)


async def _engine(settings: Settings) -> Finding:
    async with open_ledger(settings.ledger_url, leases_of(settings), limits_of(settings)) as ledger:
        alive = [profile.name for profile in await ledger.fleet.profiles()]
    if alive:
        return Finding(what="engine", is_well=True, found=f"running: {', '.join(alive)}")
    return await asyncio.to_thread(_engine_at_rest, settings)


def _engine_at_rest(settings: Settings) -> Finding:
    if importlib.util.find_spec("cv2") is None:
        return Finding(
            what="engine",
            is_well=False,
            is_optional=True,
            found="not installed here",
            mend="pip install 'vivant[puppet]', or run the engine elsewhere",
        )
    from vivant.engine.choice import open_engines  # noqa: PLC0415  # no OpenCV unless asked

    engine, *_ = open_engines(
        settings.engine,
        models_dir=settings.models_dir,
        gpus=settings.gpus,
        accepted=frozenset(settings.accept_licences),
    )
    return Finding(
        what="engine",
        is_well=True,
        found=f"{engine.profile.name}, not running",
        mend="start it with: vivant up, or vivant engine",
    )


async def _ffmpeg(settings: Settings) -> Finding:
    del settings
    if importlib.util.find_spec("imageio_ffmpeg") is None:
        return Finding(
            what="ffmpeg",
            is_well=False,
            is_optional=True,
            found="not installed here",
            mend="pip install 'vivant[encode]'; only an engine needs it",
        )
    import imageio_ffmpeg  # noqa: PLC0415  # no ffmpeg in a bot

    version = await asyncio.to_thread(imageio_ffmpeg.get_ffmpeg_version)
    return Finding(what="ffmpeg", is_well=True, found=str(version))


async def _telegram(settings: Settings) -> Finding:
    if settings.telegram_token is None:
        return _no_token("telegram", "BotFather on Telegram")
    from vivant.bots.telegram import whoami  # noqa: PLC0415  # only with its extra

    started = time.monotonic()
    name = await whoami(settings)
    return Finding(what="telegram", is_well=True, found=f"@{name}, {_took(started)}")


async def _discord(settings: Settings) -> Finding:
    if settings.discord_token is None:
        return _no_token("discord", "the Discord developer portal")
    from vivant.bots.discord import whoami  # noqa: PLC0415  # only with its extra

    started = time.monotonic()
    name = await whoami(settings)
    return Finding(what="discord", is_well=True, found=f"{name}, {_took(started)}")


def _no_token(platform: str, where: str) -> Finding:
    return Finding(
        what=platform,
        is_well=False,
        is_optional=True,
        found="no token",
        mend=f"get one from {where}, set VIVANT_{platform.upper()}_TOKEN",
    )


def _took(started: float) -> str:
    return f"{(time.monotonic() - started) * 1000:.0f} ms"
