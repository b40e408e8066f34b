"""Two photos with "from … to …": the beginning and the end of one clip, where the engine can."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field, replace

import pytest

from tests.conftest import StartEngine
from tests.engines import QuickEngine
from tests.fakes.telegram_api import BotAccount, FakeTelegram, Person
from tests.telegram.stage import clip_in, colour
from vivant.clips import EngineProfile
from vivant.director.several import leads_over
from vivant.engine import Frames, OnStep, Shot

RED, BLUE = colour((200, 0, 0)), colour((0, 0, 200))


@dataclass
class LedEngine(QuickEngine):
    """Can be led from a first photo to a last one."""

    shots: list[Shot] = field(default_factory=list)

    @property
    def profile(self) -> EngineProfile:
        return replace(super().profile, takes_last_photo=True)

    def render(self, shot: Shot, on_step: OnStep) -> Frames:
        self.shots.append(shot)
        return super().render(shot, on_step)


@pytest.fixture
async def led_engine(start_engine: StartEngine) -> AsyncGenerator[LedEngine]:
    engine = LedEngine()
    async with start_engine(engine):
        yield engine


async def test_two_photos_become_the_beginning_and_the_end_of_one_clip(
    led_engine: LedEngine, telegram: FakeTelegram, bot: BotAccount, ada: Person
) -> None:
    """One job, one clip, one charge; the second photo is where it ends."""
    ada.sends_album(bot, [RED, BLUE], caption="from red to blue")

    await clip_in(telegram, ada.chat_with(bot), bot)
    (shot,) = led_engine.shots
    assert shot.photo.getpixel((5, 5))[0] > 150  # type: ignore[index]  # an RGB picture
    assert shot.last_photo is not None
    assert shot.last_photo.getpixel((5, 5))[2] > 150  # type: ignore[index]


async def test_an_engine_that_cannot_takes_the_first_and_says_so(
    quick_engine: QuickEngine, telegram: FakeTelegram, bot: BotAccount, ada: Person
) -> None:
    """As with any album."""
    ada.sends_album(bot, [RED, BLUE], caption="from red to blue")

    answer = await clip_in(telegram, ada.chat_with(bot), bot)
    assert "first" in answer.text
    assert quick_engine.renders == 1


@pytest.mark.parametrize(
    ("words", "leads"),
    [
        ("from day to night", True),
        ("von Sommer zu Winter", True),
        ("desde el día hasta la noche", True),
        ("从白天到黑夜", True),
        ("от лета до зимы", True),
        ("a hug from grandma", False),
        ("group hug", False),
        ("un abrazo de grupo", False),
    ],
)
def test_words_that_lead_over_are_told_from_others(words: str, leads: bool) -> None:
    assert leads_over(words) is leads
