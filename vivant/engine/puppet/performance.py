"""A performance: the plan's beats, played by these actors, with this seed.

It knows every actor's gesture at any time, and what it could not do. It draws nothing.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vivant.clips import ClipSettings, Note
from vivant.director.plan import Action, Beat, Direction, Plan, Who
from vivant.engine.puppet import scores
from vivant.engine.puppet.actors import Actor
from vivant.engine.puppet.curves import smooth
from vivant.engine.puppet.face import can_act
from vivant.engine.puppet.life import BLINK_S, Life
from vivant.engine.puppet.marks import Marks, marks_of
from vivant.engine.puppet.parts import Gesture, Part, limited
from vivant.engine.puppet.scores import Stroke, Times, Toward

CAMERA = {Action.ZOOM, Action.PAN, Action.PARALLAX}

#: Seconds a score needs; shorter beats play it faster, up to this pace.
_SCORE_S, _FASTEST = 2.8, 1.8

#: Seconds between a wink and any blink before or after it.
_WINKS_APART = 0.3


@dataclass(frozen=True, slots=True)
class _Played:
    """One stroke as one actor plays it."""

    stroke: Stroke
    amount: float
    start_s: float
    end_s: float
    #: The clip's end, for what lasts.
    clip_end_s: float
    delay_s: float
    tempo: float
    #: Goes back before the end of the beat; what lasts, before the end of the clip.
    must_end: bool
    clip_must_end: bool

    def at(self, time_s: float) -> float:
        """Its share of the part at *time_s*."""
        stroke = self.stroke
        length = self.end_s - self.start_s
        pace = min(_FASTEST, max(1.0, _SCORE_S / length))
        length *= pace
        since = (time_s - self.start_s) * pace - self.delay_s
        if stroke.again is not None and length > 1.5 * stroke.again and 0 < since < length:
            length = stroke.again
            since %= length
        start = stroke.start if stroke.start >= 0 else max(0.0, length + stroke.start)
        envelope = smooth(since, start, start + stroke.rise)
        if envelope <= 0:
            return 0.0
        envelope *= 1 - self._gone(since, length, pace)
        turns = stroke.hz * self.tempo * (since - start) / pace + stroke.phase
        return self.amount * envelope * (stroke.hold + stroke.swing * math.sin(math.tau * turns))

    def _gone(self, since: float, length: float, pace: float) -> float:
        stroke = self.stroke
        if stroke.release is not None:
            return smooth(since, length - stroke.release, length - stroke.release + stroke.fall)
        if stroke.lasts:
            end = (self.clip_end_s - self.start_s) * pace - self.delay_s
            return smooth(since, end - 0.8, end) if self.clip_must_end else 0.0
        end = length - self.delay_s
        if self.must_end:
            return smooth(since, end - 0.8, end)
        return 0.0


class Performance:
    """All actors' gestures through one clip."""

    def __init__(
        self, plan: Plan, actors: Sequence[Actor], settings: ClipSettings, width: int
    ) -> None:
        """*actors* in any order; *width* of the stage in pixels."""
        self._actors = actors
        self._settings = settings
        # A loop's last frame leads into its first, so the first is one frame after the last.
        self.duration_s = settings.num_frames / settings.frame_rate
        self._order = sorted(range(len(actors)), key=lambda i: float(actors[i].head[0]))
        self._marks = marks_of(actors, self._order, width)
        self.notes: list[Note] = []
        rng = np.random.default_rng(settings.seed)
        self._lives = [Life(rng, self.duration_s, loop=settings.loop) for _ in actors]
        self._manner = [
            (rng.uniform(0, 0.16), rng.uniform(0.95, 1.06), rng.uniform(0.94, 1.06)) for _ in actors
        ]
        #: The eye that winks: 0 the left one in the picture.
        self.winking = [int(rng.integers(2)) for _ in actors]
        self._tilts_first = int(rng.integers(2))
        self._played: list[list[_Played]] = [[] for _ in actors]
        if actors:
            beats = [beat for beat in plan.beats if beat.action not in CAMERA]
            for index, beat in enumerate(beats):
                self._play(beat, index, len(beats))
        for actor, life in enumerate(self._lives):
            life.blinks = [at for at in life.blinks if not self._winks_about(actor, at)]

    def gesture(self, actor: int, time_s: float) -> Gesture:
        """What *actor* does at *time_s*; nothing at 0."""
        moves = self._lives[actor].at(time_s)
        for played in self._played[actor]:
            part, value = played.stroke.part, played.at(time_s)
            if part is Part.CLOSE:
                moves[part] = 1 - (1 - moves[part]) * (1 - value)
            else:
                moves[part] = moves.get(part, 0.0) + value
        return {part: limited(part, value) for part, value in moves.items()}

    def uses(self, actor: int, *parts: Part) -> bool:
        """Whether *actor* ever moves one of *parts*."""
        return any(played.stroke.part in parts for played in self._played[actor])

    def _winks_about(self, actor: int, time_s: float) -> bool:
        """Whether a blink that begins at *time_s* would spoil a wink: one eye must stay open."""
        winks = [played for played in self._played[actor] if played.stroke.part is Part.WINK]
        around = np.arange(time_s - _WINKS_APART, time_s + BLINK_S + _WINKS_APART, 1 / 24).tolist()
        return any(played.at(at) > 0 for played in winks for at in around)

    def _note(self, note: Note) -> None:
        if note not in self.notes:
            self.notes.append(note)

    def _play(self, beat: Beat, index: int, beats: int) -> None:
        length = self.duration_s / beats
        chosen = self._chosen(beat.who)
        for place, actor in enumerate(chosen):
            delay, tempo, size = self._manner[actor]
            strength = min(1.7, max(0.35, self._settings.strength * beat.strength))
            marks = self._marks.get(actor)
            for stroke in self._score(beat, actor, chosen):
                amount = (strength * size) if stroke.scales else 1.0
                if stroke.times is Times.REACH:
                    # Who leans further than to the partner goes through them.
                    amount = min(1.0, amount)
                amount *= self._way(stroke, beat, marks, place)
                together = stroke.part in {Part.SWAY, Part.HIP}
                self._played[actor].append(
                    _Played(
                        stroke,
                        amount,
                        start_s=index * length,
                        end_s=(index + 1) * length,
                        clip_end_s=self.duration_s,
                        delay_s=0.0 if together else delay,
                        tempo=1.0 if together or beat.action is Action.SWAY else tempo,
                        must_end=self._settings.loop or index + 1 < beats,
                        clip_must_end=self._settings.loop,
                    )
                )

    def _chosen(self, who: Who) -> list[int]:
        """Who plays, from left to right."""
        order = self._order
        match who:
            case Who.EVERYONE:
                return order
            case Who.LEFT:
                return order[:1]
            case Who.RIGHT:
                return order[-1:]
            case Who.MIDDLE:
                return order[len(order) // 2 : len(order) // 2 + 1]

    def _way(self, stroke: Stroke, beat: Beat, marks: Marks | None, place: int) -> float:
        way = 1.0
        match stroke.toward:
            case Toward.FIXED:
                pass
            case Toward.PARTNER:
                way = marks.side if marks is not None else 0.0
            case Toward.ALTERNATE:
                way = 1.0 if (place + self._tilts_first) % 2 else -1.0
            case Toward.ORDERED:
                way = -1.0 if beat.direction in {Direction.LEFT, Direction.UP} else 1.0
        match stroke.times:
            case Times.ONE:
                return way
            case Times.REACH:
                return way * (marks.reach if marks is not None else 0.0)
            case Times.TILT:
                return way * (marks.tilt if marks is not None else 0.0)

    def _score(self, beat: Beat, actor: int, chosen: list[int]) -> tuple[Stroke, ...]:
        """What *actor* plays in *beat*, and the notes that belong to it."""
        who = self._actors[actor]
        match beat.action:
            case Action.SMILE:
                return self._if_face(actor, scores.SMILE)
            case Action.LAUGH:
                return self._if_face(actor, scores.LAUGH)
            case Action.HUG | Action.KISS if len(self._actors) > 1:
                return self._together(beat.action, actor)
            case Action.HUG:
                self._note(Note.ARMS_CANNOT_WRAP)
                return scores.HUG_ALONE
            case Action.KISS:
                if who.face is not None and who.face.mouth_open:
                    self._note(Note.OPEN_MOUTH)
                return self._if_face(actor, scores.KISS_ALONE)
            case Action.FLEX:
                if not any(_can_flex(self._actors[i]) for i in chosen):
                    self._note(Note.NO_FREE_ARM)
                return scores.FLEX
            case Action.WAVE:
                if any(_can_wave(self._actors[i]) for i in chosen):
                    return scores.WAVE
                self._note(Note.NO_FREE_HAND)
                return scores.WAVE_WITHOUT_HAND
            case Action.SWAY:
                if beat.is_dance:
                    self._note(Note.NO_STEPS)
                return scores.SWAY
            case Action.NOD:
                return scores.NOD
            case Action.WINK:
                return self._if_face(actor, scores.WINK)
            case Action.BLINK:
                return self._if_face(actor, scores.BLINK)
            case Action.LOOK:
                upright = beat.direction in {Direction.UP, Direction.DOWN}
                return scores.LOOK_UP_OR_DOWN if upright else scores.LOOK
            case Action.BREATHE:
                return scores.BREATHE
            case Action.IDLE:
                self._note(Note.CALM_INSTEAD)
                return ()
            case Action.ZOOM | Action.PAN | Action.PARALLAX:
                return ()

    def _if_face(self, actor: int, score: tuple[Stroke, ...]) -> tuple[Stroke, ...]:
        """*score*, for which at least one face must be able to act."""
        if not any(can_act(other.face) for other in self._actors):
            self._note(Note.CALM_INSTEAD)
        return score if can_act(self._actors[actor].face) else ()

    def _together(self, action: Action, actor: int) -> tuple[Stroke, ...]:
        marks = self._marks[actor]
        if action is Action.HUG:
            self._note(Note.ARMS_CANNOT_WRAP)
        elif not marks.facing:
            self._note(Note.FACES_CANNOT_TURN)
        if marks.gap_left > 0.15 * self._actors[actor].size:
            self._note(Note.TOO_FAR_TO_TOUCH)
        return scores.HUG if action is Action.HUG else scores.KISS


def _can_flex(actor: Actor) -> bool:
    return any(arm.forearm is not None and arm.forearm.can_flex for arm in actor.arms)


def _can_wave(actor: Actor) -> bool:
    return any(arm.forearm is not None and arm.forearm.can_wave for arm in actor.arms)
