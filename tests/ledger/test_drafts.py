"""Photos that wait for a word of their sender."""

from dataclasses import replace

from sqlalchemy import update

from tests.ledger.orders import ANN, BOB, media, order
from vivant.clips import ReplyTo
from vivant.ledger import Ledger
from vivant.ledger.schema import drafts

_CHAT = ReplyTo(platform="telegram", bot="7", chat_id=f"chat of {ANN}")


async def age(ledger: Ledger, draft_id: str, seconds: float) -> None:
    async with ledger.db.writing() as conn:
        await conn.execute(
            update(drafts)
            .where(drafts.c.id == draft_id)
            .values(created_at=drafts.c.created_at - int(seconds * 1000))
        )


async def test_a_draft_is_kept_as_it_was_ordered(ledger: Ledger) -> None:
    made = order(source_clip=media("video/mp4"))

    draft_id, is_new = await ledger.drafts.keep(made)

    assert is_new
    assert await ledger.drafts.get(draft_id) == made


async def test_the_same_event_twice_is_one_question(ledger: Ledger) -> None:
    made = order()
    first, _ = await ledger.drafts.keep(made)

    second, is_new = await ledger.drafts.keep(replace(made, photo=media()))

    assert (second, is_new) == (first, False)
    assert await ledger.drafts.get(first) == made


async def test_what_the_sender_said_so_far_is_kept(ledger: Ledger) -> None:
    made = order()
    draft_id, _ = await ledger.drafts.keep(made)
    said = replace(made, language="fr")

    await ledger.drafts.amend(draft_id, said)

    assert await ledger.drafts.get(draft_id) == said


async def test_a_draft_that_was_dropped_is_gone(ledger: Ledger) -> None:
    draft_id, _ = await ledger.drafts.keep(order())

    await ledger.drafts.drop(draft_id)
    await ledger.drafts.drop(draft_id)

    assert await ledger.drafts.get(draft_id) is None


async def test_words_in_reply_belong_to_the_question_they_answer(ledger: Ledger) -> None:
    older, _ = await ledger.drafts.keep(order(ANN))
    newer, _ = await ledger.drafts.keep(order(ANN))
    await ledger.drafts.asked(older, "500")
    await ledger.drafts.asked(newer, "501")

    async def answered(message_id: str | None, owner: str = ANN) -> str | None:
        return await ledger.drafts.answered_by(owner, _CHAT, message_id=message_id, within_s=60)

    assert await answered("500") == older
    assert await answered("501") == newer
    assert await answered("502") is None
    assert await answered("500", BOB) is None


async def test_words_on_their_own_belong_to_the_newest_question_of_that_chat(
    ledger: Ledger,
) -> None:
    older, _ = await ledger.drafts.keep(order(ANN))
    newer, _ = await ledger.drafts.keep(order(ANN))
    await age(ledger, older, 30)
    elsewhere = ReplyTo(platform="telegram", bot="7", chat_id="elsewhere")
    await ledger.drafts.keep(order(ANN, reply_to=elsewhere))

    async def answered(within_s: float) -> str | None:
        return await ledger.drafts.answered_by(ANN, _CHAT, message_id=None, within_s=within_s)

    assert await answered(60) == newer
    await age(ledger, newer, 45)
    assert await answered(60) == older
    assert await answered(20) is None


async def test_words_to_one_bot_answer_no_question_of_another(ledger: Ledger) -> None:
    """A person's chats with two bots go by the same id."""
    await ledger.drafts.keep(order(ANN))
    other = replace(_CHAT, bot="8")

    answered = await ledger.drafts.answered_by(ANN, other, message_id=None, within_s=60)

    assert answered is None


async def test_only_old_questions_have_expired(ledger: Ledger) -> None:
    made = order()
    old, _ = await ledger.drafts.keep(made)
    await ledger.drafts.keep(order())
    await age(ledger, old, 100)

    assert await ledger.drafts.expired(60) == [(old, made)]
    assert len(await ledger.drafts.expired(0)) == 2
