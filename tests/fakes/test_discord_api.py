"""The fake Discord, tried by the real discord.py: what it lets pass, and what it refuses."""

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import discord
import pytest
from discord import app_commands, ui
from discord.gateway import DiscordWebSocket
from PIL import Image

from tests.fakes.discord_api import (
    CannotDo,
    Channel,
    ChannelKind,
    DiscordServer,
    Guild,
    Interaction,
    Overwrite,
    Permission,
    Person,
    Trouble,
    Upload,
)
from tests.fakes.discord_api.gateway import NO_INTENT
from vivant.bots.discord.api_url import follow_gateway, point_at

MESSAGES = "/channels/{channel}/messages"
CALLBACK = "/interactions/{interaction}/{token}/callback"
ANSWERS = "/webhooks/{application}/{token}/messages/{message}"


def png(width: int = 64, height: int = 48) -> bytes:
    picture = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(picture, "PNG")
    return picture.getvalue()


class Bot(discord.Client):
    """A bot that keeps what it is asked, and does what a test says."""

    def __init__(self, intents: discord.Intents | None = None, **options: Any) -> None:
        super().__init__(
            intents=intents or discord.Intents.default(), guild_ready_timeout=0.01, **options
        )
        self.tree = app_commands.CommandTree(self)
        self.heard: list[discord.Message] = []
        self.came = asyncio.Event()
        self.resumed = 0
        self.does: Callable[[discord.Interaction], Awaitable[object]] = self._defers

        @self.tree.command(description="Make a photo move")
        @app_commands.allowed_installs(guilds=True, users=True)
        @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
        async def animate(
            interaction: discord.Interaction,
            photo: discord.Attachment,
            action: app_commands.Range[str, 1, 100],
            seconds: app_commands.Range[int, 1, 5] | None = None,
        ) -> None:
            del action, seconds
            interaction.extras["photo"] = photo
            await self.does(interaction)

        @animate.autocomplete("action")
        async def suggest(
            interaction: discord.Interaction, typed: str
        ) -> list[app_commands.Choice[str]]:
            del interaction
            words = ["group hug", "group wave", "slow zoom"]
            return [app_commands.Choice(name=w.title(), value=w) for w in words if typed in w]

        @self.tree.context_menu(name="Animate")
        async def animate_message(
            interaction: discord.Interaction, message: discord.Message
        ) -> None:
            interaction.extras["message"] = message
            await self.does(interaction)

        @self.tree.command(description="Change how it behaves here")
        @app_commands.default_permissions(manage_guild=True)
        @app_commands.guild_only()
        async def settings(interaction: discord.Interaction) -> None:
            await self.does(interaction)

    async def _defers(self, interaction: discord.Interaction) -> None:
        await interaction.response.defer()

    async def setup_hook(self) -> None:
        await follow_gateway(self)
        await self.tree.sync()

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """The real one waits five seconds."""

    async def on_ready(self) -> None:
        self.came.set()

    async def on_message(self, message: discord.Message) -> None:
        self.heard.append(message)

    async def on_resumed(self) -> None:
        self.resumed += 1


class Place:
    """A server with two people, one channel and a bot that is there."""

    def __init__(self, discord_server: DiscordServer, bot: Bot) -> None:
        self.discord = discord_server
        self.bot = bot
        self.alice: Person = discord_server.person("alice", locale="de")
        self.bob: Person = discord_server.person("bob")
        self.home: Guild = discord_server.guild("Home", self.alice, self.bob, locale="fr")
        self.general: Channel = discord_server.channel(self.home, "general")

    def channel(self, channel: Channel | None = None) -> discord.PartialMessageable:
        return self.bot.get_partial_messageable((channel or self.general).id)

    async def asked(self, **options: Any) -> Interaction:
        """What becomes of alice's `/animate`, once it was answered."""
        interaction = self.alice.runs(
            "animate", self.general, photo=png(), action="group hug", **options
        )
        await self.discord.until(lambda: interaction.answered)
        return interaction


@asynccontextmanager
async def running(server: DiscordServer, bot: Bot) -> AsyncIterator[Bot]:
    point_at(server.api_url)
    task = asyncio.create_task(bot.start(server.token))
    try:
        await server.until(lambda: bot.is_ready() or task.done())
        yield bot
    finally:
        await bot.close()
        await task


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as discord_server:
        yield discord_server


@pytest.fixture
async def place(server: DiscordServer) -> AsyncIterator[Place]:
    here = Place(server, Bot())
    async with running(server, here.bot):
        yield here


