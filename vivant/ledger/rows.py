"""Rows to nouns and back: the one place that knows how a job lies in its columns."""

import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy.engine import Row

from vivant.clips import (
    Clip,
    ClipSettings,
    EngineProfile,
    FailureReason,
    JobState,
    MediaRef,
    Note,
    ReplyTo,
    Wish,
    Work,
)
from vivant.director.plan import Plan
from vivant.director.sight import Sight
from vivant.errors import RowUnreadable
from vivant.jobs import Job, Order

T = TypeVar("T")

_encoder: Final = msgspec.json.Encoder()

logger = logging.getLogger(__name__)


def to_json(value: object) -> str:
    """A dataclass, or a composite of them, as the text of a column."""
    return _encoder.encode(value).decode()


def from_json(text: str, kind: type[T]) -> T:
    """The column's text as *kind*; raises `msgspec.ValidationError` when it is not one."""
    return msgspec.json.decode(text, type=kind)


def readable(rows: Iterable[Row[Any]], read: Callable[[Row[Any]], T]) -> dict[str, T]:
    """What *read* makes of each row, by its id, without those that it cannot read.

    A row that another version wrote, or a failing disk, must not keep all others from their turn.
    """
    found: dict[str, T] = {}
    for row in rows:
        try:
            found[row.id] = read(row)
        except (msgspec.MsgspecError, ValueError, TypeError) as exc:
            _tell(row.id, type(exc).__name__)
    return found


@lru_cache(maxsize=1024)
def _tell(row_id: str, why: str) -> None:
    """Once for each row: the lists are read every few seconds."""
    logger.warning("a row cannot be read", extra={"row_id": row_id, "why": why})


def columns_of(order: Order) -> dict[str, Any]:
    """What an order fills in."""
    to = order.reply_to
    return {
        "key": order.key,
        "platform": to.platform,
        "bot": to.bot,
        "chat": to.chat_id,
        "owner": order.owner,
        "language": order.language,
        "reply_to": to_json(to),
        "plan": to_json(order.plan),
        "photo": to_json(order.photo),
        "photo_width": order.photo_width,
        "photo_height": order.photo_height,
        "sight": to_json(order.sight) if order.sight else None,
        "wish": to_json(order.wish),
        "settings": to_json(order.settings),
        "engine": order.engine,
        "limit_bytes": order.limit_bytes,
        "notes": to_json(order.notes),
        "work": order.work,
        "source_clip": to_json(order.source_clip) if order.source_clip else None,
        "last_photo": to_json(order.last_photo) if order.last_photo else None,
    }


@dataclass(frozen=True, slots=True)
class _ClipMedia:
    video: MediaRef
    thumbnail: MediaRef


def media_in(clip: str | None, *others: str | None) -> list[MediaRef]:
    """What the store keeps for a job, by its columns; asks less of them than `job_of`."""
    refs = [from_json(text, MediaRef) for text in others if text]
    if clip:
        made = from_json(clip, _ClipMedia)
        refs += [made.video, made.thumbnail]
    return refs


def keys_in(rows: Collection[Row[Any]], read: Callable[[Row[Any]], Iterable[MediaRef]]) -> set[str]:
    """Every key that *rows* hold; raises `RowUnreadable` where one may hold more."""
    held = readable(rows, read)
    if len(held) < len(rows):
        raise RowUnreadable(f"rows that cannot be read: {len(rows) - len(held)}")
    return {ref.key for refs in held.values() for ref in refs}


def job_of(row: Row[Any]) -> Job:
    """The row as read."""

    def part(text: str | None, kind: type[T]) -> T | None:
        return None if text is None else from_json(text, kind)

    return Job(
        id=row.id,
        state=JobState(row.state),
        attempt=row.attempt,
        failures=row.failures,
        owner=row.owner or "",
        reply_to=part(row.reply_to, ReplyTo),
        language=row.language,
        plan=part(row.plan, Plan),
        photo=part(row.photo, MediaRef),
        photo_width=row.photo_width,
        photo_height=row.photo_height,
        sight=part(row.sight, Sight),
        wish=from_json(row.wish, Wish),
        settings=from_json(row.settings, ClipSettings),
        engine=row.engine,
        limit_bytes=row.limit_bytes,
        notes=from_json(row.notes, tuple[Note, ...]),
        work=Work(row.work),
        source_clip=part(row.source_clip, MediaRef),
        last_photo=part(row.last_photo, MediaRef),
        clip=part(row.clip, Clip),
        failure=None if row.failure is None else FailureReason(row.failure),
        status_message=row.status_message,
        lines=row.lines,
        line_message=row.line_message,
        delivery_tries=row.delivery_tries,
        created_at_ms=row.created_at,
        claimed_at_ms=row.claimed_at,
        ready_at_ms=row.ready_at,
        ended_at_ms=row.ended_at,
        stages=from_json(row.stages, dict[str, float]) if row.stages else {},
    )


def profile_of(text: str) -> EngineProfile:
    """What a worker said it can make."""
    return from_json(text, EngineProfile)
