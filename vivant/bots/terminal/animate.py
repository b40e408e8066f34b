"""`vivant animate`: one photo and a few words in, one file out, through the whole path."""

import asyncio
import getpass
import secrets
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from rich.console import Console

from vivant.bots.terminal import BOT, PLATFORM
from vivant.bots.terminal.outgoing import TerminalPlatform
from vivant.chat import PhotoMessage, Sender
from vivant.clips import JobState, RefusalReason, ReplyTo, Wish
from vivant.errors import Refused
from vivant.jobs import Job
from vivant.messages import Messages
from vivant.photos import MAX_UPLOAD_BYTES
from vivant.services import Services, open_conversation
from vivant.settings import Settings

#: A file has no limit that a clip of ours would reach.
_LIMIT_BYTES: Final = 1_000_000_000


class Exit(IntEnum):
    """What a script is told."""

    CLIP = 0
    NOT_SET_UP = 1  #: a setting, no Redis, a file that cannot be read or written
    USAGE = 2  #: typer's own
    REFUSED = 3  #: nothing was queued
    FAILED = 4  #: accepted, but there is no clip


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How it ended."""

    exit: Exit
    said: str
    job: Job | None = None


def unrationed(settings: Settings) -> Settings:
    """Whoever sits at the machine runs it: nothing is rationed."""
    return settings.model_copy(
        update={
            "free_clips_per_day": 1_000_000,
            "max_open_jobs": 1000,
            "max_requests_per_minute": 1000,
            "max_renders_per_day": 1_000_000,
        }
    )


async def animate(
    services: Services,
    console: Console,
    photo: Path,
    words: str,
    out: Path,
    wish: Wish,
    *,
    yes: bool,
) -> Outcome:
    """Ask, wait, and tell how it ended."""
    platform = TerminalPlatform(console)
    event = secrets.token_hex(8)
    to = ReplyTo(platform=PLATFORM, bot=BOT, chat_id=str(out), message_id=event)
    async with open_conversation(services, platform) as conversation:
        message = PhotoMessage(
            event_id=event,
            reply_to=to,
            sender=Sender(id=getpass.getuser()),
            words=words,
            photo=await asyncio.to_thread(_read, photo),
            limit_bytes=_LIMIT_BYTES,
            wish=wish,
            has_consent=yes,
            can_ask=False,
        )
        try:
            await conversation.take(message)
        except Refused as refusal:
            platform.end_line()
            said = Messages().refused(refusal)
            if refusal.reason is RefusalReason.NEEDS_CONSENT:
                said += " Say so with --yes."
            return Outcome(exit=Exit.REFUSED, said=said)
        key = conversation.intake.key_of(to, event)
        job = await _over(services, key)
        platform.end_line()
    answer = platform.answers.get(event)
    if job.state is JobState.UNDELIVERABLE:
        return Outcome(exit=Exit.FAILED, said=f"The clip could not be written to {out}.", job=job)
    said = answer.text if answer is not None else "Another terminal wrote the answer."
    if job.clip is None:
        return Outcome(exit=Exit.FAILED, said=said, job=job)
    return Outcome(exit=Exit.CLIP, said=said, job=job)


async def _over(services: Services, key: str) -> Job:
    """The job once it has its answer; whichever process delivered it."""
    while True:
        job = await services.ledger.jobs.find(key)
        if job is not None and job.is_over:
            return job
        await asyncio.sleep(0.05)


def _read(photo: Path) -> bytes:
    with photo.open("rb") as file:
        # One byte more than is taken, so that "too big" can be told from "just fits".
        return file.read(MAX_UPLOAD_BYTES + 1)
