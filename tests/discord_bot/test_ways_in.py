"""Every way to ask, and every kind of place to ask in."""

from pathlib import Path

import pytest

from tests.conftest import frames_of, wait_until
from tests.engines import QuickEngine
from tests.fakes.discord_api import (
    Channel,
    ChannelKind,
    DiscordServer,
    Guild,
    Message,
    Overwrite,
    Permission,
    Person,
    Upload,
)
from vivant.services import Services

pytestmark = pytest.mark.usefixtures("bot", "quick_engine")


def clips(channel: Channel, person: Person) -> list[Message]:
    """What *person* sees in *channel* that carries a film."""
    return [
        message
        for message in channel.seen_by(person)
        if any(file.content_type == "video/mp4" for file in message.attachments)
    ]


async def test_the_menu_of_a_message_asks_for_words_and_animates_its_photo(
    discord: DiscordServer, general: Channel, ada: Person, bob: Person, photo: bytes
) -> None:
    """On a photo that somebody else posted; no intent to read messages is needed."""
    posted = bob.posts(general, "us at the lake", files=[photo])
    used = ada.uses_on(posted, "Animate")
    await discord.until(lambda: used.modal)
    sent = ada.submits(used, {"words": "slow zoom in"})
    await discord.until(lambda: clips(general, bob), within_s=20)

    (clip,) = clips(general, bob)
    assert clip is sent.reply
    assert "slow zoom in" in clip.text
    assert discord.refused == []


async def test_the_menu_of_a_message_with_several_photos_asks_which(
    discord: DiscordServer,
    general: Channel,
    ada: Person,
    photo: bytes,
    astronaut: bytes,
    tmp_path: Path,
) -> None:
    """The second one is square, and so is its clip."""
    files = [Upload("lake.jpg", photo), Upload("eileen.png", astronaut)]
    posted = ada.posts(general, files=files)
    used = ada.uses_on(posted, "Animate")
    await discord.until(lambda: used.modal)
    ada.submits(used, {"words": "slow zoom in", "which": ["2"]})
    await discord.until(lambda: clips(general, ada), within_s=20)

    (clip,) = clips(general, ada)
    assert is_square(clip, tmp_path)


async def test_several_photos_of_one_message_are_a_clip_each(
    discord: DiscordServer,
    services: Services,
    general: Channel,
    ada: Person,
    bob: Person,
    photo: bytes,
    astronaut: bytes,
    tmp_path: Path,
) -> None:
    """The response becomes the first; the form says what it costs before it is sent."""
    files = [Upload("lake.jpg", photo), Upload("door.jpg", photo), Upload("eileen.png", astronaut)]
    posted = bob.posts(general, files=files)
    used = ada.uses_on(posted, "Animate")
    await discord.until(lambda: used.modal)
    assert "One clip each" in str(used.modal)
    sent = ada.submits(used, {"words": "slow zoom in", "which": ["1", "3"]})
    await discord.until(lambda: len(clips(general, ada)) == 2, within_s=20)

    first, second = clips(general, ada)
    assert first is sent.reply
    assert second.reply_to is first
    assert [is_square(clip, tmp_path) for clip in (first, second)] == [False, True]
    assert (await services.ledger.people.credit(f"discord:{ada.id}")).free == 8
    assert discord.refused == []


async def test_the_menu_of_a_message_without_a_photo_says_so_to_the_asker_alone(
    discord: DiscordServer, general: Channel, ada: Person, bob: Person
) -> None:
    posted = bob.posts(general, "no picture here")
    used = ada.uses_on(posted, "Animate")
    await discord.until(lambda: used.reply)

    assert used.reply is not None
    assert "no photo" in used.reply.text
    assert general.seen_by(bob) == [posted]


