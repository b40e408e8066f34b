"""The operator's words: the same at the command line and, for admins, in a private chat with a bot.

Whoever calls has seen that it is an admin who speaks. What changes anything is written down first,
so that the audit knows of it even where the process dies half way. English only, and therefore not
in `messages`: one operator reads it, and scripts do.
"""

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from vivant.clips import JobState
from vivant.errors import NotDone
from vivant.jobs import Job
from vivant.ledger import Ledger
from vivant.queue import Radio

#: Lines of a list; a chat message holds no more.
_LISTED: Final = 20
_MOST_GRANTED: Final = 100_000

_OVER: Final = (JobState.DONE, JobState.UNDELIVERABLE)

USAGE: Final = """\
jobs                 what waits, and what there is
jobs OWNER           what one person asked for, the newest first; OWNER is platform:user id
job ID               one job
cancel ID            end a job that has no answer yet; its clip is given back
refund ID            give a clip back that was charged
grant OWNER N        add N clips that do not lapse
ban OWNER            take nothing new from somebody
unban OWNER          take it again
reports              what was reported
drain on|off         take nothing new from anybody, or take it again
audit                what was done with these words, refused by policy, or given up
ledger check         whether the books add up"""


async def operate(
    ledger: Ledger, radio: Radio | None, words: str, *, by: str, event: str | None = None
) -> str:
    """Do as the operator says; what to answer, whether it could be done or not.

    *by* is "platform:user id"; *event* the platform's number of the message, so that the same
    message handled twice grants once. Without a *radio* an engine hears of a cancelled job at its
    next beat.
    """
    try:
        return await Desk(ledger, radio, by, event or secrets.token_hex(8)).do(words)
    except NotDone as exc:
        return str(exc)


