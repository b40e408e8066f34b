"""The table of bad input, but for images (those are in tests/photos): a test for each row.

On Telegram; the rows that Discord answers differently are in tests/discord_bot. Each refusal is
one reply, and nothing is charged.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import pytest

from tests.conftest import wait_until
from tests.engines import QuickEngine
from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person, Post
from tests.telegram.stage import at_work, set_up
from vivant.clips import RefusalReason
from vivant.errors import Refused
from vivant.intake import owner_of
from vivant.messages import Messages
from vivant.services import Services, open_services
from vivant.settings import Settings

pytestmark = pytest.mark.timeout(120)

_WORDS = Messages("en")
#: A machine that is busy with other tests takes its time to look at the first photo.
_PATIENCE_S = 40


@dataclass(frozen=True, slots=True)
class Counter:
    """Where somebody asks: one bot, one engine, one person."""

    telegram: FakeTelegram
    bot: BotAccount
    services: Services
    ada: Person
    photo: bytes

    def asks(self, words: str = "slow zoom in") -> Post:
        return self.ada.sends_photo(self.bot, self.photo, caption=words)

    async def answer(self, asked: Post, *, number: int = 1) -> list[str]:
        """The replies to one message, once there are so many."""

        def replies() -> list[str]:
            shown = self.telegram.visible(self.ada.chat_with(self.bot), by=self.bot)
            return [m.text or "" for m in shown if m.reply_to == asked.message_id]

        await self.telegram.until(lambda: len(replies()) >= number, timeout_s=_PATIENCE_S)
        return replies()

    async def refused(self, asked: Post, reason: RefusalReason, **told: object) -> str:
        """The one reply says why, and that nothing was charged; and so it is."""
        (said,) = await self.answer(asked)
        why = _WORDS.refused(Refused(reason, **told)).removesuffix("Nothing was charged.")
        assert said.startswith(why)
        assert said.endswith("Nothing was charged.")
        await self.costs(0)
        return said

    async def clip(self, asked: Post) -> str:
        """What stands under the clip that *asked* became."""

        def clips() -> list[str]:
            shown = self.telegram.visible(self.ada.chat_with(self.bot), by=self.bot)
            return [m.text or "" for m in shown if m.reply_to == asked.message_id and m.media]

        await self.telegram.until(clips, timeout_s=_PATIENCE_S)
        (caption,) = clips()
        return caption

    async def costs(self, clips: int) -> None:
        owner = owner_of("telegram", str(self.ada.id))

        async def settled() -> bool:
            return (await self.services.ledger.people.credit(owner)).reserved == 0

        await wait_until(settled)
        credit = await self.services.ledger.people.credit(owner)
        assert self.services.settings.free_clips_per_day - credit.free == clips
        assert await self.services.ledger.people.discrepancies() == []


OpenCounter = Callable[..., AbstractAsyncContextManager[Counter]]


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as running:
        yield running


@pytest.fixture
def account(telegram: FakeTelegram) -> BotAccount:
    return telegram.add_bot("vivant_bot")


@pytest.fixture
def ada(telegram: FakeTelegram) -> Person:
    return telegram.add_person("Ada")


@pytest.fixture
def settings(settings: Settings, telegram: FakeTelegram, account: BotAccount) -> Settings:
    return set_up(settings, telegram, account)


@pytest.fixture
async def counter(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    account: BotAccount,
    ada: Person,
    photo: bytes,
) -> AsyncIterator[Counter]:
    """With nothing rationed."""
    async with at_work(services):
        yield Counter(telegram, account, services, ada, photo)


@pytest.fixture
def open_counter(
    settings: Settings, telegram: FakeTelegram, account: BotAccount, ada: Person, photo: bytes
) -> OpenCounter:
    """With settings of one's own, and no engine."""

    @asynccontextmanager
    async def opened(**changes: object) -> AsyncGenerator[Counter]:
        async with (
            open_services(settings.model_copy(update=changes)) as services,
            at_work(services),
        ):
            yield Counter(telegram, account, services, ada, photo)

    return opened


# ---- words


async def test_a_caption_of_1024_characters_is_refused(counter: Counter) -> None:
    """The longest that Telegram carries under a photo; the limit is named."""
    said = await counter.refused(
        counter.asks("hug " * 256), RefusalReason.CAPTION_TOO_LONG, limit=1000
    )

    assert "1000" in said


async def test_words_of_4000_characters_are_refused(counter: Counter) -> None:
    """The longest message, as an answer to a photo."""
    shown = counter.ada.sends_photo(counter.bot, counter.photo)
    await counter.answer(shown)

    counter.ada.says(counter.bot, "/animate " + "hug " * 990, reply_to=shown)

    def refusals() -> list[str]:
        seen = counter.telegram.visible(counter.ada.chat_with(counter.bot), by=counter.bot)
        return [m.text or "" for m in seen if "That is a lot of words" in (m.text or "")]

    await counter.telegram.until(refusals, timeout_s=_PATIENCE_S)
    assert len(refusals()) == 1
    await counter.costs(0)


@pytest.mark.parametrize(
    "words",
    [
        "slow zoom in @everyone @here @ada",
        "slow zoom in <b>bold</b> &amp; <a href='tg://user?id=1'>you</a>",
        "slow zoom in *bold* _it_ [you](tg://user?id=1) ||x|| `code` \\ . ! - #",
    ],
    ids=["mentions", "HTML", "MarkdownV2"],
)
async def test_signs_are_shown_as_they_were_written(counter: Counter, words: str) -> None:
    """No parse mode and no entities of ours: nobody is pinged, nothing is bold."""
    caption = await counter.clip(counter.asks(words))

    # A name is shown as it was written, and a sign that cannot be seen keeps it from ringing.
    assert words in caption.replace("\N{WORD JOINER}", "")
    for call in counter.telegram.calls:
        assert "parse_mode" not in str(call.parameters)
        assert "entities" not in str(call.parameters)