class Http:
    """The API without discord.py, for what it would not send."""

    def __init__(self, server: DiscordServer, session: aiohttp.ClientSession) -> None:
        self._server = server
        self._session = session

    async def __call__(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        async with self._session.request(
            method, self._server.api_url + path, json=body
        ) as response:
            return response.status, await response.json()


@pytest.fixture
async def http(server: DiscordServer) -> AsyncIterator[Http]:
    headers = {"Authorization": f"Bot {server.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        yield Http(server, session)


# Where the bot finds it. -------------------------------------------------------------------


async def test_rest_and_gateway_follow_the_setting(place: Place) -> None:
    """Login and gateway both used the address that was set; nothing was refused."""
    assert place.discord.api_url == discord.http.Route.BASE
    assert str(DiscordWebSocket.DEFAULT_GATEWAY) == place.discord.gateway.url
    assert place.bot.user is not None
    assert place.bot.user.id == place.discord.bot.id
    assert [guild.name for guild in place.bot.guilds] == ["Home"]
    assert place.discord.refused == []


async def test_a_slash_at_the_end_of_the_setting_does_no_harm() -> None:
    point_at("http://127.0.0.1:9/api/v10/")

    assert discord.http.Route.BASE == "http://127.0.0.1:9/api/v10"


async def test_a_wrong_token_is_refused(server: DiscordServer) -> None:
    point_at(server.api_url)

    async with Bot() as bot:
        with pytest.raises(discord.LoginFailure):
            await bot.login("wrong")


# Commands. ---------------------------------------------------------------------------------


async def test_a_slash_command_brings_a_photo_and_its_answer_is_seen(place: Place) -> None:
    """From the option to the CDN and back as a file; languages and limits arrive."""
    got: list[discord.Interaction] = []

    async def animates(interaction: discord.Interaction) -> None:
        got.append(interaction)
        await interaction.response.defer()
        photo = await interaction.extras["photo"].read()
        await interaction.edit_original_response(
            content="Here it is", attachments=[discord.File(io.BytesIO(photo), "clip.mp4")]
        )

    place.bot.does = animates
    asked = await place.asked()
    await place.discord.until(lambda: asked.reply and not asked.reply.loading)

    (seen,) = place.general.seen_by(place.bob)
    assert seen is asked.reply
    assert seen.content == "Here it is"
    assert seen.attachments[0].data == png()
    assert seen.attachments[0].filename == "clip.mp4"
    assert seen.edited_at is None
    assert got[0].locale is discord.Locale.german
    assert got[0].guild_locale is discord.Locale.french
    assert got[0].filesize_limit == 10 * 1024 * 1024
    assert got[0].app_permissions.attach_files
    assert not got[0].permissions.manage_guild


async def test_a_deferred_answer_says_thinking_until_it_is_edited(place: Place) -> None:
    asked = await place.asked()

    assert asked.answered_by == 5
    assert asked.reply is not None
    assert asked.reply.loading
    assert place.general.seen_by(place.bob) == [asked.reply]


async def test_suggestions_come_while_somebody_types(place: Place) -> None:
    typing = place.alice.types_in("animate", place.general, "action", "group")
    await place.discord.until(lambda: typing.choices is not None)

    assert typing.choices is not None
    assert [choice["value"] for choice in typing.choices] == ["group hug", "group wave"]


async def test_the_menu_of_a_message_brings_the_message(place: Place) -> None:
    """Its content and files arrive even without the message content intent."""
    got: list[discord.Message] = []

    async def looks(interaction: discord.Interaction) -> None:
        got.append(interaction.extras["message"])
        await interaction.response.send_message("Mine only", ephemeral=True)

    place.bot.does = looks
    posted = place.bob.posts(place.general, "look", files=[Upload("bob.png", png())])
    used = place.alice.uses_on(posted, "Animate")
    await place.discord.until(lambda: used.reply)

    assert got[0].content == "look"
    assert await got[0].attachments[0].read() == png()
    assert [m.text for m in place.general.seen_by(place.alice)] == ["look", "Mine only"]
    assert [m.text for m in place.general.seen_by(place.bob)] == ["look"]


async def test_people_cannot_do_what_the_app_does_not_offer(place: Place) -> None:
    """A test that asks for the impossible fails, in place of passing by accident."""
    photo = png()

    with pytest.raises(CannotDo, match="no command 'animat'"):
        place.alice.runs("animat", place.general)
    with pytest.raises(CannotDo, match="no option"):
        place.alice.runs("animate", place.general, photo=photo, action="hug", speed=2)
    with pytest.raises(CannotDo, match="needs"):
        place.alice.runs("animate", place.general, photo=photo)
    with pytest.raises(CannotDo, match="1 to 5"):
        place.alice.runs("animate", place.general, photo=photo, action="hug", seconds=6)
    with pytest.raises(CannotDo, match="does not take"):
        place.alice.runs("animate", place.general, photo=photo, action="hug", seconds="2")
    with pytest.raises(CannotDo, match="larger than"):
        place.alice.runs("animate", place.general, photo=photo * 90_000, action="hug")
    with pytest.raises(CannotDo, match="MANAGE_GUILD"):
        place.alice.runs("settings", place.general)
    with pytest.raises(CannotDo, match="contexts"):
        place.alice.runs("settings", place.discord.dm(place.alice))


async def test_who_may_manage_the_server_is_shown_its_settings(place: Place) -> None:
    place.discord.role(place.home, "mods", Permission.MANAGE_GUILD, place.alice)
    asked = place.alice.runs("settings", place.general)
    await place.discord.until(lambda: asked.answered)

    assert asked.reply is not None


async def test_subcommands_and_the_menu_of_a_person(server: DiscordServer, http: Http) -> None:
    """Of a server's own commands; what is sent names the way to the subcommand."""
    here = Place(server, Bot())
    show = {"type": 1, "name": "show", "description": "x"}
    commands = [
        {"name": "settings", "description": "x", "options": [show]},
        {"name": "Portrait", "type": 2},
    ]
    path = f"/applications/{server.bot.id}/guilds/{here.home.id}/commands"
    status, _ = await http("PUT", path, commands)
    shown = here.alice.runs("settings show", here.general)
    drawn = here.alice.uses_on(here.bob, "Portrait", channel=here.general)

    assert status == 200
    assert shown.data["options"] == [{"type": 1, "name": "show", "options": []}]
    assert shown.data["guild_id"] == str(here.home.id)
    assert drawn.data["target_id"] == str(here.bob.id)
    assert list(drawn.data["resolved"]) == ["users", "members"]
    with pytest.raises(CannotDo, match="only the first part"):
        here.alice.runs("settings", here.general)


async def test_an_app_that_a_person_brings_works_in_a_group_dm(place: Place) -> None:
    place.alice.has_installed_app = True
    group = place.discord.group_dm(place.alice, place.bob)
    got: list[discord.Interaction] = []

    async def answers(interaction: discord.Interaction) -> None:
        got.append(interaction)
        await interaction.response.send_message("Here")

    place.bot.does = answers
    asked = place.alice.runs("animate", group, photo=png(), action="hug")
    await place.discord.until(lambda: asked.reply)

    assert isinstance(got[0].channel, discord.GroupChannel)
    assert got[0].context.private_channel
    assert [message.text for message in group.seen_by(place.bob)] == ["Here"]
    assert await refused(place.channel(group).send("x")) == (403, 50001)


# Buttons and forms. ------------------------------------------------------------------------


class Again(ui.View):
    @ui.button(label="Again", custom_id="again:7")
    async def again(self, interaction: discord.Interaction, button: ui.Button[ui.View]) -> None:
        del button
        await interaction.response.edit_message(content="Again it is", view=None)

    @ui.button(label="Edit", custom_id="edit:7")
    async def edit(self, interaction: discord.Interaction, button: ui.Button[ui.View]) -> None:
        del button
        await interaction.response.send_modal(Edit())


class Edit(ui.Modal, title="Edit and run again"):
    words = ui.Label(
        text="Words", component=ui.TextInput[ui.Modal](custom_id="words", default="hug")
    )
    photo = ui.Label(
        text="Photo", component=ui.FileUpload[ui.Modal](custom_id="photo", required=False)
    )
    motion = ui.Label(
        text="Motion",
        component=ui.RadioGroup[ui.Modal](
            custom_id="motion",
            options=[
                discord.RadioGroupOption(label="Calm", value="calm"),
                discord.RadioGroupOption(label="Strong", value="strong"),
            ],
        ),
    )
    loop = ui.Label(text="Loop", component=ui.Checkbox[ui.Modal](custom_id="loop"))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        assert isinstance(self.words.component, ui.TextInput)
        assert isinstance(self.photo.component, ui.FileUpload)
        assert isinstance(self.motion.component, ui.RadioGroup)
        assert isinstance(self.loop.component, ui.Checkbox)
        files = [await file.read() for file in self.photo.component.values]
        said = f"{self.words.component.value}, {self.motion.component.value}"
        said += f", loop {self.loop.component.value}, {sum(map(len, files))} bytes"
        await interaction.response.send_message(said)


async def test_a_button_is_pressed_and_its_message_changes(place: Place) -> None:
    await place.channel().send("A clip", view=Again())
    (message,) = place.general.seen_by(place.alice)
    place.alice.clicks(message, "Again")
    await place.discord.until(lambda: message.before)

    assert message.text == "Again it is"
    assert message.buttons == []
    with pytest.raises(CannotDo, match="0 buttons 'Again'"):
        place.alice.clicks(message, "Again")


async def test_a_form_is_opened_filled_in_and_sent(place: Place) -> None:
    await place.channel().send("A clip", view=Again())
    (message,) = place.general.seen_by(place.alice)
    pressed = place.alice.clicks(message, "edit:7")
    await place.discord.until(lambda: pressed.modal)
    with pytest.raises(CannotDo, match="no field"):
        place.alice.submits(pressed, {"wrods": "wave", "motion": "calm"})
    sent = place.alice.submits(pressed, {"photo": [png()], "motion": "calm", "loop": True})
    await place.discord.until(lambda: sent.reply)

    assert sent.reply is not None
    assert sent.reply.text == f"hug, calm, loop True, {len(png())} bytes"


class Pick(ui.View):
    @ui.select(
        custom_id="size",
        options=[discord.SelectOption(label="Small"), discord.SelectOption(label="Large")],
    )
    async def size(self, interaction: discord.Interaction, select: ui.Select[ui.View]) -> None:
        await interaction.response.send_message(select.values[0], ephemeral=True)


async def test_a_menu_is_picked_from(place: Place) -> None:
    await place.channel().send("How large?", view=Pick())
    (message,) = place.general.seen_by(place.alice)
    picked = place.alice.picks(message, "size", "Large")
    await place.discord.until(lambda: picked.reply)

    assert picked.reply is not None
    assert picked.reply.text == "Large"
    with pytest.raises(CannotDo, match="Huge"):
        place.alice.picks(message, "size", "Huge")


# Messages. ---------------------------------------------------------------------------------


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
    here = Place(server, Bot(intents))
    async with running(server, here.bot):
        here.bob.posts(here.general, "not for you")
        await server.until(lambda: here.bot.heard)

    assert here.bot.heard[0].content == "not for you"


async def test_an_intent_that_is_not_switched_on_ends_the_connection(
    server: DiscordServer,
) -> None:
    server.gateway.allowed_intents = NO_INTENT
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
    sent = await place.channel().send(view=view, file=discord.File(io.BytesIO(png()), "clip.png"))

    (seen,) = place.general.seen_by(place.bob)
    assert seen.text == "A group hug"
    assert seen.components[0]["components"][1]["items"][0]["media"]["width"] == 64
    with pytest.raises(discord.HTTPException, match="IS_COMPONENTS_V2"):
        await sent.edit(content="More")


# Refusals, in Discord's words. -------------------------------------------------------------


async def refused(calling: Awaitable[object]) -> tuple[int, int]:
    """Status and code of a refusal."""
    with pytest.raises(discord.HTTPException) as caught:
        await calling
    return caught.value.status, caught.value.code


async def test_what_may_not_be_sent_is_refused(place: Place) -> None:
    large = discord.File(io.BytesIO(bytes(10 * 1024 * 1024 + 1)), "clip.mp4")
    gone = place.discord.channel(place.home, "gone")
    place.discord.deletes(gone)
    quiet = place.discord.channel(place.home, "quiet")
    quiet.overwrites[place.home.id] = Overwrite(deny=Permission.SEND_MESSAGES)
    hidden = place.discord.channel(place.home, "hidden")
    hidden.overwrites[place.home.id] = Overwrite(deny=Permission.VIEW_CHANNEL)
    place.bob.takes_dms = False
    place.home.blocked_words.add("kitten")
    posted = place.bob.posts(place.general, "mine")
    theirs = place.channel().get_partial_message(posted.id)
    dm = place.discord.dm(place.bob)

    assert await refused(place.channel().send(file=large)) == (413, 40005)
    assert await refused(place.channel(gone).send("x")) == (404, 10003)
    assert await refused(place.channel(quiet).send("x")) == (403, 50013)
    assert await refused(place.channel(hidden).send("x")) == (403, 50001)
    assert await refused(place.channel(dm).send("x")) == (403, 50007)
    assert await refused(place.channel().send("A Kitten!")) == (400, 200000)
    assert await refused(place.channel().send()) == (400, 50006)
    assert await refused(place.channel().send("x" * 2001)) == (400, 50035)
    assert await refused(theirs.edit(content="x")) == (403, 50005)
    assert await refused(theirs.delete()) == (403, 50013)
    assert await refused(place.channel().fetch_message(1)) == (404, 10008)


async def test_a_boosted_server_takes_larger_files(place: Place) -> None:
    place.home.premium_tier = 2
    clip = discord.File(io.BytesIO(bytes(11 * 1024 * 1024)), "clip.mp4")
    await place.channel().send(file=clip)

    assert len(place.general.seen_by(place.bob)[0].attachments[0].data) == 11 * 1024 * 1024


async def test_a_reply_to_a_message_that_is_gone(place: Place) -> None:
    posted = place.alice.posts(place.general, "hello")
    place.alice.deletes(posted)
    target = discord.MessageReference(message_id=posted.id, channel_id=place.general.id)
    forgiving = discord.MessageReference(
        message_id=posted.id, channel_id=place.general.id, fail_if_not_exists=False
    )
    await place.channel().send("Anyway", reference=forgiving)

    assert await refused(place.channel().send("x", reference=target)) == (400, 50035)
    assert place.general.seen_by(place.bob)[-1].reply_to is None


async def test_three_seconds_are_the_time_to_answer(place: Place) -> None:
    """After them the interaction is unknown, and the person was told so."""

    async def dawdles(interaction: discord.Interaction) -> None:
        place.discord.clock.advance(3.1)
        assert await refused(interaction.response.defer()) == (404, 10062)
        place.bot.does = place.bot._defers

    place.bot.does = dawdles
    asked = place.alice.runs("animate", place.general, photo=png(), action="hug")
    await place.discord.until(lambda: place.discord.refused)

    assert not asked.answered
    assert place.general.seen_by(place.alice) == []


async def test_an_interaction_is_answered_once(place: Place, http: Http) -> None:
    asked = await place.asked()
    path = f"/interactions/{asked.id}/{asked.token}/callback"
    status, body = await http("POST", path, {"type": 5})

    assert (status, body["code"]) == (400, 40060)
    assert body["message"] == "Interaction has already been acknowledged."


async def test_the_token_of_an_interaction_lasts_fifteen_minutes(place: Place) -> None:
    asked = await place.asked()
    webhook = discord.Webhook.partial(place.discord.bot.id, asked.token, client=place.bot)
    assert asked.reply is not None
    place.discord.clock.advance(880)
    await webhook.edit_message(asked.reply.id, content="Just in time")
    place.discord.clock.advance(30)

    assert asked.reply.text == "Just in time"
    assert await refused(webhook.edit_message(asked.reply.id, content="Late")) == (401, 50027)


async def test_where_only_the_person_brought_the_app_only_the_token_works(place: Place) -> None:
    """Five follow-ups, for that person alone without the right to use external apps."""
    away = place.discord.guild("Away", place.alice, with_bot=False)
    away.everyone.permissions &= ~Permission.USE_EXTERNAL_APPS
    lobby = place.discord.channel(away, "lobby")
    got: list[discord.Interaction] = []

    async def answers(interaction: discord.Interaction) -> None:
        got.append(interaction)
        await interaction.response.send_message("Here")

    place.bot.does = answers
    with pytest.raises(CannotDo, match="installed"):
        place.alice.runs("animate", lobby, photo=png(), action="hug")
    place.alice.has_installed_app = True
    asked = place.alice.runs("animate", lobby, photo=png(), action="hug")
    await place.discord.until(lambda: asked.reply)
    for number in range(5):
        await got[0].followup.send(f"{number}")

    assert got[0].is_user_integration()
    assert not got[0].is_guild_integration()
    assert asked.reply is not None
    assert asked.reply.only_for is place.alice
    assert await refused(got[0].followup.send("6")) == (400, 40094)
    assert await refused(place.channel(lobby).send("x")) == (403, 50001)


async def test_the_first_follow_up_takes_the_place_of_thinking(place: Place) -> None:
    async def follows(interaction: discord.Interaction) -> None:
        await interaction.response.defer(ephemeral=True)
        await interaction.followup.send("For you")
        await interaction.followup.send("For all")

    place.bot.does = follows
    asked = await place.asked()
    await place.discord.until(lambda: asked.followups)

    assert [m.text for m in place.general.seen_by(place.alice)] == ["For you", "For all"]
    assert [m.text for m in place.general.seen_by(place.bob)] == ["For all"]


PARSED_AND_LISTED = {"parse": ["users"], "users": ["1"]}
ROW = {"type": 1, "components": [{"type": 2, "style": 1, "label": "A", "custom_id": "a"}]}


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ({"content": "x", "colour": 3}, "colour"),
        ({"content": "x", "nonce": "x" * 26}, "nonce"),
        ({"content": 3}, "content"),
        ({"content": "x", "flags": 1 << 6}, "flags"),
        ({"embeds": [{"title": "x" * 257}]}, "embeds"),
        ({"embeds": [{"description": "x" * 4000}, {"description": "x" * 2001}]}, "embeds"),
        ({"embeds": [{"image": {"url": "attachment://no.png"}}]}, "embeds"),
        ({"components": [ROW] * 2}, "components"),
        ({"components": [{"type": 1, "components": []}]}, "components"),
        ({"components": [{"type": 10, "content": "x"}]}, "components"),
        ({"components": [{"type": 1, "components": [{"type": 2, "style": 5}]}]}, "components"),
        ({"flags": 1 << 15, "content": "x", "components": [ROW]}, "content"),
        ({"flags": 1 << 15, "components": [{"type": 10, "content": "x"}] * 41}, "components"),
        ({"content": "x", "attachments": [{"id": 0}]}, "attachments"),
        ({"content": "x", "allowed_mentions": PARSED_AND_LISTED}, "allowed_mentions"),
    ],
)  # fmt: skip
async def test_a_wrong_form_is_refused_by_field(
    server: DiscordServer, http: Http, message: dict[str, Any], field: str
) -> None:
    channel = server.channel(server.guild("Home"), "general")
    status, body = await http("POST", f"/channels/{channel.id}/messages", message)

    assert (status, body["code"], body["message"]) == (400, 50035, "Invalid Form Body")
    assert list(body["errors"]) == [field]
    assert channel.messages == {}


