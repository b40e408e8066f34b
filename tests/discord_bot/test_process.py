"""The gateway and the process: sessions, shards, purchases, lists of the operator."""

import asyncio
import logging

import pytest

from tests.conftest import wait_until
from tests.discord_bot.stage import at_work
from tests.discord_bot.test_promise import asks, ended
from tests.discord_bot.test_ways_in import clips
from tests.engines import QuickEngine
from tests.fakes.discord_api import Channel, DiscordServer, Guild, Person, Trouble
from tests.fakes.discord_api.gateway import Intent
from vivant.bots.discord import run
from vivant.bots.discord.bot import VivantBot
from vivant.bots.discord.process import logged_in
from vivant.errors import SettingsError
from vivant.houses import House, Houses
from vivant.services import Services
from vivant.settings import Settings


@pytest.fixture
def without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py waits five seconds before it identifies anew."""

    async def at_once(self: VivantBot, shard_id: int | None, *, initial: bool = False) -> None:
        del self, shard_id, initial

    monkeypatch.setattr(VivantBot, "before_identify_hook", at_once)


def changed(services: Services, **choices: object) -> Services:
    """The same services, with other settings."""
    settings = services.settings.model_copy(update=choices)
    return Services(
        settings=settings,
        redis_url=services.redis_url,
        ledger=services.ledger,
        media=services.media,
        bells=services.bells,
        radio=services.radio,
    )


@pytest.mark.usefixtures("without_pauses", "quick_engine")
async def test_a_session_that_cannot_be_resumed_is_begun_anew_and_misses_nothing(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, photo: bytes
) -> None:
    """What was posted between the two sessions nobody tells; it is caught up with."""
    async with at_work(services, discord):
        (old,) = discord.gateway.connected
        discord.gateway.forgets_sessions()
        asked = ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
        await discord.until(lambda: clips(general, ada), within_s=25)

        assert discord.gateway.connected != [old]
    assert [clip.reply_to for clip in clips(general, ada)] == [asked]


async def test_a_bot_that_hung_up_hears_of_nothing_more(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """discord.py says `shard_ready` up to two seconds later."""
    heard: list[int] = []

    async def on_shard_ready(self: VivantBot, shard_id: int) -> None:
        del self
        heard.append(shard_id)

    monkeypatch.setattr(VivantBot, "on_shard_ready", on_shard_ready)
    async with logged_in(settings) as bot:
        bot.dispatch("shard_ready", 1)
        await wait_until(lambda: heard == [1])
    bot.dispatch("shard_ready", 2)
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()})

    assert heard == [1]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py takes a line for dead after a silent minute."""
    usual = VivantBot.setup_hook

    async def setup_hook(self: VivantBot) -> None:
        self._connection.heartbeat_timeout = 3.0
        await usual(self)

    monkeypatch.setattr(VivantBot, "setup_hook", setup_hook)


@pytest.mark.usefixtures("quick_engine", "impatient", "without_pauses")
async def test_a_line_that_goes_silent_is_noticed_by_its_heartbeat(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, photo: bytes
) -> None:
    """No acknowledgement of a heartbeat: closed, connected again, and nothing is missed."""
    discord.gateway.heartbeat_interval_s = 1.5
    async with at_work(services, discord):
        discord.gateway.goes_silent()
        assert not discord.gateway.connected
        asked = ada.posts(general, f"{discord.bot.mention} slow zoom in", files=[photo])
        await discord.until(lambda: clips(general, ada), within_s=40)
        assert discord.gateway.connected

    assert [clip.reply_to for clip in clips(general, ada)] == [asked]


