"""Every sentence a person can read, in one place.

Short, warm, exact. An error says what happened, that nothing was charged, and what to do. The
English stands here; `vivant.locales` has the other languages.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, assert_never

from vivant.chat import Verb
from vivant.clips import FailureReason, Note, Progress, RefusalReason, RenderStage, Work
from vivant.director.plan import Action, Plan
from vivant.errors import Refused
from vivant.houses import House
from vivant.jobs import Credit, Job, Place
from vivant.locales import LANGUAGES, catalogue

_BAR: Final = 10
#: What took longer is told in minutes.
_MINUTES_FROM_S: Final = 120
#: Jobs that `/status` tells one by one: a message holds no more than some thousand letters.
_MOST_LISTED: Final = 10
#: A clip shorter than wished by less than this is as wished, in seconds.
_ABOUT_AS_WISHED_S: Final = 0.5


def mark(sentence: str) -> str:
    """*sentence*, to be translated when it is said."""
    return sentence


_VERBS: Final = {
    Verb.CANCEL: mark("Cancel"),
    Verb.CHOOSE: mark("Choose"),
    Verb.CONSENT: mark("Yes"),
    Verb.DROP: mark("No"),
    Verb.CORRECT: mark("Something else"),
    Verb.AGAIN: mark("Again"),
    Verb.CALMER: mark("Calmer"),
    Verb.STRONGER: mark("Stronger"),
    Verb.EDIT: mark("Edit the words"),
    Verb.LONGER: mark("Longer"),
    Verb.LOOP: mark("Loop"),
    Verb.FILE: mark("As file"),
    Verb.DELETE: mark("Delete"),
    Verb.REPORT: mark("Report"),
    Verb.BUY: mark("Buy"),
}
_ACTIONS: Final = {
    Action.HUG: mark("hug"),
    Action.KISS: mark("kiss"),
    Action.SMILE: mark("smile"),
    Action.LAUGH: mark("laugh"),
    Action.FLEX: mark("flex"),
    Action.WAVE: mark("wave"),
    Action.SWAY: mark("sway"),
    Action.NOD: mark("nod"),
    Action.WINK: mark("wink"),
    Action.BLINK: mark("blink"),
    Action.LOOK: mark("look"),
    Action.BREATHE: mark("breathe"),
    Action.ZOOM: mark("slow zoom"),
    Action.PAN: mark("pan"),
    Action.PARALLAX: mark("parallax"),
    Action.IDLE: mark("calm"),
}
_COMMANDS: Final = {
    "animate": mark("bring the photo that you reply to to life"),
    "status": mark("what you have left, and how your clips are doing"),
    "cancel": mark("stop the clips you are waiting for"),
    "help": mark("how it works"),
    "privacy": mark("what is kept of you, and how long"),
    "forget": mark("remove everything of yours"),
    "settings": mark("how I behave in this chat"),
    "buy": mark("more clips, for Stars"),
    "terms": mark("what you agree to"),
    "paysupport": mark("questions about a payment"),
}
#: What an app that shows forms says of a command and its fields; 100 letters at most.
_PARTS: Final = {
    "animate": mark("bring a photo to life"),
    "menu": mark("Animate"),
    "buy": mark("more clips"),
    "photo": mark("the photo"),
    "action": mark("what shall happen, in your own words"),
    "length": mark("how long the clip shall be, in seconds"),
    "motion": mark("how much shall move"),
    "seed": mark("the same number is the same performance"),
    "calm": mark("a little"),
    "as said": mark("as the words say"),
    "strong": mark("a lot"),
    "rooms": mark("Where I may be asked; nothing chosen: everywhere"),
    "roles": mark("Who may ask; nothing chosen: everybody"),
    "clips": mark("Clips a person may ask for here in a day"),
    "clips by role": mark("The same by role"),
    "no limit": mark("no limit"),
    "language": mark("The language I speak here"),
    "own language": mark("everybody's own"),
    "switches": mark("What else holds here"),
}
_HOUSE: Final = {
    "guests": mark("who may ask: everybody or moderators"),
    "clips": mark("clips a person may ask for here in a day; - for no limit"),
    "language": mark("the language I speak here: {languages}; - for everybody's own"),
    "quiet": mark("no news between “on it” and the clip"),
    "open_buttons": mark("anybody may press the buttons under a clip"),
    "spoiler": mark("clips are hidden until they are tapped"),
    "threads": mark("a thread of its own for each clip"),
    "every_photo": mark("every photo with words is meant for me"),
}


@dataclass(frozen=True, slots=True)
class Messages:
    """The sentences in one language; English where we have no other."""

    #: An IETF tag, as platforms tell it: "de-AT".
    language: str = "en"

    def _(self, sentence: str, **told: object) -> str:
        return catalogue(self.language).gettext(sentence).format(**told)

    def _n(self, one: str, many: str, count: int, **told: object) -> str:
        return catalogue(self.language).ngettext(one, many, count).format(count=count, **told)

    def moment(self, at: float) -> str:
        """A time to come, for platforms whose apps show no times of their own."""
        seconds = at - time.time()
        if seconds < 90:
            # In tens where it is long: a time that ticks would be an edit every round.
            step = 1 if seconds < 15 else 10
            return self._("in about {seconds} s", seconds=max(1, round(seconds / step) * step))
        if seconds < 3600:
            return self._("in about {minutes} min", minutes=round(seconds / 60))
        return self._("at {time} UTC", time=time.strftime("%H:%M", time.gmtime(at)))

    # ---- while a clip is on its way

    def waiting(self, plan: Plan | None, place: Place, ready: str | None) -> str:
        """The status message of a queued job; *ready* is the expected moment, if known."""
        said = [self.understood(plan)] if plan else []
        if not place.engine_alive:
            waits = self._(
                "Your photo waits: no engine is running now. It starts when one is back."
            )
            return _told(*said, waits)
        if place.ahead == 0:
            said.append(self._("On it."))
        else:
            said.append(self._n("{count} ahead of you.", "{count} ahead of you.", place.ahead))
        if ready is not None:
            said.append(self._("Ready {moment}.", moment=ready))
        return _told(*said)

    def understood(self, plan: Plan) -> str:
        """What the words were taken for."""
        named = [self.action(beat.action) for beat in plan.beats if beat.action is not Action.IDLE]
        if not named:
            return self._("Understood: bring it gently to life.")
        actions = named[0]
        for action in named[1:]:
            actions = self._("{first}, then {second}", first=actions, second=action)
        return self._("Understood: {actions}.", actions=actions)

    def progress(self, plan: Plan | None, progress: Progress) -> str:
        """The status message of a running job."""
        what = f"{self.understood(plan)}\n" if plan else ""
        share = progress.step / max(progress.total_steps, 1)
        done = round(share * _BAR)
        match progress.stage:
            case RenderStage.PREPARING:
                return what + self._("Looking at your photo…")
            case RenderStage.RENDERING:
                return f"{what}{'▰' * done}{'▱' * (_BAR - done)} {share:.0%}"
            case RenderStage.ENCODING:
                return what + self._("Nearly there…")
            case _:
                assert_never(progress.stage)

    def here_it_comes(self) -> str:
        """The short line that rings the phone after a long wait."""
        return self._("Here it comes…")

    def about_your_photo(self) -> str:
        """The same, where the answer is no clip."""
        return self._("About your photo…")

    # ---- the answer

    def under_the_clip(self, job: Job) -> str:
        """The line under a clip: the words, how long it took, that a machine made it."""
        words = job.plan.words if job.plan else ""
        parts = [f"“{_shortened(words)}”" if words else self._("Brought to life")]
        if job.ready_at_ms:
            seconds = max(1, round((job.ready_at_ms - job.created_at_ms) / 1000))
            if seconds < _MINUTES_FROM_S:
                parts.append(self._("made in {seconds} s", seconds=seconds))
            else:
                parts.append(self._("made in {minutes} min", minutes=round(seconds / 60)))
        parts.append(self._("AI-generated"))
        notes = (*job.notes, *(job.clip.notes if job.clip else ()))
        told = [self.note(note) for note in notes]
        if job.work is Work.RENDER and job.clip and Note.FEWER_FRAMES not in notes:
            told += self._shorter_than_wished(job.clip.duration_s, job.wish.duration_s)
        return "\n".join((" · ".join(parts), *told))

    def _shorter_than_wished(self, made_s: float, wished_s: float | None) -> list[str]:
        """Engines make whole steps of a length, so a little less is as wished."""
        if wished_s is None or wished_s - made_s < _ABOUT_AS_WISHED_S:
            return []
        return [self._("{seconds} s is the longest clip I can make.", seconds=f"{made_s:.3g}")]

    def words_not_shown(self) -> str:
        """The line under a clip where the chat's own rules do not let the words stand."""
        return self._("This server does not let me repeat your words. AI-generated.")

    def note(self, note: Note) -> str:
        """One truth about the clip."""
        match note:
            case Note.FIRST_FRAME_ONLY:
                return self._("Your picture was an animation; I took its first frame.")
            case Note.FIRST_OF_ALBUM:
                return self._(
                    "I took the first photo of your album; say “each” for one clip a photo."
                )
            case Note.CALM_INSTEAD:
                return self._("I cannot act that out here, so I made a calm living photo.")
            case Note.ARMS_CANNOT_WRAP:
                return self._("They lean in; I cannot make their arms wrap around anybody.")
            case Note.TOO_FAR_TO_TOUCH:
                return self._(
                    "They are too far apart in the photo to touch, so they lean towards each other."
                )
            case Note.FACES_CANNOT_TURN:
                return self._("I cannot turn their faces, so their lips do not meet.")
            case Note.NO_FREE_HAND:
                return self._(
                    "No raised hand is free to wave, so it is a smile and a friendly tilt of the "
                    "head."
                )
            case Note.NO_FREE_ARM:
                return self._("No arm is free to bend, so chest and shoulders do it.")
            case Note.NO_STEPS:
                return self._("I cannot make steps and turns, so it is a gentle sway.")
            case Note.OPEN_MOUTH:
                return self._(
                    "An open mouth cannot pucker, so closed eyes and a lean make the kiss."
                )
            case Note.CROWD:
                return self._("It is a crowd: the people who are largest in the picture move.")
            case Note.NOBODY_FOUND:
                return self._("I found nobody who could do that, so the camera moves.")
            case Note.FEWER_FRAMES:
                return self._("The graphics card had room for a shorter clip only.")
            case Note.SMALLER_PICTURE:
                return self._("The graphics card had room for a smaller picture only.")
            case _:
                assert_never(note)

    def failed(self, reason: FailureReason) -> str:
        """Why an accepted job has no clip, that the credit is back, and what to do."""
        match reason:
            case FailureReason.RENDER_FAILED:
                why = self._("Something broke while I was making it. Please send it again.")
            case FailureReason.OUT_OF_MEMORY:
                why = self._("It did not fit into the graphics card. A smaller photo may work.")
            case FailureReason.CLIP_REJECTED:
                why = self._(
                    "It did not come out well enough to show. Other words may work better."
                )
            case FailureReason.PHOTO_GONE:
                why = self._("The photo is not kept any more. Please send it again.")
            case FailureReason.TOO_LATE:
                why = self._("No engine was free in time. Please try again later.")
            case FailureReason.CANCELLED:
                why = self._("Cancelled.")
            case FailureReason.CLIP_TOO_LARGE:
                why = self._("The clip is too large for this chat. In a direct chat it may fit.")
            case FailureReason.CLIP_FORBIDDEN:
                why = self._no_clips_here()
            case _:
                assert_never(reason)
        return self._given_back(why)

    def could_not_answer(self) -> str:
        """In private: the chat where somebody asked takes no answer of ours."""
        return self._given_back(
            self._(
                "I may not answer in the chat where you asked. Send me the photo here, or ask an "
                "admin there."
            )
        )

    def _given_back(self, said: str) -> str:
        return _told(said, self._("Your clip was given back."))

    def _no_clips_here(self) -> str:
        return self._("I may not post clips in this chat. Ask an admin, or write to me directly.")

    # ---- refusals

    def refused(self, refusal: Refused, *, renews: str | None = None) -> str:
        """Why nothing was queued, that nothing was charged, and what to do."""
        return self._uncharged(self._why_refused(refusal, renews))

    def _uncharged(self, said: str) -> str:
        return _told(said, self._("Nothing was charged."))

    def _why_refused(self, refusal: Refused, renews: str | None) -> str:
        told = refusal.details
        match refusal.reason:
            case RefusalReason.NO_PHOTO:
                return self.usage()
            case RefusalReason.EMPTY_IMAGE:
                return self._("That file is empty. Please send the photo again.")
            case RefusalReason.UNSUPPORTED_FORMAT:
                return self._(
                    "That is not a picture I can read. JPEG, PNG, WebP, GIF and AVIF work."
                )
            case RefusalReason.NEEDS_HEIC:
                return self._("I cannot read HEIC here. Send it as a photo, or as JPEG.")
            case RefusalReason.CORRUPT_IMAGE:
                return self._(
                    "That picture is damaged. Please send it again, or save it anew first."
                )
            case RefusalReason.TOO_MANY_PIXELS:
                return self._(
                    "That picture has too many pixels. Up to {most} megapixels work.",
                    most=told.get("limit", 40),
                )
            case RefusalReason.TOO_BIG:
                return self._(
                    "That file is too big. Up to {most} MB work.", most=told.get("limit", 20)
                )
            case RefusalReason.TOO_SMALL:
                return self._(
                    "That picture is too small. Its shorter side needs {least} pixels.",
                    least=told.get("limit", 64),
                )
            case RefusalReason.BAD_ASPECT:
                return self._("That picture is too long and narrow. Please crop it.")
            case RefusalReason.CAPTION_TOO_LONG:
                return self._(
                    "That is a lot of words. Up to {most} characters work.",
                    most=told.get("limit", 1000),
                )
            case RefusalReason.NO_CREDIT:
                used = self._("You have used today's clips.")
                if renews is None:
                    return used
                return _told(used, self._("New ones come {moment}.", moment=renews))
            case RefusalReason.NOT_ALLOWED:
                return self._(
                    "I may not work for you here. Please ask an admin of this chat, or whoever "
                    "runs this bot."
                )
            case RefusalReason.TOO_MANY_OPEN:
                return self._n(
                    "You have {count} clip on the way already. Wait for it, or /cancel.",
                    "You have {count} clips on the way already. Wait for one, or /cancel.",
                    _whole(told.get("limit")),
                )
            case RefusalReason.TOO_FAST:
                return self._("That was quick! Please wait a minute.")
            case RefusalReason.TOO_MANY_TODAY:
                return self._n(
                    "That makes {count} clip today, which is the most for one day here.",
                    "That makes {count} clips today, which is the most for one day here.",
                    _whole(told.get("limit")),
                )
            case RefusalReason.POLICY:
                return self._("I do not make that. Other words are welcome.")
            case RefusalReason.CANNOT_BE:
                return self._cannot_be(told)
            case RefusalReason.NEEDS_CONSENT:
                return self._("All adults, and fine with it?")
            case RefusalReason.FORGOTTEN:
                return self._("I do not keep that photo any more. Please send it again.")
            case RefusalReason.DRAINING:
                return self._("I am about to be serviced. Please try again in a few minutes.")
            case _:
                assert_never(refusal.reason)

    def _cannot_be(self, told: Mapping[str, object]) -> str:
        action = told["action"]
        said = self._(
            "A {action} needs {needs} people, I see {sees}.",
            action=self.action(action) if isinstance(action, Action) else action,
            needs=self._number(_whole(told["needs"])),
            sees=self._number(_whole(told["sees"])),
        )
        instead = told.get("instead")
        if not isinstance(instead, tuple) or not instead:
            return said
        offers = ", ".join(self.action(offer) for offer in instead if isinstance(offer, Action))
        return _told(said, self._("What fits: {actions}.", actions=offers))

    def _number(self, count: int) -> str:
        small = {1: self._("one"), 2: self._("two"), 3: self._("three")}
        return small.get(count, str(count))

    # ---- commands

    def usage(self, *, in_group: bool = False) -> str:
        """Words without a photo. A group may not show its photos to a bot, but it does replies."""
        if in_group:
            return self._(
                "Reply to a photo with /animate and a few words, for example “/animate group hug”, "
                "and it will move."
            )
        return self._(
            "Send me a photo with a few words, for example “group hug”, and it will move."
        )

    def help(self, *, free_per_day: int, keep_hours: float, in_group: bool = False) -> str:
        """`/start` and `/help`."""
        commands = (f"/{name}: {self.command(name)}" for name in ("status", "cancel", "privacy"))
        return "\n\n".join(
            (
                self.usage(in_group=in_group),
                self._(
                    "A smile, a hug, a kiss, laughter, a wave, a flexed arm, a sway, a slow zoom: "
                    "say it in your own words."
                ),
                "\n".join(commands),
                _told(
                    self._free(free_per_day),
                    self._("Clips are AI-generated and say so."),
                    self._kept(keep_hours),
                ),
            )
        )

    def _free(self, per_day: int) -> str:
        return self._n("{count} clip a day is free.", "{count} clips a day are free.", per_day)

    def _kept(self, keep_hours: float) -> str:
        if not keep_hours:
            return self._("Photos and clips are kept no longer than it takes.")
        if keep_hours < 1:
            return self._n(
                "Photos and clips are kept for {count} minute.",
                "Photos and clips are kept for {count} minutes.",
                round(keep_hours * 60),
            )
        return self._n(
            "Photos and clips are kept for {count} hour.",
            "Photos and clips are kept for {count} hours.",
            round(keep_hours),
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
        left = self._n(
            "{count} clip left today; new ones come {moment}.",
            "{count} clips left today; new ones come {moment}.",
            credit.free + credit.paid,
            moment=renews,
        )
        lines = [left]
        for job, place, ready in waiting[:_MOST_LISTED]:
            words = job.plan.words if job.plan else ""
            name = f"“{_shortened(words)}”" if words else self._("A photo")
            lines.append(f"{name}: {self.waiting(None, place, ready)}")
        if (more := len(waiting) - _MOST_LISTED) > 0:
            lines.append(self._n("And {count} more.", "And {count} more.", more))
        if not waiting:
            lines.append(self._("Nothing of yours is waiting."))
        if engine_alive:
            lines.append(self._("The engine is well."))
        else:
            lines.append(self._("No engine is running now."))
        return "\n".join(lines)

    def cancelled(self, count: int) -> str:
        """`/cancel`."""
        if count == 0:
            return self._("Nothing of yours was waiting.")
        return self._n("Stopping {count} clip.", "Stopping {count} clips.", count)

    def privacy(self, keep_hours: float, contact: str) -> str:
        """`/privacy`: what is kept, why, and how long."""
        return "\n\n".join(
            (
                self._(
                    "Your photo is stripped of its metadata (place, camera, time) as soon as it "
                    "arrives. With your words and a few numbers of this chat it is used to make "
                    "your clip and to answer you, and for nothing else: no training, no sale."
                ),
                self._kept(keep_hours),
                self._(
                    "What stays: a count of your clips and payments, and a coded number of each "
                    "request, so that none is counted twice. Words are never written to a log."
                ),
                self._("/forget removes what is kept of you now."),
                self._contact(contact),
            )
        )

    def forgotten(self, stopped: int) -> str:
        """`/forget`: what went, what stays and why."""
        said = [
            self._(
                "Forgotten: your photos, your words and your clips, on my side. What I posted in "
                "chats is yours to delete."
            ),
            self._(
                "What stays: a count of your clips and payments, so that what you paid for is not "
                "lost and a day's free clips are not counted anew; a coded number of each request, "
                "so that none runs twice; and what was refused by the rules."
            ),
        ]
        if stopped:
            said.insert(1, self.cancelled(stopped))
        return "\n\n".join(said)

    def terms(self, contact: str) -> str:
        """`/terms`."""
        return "\n\n".join(
            (
                self._(
                    "Send photos that you may use, of people who are fine with it. Kisses are "
                    "for adults. Nothing sexual, nothing that deceives or hurts anybody: it is "
                    "refused, and whoever keeps asking is shut out."
                ),
                self._(
                    "Clips are AI-generated and marked as such; do not show them as real. A clip "
                    "that fails is given back. Bought clips do not expire."
                ),
                self._contact(contact),
            )
        )

    def paysupport(self, contact: str) -> str:
        """`/paysupport`."""
        return _told(
            self._(
                "A clip that fails is given back by itself. If something is wrong with a payment, "
                "say so and add its number from the receipt: what was not used is paid back."
            ),
            self._contact(contact),
        )

    def _contact(self, contact: str) -> str:
        if not contact:
            return self._("Questions: ask whoever runs this bot.")
        return self._("Questions: {contact}", contact=contact)

    # ---- what a chat chose

    def house(self, house: House) -> str:
        """`/settings`: each setting as it is, and what it does."""
        lines = [
            f"{name} {value} · {self._(_HOUSE[name], languages=', '.join(LANGUAGES))}"
            for name, value in house.in_words().items()
        ]
        how = self._(
            "To change one, say its name and a value: {example}", example="/settings quiet on"
        )
        return "\n".join((*lines, "", how))

    def house_topic(self) -> str:
        """`/settings` in a topic: what can be said there and nowhere else."""
        return self._(
            "{here} sends all answers to this topic, {back} to where they were asked for.",
            here="/settings topic here",
            back="/settings topic -",
        )

    def house_kept(self) -> str:
        """A setting of a chat was changed."""
        return self._("Kept.")

    def moderators_only(self) -> str:
        """Somebody else wants to change how the bot behaves in a chat."""
        return self._("Only those who moderate this chat can change that.")

    # ---- on the way

    def went_wrong(self) -> str:
        """Something broke before anything was accepted."""
        return self._uncharged(self._("Something broke on my side. Please send it again."))

    def no_clips_here(self) -> str:
        """A chat that takes words, and neither a clip nor a file."""
        return self._uncharged(self._no_clips_here())

    def may_not_write(self) -> str:
        """To whoever pressed a button in a chat that takes no message of ours."""
        return self._("I may not write in this chat. Please ask an admin.")

    def video_hint(self) -> str:
        """Somebody sent a video or an animation."""
        return self._uncharged(self._("I bring photos to life, not videos. Send a single picture."))

    def ways_in(self) -> str:
        """Discord: how to ask, for its `/help`."""
        return self._(
            "On a server, use /animate, or the menu of a message with a photo (Apps, then "
            "Animate), or name me in a message with a photo. In a DM just send me one."
        )

    def no_photo_there(self) -> str:
        """Discord: the menu of a message that carries no picture."""
        return self._uncharged(self._("There is no photo in that message."))

    def form_title(self) -> str:
        """The title of a form, 45 characters at most, like all that stands in one."""
        return self._("Bring a photo to life")

    def form_words(self) -> str:
        """The field for the words."""
        return self._("What should happen?")

    def form_which(self) -> str:
        """The field that chooses among several photos."""
        return self._("Which photos? One clip each.")

    def form_photo(self) -> str:
        """The field for a file, which may stay empty."""
        return self._("Another photo, if you like")

    def form_roles(self) -> str:
        """The field that chooses roles."""
        return self._("Roles")

    def form_clips(self) -> str:
        """The field for a number of clips."""
        return self._("Clips a day; empty for no number")

    def hidden_photo(self) -> str:
        """Discord: a reply to a message that the bot may not read."""
        return self._uncharged(
            self._(
                "Discord does not show me that photo. Open the menu of its message instead: "
                "Apps, then Animate."
            )
        )

    def form_expired(self) -> str:
        """Discord: a form that was open for so long that its photo is not known any more."""
        return self._uncharged(
            self._(
                "That form was open for too long. Open the menu of the photo's message again: "
                "Apps, then Animate."
            )
        )

    def what_should_happen(self) -> str:
        """A photo without words; buttons that fit it stand below."""
        return self._("What should happen? Pick one, or reply with your own words.")

    def consent(self) -> str:
        """Before a kiss between people, once a photo."""
        return self._uncharged(self._("All adults, and fine with it?"))

    def dropped(self) -> str:
        """The sender said no."""
        return self._uncharged(self._("Then not."))

    def not_yours(self) -> str:
        """Somebody pressed a button of another, or one that is over."""
        return self._("That is not yours to press, or it is over by now.")

    def expired(self) -> str:
        """A button that says nothing any more."""
        return self._("That is over by now. Please send the photo again.")

    def costs_one(self, left: int) -> str:
        """To whoever pressed a button that renders."""
        return self._n(
            "This takes one clip; {count} left after it.",
            "This takes one clip; {count} left after it.",
            left,
        )

    def costs_nothing(self) -> str:
        """To whoever pressed a button that does not."""
        return self._("This takes none of your clips.")

    def ask_words(self) -> str:
        """The same photo, other words."""
        return self._("Reply to this message with your new words.")

    def deleted(self) -> str:
        """To whoever had a clip deleted."""
        return self._("Deleted, here and on our side.")

    def reported(self) -> str:
        """To whoever reported a clip."""
        return self._("Thank you. Whoever runs this bot will look at it.")

    # ---- money

    def shop(self, free_per_day: int) -> str:
        """`/buy`: a button for each pack stands below."""
        more = self._("Packs are for more, and do not run out.")
        return _told(self._free(free_per_day), more)

    def pack(self, clips: int) -> str:
        """The name of what is sold; 32 letters at most."""
        return self._n("{count} clip", "{count} clips", clips)

    def pack_button(self, clips: int, stars: int) -> str:
        """The button that offers a pack."""
        return f"{self.pack(clips)} · {stars} ⭐"

    def about_pack(self, clips: int) -> str:
        """What is sold; 255 letters at most."""
        return self._(
            "{clips} beside the free ones of each day. A clip that fails is not counted.",
            clips=self.pack(clips),
        )

    def not_sold(self) -> str:
        """A payment that cannot be agreed to: the pack or its price has changed."""
        return self._uncharged(self._("That pack is not for sale any more."))

    def thanks_for(self, clips: int) -> str:
        """A payment arrived."""
        return self._(
            "Thank you! {clips} more for you. Questions: /paysupport", clips=self.pack(clips)
        )

    def paid_back(self, clips: int) -> str:
        """A payment was given back; *clips* of what it bought were not used, and are gone."""
        back = self._("Your payment was given back.")
        if not clips:
            return back
        gone = self._("{clips} that you had not used went with it.", clips=self.pack(clips))
        return _told(back, gone)

    # ---- labels

    def command(self, name: str) -> str:
        """What a command does, for the list that the apps show; 256 letters at most."""
        return self._(_COMMANDS[name])

    def part(self, name: str) -> str:
        """What a field of a command or of a form is for."""
        return self._(_PARTS[name])

    def switch(self, name: str) -> str:
        """A setting of a chat that is on or off."""
        return self._(_HOUSE[name])

    def verb(self, verb: Verb) -> str:
        """The label of a button."""
        return self._(_VERBS[verb])

    def action(self, action: Action) -> str:
        """An action as a noun."""
        return self._(_ACTIONS[action])

    def choice(self, action: Action) -> str:
        """An action as the label of a button."""
        said = self.action(action)
        return said[0].upper() + said[1:]


def _told(*sentences: str) -> str:
    # A Chinese full stop has the space after it in itself.
    return " ".join(sentences).replace("。 ", "。")


def _shortened(words: str, most: int = 80) -> str:
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def _whole(count: object) -> int:
    return count if isinstance(count, int) else 0
