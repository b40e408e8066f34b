"""The model's world: one asking event, its job, and everybody who touches it.

A platform with its chat, the inbox, two bots on one token, two engine workers, the bells of one
Redis, upkeep, and a person who may block the bot, delete a message or cancel. A bot is three: one
that reads updates, one that sees to them, one that sends answers; each may crash by itself.

`steps` lists all that can happen next: some of it sooner or later, and some that is a *misfortune*
(a crash, a lost reply, a wiped Redis, a lease that runs out under a live holder, a person who
changes their mind).
"""

from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple, TypeVar

from tests.protocol import row as job
from tests.protocol.row import NONE, Answer, Row, Rules
from vivant.clips import JobState
from vivant.ledger.inbox import MAX_DEATHS, MAX_TRIES

_T = TypeVar("_T")

#: What a message of ours in the chat says, beside an answer.
_ON_IT: Final = "on it"
_HERE_IT_COMES: Final = "here it comes"
_GONE: Final = "gone"
_ANSWERS: Final = (Answer.CLIP, Answer.WORDS)
_OVER: Final = (JobState.DONE, JobState.UNDELIVERABLE)
#: Where a sender still has to see how the answer can be shown.
_TO_SHOW: Final = ("claimed", "sent", "on the line")


class Handler(NamedTuple):
    """A bot that sees to the update."""

    #: "": idle; then claimed, accepted, rung, sent, remembered.
    at: str = ""
    #: The status message that it sent.
    message: int = NONE


class Sender(NamedTuple):
    """A bot that sends the answer, with the row as it was when it was claimed."""

    #: "": idle; then claimed, sent, on the line, shown, failed.
    at: str = ""
    attempt: int = NONE
    answer: Answer = Answer.NOTHING
    status: int = NONE
    #: The line that becomes the answer.
    line: int = NONE


class Worker(NamedTuple):
    """One engine process: "": idle; then rendering, stored, handed over."""

    at: str = ""
    attempt: int = NONE


class World(NamedTuple):
    """Everything at one moment. A NamedTuple for the same reason as `Row`."""

    #: The person waited longer than a minute: a line rings the phone. None: not known yet.
    is_slow: bool | None = None
    #: The platform finds the clip too large. None: not known yet.
    is_heavy: bool | None = None
    #: Messages of ours, oldest first.
    chat: tuple[str, ...] = ()
    is_blocked: bool = False
    #: The platform still holds the update.
    offered: bool = True
    #: Who reads updates. "": idle; then fetched, kept (or, by a broken contract, confirmed).
    reader: str = ""
    #: "": no row; then new, done, given up.
    inbox: str = ""
    tries: int = 0
    inbox_leased: bool = False
    row: Row | None = None
    render_bell: bool = False
    delivery_bell: bool = False
    handlers: tuple[Handler, Handler] = (Handler(), Handler())
    senders: tuple[Sender, Sender] = (Sender(), Sender())
    workers: tuple[Worker, Worker] = (Worker(), Worker())


class Kind(Enum):
    """How a step comes about."""

    #: Sooner or later.
    ORDINARY = "ordinary"
    #: As ordinary, but nobody else can tell when: so at once, which spares many orders.
    QUIET = "quiet"
    #: Bad luck, which need not come.
    MISFORTUNE = "misfortune"


class Step(NamedTuple):
    """Something that happens."""

    name: str
    after: World
    kind: Kind = Kind.ORDINARY


def is_over(world: World) -> bool:
    """The event has had its end: an answer, or nothing and no charge."""
    if world.row is None:
        return world.inbox == "given up"
    return world.row.state in _OVER


def broken_promise(world: World) -> str | None:
    """What of the promise does not hold in *world*."""
    answers = sum(said in _ANSWERS for said in world.chat)
    if answers > 1:
        return "more than one final answer is visible"
    row = world.row
    if row is None:
        return "acknowledged, but there is no job" if _ON_IT in world.chat else None
    if row.credit is job.Closing.SETTLED and row.state is not JobState.DONE:
        return "charged before the platform confirmed"
    if row.credit is job.Closing.SETTLED and row.answer is not Answer.CLIP:
        return "charged without a clip"
    if row.state is JobState.DONE:
        if not answers and _GONE not in world.chat:
            return "done, but no answer is visible"
        if row.credit is job.Closing.OPEN:
            return "done, but the credit is still reserved"
        if row.answer is Answer.CLIP and row.credit is not job.Closing.SETTLED:
            return "a clip was confirmed and not counted"
    if row.state is JobState.UNDELIVERABLE and row.credit is not job.Closing.REFUNDED:
        return "undeliverable, and not refunded"
    return None


