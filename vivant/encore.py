"""What can be asked of a clip that is there: again, calmer, longer, … as buttons and as orders.

It knows no platform and no ledger; `Intake` takes the orders, `Conversation` shows the buttons.
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from vivant.chat import Button, Verb
from vivant.clips import JobState, MediaRef, Work
from vivant.jobs import Job, Order
from vivant.messages import Messages

#: Each press is a step; three steps stronger is as wild as it gets.
_STEP: Final = 1.4
_CALMEST: Final = 0.35
_STRONGEST: Final = 2.8
#: A clip that would get longer than this is not offered to go on, in seconds.
_LONGEST_S: Final = 16

#: Verbs that make a new job.
RENDERING: Final = frozenset({Verb.AGAIN, Verb.CALMER, Verb.STRONGER, Verb.LONGER, Verb.LOOP})
#: In the order they stand.
_UNDER_A_CLIP: Final = (
    Verb.AGAIN,
    Verb.CALMER,
    Verb.STRONGER,
    Verb.EDIT,
    Verb.LONGER,
    Verb.LOOP,
    Verb.FILE,
    Verb.DELETE,
    Verb.REPORT,
)


def buttons_under(job: Job, shown: Collection[Verb]) -> tuple[Button, ...]:
    """The buttons of a finished clip, as far as its platform shows them."""
    words = Messages(job.language)
    return tuple(
        Button(label=words.verb(verb), verb=verb, target=job.id)
        for verb in _UNDER_A_CLIP
        if verb in shown and _fits(job, verb)
    )


def makes_sense(job: Job, verb: Verb) -> bool:
    """Whether *verb* can be asked of *job*; shown or not, since button data can be forged."""
    # What could not be delivered was given back: its clip is nobody's.
    return job.state is JobState.DONE and _fits(job, verb)


def _fits(job: Job, verb: Verb) -> bool:
    if job.clip is None:
        return False
    match verb:
        case Verb.CALMER:
            return job.wish.strength > _CALMEST
        case Verb.STRONGER:
            return job.wish.strength < _STRONGEST
        case Verb.LONGER:
            return job.clip.duration_s < _LONGEST_S
        case Verb.LOOP:
            return job.work is not Work.LOOP
        case _:
            return True


def order_from(
    job: Job,
    verb: Verb,
    *,
    key: str,
    owner: str,
    photo: MediaRef,
    last_photo: MediaRef | None,
    source_clip: MediaRef | None,
) -> Order:
    """The order that pressing *verb* under *job*'s clip gives; the media are copies of its own.

    *job* must not be purged.
    """
    if job.reply_to is None or job.plan is None:
        raise ValueError("a purged job has nothing to order from")
    order = Order(
        key=key,
        owner=owner,
        reply_to=job.reply_to,
        language=job.language,
        plan=job.plan,
        photo=photo,
        photo_width=job.photo_width,
        photo_height=job.photo_height,
        sight=job.sight,
        wish=job.wish,
        settings=job.settings,
        engine=job.engine,
        limit_bytes=job.limit_bytes,
        notes=job.notes,
        source_clip=source_clip,
        last_photo=last_photo,
    )
    match verb:
        case Verb.AGAIN:
            return _with_wish(order, seed=int(key[:8], 16))
        case Verb.CALMER:
            return _with_wish(order, strength=max(job.wish.strength / _STEP, _CALMEST))
        case Verb.STRONGER:
            return _with_wish(order, strength=min(job.wish.strength * _STEP, _STRONGEST))
        case Verb.LONGER:
            return replace(order, work=Work.EXTEND)
        case Verb.LOOP:
            return replace(order, work=Work.LOOP)
        case _:
            return order


def _with_wish(order: Order, **changes: float | int) -> Order:
    wish = replace(order.wish, **changes)  # type: ignore[arg-type]  # seed or strength by name
    settings = replace(order.settings, seed=wish.seed or 0, strength=wish.strength)
    return replace(order, wish=wish, settings=settings)
