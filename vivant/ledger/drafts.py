"""Photos that wait for a word of their sender. Nothing is charged yet."""

import secrets
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.engine import Row

from vivant.clips import ReplyTo
from vivant.jobs import Order
from vivant.ledger.database import Database, insert
from vivant.ledger.jobs import media_of
from vivant.ledger.rows import from_json, keys_in, readable, to_json
from vivant.ledger.schema import clock, drafts


@dataclass(frozen=True, slots=True)
class Drafts:
    """The drafts of one ledger."""

    db: Database

    async def keep(self, order: Order) -> tuple[str, bool]:
        """Keep *order* until it is answered; its id, and whether the event is new."""
        draft_id = secrets.token_hex(8)
        async with self.db.writing() as conn:
            row = insert(conn, drafts).values(
                id=draft_id,
                key=order.key,
                owner=order.owner,
                chat=_chat_of(order.reply_to),
                order=to_json(order),
                created_at=clock(),
            )
            if (await conn.execute(row.on_conflict_do_nothing())).rowcount:
                return draft_id, True
            known = select(drafts.c.id).where(drafts.c.key == order.key)
            return (await conn.execute(known)).scalar_one(), False

    async def amend(self, draft_id: str, order: Order) -> None:
        """Keep what the sender has said so far."""
        async with self.db.writing() as conn:
            await conn.execute(
                update(drafts).where(drafts.c.id == draft_id).values(order=to_json(order))
            )

    async def asked(self, draft_id: str, message_id: str) -> None:
        """Remember which message of ours asks."""
        async with self.db.writing() as conn:
            await conn.execute(
                update(drafts).where(drafts.c.id == draft_id).values(message=message_id)
            )

    async def answered_by(
        self, owner: str, to: ReplyTo, *, message_id: str | None, within_s: float
    ) -> str | None:
        """The draft that words of *owner* there belong to.

        The one that our message *message_id* asks about, or, where they answer none, the newest
        of the last *within_s* seconds.
        """
        mine = select(drafts.c.id).where(drafts.c.owner == owner, drafts.c.chat == _chat_of(to))
        if message_id is not None:
            mine = mine.where(drafts.c.message == message_id)
        else:
            mine = mine.where(drafts.c.created_at > clock() - int(within_s * 1000))
        newest = mine.order_by(drafts.c.created_at.desc()).limit(1)
        async with self.db.reading() as conn:
            found: str | None = (await conn.execute(newest)).scalar_one_or_none()
        return found

    async def find(self, key: str) -> str | None:
        """The draft of one asking event."""
        async with self.db.reading() as conn:
            found = select(drafts.c.id).where(drafts.c.key == key)
            draft_id: str | None = (await conn.execute(found)).scalar_one_or_none()
        return draft_id

    async def get(self, draft_id: str) -> Order | None:
        """The order as it waits; None when it was answered or has expired."""
        async with self.db.reading() as conn:
            found = select(drafts.c.order).where(drafts.c.id == draft_id)
            text = (await conn.execute(found)).scalar_one_or_none()
        return None if text is None else from_json(text, Order)

    async def forget(self, owner: str) -> list[Order]:
        """Drop all drafts of *owner*; their photos are the caller's to delete.

        The photo of one that cannot be read is left to the sweep, as nobody's.
        """
        theirs = delete(drafts).where(drafts.c.owner == owner).returning(drafts)
        async with self.db.writing() as conn:
            rows = (await conn.execute(theirs)).all()
        return list(readable(rows, _order_of).values())

    async def drop(self, draft_id: str) -> None:
        """Forget it; its photo is the caller's or upkeep's to delete."""
        async with self.db.writing() as conn:
            await conn.execute(delete(drafts).where(drafts.c.id == draft_id))

    async def expired(self, older_than_s: float) -> list[tuple[str, Order | None]]:
        """Drafts that nobody answered; None stands for an order that cannot be read."""
        old = drafts.c.created_at <= clock() - int(older_than_s * 1000)
        async with self.db.reading() as conn:
            rows = (await conn.execute(select(drafts).where(old))).all()
        orders = readable(rows, _order_of)
        return [(row.id, orders.get(row.id)) for row in rows]

    async def media_keys(self) -> set[str]:
        """Keys of all that some draft holds; raises as `Jobs.media_keys`."""
        async with self.db.reading() as conn:
            rows = (await conn.execute(select(drafts))).all()
        return keys_in(rows, lambda row: media_of(_order_of(row)))


def _order_of(row: Row[Any]) -> Order:
    return from_json(row.order, Order)


def _chat_of(to: ReplyTo) -> str:
    """One bot's chat: a person's chats with two bots may go by the same id."""
    return f"{to.bot}:{to.chat_id}"
