"""The director's plan as the prompt that a model wants: who does what, the camera, what stays.

Image-to-video models move what the words name and drift where they say nothing: so every
prompt also says how many people there are, and that features, clothes and place stay. The style
follows the makers' guides: plain sentences in the present tense, the action first; a family
that makes sound is told what is to be heard. Knows no model and no torch.
"""

from dataclasses import dataclass
from typing import assert_never

from vivant.director.plan import Action, Beat, Direction, Plan, Who
from vivant.director.sight import Sight
from vivant.engine.diffusion.preset import Prompting

#: At these strengths and beyond, the words say so.
_CALM, _STRONG = 0.8, 1.25
_A_PAIR = 2
_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Move:
    """One action in words; `{they}` is who acts, `{others}` whom it is done to."""

    #: Of one person, or of "everyone".
    one: str
    #: Of a counted group; empty: as one, said of many.
    many: str
    #: Of one who is alone, where the action needs another; empty: as one.
    alone: str = ""
    #: Of more than two, where the action is for two; empty: as many.
    crowd: str = ""
    #: What is heard, for a family that makes sound.
    sound: str = ""


_MOVES: dict[Action, _Move] = {
    Action.HUG: _Move(
        one="{They} leans in, opens both arms and wraps them around {others} in a warm, close "
        "hug, cheek to cheek, eyes softening with affection.",
        many="{They} lean in towards each other, put their arms around one another and squeeze "
        "together into one warm, close hug, heads touching, smiling with affection.",
        sound="the soft rustle of clothes and a contented sigh",
    ),
    Action.KISS: _Move(
        one="{They} leans in towards {others}, closes the eyes and gives a tender kiss, then "
        "draws back a little with a warm smile.",
        many="{They} turn to each other, close their eyes and lean in until their lips meet "
        "in one tender kiss, then draw back a little, smiling.",
        alone="{They} purses the lips, brings a hand to the mouth and blows a kiss to the camera, "
        "then smiles warmly.",
        crowd="{They} turn to whoever is next to them, lean in and give each other a tender kiss "
        "on the cheek, then draw back a little, smiling.",
        sound="a quiet, tender moment with soft breathing",
    ),
    Action.SMILE: _Move(
        one="{They} begins to smile, a genuine smile that spreads over the whole face: the "
        "corners of the mouth rise, the cheeks lift and the eyes brighten.",
        many="{They} begin to smile, genuine smiles that spread over their whole faces: the "
        "corners of the mouths rise, the cheeks lift and the eyes brighten.",
        sound="a calm, friendly room tone",
    ),
    Action.LAUGH: _Move(
        one="{They} bursts into hearty laughter: the mouth opens wide, the eyes crease, the head "
        "tips back a little and the shoulders shake.",
        many="{They} burst into hearty laughter together: mouths open wide, eyes crease, heads "
        "tip back a little and shoulders shake; they glance at each other.",
        sound="warm, natural laughter",
    ),
    Action.FLEX: _Move(
        one="{They} raises one arm, bends it at the elbow, clenches the fist and flexes the "
        "biceps, so that the muscle bulges, with a proud, confident look.",
        many="{They} each raise one arm, bend it at the elbow, clench the fist and flex the "
        "biceps, so that the muscles bulge, with proud, confident looks.",
        sound="a short, proud breath out",
    ),
    Action.WAVE: _Move(
        one="{They} raises a hand with an open palm and waves at the camera from side to side "
        "with a friendly smile.",
        many="{They} raise their hands with open palms and wave at the camera from side to side "
        "with friendly smiles.",
        sound="a cheerful, quiet background",
    ),
    Action.SWAY: _Move(
        one="{They} sways from side to side in an even rhythm, the shoulders and hips following, "
        "hair and clothes moving along.",
        many="{They} sway from side to side together in an even rhythm, shoulders and hips "
        "following, hair and clothes moving along.",
        sound="a soft, slow melody in the distance",
    ),
    Action.NOD: _Move(
        one="{They} nods in agreement, the head going down and up twice, eyes on the camera.",
        many="{They} nod in agreement, heads going down and up twice, eyes on the camera.",
    ),
    Action.WINK: _Move(
        one="{They} looks into the camera, closes one eye in a playful wink and opens it again, "
        "with the hint of a smile.",
        many="{They} look into the camera and each close one eye in a playful wink and open it "
        "again, with the hint of a smile.",
    ),
    Action.BLINK: _Move(
        one="{They} blinks naturally, the eyelids closing and opening, the face at rest.",
        many="{They} blink naturally, eyelids closing and opening, faces at rest.",
    ),
    Action.LOOK: _Move(
        one="{They} turns the head and the eyes {direction} in one smooth movement.",
        many="{They} turn their heads and eyes {direction} in one smooth movement.",
    ),
    Action.BREATHE: _Move(
        one="{They} breathes calmly and deeply, the chest and shoulders rising and falling.",
        many="{They} breathe calmly and deeply, chests and shoulders rising and falling.",
        sound="slow, calm breathing",
    ),
    Action.IDLE: _Move(
        one="{They} comes to life: calm breathing, a natural blink, a slight movement of the "
        "head, hair and clothes stirring in a light breeze.",
        many="{They} come to life: calm breathing, natural blinks, slight movements of the "
        "heads, hair and clothes stirring in a light breeze.",
        sound="a quiet, natural background",
    ),
}

