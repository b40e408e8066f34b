"""Weights that do not fit together are refused in a sentence that names the part."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.diffusion.rehearsal import Rehearsal
from vivant.engine.diffusion.preset import Lora, Part, Preset, Weights, of_directory
from vivant.engine.diffusion.wire import Trouble

pytestmark = [pytest.mark.torch, pytest.mark.timeout(120)]

TRANSFORMER = "transformer/diffusion_pytorch_model.safetensors"


@pytest.fixture
def folder(wan_folder: Path, tmp_path: Path) -> Path:
    """A copy of a tiny Wan 5B, to be broken."""
    to = tmp_path / "broken"
    for path in wan_folder.rglob("*"):
        if path.is_file():
            (to / path.relative_to(wan_folder)).parent.mkdir(parents=True, exist_ok=True)
            (to / path.relative_to(wan_folder)).write_bytes(path.read_bytes())
    return to


@pytest.fixture
def refused(folder: Path, models: Path, photo: Image.Image) -> Callable[..., str]:
    """Tries to load the folder; the text that the operator gets."""

    def told(preset: Preset | None = None) -> str:
        with pytest.raises(Trouble) as raised:
            Rehearsal(preset or of_directory(folder), folder, models, photo)
        assert raised.value.failed.kind == "unusable"
        assert "\n" not in str(raised.value)
        return str(raised.value)

    return told


def retold(folder: Path, **differently: Any) -> None:
    """Change what model_index.json says."""
    index = json.loads((folder / "model_index.json").read_text("utf-8"))
    (folder / "model_index.json").write_text(json.dumps(index | differently), "utf-8")


def rewritten(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the tensors in *file*."""
    from safetensors.torch import load_file, save_file  # noqa: PLC0415 - imports torch

    tensors = load_file(file)
    change(tensors)
    save_file(tensors, file)


def test_a_part_that_is_not_there_is_named(folder: Path, refused: Callable[..., str]) -> None:
    """Half a download, or a repository that is laid out in another way."""
    (folder / "vae").rename(folder / "video_vae")

    assert refused() == f"vae: there is no folder {folder / 'vae'}"


def test_weights_that_are_not_there_are_named(folder: Path, refused: Callable[..., str]) -> None:
    """The file of the part."""
    (folder / TRANSFORMER).unlink()

    text = refused()

    assert text.startswith("transformer: ")
    assert "diffusion_pytorch_model.safetensors" in text


def test_half_a_file_is_said_of_its_part(folder: Path, refused: Callable[..., str]) -> None:
    """A copy that was cut off."""
    content = (folder / TRANSFORMER).read_bytes()
    (folder / TRANSFORMER).write_bytes(content[: len(content) // 2])

    assert refused().startswith("transformer: ")


def test_a_weight_that_is_missing_is_named(folder: Path, refused: Callable[..., str]) -> None:
    """It would stay random, and every clip be noise that nobody can explain."""
    rewritten(folder / TRANSFORMER, lambda tensors: tensors.pop("blocks.0.attn1.to_q.weight"))

    assert refused() == (
        "transformer: 1 weights of WanTransformer3DModel are not in its files, "
        "first blocks.0.attn1.to_q.weight"
    )


def test_weights_of_another_size_are_refused(folder: Path, refused: Callable[..., str]) -> None:
    """A transformer from elsewhere that was made for another model."""

    def halve(tensors: dict[str, Any]) -> None:
        tensors["proj_out.weight"] = tensors["proj_out.weight"][:8].clone()

    rewritten(folder / TRANSFORMER, halve)

    assert refused().startswith("transformer: ")


def test_a_text_encoder_that_is_not_whole_is_refused(
    folder: Path, refused: Callable[..., str]
) -> None:
    """It is another library's, which would make the rest up as well."""
    (file,) = (folder / "text_encoder").glob("*.safetensors")
    rewritten(file, lambda tensors: tensors.pop("encoder.final_layer_norm.weight"))

    assert "first encoder.final_layer_norm.weight" in refused()


def test_pickled_weights_are_not_loaded(folder: Path, refused: Callable[..., str]) -> None:
    """A pickle runs what its author likes."""
    import torch  # noqa: PLC0415
    from safetensors.torch import load_file  # noqa: PLC0415

    file = folder / TRANSFORMER
    torch.save(load_file(file), file.with_suffix(".bin"))
    file.unlink()

    assert refused().startswith("transformer: ")


@pytest.mark.parametrize(
    ("differently", "says"),
    [
        ({"_class_name": ["own_code", "OwnPipeline"]}, "none of those"),
        ({"_class_name": "FluxPipeline"}, "FluxPipeline cannot be driven from a photo"),
        ({"vae": ["own_code", "OwnVae"]}, "vae: it is made of own_code, which is not trusted"),
        ({"vae": ["diffusers", "AutoencoderOfTomorrow"]}, "has no AutoencoderOfTomorrow"),
    ],
)
def test_code_and_classes_that_are_not_known_are_not_run(
    folder: Path, refused: Callable[..., str], differently: dict[str, Any], says: str
) -> None:
    """A directory may name a module of its own; nothing ever looks at it."""
    (folder / "own_code.py").write_text(f"open({str(folder / 'ran')!r}, 'w')", "utf-8")
    (folder / "vae" / "own_code.py").write_bytes((folder / "own_code.py").read_bytes())
    retold(folder, **differently)

    assert says in refused()
    assert not (folder / "ran").exists()


def test_a_broken_index_is_said_to_be_broken(folder: Path, refused: Callable[..., str]) -> None:
    """And not a stack trace of a JSON parser."""
    (folder / "model_index.json").write_text("{", "utf-8")

    assert refused().startswith("model_index.json cannot be read")


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        (Weights(parts=(Part(component="tranformer"),)), "model_index.json names no tranformer"),
        (Weights(components=("vocoder",)), "model_index.json names no vocoder"),
        (
            Weights(parts=(Part(component="transformer", repo="a/b", subfolder="dit"),)),
            "transformer: there is no folder",
        ),
        (Weights(loras=(Lora(file="not-there.safetensors"),)), "there is no file"),
        (
            Weights(loras=(Lora(file="lora.safetensors", into="transformer_2"),)),
            "WanImageToVideoPipeline has no transformer_2 to take it",
        ),
    ],
)
def test_what_a_preset_takes_from_elsewhere_must_be_there(
    folder: Path, refused: Callable[..., str], weights: Weights, says: str
) -> None:
    """Named as the preset names it."""
    from tests.diffusion import tiny  # noqa: PLC0415 - imports torch

    tiny.wan_lora(folder, "lora.safetensors", strength=0.1)

    assert says in refused(replace(of_directory(folder), weights=weights))


