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
from vivant.engine.puppet.parts import Gesture, Part, limited
from vivant.engine.puppet.scores import Stroke, Times, Toward

CAMERA = {Action.ZOOM, Action.PAN, Action.PARALLAX}

#: Seconds a score needs; shorter beats play it faster, up to this pace.
_SCORE_S, _FASTEST = 2.8, 1.8

#: Seconds between a wink and any blink before or after it.
_WINKS_APART = 0.3

#: Faces further aside than this look at each other already.
_FACES_PARTNER = 0.45


@dataclass(frozen=True, slots=True)
class Marks:
    """Where an actor goes to meet a partner."""

    #: 1 to the right.
    side: float
    #: How far it leans, in its face sizes.
    reach: float
    #: How far its head tilts, in radians.
    tilt: float
    #: Between the heads when both have leaned, in pixels; above 0 they do not touch.
    gap_left: float
    #: Their faces are turned to each other in the photo.
    facing: bool


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


class _Life:
    """What every living thing does: breathe, blink, and never quite hold still."""

    def __init__(self, rng: np.random.Generator, duration_s: float, *, loop: bool) -> None:
        self._duration_s = duration_s
        self._loop = loop
        breaths = duration_s / rng.uniform(2.8, 3.5)
        self._breath_hz = (max(1, round(breaths)) if loop else breaths) / duration_s
        self._waves = [
            (part, amount, rng.uniform(0.8, 1.2) * hz, rng.uniform(0, 1))
            for part, amount, hz in (
                (Part.ROLL, 0.010, 0.27),
                (Part.ROLL, 0.006, 0.61),
                (Part.YAW, 0.035, 0.31),
                (Part.PITCH, 0.025, 0.23),
                (Part.SHIFT, 0.010, 0.21),
            )
        ]
        #: When each blink begins, in seconds.
        self.blinks: list[float] = []
        time_s = rng.uniform(0.8, 1.5)
        while time_s < duration_s - 0.45:
            self.blinks.append(time_s)
            time_s += rng.uniform(1.7, 3.6)

    def at(self, time_s: float) -> dict[Part, float]:
        ease = smooth(time_s, 0, 0.8)
        if self._loop:
            ease *= smooth(self._duration_s - time_s, 0, 0.8)
        breath = 0.5 - 0.5 * math.cos(math.tau * self._breath_hz * time_s)
        moves = {
            Part.BREATH: 0.020 * breath,
            Part.CLOSE: max((_blink(time_s - at) for at in self.blinks), default=0.0),
        }
        for part, amount, hz, phase in self._waves:
            wave = amount * ease * math.sin(math.tau * (hz * time_s + phase))
            moves[part] = moves.get(part, 0.0) + wave
        return moves


def _blink(since_s: float) -> float:
    """One blink: 0.1 s down, a moment, and 0.16 s up."""
    return smooth(since_s, 0, 0.10) * (1 - smooth(since_s, 0.13, 0.29))


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
        self._marks = _marks(actors, self._order, width)
        self.notes: list[Note] = []
        rng = np.random.default_rng(settings.seed)
        self._lives = [_Life(rng, self.duration_s, loop=settings.loop) for _ in actors]
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
        around = np.arange(time_s - _WINKS_APART, time_s + 0.29 + _WINKS_APART, 1 / 24).tolist()
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


def _half_head(actor: Actor, side: float) -> float:
    """From the middle of the head to where its hair ends at that side, in pixels."""
    x, y = round(float(actor.head[0])), round(float(actor.head[1]))
    row = actor.mask[min(max(y, 0), actor.mask.shape[0] - 1)]
    outwards = row[x:] if side > 0 else row[x::-1]
    ends = np.flatnonzero(outwards < 0.5)
    return float(
        np.clip(ends[0] if len(ends) else len(outwards), 0.4 * actor.size, 0.8 * actor.size)
    )


def _marks(actors: Sequence[Actor], order: list[int], width: int) -> dict[int, Marks]:
    """Neighbours go towards each other, the outer ones of a group to its middle."""
    if len(order) < 2:
        return {}
    heads = [float(actors[i].head[0]) for i in order]
    middle = (heads[0] + heads[-1]) / 2
    marks = {}
    for place, index in enumerate(order):
        actor = actors[index]
        beside = [order[p] for p in (place - 1, place + 1) if 0 <= p < len(order)]
        partner = actors[min(beside, key=lambda i: abs(actors[i].head[0] - actor.head[0]))]
        apart = float(partner.head[0] - actor.head[0])
        side = 1.0 if apart > 0 else -1.0
        # A tilted, turned head comes a fifth of a face nearer by itself.
        gap = abs(apart) - _half_head(actor, side) - _half_head(partner, -side)
        gap -= 0.2 * (actor.size + partner.size)
        farthest = min(1.05 * actor.size, 0.13 * width)
        if 0 < place < len(order) - 1:
            away = middle - float(actor.head[0])
            side = math.copysign(1.0, away) if abs(away) > 0.3 * actor.size else 0.0
            lean, tilt = 0.15 * actor.size, 0.04
        else:
            lean, tilt = min(max(gap / 2, 0.10 * actor.size), farthest), 0.14
        # A border that cuts the body there holds it back.
        if actor.cut_right and side < 0:
            lean = min(lean, 0.34 * (width - float(actor.shoulders[0])))
        if actor.cut_left and side > 0:
            lean = min(lean, 0.34 * float(actor.shoulders[0]))
        facing = (
            actor.face is not None
            and partner.face is not None
            and actor.face.turned * side > _FACES_PARTNER
            and partner.face.turned * -side > _FACES_PARTNER
        )
        gap_left = gap / 2 - lean if side else 0.0
        marks[index] = Marks(side, lean / actor.size, tilt, gap_left, facing)
    return marks
