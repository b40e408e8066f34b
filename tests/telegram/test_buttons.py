"""The buttons under a clip: they survive a restart, and ask the ledger whose they are."""

from collections.abc import Awaitable, Callable

import pytest

from tests.conftest import wait_until
from tests.engines import QuickEngine
from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person, Post, ShownMessage
from tests.telegram.stage import at_work, clips_in, says
from vivant.chat import Verb
from vivant.messages import Messages
from vivant.services import Services

Clip = Callable[[], Awaitable[ShownMessage]]


@pytest.fixture
def clip(
    quick_engine: QuickEngine, telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> Clip:
    """A first clip, with its buttons."""

    async def made() -> ShownMessage:
        ada.sends_photo(bot, photo, caption="slow zoom in")
        return (await clips_in(telegram, ada.chat_with(bot), bot))[0]

    return made


def press(ada: Person, post: Post, verb: Verb) -> None:
    ada.presses(post, Messages().verb(verb))


@pytest.mark.parametrize("verb", [Verb.AGAIN, Verb.CALMER, Verb.STRONGER])
async def test_a_button_that_renders_makes_one_more_clip_and_says_what_it_costs(
    services: Services,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    clip: Clip,
    verb: Verb,
) -> None:
    """The first clip stays where it is."""
    first = await clip()

    query = ada.presses(first.post, Messages().verb(verb))

    await clips_in(telegram, ada.chat_with(bot), bot, count=2)
    await telegram.until(lambda: query.answer)
    assert query.answer is not None
    left = services.settings.free_clips_per_day - 2
    assert query.answer["text"] == Messages().costs_one(left)


async def test_other_words_are_asked_for_and_taken_as_a_reply(
    telegram: FakeTelegram, bot: BotAccount, ada: Person, clip: Clip
) -> None:
    """The same photo moves by them."""
    first = await clip()
    press(ada, first.post, Verb.EDIT)
    question = await says(telegram, ada.chat_with(bot), bot, Messages().ask_words())

    ada.says(bot, "gentle sway", reply_to=question.post)

    _, second = await clips_in(telegram, ada.chat_with(bot), bot, count=2)
    assert "“gentle sway”" in second.text


async def test_a_clip_comes_as_a_file(
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    clip: Clip,
) -> None:
    """With the very bytes of the clip, as a document that is not played."""
    first = await clip()
    assert first.media is not None

    press(ada, first.post, Verb.FILE)

    _, second = await clips_in(telegram, ada.chat_with(bot), bot, count=2)
    assert second.media is not None
    assert second.media.kind == "document"
    assert second.media.data == first.media.data


async def test_a_clip_is_deleted_here_and_on_our_side(
    services: Services, telegram: FakeTelegram, bot: BotAccount, ada: Person, clip: Clip
) -> None:
    """Nothing of it is left in the store."""
    first = await clip()
    press(ada, first.post, Verb.DELETE)

    await telegram.until(lambda: first.post.is_deleted)

    async def store_is_empty() -> bool:
        return [ref async for ref in services.media.older_than(0)] == []

    await wait_until(store_is_empty)


async def test_buttons_survive_a_restart_of_the_bot(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    account: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """What they say is in the ledger, not in the process."""
    async with at_work(services):
        ada.sends_photo(account, photo, caption="slow zoom in")
        (first,) = await clips_in(telegram, ada.chat_with(account), account)
    press(ada, first.post, Verb.AGAIN)

    async with at_work(services):
        await clips_in(telegram, ada.chat_with(account), account, count=2)


async def test_a_press_that_is_told_twice_is_done_once(
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    clip: Clip,
) -> None:
    """The press is the asking event."""
    first = await clip()
    press(ada, first.post, Verb.AGAIN)
    (update,) = bot.updates[-1:]

    telegram.tells_again(bot, update | {"update_id": bot.next_update_id + 3})
    await telegram.until(lambda: len(telegram.called("answerCallbackQuery")) == 2)

    await clips_in(telegram, ada.chat_with(bot), bot, count=2)
    assert quick_engine.renders == 2
