"""Every way a photo and its words find each other."""

import importlib
import importlib.util
import io

import pytest
from PIL import Image

from tests.engines import QuickEngine
from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person
from tests.telegram.stage import (
    all_seen_to,
    answer_to,
    at_work,
    clips_in,
    colour,
    says,
)
from vivant.messages import Messages
from vivant.services import Services


@pytest.mark.parametrize("said", ["/animate slow zoom in", "@vivant_bot slow zoom in"])
async def test_a_photo_that_is_there_already_moves_when_it_is_answered(
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
    said: str,
) -> None:
    """Anybody's photo in a group; the clip is a reply to the photo, not to the command."""
    bot.privacy = False
    bob = telegram.add_person("Bob")
    group = telegram.add_supergroup("Family", ada, bob, bot)
    shown = bob.sends_photo(group, photo)

    asked = ada.says(group, said, reply_to=shown)

    (clip,) = await clips_in(telegram, group, bot)
    assert clip.reply_to == shown.message_id
    assert telegram.shown(asked).reactions == {bot.id: ["👀"]}
    assert "“slow zoom in”" in clip.text


async def test_in_privacy_mode_the_command_as_a_reply_still_works(
    quick_engine: QuickEngine, telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> None:
    """The bot sees nothing else of the group, but the photo comes with the reply."""
    group = telegram.add_supergroup("Family", ada, bot)
    shown = ada.sends_photo(group, photo)

    ada.says(group, "/animate@vivant_bot slow zoom in", reply_to=shown)

    (clip,) = await clips_in(telegram, group, bot)
    assert clip.reply_to == shown.message_id


async def test_words_after_the_photo_are_its_words(
    quick_engine: QuickEngine, telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> None:
    """It was asked what shall happen, and the next message says it."""
    chat = ada.chat_with(bot)
    ada.sends_photo(bot, photo)
    await telegram.until(lambda: telegram.visible(chat, by=bot))
    assert telegram.visible(chat, by=bot)[0].text.startswith("What should happen?")

    ada.says(bot, "slow zoom in")

    (clip,) = await clips_in(telegram, chat, bot)
    assert "“slow zoom in”" in clip.text
    assert quick_engine.renders == 1


async def test_a_reply_to_a_photo_that_was_asked_about_answers_the_question(
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    photo: bytes,
    services: Services,
) -> None:
    """The photo that waits is taken; no second one stays behind and waits."""
    chat = ada.chat_with(bot)
    first = ada.sends_photo(bot, photo)
    ada.sends_photo(bot, colour("red"))
    await telegram.until(lambda: len(telegram.visible(chat, by=bot)) == 2)

    ada.says(bot, "slow zoom in", reply_to=first)

    (clip,) = await clips_in(telegram, chat, bot)
    assert clip.reply_to == first.message_id
    assert len(await services.ledger.drafts.expired(0)) == 1


async def test_a_button_says_what_shall_happen(
    quick_engine: QuickEngine, telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> None:
    """The question becomes the clip; the turning wheel on the button ends."""
    chat = ada.chat_with(bot)
    ada.sends_photo(bot, photo)
    await telegram.until(lambda: telegram.visible(chat, by=bot))
    (question,) = telegram.visible(chat, by=bot)

    query = ada.presses(question.post, question.button_texts[0])

    (clip,) = await clips_in(telegram, chat, bot)
    assert clip.message_id == question.message_id
    assert query.answer is not None


async def test_a_button_of_another_does_nothing(
    quick_engine: QuickEngine, telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> None:
    """The owner is checked on our side, not by who can see the button."""
    bot.privacy = False
    mallory = telegram.add_person("Mallory")
    group = telegram.add_supergroup("Family", ada, mallory, bot)
    ada.sends_photo(group, photo, caption="@vivant_bot")
    await telegram.until(lambda: telegram.visible(group, by=bot))
    (question,) = telegram.visible(group, by=bot)

    query = mallory.presses(question.post, question.button_texts[0])

    await telegram.until(lambda: query.answer)
    assert query.answer is not None
    assert query.answer["text"] == Messages().not_yours()
    assert quick_engine.renders == 0


async def test_a_button_that_is_none_of_ours_is_let_go(
    telegram: FakeTelegram, bot: BotAccount, ada: Person
) -> None:
    """Anybody can send any data with a client of their own."""
    ada.says(bot, "/help")
    chat = ada.chat_with(bot)
    await telegram.until(lambda: telegram.visible(chat, by=bot))

    for data in ("x", "cancel:", "cancel:no-such-job:", "choose:no-such-draft:fly", "🙂" * 16):
        ada.presses_data(telegram.visible(chat, by=bot)[0].post, data)
    await telegram.until(lambda: len(telegram.called("answerCallbackQuery")) == 5)
    assert [call.refusal for call in telegram.called("answerCallbackQuery")] == [None] * 5


async def test_a_button_that_is_answered_too_late_harms_nobody(
    quick_engine: QuickEngine, telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> None:
    """Telegram: "query is too old". What the button said is done all the same."""
    chat = ada.chat_with(bot)
    ada.sends_photo(bot, photo)
    await telegram.until(lambda: telegram.visible(chat, by=bot))
    (question,) = telegram.visible(chat, by=bot)

    query = ada.presses(question.post, question.button_texts[0])
    query.life_s = -1

    await clips_in(telegram, chat, bot)
    await telegram.until(lambda: telegram.called("answerCallbackQuery"))
    (answered,) = telegram.called("answerCallbackQuery")
    assert answered.refusal is not None


async def test_words_before_the_photo_are_its_words(
    quick_engine: QuickEngine, telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> None:
    """Usage is told, and the photo that follows needs no caption."""
    chat = ada.chat_with(bot)
    ada.says(bot, "slow zoom in")
    await telegram.until(lambda: telegram.visible(chat, by=bot))

    ada.sends_photo(bot, photo)

    (clip,) = await clips_in(telegram, chat, bot)
    assert "“slow zoom in”" in clip.text


async def test_words_before_the_photo_outlive_a_restart(
    services: Services,
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    account: BotAccount,
    ada: Person,
    photo: bytes,
) -> None:
    """They are in the ledger, not in the process."""
    async with at_work(services):
        await answer_to(telegram, account, ada.says(account, "slow zoom in"))
    ada.sends_photo(account, photo)

    async with at_work(services):
        (clip,) = await clips_in(telegram, ada.chat_with(account), account)

    assert "“slow zoom in”" in clip.text


async def test_words_that_answered_a_photo_are_no_other_photos_as_well(
    quick_engine: QuickEngine, telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> None:
    """The next photo is asked about again."""
    chat = ada.chat_with(bot)
    await answer_to(telegram, bot, ada.sends_photo(bot, photo))
    ada.says(bot, "slow zoom in")
    await clips_in(telegram, chat, bot)

    asked = ada.sends_photo(bot, colour("red"))

    assert await answer_to(telegram, bot, asked) == Messages().what_should_happen()


async def test_a_forward_with_a_comment_is_one_request(
    quick_engine: QuickEngine, telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> None:
    """The comment comes first, the photo right behind it: nobody is told how to use the bot."""
    bob = telegram.add_person("Bob")
    group = telegram.add_supergroup("Elsewhere", bob, ada)
    original = bob.sends_photo(group, photo)
    chat = ada.chat_with(bot)

    ada.says(bot, "slow zoom in")
    ada.forwards(original, bot, hidden=True)

    (clip,) = await clips_in(telegram, chat, bot)
    assert "“slow zoom in”" in clip.text
    assert len(telegram.visible(chat, by=bot)) == 1


async def test_a_forwarded_photo_keeps_its_caption(
    quick_engine: QuickEngine, telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> None:
    """And whoever forwarded it is the one who asks."""
    bob = telegram.add_person("Bob")
    group = telegram.add_supergroup("Elsewhere", bob, ada)
    original = bob.sends_photo(group, photo, caption="slow zoom in")

    ada.forwards(original, bot)

    await clips_in(telegram, ada.chat_with(bot), bot)


@pytest.mark.parametrize("captioned", [0, 2])
async def test_an_album_with_one_caption_is_one_clip_of_its_first_photo(
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    services: Services,
    captioned: int,
) -> None:
    """Whichever photo the words stand on, and it says which one was taken."""
    photos = [colour("red"), colour("green"), colour("blue")]
    posts = ada.sends_album(bot, photos, caption="slow zoom in", captioned=captioned)

    (clip,) = await clips_in(telegram, ada.chat_with(bot), bot)

    assert clip.reply_to == posts[0].message_id
    assert "first photo of your album" in clip.text
    assert "“slow zoom in”" in clip.text
    assert quick_engine.renders == 1


async def test_an_album_that_comes_out_of_order_is_still_one(
    quick_engine: QuickEngine, telegram: FakeTelegram, bot: BotAccount, ada: Person
) -> None:
    """The order of the album is that of its messages, not that of the updates."""
    photos = [colour("red"), colour("green"), colour("blue")]
    posts = ada.sends_album(bot, photos, caption="slow zoom in", captioned=1)
    bot.updates.reverse()
    for number, update in enumerate(sorted(u["update_id"] for u in bot.updates)):
        bot.updates[number]["update_id"] = update

    (clip,) = await clips_in(telegram, ada.chat_with(bot), bot)

    assert clip.reply_to == posts[0].message_id
    assert quick_engine.renders == 1


async def test_videos_in_an_album_are_left_out_and_told_of_once(
    quick_engine: QuickEngine, telegram: FakeTelegram, bot: BotAccount, ada: Person
) -> None:
    """With a photo among them they are not worth a word."""
    chat = ada.chat_with(bot)
    film = b"\x00\x00\x00\x18ftypmp42" + bytes(200)
    mixed = [ada.sends_video(bot, film), ada.sends_photo(bot, colour("red"), caption="slow zoom")]
    films = [ada.sends_video(bot, film), ada.sends_video(bot, film)]
    for album, posts in (("1", mixed), ("2", films)):
        for update in bot.updates:
            if update["message"]["message_id"] in {post.message_id for post in posts}:
                update["message"]["media_group_id"] = album

    (clip,) = await clips_in(telegram, chat, bot)
    await says(telegram, chat, bot, Messages().video_hint())

    assert clip.reply_to == mixed[1].message_id
    assert "first photo" not in clip.text
    assert len(telegram.visible(chat, by=bot)) == 2


async def test_each_photo_of_an_album_moves_when_the_words_say_so(
    quick_engine: QuickEngine, telegram: FakeTelegram, bot: BotAccount, ada: Person
) -> None:
    """Each clip is a reply to its own photo."""
    photos = [colour("red"), colour("green"), colour("blue")]
    posts = ada.sends_album(bot, photos, caption="slow zoom in on each")

    clips = await clips_in(telegram, ada.chat_with(bot), bot, count=3)

    assert {clip.reply_to for clip in clips} == {post.message_id for post in posts}
    assert quick_engine.renders == 3


async def test_a_static_sticker_moves_and_a_moving_one_gets_a_hint(
    quick_engine: QuickEngine, telegram: FakeTelegram, bot: BotAccount, ada: Person
) -> None:
    """A sticker has no caption, so it is asked what shall happen."""
    out = io.BytesIO()
    Image.new("RGBA", (512, 512), "orange").save(out, "WEBP")
    chat = ada.chat_with(bot)

    ada.sends_sticker(bot, out.getvalue())
    await telegram.until(lambda: telegram.visible(chat, by=bot))
    ada.sends_sticker(bot, b"\x1a\x45\xdf\xa3" + bytes(200), "video/webm")

    await says(telegram, chat, bot, Messages().video_hint())
    (question, _) = telegram.visible(chat, by=bot)
    ada.says(bot, "slow zoom in", reply_to=question.post)
    await clips_in(telegram, chat, bot)


async def test_a_heic_file_moves_or_is_told_how_it_could(
    telegram: FakeTelegram, bot: BotAccount, ada: Person, photo: bytes
) -> None:
    """With the extra it is a photo like any other; without it, the sentence says what to do."""
    box = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(100)
    data, decodes = box, False
    if importlib.util.find_spec("pillow_heif") is not None:
        pillow_heif = importlib.import_module("pillow_heif")
        out = io.BytesIO()
        with Image.open(io.BytesIO(photo)) as image:
            pillow_heif.from_pillow(image).save(out)
        data, decodes = out.getvalue(), True

    sent = ada.sends_document(bot, data, "IMG_1.HEIC", "image/heic", caption="slow zoom in")

    answer = await answer_to(telegram, bot, sent)
    assert answer.startswith("Understood") if decodes else "HEIC" in answer


async def test_an_album_is_charged_once_when_its_updates_come_again(
    quick_engine: QuickEngine,
    telegram: FakeTelegram,
    bot: BotAccount,
    ada: Person,
    services: Services,
) -> None:
    """All of them under new numbers, as after a reply that was lost."""
    ada.sends_album(bot, [colour("red"), colour("green")], caption="slow zoom in")
    updates = list(bot.updates)
    chat = ada.chat_with(bot)
    await clips_in(telegram, chat, bot)

    for number, update in enumerate(updates):
        telegram.tells_again(bot, update | {"update_id": bot.next_update_id + 10 + number})
    bot.next_update_id += 20
    asked = ada.says(bot, "/help")
    await telegram.until(
        lambda: any(m.reply_to == asked.message_id for m in telegram.visible(chat, by=bot))
    )

    await all_seen_to(services)
    assert quick_engine.renders == 1
