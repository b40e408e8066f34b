"""Real pipelines with tiny random weights, loaded and called as the worker process does it."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.diffusion.rehearsal import ORDER, Rehearsal
from vivant.engine import RenderStopped
from vivant.engine.diffusion.preset import Placement, Prompting, folder_of, named, of_directory
from vivant.engine.diffusion.wire import Trouble

pytestmark = [pytest.mark.torch, pytest.mark.timeout(120)]


@pytest.fixture
def wan(wan_folder: Path, models: Path, photo: Image.Image) -> Rehearsal:
    """A tiny Wan 5B of four steps."""
    return Rehearsal(of_directory(wan_folder), wan_folder, models, photo)


@pytest.fixture
def on_stage(repositories: Path, photo: Image.Image) -> Callable[[str], Rehearsal]:
    """Loads a shipped preset, as it is, on tiny weights."""

    def loaded(name: str) -> Rehearsal:
        preset = named(name)
        return Rehearsal(preset, folder_of(repositories, preset.weights.repo), repositories, photo)

    return loaded


@pytest.mark.parametrize(("name", "steps"), [("fast", 3), ("balanced", 4), ("best", 8)])
def test_a_shipped_preset_runs_its_transformer_once_a_step(
    on_stage: Callable[[str], Rehearsal], name: str, steps: int
) -> None:
    """A second pass a step, by guidance that defaults to on, would double every second."""
    heard: list[tuple[int, int]] = []

    take = on_stage(name).render(on_step=lambda step, total: heard.append((step, total)))

    assert take.passes == steps
    assert heard == [(step, steps) for step in range(1, steps + 1)]
    assert take.pictures.shape == (17, 64, 96, 3)


@pytest.mark.parametrize(
    ("name", "sigmas"),
    [
        ("fast", [1.0, 0.757, 0.522, 0.0]),
        ("balanced", [1.0, 0.9375, 0.8333, 0.625, 0.0]),
        ("best", [1.0, 0.99375, 0.9875, 0.98125, 0.975, 0.909375, 0.725, 0.421875, 0.0]),
    ],
)
def test_a_shipped_preset_steps_through_the_noise_it_was_trained_on(
    on_stage: Callable[[str], Rehearsal], name: str, sigmas: list[float]
) -> None:
    """Whatever the pipeline asks of its scheduler; Wan's own four steps would be others."""
    stage = on_stage(name)

    stage.render()

    assert stage.pipe.scheduler.sigmas.tolist() == pytest.approx(sigmas, abs=1e-4)


def test_each_expert_has_its_lora_and_runs_twice(
    on_stage: Callable[[str], Rehearsal], repositories: Path, photo: Image.Image
) -> None:
    """Half of the four steps lie above the boundary; each LoRA is fused where it belongs."""
    stage = on_stage("balanced")
    passes = {"transformer": 0, "transformer_2": 0}
    for name in passes:

        def count(*_: object, name: str = name) -> None:
            passes[name] += 1

        getattr(stage.pipe, name).register_forward_pre_hook(count)
    preset = named("balanced")
    bare = Rehearsal(
        replace(preset, weights=replace(preset.weights, loras=())),
        folder_of(repositories, preset.weights.repo),
        repositories,
        photo,
    )

    stage.render()

    assert passes == {"transformer": 2, "transformer_2": 2}
    for name, strength in (("transformer", 0.1), ("transformer_2", 0.2)):
        fused = getattr(stage.pipe, name).blocks[0].attn1.to_q.weight
        plain = getattr(bare.pipe, name).blocks[0].attn1.to_q.weight
        # Two ranks of strength x strength.
        assert (fused - plain).detach().numpy() == pytest.approx(2 * strength**2, abs=1e-5)


def test_ltx_2_brings_sound(on_stage: Callable[[str], Rehearsal]) -> None:
    """Stereo, 16 bits, and something to hear."""
    sound = on_stage("best").render().sound

    assert sound
    assert (sound.channels, sound.sample_rate) == (2, 16_000)
    samples = np.frombuffer(sound.samples, np.int16).reshape(-1, 2)
    assert len(samples) > 100
    assert np.abs(samples).max() > 0


