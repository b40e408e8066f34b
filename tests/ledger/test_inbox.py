"""Updates: kept before they are confirmed, handled once, and never a poison for the others."""

import asyncio

from sqlalchemy import update

from tests.ledger.conftest import Opener
from tests.ledger.orders import rows
from vivant.ledger import Arrival, Inbox, Ledger, Letter
from vivant.ledger.inbox import MAX_DEATHS
from vivant.ledger.schema import inbox as table


def inbox_of(ledger: Ledger, bot: str = "7") -> Inbox:
    return ledger.inbox("telegram", bot)


async def arrive(inbox: Inbox) -> Arrival:
    arrival = await inbox.claim()
    assert arrival is not None
    return arrival


async def let_leases_run_out(ledger: Ledger) -> None:
    async with ledger.db.writing() as conn:
        await conn.execute(update(table).values(lease_until=0))


async def test_an_update_that_comes_twice_is_kept_once(ledger: Ledger) -> None:
    inbox = inbox_of(ledger)

    assert await inbox.put([Letter("1", "one"), Letter("2", "two")]) == 2
    assert await inbox.put([Letter("2", "two"), Letter("3", "three")]) == 1

    assert [(await arrive(inbox)).payload for _ in range(3)] == ["one", "two", "three"]
    assert await inbox.claim() is None


async def test_an_update_that_was_handled_does_not_come_back(ledger: Ledger) -> None:
    inbox = inbox_of(ledger)
    await inbox.put([Letter("1", "one")])
    await inbox.done(await arrive(inbox))

    assert await inbox.put([Letter("1", "one")]) == 0

    await let_leases_run_out(ledger)
    assert await inbox.claim() is None


async def test_the_content_goes_and_the_number_stays_once_it_is_done(ledger: Ledger) -> None:
    inbox = inbox_of(ledger)
    await inbox.put([Letter("1", "what somebody wrote", "ada", "an album")])

    await inbox.done(await arrive(inbox))

    (row,) = await rows(ledger, table)
    assert (row.event, row.payload, row.state) == ("1", None, "done")
    assert (row.sender, row.album) == (None, None)


async def test_who_has_enough_in_hand_is_passed_over_but_for_an_album_that_is_open(
    ledger: Ledger,
) -> None:
    inbox = inbox_of(ledger)
    await inbox.put(
        [
            Letter("1", "more of eve", "eve"),
            Letter("2", "the rest of an album", "eve", "open"),
            Letter("3", "another album", "eve", "closed"),
            Letter("4", "of ada", "ada"),
            Letter("5", "of nobody"),
        ]
    )

    found = [await inbox.claim(but_of=["eve"], albums=["open"]) for _ in range(4)]

    assert [one.event for one in found if one is not None] == ["2", "4", "5"]
    assert [(await arrive(inbox)).event for _ in range(2)] == ["1", "3"]


async def test_bots_do_not_see_each_others_updates(ledger: Ledger) -> None:
    await inbox_of(ledger, "7").put([Letter("1", "for seven")])
    await inbox_of(ledger, "8").put([Letter("1", "for eight")])

    assert (await arrive(inbox_of(ledger, "8"))).payload == "for eight"
    assert await inbox_of(ledger, "8").claim() is None


async def test_an_update_whose_handler_died_is_handled_again(ledger: Ledger) -> None:
    inbox = inbox_of(ledger)
    await inbox.put([Letter("1", "one")])
    await arrive(inbox)
    assert await inbox.claim() is None

    await let_leases_run_out(ledger)

    assert (await arrive(inbox)).tries == 2


async def test_an_update_that_takes_long_is_not_handled_twice(ledger: Ledger) -> None:
    inbox = inbox_of(ledger)
    await inbox.put([Letter("1", "one")])
    arrival = await arrive(inbox)
    await let_leases_run_out(ledger)

    await inbox.renew(arrival)

    assert await inbox.claim() is None


async def test_a_poison_update_is_given_up_after_three_tries(ledger: Ledger) -> None:
    inbox = inbox_of(ledger)
    await inbox.put([Letter("1", "poison"), Letter("2", "fine")])
    for tries in (1, 2, 3):
        arrival = await arrive(inbox)
        assert (arrival.event, arrival.tries, arrival.is_last_try) == ("1", tries, tries == 3)
        assert await inbox.failed(arrival, retry_s=-1) == (tries == 3)

    assert (await arrive(inbox)).event == "2"
    states = {row.event: (row.state, row.payload) for row in await rows(ledger, table)}
    assert states["1"] == ("given_up", None)
    (deed,) = await ledger.audit.latest(10)
    assert (deed.by, deed.words) == ("telegram:7", "see to update 1")
    assert deed.outcome == "given up after 3 tries"


async def test_an_update_that_kills_its_process_again_and_again_is_hopeless(
    ledger: Ledger,
) -> None:
    """Nobody lived to say that it failed; an innocent one outlives three deaths of others."""
    inbox = inbox_of(ledger)
    await inbox.put([Letter("1", "deadly"), Letter("2", "fine")])
    for _ in range(MAX_DEATHS):
        arrival = await arrive(inbox)
        assert (arrival.event, arrival.is_hopeless) == ("1", False)
        await let_leases_run_out(ledger)

    arrival = await arrive(inbox)

    assert (arrival.event, arrival.is_hopeless) == ("1", True)
    assert await inbox.failed(arrival)
    assert (await arrive(inbox)).event == "2"


async def test_a_handler_that_lost_its_update_cannot_fail_it(ledger: Ledger) -> None:
    inbox = inbox_of(ledger)
    await inbox.put([Letter("1", "one")])
    stale = await arrive(inbox)
    await let_leases_run_out(ledger)
    held = await arrive(inbox)

    assert not await inbox.failed(stale, retry_s=-1)

    assert await inbox.claim() is None
    await inbox.done(held)
    assert not await inbox.failed(held)
    (row,) = await rows(ledger, table)
    assert row.state == "done"


async def test_two_processes_never_handle_the_same_update(opened: Opener) -> None:
    async with opened() as ledger, opened() as other:
        inboxes = (inbox_of(ledger), inbox_of(other))
        await inboxes[0].put([Letter(str(n), "x") for n in range(12)])

        found = await asyncio.gather(*(inboxes[n % 2].claim() for n in range(16)))

        events = [arrival.event for arrival in found if arrival is not None]
        assert len(events) == len(set(events)) == 12


async def test_numbers_of_old_updates_are_dropped_and_what_waits_is_not(ledger: Ledger) -> None:
    inbox = inbox_of(ledger)
    await inbox.put([Letter("1", "one"), Letter("2", "two")])
    await inbox.done(await arrive(inbox))
    async with ledger.db.writing() as conn:
        await conn.execute(update(table).values(arrived_at=table.c.arrived_at - 100_000))

    await inbox.forget(200)
    assert len(await rows(ledger, table)) == 2
    await inbox.forget(50)

    (row,) = await rows(ledger, table)
    assert row.event == "2"