@dataclass(frozen=True, slots=True)
class Desk:
    """One operator at work. Raises `NotDone`."""

    ledger: Ledger
    radio: Radio | None
    by: str
    event: str

    async def do(self, words: str) -> str:
        """One line of words; what became of it."""
        match words.split():
            case ["jobs"]:
                return await self._jobs()
            case ["jobs", owner]:
                return await self._jobs_of(owner)
            case ["job", job_id]:
                return _in_full(await self._job(job_id))
            case ["reports"]:
                return await self._reports()
            case ["audit"]:
                return await self._audit()
            case ["ledger", "check"]:
                return await self._check()
            case ["cancel", job_id]:
                return await self._noted(words, self._cancel, job_id)
            case ["refund", job_id]:
                return await self._noted(words, self._refund, job_id)
            case ["grant", owner, amount]:
                return await self._noted(words, self._grant, owner, amount)
            case ["ban", owner]:
                return await self._noted(words, self._ban, owner)
            case ["unban", owner]:
                return await self._noted(words, self._unban, owner)
            case ["drain", "on" | "off" as switch]:
                return await self._noted(words, self._drain, switch)
            case _:
                raise NotDone(USAGE)

    async def _noted(self, words: str, deed: Callable[..., Awaitable[str]], *named: str) -> str:
        note = await self.ledger.audit.note(self.by, " ".join(words.split()))
        try:
            said = await deed(*named)
        except NotDone as exc:
            await self.ledger.audit.conclude(note, f"nothing: {exc}")
            raise
        await self.ledger.audit.conclude(note, said)
        return said

    # ---- looking

    async def _jobs(self) -> str:
        counts = await self.ledger.jobs.counts()
        told = ", ".join(f"{counts.get(state, 0)} {state}" for state in JobState)
        lines = [f"{told} (of those not forgotten yet)"]
        if await self.ledger.fleet.is_draining():
            lines.append("draining: nothing new is taken")
        lines += [_in_short(job) for job in await self.ledger.jobs.open_jobs(limit=_LISTED)]
        return "\n".join(lines)

    async def _jobs_of(self, owner: str) -> str:
        asked = await self.ledger.jobs.latest(_owner(owner), _LISTED)
        return "\n".join(map(_in_short, asked)) or f"{owner} asked for nothing that is known."

    async def _reports(self) -> str:
        filed = await self.ledger.reports.latest(_LISTED)
        return "\n".join(
            f"{_moment(report.at_ms)} job {report.job_id} of {report.owner or 'somebody forgotten'}"
            f", by {report.by or 'somebody forgotten'}: {report.reason}"
            for report in filed
        ) or "Nothing was reported."  # fmt: skip

    async def _audit(self) -> str:
        deeds = await self.ledger.audit.latest(_LISTED)
        return "\n".join(
            f"{_moment(deed.at_ms)} {deed.by}: {deed.words} -> {deed.outcome or 'died on the way'}"
            for deed in deeds
        ) or "Nothing was done yet."  # fmt: skip

    async def _check(self) -> str:
        wrong = await self.ledger.people.discrepancies()
        if wrong:
            raise NotDone("\n".join(wrong))
        return "The books add up."

    # ---- changing

    async def _cancel(self, job_id: str) -> str:
        job = await self._job(job_id)
        if not await self.ledger.jobs.cancel(job.id):
            raise NotDone(f"Job {job.id} is {job.state}: too late to cancel.")
        if self.radio is not None:
            await self.radio.stop(job.id)
        return f"Job {job.id} is cancelled, and its clip given back."

    async def _refund(self, job_id: str) -> str:
        job = await self._job(job_id)
        if not await self.ledger.jobs.repay(job.id):
            if job.is_over or job.failure is not None:
                raise NotDone(f"Job {job.id} has nothing left to give back.")
            raise NotDone(f"Job {job.id} is {job.state} and not charged; cancel gives it back.")
        return f"A clip was given back for job {job.id}."

    async def _grant(self, owner: str, amount: str) -> str:
        if not amount.isascii() or not amount.isdigit() or not 1 <= int(amount) <= _MOST_GRANTED:
            raise NotDone(f"How many clips? 1 to {_MOST_GRANTED}, not {amount}.")
        source = f"grant:{self.by}:{self.event}"
        if not await self.ledger.people.grant(_owner(owner), int(amount), source=source):
            raise NotDone("That was granted already.")
        credit = await self.ledger.people.credit(owner)
        return f"{owner} has {credit.paid} paid and {credit.free} free clips now."

    async def _ban(self, owner: str) -> str:
        if not await self.ledger.people.ban(_owner(owner)):
            raise NotDone(f"{owner} is banned already.")
        return f"{owner} is banned. What was accepted is finished."

    async def _unban(self, owner: str) -> str:
        if not await self.ledger.people.unban(_owner(owner)):
            raise NotDone(f"{owner} is not banned.")
        return f"{owner} may ask again."

    async def _drain(self, switch: str) -> str:
        await self.ledger.fleet.drain(on=switch == "on")
        if switch == "off":
            return "New jobs are taken again."
        counts = await self.ledger.jobs.counts()
        unfinished = sum(count for state, count in counts.items() if state not in _OVER)
        return f"Nothing new is taken; {unfinished} to be finished."

    async def _job(self, job_id: str) -> Job:
        job = await self.ledger.jobs.get(job_id)
        if job is None:
            raise NotDone(f"There is no job {job_id}.")
        return job


def _owner(name: str) -> str:
    platform, colon, user_id = name.partition(":")
    if not (platform and colon and user_id):
        raise NotDone(f"{name} is nobody: write platform:user id, as in telegram:12345.")
    return name


def _in_short(job: Job) -> str:
    asked = _moment(job.created_at_ms)
    return f"{job.id} {job.state} for {job.owner or 'somebody forgotten'}, {job.engine}, {asked}"


def _in_full(job: Job) -> str:
    lines = [
        _in_short(job),
        f"attempt {job.attempt}, failures {job.failures}, tries to deliver {job.delivery_tries}",
    ]
    if job.plan is not None:
        lines.append("plan: " + ", ".join(beat.action for beat in job.plan.beats))
    if job.clip is not None:
        clip = job.clip
        lines.append(f"clip: {clip.width} x {clip.height}, {clip.duration_s:g} s")
    if job.failure is not None:
        lines.append(f"failure: {job.failure}")
    for what, at_ms in (
        ("claimed", job.claimed_at_ms),
        ("ready", job.ready_at_ms),
        ("ended", job.ended_at_ms),
    ):
        if at_ms is not None:
            lines.append(f"{what} {_moment(at_ms)}")
    return "\n".join(lines)


def _moment(at_ms: int) -> str:
    return f"{datetime.fromtimestamp(at_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
