"""Credit: reserve, settle, refund; each a step inside the transaction of a job's own step.

A free clip lapses at midnight UTC, a paid one does not; a job takes a free one first. Locks are
taken in one order, the job's row and then the account's, so that no two steps wait for each other.
"""

from typing import Any, Final, Literal

from sqlalchemy import Select, literal, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from vivant.clips import JobState, RefusalReason
from vivant.errors import Refused
from vivant.jobs import Credit
from vivant.ledger.database import insert
from vivant.ledger.schema import accounts, clock, entries, jobs

_DAY_MS: Final = 86_400_000

#: One row of `accounts`, and one of `entries`.
Account = Row[Any]
Entry = Row[Any]
Purse = Literal["free", "paid"]


async def open_account(conn: AsyncConnection, owner: str, *, free_per_day: int) -> Account:
    """Lock the account until the transaction ends, made or renewed if need be; its row."""
    row: Account | None = (await conn.execute(_locked(owner))).one_or_none()
    if row is None:
        fresh = insert(conn, accounts).values(owner=owner, day=-1, free=0)
        await conn.execute(fresh.on_conflict_do_nothing())
        row = (await conn.execute(_locked(owner))).one()
    # Only forward: whoever waited for the lock over midnight read the clock before it.
    if row.day >= row.today:
        return row
    renewal_of_today = _renewal_of(owner, row.today)
    await _enter(conn, owner, renewal_of_today, "renew", "free", free_per_day - row.free)
    renewed = (
        update(accounts)
        .where(accounts.c.owner == owner)
        .values(day=row.today, free=free_per_day)
        .returning(accounts)
    )
    account: Account = (await conn.execute(renewed)).one()
    return account


def purse_for(account: Account, *, cost: int) -> Purse:
    """Which purse a job of *cost* clips, one or none, takes from; raises `Refused` (NO_CREDIT)."""
    if account.free or not cost:
        return "free"
    if account.balance:
        return "paid"
    raise Refused(RefusalReason.NO_CREDIT, renews_at=renewal(account.day))


async def reserve(
    conn: AsyncConnection,
    account: Account,
    purse: Purse,
    job_id: str,
    *,
    cost: int,
    virtual_finish: float,
) -> None:
    """Hold *cost* clips for *job_id*, and remember where it ends in the fair queue's time."""
    column = accounts.c.free if purse == "free" else accounts.c.balance
    await conn.execute(
        update(accounts)
        .where(accounts.c.owner == account.owner)
        .values(
            {
                column: column - cost,
                accounts.c.reserved: accounts.c.reserved + cost,
                accounts.c.virtual_finish: virtual_finish,
            }
        )
    )
    await _enter(conn, account.owner, f"job:{job_id}", "reserve", purse, -cost)


async def settle(conn: AsyncConnection, job_id: str) -> bool:
    """Count it for good; False when the job is closed already."""
    held = await _entry(conn, f"job:{job_id}", "reserve")
    return held is not None and await _close(conn, held, "settle", back=0)


async def refund(conn: AsyncConnection, job_id: str) -> bool:
    """Give it back; False when the job is closed already.

    A free clip of an earlier day is not given back: the new day's were full.
    """
    held = await _entry(conn, f"job:{job_id}", "reserve")
    if held is None:
        return False
    account = (await conn.execute(_locked(held.owner))).one()
    lapsed = False
    if held.purse == "free":
        renewed = await _entry(conn, _renewal_of(held.owner, account.day), "renew")
        # By the order of the entries, which midnight cannot come between.
        lapsed = renewed is not None and renewed.id > held.id
    return await _close(conn, held, "refund", back=0 if lapsed else -held.amount)


async def repay(conn: AsyncConnection, job_id: str) -> bool:
    """Give a clip that was counted back after all, once; False when it was not, or is already.

    It comes as a paid one: what was free may have lapsed by now.
    """
    held = await _entry(conn, f"job:{job_id}", "reserve")
    if held is None or not held.amount or await _entry(conn, held.source, "settle") is None:
        return False
    return await _add(conn, held.owner, held.source, "repay", -held.amount)