async def test_a_mention_with_a_photo_and_words_is_answered_as_a_reply(
    discord: DiscordServer, general: Channel, ada: Person, photo: bytes
) -> None:
    """Only the asker's phone rings."""
    asked = ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
    await discord.until(lambda: clips(general, ada), within_s=20)

    (clip,) = clips(general, ada)
    assert clip.reply_to is asked
    assert clip.pinged == {ada}
    assert clip.content.startswith("“slow zoom in”")
    assert discord.refused == []


async def test_a_photo_that_names_nobody_is_left_alone(
    discord: DiscordServer, general: Channel, ada: Person, photo: bytes
) -> None:
    """Nobody pays for a clip that they did not ask for."""
    ada.posts(general, "look at this, slow zoom in", files=[photo])
    asked = ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
    await discord.until(lambda: clips(general, ada), within_s=20)

    assert [clip.reply_to for clip in clips(general, ada)] == [asked]
    assert len(general.seen_by(ada)) == 3


async def test_a_mention_without_a_photo_is_told_how(
    discord: DiscordServer, general: Channel, ada: Person
) -> None:
    asked = ada.posts(general, f"{discord.bot.mention} hello?")
    await discord.until(lambda: len(general.seen_by(ada)) == 2)

    answer = general.seen_by(ada)[-1]
    assert answer.reply_to is asked
    assert "photo" in answer.text


async def test_a_reply_that_mentions_the_bot_is_about_the_photo_it_replies_to(
    discord: DiscordServer, general: Channel, ada: Person, bob: Person, photo: bytes
) -> None:
    """Bob's photo named the bot once, so Discord shows it; the answer is a reply to Ada."""
    posted = bob.posts(general, f"{discord.bot.mention} slow zoom out", files=[photo])
    await discord.until(lambda: clips(general, ada), within_s=20)
    asked = ada.posts(general, f"slow zoom in {discord.bot.mention}", reply_to=posted)
    await discord.until(lambda: len(clips(general, ada)) == 2, within_s=20)

    assert [clip.reply_to for clip in clips(general, ada)] == [posted, asked]


async def test_a_reply_to_a_photo_that_discord_hides_is_shown_the_way(
    discord: DiscordServer, general: Channel, ada: Person, bob: Person, photo: bytes
) -> None:
    """Without the privileged intent the photo of others is not shown to the bot."""
    posted = bob.posts(general, "us at the lake", files=[photo])
    asked = ada.posts(general, f"{discord.bot.mention} slow zoom in", reply_to=posted)
    await discord.until(lambda: len(general.seen_by(ada)) == 3)

    answer = general.seen_by(ada)[-1]
    assert answer.reply_to is asked
    assert "Apps, then Animate" in answer.text


async def test_a_photo_in_a_dm_needs_no_mention(
    discord: DiscordServer, ada: Person, photo: bytes
) -> None:
    chat = discord.dm(ada)
    asked = ada.posts(chat, "slow zoom in", files=[photo])
    await discord.until(lambda: clips(chat, ada), within_s=20)

    (clip,) = clips(chat, ada)
    assert clip.reply_to is asked


async def test_words_that_answer_our_question_belong_to_its_photo(
    discord: DiscordServer, general: Channel, ada: Person, photo: bytes
) -> None:
    """A photo without words is asked about; a reply to the question says what shall happen."""
    ada.posts(general, discord.bot.mention, files=[photo])
    await discord.until(lambda: len(general.seen_by(ada)) == 2)
    question = general.seen_by(ada)[-1]
    assert question.buttons
    asked = ada.posts(general, "slow zoom in", reply_to=question)
    await discord.until(lambda: clips(general, ada), within_s=20)

    (clip,) = clips(general, ada)
    assert "slow zoom in" in clip.text
    assert asked.author is ada


async def test_of_several_photos_the_first_is_taken_and_said_so(
    discord: DiscordServer,
    general: Channel,
    ada: Person,
    photo: bytes,
    astronaut: bytes,
    tmp_path: Path,
) -> None:
    files = [Upload("eileen.png", astronaut), Upload("lake.jpg", photo)]
    ada.posts(general, f"{discord.bot.mention} slow zoom in", files=files)
    await discord.until(lambda: clips(general, ada), within_s=20)

    (clip,) = clips(general, ada)
    assert is_square(clip, tmp_path)
    assert "say “each”" in clip.content


