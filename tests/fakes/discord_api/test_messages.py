"""What is said, who is told of it, and whose phone rings."""

import io

import discord
import pytest
from discord import ui

from tests.fakes.discord_api import CannotDo, ChannelKind, DiscordServer, Intent, Permission
from tests.fakes.discord_api.trial import Bot, Place, png, refused, running
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


async def test_everyone_and_roles_ring_only_for_who_may_and_wants_to(place: Place) -> None:
    role = place.discord.role(place.home, "fans", Permission.VIEW_CHANNEL, place.alice)
    words = f"@everyone {role.mention}"
    both = discord.AllowedMentions(everyone=True, roles=True)
    await place.channel().send(words, allowed_mentions=both)
    place.discord.role(place.home, "loud", Permission.MENTION_EVERYONE, place.discord.bot)
    await place.channel().send(words, allowed_mentions=both)
    await place.channel().send(words, allowed_mentions=discord.AllowedMentions.none())

    first, second, third = place.general.seen_by(place.bob)
    assert (first.pinged_everyone, first.pinged_roles) == (False, set())
    assert (second.pinged_everyone, second.pinged_roles) == (True, {role})
    assert (third.pinged_everyone, third.pinged_roles) == (False, set())


async def test_a_silent_message_is_silent(place: Place) -> None:
    await place.channel().send(place.alice.mention, silent=True)

    assert place.general.seen_by(place.alice)[0].silent


async def test_edits_deletions_and_reactions_of_people_are_told(place: Place) -> None:
    posted = place.alice.posts(place.general, "hello")
    place.alice.edits(posted, "hello there")
    place.bob.reacts(posted, "👍")
    place.alice.deletes(posted)
    await place.discord.until(lambda: len(place.bot.told) == 3)

    assert place.bot.told == ["edit", "reaction", "delete"]
    assert posted.deleted
    with pytest.raises(CannotDo, match="does not see"):
        place.bob.reacts(posted, "👍")


async def test_an_embed_shows_its_picture(place: Place) -> None:
    embed = discord.Embed(title="A clip", description="A group hug")
    embed.set_image(url="attachment://clip.png").add_field(name="Seed", value="7")
    await place.channel().send(embed=embed, file=discord.File(io.BytesIO(png()), "clip.png"))

    (seen,) = place.general.seen_by(place.bob)
    assert seen.text == "A clip\nA group hug\nSeed\n7"
    assert seen.embeds[0]["image"]["width"] == 64


async def test_an_archived_thread_takes_no_edits_until_somebody_writes(place: Place) -> None:
    thread = place.discord.thread(place.general, "The clip", place.discord.bot)
    sent = await place.channel(thread).send("One")
    there = await place.bot.fetch_channel(thread.id)
    assert isinstance(there, discord.Thread)
    await there.edit(archived=True)

    assert await refused(sent.edit(content="Two")) == (400, 50083)
    await place.channel(thread).send("Three")
    await sent.edit(content="Two")
    assert [message.text for message in thread.seen_by(place.bob)] == ["Two", "Three"]


async def test_a_bot_deletes_its_own_messages(place: Place) -> None:
    sent = await place.channel().send("One")
    await sent.delete()

    assert place.general.seen_by(place.bob) == []
    assert await refused(sent.edit(content="Two")) == (404, 10008)


async def test_who_is_where_can_be_asked(place: Place) -> None:
    guild = await place.bot.fetch_guild(place.home.id)
    member = await guild.fetch_member(place.alice.id)
    user = await place.bot.fetch_user(place.bob.id)
    channels = await guild.fetch_channels()
    dm = await user.create_dm()
    await dm.send("psst")

    assert (guild.name, guild.preferred_locale) == ("Home", discord.Locale.french)
    assert (member.name, user.name) == ("alice", "bob")
    assert [channel.name for channel in channels] == ["general"]
    assert [m.text for m in place.discord.dm(place.bob).seen_by(place.bob)] == ["psst"]
    assert await refused(guild.fetch_member(1)) == (404, 10007)


async def test_a_bot_that_was_removed_has_no_access(place: Place) -> None:
    place.discord.removes_bot(place.home)
    await place.discord.until(lambda: not place.bot.guilds)

    assert await refused(place.channel().send("x")) == (403, 50001)
    assert await refused(place.bot.fetch_guild(place.home.id)) == (404, 10004)


async def test_a_bot_with_the_members_intent_knows_everybody(server: DiscordServer) -> None:
    intents = discord.Intents.default()
    intents.members = True
    server.gateway.allowed_intents = Intent.GUILD_MEMBERS
    here = Place(server, Bot(intents))
    async with running(server, here.bot):
        found = await here.bot.guilds[0].query_members("ali")
        carol = server.person("carol")
        server.joins(here.home, carol)
        await server.until(lambda: here.bot.guilds[0].get_member(carol.id))

    assert [member.name for member in found] == ["alice"]
