"""The one door: a platform hands over a photo message, and an accepted job comes back.

It knows no platform; it decides who may ask and what can be asked. Refusals cost nothing.
"""

import hashlib
import hmac
import logging
import time
from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from vivant.chat import PhotoMessage, Sender, Verb
from vivant.clips import EngineProfile, Note, RefusalReason, ReplyTo
from vivant.director.casting import cast, needs_consent, suggest
from vivant.director.plan import Action, Beat, Plan
from vivant.director.sight import Sight
from vivant.director.words import blocked, check_length, cleaned, understand, unfit
from vivant.encore import makes_sense, order_from
from vivant.errors import MediaMissing, Refused
from vivant.houses import Houses
from vivant.jobs import ANY_ENGINE, Job, Order
from vivant.ledger import Ledger
from vivant.ledger.jobs import media_of
from vivant.media import MediaStore
from vivant.photos import PhotoCleaner
from vivant.queue import RENDER, Bells, delivery

_DAY_S: Final = 86_400

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class HouseRules:
    """Who may ask for what; the operator's settings, above every house's own."""

    allowed_chats: Collection[str] = ()
    banned_users: Collection[str] = ()
    blocked_words: Collection[str] = ()
    #: The engine that was asked for; "auto" takes the best that is alive.
    engine: str = "auto"