@pytest.mark.parametrize("name", ["fast", "balanced", "best"])
def test_what_a_preset_says_is_what_the_pipeline_is(
    on_stage: Callable[[str], Rehearsal], name: str
) -> None:
    """Bots snap wishes to the preset before anything is loaded."""
    preset, ready = named(name), on_stage(name).pipeline.ready

    assert ready.frame_stride == preset.clip.frame_stride
    assert ready.size_multiple == preset.clip.size_multiple
    assert ready.has_sound == preset.clip.has_sound
    assert ready.takes_last_photo == preset.clip.takes_last_photo


@pytest.mark.parametrize("name", ["fast", "balanced", "best"])
def test_a_preset_takes_what_its_pipeline_is_made_of_and_no_more(
    on_stage: Callable[[str], Rehearsal], name: str
) -> None:
    """Repositories hold gigabytes for other pipelines too."""
    made_of = {part for part, held in on_stage(name).pipe.components.items() if held is not None}

    assert set(named(name).weights.components) == made_of


def test_balanced_ends_on_the_last_photo_that_it_is_given(
    on_stage: Callable[[str], Rehearsal],
) -> None:
    """It is another clip than without."""
    stage = on_stage("balanced")

    one, two = stage.render(), stage.render(replace(ORDER, photos=2))

    assert not np.array_equal(one.pictures, two.pictures)


def test_a_stopped_render_leaves_no_trace(wan: Rehearsal) -> None:
    """The clip after it is bit for bit the clip of an undisturbed pipeline."""
    undisturbed = wan.render()

    def stop(step: int, total: int) -> None:
        if step == 2:
            raise RenderStopped

    with pytest.raises(RenderStopped):
        wan.render(on_step=stop)

    assert np.array_equal(wan.render().pictures, undisturbed.pictures)


def test_a_stop_after_the_last_step_spares_the_decoder(wan: Rehearsal) -> None:
    """On a card the decoder may be most of the time."""
    steps: list[int] = []

    def stop_when_all_steps_are_done() -> None:
        if len(steps) == 4:
            raise RenderStopped

    with pytest.raises(RenderStopped):
        wan.render(
            on_step=lambda step, total: steps.append(step), check=stop_when_all_steps_are_done
        )

    assert steps == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["fast", "balanced", "best"])
def test_the_same_seed_is_the_same_clip_and_another_is_another(
    on_stage: Callable[[str], Rehearsal], name: str
) -> None:
    """So that "again" differs, and "same" is the same; also where each step adds noise."""
    stage = on_stage(name)
    first, same = stage.render(), stage.render()
    other = stage.render(replace(ORDER, seed=8))

    assert np.array_equal(first.pictures, same.pictures)
    assert not np.array_equal(first.pictures, other.pictures)


def test_short_memory_in_the_decoder_costs_no_second_denoise(
    wan: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In tiles instead, and at once the next time; another shape is whole again."""
    decoded = _short_once(wan, monkeypatch)

    first, second = wan.render(), wan.render()
    smaller = wan.render(replace(ORDER, width=64, height=96))

    assert (first.tiled, first.passes) == (True, 4)
    assert (second.tiled, second.passes) == (True, 4)
    assert not smaller.tiled
    assert decoded == ["whole", "in tiles", "in tiles", "whole"]


def test_short_memory_in_a_step_ends_this_render_only(
    wan: Rehearsal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parent hears that it was memory; the next clip is as ever."""
    import torch  # noqa: PLC0415

    undisturbed = wan.render()
    hook = wan.pipe.transformer.blocks[0].register_forward_pre_hook(
        _raiser(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"))
    )

    with pytest.raises(Trouble) as raised:
        wan.render()
    hook.remove()

    assert raised.value.failed.kind == "memory"
    assert np.array_equal(wan.render().pictures, undisturbed.pictures)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (RuntimeError("CUDA error: an illegal memory access was encountered"), "broken"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), "memory"),
        (MemoryError(), "memory"),
        (ValueError("`height` and `width` have to be divisible"), "error"),
    ],
)
def test_an_exception_of_a_library_is_told_apart(
    wan: Rehearsal, error: Exception, kind: str
) -> None:
    """By what can be done about it: ask for less, start anew, or give up."""
    wan.pipe.transformer.blocks[0].register_forward_pre_hook(_raiser(error))

    with pytest.raises(Trouble) as raised:
        wan.render()

    assert raised.value.failed.kind == kind


def test_a_prompt_that_was_said_before_spares_the_text_encoder(wan: Rehearsal) -> None:
    """The clip is the same, bit for bit; other words are encoded."""
    encoded: list[object] = []
    wan.pipe.text_encoder.register_forward_pre_hook(lambda *_: encoded.append(None))

    first, second = wan.render(), wan.render()
    wan.render(replace(ORDER, prompt="a wave"))

    assert len(encoded) == 2
    assert np.array_equal(first.pictures, second.pictures)


