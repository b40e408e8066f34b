"""What Discord refuses, and in which words."""

import io
from typing import Any

import aiohttp
import discord
import pytest

from tests.fakes.discord_api import CannotDo, DiscordServer, Overwrite, Permission
from tests.fakes.discord_api.trial import Http, Place, png, refused


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
        place.bot.does = place.bot.defers

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


def row_of(*custom_ids: str) -> dict[str, Any]:
    buttons = [{"type": 2, "style": 1, "label": "A", "custom_id": one} for one in custom_ids]
    return {"type": 1, "components": buttons}


ROW = row_of("a")


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
        ({"components": [row_of(f"{n}") for n in range(6)]}, "components"),
        ({"components": [row_of(*"abcdef")]}, "components"),
        ({"components": [row_of("a" * 101)]}, "components"),
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
        [{"name": f"Menu {n}", "type": 3} for n in range(16)],
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


async def test_history_is_needed_to_reply_and_to_read(place: Place) -> None:
    posted = place.alice.posts(place.general, "hello")
    target = discord.MessageReference(message_id=posted.id, channel_id=place.general.id)
    place.general.overwrites[place.discord.bot.id] = Overwrite(
        deny=Permission.READ_MESSAGE_HISTORY | Permission.ATTACH_FILES
    )

    assert await refused(place.channel().send("x", reference=target)) == (403, 160002)
    assert await refused(place.channel().fetch_message(posted.id)) == (403, 50013)
    assert await refused(place.channel().send(file=discord.File(io.BytesIO(b"x"), "x.txt"))) == (
        403,
        50013,
    )
    assert [message async for message in place.channel().history()] == []


async def test_a_reply_stays_in_its_channel(place: Place) -> None:
    other = place.discord.channel(place.home, "other")
    posted = place.alice.posts(other, "hello")
    target = discord.MessageReference(message_id=posted.id, channel_id=other.id)

    assert await refused(place.channel().send("x", reference=target)) == (400, 50035)


async def test_twenty_kinds_of_reactions_are_the_most(place: Place) -> None:
    posted = place.alice.posts(place.general, "hello")
    message = place.channel().get_partial_message(posted.id)
    for number in range(20):
        place.bob.reacts(posted, chr(0x1F600 + number))

    assert await refused(message.add_reaction("👀")) == (400, 30010)
    assert await refused(message.add_reaction("wave:1")) == (400, 10014)


async def test_an_overwrite_of_a_member_goes_before_that_of_a_role(place: Place) -> None:
    role = place.discord.role(place.home, "muted", Permission.VIEW_CHANNEL, place.discord.bot)
    place.general.overwrites[role.id] = Overwrite(deny=Permission.SEND_MESSAGES)
    assert await refused(place.channel().send("x")) == (403, 50013)

    place.general.overwrites[place.discord.bot.id] = Overwrite(allow=Permission.SEND_MESSAGES)
    await place.channel().send("Now")
    assert [message.text for message in place.general.seen_by(place.bob)] == ["Now"]


async def test_a_body_that_is_no_json_is_refused(server: DiscordServer) -> None:
    channel = server.channel(server.guild("Home"), "general")
    url = f"{server.api_url}/channels/{channel.id}/messages"
    headers = {"Authorization": f"Bot {server.token}", "Content-Type": "application/json"}
    async with aiohttp.ClientSession(headers=headers) as session:
        answer = await session.post(url, data=b"{")
        body = await answer.json()
        anonymous = await session.post(url, data=b"{}", headers={"Authorization": "Bot x"})

    assert (answer.status, body["code"]) == (400, 50109)
    assert anonymous.status == 401
