"""How a clip is shown, and what each of Telegram's refusals means to us."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from telegram import Bot

from tests.fakes.telegram_api import BotAccount, FakeTelegram, FaultKind, Person
from vivant.bots.telegram.outgoing import TelegramPlatform
from vivant.bots.telegram.server import Server, open_bot
from vivant.chat import Answer, Button, Film, Verb
from vivant.clips import Clip, MediaRef, ReplyTo
from vivant.errors import (
    ClipRefused,
    FileTooLarge,
    MessageGone,
    PlatformError,
    TryLater,
    Undeliverable,
)
from vivant.houses import Houses
from vivant.services import Services

VIDEO = b"\x00\x00\x00\x18ftypmp42" + bytes(500)


@pytest.fixture
async def api(telegram: FakeTelegram, account: BotAccount) -> AsyncIterator[Bot]:
    async with open_bot(Server(telegram.url), account.token) as api:
        yield api


@pytest.fixture
def platform(api: Bot, account: BotAccount, services: Services) -> TelegramPlatform:
    return TelegramPlatform(api, str(account.id), Houses(services.ledger))


@pytest.fixture
def to(ada: Person, account: BotAccount) -> ReplyTo:
    asked = ada.says(account, "hello")
    return ReplyTo(
        platform="telegram",
        bot=str(account.id),
        chat_id=str(ada.id),
        message_id=str(asked.message_id),
    )


@pytest.fixture
def film(photo: bytes) -> Film:
    ref = MediaRef(key="x", media_type="video/mp4", size_bytes=len(VIDEO))
    clip = Clip(video=ref, width=640, height=480, duration_s=3.4, has_sound=False, thumbnail=ref)
    return Film(clip=clip, video=VIDEO, thumbnail=photo, file_name="clip.mp4", text="words")


@pytest.mark.parametrize(("has_sound", "kind"), [(False, "animation"), (True, "video")])
async def test_silent_clips_loop_and_others_are_videos(
    telegram: FakeTelegram,
    platform: TelegramPlatform,
    account: BotAccount,
    ada: Person,
    to: ReplyTo,
    film: Film,
    has_sound: bool,
    kind: str,
) -> None:
    """With size, length, name and thumbnail: Telegram does not look for itself.

    Words are shown as they were said, and ring nobody.
    """
    line = await platform.send_text(to, "On it.")
    film = replace(film, clip=replace(film.clip, has_sound=has_sound))

    await platform.edit_into(to, line, Answer(text="<b>*hug*</b> @ada", film=film))

    (shown,) = telegram.visible(ada.chat_with(account), by=account)
    assert shown.text.replace("\N{WORD JOINER}", "") == "<b>*hug*</b> @ada"
    kinds = {entity["type"] for entity in shown.post.body.get("caption_entities", [])}
    assert "mention" not in kinds
    media = shown.media
    assert media is not None
    assert (media.kind, media.width, media.height, media.duration_s) == (kind, 640, 480, 3)
    assert media.data == VIDEO
    assert media.file_name == "clip.mp4"
    assert media.thumbnail is not None
    (call,) = telegram.called("editMessageMedia")
    assert call.parameters["media"].get("supports_streaming", False) is has_sound
    assert "parse_mode" not in call.parameters["media"]


@pytest.mark.parametrize(
    ("forbidden", "kind"), [({"animation"}, "video"), ({"animation", "video"}, "document")]
)
async def test_where_a_kind_is_forbidden_the_clip_comes_as_another(
    telegram: FakeTelegram,
    platform: TelegramPlatform,
    account: BotAccount,
    ada: Person,
    to: ReplyTo,
    film: Film,
    forbidden: set[str],
    kind: str,
) -> None:
    """Telegram: "not enough rights to send animations to the chat"."""
    group = telegram.add_supergroup("No GIFs", ada, account)
    there = replace(to, chat_id=str(group.id), message_id=None)
    line = await platform.send_text(there, "On it.")
    group.forbidden = forbidden

    await platform.edit_into(there, line, Answer(text="hug", film=film))

    (shown,) = telegram.visible(group, by=account)
    assert shown.media is not None
    assert shown.media.kind == kind
    group.forbidden = {"animation", "video", "document"}
    with pytest.raises(ClipRefused):
        await platform.edit_into(there, line, Answer(text="hug again", film=film))
    with pytest.raises(ClipRefused):
        await platform.send_file(there, film)


async def test_what_a_message_says_already_is_success(
    telegram: FakeTelegram, platform: TelegramPlatform, to: ReplyTo
) -> None:
    """Telegram: "message is not modified"."""
    line = await platform.send_text(to, "On it.")

    await platform.edit_text(to, line, "On it.")

    (call,) = telegram.called("editMessageText")
    assert call.refusal is not None


async def test_a_message_that_is_gone_or_a_clip_by_now_cannot_take_words(
    telegram: FakeTelegram,
    platform: TelegramPlatform,
    account: BotAccount,
    ada: Person,
    to: ReplyTo,
    film: Film,
) -> None:
    """Telegram: "message to edit not found", "there is no text in the message to edit"."""
    line = await platform.send_text(to, "On it.")
    await platform.edit_into(to, line, Answer(text="", film=film))
    with pytest.raises(MessageGone):
        await platform.edit_text(to, line, "Still on it.")

    await platform.remove(to, line)
    await platform.remove(to, line)  # gone is gone
    with pytest.raises(MessageGone):
        await platform.edit_into(to, line, Answer(text="", film=film))
    with pytest.raises(MessageGone):  # the person's own message
        await platform.edit_text(to, to.message_id or "", "mine now")


async def test_somebody_who_blocked_us_or_left_gets_nothing(
    telegram: FakeTelegram,
    platform: TelegramPlatform,
    account: BotAccount,
    ada: Person,
    to: ReplyTo,
) -> None:
    """403 and "chat not found" are final."""
    ada.blocks_bot(account)
    with pytest.raises(Undeliverable):
        await platform.send_text(to, "On it.")
    with pytest.raises(Undeliverable):
        await platform.send_text(replace(to, chat_id="-42"), "On it.")
    ada.unblocks_bot(account)
    ada.deletes_account()
    with pytest.raises(Undeliverable):
        await platform.send_text(to, "On it.")


async def test_a_closed_topic_and_a_muted_group_get_nothing(
    telegram: FakeTelegram,
    platform: TelegramPlatform,
    account: BotAccount,
    ada: Person,
    to: ReplyTo,
) -> None:
    """Telegram: TOPIC_CLOSED, "not enough rights to send text messages to the chat"."""
    forum = telegram.add_supergroup("Club", ada, account, is_forum=True)
    topic = telegram.add_topic(forum, "Closed", ada)
    topic.is_closed = True
    there = replace(to, chat_id=str(forum.id), message_id=None)
    with pytest.raises(Undeliverable):
        await platform.send_text(replace(there, thread_id=str(topic.id)), "On it.")

    forum.forbidden.add("text")
    with pytest.raises(Undeliverable):
        await platform.send_text(there, "On it.")


async def test_what_telegram_cannot_do_now_is_worth_another_try(
    telegram: FakeTelegram, platform: TelegramPlatform, to: ReplyTo
) -> None:
    """With the time that it names, if it names one."""
    for fault in (FaultKind.ERROR, FaultKind.DROP_CALL, FaultKind.DROP_REPLY):
        telegram.faults.add(fault, method="sendMessage")
        with pytest.raises(TryLater):
            await platform.send_text(to, "On it.")
    telegram.faults.add(FaultKind.FLOOD, method="sendMessage", retry_after=7)
    with pytest.raises(TryLater) as later:
        await platform.send_text(to, "On it.")
    assert later.value.retry_after_s == 7


async def test_a_file_over_the_limit_is_too_large(
    platform: TelegramPlatform, to: ReplyTo, film: Film
) -> None:
    """413, from Telegram's own servers at 50 MB."""
    line = await platform.send_text(to, "On it.")
    large = replace(film, video=bytes(50 * 1024 * 1024 + 1))

    with pytest.raises(FileTooLarge):
        await platform.edit_into(to, line, Answer(text="", film=large))


