"""What is said, who is told of it, and whose phone rings."""

import io

import discord
import pytest
from discord import ui

from tests.fakes.discord_api import ChannelKind, DiscordServer, Intent
from tests.fakes.discord_api.trial import Bot, Place, png, running
from vivant.bots.discord.api_url import point_at


async def test_words_are_told_only_to_a_bot_that_they_are_meant_for(place: Place) -> None:
    """Without the message content intent: mentions and direct messages."""
    place.bob.posts(place.general, "not for you", files=[png()])
    place.bob.posts(place.general, f"{place.discord.bot.mention} for you", files=[png()])
    place.bob.posts(place.discord.dm(place.bob), "psst")
    await place.discord.until(lambda: len(place.bot.heard) == 3)

    others, mention, direct = place.bot.heard
    assert (others.content, others.attachments) == ("", [])
    assert mention.content.endswith("for you")
    assert await mention.attachments[0].read() == png()
    assert direct.content == "psst"


async def test_the_message_content_intent_tells_all_words(server: DiscordServer) -> None:
    intents = discord.Intents.default()
    intents.message_content = True
    server.gateway.allowed_intents = Intent.MESSAGE_CONTENT
    here = Place(server, Bot(intents))
    async with running(server, here.bot):
        here.bob.posts(here.general, "not for you")
        await server.until(lambda: here.bot.heard)

    assert here.bot.heard[0].content == "not for you"


async def test_rest_tells_no_more_than_the_gateway(place: Place) -> None:
    """Nor does a mention tell of the message that it replies to."""
    posted = place.bob.posts(place.general, "not for you", files=[png()])
    place.bob.posts(place.general, place.discord.bot.mention, reply_to=posted)
    await place.discord.until(lambda: len(place.bot.heard) == 2)
    fetched = await place.channel().fetch_message(posted.id)
    reference = place.bot.heard[1].reference

    assert reference is not None
    assert isinstance(reference.resolved, discord.Message)
    for told in (fetched, reference.resolved):
        assert (told.content, told.attachments) == ("", [])
    place.discord.gateway.allowed_intents = Intent.MESSAGE_CONTENT
    assert (await place.channel().fetch_message(posted.id)).content == "not for you"


async def test_an_intent_that_is_not_switched_on_ends_the_connection(
    server: DiscordServer,
) -> None:
    intents = discord.Intents.default()
    intents.message_content = True
    point_at(server.api_url)

    async with Bot(intents) as bot:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await bot.start(server.token)


async def test_a_reply_shows_what_it_answers_and_rings_only_who_is_meant(place: Place) -> None:
    posted = place.alice.posts(place.general, "hello")
    target = await place.channel().fetch_message(posted.id)
    words = f"{place.alice.mention} {place.bob.mention} @everyone"
    allowed = discord.AllowedMentions(
        users=[discord.Object(place.bob.id)], everyone=False, replied_user=False
    )
    await place.channel().send(words, reference=target, allowed_mentions=allowed)
    await place.channel().send("And you", reference=target)

    _, first, second = place.general.seen_by(place.bob)
    assert first.reply_to is posted
    assert first.pinged == {place.bob}
    assert not first.pinged_everyone
    assert second.pinged == {place.alice}


async def test_an_edit_rings_nobody(place: Place) -> None:
    sent = await place.channel().send("One moment")
    await sent.edit(content=place.alice.mention)

    (seen,) = place.general.seen_by(place.alice)
    assert seen.text == place.alice.mention
    assert [look.content for look in seen.before] == ["One moment"]
    assert seen.pinged == set()


async def test_the_same_nonce_is_the_same_message(place: Place) -> None:
    first = await place.channel().send("Here it comes", nonce="job7-1")
    second = await place.channel().send("Here it comes", nonce="job7-1")
    place.discord.clock.advance(600)
    third = await place.channel().send("Here it comes", nonce="job7-1")

    assert second.id == first.id
    assert third.id != first.id
    assert len(place.general.seen_by(place.bob)) == 2


async def test_files_stay_go_and_come_by_the_list_of_attachments(place: Place) -> None:
    sent = await place.channel().send(
        files=[discord.File(io.BytesIO(b"one"), "1.txt"), discord.File(io.BytesIO(b"two"), "2.txt")]
    )
    new = discord.File(io.BytesIO(b"three"), "SPOILER_3.txt", description="The third")
    await sent.edit(attachments=[sent.attachments[1], new])

    (seen,) = place.general.seen_by(place.bob)
    assert [file.data for file in seen.attachments] == [b"two", b"three"]
    assert seen.attachments[1].description == "The third"
    assert seen.attachments[1].is_spoiler


async def test_what_was_said_while_the_bot_was_away_can_be_read(place: Place) -> None:
    first = place.bob.posts(place.general, "one")
    for words in ("two", "three"):
        place.bob.posts(place.general, words)
    after = discord.Object(first.id)
    read = [message.id async for message in place.channel().history(after=after)]

    assert read == [message.id for message in place.general.seen_by(place.bob)[1:]]


async def test_threads_forum_posts_and_voice_chats_take_messages(place: Place) -> None:
    posted = place.alice.posts(place.general, "hello")
    here = place.bot.get_channel(place.general.id)
    assert isinstance(here, discord.TextChannel)
    message = await here.fetch_message(posted.id)
    thread = await message.create_thread(name="The clip")
    await thread.send("In the thread")
    forum = place.discord.channel(place.home, "clips", ChannelKind.FORUM)
    await place.discord.until(lambda: place.bot.get_channel(forum.id))
    there = place.bot.get_channel(forum.id)
    assert isinstance(there, discord.ForumChannel)
    post = await there.create_thread(name="A post", content="In a post")
    voice = place.discord.channel(place.home, "lounge", ChannelKind.VOICE)
    await place.channel(voice).send("In the chat")

    assert posted.thread is not None
    assert [m.text for m in posted.thread.seen_by(place.bob)] == ["In the thread"]
    started = place.discord.world.channels[post.thread.id]
    assert [m.text for m in started.seen_by(place.bob)] == ["In a post"]
    assert [m.text for m in voice.seen_by(place.bob)] == ["In the chat"]


async def test_reactions_and_typing_are_seen(place: Place) -> None:
    posted = place.alice.posts(place.general, "hello")
    message = place.channel().get_partial_message(posted.id)
    await message.add_reaction("👀")
    await message.add_reaction("✅")
    assert place.bot.user is not None
    await message.remove_reaction("👀", place.bot.user)
    async with place.channel().typing():
        pass

    assert posted.reactions == {"✅": [place.discord.bot]}
    assert place.general.typing == [place.discord.bot]


async def test_a_layout_shows_its_clip_and_takes_no_other_text(place: Place) -> None:
    view = ui.LayoutView()
    gallery = ui.MediaGallery[ui.LayoutView](discord.MediaGalleryItem("attachment://clip.png"))
    view.add_item(ui.Container(ui.TextDisplay("A group hug"), gallery))
    clip = discord.File(io.BytesIO(png()), "clip.png")
    other = discord.File(io.BytesIO(png()), "other.png")
    sent = await place.channel().send(view=view, files=[clip, other])

    (seen,) = place.general.seen_by(place.bob)
    assert seen.text == "A group hug"
    assert [file.filename for file in seen.visible_files] == ["clip.png"]
    assert seen.components[0]["components"][1]["items"][0]["media"]["width"] == 64
    with pytest.raises(discord.HTTPException, match="IS_COMPONENTS_V2"):
        await sent.edit(content="More")