COMMAND = {"name": "animate", "description": "x"}
OPTION = {"type": 3, "name": "action", "description": "x"}


@pytest.mark.parametrize(
    "commands",
    [
        [{**COMMAND, "name": "Animate"}],
        [{**COMMAND, "name": "a b"}],
        [{**COMMAND, "description": ""}],
        [{**COMMAND, "colour": 1}],
        [{**COMMAND, "name_localizations": {"xx": "y"}}],
        [COMMAND, COMMAND],
        [{**COMMAND, "options": [{**OPTION, "name": f"o{n}"} for n in range(26)]}],
        [{**COMMAND, "options": [OPTION, {**OPTION, "name": "b", "required": True}]}],
        [{**COMMAND, "options": [OPTION, OPTION]}],
        [{**COMMAND, "options": [{**OPTION, "min_value": 1}]}],
        [{**COMMAND, "options": [{**OPTION, "choices": [{"name": "x", "value": "y"}] * 26}]}],
        [{"name": f"Menu {n}", "type": 3} for n in range(6)],
    ],
)
async def test_a_wrong_command_is_not_registered(
    server: DiscordServer, http: Http, commands: list[dict[str, Any]]
) -> None:
    status, body = await http("PUT", f"/applications/{server.bot.id}/commands", commands)

    assert (status, body["code"]) == (400, 50035)
    assert server.world.commands.get(None, []) == []


