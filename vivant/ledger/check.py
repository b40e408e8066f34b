"""Whether the ledger adds up: accounts against their entries, jobs against theirs."""

from sqlalchemy import and_, case, func, literal, null, select
from sqlalchemy.ext.asyncio import AsyncConnection

from vivant.clips import JobState
from vivant.ledger.schema import accounts, entries, jobs

_closing = entries.alias("closing")
_closes = _closing.c.kind.in_(("settle", "refund"))


async def discrepancies(conn: AsyncConnection) -> list[str]:
    """What does not add up, a line each; empty when all is well."""
    return await _in_accounts(conn) + await _in_jobs(conn)


async def _in_accounts(conn: AsyncConnection) -> list[str]:
    """Each purse is the sum of its entries; what is reserved is what open jobs hold."""
    is_closed = select(_closing.c.id).where(_closing.c.source == entries.c.source, _closes).exists()
    is_held = and_(entries.c.kind == "reserve", ~is_closed)
    said = (
        select(
            entries.c.owner,
            func.sum(case((entries.c.purse == "free", entries.c.amount), else_=0)).label("free"),
            func.sum(case((entries.c.purse == "paid", entries.c.amount), else_=0)).label("paid"),
            func.sum(case((is_held, -entries.c.amount), else_=0)).label("reserved"),
        )
        .group_by(entries.c.owner)
        .subquery()
    )
    both = select(accounts, said.c.free, said.c.paid, said.c.reserved).outerjoin(
        said, said.c.owner == accounts.c.owner
    )
    wrong = []
    for owner, has, entered in [
        (row.owner, (row.free, row.balance, row.reserved), row[-3:])
        for row in await conn.execute(both)
    ]:
        wrong += [
            f"{owner}: {name} is {kept}, the entries say {summed or 0}"
            for name, kept, summed in zip(("free", "paid", "reserved"), has, entered, strict=True)
            if kept != (summed or 0)
        ]
    return wrong


async def _in_jobs(conn: AsyncConnection) -> list[str]:
    """A job that has its answer is settled or refunded as that answer asks, any other is open."""
    expected = case(
        (jobs.c.state.in_((JobState.QUEUED, JobState.RENDERING)), null()),
        (jobs.c.failure.is_not(None), "refund"),
        (jobs.c.state == JobState.DONE, "settle"),
        (jobs.c.state == JobState.UNDELIVERABLE, "refund"),
        else_=null(),
    )
    source = literal("job:") + jobs.c.id
    reserved = select(entries.c.id).where(entries.c.source == source, entries.c.kind == "reserve")
    told = (
        select(
            jobs.c.id,
            jobs.c.state,
            expected.label("expected"),
            _closing.c.kind,
            reserved.exists().label("is_reserved"),
        )
        .outerjoin(_closing, and_(_closing.c.source == source, _closes))
        .where(_closing.c.kind.is_distinct_from(expected) | ~reserved.exists())
    )
    return [
        f"job {row.id} is {row.state}: "
        + (
            f"closed by {row.kind or 'nothing'}, not by {row.expected or 'nothing'}"
            if row.is_reserved
            else "nothing was reserved for it"
        )
        for row in await conn.execute(told)
    ]