@pytest.mark.parametrize("offload", ["model", "encoders"])
def test_weights_off_the_card_make_the_same_clip(
    wan: Rehearsal, wan_folder: Path, models: Path, photo: Image.Image, offload: Any
) -> None:
    """Also after a stop: the parts find back to where they belong."""
    preset = replace(of_directory(wan_folder), placements=(Placement(offload=offload),))
    offloaded = Rehearsal(preset, wan_folder, models, photo)

    def stop(step: int, total: int) -> None:
        raise RenderStopped

    with pytest.raises(RenderStopped):
        offloaded.render(on_step=stop)

    assert np.array_equal(offloaded.render().pictures, wan.render().pictures)


def test_a_family_without_a_callback_is_followed_by_its_scheduler(
    wan_folder: Path, models: Path, photo: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HunyuanVideo 1.5 has none; guidance makes two passes of a step, and they are one step."""
    import diffusers  # noqa: PLC0415

    signature = inspect.signature(diffusers.WanImageToVideoPipeline.__call__)
    offered = [each for name, each in signature.parameters.items() if "callback" not in name]
    monkeypatch.setattr(
        diffusers.WanImageToVideoPipeline.__call__,
        "__signature__",
        signature.replace(parameters=offered),
        raising=False,
    )
    preset = replace(
        of_directory(wan_folder), call={"num_inference_steps": 2, "guidance_scale": 5.0}
    )
    stage = Rehearsal(preset, wan_folder, models, photo)
    heard: list[tuple[int, int]] = []

    for _ in range(2):
        take = stage.render(on_step=lambda step, total: heard.append((step, total)))

        assert take.passes == 4
    assert heard == [(1, 2), (2, 2)] * 2


def test_a_negative_prompt_reaches_the_family_that_takes_one(
    wan_folder: Path, models: Path, photo: Image.Image
) -> None:
    """With guidance there are two passes a step, and the words against count."""
    preset = replace(
        of_directory(wan_folder),
        call={"num_inference_steps": 2, "guidance_scale": 5.0},
        prompting=Prompting(negative="blurry"),
    )
    stage = Rehearsal(preset, wan_folder, models, photo)

    plain, against = stage.render(), stage.render(replace(ORDER, negative_prompt="blurry"))

    assert plain.passes == 4
    assert not np.array_equal(plain.pictures, against.pictures)


def test_a_misspelt_argument_is_found_when_it_is_loaded(
    wan_folder: Path, models: Path, photo: Image.Image
) -> None:
    """And not silently left out."""
    preset = replace(of_directory(wan_folder), call={"guidance_scal": 1.0})

    with pytest.raises(Trouble, match="takes no guidance_scal"):
        Rehearsal(preset, wan_folder, models, photo)


# torch's own, on the first compilation of a process.
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")
def test_blocks_compile_with_weights_in_eight_bits(
    wan_folder: Path, models: Path, photo: Image.Image
) -> None:
    """As `fast` does it on a small card: close to the uncompiled clip, one pass a step."""
    from vivant.engine.diffusion import weights  # noqa: PLC0415 - imports torch

    preset = replace(of_directory(wan_folder), placements=(Placement(storage="float8_e4m3fn"),))
    plain = Rehearsal(preset, wan_folder, models, photo).render()
    stage = Rehearsal(preset, wan_folder, models, photo)

    weights.compiled(stage.pipeline._denoisers)
    compiled = stage.render()

    assert compiled.passes == 4
    assert np.abs(compiled.pictures.astype(int) - plain.pictures.astype(int)).mean() < 1


def _raiser(error: Exception) -> Callable[..., None]:
    def raises(*_: object) -> None:
        raise error

    return raises


def _short_once(wan: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let the whole decode of the first shape run out of memory; note how each is done."""
    import torch  # noqa: PLC0415

    vae = wan.pipe.vae
    decode, decoded = type(vae)._decode, []

    def short(self: Any, z: Any, *args: Any, **kwargs: Any) -> Any:
        decoded.append("in tiles" if self.use_tiling else "whole")
        if len(decoded) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return decode(self, z, *args, **kwargs)

    monkeypatch.setattr(type(vae), "_decode", short)
    return decoded