@pytest.mark.usefixtures("without_pauses")
async def test_shards_are_as_many_as_are_set_and_each_minds_its_servers(
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    """Two processes share the shards of one bot; neither stands by for the other."""
    del quick_engine
    stop = asyncio.Event()
    halves = [
        asyncio.create_task(
            run(changed(services, discord_shards=2, discord_shard_ids=(shard,)), stop)
        )
        for shard in (0, 1)
    ]
    try:
        await discord.until(lambda: len(discord.gateway.connected) == 2, within_s=20)
        asked = asks(ada, general, photo)
        await ended(services)
    finally:
        stop.set()
        await asyncio.wait(halves)

    assert sorted(session.shard for session in discord.gateway.sessions.values()) == [
        (0, 2),
        (1, 2),
    ]
    assert clips(general, ada) == [asked.reply]


@pytest.mark.usefixtures("quick_engine")
@pytest.mark.parametrize("listed", ["server", "channel", "another server"])
async def test_the_operators_list_is_of_servers_or_channels(
    listed: str,
    discord: DiscordServer,
    services: Services,
    home: Guild,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    """Elsewhere one refusal an hour is said, and nothing is charged."""
    allowed = {"server": home.id, "channel": general.id, "another server": 1}[listed]
    async with at_work(changed(services, allowed_chats=(f"discord:{allowed}",)), discord):
        asked = asks(ada, general, photo)
        await discord.until(lambda: asked.reply and not asked.reply.loading)
        if listed == "another server":
            assert asked.reply is not None
            assert "may not work for you here" in asked.reply.text
        else:
            await ended(services)
            assert clips(general, ada) == [asked.reply]


@pytest.mark.usefixtures("quick_engine")
async def test_a_second_no_within_the_hour_does_not_leave_thinking_behind(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, photo: bytes
) -> None:
    async with at_work(changed(services, allowed_chats=("discord:1",)), discord):
        first = asks(ada, general, photo)
        await discord.until(lambda: first.reply and not first.reply.loading)
        second = asks(ada, general, photo)
        await discord.until(lambda: second.reply and not second.reply.loading)

    assert not clips(general, ada)


@pytest.mark.usefixtures("quick_engine")
async def test_with_the_intent_to_read_messages_a_reply_finds_its_photo(
    discord: DiscordServer, services: Services, general: Channel, ada: Person, photo: bytes
) -> None:
    discord.gateway.allowed_intents = Intent.MESSAGE_CONTENT
    async with at_work(changed(services, discord_reads_messages=True), discord):
        posted = ada.posts(general, "us at the lake", files=[photo])
        asked = ada.posts(general, f"{discord.bot.mention} slow zoom in", reply_to=posted)
        await ended(services)

    assert [clip.reply_to for clip in clips(general, ada)] == [asked]


async def test_an_intent_that_the_portal_does_not_grant_is_named(
    discord: DiscordServer, services: Services
) -> None:
    discord.gateway.allowed_intents = Intent(0)
    with pytest.raises(SettingsError, match="VIVANT_DISCORD_READS_MESSAGES"):
        await run(changed(services, discord_reads_messages=True), asyncio.Event())


@pytest.mark.usefixtures("quick_engine")
async def test_a_server_may_ask_for_every_photo_with_words(
    discord: DiscordServer,
    services: Services,
    home: Guild,
    general: Channel,
    ada: Person,
    photo: bytes,
) -> None:
    """Words alone and photos alone are still left alone."""
    discord.gateway.allowed_intents = Intent.MESSAGE_CONTENT
    await Houses(services.ledger).put("discord", str(home.id), House(every_photo=True))
    async with at_work(changed(services, discord_reads_messages=True), discord):
        ada.posts(general, "good morning")
        ada.posts(general, files=[photo])
        asked = ada.posts(general, "slow zoom in", files=[photo])
        await ended(services)

    assert [clip.reply_to for clip in clips(general, ada)] == [asked]
    assert len(general.seen_by(ada)) == 4


async def test_a_discord_that_is_away_is_tried_again_and_can_be_left_meanwhile(
    discord: DiscordServer, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    """At the login, and at the gateway."""
    discord.fails(Trouble.STATUS, "GET", "/users/@me", status=503, times=1)
    async with at_work(services, discord):
        assert discord.is_ready
    discord.gateway.url = "ws://127.0.0.1:9/gateway"
    stop = asyncio.Event()
    running = asyncio.create_task(run(services, stop))
    await wait_until(lambda: "Failed to connect" in caplog.text)
    stop.set()
    await running


async def test_a_process_that_is_about_to_end_takes_nothing_new_and_says_so(
    discord: DiscordServer,
    services: Services,
    quick_engine: QuickEngine,
    general: Channel,
    ada: Person,
    photo: bytes,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It finishes the photo that it is fetching; one that comes now is for the next process."""
    del quick_engine
    stop = asyncio.Event()
    running = asyncio.create_task(run(services, stop))
    await discord.until(lambda: discord.is_ready)
    discord.fails(Trouble.DELAY, "GET", "/ephemeral-attachments/*", delay_s=1.5)
    early = asks(ada, general, photo)
    await discord.until(lambda: discord.faults[0].hits)
    caplog.set_level(logging.INFO)
    stop.set()
    await wait_until(lambda: "stopping" in caplog.text)
    late = asks(ada, general, photo)
    await running

    assert early.reply is not None
    assert "Nothing was charged" not in early.reply.text
    assert late.reply is not None
    assert "in a few minutes" in late.reply.text


async def test_what_is_bought_is_credited_once_whenever_it_is_told(
    discord: DiscordServer, services: Services, general: Channel, ada: Person
) -> None:
    """Before the start, while it runs, and again at the next start."""
    pack = discord.sku("Ten clips", 3)
    plus = discord.sku("Plus")
    sells = changed(services, discord_packs=(f"{pack.id}:10", f"{plus.id}:30"))
    early = ada.buys(pack)

    async def paid() -> int:
        return (await services.ledger.people.credit(f"discord:{ada.id}")).paid

    async def is_ten() -> bool:
        return await paid() == 10

    async def is_forty() -> bool:
        return await paid() == 40

    async with at_work(sells, discord):
        await wait_until(is_ten)
        await discord.until(lambda: early.consumed)
        offered = ada.runs("buy", general)
        await discord.until(lambda: offered.reply and offered.reply.buttons)
        ada.buys(plus, lasts_s=86_400)
        await wait_until(is_forty)
    asked = len(discord.calls_to("GET", "/applications/{application}/entitlements"))
    async with at_work(sells, discord):
        await discord.until(
            lambda: len(discord.calls_to("GET", "/applications/{application}/entitlements")) > asked
        )

    assert await paid() == 40
    assert offered.reply is not None
    assert [button["sku_id"] for button in offered.reply.buttons] == [str(pack.id), str(plus.id)]


async def test_what_is_refunded_is_taken_back_as_far_as_it_is_not_spent(
    discord: DiscordServer, services: Services, general: Channel, ada: Person
) -> None:
    """One clip of ten was spent; another purchase stays whole. Told twice, it goes once."""
    del general
    pack = discord.sku("Ten clips", 3)
    sells = changed(services, discord_packs=(f"{pack.id}:10",))
    owner = f"discord:{ada.id}"

    async def has(clips: int) -> bool:
        return (await services.ledger.people.credit(owner)).paid == clips

    async with at_work(sells, discord):
        first = ada.buys(pack)
        await wait_until(lambda: has(10))
        await services.ledger.people.grant(owner, -1, source="spent")
        discord.refunds(first)
        await wait_until(lambda: has(0))
        ada.buys(pack)
        await wait_until(lambda: has(10))
        discord.refunds(first)
        ada.buys(pack)
        await wait_until(lambda: has(20))

    assert await has(20)


async def test_a_refund_that_nobody_heard_of_is_found_at_the_next_start(
    discord: DiscordServer,
    services: Services,
    general: Channel,
    ada: Person,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """All of it was spent: nothing is taken, then or later, from what was bought since."""
    del general
    caplog.set_level(logging.INFO)
    pack = discord.sku("Ten clips", 3)
    sells = changed(services, discord_packs=(f"{pack.id}:10",))
    owner = f"discord:{ada.id}"

    async def has(clips: int) -> bool:
        return (await services.ledger.people.credit(owner)).paid == clips

    async with at_work(sells, discord):
        spent, kept = ada.buys(pack), ada.buys(pack)
        await wait_until(lambda: has(20))
        await services.ledger.people.grant(owner, -20, source="spent")
    discord.refunds(spent)
    async with at_work(sells, discord):
        await wait_until(lambda: "refunded" in caplog.messages)
        ada.buys(pack)
        await wait_until(lambda: has(10))
    discord.refunds(kept)
    async with at_work(sells, discord):
        await wait_until(lambda: has(0))

    assert await services.ledger.people.discrepancies() == []


async def test_nothing_is_for_sale_until_it_is_configured(
    discord: DiscordServer, services: Services
) -> None:
    async with at_work(services, discord):
        names = {command["name"] for command in discord.world.commands[None]}

    assert "buy" not in names
    assert discord.calls_to("GET", "/applications/{application}/entitlements") == []
