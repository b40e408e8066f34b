"""What arrived: each update is a row before the platform is told that we have it.

A row is done in the step that follows its effect, so an update that died half way is handled
again, and the key of the job makes the second time harmless.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Update, delete, or_, select, update

from vivant.ledger.audit import note
from vivant.ledger.database import Database, insert
from vivant.ledger.schema import clock, inbox

#: A poison update is given up after this many tries.
MAX_TRIES: Final = 3
#: One that its process does not outlive, after this many: others die with it that do no harm.
MAX_DEATHS: Final = 6


class Letter(NamedTuple):
    """One raw update, as it came."""

    event: str
    payload: str
    #: Who sent it; None has no equal, and is never too much.
    sender: str | None = None
    #: What it is part of and has to be seen to with.
    album: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One raw update, claimed."""

    event: str
    payload: str
    tries: int
    sender: str | None
    album: str | None

    @property
    def is_last_try(self) -> bool:
        """Whether it is given up if this try fails."""
        return self.tries >= MAX_TRIES

    @property
    def is_hopeless(self) -> bool:
        """Whether whoever took it up died, each time: better not to try it."""
        return self.tries > MAX_DEATHS


@dataclass(frozen=True, slots=True)
class Inbox:
    """The updates of one bot."""

    db: Database
    platform: str
    bot: str
    lease_s: float

    async def put(self, letters: Iterable[Letter]) -> int:
        """Keep *letters*; one of a known event is left alone. How many are new."""
        new = 0
        async with self.db.writing() as conn:
            for letter in letters:
                row = insert(conn, inbox).values(
                    platform=self.platform,
                    bot=self.bot,
                    **letter._asdict(),
                    state="new",
                    arrived_at=clock(),
                )
                new += (await conn.execute(row.on_conflict_do_nothing())).rowcount
        return new

    async def claim(
        self, *, but_of: Collection[str] = (), albums: Collection[str] = ()
    ) -> Arrival | None:
        """The oldest update that nobody is handling; of the senders *but_of*, only of *albums*."""
        async with self.db.writing() as conn:
            oldest = (
                select(
                    inbox.c.event,
                    inbox.c.payload,
                    inbox.c.tries,
                    inbox.c.sender,
                    inbox.c.album,
                )
                .where(
                    inbox.c.platform == self.platform,
                    inbox.c.bot == self.bot,
                    inbox.c.state == "new",
                    inbox.c.lease_until < clock(),
                    or_(
                        inbox.c.sender.is_(None),
                        inbox.c.sender.not_in(but_of),
                        inbox.c.album.in_(albums),
                    ),
                )
                .order_by(inbox.c.arrived_at, inbox.c.event)
                .limit(1)
                .with_for_update(skip_locked=True)
            )
            row = (await conn.execute(oldest)).one_or_none()
            if row is None:
                return None
            await conn.execute(
                update(inbox)
                .where(self._is(row.event))
                .values(tries=row.tries + 1, lease_until=self._lease_end())
            )
            return Arrival(
                event=row.event,
                payload=row.payload or "",
                tries=row.tries + 1,
                sender=row.sender,
                album=row.album,
            )

    async def renew(self, arrival: Arrival) -> None:
        """Keep an update that takes long (a slow download) from being handled twice."""
        async with self.db.writing() as conn:
            await conn.execute(
                update(inbox).where(self._claimed(arrival)).values(lease_until=self._lease_end())
            )

    async def done(self, arrival: Arrival) -> None:
        """Handled; the raw update goes, its number stays."""
        async with self.db.writing() as conn:
            await conn.execute(self._ended(arrival.event, "done"))

    async def failed(self, arrival: Arrival, *, retry_s: float = 1) -> bool:
        """Try again after *retry_s* seconds; True: it was the last try, and is noted as such."""
        async with self.db.writing() as conn:
            if not arrival.is_last_try:
                await conn.execute(
                    update(inbox)
                    .where(self._claimed(arrival))
                    .values(lease_until=clock() + int(retry_s * 1000))
                )
                return False
            ended = self._ended(arrival.event, "given_up").where(self._claimed(arrival))
            if (await conn.execute(ended)).rowcount == 0:
                return False  # somebody else has it by now
            by, outcome = f"{self.platform}:{self.bot}", f"given up after {arrival.tries} tries"
            await note(conn, by, f"see to update {arrival.event}", outcome)
            return True

    async def forget(self, older_than_s: float) -> None:
        """Drop the numbers of old updates; a platform repeats an update for a day at most."""
        async with self.db.writing() as conn:
            await conn.execute(
                delete(inbox).where(
                    inbox.c.platform == self.platform,
                    inbox.c.bot == self.bot,
                    inbox.c.state != "new",
                    inbox.c.arrived_at < clock() - int(older_than_s * 1000),
                )
            )

    def _ended(self, event: str, state: str) -> Update:
        # The raw update goes, its number stays.
        return (
            update(inbox)
            .where(self._is(event))
            .values(state=state, payload=None, sender=None, album=None)
        )

    def _claimed(self, arrival: Arrival) -> ColumnElement[bool]:
        """The fence: nobody has claimed it since."""
        return self._is(arrival.event) & (inbox.c.state == "new") & (inbox.c.tries == arrival.tries)

    def _lease_end(self) -> ColumnElement[int]:
        return clock() + int(self.lease_s * 1000)

    def _is(self, event: str) -> ColumnElement[bool]:
        return (
            (inbox.c.platform == self.platform)
            & (inbox.c.bot == self.bot)
            & (inbox.c.event == event)
        )
