"""The fault table, a test for each row: real processes, a real Redis, a real file of SQLite.

Each test's name says the fault; what holds is one visible answer, and a charge for a clip alone.
"""

import os
import signal

import pytest

from tests.chaos import ended
from tests.conftest import wait_until
from tests.fakes.telegram_api import FaultKind
from tests.guarantees.process import BOT_IN, BOT_OUT, ENGINE
from tests.guarantees.stage import Stage
from vivant.clips import JobState

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(120)]


# ---- processes that are killed


async def test_an_engine_is_killed_in_the_middle_of_a_render(stage: Stage) -> None:
    """Another one takes the job up when the lease has run out; one clip, one charge."""
    ada = stage.somebody()
    stage.sends(ada, "slow zoom in, wait")
    await stage.until_rendering()

    stage.fleet.one("engine").kill()
    stage.fleet.gate.touch()
    stage.fleet.start("engine")

    await stage.one_clip(ada)


@pytest.mark.parametrize("step", ENGINE)
async def test_an_engine_dies_at_each_step(stage: Stage, step: str) -> None:
    """Nothing lost, nothing doubled, whatever it had done already."""
    ada = stage.somebody()
    stage.fleet.stop_all("engine")
    engine = stage.fleet.start("engine", CRASH_AT=step)
    stage.sends(ada)

    assert await ended(engine) == -signal.SIGKILL
    stage.fleet.start("engine")

    await stage.one_clip(ada)


@pytest.mark.parametrize("step", [*BOT_IN, *BOT_OUT])
async def test_a_bot_dies_at_each_step(stage: Stage, step: str) -> None:
    """Nothing lost, nothing doubled: between the update's arrival and the job's end."""
    ada = stage.somebody()
    stage.fleet.stop_all("telegram")
    bot = stage.fleet.start("telegram", CRASH_AT=step)
    stage.sends(ada)

    assert await ended(bot) == -signal.SIGKILL
    stage.fleet.start("telegram")

    await stage.one_clip(ada)


async def test_an_engine_aborts_three_times_on_one_job(stage: Stage) -> None:
    """That job ends in words and a refund; the others are done."""
    ada, ben = stage.somebody(), stage.somebody()
    stage.sends(ada, "slow zoom in, abort")
    for _ in range(3):
        assert await ended(stage.fleet.one("engine")) == 134
    stage.sends(ben)
    stage.fleet.one("engine")

    await stage.one_clip(ben)
    await stage.until_seen(ada, "Your clip was given back")
    assert stage.clips(ada) == []
    await stage.costs(ada, 0)


# ---- processes that are frozen, or stuck


async def test_an_engine_is_frozen_beyond_its_lease_and_goes_on(stage: Stage) -> None:
    """What it made by then is fenced off: another one's clip stands, and it stands alone."""
    ada, ben = stage.somebody(), stage.somebody()
    stage.sends(ada, "slow zoom in, wait")
    await stage.until_rendering()
    frozen = stage.fleet.one("engine")
    frozen.freeze()
    stage.fleet.gate.touch()
    other = stage.fleet.start("engine")
    clip = await stage.one_clip(ada)

    other.kill()
    frozen.thaw()
    stage.sends(ben)

    await stage.one_clip(ben)
    assert stage.clips(ada) == [clip]
    await stage.costs(ada, 1)


async def test_an_engine_is_stuck_and_lets_nothing_else_run(stage: Stage) -> None:
    """No beat comes, so the lease runs out, and another engine makes the clip."""
    ada = stage.somebody()
    stage.sends(ada, "slow zoom in, stuck")
    await wait_until((stage.fleet.gate.parent / "was stuck").exists, within_s=40)

    stage.fleet.start("engine")

    await stage.one_clip(ada)
    stage.fleet.stop_all("engine")


async def test_a_bot_is_frozen_while_it_sends_a_line_and_goes_on(stage: Stage) -> None:
    """Another bot sends a line of its own, which becomes the clip; the first one lets go."""
    ada = stage.somebody()
    stage.fleet.stop_all("telegram")
    frozen = stage.fleet.start("telegram")
    stage.sends(ada, "slow zoom in, wait")
    await stage.until_rendering()
    await stage.telegram.until(lambda: stage.seen(ada), timeout_s=40)
    chat = ada.chat_with(stage.bot)
    ada.deletes(chat.posts[stage.seen(ada)[0].message_id])
    stage.telegram.faults.add(FaultKind.DELAY, method="sendMessage", delay_s=1)
    stage.fleet.gate.touch()
    await stage.until_seen(ada, "Here it comes")
    frozen.freeze()

    other = stage.fleet.start("telegram")
    clip = await stage.one_clip(ada)
    frozen.thaw()
    await wait_until(
        lambda: frozen.said("another bot has it by now") or len(stage.clips(ada)) > 1, within_s=40
    )

    assert stage.clips(ada) == [clip]
    await stage.costs(ada, 1)
    frozen.kill()
    assert other.is_alive


async def test_the_memory_is_short_again_and_again(stage: Stage) -> None:
    """Words and a refund after the third time; the next job is fine."""
    ada, ben = stage.somebody(), stage.somebody()
    stage.sends(ada, "slow zoom in, memory")
    stage.sends(ben)

    await stage.until_seen(ada, "did not fit into the graphics card")
    await stage.one_clip(ben)
    assert stage.clips(ada) == []
    await stage.costs(ada, 0)


# ---- Redis


