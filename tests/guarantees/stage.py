"""A service at work on a Telegram on loopback, as whoever tests the promise looks at it."""

import io
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from PIL import Image
from sqlalchemy import case, func, select

from tests.chaos import Fleet, running_fleet
from tests.conftest import wait_until
from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person, Post, ShownMessage
from vivant.clips import JobState
from vivant.jobs import Job
from vivant.ledger import Ledger
from vivant.ledger.schema import inbox

_names = count()


@dataclass(frozen=True, slots=True)
class Stage:
    """A service at work on a Telegram on loopback."""

    fleet: Fleet
    telegram: FakeTelegram
    bot: BotAccount
    photo: bytes

    def somebody(self) -> Person:
        """A person whom no test has met."""
        return self.telegram.add_person(f"Ada{next(_names)}")

    def sends(self, person: Person, words: str = "slow zoom in") -> Post:
        return person.sends_photo(self.bot, self.photo, caption=words)

    def seen(self, person: Person) -> list[ShownMessage]:
        """What the bot's side of their chat shows."""
        return self.telegram.visible(person.chat_with(self.bot), by=self.bot)

    def clips(self, person: Person) -> list[ShownMessage]:
        return [message for message in self.seen(person) if message.media is not None]

    def answers(self, person: Person) -> list[ShownMessage]:
        """Clips, and words that say why there is none."""
        return [
            message
            for message in self.seen(person)
            if message.media is not None or "given back" in (message.text or "")
        ]

    def words(self, person: Person) -> list[str]:
        return [message.text or "" for message in self.seen(person) if message.media is None]

    async def until_seen(self, person: Person, words: str) -> None:
        await self.telegram.until(
            lambda: any(words in said for said in self.words(person)), timeout_s=40
        )

    async def one_clip(self, person: Person) -> ShownMessage:
        """The one clip of theirs, once it is counted and nothing more can come."""
        await self.telegram.until(lambda: self.clips(person), timeout_s=40)
        await self.all_over()
        (clip,) = self.clips(person)
        await self.costs(person, 1)
        return clip

    async def jobs_of(self, *states: JobState) -> list[Job]:
        found = await self.fleet.ledger.jobs.open_jobs()
        return [job for job in found if job.state in states]

    async def until_rendering(self, most: int = 1) -> None:
        async def there() -> bool:
            return len(await self.jobs_of(JobState.RENDERING)) >= most

        await wait_until(there, within_s=40)

    async def all_over(self, *, within_s: float = 60) -> None:
        """Every job has its end, and every update is seen to."""

        async def none_open() -> bool:
            return await self.under_way() == 0

        await wait_until(none_open, within_s=within_s)

    async def under_way(self) -> int:
        """Updates that nobody has seen to, and jobs that have no end."""
        known, _ = await unfinished(self.fleet.ledger)
        return len(self.bot.updates) + known

    async def costs(self, person: Person, clips: int) -> None:
        """What they paid in all; and the ledger adds up."""
        people = self.fleet.ledger.people
        credit = await people.credit(f"telegram:{person.id}")
        free = int(self.fleet.environment["VIVANT_FREE_CLIPS_PER_DAY"])
        assert (free - credit.free, credit.reserved) == (clips, 0)
        assert await people.discrepancies() == []


async def unfinished(ledger: Ledger) -> tuple[int, int]:
    """Updates that nobody has seen to and jobs that have no end; and how many updates came."""
    unread = func.count(case((inbox.c.state == "new", 1)))
    async with ledger.db.reading() as conn:
        new, heard = (await conn.execute(select(unread, func.count()).select_from(inbox))).one()
    counts = await ledger.jobs.counts()
    ended = counts.get(JobState.DONE, 0) + counts.get(JobState.UNDELIVERABLE, 0)
    return new + sum(counts.values()) - ended, heard


@asynccontextmanager
async def open_stage(folder: Path, **environment: str) -> AsyncGenerator[Stage]:
    """A Telegram, Redis and a ledger; no process of the service yet."""
    async with FakeTelegram() as telegram:
        bot = telegram.add_bot("vivant_bot")
        told = {"VIVANT_TELEGRAM_TOKEN": bot.token, "VIVANT_TELEGRAM_API_URL": telegram.url}
        async with running_fleet(folder, **told, **environment) as fleet:
            yield Stage(fleet, telegram, bot, small_photo())


def small_photo() -> bytes:
    """A JPEG that costs little to look at."""
    out = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").resize((160, 120)).save(out, "JPEG")
    return out.getvalue()
