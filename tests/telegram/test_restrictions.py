"""Groups whose admins restrict what a bot may send: whoever asked is told, and not charged."""

import pytest

from tests.engines import QuickEngine
from tests.fakes.telegram_api import BotAccount, Chat, FakeTelegram, Person, Status
from tests.telegram.stage import all_over, answer_to, clip_in, says, spent
from vivant.chat import Verb
from vivant.clips import FailureReason
from vivant.messages import Messages
from vivant.services import Services

ANY_CLIP = {"animation", "video", "document"}
SAID = Messages()


@pytest.fixture
def group(telegram: FakeTelegram, bot: BotAccount, ada: Person) -> Chat:
    """Ada's, where the bot is no admin."""
    bot.privacy = False
    return telegram.add_supergroup("Quiet please", ada, bot)


async def test_where_no_clip_may_be_shown_the_chat_says_so(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    group: Chat,
    photo: bytes,
) -> None:
    """In place of the status message: why, what to do, and that it cost nothing."""
    group.forbidden = ANY_CLIP

    ada.sends_photo(group, photo, caption="@vivant_bot slow zoom in")

    await says(telegram, group, bot, SAID.failed(FailureReason.CLIP_FORBIDDEN))
    await all_over(services)
    assert len(telegram.visible(group, by=bot)) == 1
    assert await spent(services, ada) == 0
    refused = [call.refusal for call in telegram.called("editMessageMedia")]
    assert [refusal.description for refusal in refused if refusal] == [
        f"Bad Request: not enough rights to send {kind} to the chat"
        for kind in ("animations", "videos", "documents")
    ]


@pytest.mark.parametrize("has_met_the_bot", [True, False])
async def test_where_nothing_may_be_written_it_is_said_in_private(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    group: Chat,
    photo: bytes,
    has_met_the_bot: bool,
) -> None:
    """To whoever has started the bot; a bot cannot write to anybody else."""
    if has_met_the_bot:
        await answer_to(telegram, bot, ada.starts(bot))
    group.forbidden = {"text", *ANY_CLIP}

    ada.sends_photo(group, photo, caption="@vivant_bot slow zoom in")

    if has_met_the_bot:
        await says(telegram, ada.chat_with(bot), bot, SAID.could_not_answer())
    else:
        await telegram.until(lambda: len(telegram.called("sendMessage")) == 3)
        assert telegram.called("sendMessage")[-1].parameters["chat_id"] == ada.id
    await all_over(services)
    assert telegram.visible(group, by=bot) == []
    assert await spent(services, ada) == 0


async def test_whoever_asked_where_the_bot_was_put_out_is_told_in_private(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    group: Chat,
    photo: bytes,
) -> None:
    """While the engine was at work."""
    await answer_to(telegram, bot, ada.starts(bot))
    quick_engine.go.clear()
    ada.sends_photo(group, photo, caption="@vivant_bot slow zoom in")
    await telegram.until(lambda: telegram.visible(group, by=bot))

    telegram.stand(group, bot, Status.KICKED)
    quick_engine.go.set()

    await says(telegram, ada.chat_with(bot), bot, SAID.could_not_answer())
    await all_over(services)
    assert await spent(services, ada) == 0


@pytest.mark.parametrize(
    ("verb", "forbidden", "said"),
    [
        (Verb.FILE, {"document"}, SAID.no_clips_here()),
        (Verb.EDIT, {"text"}, SAID.may_not_write()),
    ],
)
async def test_a_button_there_says_why_nothing_comes(
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    group: Chat,
    photo: bytes,
    verb: Verb,
    forbidden: set[str],
    said: str,
) -> None:
    """A press has a word of its own, whatever the chat forbids."""
    ada.sends_photo(group, photo, caption="@vivant_bot slow zoom in")
    clip = await clip_in(telegram, group, bot)
    group.forbidden = forbidden

    query = ada.presses(clip.post, SAID.verb(verb))

    await telegram.until(lambda: query.answer)
    assert query.answer is not None
    assert query.answer["text"] == said
