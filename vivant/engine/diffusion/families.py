"""The image-to-video families of diffusers: what each wants that its call does not say.

One row a pipeline class, read in the source of the installed diffusers. A class without a row is
refused when it is loaded, before its gigabytes are read. Imports no torch before it is used.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image

#: (a pipeline, the first photo and perhaps the last, frames) to arguments of the call.
_Photos = Callable[[Any, Sequence[Image.Image], int], dict[str, Any]]


def _as_image(_pipe: Any, photos: Sequence[Image.Image], _frames: int) -> dict[str, Any]:
    return dict(zip(("image", "last_image"), photos, strict=False))


def _as_conditions(pipe: Any, photos: Sequence[Image.Image], frames: int) -> dict[str, Any]:
    condition: Any = sys.modules[type(pipe).__module__].LTXVideoCondition
    places = (0, frames - 1)
    return {
        "conditions": [
            condition(image=photo, frame_index=place)
            for photo, place in zip(photos, places, strict=False)
        ]
    }


def _as_ltx2_conditions(pipe: Any, photos: Sequence[Image.Image], _frames: int) -> dict[str, Any]:
    condition: Any = sys.modules[type(pipe).__module__].LTX2VideoCondition
    # Counted in latent frames, from either end.
    places = (0, -1)
    return {
        "conditions": [
            condition(frames=photo, index=place)
            for photo, place in zip(photos, places, strict=False)
        ]
    }


def _always(_pipe: Any) -> bool:
    return True


def _never(_pipe: Any) -> bool:
    return False


def _any_size(_pipe: Any) -> tuple[tuple[int, int], ...]:
    return ()


def _as_asked(_pipe: Any) -> int:
    return 0


def _wan_rate(pipe: Any) -> int:
    return 24 if pipe.config.expand_timesteps else 16


def _sees_two(pipe: Any) -> bool:
    """Older ones also look at the photo with CLIP, and few of those were made to look at two."""
    config = pipe.transformer.config
    return config.image_dim is None or config.pos_embed_seq_len is not None


def _wan_takes_last(pipe: Any) -> bool:
    """The 5B puts the photo into the latents themselves, at their beginning only."""
    return not pipe.config.expand_timesteps and _sees_two(pipe)


def _cogvideox_rate(pipe: Any) -> int:
    """Version 1.5 is the one that takes frames in pairs."""
    return 8 if pipe.transformer.config.patch_size_t is None else 16


def _cogvideox_frames(pipe: Any) -> int:
    return int(pipe.transformer.config.sample_frames)


def _cogvideox_sizes(pipe: Any) -> tuple[tuple[int, int], ...]:
    """CogVideoX-5B-I2V has learnt its places, and makes no other size."""
    config, factor = pipe.transformer.config, pipe.vae_scale_factor_spatial
    if not config.use_learned_positional_embeddings:
        return ()
    return ((config.sample_width * factor, config.sample_height * factor),)


def _hunyuan_lost(pipe: Any) -> int:
    """One of its two ways to look at the photo throws the first latent frame away again."""
    return 4 if pipe.transformer.config.image_condition_type == "latent_concat" else 0


def _hunyuan_1_5_sizes(pipe: Any) -> tuple[tuple[int, int], ...]:
    """Its call takes no size: these are the photos that come out as large as they went in."""
    processor, target = pipe.video_processor, pipe.target_size
    listed: Any = sys.modules[type(processor).__module__].generate_crop_size_list
    return tuple(
        (width, height)
        for height, width in listed(base_size=target, patch_size=pipe.vae_scale_factor_spatial)
        if processor.calculate_default_height_width(height, width, target) == (height, width)
    )


def _svd_frames(pipe: Any) -> int:
    return int(pipe.unet.config.num_frames)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """What one pipeline class wants; each rule is asked with the loaded pipeline."""

    #: How its call takes the photos.
    photos: _Photos = _as_image
    #: Whether it can be led to a last photo.
    takes_last_photo: Callable[[Any], bool] = _never
    #: Frames a second, where neither its call nor the preset knows; a number, or a rule.
    frame_rate: int | Callable[[Any], int] = 24
    #: The usual length; 0 where its call knows better.
    num_frames: Callable[[Any], int] = _as_asked
    #: The only sizes (width, height) that it makes; none: any.
    sizes: Callable[[Any], tuple[tuple[int, int], ...]] = _any_size
    #: Sides are multiples of this at least, where its parts do not tell.
    size_multiple: int = 1
    #: Frames that it makes and then throws away.
    lost_frames: Callable[[Any], int] = _as_asked

    def rate(self, pipe: Any) -> int:
        """Frames a second."""
        return self.frame_rate if isinstance(self.frame_rate, int) else self.frame_rate(pipe)


FAMILIES: Final[Mapping[str, Family]] = {
    "WanImageToVideoPipeline": Family(takes_last_photo=_wan_takes_last, frame_rate=_wan_rate),
    "LTXImageToVideoPipeline": Family(),
    "LTXConditionPipeline": Family(photos=_as_conditions, takes_last_photo=_always),
    "LTX2ImageToVideoPipeline": Family(),
    "LTX2ConditionPipeline": Family(photos=_as_ltx2_conditions, takes_last_photo=_always),
    "CogVideoXImageToVideoPipeline": Family(
        frame_rate=_cogvideox_rate, num_frames=_cogvideox_frames, sizes=_cogvideox_sizes
    ),
    # Its U-Net halves the latents three times.
    "StableVideoDiffusionPipeline": Family(num_frames=_svd_frames, size_multiple=64),
    "SkyReelsV2ImageToVideoPipeline": Family(takes_last_photo=_sees_two),
    "SkyReelsV2DiffusionForcingImageToVideoPipeline": Family(takes_last_photo=_always),
    "HunyuanVideoImageToVideoPipeline": Family(lost_frames=_hunyuan_lost),
    "HunyuanSkyreelsImageToVideoPipeline": Family(),
    "HunyuanVideoFramepackPipeline": Family(takes_last_photo=_always, frame_rate=30),
    "HunyuanVideo15ImageToVideoPipeline": Family(sizes=_hunyuan_1_5_sizes),
    "Kandinsky5I2VPipeline": Family(),
    "Kandinsky6TI2VAPipeline": Family(),
    "MotifVideoImage2VideoPipeline": Family(),
    "SanaImageToVideoPipeline": Family(frame_rate=16, size_multiple=32),
    "HeliosPipeline": Family(),
    "HeliosPyramidPipeline": Family(),
}

#: A repository often names the class that makes clips from words alone, and its weights do both.
ALSO_FROM_A_PHOTO: Final[Mapping[str, str]] = {
    "LTXPipeline": "LTXImageToVideoPipeline",
    "LTX2Pipeline": "LTX2ImageToVideoPipeline",
    "SanaVideoPipeline": "SanaImageToVideoPipeline",
}

#: Why a class that takes a picture and makes a clip has no row.
NOT_DRIVEN: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "CosmosVideoToWorldPipeline",
            "Cosmos2VideoToWorldPipeline",
            "Cosmos2_5_PredictBasePipeline",
            "Cosmos3OmniPipeline",
        ),
        "it judges every clip with models that it fetches by itself, and nothing is fetched here",
    ),
    "ConsisIDPipeline": "it wants to be told about the face by other models",
    "ChronoEditPipeline": "it edits pictures",
    "WanVACEPipeline": "it edits videos",
    "WanAnimatePipeline": "it copies the movements of another video",
    "LucyEditPipeline": "it edits videos",
    "SanaWMPipeline": "it wants to be told the way of the camera",
    "EasyAnimateInpaintPipeline": "it takes a video and a mask",
    "AnyFlowPipeline": "it takes the beginning of a video",
    "AnyFlowFARPipeline": "it takes the beginning of a video",
    "SkyReelsV2DiffusionForcingVideoToVideoPipeline": "it takes a video",
    "LTXI2VLongMultiPromptPipeline": "it takes one prompt for each part of a long clip",
    "LTX2DFRPipeline": "it is one stage of several",
    "LTX2DFRTemporalRefinePipeline": "it is one stage of several",
    "LTX2LatentUpsamplePipeline": "it is one stage of several",
    "LTX2InContextPipeline": "it takes another video to go by",
}


def class_for(index: Mapping[str, Any]) -> str:
    """The pipeline class that makes a clip of a photo with the weights that *index* describes.

    *index* is a `model_index.json`. Raises `LookupError` with a sentence where there is none.
    """
    named = str(index.get("_class_name", "a pipeline without a name"))
    # Of Wan's, only the 5B makes clips of words and of photos with the same weights.
    if named == "WanPipeline" and index.get("expand_timesteps"):
        return "WanImageToVideoPipeline"
    kind = ALSO_FROM_A_PHOTO.get(named, named)
    if kind not in FAMILIES:
        why = NOT_DRIVEN.get(kind, "it is none of those that docs/engine.md lists")
        raise LookupError(f"{named} cannot be driven from a photo: {why}")
    return kind
