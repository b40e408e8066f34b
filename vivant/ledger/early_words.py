"""Words that came before their photo, and wait for it a little while."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, delete, or_, select, update

from vivant.clips import ReplyTo
from vivant.ledger.database import Database, insert
from vivant.ledger.schema import clock, early_words

#: Words wait this long for their photo.
_WAIT_MS: Final = 120_000


@dataclass(frozen=True, slots=True)
class EarlyWords:
    """The last words of each sender in each chat that came without a photo."""

    db: Database

    async def keep(self, owner: str, to: ReplyTo, words: str) -> None:
        """*owner* said *words* there; what they said before does not count any more."""
        said = {"words": words, "taken_by": None, "at": clock()}
        async with self.db.writing() as conn:
            row = insert(conn, early_words).values(
                owner=owner, bot=to.bot, chat=to.chat_id, thread=to.thread_id or "", **said
            )
            await conn.execute(
                row.on_conflict_do_update(index_elements=early_words.primary_key, set_=said)
            )

    async def take(self, owner: str, to: ReplyTo, key: str) -> str | None:
        """The words for the asking event *key*; it gets them again, and no other event does."""
        # One statement, so that two photos at once cannot both take them.
        taken = (
            update(early_words)
            .where(
                *_theirs(owner, to),
                early_words.c.at > clock() - _WAIT_MS,
                or_(early_words.c.taken_by.is_(None), early_words.c.taken_by == key),
            )
            .values(taken_by=key)
            .returning(early_words.c.words)
        )
        async with self.db.writing() as conn:
            words: str | None = (await conn.execute(taken)).scalar_one_or_none()
        return words

    async def are_waiting(self, owner: str, to: ReplyTo) -> bool:
        """Whether words of *owner* wait there for a photo."""
        waiting = select(early_words.c.owner).where(
            *_theirs(owner, to), early_words.c.taken_by.is_(None)
        )
        async with self.db.reading() as conn:
            return (await conn.execute(waiting)).one_or_none() is not None

    async def forget(self, owner: str) -> None:
        """Drop what *owner* said."""
        async with self.db.writing() as conn:
            await conn.execute(delete(early_words).where(early_words.c.owner == owner))

    async def tidy(self) -> None:
        """Drop what no photo came for in time."""
        async with self.db.writing() as conn:
            await conn.execute(delete(early_words).where(early_words.c.at <= clock() - _WAIT_MS))


def _theirs(owner: str, to: ReplyTo) -> tuple[ColumnElement[bool], ...]:
    return (
        early_words.c.owner == owner,
        early_words.c.bot == to.bot,
        early_words.c.chat == to.chat_id,
        early_words.c.thread == (to.thread_id or ""),
    )
