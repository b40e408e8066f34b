"""The operator's words: what they do, that each is written down, and that scripts can tell."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner

from tests.conftest import wait_until
from tests.ledger.orders import (
    ANN,
    BOB,
    LEASES,
    LIMITS,
    accepted,
    claimed,
    delivered,
    kinds,
    now,
    rendered,
)
from vivant.__main__ import app
from vivant.clips import FailureReason, JobState, RefusalReason
from vivant.errors import Refused
from vivant.ledger import Ledger, open_ledger
from vivant.ledger.schema import accounts
from vivant.operations import USAGE, operate
from vivant.queue import STOPS, Radio, listening, open_bells
from vivant.queue.local_redis import local_redis

ADMIN = "telegram:9"
Say = Callable[[str], Awaitable[str]]


@pytest.fixture
def ledger_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'ledger.sqlite3'}"


@pytest.fixture
async def ledger(ledger_url: str) -> AsyncGenerator[Ledger]:
    async with open_ledger(ledger_url, LEASES, LIMITS) as ledger:
        yield ledger


@pytest.fixture
def say(ledger: Ledger) -> Say:
    async def said(words: str) -> str:
        return await operate(ledger, None, words, by=ADMIN)

    return said


async def written_down(ledger: Ledger) -> list[tuple[str, str | None]]:
    return [(deed.words, deed.outcome) for deed in await ledger.audit.latest(50)][::-1]


async def test_jobs_are_counted_and_the_next_are_listed(ledger: Ledger, say: Say) -> None:
    await delivered(ledger)
    first, second = await accepted(ledger, ANN), await accepted(ledger, BOB)

    counted, *listed = (await say("jobs")).splitlines()

    assert counted.startswith(
        "2 queued, 0 rendering, 0 ready, 0 sending, 1 done, 0 undeliverable ("
    )
    assert {line.split()[0] for line in listed} == {first.id, second.id}
    assert await written_down(ledger) == []


async def test_what_one_person_asked_for_is_listed_ended_or_not(ledger: Ledger, say: Say) -> None:
    done = await delivered(ledger)
    waiting = await accepted(ledger, ANN)
    await accepted(ledger, BOB)

    listed = (await say(f"jobs {ANN}")).splitlines()

    assert [line.split()[:2] for line in listed] == [[waiting.id, "queued"], [done.id, "done"]]
    assert await say("jobs telegram:404") == "telegram:404 asked for nothing that is known."


async def test_one_job_is_told_in_full_without_what_its_sender_wrote(
    ledger: Ledger, say: Say
) -> None:
    job = await delivered(ledger)

    told = await say(f"job {job.id}")

    assert f"{job.id} done for {ANN}" in told
    assert "640 x 480" in told
    assert "group hug" not in told
    assert await say("job nothing") == "There is no job nothing."


async def test_cancel_ends_a_job_gives_its_clip_back_and_tells_the_engines(
    ledger: Ledger, tmp_path: Path
) -> None:
    await accepted(ledger)
    job = await claimed(ledger)
    heard: list[bytes] = []

    async def hear(message: bytes) -> None:
        heard.append(message)

    async with (
        local_redis(tmp_path) as url,
        open_bells(url) as bells,
        listening(url, STOPS, hear),
    ):

        async def is_listening() -> bool:
            subscribed: list[tuple[bytes, int]] = await bells.redis.pubsub_numsub(STOPS)
            return subscribed[0][1] == 1

        await wait_until(is_listening)
        said = await operate(ledger, Radio(bells.redis), f"cancel {job.id}", by=ADMIN)
        await wait_until(lambda: heard == [job.id.encode()])

    assert said == f"Job {job.id} is cancelled, and its clip given back."
    assert (await now(ledger, job)).failure is FailureReason.CANCELLED
    assert await kinds(ledger, job) == ["reserve", "refund"]
    assert await written_down(ledger) == [(f"cancel {job.id}", said)]


async def test_cancel_comes_too_late_for_a_clip_that_is_there(ledger: Ledger, say: Say) -> None:
    job = await rendered(ledger)

    said = await say(f"cancel {job.id}")

    assert said == f"Job {job.id} is ready: too late to cancel."
    assert await written_down(ledger) == [(f"cancel {job.id}", f"nothing: {said}")]


async def test_refund_gives_a_charged_clip_back_once(ledger: Ledger, say: Say) -> None:
    job = await delivered(ledger)

    assert await say(f"refund {job.id}") == f"A clip was given back for job {job.id}."
    assert await say(f"refund {job.id}") == f"Job {job.id} has nothing left to give back."

    assert (await ledger.people.credit(ANN)).paid == 1
    assert await say("ledger check") == "The books add up."


async def test_refund_of_a_job_that_is_not_charged_changes_nothing(
    ledger: Ledger, say: Say
) -> None:
    job = await accepted(ledger)

    assert "cancel gives it back" in await say(f"refund {job.id}")

    assert (await now(ledger, job)).state is JobState.QUEUED
    assert (await ledger.people.credit(ANN)).paid == 0


async def test_grant_adds_clips_and_the_same_message_twice_adds_them_once(ledger: Ledger) -> None:
    for _ in range(2):
        await operate(ledger, None, f"grant {ANN} 5", by=ADMIN, event="message 77")
    await operate(ledger, None, f"grant {ANN} 2", by=ADMIN, event="message 78")

    assert (await ledger.people.credit(ANN)).paid == 7


@pytest.mark.parametrize("amount", ["0", "-3", "many", "1000000000", "٣"])
async def test_grant_of_no_number_is_explained(ledger: Ledger, say: Say, amount: str) -> None:
    assert (await say(f"grant {ANN} {amount}")).startswith("How many clips?")

    assert (await ledger.people.credit(ANN)).paid == 0


@pytest.mark.parametrize("words", ["ban ann", "grant ann 5", "unban :5", "ban telegram:"])
async def test_whoever_is_nobody_is_explained(say: Say, words: str) -> None:
    assert "as in telegram:12345" in await say(words)


async def test_ban_and_unban_are_obeyed(ledger: Ledger, say: Say) -> None:
    assert (await say(f"ban {ANN}")).startswith(f"{ANN} is banned.")
    assert await say(f"ban {ANN}") == f"{ANN} is banned already."
    with pytest.raises(Refused) as refused:
        await ledger.people.knock(ANN)
    assert refused.value.reason is RefusalReason.NOT_ALLOWED

    assert await say(f"unban {ANN}") == f"{ANN} may ask again."

    await ledger.people.knock(ANN)
    assert await say(f"unban {ANN}") == f"{ANN} is not banned."


async def test_drain_is_obeyed_and_shown(ledger: Ledger, say: Say) -> None:
    await accepted(ledger)

    assert await say("drain on") == "Nothing new is taken; 1 to be finished."
    assert "draining" in await say("jobs")
    with pytest.raises(Refused):
        await ledger.people.knock(ANN)

    assert await say("drain off") == "New jobs are taken again."
    await ledger.people.knock(ANN)


async def test_reports_are_listed(ledger: Ledger, say: Say) -> None:
    assert await say("reports") == "Nothing was reported."
    job = await delivered(ledger)
    await ledger.reports.file(job.id, BOB, "harmful")

    assert f"job {job.id} of {ANN}, by {BOB}: harmful" in await say("reports")


async def test_the_audit_tells_who_did_what(say: Say) -> None:
    await say(f"ban {ANN}")

    assert f"{ADMIN}: ban {ANN} -> {ANN} is banned." in await say("audit")


async def test_ledger_check_tells_what_does_not_add_up(ledger: Ledger, say: Say) -> None:
    await accepted(ledger)
    async with ledger.db.writing() as conn:
        await conn.execute(update(accounts).values(balance=3))

    assert await say("ledger check") == f"{ANN}: paid is 3, the entries say 0"


@pytest.mark.parametrize("words", ["", "help", "drain maybe", "cancel", "cancel a b", "drop table"])
async def test_what_is_not_understood_is_answered_with_all_there_is(say: Say, words: str) -> None:
    assert await say(words) == USAGE


# ---- at the command line


def test_the_command_line_says_the_same_and_signs_as_the_machine(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIVANT_DATABASE_URL", ledger_url)

    shown = CliRunner().invoke(app, ["admin", "ban", ANN])
    again = CliRunner().invoke(app, ["admin", "ban", ANN])
    audit = CliRunner().invoke(app, ["admin", "audit"])

    assert (shown.exit_code, shown.stdout) == (
        0, f"{ANN} is banned. What was accepted is finished.\n"
    )  # fmt: skip
    assert (again.exit_code, again.stderr) == (1, f"vivant: {ANN} is banned already.\n")
    assert "machine:" in audit.stdout


def test_a_script_can_tell_whether_the_books_add_up(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIVANT_DATABASE_URL", ledger_url)
    for words in (["ledger", "check"], ["admin", "ledger", "check"]):
        assert CliRunner().invoke(app, words).exit_code == 0

    async def spoil() -> None:
        async with open_ledger(ledger_url, LEASES, LIMITS) as ledger:
            await accepted(ledger)
            async with ledger.db.writing() as conn:
                await conn.execute(update(accounts).values(balance=3))

    asyncio.run(spoil())

    found = CliRunner().invoke(app, ["ledger", "check"])
    assert (found.exit_code, found.stderr) == (
        1, f"vivant: {ANN}: paid is 3, the entries say 0\n"
    )  # fmt: skip


def test_a_move_into_nowhere_is_said_in_one_line(
    ledger_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIVANT_DATABASE_URL", ledger_url)

    moved = CliRunner().invoke(
        app, ["ledger", "move", "--to", "postgresql+asyncpg://nobody@127.0.0.1:1/none"]
    )

    assert moved.exit_code == 1
    assert moved.stderr.startswith("vivant: ")
    assert moved.stderr.count("\n") == 1
