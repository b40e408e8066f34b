"""The director's plan, in the words that a model wants."""

import pytest

from vivant.director.plan import Action, Beat, Direction, Plan, Who
from vivant.director.sight import Person, Sight
from vivant.engine.diffusion.preset import Prompting
from vivant.engine.diffusion.prompts import written

WAN = Prompting(style="wan")
LTX = Prompting(style="ltx")


def people(count: int) -> Sight:
    """So many people were seen."""
    return Sight(people=(Person(face=None),) * count)


def plan(words: str, *actions: Action) -> Plan:
    """Everyone does these, one after another."""
    return Plan(words=words, beats=tuple(Beat(action=action) for action in actions))


def test_a_group_hug_of_four_says_who_moves_and_what_stays() -> None:
    """A full, plain description: the motion, the camera, and every person in it."""
    prompt = written(plan("group hug", Action.HUG), people(4), WAN)

    assert prompt == (
        "Group hug. All four people lean in towards each other, put their arms around one "
        "another and squeeze together into one warm, close hug, heads touching, smiling with "
        "affection. The movement is natural, smooth and unhurried. Static shot: the framing "
        "stays as it is. The same four people are there from the first frame to the last, nobody "
        "enters and nobody leaves. They keep their facial features, hair, skin and clothes; hands "
        "look natural, and the place stays the same. Realistic, one continuous shot."
    )


@pytest.mark.parametrize("action", list(Action))
@pytest.mark.parametrize("seen", [None, people(0), people(1), people(2), people(7), people(30)])
@pytest.mark.parametrize("prompting", [WAN, LTX])
def test_every_action_has_words_for_every_photo(
    action: Action, seen: Sight | None, prompting: Prompting
) -> None:
    """Whole sentences, with nothing left to fill in; the encoders read 512 tokens."""
    prompt = written(plan("", action), seen, prompting, has_sound=True)

    assert prompt[0].isupper()
    assert prompt.endswith(".")
    assert "{" not in prompt
    assert "  " not in prompt
    assert len(prompt.split()) < 200


@pytest.mark.parametrize(
    ("words", "actions", "count", "says"),
    [
        ("a gentle kiss", [Action.KISS], 2, "The two people turn to each other"),
        ("flex bicep to show muscle", [Action.FLEX], 1, "The person raises one arm"),
        ("a confident smile", [Action.SMILE], 1, "The person begins to smile"),
        ("everyone bursts into laughter", [Action.LAUGH], 5, "All five people burst into"),
        ("waves at us", [Action.WAVE], 1, "waves at the camera"),
        ("kiss", [Action.KISS], 1, "The person purses the lips, brings a hand to the mouth"),
        ("kiss", [Action.KISS], 5, "All five people turn to whoever is next to them"),
        ("gentle sway", [Action.SWAY], 2, "The two people sway from side"),
    ],
)
def test_the_actions_of_the_story_are_acted_out(
    words: str, actions: list[Action], count: int, says: str
) -> None:
    """What the newcomer types first."""
    assert says in written(plan(words, *actions), people(count), WAN)


def test_open_words_pass_through_and_are_framed() -> None:
    """Nothing of them is lost, nothing is put in their place; the people still stay."""
    prompt = written(plan("the wind moves her hair", Action.IDLE), people(1), WAN)

    assert prompt.startswith("The wind moves her hair. ")
    assert "comes to life" not in prompt
    assert "The same single person is there" in prompt


def test_no_words_make_a_calm_living_photo() -> None:
    """The default when only a photo was sent."""
    assert "The two people come to life" in written(plan("", Action.IDLE), people(2), WAN)


def test_one_of_many_is_told_by_the_place() -> None:
    """The others are not made to act."""
    beat = Beat(action=Action.WINK, who=Who.LEFT)
    prompt = written(Plan(words="left one winks", beats=(beat,)), people(3), WAN)

    assert "The person on the left looks into the camera, closes one eye" in prompt
    assert "The same three people are there" in prompt


@pytest.mark.parametrize(("count", "whom"), [(2, "the other person"), (3, "the others")])
def test_what_one_does_to_another_says_to_whom(count: int, whom: str) -> None:
    """Arms go around the one who is there."""
    beat = Beat(action=Action.HUG, who=Who.RIGHT)

    assert f"wraps them around {whom}" in written(Plan(words="", beats=(beat,)), people(count), WAN)


def test_beats_come_one_after_another() -> None:
    """First the smile, then the wave."""
    prompt = written(plan("smile, then wave", Action.SMILE, Action.WAVE), people(1), WAN)

    assert prompt.index("begins to smile") < prompt.index("Then the person raises a hand")


@pytest.mark.parametrize(
    ("beat", "says"),
    [
        (Beat(action=Action.ZOOM, direction=Direction.IN), "The camera pushes in slowly"),
        (Beat(action=Action.ZOOM, direction=Direction.OUT), "The camera pulls back slowly"),
        (Beat(action=Action.PAN, direction=Direction.LEFT), "pans slowly and smoothly to the left"),
        (Beat(action=Action.PARALLAX), "The camera glides slowly and smoothly sideways"),
    ],
)
def test_the_camera_moves_only_when_it_is_asked_to(beat: Beat, says: str) -> None:
    """A camera that wanders by itself takes the people with it."""
    moving = written(Plan(words="slow zoom", beats=(beat,)), people(1), WAN)

    assert says in moving
    assert "Static shot" not in moving
    # Who leaves the picture when the camera turns away has not left the scene.
    assert "from the first frame to the last" not in moving
    assert "Static shot" in written(plan("wave", Action.WAVE), people(1), WAN)


def test_who_is_only_looked_at_is_alive() -> None:
    """A zoom into a photo that stands still is no clip; haste is the camera's."""
    zoom = Plan(words="fast zoom", beats=(Beat(action=Action.ZOOM, strength=1.5),))
    prompt = written(zoom, people(2), WAN)

    assert "The two people come to life: calm breathing" in prompt
    assert "pushes in quickly" in prompt
    assert "energy" not in prompt


def test_an_empty_place_moves_without_people() -> None:
    """And none are invented."""
    prompt = written(plan("", Action.IDLE), people(0), WAN)

    assert "leaves, grass and cloth stir" in prompt
    assert "Nobody enters the picture." in prompt
    assert "people" not in prompt


@pytest.mark.parametrize(
    ("said", "chosen", "tempo"),
    [(0.6, 1.0, "slow, gentle"), (1.0, 0.7, "slow, gentle"), (1.0, 1.5, "big, lively")],
)
def test_calmer_and_stronger_are_heard(said: float, chosen: float, tempo: str) -> None:
    """From the words, or from the buttons under the clip."""
    beat = Beat(action=Action.LAUGH, strength=said)
    prompt = written(Plan(words="laugh", beats=(beat,)), people(2), WAN, strength=chosen)

    assert tempo in prompt


def test_a_family_with_sound_is_told_what_is_to_be_heard() -> None:
    """And that nobody speaks: no words are put into anybody's mouth."""
    laughing = plan("laugh", Action.LAUGH)

    assert "The sound: warm, natural laughter. Nobody speaks." in written(
        laughing, people(2), LTX, has_sound=True
    )
    assert "sound" not in written(laughing, people(2), WAN)


def test_a_plain_directory_gets_the_words_as_they_are() -> None:
    """Nothing is known of its model."""
    assert written(plan("group hug", Action.HUG), people(4), Prompting()) == "group hug"