def steps(world: World, rules: Rules, *, is_lucky: bool) -> Iterator[Step]:
    """All that can happen in *world*; to the lucky nothing bad."""
    is_quiet = False
    for step in _all_steps(world, rules):
        if step.kind is Kind.MISFORTUNE:
            if is_lucky:
                continue
        elif is_quiet:
            continue
        else:
            is_quiet = step.kind is Kind.QUIET
        yield step._replace(after=_canonical(step.after))


def _all_steps(world: World, rules: Rules) -> Iterator[Step]:
    """Quiet ones first."""
    told = list(_everybody(world, rules))
    yield from (step for step in told if step.kind is Kind.QUIET)
    yield from (step for step in told if step.kind is not Kind.QUIET)


def _everybody(world: World, rules: Rules) -> Iterator[Step]:
    yield from _reads(world, rules)
    if world.reader:
        yield Step("the reader crashes", world._replace(reader=""), Kind.MISFORTUNE)
    for number, handler in _different(world.handlers):
        yield from _handles(world, number, handler, rules)
        if handler.at:
            crashed = _with_handler(world, number, Handler())
            yield Step("the handler crashes", crashed, Kind.MISFORTUNE)
    for number, sender in _different(world.senders):
        yield from _sends(world, number, sender, rules)
        if sender.at:
            crashed = _with_sender(world, number, Sender())
            yield Step("the sender crashes", crashed, Kind.MISFORTUNE)
    for number, worker in _different(world.workers):
        yield from _renders(world, number, worker, rules)
        if worker.at:
            crashed = _with_worker(world, number, Worker())
            yield Step("an engine crashes", crashed, Kind.MISFORTUNE)
    yield from _upkeep(world)
    yield from _people_and_redis(world)


def _different(pair: tuple[_T, _T]) -> list[tuple[int, _T]]:
    """Two that are alike do the same: once is enough."""
    return [(0, pair[0])] if pair[0] == pair[1] else [(0, pair[0]), (1, pair[1])]


def _canonical(world: World) -> World:
    """One of all worlds that nobody can tell apart.

    Which of two equal processes it was does not matter, nor which attempt it is, but only whether
    it is the newest; and what nobody will look at any more is forgotten.
    """
    row = world.row
    state = None if row is None else row.state
    newest = NONE if row is None else row.attempt
    is_new = world.inbox == "new"
    is_asked = state not in _OVER or any(sender.at in _TO_SHOW for sender in world.senders)
    one_handler, other_handler = sorted(world.handlers)
    one_sender, other_sender = sorted(_aged_sender(sender, newest) for sender in world.senders)
    one_worker, other_worker = sorted(_aged_worker(worker, newest) for worker in world.workers)
    return _without_strays(
        world._replace(
            is_slow=world.is_slow if is_asked else None,
            is_heavy=world.is_heavy if is_asked else None,
            tries=world.tries if is_new else 0,
            inbox_leased=world.inbox_leased and is_new,
            row=None if row is None else _aged_row(row),
            # A bell for nothing is as good as none.
            render_bell=world.render_bell and state is JobState.QUEUED,
            delivery_bell=world.delivery_bell and state is JobState.READY,
            handlers=(one_handler, other_handler),
            senders=(one_sender, other_sender),
            workers=(one_worker, other_worker),
        )
    )


def _aged_row(row: Row) -> Row:
    if row.state in _OVER:
        return row._replace(attempt=1, failures=0, status=NONE, line=NONE)
    return row._replace(attempt=1, failures=row.failures if row.state in job.OPEN else 0)


def _aged_sender(sender: Sender, newest: int) -> Sender:
    attempt = int(sender.attempt == newest)
    if sender.at == "failed" or (sender.at == "shown" and sender.line == NONE):
        return Sender(sender.at, attempt)
    return sender._replace(attempt=attempt) if sender.at else sender


def _aged_worker(worker: Worker, newest: int) -> Worker:
    return worker._replace(attempt=int(worker.attempt == newest)) if worker.at else worker