async def test_an_unknown_call_is_a_404_and_a_wrong_method_a_405(http: Http) -> None:
    assert (await http("GET", "/nothing"))[0] == 404
    assert (await http("PUT", "/users/@me"))[0] == 405
    assert (await http("GET", "/users/@me?colour=3"))[0] == 400


# The gateway. ------------------------------------------------------------------------------


async def test_what_happens_while_the_line_is_down_comes_after_resuming(place: Place) -> None:
    """One session, two messages; but not an interaction: it is told once or never."""
    place.discord.gateway.closes()
    missed = place.alice.runs("animate", place.general, photo=png(), action="hug")
    place.bob.posts(place.discord.dm(place.bob), "one")
    place.bob.posts(place.discord.dm(place.bob), "two")
    await place.discord.until(lambda: len(place.bot.heard) == 2)

    assert [message.content for message in place.bot.heard] == ["one", "two"]
    assert place.bot.resumed == 1
    assert len(place.discord.gateway.sessions) == 1
    assert not missed.delivered


async def test_the_client_resumes_when_it_is_asked_to_reconnect(place: Place) -> None:
    place.discord.gateway.asks_to_reconnect()
    await place.discord.until(lambda: place.bot.resumed == 1)

    assert len(place.discord.gateway.sessions) == 1


