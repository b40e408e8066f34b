"""Commands, buttons, menus and forms, from the person to the bot and back."""

import io
import re
from typing import Any

import discord
import pytest
from discord import ui

from tests.fakes.discord_api import CannotDo, DiscordServer, Permission, Upload
from tests.fakes.discord_api.trial import Bot, Http, Place, png, refused, running


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


async def test_an_answer_and_a_follow_up_are_read_changed_and_deleted(place: Place) -> None:
    got: list[discord.Interaction] = []

    async def answers(interaction: discord.Interaction) -> None:
        got.append(interaction)
        await interaction.response.send_message("One", file=discord.File(io.BytesIO(b"1"), "1.txt"))

    place.bot.does = answers
    asked = await place.asked()
    await place.discord.until(lambda: got and got[0].response.is_done())
    original = await got[0].original_response()
    await got[0].edit_original_response(content="Two")
    more = await got[0].followup.send("Three", wait=True)
    await got[0].followup.edit_message(more.id, content="Four")

    assert original.content == "One"
    assert [message.text for message in place.general.seen_by(place.bob)] == ["Two", "Four"]
    assert asked.followups[0].id == more.id
    await got[0].delete_original_response()
    await got[0].followup.delete_message(more.id)
    assert place.general.seen_by(place.bob) == []
    assert await refused(got[0].edit_original_response(content="x")) == (404, 10008)


async def test_a_button_is_acknowledged_first_and_its_message_changed_later(place: Place) -> None:
    class Slow(ui.View):
        @ui.button(label="Again", custom_id="again")
        async def again(self, interaction: discord.Interaction, button: ui.Button[ui.View]) -> None:
            del button
            await interaction.response.defer()
            await interaction.edit_original_response(content="Done", view=None)

    await place.channel().send("A clip", view=Slow())
    (message,) = place.general.seen_by(place.alice)
    pressed = place.alice.clicks(message, "Again")
    await place.discord.until(lambda: message.before)

    assert pressed.answered_by == 6
    assert pressed.reply is message
    assert message.text == "Done"


async def test_people_are_picked_from_a_menu_of_people(place: Place) -> None:
    class Who(ui.View):
        @ui.select(cls=ui.UserSelect, custom_id="who")
        async def who(
            self, interaction: discord.Interaction, select: ui.UserSelect[ui.View]
        ) -> None:
            await interaction.response.send_message(select.values[0].name)

    await place.channel().send("Who?", view=Who())
    (message,) = place.general.seen_by(place.alice)
    picked = place.alice.picks(message, "who", place.bob)
    await place.discord.until(lambda: picked.reply)

    assert picked.reply is not None
    assert picked.reply.text == "bob"


async def test_a_button_of_a_link_or_a_shop_tells_the_app_nothing(place: Place) -> None:
    view = ui.View()
    view.add_item(ui.Button(label="Help", url="https://example.org"))
    view.add_item(ui.Button(style=discord.ButtonStyle.premium, sku_id=7))
    await place.channel().send("Look", view=view)
    (message,) = place.general.seen_by(place.alice)

    with pytest.raises(CannotDo, match="tells the app nothing"):
        place.alice.clicks(message, "Help")


async def test_people_see_why_their_own_message_is_not_sent(place: Place) -> None:
    place.home.blocked_words.add("kitten")

    with pytest.raises(CannotDo, match="automatic moderation"):
        place.alice.posts(place.general, "kitten")
    with pytest.raises(CannotDo, match="too large"):
        place.alice.posts(place.general, files=[bytes(10 * 1024 * 1024 + 1)])


class Kept(ui.DynamicItem[ui.Button[ui.View]], template=r"again:(?P<job>\w+)"):
    def __init__(self, job: str) -> None:
        super().__init__(ui.Button(label="Again", custom_id=f"again:{job}"))
        self.job = job

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction, item: ui.Item[Any], match: re.Match[str]
    ) -> "Kept":
        del interaction, item
        return cls(match["job"])

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"Job {self.job} again")


async def test_a_button_of_an_earlier_life_still_works(server: DiscordServer) -> None:
    """The bot that sent it is gone; the next one knows it by its custom id."""
    here = Place(server, Bot())
    async with running(server, here.bot):
        view = ui.View(timeout=None).add_item(Kept("7"))
        await here.channel().send("A clip", view=view)
    (message,) = here.general.seen_by(here.alice)
    lost = here.alice.clicks(message, "Again")
    after = Bot()
    after.add_dynamic_items(Kept)
    async with running(server, after):
        pressed = here.alice.clicks(message, "Again")
        await server.until(lambda: pressed.reply)

    assert not lost.delivered
    assert pressed.reply is not None
    assert pressed.reply.text == "Job 7 again"
    assert pressed.reply.reply_to is message