def _without_strays(world: World) -> World:
    """A message that is no answer, and that nobody will edit, is as good as none."""
    row = world.row or Row()
    held = {row.status, row.line, *(handler.message for handler in world.handlers)}
    for sender in world.senders:
        held |= {sender.status, sender.line}
    if _GONE in world.chat:  # once, since it tells that somebody deletes
        held.add(world.chat.index(_GONE))
    kept = [n for n, said in enumerate(world.chat) if n in held or said in _ANSWERS]
    if len(kept) == len(world.chat):
        return world
    now = {NONE: NONE} | {number: place for place, number in enumerate(kept)}
    one_handler, other_handler = world.handlers
    one_sender, other_sender = world.senders
    return world._replace(
        chat=tuple(world.chat[number] for number in kept),
        row=world.row and row._replace(status=now[row.status], line=now[row.line]),
        handlers=(
            one_handler._replace(message=now[one_handler.message]),
            other_handler._replace(message=now[other_handler.message]),
        ),
        senders=(
            one_sender._replace(status=now[one_sender.status], line=now[one_sender.line]),
            other_sender._replace(status=now[other_sender.status], line=now[other_sender.line]),
        ),
    )


def _with_handler(world: World, number: int, handler: Handler) -> World:
    return world._replace(handlers=_put(world.handlers, number, handler))


def _with_sender(world: World, number: int, sender: Sender) -> World:
    return world._replace(senders=_put(world.senders, number, sender))


def _with_worker(world: World, number: int, worker: Worker) -> World:
    return world._replace(workers=_put(world.workers, number, worker))


def _put(pair: tuple[_T, _T], number: int, one: _T) -> tuple[_T, _T]:
    return (one, pair[1]) if number == 0 else (pair[0], one)


# ---- the update comes in


def _reads(world: World, rules: Rules) -> Iterator[Step]:
    inbox = world.inbox or "new"
    again = Kind.QUIET if world.inbox else Kind.ORDINARY
    match world.reader:
        case "" if world.offered:
            yield Step("an update is fetched", world._replace(reader="fetched"), again)
        case "fetched" if rules.confirm_before_inbox:
            yield Step("confirm", world._replace(reader="confirmed", offered=False))
        case "confirmed":
            yield Step("inbox row", world._replace(reader="", inbox=inbox))
        case "fetched":
            yield Step("inbox row", world._replace(reader="kept", inbox=inbox), again)
        case "kept":
            yield Step("confirm", world._replace(reader="", offered=False), Kind.QUIET)
        case _:
            return


def _handles(world: World, number: int, handler: Handler, rules: Rules) -> Iterator[Step]:
    row = world.row

    def now(after: Handler) -> World:
        return _with_handler(world, number, after)

    match handler.at:
        case "":
            if world.inbox == "new" and not world.inbox_leased:
                if world.tries >= MAX_DEATHS:
                    yield Step("given up", _given_up(world, rules))
                else:
                    taken = now(Handler("claimed"))
                    taken = taken._replace(inbox_leased=True, tries=world.tries + 1)
                    yield Step("the update is taken up", taken)
            return
        case "claimed" if row is None:
            yield Step("accept", now(Handler("accepted"))._replace(row=job.accept()))
        case "claimed" if row is not None:
            is_waiting = row.state in (JobState.QUEUED, JobState.RENDERING)
            at = "rung" if row.status == NONE and is_waiting else "remembered"
            yield Step("the job is known", now(Handler(at)))
        case "accepted":
            rung = now(Handler("rung"))._replace(render_bell=True)
            yield Step("ring for an engine", rung, Kind.QUIET)
        case "rung" if world.is_blocked:
            yield Step("the acknowledgement is refused", now(Handler("remembered")), Kind.QUIET)
        case "rung":
            said = (*world.chat, _ON_IT)
            sent = now(Handler("sent", len(world.chat)))._replace(chat=said)
            yield Step("acknowledge", sent)
            again = now(Handler("claimed"))._replace(chat=said)
            yield Step("acknowledge, the reply is lost", again, Kind.MISFORTUNE)
        case "sent" if row is not None:
            known = job.remember_status(row, handler.message, rules)
            yield Step("remember_status", now(Handler("remembered"))._replace(row=known))
        case "remembered":
            done = now(Handler())._replace(inbox="done")
            yield Step("the update is done", done, Kind.QUIET)
        case _:
            raise AssertionError(handler)
    broken = _broken(now(Handler()), rules)
    yield Step("the handler breaks", broken, Kind.MISFORTUNE)