async def test_an_invalid_session_makes_the_client_identify_anew(place: Place) -> None:
    (before,) = place.discord.gateway.sessions
    place.discord.gateway.invalidates_sessions()
    await place.discord.until(lambda: place.discord.gateway.sessions)

    assert before not in place.discord.gateway.sessions
    assert place.bot.resumed == 0


async def test_a_session_that_was_forgotten_cannot_be_resumed(place: Place) -> None:
    place.discord.gateway.forgets_sessions()
    await place.discord.until(lambda: place.discord.gateway.sessions)
    await place.asked()

    assert place.bot.resumed == 0


async def test_a_dead_line_is_noticed_by_its_missing_heartbeats(server: DiscordServer) -> None:
    server.gateway.heartbeat_interval_s = 0.1
    here = Place(server, Bot(heartbeat_timeout=0.5))
    async with running(server, here.bot):
        await server.until(lambda: server.gateway.heartbeats > 2)
        server.gateway.goes_silent()
        here.bob.posts(server.dm(here.bob), "anybody?")
        await server.until(lambda: here.bot.heard)

    assert here.bot.resumed == 1


async def test_a_shard_hears_of_its_own_servers_only(server: DiscordServer) -> None:
    guilds = [server.guild(f"Server {number}") for number in range(2)]
    shard = next(n for n in range(2) if (guilds[0].id >> 22) % 2 == n)
    bot = Bot(shard_id=shard, shard_count=2)
    async with running(server, bot):
        heard = {guild.id for guild in bot.guilds}

    assert heard == {guild.id for guild in guilds if (guild.id >> 22) % 2 == shard}


