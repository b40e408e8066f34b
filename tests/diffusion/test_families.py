"""Any image-to-video family is driven by one call, or refused with a reason."""

import ast
import importlib.util
import inspect
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.diffusion.rehearsal import ORDER, Rehearsal
from vivant.clips import Wish
from vivant.engine.diffusion.families import (
    ALSO_FROM_A_PHOTO,
    FAMILIES,
    NOT_DRIVEN,
    Family,
    class_for,
)
from vivant.engine.diffusion.preset import Preset
from vivant.engine.diffusion.wire import Trouble

pytestmark = [
    pytest.mark.torch,
    pytest.mark.timeout(120),
    # numpy's, of what schedulers do with torch's tensors.
    pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy keyword"),
]

TWO_STEPS = Preset(name="own", call={"num_inference_steps": 2})

Staged = Callable[..., Rehearsal]


@pytest.fixture
def staged(tmp_path: Path, photo: Image.Image) -> Staged:
    """Saves a tiny pipeline and loads it as a plain directory."""
    from tests.diffusion import tiny  # noqa: PLC0415 - imports torch

    def loaded(pipeline: Any, preset: Preset = TWO_STEPS) -> Rehearsal:
        folder = tiny.saved(pipeline, tmp_path / "pipeline")
        return Rehearsal(preset, folder, tmp_path, photo)

    return loaded


def test_every_pipeline_of_diffusers_that_takes_a_picture_is_driven_or_refused_with_a_reason() -> (
    None
):
    """An update of diffusers that brings a family is noticed here, and not by an operator."""
    known = {*FAMILIES, *NOT_DRIVEN}

    assert set(_of_pictures_and_lengths()) - known == set()
    assert set(FAMILIES) & set(NOT_DRIVEN) == set()


def test_a_class_for_words_alone_has_the_same_parts_as_the_one_for_photos() -> None:
    """Else the weights would not do for both."""
    import diffusers  # noqa: PLC0415 - imports torch

    kinds: Any = diffusers
    for words, photos in {
        **ALSO_FROM_A_PHOTO,
        "WanPipeline": "WanImageToVideoPipeline",
    }.items():
        wanted, has = (
            inspect.signature(getattr(kinds, name).__init__).parameters.keys()
            for name in (photos, words)
        )

        assert wanted - has <= set(getattr(kinds, photos)._optional_components)


@pytest.mark.parametrize(
    ("index", "says"),
    [
        ({}, "without a name cannot be driven from a photo"),
        ({"_class_name": ["own_code", "OwnPipeline"]}, "none of those"),
        ({"_class_name": "FluxPipeline"}, "none of those that docs/engine.md lists"),
        ({"_class_name": "WanPipeline"}, "WanPipeline cannot be driven from a photo"),
        ({"_class_name": "ConsisIDPipeline"}, "told about the face"),
        ({"_class_name": "Cosmos2VideoToWorldPipeline"}, "nothing is fetched here"),
    ],
)
def test_what_cannot_be_driven_is_refused_in_a_sentence(index: dict[str, Any], says: str) -> None:
    """Before any weight is read."""
    with pytest.raises(LookupError, match=says):
        class_for(index)


def test_the_page_lists_what_is_driven() -> None:
    """The refusal points there."""
    page = (Path(__file__).parents[2] / "docs" / "engine.md").read_text("utf-8")

    assert [name for name in FAMILIES if f"`{name}`" not in page] == []


def test_cogvideox_makes_the_one_size_that_it_has_learnt(staged: Staged) -> None:
    """Any photo is fitted to it; rate and length are the family's own."""
    from tests.diffusion import tiny  # noqa: PLC0415 - imports torch

    stage = staged(tiny.cogvideox())
    ready = stage.pipeline.ready

    assert (ready.frame_rate, ready.num_frames, ready.frame_stride) == (8, 9, 4)
    assert ready.sizes == [[96, 64]]
    heard: list[tuple[int, int]] = []
    take = stage.render(
        replace(ORDER, num_frames=9), lambda step, total: heard.append((step, total))
    )
    assert take.pictures.shape == (9, 64, 96, 3)
    assert heard == [(1, 2), (2, 2)]


def test_a_later_cogvideox_takes_any_size_at_twice_the_rate(staged: Staged) -> None:
    """Version 1.5 takes its frames in pairs, and learns no places."""
    from tests.diffusion import tiny  # noqa: PLC0415 - imports torch

    stage = staged(
        tiny.cogvideox(patch_size_t=2, use_learned_positional_embeddings=False, sample_frames=17)
    )
    ready = stage.pipeline.ready

    assert (ready.frame_rate, ready.num_frames, ready.sizes) == (16, 17, [])
    assert stage.render(replace(ORDER, width=64)).pictures.shape == (17, 64, 64, 3)


def test_stable_video_diffusion_needs_no_words(staged: Staged) -> None:
    """Its length stands in its U-Net, which also says how coarse its sizes are."""
    from tests.diffusion import tiny  # noqa: PLC0415 - imports torch

    stage = staged(tiny.svd())
    ready = stage.pipeline.ready

    assert (ready.frame_rate, ready.num_frames, ready.frame_stride) == (7, 4, 1)
    assert ready.size_multiple == 64
    take = stage.render(replace(ORDER, width=64, num_frames=4))
    assert take.pictures.shape == (4, 64, 64, 3)


