"""`vivant ledger move`: all of one database into another, whole or not at all."""

from collections.abc import AsyncIterator
from typing import Any, Final

from sqlalchemy import Integer, Table, false, func, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from vivant.errors import LedgerDown
from vivant.ledger.check import discrepancies
from vivant.ledger.database import open_database
from vivant.ledger.migrations import migrate
from vivant.ledger.schema import clock, leases, metadata, workers

#: Rows of one statement; asyncpg carries 32,767 values.
_BATCH: Final = 500
#: A worker that spoke within this is alive, in milliseconds.
_ALIVE_MS: Final = 60_000


async def move(source_url: str, target_url: str) -> dict[str, int]:
    """Copy every row, and check counts and sums before the target commits; rows of each table.

    The source is locked meanwhile, and stays as it is. Raises `LedgerDown` that says why nothing
    was moved: a process is still at work on the source, the target holds something, or it does
    not add up.
    """
    async with open_database(source_url) as source, open_database(target_url) as target:
        await migrate(source)
        await migrate(target)
        async with source.writing() as old, target.writing() as new:
            await _nobody_at_work(old)
            await _empty(new)
            for table in metadata.sorted_tables:
                async for rows in _batches(old, table):
                    await new.execute(table.insert(), [row._asdict() for row in rows])
                await _count_on(new, table)
            counts = await _the_same(old, new)
            if wrong := await discrepancies(new):
                raise LedgerDown("the ledger does not add up: " + "; ".join(wrong))
        return counts


async def _nobody_at_work(old: AsyncConnection) -> None:
    alive = select(workers.c.id).where(workers.c.seen_at > clock() - _ALIVE_MS)
    held = select(leases.c.holder).where(leases.c.name == "upkeep", leases.c.until > clock())
    found = {*(await old.execute(alive)).scalars(), *(await old.execute(held)).scalars()}
    if found:
        raise LedgerDown(f"stop what is at work on it first: {', '.join(sorted(found))}")


async def _empty(new: AsyncConnection) -> None:
    for table in metadata.sorted_tables:
        if (await new.execute(select(table).limit(1))).first() is not None:
            raise LedgerDown(f"the target is not empty: {table.name} holds something")


async def _batches(old: AsyncConnection, table: Table) -> AsyncIterator[list[Row[Any]]]:
    found = await old.stream(select(table).order_by(*table.primary_key.columns))
    async for rows in found.partitions(_BATCH):
        yield list(rows)


async def _count_on(new: AsyncConnection, table: Table) -> None:
    """Postgres numbers rows from a sequence, which knows nothing of the rows that were copied."""
    numbered = table.autoincrement_column
    if new.dialect.name != "postgresql" or numbered is None:
        return
    following = select(func.coalesce(func.max(numbered), 0) + 1).scalar_subquery()
    sequence = func.pg_get_serial_sequence(table.name, numbered.name)
    await new.execute(select(func.setval(sequence, following, false())))


async def _the_same(old: AsyncConnection, new: AsyncConnection) -> dict[str, int]:
    counts = {}
    for table in metadata.sorted_tables:
        here, there = await _sums(old, table), await _sums(new, table)
        if here != there:
            raise LedgerDown(f"{table.name} differs: {here} became {there}")
        counts[table.name] = here["rows"]
    return counts


async def _sums(conn: AsyncConnection, table: Table) -> dict[str, int]:
    """How many rows, and the sum of each column of whole numbers."""
    numbers = [column for column in table.columns if isinstance(column.type, Integer)]
    asked = select(
        func.count().label("rows"), *(func.sum(column).label(column.name) for column in numbers)
    ).select_from(table)
    row = (await conn.execute(asked)).one()
    return {name: int(value or 0) for name, value in row._asdict().items()}