IDENTIFY = {"token": Ellipsis, "intents": 1, "properties": {}}


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (["{"], 4002),
        ([{"op": 99}], 4002),
        ([{"op": 3, "d": {}}], 4003),
        ([{"op": 2, "d": {**IDENTIFY, "token": "wrong"}}], 4004),
        ([{"op": 2, "d": IDENTIFY}, {"op": 2, "d": IDENTIFY}], 4005),
        ([{"op": 2, "d": {**IDENTIFY, "shard": [2, 2]}}], 4010),
        ([{"op": 2, "d": {**IDENTIFY, "intents": 1 << 40}}], 4013),
        ([{"op": 10, "d": {}}], 4001),
    ],
)
async def test_the_gateway_closes_with_the_code_that_says_why(
    server: DiscordServer, frames: list[Any], code: int
) -> None:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(server.gateway.url + "?v=10&encoding=json") as line,
    ):
        for frame in frames:
            text = json.dumps(frame, default=lambda _: server.token)
            await line.send_str("{" if frame == "{" else text)
        async for _ in line:
            pass

    assert line.close_code == code


async def test_who_sends_no_heartbeats_is_disconnected(server: DiscordServer) -> None:
    server.gateway.heartbeat_interval_s = 0.05
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(server.gateway.url + "?v=10&encoding=json") as line,
    ):
        async for _ in line:
            pass

    assert line.close_code == 4009


