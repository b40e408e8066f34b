"""Every sentence a person can read, in one place, ready for translation.

Short, warm, exact. An error says what happened, that nothing was charged, and what to do.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from vivant.chat import Verb
from vivant.clips import FailureReason, Note, Progress, RefusalReason, RenderStage
from vivant.director.plan import Action, Plan
from vivant.errors import Refused
from vivant.jobs import Credit, Job, Place

_BAR: Final = 10
_VERBS: Final = {
    Verb.CANCEL: "Cancel",
    Verb.CHOOSE: "Choose",
    Verb.CONSENT: "Yes",
    Verb.DROP: "No",
    Verb.CORRECT: "Something else",
    Verb.AGAIN: "Again",
    Verb.CALMER: "Calmer",
    Verb.STRONGER: "Stronger",
    Verb.EDIT: "Edit the words",
    Verb.LONGER: "Longer",
    Verb.LOOP: "Loop",
    Verb.FILE: "As file",
    Verb.DELETE: "Delete",
    Verb.REPORT: "Report",
    Verb.BUY: "Buy",
}
_COMMANDS: Final = {
    "animate": "bring the photo that you reply to to life",
    "status": "what you have left, and how your clips are doing",
    "cancel": "stop the clips you are waiting for",
    "help": "how it works",
    "privacy": "what is kept of you, and how long",
    "forget": "remove everything of yours",
    "settings": "how I behave in this chat",
    "buy": "more clips, for Stars",
    "terms": "what you agree to",
    "paysupport": "questions about a payment",
}
_NOTHING_CHARGED: Final = "Nothing was charged."


@dataclass(frozen=True, slots=True)
class Messages:
    """The sentences in one language; English where a translation is missing."""

    language: str = "en"

    def moment(self, at: float) -> str:
        """A time to come, for platforms whose apps show no times of their own."""
        seconds = at - time.time()
        if seconds < 90:
            return f"in about {max(1, round(seconds))} s"
        if seconds < 3600:
            return f"in about {round(seconds / 60)} min"
        return time.strftime("at %H:%M UTC", time.gmtime(at))

    # ---- while a clip is on its way

    def waiting(self, plan: Plan | None, place: Place, ready: str | None) -> str:
        """The status message of a queued job; *ready* is the expected moment, if known."""
        what = f"{self.understood(plan)} " if plan else ""
        if not place.engine_alive:
            return f"{what}Your photo waits: no engine is running now. It starts when one is back."
        when = f" Ready {ready}." if ready else ""
        if place.ahead == 0:
            return f"{what}On it.{when}"
        return f"{what}{place.ahead} ahead of you.{when}"

    def understood(self, plan: Plan) -> str:
        """What the words were taken for."""
        named = [self.action(beat.action) for beat in plan.beats if beat.action is not Action.IDLE]
        if not named:
            return "Understood: bring it gently to life."
        return f"Understood: {', then '.join(named)}."

    def progress(self, plan: Plan | None, progress: Progress) -> str:
        """The status message of a running job."""
        what = f"{self.understood(plan)}\n" if plan else ""
        share = progress.step / max(progress.total_steps, 1)
        done = round(share * _BAR)
        match progress.stage:
            case RenderStage.PREPARING:
                return f"{what}Looking at your photo…"
            case RenderStage.RENDERING:
                return f"{what}{'▰' * done}{'▱' * (_BAR - done)} {share:.0%}"
            case RenderStage.ENCODING:
                return f"{what}Nearly there…"
            case _:
                assert_never(progress.stage)

    def here_it_comes(self) -> str:
        """The short line that rings the phone after a long wait."""
        return "Here it comes…"

    def about_your_photo(self) -> str:
        """The same, where the answer is no clip."""
        return "About your photo…"

    # ---- the answer

    def under_the_clip(self, job: Job) -> str:
        """The line under a clip: the words, how long it took, that a machine made it."""
        words = job.plan.words if job.plan else ""
        took = f" · {(job.ready_at_ms - job.created_at_ms) / 1000:.0f} s" if job.ready_at_ms else ""
        said = f"“{_shortened(words)}”" if words else "Brought to life"
        notes = (*job.notes, *(job.clip.notes if job.clip else ()))
        lines = [f"{said}{took} · AI-generated", *(self.note(note) for note in notes)]
        return "\n".join(lines)

    def words_not_shown(self) -> str:
        """The line under a clip where the chat's own rules do not let the words stand."""
        return "This server does not let me repeat your words. AI-generated."

    def note(self, note: Note) -> str:
        """One truth about the clip."""
        match note:
            case Note.FIRST_FRAME_ONLY:
                return "Your picture was an animation; I took its first frame."
            case Note.FIRST_OF_ALBUM:
                return "I took the first photo of your album; say “each” for one clip a photo."
            case Note.CALM_INSTEAD:
                return "I cannot act that out here, so I made a calm living photo."
            case Note.ARMS_CANNOT_WRAP:
                return "They lean in; arms cannot wrap around anybody in this preview."
            case Note.TOO_FAR_TO_TOUCH:
                return "They stand too far apart to touch, so they lean towards each other."
            case Note.FACES_CANNOT_TURN:
                return "Faces cannot turn in this preview, so their lips do not meet."
            case Note.NO_FREE_HAND:
                return "No hand is free to wave, so it is a friendly tilt."
            case Note.NO_FREE_ARM:
                return "No arm is free to bend, so chest and shoulders do it."
            case Note.NO_STEPS:
                return "Steps and turns cannot be made in this preview, so it is a gentle sway."
            case Note.OPEN_MOUTH:
                return "An open mouth cannot purse, so eyes and lean do it."
            case Note.CROWD:
                return "It is a crowd: the people who are largest in the picture move."
            case Note.NOBODY_FOUND:
                return "I found nobody who could do that, so the camera moves."
            case Note.FEWER_FRAMES:
                return "The graphics card had room for a shorter clip only."
            case Note.SMALLER_PICTURE:
                return "The graphics card had room for a smaller picture only."
            case _:
                assert_never(note)

    def failed(self, reason: FailureReason) -> str:
        """Why an accepted job has no clip, that the credit is back, and what to do."""
        match reason:
            case FailureReason.RENDER_FAILED:
                why = "Something broke while I was making it. Please send it again."
            case FailureReason.OUT_OF_MEMORY:
                why = "It did not fit into the graphics card. A smaller photo may work."
            case FailureReason.CLIP_REJECTED:
                why = "It did not come out well enough to show. Other words may work better."
            case FailureReason.PHOTO_GONE:
                why = "The photo is not kept any more. Please send it again."
            case FailureReason.TOO_LATE:
                why = "No engine was free in time. Please try again later."
            case FailureReason.CANCELLED:
                return "Cancelled. Your clip was given back."
            case FailureReason.CLIP_TOO_LARGE:
                why = "The clip is too large for this chat. In a direct chat it may fit."
            case _:
                assert_never(reason)
        return f"{why} Your clip was given back."

    # ---- refusals

    def refused(self, refusal: Refused, *, renews: str | None = None) -> str:
        """Why nothing was queued, that nothing was charged, and what to do."""
        return f"{self._why_refused(refusal, renews)} {_NOTHING_CHARGED}"

    def _why_refused(self, refusal: Refused, renews: str | None) -> str:
        told = refusal.details
        match refusal.reason:
            case RefusalReason.NO_PHOTO:
                return self.usage()
            case RefusalReason.EMPTY_IMAGE:
                return "That file is empty. Please send the photo again."
            case RefusalReason.UNSUPPORTED_FORMAT:
                return "That is not a picture I can read. JPEG, PNG, WebP, GIF and AVIF work."
            case RefusalReason.NEEDS_HEIC:
                return "I cannot read HEIC here. Send it as a photo, or as JPEG."
            case RefusalReason.CORRUPT_IMAGE:
                return "That picture is damaged. Please send it again, or save it anew first."
            case RefusalReason.TOO_MANY_PIXELS:
                most = told.get("limit", 40)
                return f"That picture has too many pixels. Up to {most} megapixels work."
            case RefusalReason.TOO_BIG:
                return f"That file is too big. Up to {told.get('limit', 20)} MB work."
            case RefusalReason.TOO_SMALL:
                least = told.get("limit", 64)
                return f"That picture is too small. Its shorter side needs {least} pixels."
            case RefusalReason.BAD_ASPECT:
                return "That picture is too long and narrow. Please crop it."
            case RefusalReason.CAPTION_TOO_LONG:
                return f"That is a lot of words. Up to {told.get('limit', 1000)} characters work."
            case RefusalReason.NO_CREDIT:
                when = f" New ones come {renews}." if renews else ""
                return f"You have used today's clips.{when}"
            case RefusalReason.NOT_ALLOWED:
                return "I may not work for you here. Please ask whoever runs this bot."
            case RefusalReason.TOO_MANY_OPEN:
                most = told.get("limit")
                return f"You have {most} clips on the way already. Wait for one, or /cancel."
            case RefusalReason.TOO_FAST:
                return "That was quick! Please wait a minute."
            case RefusalReason.TOO_MANY_TODAY:
                return (
                    f"That makes {told.get('limit')} clips today, which is the most I make a day."
                )
            case RefusalReason.POLICY:
                return "I do not make that. Other words are welcome."
            case RefusalReason.CANNOT_BE:
                return self._cannot_be(refusal)
            case RefusalReason.NEEDS_CONSENT:
                return "All adults, and fine with it?"
            case RefusalReason.FORGOTTEN:
                return "I do not keep that photo any more. Please send it again."
            case RefusalReason.DRAINING:
                return "I am about to be serviced. Please try again in a few minutes."
            case _:
                assert_never(refusal.reason)

    def _cannot_be(self, refusal: Refused) -> str:
        told = refusal.details
        action, needs, sees = told["action"], told["needs"], told["sees"]
        said = self.action(action) if isinstance(action, Action) else str(action)
        instead = told.get("instead")
        offers = (
            [self.action(offer) for offer in instead if isinstance(offer, Action)]
            if isinstance(instead, tuple)
            else []
        )
        offer = f" What fits: {', '.join(offers)}." if offers else ""
        return f"A {said} needs {_number(needs)} people, I see {_number(sees)}.{offer}"

    # ---- commands

    def usage(self) -> str:
        """Words without a photo."""
        return "Send me a photo with a few words, for example “group hug”, and it will move."

    def help(self, *, free_per_day: int, keep_hours: float) -> str:
        """`/start` and `/help`."""
        kept = f"{keep_hours:g} hours" if keep_hours else "no longer than it takes"
        return (
            f"{self.usage()}\n\n"
            "A smile, a hug, a kiss, laughter, a wave, a flexed arm, a sway, a slow zoom: say it "
            "in your own words.\n\n"
            "/status: what you have left, and how your clips are doing\n"
            "/cancel: stop the clips you are waiting for\n\n"
            f"{free_per_day} clips a day are free. Clips are AI-generated and say so. Photos and "
            f"clips are kept for {kept}."
        )

    def status(
        self,
        credit: Credit,
        renews: str,
        waiting: Sequence[tuple[Job, Place, str | None]],
        *,
        engine_alive: bool,
    ) -> str:
        """`/status`: what is left and until when, my jobs, is an engine well."""
        left = credit.free + credit.paid
        lines = [
            f"{left} {'clip' if left == 1 else 'clips'} left today; new ones come {renews}.",
        ]
        for job, place, ready in waiting:
            words = f"“{_shortened(job.plan.words)}”" if job.plan and job.plan.words else "A photo"
            lines.append(f"{words}: {self.waiting(None, place, ready)}")
        if not waiting:
            lines.append("Nothing of yours is waiting.")
        lines.append("The engine is well." if engine_alive else "No engine is running now.")
        return "\n".join(lines)

    def cancelled(self, count: int) -> str:
        """`/cancel`."""
        if count == 0:
            return "Nothing of yours was waiting."
        return "Stopping it." if count == 1 else f"Stopping {count} clips."

    def went_wrong(self) -> str:
        """Something broke before anything was accepted."""
        return f"Something broke on my side. Please send it again. {_NOTHING_CHARGED}"

    def video_hint(self) -> str:
        """Somebody sent a video or an animation."""
        return f"I bring photos to life, not videos. Send a single picture. {_NOTHING_CHARGED}"

    def no_photo_there(self) -> str:
        """Discord: the menu of a message that carries no picture."""
        return f"There is no photo in that message. {_NOTHING_CHARGED}"

    def form_title(self) -> str:
        """The title of a form, 45 characters at most, like all that stands in one."""
        return "Bring a photo to life"

    def form_words(self) -> str:
        """The field for the words."""
        return "What should happen?"

    def form_which(self) -> str:
        """The field that chooses one of several photos."""
        return "Which photo?"

    def form_photo(self) -> str:
        """The field for a file, which may stay empty."""
        return "Another photo, if you like"

    def hidden_photo(self) -> str:
        """Discord: a reply to a message that the bot may not read."""
        return (
            "Discord does not show me that photo. Open the menu of its message instead: "
            f"Apps, then Animate. {_NOTHING_CHARGED}"
        )

    def what_should_happen(self) -> str:
        """A photo without words; buttons that fit it stand below."""
        return "What should happen? Pick one, or send the photo again with your own words."

    def consent(self) -> str:
        """Before a kiss between people, once a photo."""
        return f"{self._why_refused(Refused(RefusalReason.NEEDS_CONSENT), None)} {_NOTHING_CHARGED}"

    def dropped(self) -> str:
        """The sender said no."""
        return f"Then not. {_NOTHING_CHARGED}"

    def not_yours(self) -> str:
        """Somebody pressed a button of another, or one that is over."""
        return "That is not yours to press, or it is over by now."

    def expired(self) -> str:
        """A button that says nothing any more."""
        return "That is over by now. Please send the photo again."

    def costs_one(self, left: int) -> str:
        """To whoever pressed a button that renders."""
        return f"This takes one clip; {left} left after it."

    def costs_nothing(self) -> str:
        """To whoever pressed a button that does not."""
        return "This takes none of your clips."

    def ask_words(self) -> str:
        """The same photo, other words."""
        return "Reply to this message with your new words."

    def deleted(self) -> str:
        """To whoever had a clip deleted."""
        return "Deleted, here and on our side."

    def reported(self) -> str:
        """To whoever reported a clip."""
        return "Thank you. Whoever runs this bot will look at it."

    # ---- Telegram's own

    def command(self, name: str) -> str:
        """What a command does, for the list that the apps show; 256 letters at most."""
        return _COMMANDS[name]

    def shop(self, free_per_day: int) -> str:
        """`/buy`: a button for each pack stands below."""
        return f"{free_per_day} clips a day are free. Packs are for more, and do not run out."

    def pack(self, clips: int) -> str:
        """The name of what is sold; 32 letters at most."""
        return "1 clip" if clips == 1 else f"{clips} clips"

    def pack_button(self, clips: int, stars: int) -> str:
        """The button that offers a pack."""
        return f"{self.pack(clips)} · {stars} ⭐"

    def about_pack(self, clips: int) -> str:
        """What is sold; 255 letters at most."""
        bought = "A clip" if clips == 1 else f"{clips} clips"
        return f"{bought} beside the free ones of each day. A clip that fails is not counted."

    def not_sold(self) -> str:
        """A payment that cannot be agreed to: the pack or its price has changed."""
        return "That pack is not for sale any more. Nothing was charged."

    def thanks_for(self, clips: int) -> str:
        """A payment arrived."""
        return f"Thank you! {self.pack(clips)} more for you. Questions: /paysupport"

    def verb(self, verb: Verb) -> str:
        """The label of a button under a clip."""
        return _VERBS[verb]

    def action(self, action: Action) -> str:
        """An action as a noun."""
        return "slow zoom" if action is Action.ZOOM else action.value


def _shortened(words: str, most: int = 80) -> str:
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def _number(count: object) -> str:
    small = ("nobody", "one", "two", "three")
    return small[count] if isinstance(count, int) and 0 <= count < len(small) else str(count)