def _broken(world: World, rules: Rules) -> World:
    """An exception that nobody expected: again, or given up, and said so."""
    if world.inbox != "new" or world.tries < MAX_TRIES:
        return world._replace(inbox_leased=False)
    return _given_up(world, rules)


def _given_up(world: World, rules: Rules) -> World:
    """Nobody tries again. That is said, but as no answer; and not where one comes."""
    if rules.give_up_blindly and not world.is_blocked:
        world = world._replace(chat=(*world.chat, Answer.WORDS))
    return world._replace(inbox="given up")


# ---- the answer goes out


def _sends(world: World, number: int, sender: Sender, rules: Rules) -> Iterator[Step]:
    row = world.row

    def now(after: Sender) -> World:
        return _with_sender(world, number, after)

    if not sender.at:
        claimed = job.claim_delivery(row) if row is not None else None
        if claimed is not None and world.delivery_bell:
            mine = Sender("claimed", claimed.attempt, claimed.answer, claimed.status, claimed.line)
            sending = now(mine)._replace(row=claimed, delivery_bell=False)
            for is_slow in (True, False) if world.is_slow is None else (world.is_slow,):
                yield Step("claim_delivery", sending._replace(is_slow=is_slow))
        return
    assert row is not None

    def ends(name: str, after: Row | None) -> Step:
        """The sender is through; None: it lost its job, and leaves it alone."""
        if after is None:
            return Step(name, now(Sender()), Kind.QUIET)
        return Step(name, now(Sender())._replace(row=after))

    def shows(message: int) -> Iterator[Step]:
        is_heavy = sender.answer is Answer.CLIP and world.is_heavy
        if is_heavy:
            yield ends("spoil", job.spoil(row, sender.attempt, rules))
            return
        chat = (*world.chat[:message], sender.answer.value, *world.chat[message + 1 :])
        shown = now(sender._replace(at="shown"))._replace(chat=chat)
        yield Step("the edit is applied", shown)
        lost = now(sender._replace(at="failed"))._replace(chat=chat)
        yield Step("the edit is applied, the reply is lost", lost, Kind.MISFORTUNE)

    if world.is_blocked and sender.at in ("claimed", "on the line"):
        yield ends("undeliverable", job.undeliverable(row, sender.attempt, rules))
        return
    match sender.at:
        case "claimed" if rules.blind_resend:
            said = (*world.chat, sender.answer.value)
            yield Step("send the answer", now(sender._replace(at="shown"))._replace(chat=said))
            lost = now(sender._replace(at="failed"))._replace(chat=said)
            yield Step("send the answer, the reply is lost", lost, Kind.MISFORTUNE)
        case "claimed":
            target = sender.line
            if target == NONE and not world.is_slow:
                target = sender.status
            if target != NONE and _bears(world.chat[target], sender.answer):
                yield from shows(target)
            else:
                said = (*world.chat, _HERE_IT_COMES)
                sent = sender._replace(at="sent", line=len(world.chat))
                yield Step("send a line", now(sent)._replace(chat=said))
                lost = now(sender._replace(at="failed"))._replace(chat=said)
                yield Step("send a line, the reply is lost", lost, Kind.MISFORTUNE)
        case "sent":
            known = job.remember_line(row, sender.attempt, rules, sender.line)
            if known is None and not rules.line_without_fence:
                yield ends("the job is another's by now", None)
            else:
                on_it = now(sender._replace(at="on the line"))._replace(row=known or row)
                yield Step("remember_line", on_it)
        case "on the line" if _bears(world.chat[sender.line], sender.answer):
            yield from shows(sender.line)
        case "on the line" | "failed":
            later = job.delay_delivery(row, sender.attempt, rules, too_old=False)
            yield ends("delay_delivery", later)
            old = job.delay_delivery(row, sender.attempt, rules, too_old=True)
            yield ends("delay_delivery, a day over", old)._replace(kind=Kind.MISFORTUNE)
        case "shown":
            chat = world.chat
            if sender.line != NONE and sender.status != NONE:
                chat = (*chat[: sender.status], _GONE, *chat[sender.status + 1 :])
            done = job.delivered(row, sender.attempt, rules) or row
            yield Step("delivered", now(Sender())._replace(row=done, chat=chat))
        case _:
            raise AssertionError(sender)


def _bears(said: str, answer: Answer) -> bool:
    """Whether a message can be edited into *answer*: a clip cannot become words again."""
    return said != _GONE and not (said == Answer.CLIP and answer is Answer.WORDS)


