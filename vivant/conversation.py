"""What the bot says and does about it; the same words on every platform.

A platform folder hands in what happened, already translated, and this says what to answer.
"""

import logging
import time
from dataclasses import dataclass

from vivant.chat import (
    Button,
    ChatPlatform,
    PhotoMessage,
    Press,
    Sender,
    TextMessage,
    Verb,
)
from vivant.clips import RefusalReason, ReplyTo
from vivant.delivery import film_of
from vivant.director.plan import Action
from vivant.encore import RENDERING
from vivant.errors import Refused
from vivant.intake import Asks, Intake, Question, owner_of
from vivant.jobs import Job, Limits
from vivant.ledger import Ledger
from vivant.ledger.jobs import media_of
from vivant.messages import Messages
from vivant.queue import Radio
from vivant.waiting import StatusMessages

logger = logging.getLogger(__name__)

#: Somebody who may not use the bot is told so once in this time, in seconds.
_HUSH_S = 3600
#: Words that come after their photo belong to it this long, in seconds.
_WORDS_LATER_S = 120


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

    # ---- a photo

    async def on_photo(self, message: PhotoMessage) -> None:
        """Accept and acknowledge, ask, or say why not. Handling it twice is harmless."""
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
            await self._acknowledge(outcome, message.status_message)

    async def _acknowledge(self, job: Job, stands: str | None) -> None:
        """The status message, sent once; a message of ours that *stands* becomes it."""
        if job.reply_to is None or job.status_message is not None or job.is_over:
            return
        text = await self.status_messages.text_of(job)
        buttons = self.status_messages.buttons_of(job)
        if stands is not None:
            # Remembered first: if this edit is lost, a later one still finds the message.
            await self.ledger.jobs.remember_status(job.id, stands)
            await self.platform.edit_text(job.reply_to, stands, text, buttons=buttons)
            return
        stands = await self.platform.send_text(
            job.reply_to, text, buttons=buttons, nonce=f"{job.id}.0"
        )
        await self.ledger.jobs.remember_status(job.id, stands)

    async def refuse(self, message: PhotoMessage, refusal: Refused) -> None:
        """Say why not; a platform calls it for what it will not even download."""
        words = Messages(message.sender.language)
        if refusal.reason is RefusalReason.NOT_ALLOWED and not await self._may_say_no(message):
            return
        text = words.refused(refusal, renews=self._renewal(refusal))
        logger.info("refused", extra={"reason": refusal.reason.value})
        await self._say(message.reply_to, message.status_message, text)

    async def _may_say_no(self, message: PhotoMessage) -> bool:
        owner = owner_of(self.platform.name, message.sender.id)
        role = f"hushed:{message.reply_to.chat_id}:{owner}"
        return await self.ledger.fleet.hold(role, message.event_id, for_s=_HUSH_S)

    async def _ask(self, message: PhotoMessage, question: Question) -> None:
        text, buttons = self._question(question, message.sender)
        asking = await self._say(message.reply_to, message.status_message, text, buttons)
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
                label=words.action(action).capitalize(),
                verb=Verb.CHOOSE,
                target=question.draft_id,
                choice=action.value,
            )
            for action in question.offers
        )
        return text, offers

    # ---- words alone

    async def on_words(self, message: TextMessage) -> bool:
        """Words for a photo that waits for them; False when none does."""
        owner = owner_of(self.platform.name, message.sender.id)
        draft_id = await self.ledger.drafts.answered_by(
            owner, message.reply_to.chat_id, message_id=message.answers, within_s=_WORDS_LATER_S
        )
        if draft_id is None:
            return False
        try:
            outcome = await self.intake.direct(draft_id, owner, message.words)
        except Refused as refusal:
            words = Messages(message.sender.language)
            text = words.refused(refusal, renews=self._renewal(refusal))
            await self.platform.send_text(message.reply_to, text)
            return True
        if isinstance(outcome, Question):
            text, buttons = self._question(outcome, message.sender)
            asking = await self.platform.send_text(message.reply_to, text, buttons=buttons)
            await self.ledger.drafts.asked(outcome.draft_id, asking)
        elif outcome is not None:
            await self._acknowledge(outcome, None)
        return True

    # ---- a button

    async def on_press(self, press: Press) -> str | None:
        """Do what the button says; a word for the presser alone, if there is one to say."""
        words = Messages(press.sender.language)
        owner = owner_of(self.platform.name, press.sender.id)
        try:
            if press.verb in (Verb.CHOOSE, Verb.CONSENT, Verb.DROP):
                return await self._on_draft(press, owner)
            job = await self.ledger.jobs.get(press.target)
            if job is None:
                return words.expired()
            if press.verb is Verb.REPORT:  # anybody may
                await self.ledger.reports.file(job.id, owner, "button")
                return words.reported()
            # A moderator may end things; whatever costs is for the owner.
            ends = press.sender.is_moderator and press.verb in (Verb.CANCEL, Verb.DELETE)
            if job.owner != owner and not ends:
                return words.not_yours()
            return await self._on_job(press, job, owner)
        except Refused as refusal:
            return words.refused(refusal, renews=self._renewal(refusal))

    async def _on_job(self, press: Press, job: Job, owner: str) -> str | None:
        words = Messages(press.sender.language)
        match press.verb:
            case Verb.CANCEL:
                return words.cancelled(await self._cancel([job]))
            case Verb.CORRECT:
                question = await self.intake.redraft(job, owner, press.event_id, press.answer_to)
                await self._cancel([job])
                await self._ask_again(press, question, words.what_should_happen())
                return None
            case Verb.EDIT:
                question = await self.intake.redraft(job, owner, press.event_id, press.answer_to)
                await self._ask_again(press, question, words.ask_words())
                return None
            case Verb.FILE:
                if job.clip is None:
                    return words.expired()
                film = await film_of(job, job.clip, self.intake.media)
                await self.platform.send_file(press.reply_to, film)
                return None
            case Verb.DELETE:
                await self.platform.remove(press.reply_to, press.message_id)
                if job.is_over:
                    await self._forget(job)
                return words.deleted()
            case verb if verb in RENDERING:
                again = await self.intake.encore(job, verb, owner, press.event_id, press.answer_to)
                await self._acknowledge(again, None)
                credit = await self.ledger.people.credit(owner)
                left = credit.free + credit.paid
                return words.costs_one(left) if again.work.cost else words.costs_nothing()
            case _:
                return words.expired()

    async def on_edit(self, press: Press, words: str) -> str | None:
        """Like the press of "edit", with the other words said already, in a form."""
        said = Messages(press.sender.language)
        owner = owner_of(self.platform.name, press.sender.id)
        job = await self.ledger.jobs.get(press.target)
        if job is None or job.owner != owner:
            return said.not_yours()
        try:
            draft = await self.intake.redraft(job, owner, press.event_id, press.answer_to)
            outcome = await self.intake.direct(draft.draft_id, owner, words)
        except Refused as refusal:
            return said.refused(refusal, renews=self._renewal(refusal))
        if isinstance(outcome, Question):
            text, _ = self._question(outcome, press.sender)
            await self._ask_again(press, outcome, text)
        elif outcome is not None:
            await self._acknowledge(outcome, None)
        return None

    async def _ask_again(self, press: Press, question: Question, text: str) -> None:
        _, buttons = self._question(question, press.sender)
        to = press.answer_to or press.reply_to
        asking = await self.platform.send_text(to, text, buttons=buttons)
        await self.ledger.drafts.asked(question.draft_id, asking)

    async def _forget(self, job: Job) -> None:
        for ref in media_of(job):
            await self.intake.media.delete(ref)
        await self.ledger.jobs.purge(job.id)

    async def _on_draft(self, press: Press, owner: str) -> str | None:
        words = Messages(press.sender.language)
        outcome: Job | Question | None
        if press.verb is Verb.DROP:
            if not await self.intake.drop(press.target, owner):
                return words.not_yours()
            await self.platform.edit_text(press.reply_to, press.message_id, words.dropped())
            return None
        if press.verb is Verb.CONSENT:
            outcome = await self.intake.consent(press.target, owner)
        elif press.choice in list(Action):
            outcome = await self.intake.choose(press.target, owner, Action(press.choice))
        else:
            outcome = None
        if outcome is None:
            return words.not_yours()
        if isinstance(outcome, Question):
            text, buttons = self._question(outcome, press.sender)
            await self.platform.edit_text(press.reply_to, press.message_id, text, buttons=buttons)
        else:
            await self._acknowledge(outcome, press.message_id)
        return None

    # ---- commands

    async def status(self, sender: Sender) -> str:
        """`/status`."""
        owner = owner_of(self.platform.name, sender.id)
        credit = await self.ledger.people.credit(owner)
        waiting = []
        for job in await self.ledger.jobs.open_jobs(owner=owner):
            place = await self.ledger.fleet.place(job)
            expected = place.expected_s
            ready = None if expected is None else self.platform.moment(time.time() + expected)
            waiting.append((job, place, ready))
        return Messages(sender.language).status(
            credit,
            self.platform.moment(credit.renews_at),
            waiting,
            engine_alive=bool(await self.ledger.fleet.profiles()),
        )

    async def cancel(self, sender: Sender) -> str:
        """`/cancel`: everything of the sender that has no answer yet."""
        owner = owner_of(self.platform.name, sender.id)
        mine = await self.ledger.jobs.open_jobs(owner=owner)
        return Messages(sender.language).cancelled(await self._cancel(mine))

    def help(self, sender: Sender) -> str:
        """`/start`, `/help`, and anything that is no command."""
        return Messages(sender.language).help(
            free_per_day=self.limits.free_clips_per_day, keep_hours=self.keep_hours
        )

    def usage(self, sender: Sender) -> str:
        """Words without a photo."""
        return Messages(sender.language).usage()

    def video_hint(self, sender: Sender) -> str:
        """A video, or an animation."""
        return Messages(sender.language).video_hint()

    # ----

    async def _cancel(self, jobs: list[Job]) -> int:
        stopped = 0
        for job in jobs:
            if await self.ledger.jobs.cancel(job.id):
                stopped += 1
                await self.radio.stop(job.id)
                await self.intake.announce(job)
        return stopped

    async def _say(
        self, to: ReplyTo, stands: str | None, text: str, buttons: tuple[Button, ...] = ()
    ) -> str:
        """A message of ours that *stands* becomes it; the id of the message."""
        if stands is None:
            return await self.platform.send_text(to, text, buttons=buttons)
        await self.platform.edit_text(to, stands, text, buttons=buttons)
        return stands

    def _renewal(self, refusal: Refused) -> str | None:
        renews_at = refusal.details.get("renews_at")
        return self.platform.moment(renews_at) if isinstance(renews_at, int) else None
