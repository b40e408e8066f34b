"""What the bot says and does about it; the same words on every platform.

A platform folder hands in what happened, already translated, and this says what to answer.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final

from vivant.chat import (
    Button,
    ChatPlatform,
    PhotoMessage,
    Press,
    Sender,
    TextMessage,
    Verb,
)
from vivant.clips import JobState, MediaRef, RefusalReason, ReplyTo
from vivant.delivery import film_of
from vivant.director.plan import Action
from vivant.encore import RENDERING, makes_sense
from vivant.errors import ClipRefused, MediaMissing, MessageGone, Refused
from vivant.houses import House
from vivant.intake import Asks, Intake, Question, owner_of
from vivant.jobs import Job, Limits, Order
from vivant.ledger import Ledger
from vivant.ledger.jobs import media_of
from vivant.messages import Messages
from vivant.operations import operate
from vivant.queue import Radio
from vivant.waiting import StatusMessages

logger = logging.getLogger(__name__)

#: What is said to the same person once in this time and no more, in seconds: a bot that says no to
#: every message of a storm uses up what its chat bears.
_HUSH_S: Final = {RefusalReason.NOT_ALLOWED: 3600, RefusalReason.TOO_FAST: 60}
#: Words that come after their photo belong to it this long, in seconds.
_WORDS_LATER_S: Final = 120
#: A clip can be seen a moment before the ledger counts it: a press waits for that so often and so
#: long each time, in seconds.
_LOOKS: Final = 30
_LOOK_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class Conversation:
    """One bot's side of every conversation."""

    platform: ChatPlatform
    intake: Intake
    ledger: Ledger
    radio: Radio
    status_messages: StatusMessages
    limits: Limits
    keep_hours: float
    #: How to reach whoever runs this bot, as they want it said.
    contact: str = ""
    #: "platform:user id" of whoever may say the operator's words in a private chat.
    admins: Collection[str] = ()

    # ---- the house

    async def house(self, house_id: str) -> House:
        """What a chat (`ReplyTo.house_id`) chose for itself."""
        return await self.intake.houses.get(self.platform.name, house_id)

    async def change_house(self, house_id: str, sender: Sender, house: House) -> str:
        """Keep *house*, if *sender* may speak for the chat; the words to answer with."""
        words = Messages(house.language or sender.language)
        if not sender.is_moderator:
            return words.moderators_only()
        await self.intake.houses.put(self.platform.name, house_id, house)
        return words.house_kept()

    async def move_house(self, old_id: str, new_id: str) -> None:
        """A chat has another id by now: its rules go with it, unless it has new ones there."""
        if await self.house(new_id) == House():
            await self.intake.houses.put(self.platform.name, new_id, await self.house(old_id))

    async def settings(self, house_id: str, sender: Sender, said: str = "") -> str:
        """`/settings`: how they are, or one of them changed ("quiet on")."""
        house = await self.house(house_id)
        name, _, value = said.strip().partition(" ")
        if not name:
            return Messages(house.language or sender.language).house(house)
        try:
            changed = house.with_words(name.lower(), value)
        except ValueError:
            return Messages(house.language or sender.language).house(house)
        return await self.change_house(house_id, sender, changed)

    async def guest(self, to: ReplyTo, sender: Sender) -> Sender:
        """*sender* as the house of *to* speaks with them: its language goes before their own."""
        house = await self.intake.houses.at(to)
        return sender if house.language is None else replace(sender, language=house.language)

    # ---- a photo

    async def on_photo(self, message: PhotoMessage) -> None:
        """Accept and acknowledge, ask, or say why not. Handling it twice is harmless."""
        sender = await self.guest(message.reply_to, message.sender)
        message = replace(message, sender=sender)
        try:
            await self.take(message)
        except Refused as refusal:
            await self.refuse(message, refusal)

    async def take(self, message: PhotoMessage) -> None:
        """Like `on_photo`, but a refusal is the caller's to tell."""
        outcome = await self.intake.accept(message)
        if isinstance(outcome, Question):
            await self._ask(message, outcome)
        else:
            await self.status_messages.begin(outcome, message.status_message)

    async def refuse(self, message: PhotoMessage, refusal: Refused) -> None:
        """Say why not; a platform calls it for what it will not even download."""
        # A message of ours that stands says "thinking" until it says something else.
        may_be_silent = message.status_message is None
        if may_be_silent and not await self._may_say_no(message, refusal.reason):
            return
        sender = await self.guest(message.reply_to, message.sender)
        logger.info("refused", extra={"reason": refusal.reason.value})
        text = self._refusal(Messages(sender.language), refusal)
        await self._say(message, text)

    def _refusal(self, words: Messages, refusal: Refused) -> str:
        renews_at = refusal.details.get("renews_at")
        renews = None
        if isinstance(renews_at, int):
            renews = self.platform.moment(renews_at, words.language)
        return words.refused(refusal, renews=renews)

    async def _may_say_no(self, message: PhotoMessage | TextMessage, reason: RefusalReason) -> bool:
        """Whether *reason* was not said to that person there a moment ago."""
        if reason not in _HUSH_S:
            return True
        to = message.reply_to
        who = self.intake.key_of(to, f"{to.chat_id}\0{message.sender.id}")
        return await self.ledger.fleet.hold(
            f"hushed:{reason}:{who}", message.event_id, for_s=_HUSH_S[reason]
        )

    async def _ask(self, message: PhotoMessage, question: Question) -> None:
        text, buttons = self._question(question, message.sender)
        asking = await self._say(message, text, buttons)
        await self.ledger.drafts.asked(question.draft_id, asking)

    def _question(self, question: Question, sender: Sender) -> tuple[str, tuple[Button, ...]]:
        words = Messages(sender.language)
        if question.asks is Asks.CONSENT:
            yes = Button(
                label=words.verb(Verb.CONSENT), verb=Verb.CONSENT, target=question.draft_id
            )
            no = Button(label=words.verb(Verb.DROP), verb=Verb.DROP, target=question.draft_id)
            return words.consent(), (yes, no)
        text = words.what_should_happen()
        if question.refusal is not None:
            text = words.refused(question.refusal)
        offers = tuple(
            Button(
                label=words.choice(action),
                verb=Verb.CHOOSE,
                target=question.draft_id,
                choice=action.value,
            )
            for action in question.offers
        )
        return text, offers

    async def was_accepted(self, to: ReplyTo, event_id: str) -> bool:
        """Whether that event has its job: then an answer comes, whatever broke since."""
        return await self.ledger.jobs.find(self.intake.key_of(to, event_id)) is not None

    # ---- words alone

    async def on_words(self, message: TextMessage) -> bool:
        """Words for a photo that waits for them; False when none does."""
        owner = owner_of(self.platform.name, message.sender.id)
        draft_id = await self.ledger.drafts.answered_by(
            owner, message.reply_to, message_id=message.answers, within_s=_WORDS_LATER_S
        )
        if draft_id is None:
            return False
        await self._direct(draft_id, message)
        return True

    async def keep_words(self, message: TextMessage) -> None:
        """Words that no photo waits for yet: theirs may follow."""
        owner = owner_of(self.platform.name, message.sender.id)
        await self.ledger.early_words.keep(owner, message.reply_to, message.words)

    async def words_before(self, to: ReplyTo, sender: Sender, event_id: str) -> str:
        """What *sender* said last before an event that came without words; no other gets it."""
        owner = owner_of(self.platform.name, sender.id)
        key = self.intake.key_of(to, event_id)
        return await self.ledger.early_words.take(owner, to, key) or ""

    async def words_wait(self, message: TextMessage) -> bool:
        """Whether no photo has come for words that were kept."""
        owner = owner_of(self.platform.name, message.sender.id)
        return await self.ledger.early_words.are_waiting(owner, message.reply_to)

    async def on_words_for(self, event_id: str, message: TextMessage) -> bool:
        """Words for the photo of one asking event; False when it waits for none of theirs."""
        key = self.intake.key_of(message.reply_to, event_id)
        draft_id = await self.ledger.drafts.find(key)
        return draft_id is not None and await self._direct(draft_id, message)

    async def on_caption(self, message: TextMessage) -> bool:
        """The words of a photo were changed: they count until an engine has it.

        False when nothing was asked with that event yet.
        """
        if await self.on_words_for(message.event_id, message):
            return True
        job = await self.ledger.jobs.find(self.intake.key_of(message.reply_to, message.event_id))
        if job is None:
            return False
        if job.state is not JobState.QUEUED:
            return True
        try:
            # An edit is a request like any other: a storm of them is cut off.
            await self.intake.let_in(message.sender, message.reply_to)
            await self.intake.reword(job, message.words)
        except Refused as refusal:  # what was asked first stays
            logger.info("other words refused", extra={"reason": refusal.reason.value})
        return True

    async def _direct(self, draft_id: str, message: TextMessage) -> bool:
        """Say *message* to a draft; False when it is gone or not theirs."""
        sender = await self.guest(message.reply_to, message.sender)
        try:
            outcome = await self.intake.direct(draft_id, sender, message.words)
        except Refused as refusal:
            if await self._may_say_no(message, refusal.reason):
                text = self._refusal(Messages(sender.language), refusal)
                await self.platform.send_text(message.reply_to, text)
            return True
        if isinstance(outcome, Question):
            text, buttons = self._question(outcome, sender)
            asking = await self.platform.send_text(message.reply_to, text, buttons=buttons)
            await self.ledger.drafts.asked(outcome.draft_id, asking)
        elif outcome is not None:
            await self.status_messages.begin(outcome, None)
        return outcome is not None

    # ---- a button

    async def on_press(self, press: Press) -> str | None:
        """Do what the button says; a word for the presser alone, if there is one to say."""
        press = replace(press, sender=await self.guest(press.reply_to, press.sender))
        words = Messages(press.sender.language)
        try:
            if press.verb in (Verb.CHOOSE, Verb.CONSENT, Verb.DROP):
                draft = await self.ledger.drafts.get(press.target)
                return await self._on_draft(self._in_whose_name(press, draft))
            job = await self.ledger.jobs.get(press.target)
            if job is None:
                return words.expired()
            if press.verb is Verb.REPORT:  # anybody may
                owner = owner_of(self.platform.name, press.sender.id)
                await self.ledger.reports.file(job.id, owner, "button")
                return words.reported()
            press = self._in_whose_name(press, job)
            if not await self._may_press(press, job):
                return words.not_yours()
            return await self._on_job(press, await self._counted(job))
        except Refused as refusal:
            return self._refusal(words, refusal)

    def _in_whose_name(self, press: Press, what: Order | Job | None) -> Press:
        """A chat's own request is pressed by those who speak for it: an anonymous admin's, too.

        They ask as the chat, but no platform lets a chat press.
        """
        chat_id = press.reply_to.chat_id
        is_the_chats = what is not None and what.owner == owner_of(self.platform.name, chat_id)
        if not (is_the_chats and press.sender.is_moderator):
            return press
        return replace(press, sender=replace(press.sender, id=chat_id))

    async def _may_press(self, press: Press, job: Job) -> bool:
        """A moderator may end things, and a house may open what costs whoever presses."""
        if job.owner == owner_of(self.platform.name, press.sender.id):
            return True
        # Whoever speaks for one chat has no say in another: button data can be forged.
        if job.reply_to is None or not job.reply_to.is_same_house(press.reply_to):
            return False
        if press.verb in (Verb.CANCEL, Verb.DELETE):
            return press.sender.is_moderator
        if press.verb is Verb.CORRECT:
            return False
        return (await self.intake.houses.at(press.reply_to)).open_buttons

    async def _counted(self, job: Job) -> Job:
        """*job* once its answer counts or is given up; as it is where that takes long."""
        for _ in range(_LOOKS):
            if job.state is not JobState.SENDING:
                break
            await asyncio.sleep(_LOOK_S)
            job = await self.ledger.jobs.get(job.id) or job
        return job

    async def _on_job(self, press: Press, job: Job) -> str | None:
        words = Messages(press.sender.language)
        match press.verb:
            case Verb.CANCEL:
                return words.cancelled(await self._cancel([job]))
            case Verb.CORRECT:
                question = await self._redraft(press, job)
                await self._cancel([job])
                await self._ask_again(press, question, words.what_should_happen())
                return None
            case Verb.EDIT:
                await self._ask_again(press, await self._redraft(press, job), words.ask_words())
                return None
            case Verb.FILE:
                if job.clip is None or not makes_sense(job, Verb.FILE):
                    return words.expired()
                await self.intake.let_in(press.sender, press.reply_to)
                try:
                    film = await film_of(job, job.clip, self.intake.media)
                    await self.platform.send_file(press.reply_to, film)
                except MediaMissing:
                    return words.expired()
                except ClipRefused:
                    return words.no_clips_here()
                return None
            case Verb.DELETE:
                if job.state in (JobState.QUEUED, JobState.RENDERING):
                    return words.cancelled(await self._cancel([job]))
                await self._take_away(press, job)
                if job.is_over:
                    await self._delete(media_of(job))
                    await self.ledger.jobs.purge(job.id)
                else:  # on its way still: it goes once it has ended
                    await self.ledger.jobs.orphan(job.id)
                return words.deleted()
            case verb if verb in RENDERING:
                again = await self.intake.encore(
                    job, verb, press.sender, press.event_id, _answer_to(press, job)
                )
                await self.status_messages.begin(again, None)
                if not again.work.cost:
                    return words.costs_nothing()
                credit = await self.ledger.people.credit(again.owner)
                return words.costs_one(credit.free + credit.paid)
            case _:
                return words.expired()

    async def on_edit(self, press: Press, words: str) -> str | None:
        """Like the press of "edit", with the other words said already, in a form."""
        press = replace(press, sender=await self.guest(press.reply_to, press.sender))
        said = Messages(press.sender.language)
        job = await self.ledger.jobs.get(press.target)
        if job is None or not await self._may_press(press, job):
            return said.not_yours()
        try:
            draft = await self._redraft(press, job)
            outcome = await self.intake.direct(draft.draft_id, press.sender, words)
        except Refused as refusal:
            return self._refusal(said, refusal)
        if isinstance(outcome, Question):
            text, _ = self._question(outcome, press.sender)
            await self._ask_again(press, outcome, text)
        elif outcome is not None:
            await self.status_messages.begin(outcome, None)
        return None

    async def _redraft(self, press: Press, job: Job) -> Question:
        to = _answer_to(press, job)
        return await self.intake.redraft(job, press.sender, press.event_id, to)

    async def _ask_again(self, press: Press, question: Question, text: str) -> None:
        _, buttons = self._question(question, press.sender)
        to = press.answer_to or press.reply_to
        asking = await self.platform.send_text(to, text, buttons=buttons)
        await self.ledger.drafts.asked(question.draft_id, asking)

    async def _on_draft(self, press: Press) -> str | None:
        words = Messages(press.sender.language)
        outcome: Job | Question | None = None
        to = press.reply_to
        stands = await self._question_under(press)
        match press.verb:
            case Verb.DROP:
                if not await self.intake.drop(press.target, press.sender):
                    return words.not_yours()
                if stands is None:
                    return words.dropped()
                await self._rewrite(to, stands, words.dropped())
                return None
            case Verb.CONSENT:
                outcome = await self.intake.consent(press.target, press.sender, to)
            case _ if press.choice in list(Action):
                action = Action(press.choice)
                outcome = await self.intake.choose(press.target, press.sender, action, to)
        if outcome is None:
            return words.not_yours()
        if isinstance(outcome, Question):
            text, buttons = self._question(outcome, press.sender)
            asking = await self._rewrite(to, stands, text, buttons)
            await self.ledger.drafts.asked(outcome.draft_id, asking)
        else:
            await self.status_messages.begin(outcome, stands)
        return None

    async def _question_under(self, press: Press) -> str | None:
        """The pressed message, if it is the one that asks about that draft.

        Button data can be forged: any message may be pressed with it, somebody else's clip too.
        """
        owner = owner_of(self.platform.name, press.sender.id)
        asked = await self.ledger.drafts.answered_by(
            owner, press.reply_to, message_id=press.message_id, within_s=0
        )
        return press.message_id if asked == press.target else None

    # ---- commands

    async def status(self, sender: Sender) -> str:
        """`/status`."""
        owner = owner_of(self.platform.name, sender.id)
        credit = await self.ledger.people.credit(owner)
        waiting = []
        for job in await self.ledger.jobs.open_jobs(owner=owner):
            place = await self.ledger.fleet.place(job)
            expected = place.expected_s
            ready = None
            if expected is not None:
                ready = self.platform.moment(time.time() + expected, sender.language)
            waiting.append((job, place, ready))
        return Messages(sender.language).status(
            credit,
            self.platform.moment(credit.renews_at, sender.language),
            waiting,
            engine_alive=bool(await self.ledger.fleet.profiles()),
        )

    async def cancel(self, sender: Sender) -> str:
        """`/cancel`: everything of the sender that has no answer yet."""
        owner = owner_of(self.platform.name, sender.id)
        mine = await self.ledger.jobs.open_jobs(owner=owner)
        return Messages(sender.language).cancelled(await self._cancel(mine))

    def help(self, sender: Sender, *, in_group: bool = False) -> str:
        """`/start`, `/help`, and anything that is no command."""
        return Messages(sender.language).help(
            free_per_day=self.limits.free_clips_per_day,
            keep_hours=self.keep_hours,
            in_group=in_group,
        )

    def privacy(self, sender: Sender) -> str:
        """`/privacy`: what is kept, and how long."""
        return Messages(sender.language).privacy(self.keep_hours, self.contact)

    async def forget(self, sender: Sender) -> str:
        """`/forget`: jobs end, and what is kept of the sender goes now; what stays, and why."""
        gone = await self.ledger.people.forget(owner_of(self.platform.name, sender.id))
        for job in gone.stopped:
            await self.radio.stop(job.id)
            await self.intake.announce(job)
        await self._delete(gone.media)
        return Messages(sender.language).forgotten(len(gone.stopped))

    async def operate(self, sender: Sender, words: str, event_id: str) -> str | None:
        """The operator's words, said in a private chat; None where *sender* is no operator."""
        by = owner_of(self.platform.name, sender.id)
        if by not in self.admins:
            return None
        return await operate(self.ledger, self.radio, words, by=by, event=event_id)

    def terms(self, sender: Sender) -> str:
        """`/terms`."""
        return Messages(sender.language).terms(self.contact)

    def usage(self, sender: Sender, *, in_group: bool = False) -> str:
        """Words without a photo."""
        return Messages(sender.language).usage(in_group=in_group)

    def video_hint(self, sender: Sender) -> str:
        """A video, or an animation."""
        return Messages(sender.language).video_hint()

    # ---- money

    async def paid(self, sender: Sender, clips: int, source: str) -> str:
        """Credit a payment, once however often it is told; *source* is the platform's number."""
        owner = owner_of(self.platform.name, sender.id)
        if await self.ledger.people.grant(owner, clips, source=f"payment:{source}", kind="payment"):
            logger.info("paid", extra={"clips": clips})
        return Messages(sender.language).thanks_for(clips)

    def paysupport(self, sender: Sender) -> str:
        """`/paysupport`."""
        return Messages(sender.language).paysupport(self.contact)

    # ----

    async def _cancel(self, jobs: list[Job]) -> int:
        stopped = 0
        for job in jobs:
            if await self.ledger.jobs.cancel(job.id):
                stopped += 1
                await self.radio.stop(job.id)
                await self.intake.announce(job)
        return stopped

    async def _say(self, message: PhotoMessage, text: str, buttons: tuple[Button, ...] = ()) -> str:
        """Answer *message*, in the message of ours that stands; the id of the answer."""
        # Handled anew because the reply to this got lost, it is said once, where nonces are known.
        nonce = f"{message.event_id}.said"
        return await self._rewrite(
            message.reply_to, message.status_message, text, buttons, nonce=nonce
        )

    async def _rewrite(
        self,
        to: ReplyTo,
        stands: str | None,
        text: str,
        buttons: tuple[Button, ...] = (),
        *,
        nonce: str | None = None,
    ) -> str:
        """Say *text* in the message of ours that *stands*, or in a new one; its id."""
        if stands is not None:
            try:
                await self.platform.edit_text(to, stands, text, buttons=buttons)
            except MessageGone:
                logger.debug("the message that stood is gone")
            else:
                return stands
        return await self.platform.send_text(to, text, buttons=buttons, nonce=nonce)

    async def _take_away(self, press: Press, job: Job) -> None:
        """Remove *job*'s own message, wherever its button was pressed."""
        own, to = job.line_message or job.status_message, job.reply_to
        if own is None or to is None:
            return
        # Where both are one place, the right that came with the press is the fresher one.
        is_there = to.chat_id == press.reply_to.chat_id
        await self.platform.remove(press.reply_to if is_there else to, own)

    async def _delete(self, media: Iterable[MediaRef]) -> None:
        for ref in media:
            await self.intake.media.delete(ref)


def _answer_to(press: Press, job: Job) -> ReplyTo | None:
    """Where what *press* asks for belongs: where *job* was asked for, or where it is pressed.

    Button data can be forged: whoever left a chat writes nothing there any more.
    """
    to = press.answer_to or job.reply_to
    return to if to is None or to.is_same_house(press.reply_to) else press.reply_to