#: An empty place comes to life too.
_SCENERY = (
    "The scene comes to life: leaves, grass and cloth stir in a light wind, water ripples, "
    "clouds and light drift slowly."
)

_CAMERA_STILL = "Static shot: the framing stays as it is."
_CAMERA: dict[Action, dict[Direction | None, str]] = {
    Action.ZOOM: {
        None: "The camera pushes in {pace}.",
        Direction.OUT: "The camera pulls back {pace}.",
    },
    Action.PAN: {
        None: "The camera pans {pace} to the right.",
        Direction.LEFT: "The camera pans {pace} to the left.",
        Direction.UP: "The camera tilts {pace} up.",
        Direction.DOWN: "The camera tilts {pace} down.",
    },
    Action.PARALLAX: {
        None: "The camera glides {pace} sideways, the foreground moving past the background.",
    },
}

_LOOKS: dict[Direction | None, str] = {
    None: "to the camera",
    Direction.IN: "to the camera",
    Direction.OUT: "away from the camera",
    Direction.LEFT: "to the left",
    Direction.RIGHT: "to the right",
    Direction.UP: "up",
    Direction.DOWN: "down",
}


def written(
    plan: Plan,
    sight: Sight | None,
    prompting: Prompting,
    *,
    strength: float = 1.0,
    has_sound: bool = False,
) -> str:
    """The prompt; *sight* None means that nobody looked at the photo."""
    words = plan.words.strip()
    if not prompting.style:
        return words or _SCENERY
    camera = [beat for beat in plan.beats if beat.action in _CAMERA]
    acted = [beat for beat in plan.beats if beat.action not in _CAMERA]
    if camera and not acted:
        # Who is only looked at is alive all the same.
        acted = [Beat(action=Action.IDLE)]
    elif words and all(beat.action is Action.IDLE for beat in acted):
        # Open words: nobody knows them better than the model; the rest frames them.
        acted = []
    count = None if sight is None else len(sight.people)
    sentences = [
        _as_sentence(words),
        _acted(acted, count),
        "" if camera else _tempo(plan.beats, strength),
        *([_camera(beat, strength) for beat in camera] or [_CAMERA_STILL]),
        _stays(count, does_camera_move=bool(camera)),
        _heard(acted) if has_sound else "",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _acted(beats: list[Beat], count: int | None) -> str:
    if count == 0:
        return _SCENERY
    first, *rest = [_beat(beat, count) for beat in beats] or [""]
    return " ".join([first, *(f"Then {each[0].lower()}{each[1:]}" for each in rest)])


def _beat(beat: Beat, count: int | None) -> str:
    move = _MOVES[beat.action]
    they, are_many = _who(beat.who, count)
    said = move.many if are_many else move.one
    if count == 1:
        said = move.alone or said
    elif are_many and count is not None and count > _A_PAIR:
        said = move.crowd or said
    return said.format(
        they=they,
        They=they[0].upper() + they[1:],
        others="the other person" if count == _A_PAIR else "the others",
        direction=_LOOKS[beat.direction],
    )


def _who(who: Who, count: int | None) -> tuple[str, bool]:
    """Who acts, and whether that is a counted group."""
    match who:
        case Who.LEFT:
            return "the person on the left", False
        case Who.MIDDLE:
            return "the person in the middle", False
        case Who.RIGHT:
            return "the person on the right", False
        case Who.EVERYONE:
            if count is None:
                return "everyone in the picture", False
            if count == 1:
                return "the person", False
            return f"all {_number(count)} people" if count > _A_PAIR else "the two people", True
        case _:
            assert_never(who)


def _tempo(beats: tuple[Beat, ...], strength: float) -> str:
    strongest = max((beat.strength for beat in beats), default=1.0) * strength
    if strongest <= _CALM:
        return "The movement is slow, gentle and small."
    if strongest >= _STRONG:
        return "The movement is big, lively and full of energy."
    return "The movement is natural, smooth and unhurried."


def _camera(beat: Beat, strength: float) -> str:
    moves = _CAMERA[beat.action]
    pace = "quickly and smoothly" if beat.strength * strength >= _STRONG else "slowly and smoothly"
    return moves.get(beat.direction, moves[None]).format(pace=pace)


def _stays(count: int | None, *, does_camera_move: bool) -> str:
    """What must not change, said outright: the people before all.

    Who they are, and not how they look just now: an expression that must stay does not laugh.
    """
    if count == 0:
        return "Nobody enters the picture. Place, objects and light stay as they are."
    if count is None:
        people, they = "The same people", "They keep their"
    elif count == 1:
        people, they = "The same single person", "The person keeps the same"
    else:
        people, they = f"The same {_number(count)} people", "They keep their"
    verb = "is" if count == 1 else "are"
    seen = (
        "Nobody new appears"
        # What it leaves behind may leave the picture.
        if does_camera_move
        else f"{people} {verb} there from the first frame to the last, nobody enters and nobody "
        "leaves"
    )
    return (
        f"{seen}. {they} facial features, hair, skin and clothes; hands look natural, and the "
        "place stays the same. Realistic, one continuous shot."
    )


def _heard(beats: list[Beat]) -> str:
    sounds = [sound for beat in beats if (sound := _MOVES[beat.action].sound)]
    return f"The sound: {', '.join(sounds) or 'the natural sound of the place'}. Nobody speaks."


def _as_sentence(words: str) -> str:
    if not words:
        return ""
    return words[0].upper() + words[1:] + ("" if words[-1] in ".!?…" else ".")


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)
