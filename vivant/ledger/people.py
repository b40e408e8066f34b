"""What is known of one sender: credit, the pace of the last minute, whether they may ask."""

from dataclasses import dataclass

from sqlalchemy import delete, func, select, update

from vivant.clips import MediaRef, RefusalReason
from vivant.errors import Refused
from vivant.jobs import Credit, Job, Limits
from vivant.ledger import check, credit
from vivant.ledger.admission import admit
from vivant.ledger.database import Database, insert
from vivant.ledger.drafts import Drafts
from vivant.ledger.early_words import EarlyWords
from vivant.ledger.jobs import Jobs, media_of
from vivant.ledger.schema import bans, clock, houses, reports, requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What is left to do for a sender who was forgotten."""

    #: Jobs that were cancelled: stop their engines, and their bots have something to say.
    stopped: list[Job]
    #: No row holds these any more.
    media: list[MediaRef]


@dataclass(frozen=True, slots=True)
class People:
    """The senders of one ledger."""

    db: Database
    limits: Limits
    jobs: Jobs
    drafts: Drafts
    early_words: EarlyWords

    async def knock(self, owner: str) -> None:
        """Count one request; raises `Refused`: NOT_ALLOWED, DRAINING, TOO_FAST."""
        async with self.db.writing() as conn:
            await admit(conn, owner)
            # Locks the sender's row, so that many messages at once are counted one by one.
            await credit.open_account(conn, owner, free_per_day=self.limits.free_clips_per_day)
            recent = select(func.count()).where(
                requests.c.owner == owner, requests.c.at > clock() - 60_000
            )
            if (await conn.execute(recent)).scalar_one() >= self.limits.max_requests_per_minute:
                raise Refused(RefusalReason.TOO_FAST, limit=self.limits.max_requests_per_minute)
            await conn.execute(insert(conn, requests).values(owner=owner, at=clock()))

    async def credit(self, owner: str) -> Credit:
        """What is left, renewed if the day is new."""
        async with self.db.writing() as conn:
            return credit.credit_of(
                await credit.open_account(conn, owner, free_per_day=self.limits.free_clips_per_day)
            )

    async def grant(self, owner: str, amount: int, *, source: str, kind: str = "grant") -> bool:
        """Add paid clips, once per *source*."""
        async with self.db.writing() as conn:
            return await credit.grant(
                conn,
                owner,
                amount,
                source=source,
                kind=kind,
                free_per_day=self.limits.free_clips_per_day,
            )

    async def take_back(self, owner: str, amount: int, *, source: str) -> int | None:
        """Remove up to *amount* unspent paid clips, once per *source*; how many, or None: done.

        What has no clip yet is not spent: such jobs are cancelled, as many as it takes.
        """
        async with self.db.reading() as conn:
            in_the_way = await credit.in_the_way(conn, owner, amount, source=source)
        for job_id in in_the_way:
            await self.jobs.cancel(job_id)
        async with self.db.writing() as conn:
            return await credit.take_back(
                conn,
                owner,
                amount,
                source=source,
                free_per_day=self.limits.free_clips_per_day,
            )

    async def ban(self, owner: str) -> bool:
        """Let nothing new of *owner* in; False: so it was already."""
        async with self.db.writing() as conn:
            banned = insert(conn, bans).values(owner=owner, at=clock()).on_conflict_do_nothing()
            return (await conn.execute(banned)).rowcount == 1

    async def unban(self, owner: str) -> bool:
        """Let *owner* in again; False: they were not banned."""
        async with self.db.writing() as conn:
            return (await conn.execute(delete(bans).where(bans.c.owner == owner))).rowcount == 1

    async def forget(self, owner: str) -> Forgotten:
        """`/forget`: open jobs are cancelled; words, media and ids of all that ended go now.

        An answer that is on its way goes when it ended. What stays: keyed hashes of the events,
        and the entries of the credit. An update in the inbox loses its content once it is
        handled, so there is nothing of theirs to look for.
        """
        stopped = [
            job for job in await self.jobs.open_jobs(owner=owner) if await self.jobs.cancel(job.id)
        ]
        media: list[MediaRef] = []
        for job_id, held in await self.jobs.disown(owner):
            await self.jobs.purge(job_id)
            media += held
        for order in await self.drafts.forget(owner):
            media += media_of(order)
        await self.early_words.forget(owner)
        async with self.db.writing() as conn:
            await conn.execute(delete(requests).where(requests.c.owner == owner))
            await conn.execute(update(reports).where(reports.c.by == owner).values(by=None))
            # What they settled for their own chat with a bot, which goes by their id.
            platform, _, chat = owner.partition(":")
            theirs = (houses.c.platform == platform) & (houses.c.chat == chat)
            await conn.execute(delete(houses).where(theirs))
        return Forgotten(stopped=stopped, media=media)

    async def discrepancies(self) -> list[str]:
        """Accounts that their entries do not explain, and jobs; empty when all is well."""
        async with self.db.reading() as conn:
            return await check.discrepancies(conn)

    async def tidy(self) -> None:
        """Drop requests that are older than a minute."""
        async with self.db.writing() as conn:
            await conn.execute(delete(requests).where(requests.c.at < clock() - 60_000))
