"""Tiny pipelines of the real classes with random weights, built without any hub.

The real compression ratios, so that the rules for sizes and lengths are tested for real; a
third of a megabyte to three, a tenth of a second to build. Imports torch.
"""

import inspect
from pathlib import Path
from typing import Any

import diffusers as typed_diffusers
import torch
import transformers as typed_transformers
from diffusers.pipelines import ltx2 as typed_ltx2
from diffusers.pipelines.ltx2.vocoder import LTX2Vocoder
from safetensors.torch import save_file

# Typed only in part, and not where it matters here.
diffusers: Any = typed_diffusers
transformers: Any = typed_transformers
ltx2_parts: Any = typed_ltx2


def saved(pipeline: Any, folder: Path, beside: str = "") -> Path:
    """Save *pipeline* with the words of a `vivant.toml` beside it."""
    pipeline.save_pretrained(folder)
    if beside:
        (folder / "vivant.toml").write_text(beside, "utf-8")
    return folder


def wan_5b() -> Any:
    """Wan2.2 TI2V-5B: one transformer, `expand_timesteps`, VAE 16 x 16 x 4."""
    torch.manual_seed(5)
    vae = diffusers.AutoencoderKLWan(
        base_dim=3,
        z_dim=48,
        in_channels=12,
        out_channels=12,
        is_residual=True,
        patch_size=2,
        latents_mean=[0.0] * 48,
        latents_std=[1.0] * 48,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        scale_factor_spatial=16,
        scale_factor_temporal=4,
        temperal_downsample=[False, True, True],
    )
    return diffusers.WanImageToVideoPipeline(
        **_umt5(),
        vae=vae,
        transformer=_wan_transformer(48, 48),
        scheduler=unipc(),
        expand_timesteps=True,
    )


def wan_a14b() -> Any:
    """Wan2.2 I2V-A14B: two experts, `boundary_ratio`, VAE 8 x 8 x 4."""
    torch.manual_seed(14)
    return diffusers.WanImageToVideoPipeline(
        **_umt5(),
        vae=_wan_vae(),
        transformer=_wan_transformer(36, 16),
        transformer_2=_wan_transformer(36, 16),
        scheduler=unipc(),
        boundary_ratio=0.9,
    )


def ltx() -> Any:
    """LTX-Video 0.9: VAE 32 x 32 x 8, T5, no sound."""
    torch.manual_seed(9)
    tokenizer = t5_tokenizer()
    transformer = diffusers.LTXVideoTransformer3DModel(
        in_channels=8,
        out_channels=8,
        patch_size=1,
        patch_size_t=1,
        num_attention_heads=4,
        attention_head_dim=8,
        cross_attention_dim=32,
        num_layers=2,
        caption_channels=32,
    )
    vae = diffusers.AutoencoderKLLTXVideo(
        latent_channels=8,
        block_out_channels=(8, 8, 8, 8),
        decoder_block_out_channels=(8, 8, 8, 8),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1, 1),
        spatio_temporal_scaling=(True, True, True, False),
        decoder_spatio_temporal_scaling=(True, True, True, False),
        patch_size=4,
        patch_size_t=1,
        timestep_conditioning=False,
    )
    return diffusers.LTXImageToVideoPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=vae,
        tokenizer=tokenizer,
        text_encoder=transformers.T5EncoderModel(transformers.T5Config(**_t5(tokenizer))).eval(),
        transformer=transformer,
    )


def cogvideox(**differently: Any) -> Any:
    """CogVideoX-5B-I2V: DDIM, guidance, VAE 8 x 8 x 4, and places that it has learnt."""
    torch.manual_seed(8)
    tokenizer = t5_tokenizer()
    learnt: dict[str, Any] = {
        "sample_width": 12,
        "sample_height": 8,
        "sample_frames": 9,
        "use_learned_positional_embeddings": True,
    }
    transformer = diffusers.CogVideoXTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16,
        in_channels=8,
        out_channels=4,
        time_embed_dim=2,
        text_embed_dim=32,
        num_layers=1,
        use_rotary_positional_embeddings=True,
        **(learnt | differently),
    )
    vae = diffusers.AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(8, 8, 8, 8),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
        temporal_compression_ratio=4,
    )
    return diffusers.CogVideoXImageToVideoPipeline(
        tokenizer=tokenizer,
        text_encoder=transformers.T5EncoderModel(transformers.T5Config(**_t5(tokenizer))).eval(),
        vae=vae,
        transformer=transformer,
        scheduler=diffusers.CogVideoXDDIMScheduler(),
    )


