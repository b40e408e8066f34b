"""The configurations that the card's benchmark types in build what their papers say they are.

On no device at all: shapes without memory, so that nineteen thousand million cost a second.
"""

from typing import Any

import pytest

pytestmark = [pytest.mark.torch, pytest.mark.timeout(120)]

#: Thousand millions of parameters, and who says so. Bytes of the files that the hub lists, over
#: those of a weight, where they are public.
PUBLISHED = {
    # Wan2.2's README: 5B; its text encoder: three files, 11.36 GB in two bytes.
    "fast": {"transformer": 5.0, "text_encoder": 5.68, "vae": 0.705},
    # Two of 14B; the VAE: one file, 254 MB in two bytes.
    "balanced": {
        "transformer": 14.3,
        "transformer_2": 14.3,
        "text_encoder": 5.68,
        "vae": 0.127,
    },
    # LTX-2's paper: 19B, sound and what reads the words included; Gemma 3 12B without its eyes.
    "best": {"transformer": 18.9, "text_encoder": 11.8},
}


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_a_preset_has_the_parameters_that_were_published(name: str) -> None:
    """A layer too few, or a width that is another model's, would make its seconds worthless."""
    import torch  # noqa: PLC0415

    from bench.gpu import Depth, built  # noqa: PLC0415 - imports torch

    pipe = built(name, torch.device("meta"), Depth())

    assert {part: _billions(getattr(pipe, part)) for part in PUBLISHED[name]} == pytest.approx(
        PUBLISHED[name], rel=0.03
    )


def _billions(part: Any) -> float:
    return float(sum(weight.numel() for weight in part.parameters()) / 1e9)
