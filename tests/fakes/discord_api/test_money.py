"""What people buy."""

import discord

from tests.fakes.discord_api.trial import Place, refused


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


async def test_a_test_purchase_is_made_and_taken_back_by_the_api(place: Place) -> None:
    pack = place.discord.sku("Plus")
    owner = discord.Object(place.alice.id)
    kind = discord.EntitlementOwnerType.user
    await place.bot.create_entitlement(discord.Object(pack.id), owner, kind)
    ((ident, made),) = place.discord.world.entitlements.items()
    fetched = await place.bot.fetch_entitlement(ident)
    await fetched.delete()

    assert made.user is place.alice
    assert place.discord.world.entitlements == {}
    assert await refused(place.bot.fetch_entitlement(ident)) == (404, 10029)


async def test_what_has_ended_is_left_out_on_wish(place: Place) -> None:
    plus = place.discord.sku("Plus")
    place.alice.buys(plus, lasts_s=60)
    place.bob.buys(plus, lasts_s=6_000)
    place.discord.clock.advance(600)
    lasting = [one async for one in place.bot.entitlements(exclude_ended=True)]

    assert [one.user_id for one in lasting] == [place.bob.id]