@pytest.mark.parametrize("words", ["be RUDE to him", "undress him"])
async def test_blocked_words_are_refused_and_written_down(
    open_counter: OpenCounter, words: str
) -> None:
    """With an audit row, in which the words themselves do not stand."""
    async with open_counter(blocked_words=("rude",)) as counter:
        await counter.refused(counter.asks(words), RefusalReason.POLICY)
        (deed,) = await counter.services.ledger.audit.latest(5)

    assert deed.by == f"telegram:{counter.ada.id}"
    assert "him" not in deed.words


async def test_a_photo_without_words_is_asked_about(counter: Counter) -> None:
    """What fits it is offered, and nothing is charged yet."""
    shown = counter.ada.sends_photo(counter.bot, counter.photo)
    (said,) = await counter.answer(shown)

    assert said == _WORDS.what_should_happen()
    await counter.costs(0)


async def test_words_without_a_photo_are_told_how(counter: Counter) -> None:
    """One example."""
    assert await counter.answer(counter.ada.says(counter.bot, "hello")) == [_WORDS.usage()]


@pytest.mark.parametrize("text", ["/frobnicate", "/start " + "x" * 64])
async def test_an_unknown_command_and_a_long_start_are_answered_with_help(
    counter: Counter, text: str
) -> None:
    """A start payload has 64 characters at most."""
    (said,) = await counter.answer(counter.ada.says(counter.bot, text))

    assert "/status" in said
    assert "xxx" not in said


# ---- files and repetitions


async def test_a_document_of_19_megabytes_is_taken(counter: Counter) -> None:
    """Just within."""
    large = counter.photo + bytes(19_000_000 - len(counter.photo))
    asked = counter.ada.sends_document(
        counter.bot, large, "me.jpg", "image/jpeg", caption="slow zoom in"
    )

    await counter.clip(asked)


async def test_a_document_of_21_megabytes_is_refused_and_the_limit_named(counter: Counter) -> None:
    """Telegram is not even asked for the file."""
    large = counter.photo + bytes(21 * 1024 * 1024)
    asked = counter.ada.sends_document(counter.bot, large, "me.jpg", "image/jpeg", caption="hug")

    assert "20 MB" in await counter.refused(asked, RefusalReason.TOO_BIG, limit=20)
    assert counter.telegram.called("getFile") == []


async def test_the_same_update_twice_is_one_job_and_one_charge(counter: Counter) -> None:
    """Under its own number, and under another."""
    asked = counter.asks()
    (update,) = counter.bot.updates
    await counter.clip(asked)

    counter.telegram.tells_again(counter.bot, update)
    later = counter.bot.next_update_id + 7
    counter.telegram.tells_again(counter.bot, update | {"update_id": later})
    await counter.answer(counter.ada.says(counter.bot, "hello"))
    await counter.telegram.until(lambda: not counter.bot.updates)

    await counter.clip(asked)
    await counter.costs(1)
    assert len(await counter.services.ledger.jobs.counts()) == 1


# ---- who may, and how much


async def test_no_credit_is_refused_and_the_renewal_told(open_counter: OpenCounter) -> None:
    """When new clips come."""
    async with open_counter(free_clips_per_day=0) as counter:
        said = await counter.refused(counter.asks(), RefusalReason.NO_CREDIT)

    assert "New ones come" in said


@pytest.mark.parametrize("row", ["banned", "chat not on the list"])
async def test_who_may_not_is_told_so_once_an_hour(open_counter: OpenCounter, row: str) -> None:
    """The second time there is no answer at all."""
    async with open_counter(allowed_chats=("telegram:1",) if row != "banned" else ()) as counter:
        owner = f"telegram:{counter.ada.id}"
        if row == "banned":
            await counter.services.ledger.people.ban(owner)
        await counter.refused(counter.asks(), RefusalReason.NOT_ALLOWED)
        counter.asks()
        await counter.answer(counter.ada.says(counter.bot, "/frobnicate"))
        shown = counter.telegram.visible(counter.ada.chat_with(counter.bot), by=counter.bot)

    assert sum("I may not work for you" in (message.text or "") for message in shown) == 1


async def test_a_fourth_open_job_is_refused(open_counter: OpenCounter) -> None:
    """Three wait already, and a way out is named."""
    async with open_counter(max_open_jobs=3) as counter:
        for _ in range(3):
            await counter.answer(counter.asks())
        (said,) = await counter.answer(counter.asks())

    assert said == _WORDS.refused(Refused(RefusalReason.TOO_MANY_OPEN, limit=3))


async def test_a_sixth_request_in_a_minute_is_refused(open_counter: OpenCounter) -> None:
    """Whatever the first five were."""
    async with open_counter(max_requests_per_minute=5, blocked_words=("rude",)) as counter:
        for number in range(5):
            await counter.answer(counter.asks("rude" if number % 2 else "slow zoom in"))
        (said,) = await counter.answer(counter.asks())

    assert said == _WORDS.refused(Refused(RefusalReason.TOO_FAST, limit=5))


async def test_with_no_engine_alive_a_photo_is_taken_and_waits(open_counter: OpenCounter) -> None:
    """It says so, and the job waits."""
    async with open_counter() as counter:
        (said,) = await counter.answer(counter.asks())
        waiting = await counter.services.ledger.jobs.waiting()

    assert "Your photo waits: no engine is running now." in said
    assert waiting == 1