def test_parts_that_a_preset_does_not_want_need_not_be_there(
    folder: Path, models: Path, photo: Image.Image
) -> None:
    """A model that rewrites prompts, or a decoder for another pipeline: neither was fetched."""
    retold(
        folder,
        image_encoder=["transformers", "CLIPVisionModel"],
        upsampler=["diffusers", "UpsamplerOfTomorrow"],
    )
    taken = ("scheduler", "vae", "text_encoder", "tokenizer", "transformer")
    preset = replace(of_directory(folder), weights=Weights(components=taken))

    pipe = Rehearsal(preset, folder, models, photo).pipe

    assert {name for name, part in pipe.components.items() if part is not None} == set(taken)


def test_a_lora_with_other_names_is_refused(folder: Path, refused: Callable[..., str]) -> None:
    """It would be left out without a word, and four steps be far too few."""
    import torch  # noqa: PLC0415
    from safetensors.torch import save_file  # noqa: PLC0415

    names = ("blocks.0.self_attn.q", "blocks.7.self_attn.q", "blocks.8.self_attn.q")
    save_file(
        {
            f"diffusion_model.{name}.lora_{way}.weight": torch.ones(shape)
            for name in names
            for way, shape in (("down", (2, 24)), ("up", (24, 2)))
        },
        folder / "lora.safetensors",
    )
    weights = Weights(loras=(Lora(file="lora.safetensors"),))

    assert refused(replace(of_directory(folder), weights=weights)) == (
        "lora.safetensors: 2 of its 3 layers are not in transformer, first blocks.7.attn1.to_q"
    )


def test_a_lora_as_lightx2v_writes_it_is_fused_whole(
    folder: Path, models: Path, photo: Image.Image
) -> None:
    """Biases come along; layers for the eyes of an older Wan, and norms, are left out."""
    import torch  # noqa: PLC0415
    from safetensors.torch import save_file  # noqa: PLC0415

    tensors: dict[str, torch.Tensor] = {}
    for block in (0, 1):
        for layer in (*(f"{kind}_attn.{each}" for kind in ("self", "cross") for each in "qkvo"),):
            name = f"diffusion_model.blocks.{block}.{layer}"
            tensors[f"{name}.lora_down.weight"] = torch.full((2, 24), 0.1)
            tensors[f"{name}.lora_up.weight"] = torch.full((24, 2), 0.1)
            tensors[f"{name}.diff_b"] = torch.full((24,), 0.5)
        for layer, out, into in (("ffn.0", 32, 24), ("ffn.2", 24, 32)):
            name = f"diffusion_model.blocks.{block}.{layer}"
            tensors[f"{name}.lora_down.weight"] = torch.full((2, into), 0.1)
            tensors[f"{name}.lora_up.weight"] = torch.full((out, 2), 0.1)
            tensors[f"{name}.diff_b"] = torch.full((out,), 0.5)
        for layer in ("k_img", "v_img"):
            name = f"diffusion_model.blocks.{block}.cross_attn.{layer}"
            tensors[f"{name}.lora_down.weight"] = torch.full((2, 24), 0.1)
            tensors[f"{name}.lora_up.weight"] = torch.full((24, 2), 0.1)
        tensors[f"diffusion_model.blocks.{block}.self_attn.norm_q.diff"] = torch.zeros(24)
        tensors[f"diffusion_model.blocks.{block}.diff_m"] = torch.zeros(1, 6, 24)
    save_file(tensors, folder / "lora.safetensors")
    plain = Rehearsal(of_directory(folder), folder, models, photo).pipe.transformer
    preset = replace(of_directory(folder), weights=Weights(loras=(Lora(file="lora.safetensors"),)))

    fused = Rehearsal(preset, folder, models, photo).pipe.transformer

    for name in ("attn1.to_q", "attn2.to_out.0", "ffn.net.0.proj"):
        before, after = (each.blocks[1].get_submodule(name) for each in (plain, fused))
        # Two ranks of a tenth and a tenth.
        assert (after.weight - before.weight).detach().numpy() == pytest.approx(0.02, abs=1e-5)
        assert (after.bias - before.bias).detach().numpy() == pytest.approx(0.5, abs=1e-5)