def svd() -> Any:
    """Stable Video Diffusion: a U-Net of four levels, a VAE without tiles, and no words."""
    torch.manual_seed(4)
    unet = diffusers.UNetSpatioTemporalConditionModel(
        num_frames=4,
        block_out_channels=(32, 32, 32, 32),
        layers_per_block=1,
        cross_attention_dim=32,
        num_attention_heads=4,
        projection_class_embeddings_input_dim=96,
        addition_time_embed_dim=32,
    )
    vae = diffusers.AutoencoderKLTemporalDecoder(
        down_block_types=("DownEncoderBlock2D",) * 4, block_out_channels=(32, 32, 32, 32)
    )
    eyes = transformers.CLIPVisionConfig(
        hidden_size=32,
        projection_dim=32,
        num_hidden_layers=1,
        num_attention_heads=4,
        intermediate_size=37,
        image_size=224,
        patch_size=56,
    )
    return diffusers.StableVideoDiffusionPipeline(
        vae=vae,
        unet=unet,
        image_encoder=transformers.CLIPVisionModelWithProjection(eyes).eval(),
        feature_extractor=transformers.CLIPImageProcessor(),
        scheduler=diffusers.EulerDiscreteScheduler(
            timestep_type="continuous", prediction_type="v_prediction", use_karras_sigmas=True
        ),
    )


def skyreels(*, has_eyes: bool) -> Any:
    """SkyReels V2: as Wan 2.1, with CLIP's eyes; or diffusion forcing, without."""
    torch.manual_seed(6)
    transformer = diffusers.SkyReelsV2Transformer3DModel(
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=36 if has_eyes else 16,
        out_channels=16,
        text_dim=32,
        freq_dim=64,
        ffn_dim=32,
        num_layers=2,
        image_dim=8 if has_eyes else None,
        rope_max_seq_len=64,
    )
    parts = {**_umt5(), "vae": _wan_vae(), "transformer": transformer, "scheduler": unipc()}
    if not has_eyes:
        return diffusers.SkyReelsV2DiffusionForcingImageToVideoPipeline(**parts)
    eyes = transformers.CLIPVisionConfig(
        hidden_size=8,
        projection_dim=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        image_size=32,
        patch_size=16,
    )
    return diffusers.SkyReelsV2ImageToVideoPipeline(
        **parts,
        image_encoder=transformers.CLIPVisionModelWithProjection(eyes).eval(),
        image_processor=transformers.CLIPImageProcessor(
            size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}
        ),
    )


def as_class(name: str, pipeline: Any, **config: Any) -> Any:
    """The same parts under another pipeline class, as repositories name them."""
    kind = getattr(diffusers, name)
    wanted = inspect.signature(kind.__init__).parameters
    parts = {each: part for each, part in pipeline.components.items() if each in wanted}
    return kind(**parts, **config)


def ltx2() -> Any:
    """LTX-2: pictures and sound, Gemma, VAE 32 x 32 x 8."""
    torch.manual_seed(2)
    tokenizer = gemma_tokenizer()
    encoder = _gemma(len(tokenizer))
    text = encoder.config.text_config
    transformer = diffusers.LTX2VideoTransformer3DModel(
        in_channels=4,
        out_channels=4,
        patch_size=1,
        patch_size_t=1,
        num_attention_heads=2,
        attention_head_dim=8,
        cross_attention_dim=16,
        audio_in_channels=4,
        audio_out_channels=4,
        audio_num_attention_heads=2,
        audio_attention_head_dim=4,
        audio_cross_attention_dim=8,
        num_layers=2,
        qk_norm="rms_norm_across_heads",
        caption_channels=text.hidden_size,
        rope_double_precision=False,
        rope_type="split",
    )
    connectors = ltx2_parts.LTX2TextConnectors(
        caption_channels=text.hidden_size,
        text_proj_in_factor=text.num_hidden_layers + 1,
        video_connector_num_attention_heads=4,
        video_connector_attention_head_dim=4,
        video_connector_num_layers=1,
        video_connector_num_learnable_registers=None,
        audio_connector_num_attention_heads=4,
        audio_connector_attention_head_dim=4,
        audio_connector_num_layers=1,
        audio_connector_num_learnable_registers=None,
        connector_rope_base_seq_len=32,
        rope_double_precision=False,
        rope_type="split",
    )
    vae = diffusers.AutoencoderKLLTX2Video(
        latent_channels=4,
        block_out_channels=(8, 16, 32, 64),
        decoder_block_out_channels=(8, 16, 32),
        layers_per_block=(1, 1, 1, 1, 1),
        decoder_layers_per_block=(1, 1, 1, 1),
        patch_size=4,
        patch_size_t=1,
        spatial_compression_ratio=32,
        temporal_compression_ratio=8,
    )
    audio_vae = diffusers.AutoencoderKLLTX2Audio(
        base_channels=4,
        output_channels=2,
        ch_mult=(1,),
        num_res_blocks=1,
        attn_resolutions=None,
        in_channels=2,
        resolution=32,
        latent_channels=2,
        norm_type="pixel",
        causality_axis="height",
        dropout=0.0,
        mid_block_add_attention=False,
        sample_rate=16000,
        mel_hop_length=160,
        is_causal=True,
        mel_bins=8,
    )
    vocoder = LTX2Vocoder(
        in_channels=audio_vae.config.output_channels * audio_vae.config.mel_bins,
        hidden_channels=32,
        out_channels=2,
        upsample_kernel_sizes=[4, 4],
        upsample_factors=[2, 2],
        resnet_kernel_sizes=[3],
        resnet_dilations=[[1, 3, 5]],
        output_sampling_rate=16000,
    )
    return diffusers.LTX2ImageToVideoPipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True, shift_terminal=0.1
        ),
        vae=vae,
        audio_vae=audio_vae,
        text_encoder=encoder,
        tokenizer=tokenizer,
        connectors=connectors,
        transformer=transformer,
        vocoder=vocoder,
    )


