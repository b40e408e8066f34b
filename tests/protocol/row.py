"""The model's job: one row, and the arrows of `vivant.ledger.jobs`, by the same names.

An arrow gives the row that it makes, or None where its guard matches nothing: the race was lost.
The reserved credit is closed at most once, as the ledger's unique index has it: whoever closes
it second changes nothing. Times are left out: a lease may run out whenever nobody holds it.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from vivant.clips import JobState
from vivant.ledger.jobs import MAX_FAILURES

#: No message, no attempt: names that sort, unlike None.
NONE: Final = -1


class Answer(StrEnum):
    """What a message of ours says, or a job's end."""

    NOTHING = ""
    CLIP = "clip"
    WORDS = "words"


class Closing(StrEnum):
    """What became of the reserved credit."""

    OPEN = ""
    SETTLED = "settled"
    REFUNDED = "refunded"


class Row(NamedTuple):
    """One job. A NamedTuple, not a dataclass: hundreds of thousands are made and hashed."""

    state: JobState = JobState.QUEUED
    attempt: int = 0
    failures: int = 0
    answer: Answer = Answer.NOTHING
    credit: Closing = Closing.OPEN
    #: Which message of the chat each is.
    status: int = NONE
    line: int = NONE


class Rules(NamedTuple):
    """The contract; each switch that is on breaks it in one place."""

    confirm_before_inbox: bool = False
    no_fence: bool = False
    settle_at_render: bool = False
    blind_resend: bool = False
    #: A sender that lost its job while it sent a line turns that line into the answer anyway.
    line_without_fence: bool = False
    #: A second status message takes the place of the first.
    last_status_wins: bool = False
    #: An update that is given up says so even where its job was accepted.
    give_up_blindly: bool = False


CONTRACT: Final = Rules()
OPEN: Final = (JobState.QUEUED, JobState.RENDERING)


def _held(row: Row, state: JobState, attempt: int, rules: Rules) -> bool:
    return row.state is state and (rules.no_fence or row.attempt == attempt)


def _closed(row: Row, closing: Closing) -> Row:
    return row._replace(credit=closing) if row.credit is Closing.OPEN else row


def _in_words(row: Row) -> Row:
    return _closed(row._replace(state=JobState.READY, answer=Answer.WORDS), Closing.REFUNDED)


def _given_up(row: Row) -> Row:
    return _closed(row._replace(state=JobState.UNDELIVERABLE), Closing.REFUNDED)


def _tried_again(row: Row) -> Row:
    if row.failures + 1 < MAX_FAILURES:
        return row._replace(state=JobState.QUEUED, failures=row.failures + 1)
    return _in_words(row)


# ---- the way in


def accept() -> Row:
    return Row()


# ---- the engine's side


def claim(row: Row) -> Row | None:
    if row.state is not JobState.QUEUED:
        return None
    return row._replace(state=JobState.RENDERING, attempt=row.attempt + 1)


def beat(row: Row, attempt: int, rules: Rules) -> Row | None:
    return row if _held(row, JobState.RENDERING, attempt, rules) else None


def finish(row: Row, attempt: int, rules: Rules) -> Row | None:
    if not _held(row, JobState.RENDERING, attempt, rules):
        return None
    ready = row._replace(state=JobState.READY, answer=Answer.CLIP)
    return _closed(ready, Closing.SETTLED) if rules.settle_at_render else ready


def fail(row: Row, attempt: int, rules: Rules, *, transient: bool) -> Row | None:
    if not _held(row, JobState.RENDERING, attempt, rules):
        return None
    return _tried_again(row) if transient else _in_words(row)


def hand_back(row: Row, attempt: int, rules: Rules) -> Row | None:
    if not _held(row, JobState.RENDERING, attempt, rules):
        return None
    return row._replace(state=JobState.QUEUED)


# ---- the sender's side


def cancel(row: Row) -> Row | None:
    return _in_words(row) if row.state in OPEN else None


# ---- the bot's side


def claim_delivery(row: Row) -> Row | None:
    if row.state is not JobState.READY:
        return None
    return row._replace(state=JobState.SENDING, attempt=row.attempt + 1)


def delay_delivery(row: Row, attempt: int, rules: Rules, *, too_old: bool) -> Row | None:
    if not _held(row, JobState.SENDING, attempt, rules):
        return None
    return _given_up(row) if too_old else row._replace(state=JobState.READY)


def spoil(row: Row, attempt: int, rules: Rules) -> Row | None:
    return _in_words(row) if _held(row, JobState.SENDING, attempt, rules) else None


def delivered(row: Row, attempt: int, rules: Rules) -> Row | None:
    if not _held(row, JobState.SENDING, attempt, rules):
        return None
    done = row._replace(state=JobState.DONE)
    return _closed(done, Closing.SETTLED) if row.answer is Answer.CLIP else done


def undeliverable(row: Row, attempt: int, rules: Rules) -> Row | None:
    return _given_up(row) if _held(row, JobState.SENDING, attempt, rules) else None


def remember_line(row: Row, attempt: int, rules: Rules, message: int) -> Row | None:
    if not _held(row, JobState.SENDING, attempt, rules):
        return None
    return row._replace(line=message)


def remember_status(row: Row, message: int, rules: Rules) -> Row:
    is_first = row.status == NONE or rules.last_status_wins
    return row._replace(status=message) if is_first else row


# ---- what crashes leave


def expire_renders(row: Row) -> Row | None:
    return _tried_again(row) if row.state is JobState.RENDERING else None


def expire_deadlines(row: Row) -> Row | None:
    return _in_words(row) if row.state in OPEN else None


def expire_deliveries(row: Row, *, too_old: bool) -> Row | None:
    if row.state is JobState.SENDING:
        return _given_up(row) if too_old else row._replace(state=JobState.READY)
    return _given_up(row) if too_old and row.state is JobState.READY else None
