"""Words that came before their photo."""

import asyncio
from dataclasses import replace

from sqlalchemy import update

from tests.ledger.orders import ANN, BOB, rows
from vivant.clips import ReplyTo
from vivant.ledger import Ledger
from vivant.ledger.schema import early_words

_HERE = ReplyTo(platform="telegram", bot="7", chat_id="1", thread_id="3")


async def two_minutes_later(ledger: Ledger) -> None:
    async with ledger.db.writing() as conn:
        await conn.execute(update(early_words).values(at=early_words.c.at - 120_000))


async def test_one_photo_gets_the_words_that_came_before_it(ledger: Ledger) -> None:
    await ledger.early_words.keep(ANN, _HERE, "slow zoom in")

    asked = (ledger.early_words.take(ANN, _HERE, f"photo {number}") for number in range(5))
    got = await asyncio.gather(*asked)

    assert sorted(got, key=str) == [None] * 4 + ["slow zoom in"]


async def test_the_same_event_gets_the_same_words_again(ledger: Ledger) -> None:
    """An update that is handled twice."""
    await ledger.early_words.keep(ANN, _HERE, "hug")

    assert await ledger.early_words.take(ANN, _HERE, "photo") == "hug"
    assert await ledger.early_words.take(ANN, _HERE, "photo") == "hug"
    assert not await ledger.early_words.are_waiting(ANN, _HERE)


async def test_the_newest_words_count(ledger: Ledger) -> None:
    await ledger.early_words.keep(ANN, _HERE, "hug")
    await ledger.early_words.take(ANN, _HERE, "photo")
    await ledger.early_words.keep(ANN, _HERE, "smile")

    assert await ledger.early_words.are_waiting(ANN, _HERE)
    assert await ledger.early_words.take(ANN, _HERE, "another photo") == "smile"


async def test_words_stay_with_whom_and_where_they_were_said(ledger: Ledger) -> None:
    await ledger.early_words.keep(ANN, _HERE, "hug")

    for elsewhere in ({"bot": "8"}, {"chat_id": "2"}, {"thread_id": None}):
        assert await ledger.early_words.take(ANN, replace(_HERE, **elsewhere), "photo") is None
    assert await ledger.early_words.take(BOB, _HERE, "photo") is None


async def test_words_are_forgotten_after_two_minutes_and_when_asked(ledger: Ledger) -> None:
    await ledger.early_words.keep(ANN, _HERE, "hug")
    await two_minutes_later(ledger)
    assert await ledger.early_words.take(ANN, _HERE, "photo") is None
    await ledger.tidy()
    assert await rows(ledger, early_words) == []

    await ledger.early_words.keep(ANN, _HERE, "hug")
    await ledger.people.forget(ANN)
    assert await rows(ledger, early_words) == []
