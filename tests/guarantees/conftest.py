"""One fleet for a whole page of tests: real processes that a test kills and the next one needs."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count

import pytest
import pytest_asyncio
from PIL import Image

from tests.chaos import Fleet, running_fleet
from tests.conftest import wait_until
from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person, Post, ShownMessage
from vivant.clips import JobState
from vivant.jobs import Job

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

    async def all_over(self) -> None:
        """Every job has its end, and every update is seen to."""

        async def none_open() -> bool:
            counts = await self.fleet.ledger.jobs.counts()
            ended = counts.get(JobState.DONE, 0) + counts.get(JobState.UNDELIVERABLE, 0)
            return sum(counts.values()) == ended and not self.bot.updates

        await wait_until(none_open, within_s=60)

    async def costs(self, person: Person, clips: int) -> None:
        """What they paid in all; and the ledger adds up."""
        people = self.fleet.ledger.people
        credit = await people.credit(f"telegram:{person.id}")
        free = int(self.fleet.environment["VIVANT_FREE_CLIPS_PER_DAY"])
        assert (free - credit.free, credit.reserved) == (clips, 0)
        assert await people.discrepancies() == []


@pytest.fixture(scope="module")
def small_photo() -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").convert("RGB").resize((160, 120)).save(out, "JPEG")
    return out.getvalue()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def page(
    tmp_path_factory: pytest.TempPathFactory, small_photo: bytes
) -> AsyncIterator[Stage]:
    """The fleet of a page of tests; nothing of it runs yet."""
    folder = tmp_path_factory.mktemp("fleet")
    async with FakeTelegram() as telegram:
        bot = telegram.add_bot("vivant_bot")
        told = {"VIVANT_TELEGRAM_TOKEN": bot.token, "VIVANT_TELEGRAM_API_URL": telegram.url}
        async with running_fleet(folder, **told) as fleet:
            yield Stage(fleet, telegram, bot, small_photo)


@pytest_asyncio.fixture(loop_scope="module")
async def stage(page: Stage) -> Stage:
    """One bot and one engine at work, and nothing under way."""
    page.fleet.gate.unlink(missing_ok=True)
    page.telegram.faults.coming.clear()
    page.fleet.one("engine")
    page.fleet.one("telegram")
    return page