# Money. ------------------------------------------------------------------------------------


async def test_what_was_bought_is_told_listed_and_consumed(place: Place) -> None:
    pack = place.discord.sku("Ten clips", 3)
    bought = place.alice.buys(pack)
    asked = await place.asked()
    listed = [one async for one in place.bot.entitlements(user=discord.Object(place.alice.id))]
    await listed[0].consume()

    assert [sku.name for sku in await place.bot.fetch_skus()] == ["Ten clips"]
    assert [one.sku_id for one in listed] == [pack.id]
    assert bought.consumed
    assert asked.delivered


# When things go wrong. ---------------------------------------------------------------------


async def test_a_lost_answer_leaves_what_was_done(place: Place) -> None:
    place.discord.fails(Trouble.LOSES_ANSWER, "POST", MESSAGES)
    with pytest.raises((aiohttp.ClientError, OSError)):
        await place.channel().send("Here it comes", nonce="job7-1")
    again = await place.channel().send("Here it comes", nonce="job7-1")

    assert [message.id for message in place.general.seen_by(place.bob)] == [again.id]


async def test_a_lost_call_leaves_nothing(place: Place) -> None:
    fault = place.discord.fails(Trouble.LOSES_CALL, "POST", MESSAGES)
    with pytest.raises((aiohttp.ClientError, OSError)):
        await place.channel().send("Here it comes")

    assert fault.hits == 1
    assert place.general.seen_by(place.bob) == []