async def test_redis_is_wiped_with_50_queued_and_4_rendering(stage: Stage) -> None:
    """All 54 end in one clip each: the ledger holds the jobs, and upkeep rings again."""
    stage.fleet.stop_all("engine")
    engine = stage.fleet.start("engine", WORKERS="4")
    people = [stage.somebody() for _ in range(54)]
    for person in people:
        stage.sends(person, "slow zoom in, wait")
    await stage.until_rendering(4)

    async def all_taken() -> bool:
        return len(await stage.jobs_of(JobState.QUEUED)) == 50

    await wait_until(all_taken, within_s=60)
    await stage.fleet.wipe_redis()
    stage.fleet.gate.touch()

    for person in people:
        await stage.one_clip(person)
    engine.kill()


async def test_redis_is_killed(stage: Stage) -> None:
    """A photo that is sent meanwhile is acknowledged; clips come once Redis is back."""
    ada, ben = stage.somebody(), stage.somebody()
    stage.sends(ada, "slow zoom in, wait")
    await stage.until_rendering()

    await stage.fleet.signal_redis(signal.SIGKILL)
    stage.sends(ben)
    stage.fleet.gate.touch()

    await stage.one_clip(ada)
    await stage.one_clip(ben)


async def test_redis_is_frozen(stage: Stage) -> None:
    """The ledger does not wait for it: a photo is taken and said to be; its clip comes later."""
    ada = stage.somebody()
    pid = await stage.fleet.signal_redis(signal.SIGSTOP)
    try:
        stage.sends(ada)
        await stage.telegram.until(lambda: stage.words(ada), timeout_s=40)
    finally:
        os.kill(pid, signal.SIGCONT)

    await stage.one_clip(ada)


# ---- Telegram


@pytest.mark.parametrize("method", ["sendMessage", "editMessageMedia"])
async def test_telegram_applies_a_call_and_drops_the_reply(stage: Stage, method: str) -> None:
    """One visible clip."""
    ada = stage.somebody()
    stage.telegram.faults.add(FaultKind.DROP_REPLY, method=method)

    stage.sends(ada)

    await stage.one_clip(ada)


async def test_telegram_asks_to_wait(stage: Stage) -> None:
    """At least as long as it says; and nothing is dropped."""
    ada = stage.somebody()
    wait_s = 3
    stage.telegram.faults.add(FaultKind.FLOOD, method="editMessageMedia", retry_after=wait_s)
    before = len(stage.telegram.called("editMessageMedia"))

    stage.sends(ada)

    await stage.one_clip(ada)
    refused, shown = stage.telegram.called("editMessageMedia")[before:]
    assert shown.at - refused.at >= wait_s


async def test_the_sender_blocks_the_bot(stage: Stage) -> None:
    """Undeliverable, refunded, and not tried again."""
    ada = stage.somebody()
    stage.sends(ada, "slow zoom in, wait")
    await stage.until_rendering()
    before = len(stage.telegram.called("editMessageMedia"))

    ada.blocks_bot(stage.bot)
    stage.fleet.gate.touch()
    await stage.all_over()

    await stage.costs(ada, 0)
    counts = await stage.fleet.ledger.jobs.counts()
    assert counts[JobState.UNDELIVERABLE] == 1
    assert len(stage.telegram.called("editMessageMedia")) - before == 1


async def test_telegram_is_in_trouble_for_a_while(stage: Stage) -> None:
    """Errors of its own, then it works: one clip."""
    ada = stage.somebody()
    stage.telegram.faults.add(FaultKind.ERROR, method="editMessageMedia", times=2, status=500)

    stage.sends(ada)

    await stage.one_clip(ada)


# ---- stopping, and standing by


async def test_an_engine_is_asked_to_stop_in_the_middle_of_a_render(stage: Stage) -> None:
    """It finishes what it has, and only then goes."""
    ada = stage.somebody()
    stage.sends(ada, "slow zoom in, wait")
    await stage.until_rendering()
    engine = stage.fleet.one("engine")

    engine.ask_to_stop()
    await wait_until(lambda: engine.said("stopping"))
    stage.fleet.gate.touch()

    await stage.one_clip(ada)
    assert await ended(engine) == 0


async def test_an_engine_that_cannot_finish_in_time_hands_its_job_back(stage: Stage) -> None:
    """At once, and not as a failure of that job."""
    ada = stage.somebody()
    stage.fleet.stop_all("engine")
    engine = stage.fleet.start("engine", VIVANT_DRAIN_S="0.1", VIVANT_LEASE_S="600")
    stage.sends(ada, "slow zoom in, wait")
    await stage.until_rendering()

    engine.ask_to_stop()

    assert await ended(engine) == 0
    (job,) = await stage.jobs_of(JobState.QUEUED)
    assert (job.attempt, job.failures) == (1, 0)
    stage.fleet.gate.touch()
    stage.fleet.start("engine")
    await stage.one_clip(ada)


async def test_a_second_bot_on_one_token_stands_by(stage: Stage) -> None:
    """It says so, disturbs nothing, and takes over when the first one is gone."""
    ada, ben = stage.somebody(), stage.somebody()
    stage.sends(ada)
    await stage.one_clip(ada)
    first = stage.fleet.one("telegram")
    before = len(stage.telegram.calls)
    second = stage.fleet.start("telegram")
    await wait_until(lambda: second.said("standing by"), within_s=40)
    # Neither before, where bots were killed, nor after the kill: Telegram may take a moment to see
    # that a line is dead.
    meanwhile = stage.telegram.calls[before:]
    assert all("terminated by other" not in str(call.refusal) for call in meanwhile)

    first.kill()
    stage.sends(ben)

    await stage.one_clip(ben)
