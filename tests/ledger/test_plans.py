"""With 10,000 jobs waiting, the questions that are asked all the time walk an index."""

import re
from collections.abc import Awaitable
from typing import Any

from sqlalchemy import event, insert, text

from tests.ledger.orders import accepted, order
from vivant.ledger import Ledger
from vivant.ledger.rows import columns_of
from vivant.ledger.schema import jobs

_MANY = 10_000


async def fill(ledger: Ledger) -> None:
    """Most are done, many wait, of two engines."""
    rows = [
        {
            **columns_of(order(f"telegram:{number}", engine=("puppet", "ltx")[number % 2])),
            "id": f"job-{number}",
            "state": "queued" if number % 2 else "done",
            "attempt": 0,
            "virtual_start": float(number),
            "virtual_finish": number + 1.0,
            "created_at": number,
            "ready_at": number,
        }
        for number in range(_MANY)
    ]
    async with ledger.db.writing() as conn:
        await conn.execute(insert(jobs), rows)
    await let_postgres_look(ledger)


async def let_postgres_look(ledger: Ledger) -> None:
    """As its autovacuum would soon; SQLite is not told anything, as in real life."""
    async with ledger.db.writing() as conn:
        if conn.dialect.name == "postgresql":
            await conn.execute(text("ANALYZE"))


async def plan_of(ledger: Ledger, question: Awaitable[Any], about: str) -> str:
    """How the database answers the first statement that *question* asks *about*."""
    asked: list[tuple[str, Any]] = []

    def on_statement(_conn: Any, _cursor: Any, statement: str, given: Any, *_: Any) -> None:
        if about in statement:
            asked.append((statement, given))

    engine = ledger.db.writers.sync_engine
    readers = ledger.db.readers.sync_engine
    for one in {engine, readers}:
        event.listen(one, "before_cursor_execute", on_statement)
    await question
    for one in {engine, readers}:
        event.remove(one, "before_cursor_execute", on_statement)
    statement, given = asked[0]
    explain = "EXPLAIN QUERY PLAN" if engine.dialect.name == "sqlite" else "EXPLAIN"
    async with ledger.db.writing() as conn:
        found = await conn.exec_driver_sql(f"{explain} {statement}", given)
        return "\n".join(str(row[-1]) for row in found)


def assert_walks(plan: str, index: str) -> None:
    assert index in plan, plan
    assert not re.search(r"Sort|TEMP B-TREE|Seq Scan|SCAN jobs(?! USING)", plan), plan


async def test_a_claim_takes_the_first_of_the_index(ledger: Ledger) -> None:
    await fill(ledger)

    plan = await plan_of(ledger, ledger.jobs.claim("w", ["puppet"]), "UPDATE jobs")

    assert_walks(plan, "ix_jobs_state_virtual_start_created_at_id_engine")


async def test_a_delivery_takes_the_first_of_the_index(ledger: Ledger) -> None:
    await fill(ledger)

    plan = await plan_of(ledger, ledger.jobs.claim_delivery("telegram", "7"), "UPDATE jobs")

    assert_walks(plan, "ix_jobs_platform_bot_state_ready_at_id")


async def test_the_event_of_a_job_is_looked_up(ledger: Ledger) -> None:
    await fill(ledger)

    plan = await plan_of(ledger, ledger.jobs.find("nothing like it"), "FROM jobs")

    assert "uq_jobs_key" in plan or "autoindex_jobs" in plan, plan


async def test_what_is_due_to_be_forgotten_is_found_among_what_is_forgotten(
    ledger: Ledger,
) -> None:
    """The rows of the forgotten stay for good: they must cost nothing."""
    await fill(ledger)
    async with ledger.db.writing() as conn:
        await conn.execute(text("UPDATE jobs SET purged_at = 1, ended_at = 1 WHERE state = 'done'"))
    await let_postgres_look(ledger)

    plan = await plan_of(ledger, ledger.jobs.forgettable(60), "FROM jobs")

    assert "ix_jobs_purged_at_ended_at" in plan, plan


async def test_an_acceptance_looks_at_one_senders_rows(ledger: Ledger) -> None:
    await fill(ledger)

    plan = await plan_of(ledger, accepted(ledger, "telegram:1"), "count(*)")

    assert "ix_jobs_owner_state" in plan, plan
    assert not re.search(r"Seq Scan on jobs|SCAN jobs$", plan, re.MULTILINE), plan
