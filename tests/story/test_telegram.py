"""The whole story on Telegram: a photo and a few words in, a clip in the same thread out."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.conftest import frames_of
from tests.engines import QuickEngine
from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person, ShownMessage
from tests.telegram.stage import at_work, set_up
from vivant.messages import Messages
from vivant.services import Services
from vivant.settings import Settings


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    """A Bot API server on loopback that refuses what Telegram refuses."""
    async with FakeTelegram() as running:
        yield running


@pytest.fixture
def account(telegram: FakeTelegram) -> BotAccount:
    return telegram.add_bot("vivant_bot")


@pytest.fixture
def settings(settings: Settings, telegram: FakeTelegram, account: BotAccount) -> Settings:
    return set_up(settings, telegram, account)


@pytest.fixture
def ada(telegram: FakeTelegram) -> Person:
    return telegram.add_person("Ada")


async def test_a_photo_on_telegram_comes_back_as_a_clip(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    account: BotAccount,
    ada: Person,
    photo: bytes,
    tmp_path: Path,
) -> None:
    """One message of ours in the chat: it says "on it", moves on, and becomes the clip."""
    chat = ada.chat_with(account)
    async with at_work(services):
        asked = ada.sends_photo(account, photo, caption="slow zoom in")
        await telegram.until(lambda: any(m.media for m in telegram.visible(chat, by=account)))
    (answer,) = telegram.visible(chat, by=account)

    assert answer.reply_to == asked.message_id
    assert "slow zoom in" in answer.text
    assert "AI-generated" in answer.text
    clip = answer.media
    assert clip is not None
    assert clip.kind == "animation"
    assert (clip.width, clip.height, clip.duration_s) == (160, 120, 1)
    assert clip.thumbnail is not None
    assert clip.file_name is not None
    assert clip.file_name.endswith(".mp4")
    frames = frames_of(clip.data, tmp_path)
    assert len(frames) == 8
    assert frames[0].shape == (120, 160, 3)
    assert abs(frames[0].astype(int) - frames[-1].astype(int)).mean() > 3
    assert telegram.shown(asked).reactions == {account.id: ["👀"]}
    assert await services.ledger.people.discrepancies() == []


async def test_a_photo_that_is_in_a_topic_already_moves_there_and_moves_again(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    account: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """Bob's photo, Ada's words, in a forum whose other messages the bot cannot see."""
    bob = telegram.add_person("Bob")
    forum = telegram.add_supergroup("Club", ada, bob, account, is_forum=True)
    topic = telegram.add_topic(forum, "Holidays", ada)

    def clips() -> list[ShownMessage]:
        return [message for message in telegram.visible(forum, topic=topic.id) if message.media]

    async with at_work(services):
        shown = bob.sends_photo(forum, photo, topic=topic.id)
        ada.says(forum, "/animate@vivant_bot slow zoom in", topic=topic.id, reply_to=shown)
        await telegram.until(lambda: len(clips()) == 2)
        first = clips()[1]
        assert first.reply_to == shown.message_id

        theirs = bob.presses(first.post, "Again")
        await telegram.until(lambda: theirs.answer)
        mine = ada.presses(first.post, "Again")
        await telegram.until(lambda: len(clips()) == 3)
        await telegram.until(lambda: mine.answer)

    assert theirs.answer is not None
    assert theirs.answer["text"] == Messages().not_yours()
    assert quick_engine.renders == 2
    credit = await services.ledger.people.credit(f"telegram:{ada.id}")
    assert credit.free == services.settings.free_clips_per_day - 2
    assert (await services.ledger.people.credit(f"telegram:{bob.id}")).reserved == 0
    assert await services.ledger.people.discrepancies() == []


async def test_an_album_is_one_clip_and_says_which_photo(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    account: BotAccount,
    ada: Person,
    photo: bytes,
    astronaut: bytes,
) -> None:
    """Its photos come one by one, with the words on any of them."""
    chat = ada.chat_with(account)
    async with at_work(services):
        posts = ada.sends_album(account, [photo, astronaut], caption="slow zoom in", captioned=1)
        await telegram.until(lambda: any(m.media for m in telegram.visible(chat, by=account)))

    (answer,) = telegram.visible(chat, by=account)
    assert answer.reply_to == posts[0].message_id
    assert "the first photo of your album" in answer.text
    assert quick_engine.renders == 1