async def test_each_of_several_photos_is_a_clip_where_the_words_say_so(
    discord: DiscordServer,
    services: Services,
    general: Channel,
    ada: Person,
    photo: bytes,
    astronaut: bytes,
    tmp_path: Path,
) -> None:
    """Told twice by the gateway, they are two clips all the same."""
    files = [Upload("lake.jpg", photo), Upload("eileen.png", astronaut)]
    asked = ada.posts(general, f"{discord.bot.mention} slow zoom in on each", files=files)
    (session,) = discord.gateway.connected
    session.dispatch("MESSAGE_CREATE", session.log[-1]["d"])
    await discord.until(lambda: len(clips(general, ada)) == 2, within_s=20)

    made = clips(general, ada)
    assert [clip.reply_to for clip in made] == [asked, asked]
    assert sorted(is_square(clip, tmp_path) for clip in made) == [False, True]
    assert (await services.ledger.people.credit(f"discord:{ada.id}")).free == 8


async def test_what_stops_one_photo_stops_the_rest(
    discord: DiscordServer,
    services: Services,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    """One clip is left, four are asked for: one clip, one refusal."""
    await services.ledger.people.credit(f"discord:{ada.id}")
    for number in range(9):
        ada.runs("animate", general, photo=photo, action=f"slow zoom in {number}")
    await discord.until(lambda: len(clips(general, ada)) == 9, within_s=30)
    ada.posts(general, f"{discord.bot.mention} zoom in on each", files=[photo] * 4)
    await discord.until(lambda: len(clips(general, ada)) == 10, within_s=20)
    await discord.until(lambda: len(general.seen_by(ada)) == 12)

    (refusal,) = [m for m in general.seen_by(ada) if "used today's clips" in m.text]
    assert "Nothing was charged" in refusal.text


async def test_other_words_count_for_each_photo(
    discord: DiscordServer,
    services: Services,
    general: Channel,
    ada: Person,
    photo: bytes,
    quick_engine: QuickEngine,
) -> None:
    quick_engine.go.clear()
    ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
    await discord.until(lambda: quick_engine.renders == 1)
    asked = ada.posts(general, f"{discord.bot.mention} zoom in on each", files=[photo, photo])
    await discord.until(lambda: len(general.seen_by(ada)) == 5)
    ada.edits(asked, f"{discord.bot.mention} zoom out of each")

    async def are_other_words() -> bool:
        mine = await services.ledger.jobs.open_jobs(owner=f"discord:{ada.id}")
        return sum(job.plan is not None and "out" in job.plan.words for job in mine) == 2

    await wait_until(are_other_words)
    quick_engine.go.set()
    await discord.until(lambda: len(clips(general, ada)) == 3, within_s=20)

    assert sum("zoom out" in clip.text for clip in clips(general, ada)) == 2


async def test_what_is_said_under_a_clip_asks_for_nothing(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, bob: Person,
    photo: bytes,
) -> None:  # fmt: skip
    """A picture in answer to a clip is for the others there, and costs nobody anything."""
    ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
    await discord.until(lambda: clips(general, ada), within_s=20)
    (clip,) = clips(general, ada)
    bob.posts(general, "this is me laughing", files=[photo], reply_to=clip)
    asked = bob.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
    await discord.until(lambda: len(clips(general, bob)) == 2, within_s=20)

    assert clips(general, bob)[1].reply_to is asked
    assert (await services.ledger.people.credit(f"discord:{bob.id}")).free == 9


async def test_other_words_count_until_an_engine_has_the_photo(
    discord: DiscordServer,
    general: Channel,
    ada: Person,
    photo: bytes,
    services: Services,
    quick_engine: QuickEngine,
) -> None:
    """The first photo keeps the engine busy while the words of the second are changed."""
    quick_engine.go.clear()
    ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
    await discord.until(lambda: quick_engine.renders == 1)
    asked = ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
    await discord.until(lambda: len(general.seen_by(ada)) == 4)
    ada.edits(asked, f"{discord.bot.mention} slow zoom out")

    async def are_other_words() -> bool:
        mine = await services.ledger.jobs.open_jobs(owner=f"discord:{ada.id}")
        return any(job.plan is not None and "out" in job.plan.words for job in mine)

    await wait_until(are_other_words)
    quick_engine.go.set()
    await discord.until(lambda: len(clips(general, ada)) == 2, within_s=20)

    first, second = clips(general, ada)
    assert "slow zoom in" in first.text
    assert "slow zoom out" in second.text


async def test_a_message_that_names_the_bot_only_after_a_change_counts_as_new(
    discord: DiscordServer, general: Channel, ada: Person, photo: bytes
) -> None:
    asked = ada.posts(general, "slow zoom in", files=[photo])
    ada.edits(asked, f"{discord.bot.mention} slow zoom in")
    await discord.until(lambda: clips(general, ada), within_s=20)

    assert [clip.reply_to for clip in clips(general, ada)] == [asked]


@pytest.mark.parametrize("kind", ["thread", "forum post", "voice chat"])
async def test_the_answer_comes_where_it_was_asked_for(
    kind: str, discord: DiscordServer, home: Guild, general: Channel, ada: Person, photo: bytes
) -> None:
    match kind:
        case "thread":
            place = discord.thread(general, "portraits", ada)
        case "forum post":
            forum = discord.channel(home, "gallery", ChannelKind.FORUM)
            place = discord.thread(forum, "my photo", ada)
        case _:
            place = discord.channel(home, "lounge", ChannelKind.VOICE)
    asked = ada.runs("animate", place, photo=photo, action="slow zoom in")
    mentioned = ada.posts(place, f"{discord.bot.mention} slow zoom out", files=[photo])
    await discord.until(lambda: len(clips(place, ada)) == 2, within_s=20)

    assert asked.reply in clips(place, ada)
    assert [clip.reply_to for clip in clips(place, ada) if clip is not asked.reply] == [mentioned]
    assert general.seen_by(ada) == []


async def test_whoever_brings_the_app_along_has_it_in_a_group_dm(
    discord: DiscordServer, ada: Person, bob: Person, photo: bytes
) -> None:
    """The bot is in no group DM: only the interaction's token works there."""
    ada.has_installed_app = True
    group = discord.group_dm(ada, bob)
    asked = ada.runs("animate", group, photo=photo, action="slow zoom in")
    await discord.until(lambda: clips(group, bob), within_s=20)

    assert clips(group, bob) == [asked.reply]
    assert discord.refused == []


async def test_on_a_server_that_forbids_outside_apps_the_asker_alone_sees_it(
    discord: DiscordServer, ada: Person, bob: Person, photo: bytes
) -> None:
    """Discord forces it; the clip is there all the same."""
    ada.has_installed_app = True
    elsewhere = discord.guild("Elsewhere", ada, bob, with_bot=False)
    lobby = discord.channel(elsewhere, "lobby")
    denied = Overwrite(deny=Permission.USE_EXTERNAL_APPS)
    lobby.overwrites[elsewhere.everyone.id] = denied
    asked = ada.runs("animate", lobby, photo=photo, action="slow zoom in")
    await discord.until(lambda: clips(lobby, ada), within_s=20)

    assert clips(lobby, ada) == [asked.reply]
    assert lobby.seen_by(bob) == []
    assert discord.refused == []


def is_square(clip: Message, tmp_path: Path) -> bool:
    """As Eileen's photo is."""
    height, width, _ = frames_of(clip.attachments[0].data, tmp_path)[0].shape
    return bool(height == width)