def wan_lora(folder: Path, file: str, *, strength: float) -> None:
    """A LoRA for one tiny expert, with the names that lightx2v's files have."""
    # self_attn.q is 24 x 24: two heads of twelve.
    weights = {
        "diffusion_model.blocks.0.self_attn.q.lora_down.weight": torch.full((2, 24), strength),
        "diffusion_model.blocks.0.self_attn.q.lora_up.weight": torch.full((24, 2), strength),
    }
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / file)


def _wan_vae() -> Any:
    return diffusers.AutoencoderKLWan(
        base_dim=3,
        z_dim=16,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
    )


def _wan_transformer(in_channels: int, out_channels: int) -> Any:
    return diffusers.WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=in_channels,
        out_channels=out_channels,
        text_dim=32,
        freq_dim=64,
        ffn_dim=32,
        num_layers=2,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=64,
    )


def unipc() -> Any:
    """The scheduler that Wan's repositories name."""
    return diffusers.UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=5.0
    )


def t5_tokenizer() -> Any:
    """One piece for each printable character; transformers builds the model in memory."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -2.0)]
    pieces += [(chr(code), -4.0) for code in range(33, 127)]
    return transformers.T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=512)


def _t5(tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "d_model": 32,
        "d_kv": 8,
        "d_ff": 37,
        "num_layers": 1,
        "num_heads": 4,
        "relative_attention_num_buckets": 8,
        "dropout_rate": 0.0,
        "is_gated_act": False,
        "pad_token_id": 0,
        "eos_token_id": 1,
        "decoder_start_token_id": 0,
    }


def _umt5() -> dict[str, Any]:
    tokenizer = t5_tokenizer()
    config = transformers.UMT5Config(**_t5(tokenizer))
    return {
        "tokenizer": tokenizer,
        # A built model is in training mode, where dropout makes every clip another one.
        "text_encoder": transformers.UMT5EncoderModel(config).eval(),
    }


def gemma_tokenizer() -> Any:
    """One token for each printable character."""
    signs = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "\u2581"]
    signs += [chr(code) for code in range(33, 127)]
    tokenizer = transformers.GemmaTokenizer(
        vocab={sign: number for number, sign in enumerate(signs)}, merges=[], model_max_length=1024
    )
    tokenizer.padding_side = "left"
    return tokenizer


def _gemma(vocab_size: int) -> Any:
    config = transformers.Gemma3Config(
        text_config={
            "vocab_size": vocab_size,
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "head_dim": 8,
            "max_position_embeddings": 1024,
            "sliding_window": 64,
            "pad_token_id": 0,
            "eos_token_id": 1,
            "bos_token_id": 2,
        },
        vision_config={
            "hidden_size": 16,
            "intermediate_size": 32,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "image_size": 28,
            "patch_size": 14,
        },
        mm_tokens_per_image=4,
        boi_token_index=5,
        eoi_token_index=6,
        image_token_index=7,
    )
    return transformers.Gemma3ForConditionalGeneration(config).eval()