async def test_a_server_error_is_answered_and_nothing_is_done(place: Place) -> None:
    place.discord.fails(Trouble.STATUS, "POST", MESSAGES, status=503)

    assert await refused(place.channel().send("x")) == (503, 0)
    assert place.general.seen_by(place.bob) == []


@pytest.mark.parametrize("trouble", [Trouble.RATE_LIMIT, Trouble.GLOBAL_RATE_LIMIT])
async def test_a_rate_limit_says_how_long_to_wait(place: Place, trouble: Trouble) -> None:
    place.discord.fails(trouble, "POST", MESSAGES, retry_after_s=0.05)
    await place.channel().send("x")
    first, second = place.discord.calls_to("POST", MESSAGES)

    assert (first.status, second.status) == (429, 200)
    assert first.answer["retry_after"] == 0.05
    assert first.answer["global"] is (trouble is Trouble.GLOBAL_RATE_LIMIT)
    assert second.at - first.at >= 0.05


async def test_a_limit_of_a_route_is_kept_by_the_client_and_enforced_by_the_server(
    place: Place, http: Http
) -> None:
    place.discord.limits("POST", MESSAGES, calls=2, per_s=0.3)
    for _ in range(4):
        await place.channel().send("x")
    polite = place.discord.calls_to("POST", MESSAGES)
    path = f"/channels/{place.general.id}/messages"
    hasty = [await http("POST", path, {"content": "x"}) for _ in range(6)]

    assert [call.status for call in polite] == [200] * 4
    assert 429 in [status for status, _ in hasty]


async def test_a_late_answer_is_an_answer(place: Place) -> None:
    place.discord.fails(Trouble.DELAY, "PATCH", ANSWERS, delay_s=0.05)
    asked = await place.asked()
    webhook = discord.Webhook.partial(place.discord.bot.id, asked.token, client=place.bot)
    assert asked.reply is not None
    await webhook.edit_message(asked.reply.id, content="Late")

    assert asked.reply.text == "Late"


async def test_a_link_to_a_file_expires(place: Place) -> None:
    sent = await place.channel().send(file=discord.File(io.BytesIO(b"one"), "1.txt"))
    place.discord.clock.advance(90_000)

    with pytest.raises(discord.NotFound):
        await sent.attachments[0].read()


# As a process of its own. ------------------------------------------------------------------


async def test_as_a_process_its_people_are_played_over_http() -> None:
    """A bot in this process, Discord in another: a command, and an answer that is lost."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.fakes.discord_api", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    api_url, token = (await process.stdout.readline()).decode().split()
    control = api_url.removesuffix("/api/v10") + "/control"
    lost = asyncio.Event()

    async def animates(interaction: discord.Interaction) -> None:
        await interaction.response.defer()
        with pytest.raises((aiohttp.ClientError, OSError)):
            await interaction.edit_original_response(content="Done")
        lost.set()

    point_at(api_url)
    async with Bot() as bot, aiohttp.ClientSession() as session:
        bot.does = animates

        async def act(verb: str, body: bytes = b"", **query: str) -> int:
            url = f"{control}/{verb}"
            async with session.post(url, params=query, data=body) as answer:
                return answer.status

        async def look(what: str) -> Any:
            async with session.get(f"{control}/{what}", params={"person": "alice"}) as answer:
                return await answer.json()

        running_bot = asyncio.create_task(bot.start(token))
        await bot.came.wait()
        unknown = await act("run", person="alice", command="animat")
        await act("fault", trouble="loses_answer", method="PATCH")
        await act("run", png(), person="alice", command="animate", **{"option.action": "hug"})
        await lost.wait()
        seen = (await look("channels"))["general"]
        calls = await look("calls")
        await bot.close()
        await running_bot
    process.terminate()

    assert unknown == 409
    assert [message["text"] for message in seen] == ["Done"]
    assert (calls[-1]["status"], calls[-1]["applied"]) == (None, True)
    assert await process.wait() == 0