async def grant(
    conn: AsyncConnection, owner: str, amount: int, *, source: str, kind: str, free_per_day: int
) -> bool:
    """Add paid clips once per *source*; False when that source was counted before."""
    await open_account(conn, owner, free_per_day=free_per_day)
    return await _add(conn, owner, source, kind, amount)


async def in_the_way(conn: AsyncConnection, owner: str, amount: int, *, source: str) -> list[str]:
    """Jobs without a clip yet that hold what `take_back` lacks, the latest first.

    Cancelled later, each would give back what was not there to be taken.
    """
    if await _entry(conn, source, "grant") is not None:
        return []
    balance = select(accounts.c.balance).where(accounts.c.owner == owner)
    lacking = amount - ((await conn.execute(balance)).scalar_one_or_none() or 0)
    holding = (
        select(jobs.c.id)
        .join(entries, entries.c.source == literal("job:") + jobs.c.id)
        .where(
            jobs.c.owner == owner,
            jobs.c.state.in_((JobState.QUEUED, JobState.RENDERING)),
            entries.c.kind == "reserve",
            entries.c.purse == "paid",
            entries.c.amount < 0,
        )
        .order_by(jobs.c.created_at.desc(), jobs.c.id)
        .limit(max(lacking, 0))
    )
    return list((await conn.execute(holding)).scalars())


async def take_back(
    conn: AsyncConnection, owner: str, amount: int, *, source: str, free_per_day: int
) -> int | None:
    """Remove up to *amount* paid clips, as far as they are not spent, once per *source*.

    How many; None when that source was counted before. None at all is counted too: told again,
    it takes nothing from a later purchase.
    """
    account = await open_account(conn, owner, free_per_day=free_per_day)
    gone = min(account.balance, amount)
    return gone if await _add(conn, owner, source, "grant", -gone) else None


def renewal(day: int) -> int:
    """When the free clips of the day after *day* come, seconds since 1970."""
    return (day + 1) * _DAY_MS // 1000


def credit_of(account: Account) -> Credit:
    """The row as a noun."""
    return Credit(
        free=account.free,
        paid=account.balance,
        reserved=account.reserved,
        renews_at=renewal(account.day),
    )


def _renewal_of(owner: str, day: int) -> str:
    return f"day:{day}:{owner}"


def _locked(owner: str) -> Select[Any]:
    today = clock() // _DAY_MS
    found = select(accounts, today.label("today")).where(accounts.c.owner == owner)
    # Not FOR UPDATE: an entry's foreign key takes a share of the account's key.
    return found.with_for_update(key_share=True)


async def _entry(conn: AsyncConnection, source: str, kind: str) -> Entry | None:
    found = select(entries).where(entries.c.source == source, entries.c.kind == kind)
    return (await conn.execute(found)).one_or_none()


async def _close(conn: AsyncConnection, held: Entry, kind: str, *, back: int) -> bool:
    if not await _enter(conn, held.owner, held.source, kind, held.purse, back):
        return False
    column = accounts.c.free if held.purse == "free" else accounts.c.balance
    await conn.execute(
        update(accounts)
        .where(accounts.c.owner == held.owner)
        .values({column: column + back, accounts.c.reserved: accounts.c.reserved + held.amount})
    )
    return True


async def _add(conn: AsyncConnection, owner: str, source: str, kind: str, amount: int) -> bool:
    if not await _enter(conn, owner, source, kind, "paid", amount):
        return False
    await conn.execute(
        update(accounts)
        .where(accounts.c.owner == owner)
        .values(balance=accounts.c.balance + amount)
    )
    return True


async def _enter(
    conn: AsyncConnection, owner: str, source: str, kind: str, purse: str, amount: int
) -> bool:
    done = await conn.execute(
        insert(conn, entries)
        .values(owner=owner, source=source, kind=kind, purse=purse, amount=amount, at=clock())
        .on_conflict_do_nothing()
    )
    return done.rowcount == 1
