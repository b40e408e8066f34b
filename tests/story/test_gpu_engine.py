"""The story on Telegram once more, with the GPU engine's own code: a tiny Wan makes the clip."""

from pathlib import Path

import pytest

from tests.conftest import engine_at_work, frames_of, wait_until
from tests.fakes.telegram_api import FakeTelegram
from tests.telegram.stage import at_work, set_up
from vivant.engine.choice import open_engines
from vivant.services import Services, open_services
from vivant.settings import Settings

pytestmark = [pytest.mark.torch, pytest.mark.timeout(180)]


async def test_a_photo_on_telegram_comes_back_as_a_clip_that_a_diffusion_model_made(
    settings: Settings, photo: bytes, tmp_path: Path
) -> None:
    """A plain diffusers directory as VIVANT_ENGINE: real classes, random weights, real steps."""
    from tests.diffusion import tiny  # noqa: PLC0415  # imports torch

    folder = tiny.saved(
        tiny.wan_5b(),
        tmp_path / "tiny-wan",
        "clip = { num_frames = 17, max_num_frames = 33, area = 6144 }\n"
        "call = { num_inference_steps = 4, guidance_scale = 1.0 }\n"
        "prompting = { style = 'wan' }\n",
    )
    async with FakeTelegram() as telegram:
        account = telegram.add_bot("vivant_bot")
        ada = telegram.add_person("Ada")
        chat = ada.chat_with(account)
        told = set_up(settings, telegram, account).model_copy(update={"engine": str(folder)})
        (engine,) = open_engines(
            told.engine, models_dir=told.models_dir, gpus="cpu", accepted=frozenset()
        )
        async with (
            open_services(told) as services,
            engine_at_work(services, engine),
            at_work(services),
        ):
            await wait_until(lambda: _is_known(services))
            ada.sends_photo(account, photo, caption="group hug")
            await telegram.until(
                lambda: any(m.media for m in telegram.visible(chat, by=account)), timeout_s=120
            )
        engine.close()
        (answer,) = telegram.visible(chat, by=account)

    assert answer.media is not None
    frames = frames_of(answer.media.data, tmp_path)
    assert len(frames) == 17
    height, width = frames[0].shape[:2]
    assert (height % 32, width % 32) == (0, 0)
    assert "group hug" in answer.text
    assert "AI-generated" in answer.text


async def _is_known(services: Services) -> bool:
    return bool(await services.ledger.fleet.profiles())
