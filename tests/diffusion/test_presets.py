"""Presets are data: what ships, what is refused, and what an operator may write himself."""

import tomllib
from pathlib import Path

import pytest

from vivant.clips import Wish
from vivant.engine.diffusion.preset import (
    Preset,
    check_accepted,
    file_of,
    named,
    of_directory,
    read,
    shipped,
)
from vivant.errors import SettingsError


def written(folder: Path, text: str) -> Path:
    """A preset file with *text*."""
    path = folder / "own.toml"
    path.write_text(text, "utf-8")
    return path


def test_three_presets_ship_the_lightest_first() -> None:
    """Each for a card that people have."""
    assert [(each.name, each.needs_gb) for each in shipped()] == [
        ("fast", 11.5),
        ("balanced", 23),
        ("best", 32),
    ]


@pytest.mark.parametrize("preset", shipped(), ids=lambda preset: preset.name)
def test_every_wish_is_snapped_to_what_the_model_makes(preset: Preset) -> None:
    """Any photo, any length: a bucket, and k strides and one frames."""
    profile = preset.profile
    for width, height in [(64, 64), (4000, 3000), (1080, 1920), (8000, 1000)]:
        for seconds in (None, 0.1, 3.0, 5.0, 60.0):
            settings = profile.settings_for(width, height, Wish(duration_s=seconds))

            assert (settings.width, settings.height) in preset.clip.buckets
            assert settings.width % preset.clip.size_multiple == 0
            assert settings.height % preset.clip.size_multiple == 0
            assert settings.num_frames % preset.clip.frame_stride == 1
            assert settings.num_frames <= profile.max_num_frames


@pytest.mark.parametrize("preset", shipped(), ids=lambda preset: preset.name)
def test_photos_of_common_shapes_lose_little(preset: Preset) -> None:
    """Phones take 4 to 3, 16 to 9 and squares, both ways up: at most a twentieth is cut off."""
    for across, down in [(4, 3), (3, 4), (16, 9), (9, 16), (1, 1)]:
        settings = preset.profile.settings_for(100 * across, 100 * down, Wish())
        aspect, made = across / down, settings.width / settings.height

        assert min(aspect / made, made / aspect) > 0.95


@pytest.mark.parametrize("preset", shipped(), ids=lambda preset: preset.name)
def test_a_preset_makes_five_seconds(preset: Preset) -> None:
    """Give or take the one frame that every length has more."""
    profile = preset.profile

    assert profile.default_num_frames / profile.frame_rate == pytest.approx(5, abs=0.1)


def test_a_larger_card_holds_more_of_it() -> None:
    """All on the card where it fits, eight bits and streaming where it does not."""
    fast = named("fast")

    assert (small := fast.placement_on(12))
    assert (large := fast.placement_on(80))
    assert (small.offload, small.storage) == ("encoders", "float8_e4m3fn")
    assert (large.offload, large.storage) == ("none", "")
    assert fast.placement_on(8) is None


def test_an_unknown_preset_is_answered_with_what_there_is() -> None:
    """Names, and that a directory will do."""
    with pytest.raises(
        SettingsError, match="auto, puppet, fast, balanced, best, and a pipeline's directory"
    ):
        named("fsat")


def test_terms_are_shown_before_they_are_taken() -> None:
    """LTX obliges its operator to things; Apache does not ask."""
    with pytest.raises(SettingsError, match=r"machine-made.*VIVANT_ACCEPT_LICENCES"):
        check_accepted(named("best"), frozenset())

    check_accepted(named("best"), frozenset({"best"}))
    check_accepted(named("fast"), frozenset())


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[clip]\nframe_rat = 24", "clip.frame_rat"),
        ("[clip]\nframe_stride = 4\nnum_frames = 80", r"80 frames are not k \* 4 \+ 1"),
        ("[clip]\nsize_multiple = 32\nbuckets = [[100, 64]]", "100 x 64 is no multiple of 32"),
        ("[schedule]\nscheduler = 'X'\nsigmas = [0.5, 1.0]", "sigmas fall"),
        ("[schedule]\nsigmas = [1.0]", "go together"),
        ("[[placements]]\noffload = 'some'", "placements.0.offload"),
        ("[weights]\nrepo = 'a/b'", "fill .clip."),
        (
            "[weights]\nrepo = 'a/b'\n[clip]\nframe_rate = 24\nnum_frames = 9\n"
            "frame_stride = 4\nsize_multiple = 32",
            "name the components",
        ),
        ("[speed]\ndtype = 'float8'", "speed.dtype"),
        ("clip = [", "Invalid value|Unclosed"),
    ],
)
def test_a_mistake_in_a_preset_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    """The file, the key, and what is wrong with it."""
    with pytest.raises(SettingsError, match=f"own.toml.*({complaint})"):
        read(written(tmp_path, text))


def test_a_directory_needs_nothing_but_a_pipeline(tmp_path: Path) -> None:
    """Its name is the preset's; it is asked only that the clip moves."""
    (tmp_path / "model_index.json").write_text("{}", "utf-8")

    preset = of_directory(tmp_path)

    assert preset.name == tmp_path.name
    assert preset.gates.min_first_frame_ssim is None
    assert preset.gates.max_unchanged < 1


def test_a_directory_may_say_more_in_a_file_beside_the_weights(tmp_path: Path) -> None:
    """In the words of the presets that ship."""
    (tmp_path / "model_index.json").write_text("{}", "utf-8")
    (tmp_path / "vivant.toml").write_text("call = { num_inference_steps = 8 }", "utf-8")

    assert of_directory(tmp_path).call == {"num_inference_steps": 8}


def test_a_directory_that_is_no_pipeline_is_refused(tmp_path: Path) -> None:
    """Before any process starts."""
    with pytest.raises(SettingsError, match=r"model_index\.json"):
        of_directory(tmp_path)


@pytest.mark.parametrize("preset", shipped(), ids=lambda preset: preset.name)
def test_a_shipped_file_is_what_is_read(preset: Preset) -> None:
    """The worker process reads the same file again."""
    assert tomllib.loads(file_of(preset).read_text("utf-8"))["weights"]["repo"] == (
        preset.weights.repo
    )