# ---- the engines


def _renders(world: World, number: int, worker: Worker, rules: Rules) -> Iterator[Step]:
    row = world.row

    def now(after: Worker) -> World:
        return _with_worker(world, number, after)

    if not worker.at:
        claimed = job.claim(row) if row is not None else None
        if claimed is not None and world.render_bell:
            mine = now(Worker("rendering", claimed.attempt))
            yield Step("claim", mine._replace(row=claimed, render_bell=False))
        return
    assert row is not None
    if worker.at == "handed over":
        yield Step("ring for the bot", now(Worker())._replace(delivery_bell=True), Kind.QUIET)
        return
    if job.beat(row, worker.attempt, rules) is None:
        yield Step("the job is lost: beat, finish", now(Worker()), Kind.QUIET)
    elif worker.at == "rendering":
        yield Step("the clip is stored", now(Worker("stored", worker.attempt)), Kind.QUIET)
        for transient in (True, False):
            failed = job.fail(row, worker.attempt, rules, transient=transient)
            if failed is not None:
                broke = now(Worker())._replace(row=failed, render_bell=True, delivery_bell=True)
                yield Step("fail", broke, Kind.MISFORTUNE)
        handed = job.hand_back(row, worker.attempt, rules)
        if handed is not None:
            yield Step("hand_back", now(Worker())._replace(row=handed), Kind.MISFORTUNE)
    else:
        over = now(Worker("handed over"))
        over = over._replace(row=job.finish(row, worker.attempt, rules))
        for is_heavy in (True, False) if world.is_heavy is None else (world.is_heavy,):
            yield Step("finish", over._replace(is_heavy=is_heavy))


# ---- upkeep, the person, and Redis


def _upkeep(world: World) -> Iterator[Step]:
    row = world.row
    if world.inbox == "new" and world.inbox_leased:
        is_held = any(handler.at for handler in world.handlers)
        free = world._replace(inbox_leased=False)
        yield Step("the inbox lease runs out", free, _if_held(is_held))
    if row is None:
        return
    match row.state:
        case JobState.RENDERING:
            is_held = any(worker.attempt == row.attempt for worker in world.workers)
            expired = world._replace(row=job.expire_renders(row))
            yield Step("expire_renders", expired, _if_held(is_held))
        case JobState.SENDING:
            is_held = any(sender.attempt == row.attempt for sender in world.senders)
            expired = world._replace(row=job.expire_deliveries(row, too_old=False))
            yield Step("expire_deliveries", expired, _if_held(is_held))
        case JobState.READY:
            gone = world._replace(row=job.expire_deliveries(row, too_old=True))
            yield Step("expire_deliveries, a week over", gone, Kind.MISFORTUNE)
            if not world.delivery_bell:
                yield Step("upkeep rings for the bot", world._replace(delivery_bell=True))
        case JobState.QUEUED if not world.render_bell:
            yield Step("upkeep rings for an engine", world._replace(render_bell=True))


def _people_and_redis(world: World) -> Iterator[Step]:
    if world.render_bell or world.delivery_bell:
        wiped = world._replace(render_bell=False, delivery_bell=False)
        yield Step("Redis is wiped", wiped, Kind.MISFORTUNE)
    if not world.offered:
        yield Step("the update comes again", world._replace(offered=True), Kind.MISFORTUNE)
    if not world.is_blocked:
        yield Step("the bot is blocked", world._replace(is_blocked=True), Kind.MISFORTUNE)
    for number, said in enumerate(world.chat):
        if said != _GONE:
            chat = (*world.chat[:number], _GONE, *world.chat[number + 1 :])
            yield Step("a message is deleted", world._replace(chat=chat), Kind.MISFORTUNE)
    if world.row is not None:
        cancelled = job.cancel(world.row)
        if cancelled is not None:
            stopped = world._replace(row=cancelled, delivery_bell=True)
            yield Step("cancel", stopped, Kind.MISFORTUNE)
        late = job.expire_deadlines(world.row)
        if late is not None:
            yield Step("expire_deadlines", world._replace(row=late), Kind.MISFORTUNE)


def _if_held(is_held: bool) -> Kind:
    """A lease runs out by itself once nobody renews it; under a live holder it is bad luck."""
    return Kind.MISFORTUNE if is_held else Kind.ORDINARY
