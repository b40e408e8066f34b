"""A steady stream of photos while processes are killed at random; then everything is counted."""

import asyncio
import random
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from redis.exceptions import RedisError

from tests.chaos import Fleet
from tests.fakes.telegram_api import FaultKind, Person
from tests.guarantees.stage import Stage
from vivant.messages import Messages

_LINES: Final = (Messages().here_it_comes(), Messages().about_your_photo())
#: What Telegram does to a call now and then: applied or not, the bot is not told.
_SPOILT: Final = ("sendMessage", "editMessageMedia", "editMessageText")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What happened, and what everybody saw and paid."""

    seed: int
    kills: dict[str, int]
    dropped_replies: int
    photos: int
    #: Photos that became a job.
    accepted: int
    clips: int
    #: Jobs that ended in words, their credit given back.
    refunds: int
    #: Accepted, and no final answer is visible.
    lost: int
    #: More than one final answer is visible.
    answered_twice: int
    #: People who paid for something else than the clip that they see.
    charged_wrongly: int
    #: The clip was shown once more, over itself: nobody sees it.
    repeated_edits: int
    #: "On it" and the like that never became an answer: sent, and its bot died before it knew.
    stray_statuses: int
    #: "Here it comes" that never became an answer.
    stray_lines: int
    #: What the ledger's own check says.
    discrepancies: list[str]

    def __str__(self) -> str:
        said = ", ".join(f"{count} {what}" for what, count in self.kills.items())
        return (
            f"seed {self.seed}\n"
            f"killed            {sum(self.kills.values()):6}  ({said})\n"
            f"replies dropped   {self.dropped_replies:6}\n"
            f"photos sent       {self.photos:6}\n"
            f"  given up        {self.photos - self.accepted:6}  (its bot died three times)\n"
            f"jobs accepted     {self.accepted:6}\n"
            f"  with a clip     {self.clips:6}\n"
            f"  refunded        {self.refunds:6}\n"
            f"  lost            {self.lost:6}\n"
            f"  answered twice  {self.answered_twice:6}\n"
            f"  charged wrongly {self.charged_wrongly:6}\n"
            f"repeated edits    {self.repeated_edits:6}\n"
            f"stray statuses    {self.stray_statuses:6}\n"
            f"stray lines       {self.stray_lines:6}\n"
            f"discrepancies     {len(self.discrepancies):6}"
        )


@dataclass(slots=True)
class Storm:
    """Kills by one random sequence, so that a seed tells which; moments differ from run to run."""

    stage: Stage
    seed: int
    #: How many processes of each kind are kept alive.
    crew: dict[str, int]
    photo_every_s: float = 0.4
    kill_every_s: float = 2.5
    #: No new photo while so many wait: a slow machine is not buried.
    most_waiting: int = 40
    #: How long all may take to be over, once it is calm.
    patience_s: float = 240
    people: list[Person] = field(default_factory=list)
    kills: dict[str, int] = field(default_factory=dict)
    dropped: int = 0

    async def rage(self, *, seconds: float, kills: int | None = None) -> Tally:
        """For so long, or until so many are killed; then calm, until all is over."""
        chance = random.Random(self.seed)  # noqa: S311 - no secret
        until = time.monotonic() + seconds
        async with self._kept_alive():
            sending = asyncio.create_task(self._send_photos())
            try:
                while time.monotonic() < until:
                    if kills is not None and sum(self.kills.values()) >= kills:
                        break
                    await asyncio.sleep(chance.uniform(0, 2 * self.kill_every_s))
                    await self._strike(chance)
            finally:
                sending.cancel()
                await asyncio.wait([sending])
            self.stage.telegram.faults.coming.clear()
            await self.stage.all_over(within_s=self.patience_s)
        return await self._count()

    async def _send_photos(self) -> None:
        while True:
            if await self.stage.under_way() >= self.most_waiting:
                await asyncio.sleep(self.photo_every_s)
                continue
            person = self.stage.somebody()
            self.people.append(person)
            self.stage.sends(person)
            await asyncio.sleep(self.photo_every_s)

    async def _strike(self, chance: random.Random) -> None:
        fleet = self.stage.fleet
        if chance.random() < 0.5:
            kind = chance.choice((FaultKind.DROP_REPLY, FaultKind.DROP_CALL))
            self.stage.telegram.faults.add(kind, method=chance.choice(_SPOILT))
            self.dropped += 1
        what = chance.choice(("engine", "telegram", "engine", "telegram", "redis"))
        if what == "redis":
            if not await _killed_redis(fleet):
                return
        else:
            chance.choice(fleet.alive(what) or [fleet.start(what)]).kill()
        self.kills[what] = self.kills.get(what, 0) + 1

    @asynccontextmanager
    async def _kept_alive(self) -> AsyncGenerator[None]:
        """As a service manager does."""

        async def keep() -> None:
            while True:
                for what, most in self.crew.items():
                    for _ in range(most - len(self.stage.fleet.alive(what))):
                        self.stage.fleet.start(what)
                await asyncio.sleep(0.1)

        keeping = asyncio.create_task(keep())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])

    async def _count(self) -> Tally:
        stage = self.stage
        ledger = stage.fleet.ledger
        free = int(stage.fleet.environment["VIVANT_FREE_CLIPS_PER_DAY"])
        answers = {person.id: len(stage.answers(person)) for person in self.people}
        clips = {person.id: len(stage.clips(person)) for person in self.people}
        credit = {
            person.id: await ledger.people.credit(f"telegram:{person.id}") for person in self.people
        }
        accepted = sum((await ledger.jobs.counts()).values())
        edits = [
            call
            for call in stage.telegram.called("editMessageMedia")
            if call.refusal is None or "not modified" in call.refusal.description
        ]
        applied = [call for call in edits if call.fault is not FaultKind.DROP_CALL]
        strays = [
            message.text or ""
            for person in self.people
            for message in stage.seen(person)
            if message not in stage.answers(person)
        ]
        lines = sum(text in _LINES for text in strays)
        return Tally(
            seed=self.seed,
            kills=self.kills,
            dropped_replies=self.dropped,
            photos=len(self.people),
            accepted=accepted,
            clips=sum(clips.values()),
            refunds=sum(answers.values()) - sum(clips.values()),
            lost=accepted - sum(count > 0 for count in answers.values()),
            answered_twice=sum(count > 1 for count in answers.values()),
            charged_wrongly=sum(
                (free - credit[person.id].free, credit[person.id].reserved) != (clips[person.id], 0)
                for person in self.people
            ),
            repeated_edits=len(applied) - sum(clips.values()),
            stray_statuses=len(strays) - lines,
            stray_lines=lines,
            discrepancies=await ledger.people.discrepancies(),
        )


async def _killed_redis(fleet: Fleet) -> bool:
    """False where it is down already."""
    try:
        async with asyncio.timeout(1):
            await fleet.signal_redis(signal.SIGKILL)
    except (RedisError, OSError, TimeoutError):
        return False
    return True