async def test_a_sentence_we_do_not_know_is_an_error_of_the_platform(
    platform: TelegramPlatform, to: ReplyTo
) -> None:
    """Never one of the library's own."""
    with pytest.raises(PlatformError, match="empty"):
        await platform.send_text(to, " ")


async def test_buttons_stand_in_rows_that_a_phone_can_show(
    telegram: FakeTelegram,
    platform: TelegramPlatform,
    account: BotAccount,
    ada: Person,
    to: ReplyTo,
) -> None:
    """In their order; what they carry is at most 64 bytes."""
    labels = ["Again", "Calmer", "Stronger", "Edit the words, all of them", "Longer", "Loop"]
    buttons = tuple(
        Button(label=label, verb=Verb.AGAIN, target="0123456789abcdef") for label in labels
    )

    await platform.send_text(to, "Here.", buttons=buttons)

    (shown,) = telegram.visible(ada.chat_with(account), by=account)
    assert shown.button_texts == labels
    assert [len(row) for row in shown.buttons] == [3, 1, 2]


async def test_groups_bear_fewer_edits(platform: TelegramPlatform, to: ReplyTo) -> None:
    """20 messages a minute there, edits included, and some must be left for answers."""
    assert platform.edit_every_s(to) >= 1
    assert platform.edit_every_s(replace(to, chat_id="-100123")) >= 5


def test_only_a_server_of_ones_own_takes_two_thousand_megabytes() -> None:
    """Telegram's public one takes 50."""
    assert Server("https://api.telegram.org").upload_limit_bytes == 50_000_000
    assert Server("http://127.0.0.1:8081").upload_limit_bytes == 2_000_000_000
