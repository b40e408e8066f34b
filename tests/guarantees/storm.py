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
from tests.conftest import wait_until
from tests.guarantees.scenes import Scene
from vivant.messages import Messages

_LINES: Final = (Messages().here_it_comes(), Messages().about_your_photo())


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What happened, and what everybody saw and paid."""

    seed: int
    kills: dict[str, int]
    #: Calls that got lost, or their replies.
    spoilt: int
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
            f"calls spoilt      {self.spoilt:6}\n"
            f"photos sent       {self.photos:6}\n"
            f"  given up        {self.photos - self.accepted:6}  (its bot died again and again)\n"
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

    scene: Scene
    seed: int
    #: How many processes of each kind are kept alive.
    crew: dict[str, int]
    photo_every_s: float = 0.4
    kill_every_s: float = 2.5
    #: No new photo while so many wait: a slow machine is not buried.
    most_waiting: int = 40
    #: How long all may take to be over, once it is calm.
    patience_s: float = 240
    #: Who asked, by their names in the ledger.
    people: list[str] = field(default_factory=list)
    kills: dict[str, int] = field(default_factory=dict)
    spoilt: int = 0

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
            self.scene.calm()
            await wait_until(self._is_over, within_s=self.patience_s)
        return await self._count()

    async def _is_over(self) -> bool:
        return await self.scene.under_way() == 0

    async def _send_photos(self) -> None:
        while True:
            if await self.scene.under_way() < self.most_waiting:
                self.people.append(self.scene.somebody_asks())
            await asyncio.sleep(self.photo_every_s)

    async def _strike(self, chance: random.Random) -> None:
        fleet = self.scene.fleet
        if chance.random() < 0.5:
            self.scene.spoil(chance)
            self.spoilt += 1
        bot = self.scene.platform
        what = chance.choice(("engine", bot, "engine", bot, "redis"))
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
                    for _ in range(most - len(self.scene.fleet.alive(what))):
                        self.scene.fleet.start(what)
                await asyncio.sleep(0.1)

        keeping = asyncio.create_task(keep())
        try:
            yield
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])

    async def _count(self) -> Tally:
        ledger = self.scene.fleet.ledger
        free = int(self.scene.fleet.environment["VIVANT_FREE_CLIPS_PER_DAY"])
        shown = {owner: self.scene.shown(owner) for owner in self.people}
        credit = {owner: await ledger.people.credit(owner) for owner in self.people}
        accepted = sum((await ledger.jobs.counts()).values())
        answers = [one.clips + one.refusals for one in shown.values()]
        clips = sum(one.clips for one in shown.values())
        strays = [text for one in shown.values() for text in one.strays]
        lines = sum(text in _LINES for text in strays)
        return Tally(
            seed=self.seed,
            kills=self.kills,
            spoilt=self.spoilt,
            photos=len(self.people),
            accepted=accepted,
            clips=clips,
            refunds=sum(answers) - clips,
            lost=accepted - sum(count > 0 for count in answers),
            answered_twice=sum(count > 1 for count in answers),
            charged_wrongly=sum(
                (free - credit[owner].free, credit[owner].reserved) != (shown[owner].clips, 0)
                for owner in self.people
            ),
            repeated_edits=self.scene.clips_shown() - clips,
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
