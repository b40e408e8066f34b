"""What people buy."""

import discord

from tests.fakes.discord_api.trial import Place


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