@pytest.mark.parametrize("has_eyes", [True, False])
def test_eyes_that_were_made_for_one_photo_are_not_shown_two(
    staged: Staged, *, has_eyes: bool
) -> None:
    """SkyReels V2, and Wan 2.1 alike; a loop goes there and back then."""
    from tests.diffusion import tiny  # noqa: PLC0415 - imports torch

    stage = staged(tiny.skyreels(has_eyes=has_eyes))
    takes_last = stage.pipeline.ready.takes_last_photo

    assert takes_last is not has_eyes
    take = stage.render(replace(ORDER, photos=2 if takes_last else 1))
    assert take.pictures.shape == (17, 64, 96, 3)


@pytest.mark.parametrize(
    ("name", "parts"), [("LTXConditionPipeline", "ltx"), ("LTX2ConditionPipeline", "ltx2")]
)
def test_a_photo_may_be_a_condition_and_so_may_the_last_one(
    staged: Staged, name: str, parts: str
) -> None:
    """The clip depends on it, and one at either end makes another clip than one."""
    from tests.diffusion import tiny  # noqa: PLC0415 - imports torch

    stage = staged(tiny.as_class(name, getattr(tiny, parts)()))

    one, two = stage.render(), stage.render(replace(ORDER, photos=2))
    stage.photo = Image.new("RGB", (96, 64), "red")
    other = stage.render()

    assert stage.pipeline.ready.takes_last_photo
    assert not np.array_equal(one.pictures, two.pictures)
    assert not np.array_equal(one.pictures, other.pictures)


def test_more_frames_than_were_asked_for_are_cut_off(staged: Staged) -> None:
    """Families that make clips in windows make whole windows; Wan rounds up."""
    from tests.diffusion import tiny  # noqa: PLC0415 - imports torch

    take = staged(tiny.wan_5b()).render(replace(ORDER, num_frames=8))

    assert len(take.pictures) == 8


def test_frames_that_a_family_throws_away_are_asked_for_too(
    staged: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was promised is what comes out."""
    from tests.diffusion import tiny  # noqa: PLC0415 - imports torch

    stage = staged(tiny.wan_5b())
    monkeypatch.setattr(stage.pipeline, "_family", Family(lost_frames=lambda pipe: 4))

    assert stage.pipeline._call(ORDER, [stage.photo], lambda *_: None)["num_frames"] == 21


def test_guidance_may_have_an_object_of_its_own(
    staged: Staged, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HunyuanVideo 1.5 takes no `guidance_scale`; a preset says it all the same."""
    import diffusers  # noqa: PLC0415

    from tests.diffusion import tiny  # noqa: PLC0415 - imports torch

    stage = staged(tiny.wan_5b())
    kinds: Any = diffusers
    guider = kinds.ClassifierFreeGuidance(guidance_scale=7.5)
    monkeypatch.setattr(stage.pipe, "guider", guider, raising=False)
    offered = dict(stage.pipeline._offered)
    del offered["guidance_scale"]
    stage.pipeline._offered = MappingProxyType(offered)

    own = stage.pipeline._settled({"guidance_scale": 1.5, "num_frames": 9})

    assert own == {"num_frames": 9}
    assert stage.pipe.guider.guidance_scale == 1.5
    with pytest.raises(Trouble, match="takes no nonsense"):
        stage.pipeline._settled({"nonsense": 1})


def test_the_sizes_of_hunyuanvideo_1_5_are_those_that_it_keeps() -> None:
    """Its call takes none, and cuts the photo to one of its own."""
    from diffusers.pipelines.hunyuan_video1_5.image_processor import (  # noqa: PLC0415
        HunyuanVideo15ImageProcessor,
    )

    class Parts:
        video_processor: Any = HunyuanVideo15ImageProcessor(vae_scale_factor=16)
        vae_scale_factor_spatial = 16
        target_size = 640

    sizes = FAMILIES["HunyuanVideo15ImageToVideoPipeline"].sizes(Parts)

    assert (640, 640) in sizes
    assert any(width > height for width, height in sizes)
    assert any(width < height for width, height in sizes)
    assert all(
        Parts.video_processor.calculate_default_height_width(height, width, 640) == (height, width)
        for width, height in sizes
    )


def test_a_directory_of_one_size_snaps_every_wish_to_it(staged: Staged, photo: Image.Image) -> None:
    """What the pipeline says becomes the profile that bots read."""
    from tests.diffusion import tiny  # noqa: PLC0415 - imports torch
    from vivant.engine.diffusion.engine import filled  # noqa: PLC0415 - OpenCV where used

    profile = filled(TWO_STEPS.profile, staged(tiny.cogvideox()).pipeline.ready)
    settings = profile.settings_for(*photo.size, Wish(duration_s=30))

    assert (settings.width, settings.height, settings.num_frames) == (96, 64, 9)


def _of_pictures_and_lengths() -> list[str]:
    """Classes of diffusers whose call takes something to look at, and how long the clip shall be.

    Read and not imported: it would be some three hundred modules.
    """
    spec = importlib.util.find_spec("diffusers")
    assert spec
    assert spec.origin
    sources = (
        path.read_text("utf-8")
        for path in sorted((Path(spec.origin).parent / "pipelines").rglob("pipeline_*.py"))
        if "deprecated" not in path.parts
    )
    return [
        kind.name
        for source in sources
        if "frames: int" in source or "frame_length: int" in source
        for kind in ast.parse(source).body
        if isinstance(kind, ast.ClassDef)
        for call in kind.body
        if isinstance(call, ast.FunctionDef) and call.name == "__call__" and _is_both(call)
    ]


def _is_both(call: ast.FunctionDef) -> bool:
    names = {each.arg for each in (*call.args.args, *call.args.kwonlyargs)}
    pictures = {"image", "images", "conditions", "cond_image", "video", "reference_images"}
    return bool(names & pictures) and bool(names & {"num_frames", "frames", "segment_frame_length"})
