"""Credit: reserve, settle, refund; each a step inside the transaction of a job's own step.

A free clip lapses at midnight UTC, a paid one does not; a job takes a free one first.
"""

from typing import Any, Final

from sqlalchemy import exists, func, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from vivant.clips import RefusalReason
from vivant.errors import Refused
from vivant.jobs import Credit
from vivant.ledger.database import insert
from vivant.ledger.schema import accounts, clock, entries

_DAY_MS: Final = 86_400_000

#: One row of `accounts`.
Account = Row[tuple[Any, ...]]


async def open_account(conn: AsyncConnection, owner: str, *, free_per_day: int) -> Account:
    """Lock the account until the transaction ends, made or renewed if need be; its row."""
    now = (await conn.execute(select(clock()))).scalar_one()
    today = now // _DAY_MS
    fresh = insert(conn, accounts).values(owner=owner, day=-1, free=0).on_conflict_do_nothing()
    await conn.execute(fresh)
    locked = select(accounts).where(accounts.c.owner == owner).with_for_update()
    row = (await conn.execute(locked)).one()
    if row.day != today:
        await conn.execute(
            update(accounts).where(accounts.c.owner == owner).values(day=today, free=free_per_day)
        )
        await _enter(conn, owner, f"day:{today}:{owner}", "renew", "free", free_per_day - row.free)
        row = (await conn.execute(locked)).one()
    return row


async def reserve(conn: AsyncConnection, account: Account, job_id: str, *, cost: int = 1) -> None:
    """Hold *cost* clips, one or none, for *job_id*; raises `Refused` (NO_CREDIT)."""
    purse = "free" if account.free or not cost else "paid"
    if cost and not account.free and not account.balance:
        raise Refused(RefusalReason.NO_CREDIT, renews_at=renewal(account.day))
    await conn.execute(
        update(accounts)
        .where(accounts.c.owner == account.owner)
        .values(
            free=accounts.c.free - (cost if purse == "free" else 0),
            balance=accounts.c.balance - (cost if purse == "paid" else 0),
            reserved=accounts.c.reserved + cost,
        )
    )
    await _enter(conn, account.owner, f"job:{job_id}", "reserve", purse, -cost)


async def settle(conn: AsyncConnection, job_id: str) -> bool:
    """Count it for good; False when the job is closed already."""
    return await _close(conn, job_id, "settle")


async def refund(conn: AsyncConnection, job_id: str) -> bool:
    """Give it back; False when the job is closed already.

    A free clip of an earlier day is not given back: today's are full already.
    """
    return await _close(conn, job_id, "refund")


async def grant(
    conn: AsyncConnection, owner: str, amount: int, *, source: str, kind: str, free_per_day: int
) -> bool:
    """Add paid clips once per *source*; False when that source was counted before."""
    await open_account(conn, owner, free_per_day=free_per_day)
    if not await _enter(conn, owner, source, kind, "paid", amount):
        return False
    await conn.execute(
        update(accounts)
        .where(accounts.c.owner == owner)
        .values(balance=accounts.c.balance + amount)
    )
    return True


async def advance(conn: AsyncConnection, owner: str, virtual_finish: float) -> None:
    """Remember where the sender's last job ends in the fair queue's virtual time."""
    await conn.execute(
        update(accounts).where(accounts.c.owner == owner).values(virtual_finish=virtual_finish)
    )


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


async def _close(conn: AsyncConnection, job_id: str, kind: str) -> bool:
    held = (
        await conn.execute(
            select(entries).where(entries.c.source == f"job:{job_id}", entries.c.kind == "reserve")
        )
    ).one()
    today = (await conn.execute(select(clock()))).scalar_one() // _DAY_MS
    lapsed = held.purse == "free" and held.at // _DAY_MS != today
    cost = -held.amount
    back = cost if kind == "refund" and not lapsed else 0
    if not await _enter(conn, held.owner, held.source, kind, held.purse, back):
        return False
    free_back, paid_back = (back, 0) if held.purse == "free" else (0, back)
    await conn.execute(
        update(accounts)
        .where(accounts.c.owner == held.owner)
        .values(
            reserved=accounts.c.reserved - cost,
            balance=accounts.c.balance + paid_back,
            free=accounts.c.free + free_back,
        )
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


async def sums(conn: AsyncConnection) -> list[str]:
    """What does not add up, a line each: accounts against their entries."""
    kept = {
        (row.owner, row.purse): row.total
        for row in await conn.execute(
            select(entries.c.owner, entries.c.purse, func.sum(entries.c.amount).label("total"))
            .group_by(entries.c.owner, entries.c.purse)
        )
    }  # fmt: skip
    closing = entries.alias("closing")
    is_closed = exists().where(
        closing.c.source == entries.c.source, closing.c.kind.in_(("settle", "refund"))
    )
    holds = {
        row.owner: row.held
        for row in await conn.execute(
            select(entries.c.owner, func.sum(-entries.c.amount).label("held"))
            .where(entries.c.kind == "reserve", ~is_closed)
            .group_by(entries.c.owner)
        )
    }
    wrong = []
    for row in await conn.execute(select(accounts)):
        for name, has, said in (
            ("free", row.free, kept.get((row.owner, "free"), 0)),
            ("paid", row.balance, kept.get((row.owner, "paid"), 0)),
            ("reserved", row.reserved, holds.get(row.owner, 0)),
        ):
            if has != said:
                wrong.append(f"{row.owner}: {name} is {has}, the entries say {said}")
    return wrong
