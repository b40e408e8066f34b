"""A bot at work on a Telegram on loopback, as its process runs it, and what is to be seen there."""

import asyncio
import io
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from PIL import Image
from pydantic import SecretStr
from sqlalchemy import Select, func, select

from tests.conftest import wait_until
from tests.fakes.telegram_api import BotAccount, Chat, FakeTelegram, Person, Post, ShownMessage
from vivant.bots.telegram import run
from vivant.clips import JobState
from vivant.ledger.schema import inbox, jobs
from vivant.services import Services
from vivant.settings import Settings


def set_up(settings: Settings, telegram: FakeTelegram, *accounts: BotAccount) -> Settings:
    """*settings* with the tokens of *accounts*."""
    tokens = SecretStr(", ".join(account.token for account in accounts))
    return settings.model_copy(update={"telegram_token": tokens, "telegram_api_url": telegram.url})


@asynccontextmanager
async def at_work(services: Services) -> AsyncGenerator[None]:
    """The bot, from its start to its stop."""
    stop = asyncio.Event()
    running = asyncio.create_task(run(services, stop))
    try:
        yield
    finally:
        stop.set()
        await running


def colour(name: str | tuple[int, int, int]) -> bytes:
    """A photo of one colour."""
    out = io.BytesIO()
    Image.new("RGB", (320, 240), name).save(out, "JPEG")
    return out.getvalue()


async def clips_in(
    telegram: FakeTelegram,
    chat: Chat,
    bot: BotAccount,
    *,
    count: int = 1,
    topic: int | None = None,
) -> list[ShownMessage]:
    """The bot's clips there, once there are *count*."""

    def clips() -> list[ShownMessage]:
        return [shown for shown in telegram.visible(chat, by=bot, topic=topic) if shown.media]

    await telegram.until(lambda: len(clips()) >= count, timeout_s=40)
    return clips()


async def clip_in(
    telegram: FakeTelegram, chat: Chat, bot: BotAccount, *, topic: int | None = None
) -> ShownMessage:
    """The one message of the bot there, once it is a clip."""
    await clips_in(telegram, chat, bot, topic=topic)
    (answer,) = telegram.visible(chat, by=bot)
    return answer


async def answer_to(telegram: FakeTelegram, bot: BotAccount, asked: Post) -> str:
    """What the bot replied."""
    chat = telegram.switchboard.chat_of(asked)

    def replies() -> list[str]:
        told = telegram.visible(chat, by=bot)
        return [message.text for message in told if message.reply_to == asked.message_id]

    await telegram.until(replies)
    return replies()[0]


async def says(telegram: FakeTelegram, chat: Chat, bot: BotAccount, text: str) -> ShownMessage:
    """The bot's message with *text* there, once it stands."""

    def found() -> list[ShownMessage]:
        return [shown for shown in telegram.visible(chat, by=bot) if shown.text == text]

    await telegram.until(found)
    return found()[0]


async def all_over(services: Services) -> None:
    """Every job has its end."""
    ends = [JobState.DONE, JobState.UNDELIVERABLE]
    await _none_of(services, select(func.count()).where(jobs.c.state.not_in(ends)))


async def all_seen_to(services: Services) -> None:
    """Every update has been handled."""
    await _none_of(services, select(func.count()).where(inbox.c.state == "new"))


async def _none_of(services: Services, counted: Select[int]) -> None:
    async def is_none() -> bool:
        async with services.ledger.db.reading() as conn:
            return (await conn.execute(counted)).scalar_one() == 0

    await wait_until(is_none)


async def spent(services: Services, ada: Person) -> int:
    """How many of today's clips *ada* has used, with none on the way."""
    credit = await services.ledger.people.credit(f"telegram:{ada.id}")
    assert credit.reserved == 0
    return services.settings.free_clips_per_day - credit.free