class Asks(StrEnum):
    """What a draft waits for."""

    CHOICE = "choice"  #: what shall happen
    CONSENT = "consent"  #: all adults, and fine with it?
    OTHER = "other"  #: what was asked for cannot be; what else?


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Nothing is charged yet: the photo waits for a word of its sender."""

    asks: Asks
    draft_id: str
    #: What fits this photo, best first.
    offers: tuple[Action, ...] = ()
    #: Why the words cannot be.
    refusal: Refused | None = None


@dataclass(frozen=True, slots=True)
class Intake:
    """Check, clean, look, understand, store, accept, ring."""

    ledger: Ledger
    media: MediaStore
    bells: Bells
    cleaner: PhotoCleaner
    rules: HouseRules
    houses: Houses
    #: Makes identities that tell nobody who they are.
    secret: bytes

    async def accept(self, message: PhotoMessage) -> Job | Question:
        """One message, one job, however often it arrives; or `Refused` with nothing kept."""
        to = message.reply_to
        key = self.key_of(to, message.event_id)
        known = await self.ledger.jobs.find(key)
        if known is not None:
            return known
        owner = owner_of(to.platform, message.sender.id)
        await self.let_in(message.sender, to)
        words = await self._allowed(message.words, owner)
        photo = await self.cleaner.clean(message.photo)
        profile = await self._profile()
        wish = message.wish
        if wish.seed is None:
            # From the event, so that the same event is the same performance, and "again" is not.
            wish = replace(wish, seed=int(key[:8], 16))
        last_photo, notes = None, (*message.notes, *photo.notes)
        if message.last_photo is not None:
            if profile.takes_last_photo:
                last = await self.cleaner.clean(message.last_photo)
                last_photo = await self.media.put(last.data, last.media_type)
            else:
                notes = (*notes, Note.FIRST_OF_ALBUM)
        order = Order(
            key=key,
            owner=owner,
            reply_to=to,
            language=message.sender.language,
            plan=understand(words),
            photo=await self.media.put(photo.data, photo.media_type),
            photo_width=photo.width,
            photo_height=photo.height,
            sight=photo.sight,
            wish=wish,
            settings=profile.settings_for(photo.width, photo.height, wish),
            engine=profile.name,
            limit_bytes=message.limit_bytes,
            notes=notes,
            last_photo=last_photo,
        )
        try:
            asked = self._asks(order, has_consent=message.has_consent)
            if asked is None or not message.can_ask:
                if asked is not None and asked.refusal is not None:
                    raise asked.refusal
                return await self._take(order, message.sender)
            draft_id, is_new = await self.ledger.drafts.keep(order)
        except Refused:
            await self._discard(order)
            raise
        if not is_new:
            await self._discard(order)
        return replace(asked, draft_id=draft_id)

    async def choose(
        self, draft_id: str, sender: Sender, action: Action, to: ReplyTo
    ) -> Job | Question | None:
        """The sender picked what shall happen; None when the draft is gone or not theirs.

        *to*: where they said so.
        """
        order = await self._draft_of(draft_id, sender, to)
        if order is None:
            return None
        plan = Plan(words=action.value, beats=(Beat(action=action),))
        return await self._directed(draft_id, replace(order, plan=plan), sender)

    async def direct(self, draft_id: str, sender: Sender, words: str) -> Job | Question | None:
        """The sender said it in words; None when the draft is gone or not theirs."""
        order = await self._draft_of(draft_id, sender)
        if order is None:
            return None
        await self.let_in(sender, order.reply_to)
        plan = understand(await self._allowed(words, order.owner))
        return await self._directed(draft_id, replace(order, plan=plan), sender)

    async def _directed(self, draft_id: str, order: Order, sender: Sender) -> Job | Question:
        asked = self._asks(order, has_consent=order.has_consent)
        if asked is None:
            return await self._take_draft(draft_id, order, sender)
        await self.ledger.drafts.amend(draft_id, order)
        return replace(asked, draft_id=draft_id)

    async def reword(self, job: Job, words: str) -> bool:
        """Other words for a job that waits; False: too late, or they need a question first.

        Raises `Refused` where the words may not be, or the photo cannot carry them.
        """
        plan = understand(await self._allowed(words, job.owner))
        cast(plan, job.sight)
        if job.plan is None or not plan.words:
            return False
        if needs_consent(plan, _seen_in(job)) and not needs_consent(job.plan, _seen_in(job)):
            return False
        return await self.ledger.jobs.reword(job.id, plan)

    async def encore(
        self, job: Job, verb: Verb, sender: Sender, event_id: str, to: ReplyTo | None = None
    ) -> Job:
        """A new job from one that has its clip; raises `Refused` (FORGOTTEN among others)."""
        to = _place(job, to)
        known = await self.ledger.jobs.find(self.key_of(to, event_id))
        if known is not None:
            return known
        if not makes_sense(job, verb):
            raise Refused(RefusalReason.FORGOTTEN)
        order = await self._order_from(job, verb, sender, event_id, to)
        try:
            return await self._take(order, sender)
        except Refused:
            await self._discard(order)
            raise

    async def redraft(
        self, job: Job, sender: Sender, event_id: str, to: ReplyTo | None = None
    ) -> Question:
        """The photo of *job* waits for other words; raises `Refused` (FORGOTTEN)."""
        to = _place(job, to)
        known = await self.ledger.drafts.find(self.key_of(to, event_id))
        if known is not None:
            return Question(asks=Asks.CHOICE, draft_id=known, offers=suggest(job.sight))
        order = await self._order_from(job, Verb.EDIT, sender, event_id, to)
        if job.plan is not None and needs_consent(job.plan, _seen_in(job)):
            order = replace(order, has_consent=True)  # it was a kiss: they were asked then
        draft_id, is_new = await self.ledger.drafts.keep(order)
        if not is_new:
            await self._discard(order)
        return Question(asks=Asks.CHOICE, draft_id=draft_id, offers=suggest(order.sight))

    async def _order_from(
        self, job: Job, verb: Verb, sender: Sender, event_id: str, to: ReplyTo
    ) -> Order:
        if job.photo is None:
            raise Refused(RefusalReason.FORGOTTEN)
        await self.let_in(sender, to)
        source = job.clip.video if job.clip and verb in (Verb.LONGER, Verb.LOOP) else None
        try:
            # Copies: each job's media go when that job is forgotten.
            photo = await self.media.copy(job.photo)
            last = job.last_photo if verb not in (Verb.LONGER, Verb.LOOP) else None
            last = None if last is None else await self.media.copy(last)
            source = None if source is None else await self.media.copy(source)
        except MediaMissing:
            raise Refused(RefusalReason.FORGOTTEN) from None
        order = order_from(
            job,
            verb,
            key=self.key_of(to, event_id),
            owner=owner_of(to.platform, sender.id),
            photo=photo,
            last_photo=last,
            source_clip=source,
        )
        if verb is not Verb.LONGER:  # which must match the clip that it goes on from
            profile = await self._profile()
            order = replace(order, engine=ANY_ENGINE if verb is Verb.LOOP else profile.name)
        return replace(order, reply_to=to, language=sender.language)

    async def _discard(self, order: Order) -> None:
        for ref in media_of(order):
            await self.media.delete(ref)

    async def consent(self, draft_id: str, sender: Sender, to: ReplyTo) -> Job | None:
        """The sender said yes; None when the draft is gone or not theirs. *to* as above."""
        order = await self._draft_of(draft_id, sender, to)
        return None if order is None else await self._take_draft(draft_id, order, sender)

    async def drop(self, draft_id: str, sender: Sender) -> bool:
        """The sender thought better of it; False when the draft is gone or not theirs."""
        order = await self._draft_of(draft_id, sender)
        if order is None:
            return False
        await self.ledger.drafts.drop(draft_id)
        await self._discard(order)
        return True

    def _asks(self, order: Order, *, has_consent: bool) -> Question | None:
        """What must be asked before *order* can be taken; a draft's id is filled in later."""
        if not order.plan.words:
            return Question(asks=Asks.CHOICE, draft_id="", offers=suggest(order.sight))
        try:
            cast(order.plan, order.sight)
        except Refused as refusal:
            return Question(
                asks=Asks.OTHER, draft_id="", offers=suggest(order.sight), refusal=refusal
            )
        if needs_consent(order.plan, _seen_in(order)) and not has_consent:
            unasked = Refused(RefusalReason.NEEDS_CONSENT)
            return Question(asks=Asks.CONSENT, draft_id="", refusal=unasked)
        return None

    async def _take(self, order: Order, sender: Sender) -> Job:
        seat = await self._seat(order, sender)
        try:
            job, is_new = await self.ledger.jobs.accept(order)
        except Refused:
            if seat is not None:
                await self.ledger.fleet.release(seat, order.key)
            raise
        if is_new:
            logger.info("accepted", extra={"job": job.id, "platform": order.reply_to.platform})
            await self.bells.ring(RENDER)
        elif job.photo != order.photo:
            await self._discard(order)
        return job

    async def _seat(self, order: Order, sender: Sender) -> str | None:
        """One of the clips that the house allows *sender* today; raises `Refused`.

        Each is a role that the job holds for the day: two messages at once cannot take the same
        one, and the same message takes its own again. Its name tells nobody who sits there.
        """
        to = order.reply_to
        allowed = (await self.houses.at(to)).clips_of(sender)
        if allowed is None or not order.work.cost:
            return None
        today = int(time.time() // _DAY_S)
        row = self.key_of(to, f"{to.house_id}\0{order.owner}\0{today}")
        for number in range(allowed):
            seat = f"seat:{row}:{number}"
            if await self.ledger.fleet.hold(seat, order.key, for_s=_DAY_S):
                return seat
        raise Refused(RefusalReason.TOO_MANY_TODAY, limit=allowed)

    async def _take_draft(self, draft_id: str, order: Order, sender: Sender) -> Job:
        job = await self._take(order, sender)
        await self.ledger.drafts.drop(draft_id)
        return job

    async def _draft_of(
        self, draft_id: str, sender: Sender, to: ReplyTo | None = None
    ) -> Order | None:
        order = await self.ledger.drafts.get(draft_id)
        if order is None or order.owner != owner_of(order.reply_to.platform, sender.id):
            return None
        if to is None:
            return order
        if not order.reply_to.is_same_house(to):
            # Button data can be forged: whoever left a chat writes nothing there any more.
            return replace(order, reply_to=to)
        if order.reply_to.token is None or to.token is None:
            return order
        # The one that came with the photo may have ended while the question stood.
        return replace(order, reply_to=replace(order.reply_to, token=to.token))

    async def announce(self, job: Job) -> None:
        """Ring for an answer that needs no engine: a cancelled job has one at once."""
        if job.reply_to is not None:
            await self.bells.ring(delivery(job.reply_to.platform, job.reply_to.bot))

    def key_of(self, to: ReplyTo, event_id: str) -> str:
        """The identity of an asking event; it survives the purge and names nobody."""
        event = f"{to.platform}\0{to.bot}\0{event_id}".encode()
        return hmac.new(self.secret, event, hashlib.sha256).hexdigest()

    async def _allowed(self, words: str, owner: str) -> str:
        clean = cleaned(words)
        check_length(clean)
        if blocked(clean, (*unfit(), *self.rules.blocked_words)) is not None:
            await self.ledger.audit.note(owner, "asked in blocked words", "refused")
            raise Refused(RefusalReason.POLICY)
        return clean

    async def let_in(self, sender: Sender, to: ReplyTo) -> None:
        """The operator's rules first, then the house's, then the pace of the last minute."""
        owner = owner_of(to.platform, sender.id)
        if owner in self.rules.banned_users:
            raise Refused(RefusalReason.NOT_ALLOWED)
        places = {f"{to.platform}:{to.chat_id}", f"{to.platform}:{to.house_id}"}
        if self.rules.allowed_chats and places.isdisjoint(self.rules.allowed_chats):
            raise Refused(RefusalReason.NOT_ALLOWED)
        if not (await self.houses.at(to)).admits(sender, to):
            raise Refused(RefusalReason.NOT_ALLOWED)
        await self.ledger.people.knock(owner)

    async def _profile(self) -> EngineProfile:
        alive = await self.ledger.fleet.profiles()
        wanted = self.rules.engine
        if wanted != "auto":
            named = [profile for profile in alive if profile.name == wanted]
            return named[0] if named else replace(_NOBODY_YET, name=wanted)
        # A card beats the CPU; among cards the operator's order of starting is as good as any.
        best = sorted(alive, key=lambda profile: profile.name == "puppet")
        return best[0] if best else _NOBODY_YET


def _seen_in(what: Order | Job) -> Sight | None:
    """Who may be in the clip: with a second photo that is not known from the first."""
    return what.sight if what.last_photo is None else None


def _place(job: Job, to: ReplyTo | None) -> ReplyTo:
    """*to*, or where *job* was asked for; raises `Refused` once that is forgotten."""
    place = to or job.reply_to
    if place is None:
        raise Refused(RefusalReason.FORGOTTEN)
    return place


def owner_of(platform: str, user_id: str) -> str:
    """Whose credit it is."""
    return f"{platform}:{user_id}"


#: Until a worker says what it can make; that worker snaps the settings again.
_NOBODY_YET = EngineProfile(
    name=ANY_ENGINE, frame_rate=24, default_num_frames=84, max_num_frames=240
)
