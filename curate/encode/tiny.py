"""The embedded default model: LTX-2.3 in miniature, built on the machine that needs it and never shipped.

diffusers' and transformers' own classes with the flags and the latent shapes of LTX-2.3 (video 128 channels at
8x32x32, audio 8x16 at 25 a second) and a four-thousandth of the weights. It is untrained: what it encodes keeps clips
apart and keeps shapes, conventions and speed honest, and means nothing. The weights come from raw 64-bit integers
and powers of two, so every machine and every torch version gets the same bits, in bfloat16 as in float32.
"""

import hashlib
import json
import math
import os
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from curate.encode import quiet_libraries
from curate.errors import CurateError

TINY_VERSION = "1"  # raise it with any change to a shape or a weight below
MARKER = "curate_tiny.json"

HEADS, VIDEO_HEAD_DIM, AUDIO_HEAD_DIM = 2, 32, 16
TEXT_DIM, TEXT_LAYERS = 32, 2

ODD_STD = 148  # standard deviation of the odd integers from -255 to 255
# Name endings whose random weights are not scaled to keep the variance: raw video latents come out near
# unit variance, and the waveform stays quiet and off the clamp at 1.
GAINS = {
    "vae.encoder.conv_out.conv.weight": 2.0,
    "vocoder.conv_out.weight": 0.125,
    "bwe_generator.conv_out.weight": 0.0625,
}


def tiny_folder(cache_root: Path) -> Path:
    """The folder of the miniature under `cache_root`, built on first use (about two seconds).

    Its name carries the versions that shape its bytes, so a library upgrade builds a new one. Safe when several
    processes ask at once: each builds its own, the first to finish wins.
    """
    libraries = "-".join(f"{name}{version(name)}" for name in ("diffusers", "transformers"))
    folder = cache_root / "models" / f"tiny-{TINY_VERSION}-{libraries}"
    if not folder.is_dir():
        build_tiny(folder)
    return folder


def build_tiny(folder: Path) -> None:
    """Write the miniature to `folder` in diffusers layout; `LTX2Pipeline.from_pretrained` loads it.

    `folder` appears whole or not at all; when another process was faster, its folder stays. Raises CurateError
    when the place cannot be written.
    """
    quiet_libraries()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as unfinished:
            _save(Path(unfinished) / folder.name)
            os.replace(Path(unfinished) / folder.name, folder)
    except OSError as error:
        if not (folder / MARKER).is_file():
            raise CurateError(f"cannot build the model {folder}: {error.strerror}") from error


def _save(folder: Path) -> None:
    _pipeline().save_pretrained(folder)
    marker = {"curate_tiny": TINY_VERSION, "trained": False}
    (folder / MARKER).write_text(json.dumps(marker) + "\n", encoding="utf-8")


def _pipeline() -> Any:
    from diffusers import LTX2Pipeline

    tokenizer = _tokenizer()
    with torch.random.fork_rng(devices=[]):  # the classes draw weights; leave the caller's generator alone
        parts = {
            "text_encoder": _text_encoder(len(tokenizer)),
            "connectors": _connectors(),
            "transformer": _transformer(),
            "vae": _video_vae(),
            "audio_vae": _audio_vae(),
            "vocoder": _vocoder(),
        }
    for name, part in parts.items():
        _fill(name, part.eval())
    _centre(parts["audio_vae"].encoder.conv_in.conv)
    return LTX2Pipeline(scheduler=_scheduler(), tokenizer=tokenizer, **parts)


@torch.no_grad()
def _fill(part: str, module: torch.nn.Module) -> None:
    saved = module.state_dict().keys()
    named = [*module.named_parameters(), *((n, b) for n, b in module.named_buffers() if n in saved)]
    for name, tensor in named:
        if tensor.is_floating_point():
            tensor.copy_(torch.from_numpy(_values(f"{part}.{name}", tensor.numpy())))


def _values(name: str, initial: NDArray[np.float32]) -> NDArray[np.float32]:
    """The weights of one tensor, from its name and shape; norms and filters keep what their class gave them."""
    if name.endswith("filter"):
        return _times_2_to(-12, np.round(_times_2_to(12, initial)))  # libm's last bits differ, these do not
    if initial.ndim == 1 and not name.endswith((".bias", "latents_mean", "latents_std")):
        return initial
    odd = _odd_integers(name, initial.size).reshape(initial.shape)
    if name.endswith("latents_mean"):
        return _times_2_to(-10, odd)  # within 0.25
    if name.endswith("latents_std"):
        return 1 + _times_2_to(-7, np.round(_times_2_to(-3, odd)))  # 0.75 .. 1.25
    if name.endswith("mel_basis"):
        return _times_2_to(-14, np.abs(odd))  # a bank of energies
    if name.endswith(".bias"):
        return _times_2_to(-12, odd)
    gain = next((gain for end, gain in GAINS.items() if name.endswith(end)), 1.0)
    return _times_2_to(round(math.log2(gain / (ODD_STD * math.sqrt(math.prod(initial.shape[1:]))))), odd)


@torch.no_grad()
def _centre(log_mel_input: Any) -> None:
    """Let a log-mel of -4 count as zero: silence is -11.5 in every bin, and would drown what tells sounds apart."""
    # the weights are small integers times a power of two: the sum is exact, in whatever order
    log_mel_input.bias.copy_(4 * log_mel_input.weight.sum(dim=(1, 2, 3)))


def _times_2_to(exponent: int, values: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.ldexp(values, exponent)


def _odd_integers(name: str, count: int) -> NDArray[np.float32]:
    """Odd integers from -255 to 255, which bfloat16 holds exactly, drawn by `name`.  # (count,)"""
    seed = hashlib.sha256(f"curate tiny {TINY_VERSION} {name}".encode()).digest()[:16]
    bits = np.random.PCG64(int.from_bytes(seed, "little"))
    words = bits.random_raw(-(-count // 8)).astype("<u8")  # the one stream that numpy promises to keep
    return words.view(np.uint8)[:count].astype(np.float32) * np.float32(2) - np.float32(255)


def _tokenizer() -> Any:
    from transformers.models.gemma.tokenization_gemma import GemmaTokenizer

    special = [
        "<pad>",
        "<eos>",
        "<bos>",
        "<unk>",
        "<mask>",
        "<start_of_turn>",
        "<end_of_turn>",
        "<image_soft_token>",
    ]
    byte_fallback = [f"<0x{byte:02X}>" for byte in range(256)]  # any text can be spelled
    characters = ["▁", *(chr(code) for code in range(33, 127))]
    vocabulary = {token: index for index, token in enumerate([*special, *byte_fallback, *characters])}
    return GemmaTokenizer(vocab=vocabulary, merges=[], model_max_length=1024, add_bos_token=True)


def _text_encoder(vocabulary: int) -> Any:
    from transformers import (
        Gemma3Config,
        Gemma3ForConditionalGeneration,
        Gemma3TextConfig,
        SiglipVisionConfig,
    )

    text = Gemma3TextConfig(
        vocab_size=vocabulary,
        hidden_size=TEXT_DIM,
        intermediate_size=64,
        num_hidden_layers=TEXT_LAYERS,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=16,
        query_pre_attn_scalar=16,
        sliding_window=64,
        max_position_embeddings=4096,
        pad_token_id=0,
        eos_token_id=1,
        bos_token_id=2,
    )
    vision = SiglipVisionConfig(
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=28,
        patch_size=14,
        vision_use_head=False,
    )
    config = Gemma3Config(
        text_config=text.to_dict(),
        vision_config=vision.to_dict(),
        mm_tokens_per_image=4,
        boi_token_index=5,
        eoi_token_index=6,
        image_token_index=7,
    )
    return Gemma3ForConditionalGeneration(config)


def _connectors() -> Any:
    from diffusers.pipelines.ltx2 import LTX2TextConnectors

    return LTX2TextConnectors(
        caption_channels=TEXT_DIM,
        text_proj_in_factor=TEXT_LAYERS + 1,
        video_connector_num_attention_heads=HEADS,
        video_connector_attention_head_dim=VIDEO_HEAD_DIM,
        video_connector_num_layers=1,
        video_gated_attn=True,
        audio_connector_num_attention_heads=HEADS,
        audio_connector_attention_head_dim=AUDIO_HEAD_DIM,
        audio_connector_num_layers=1,
        audio_gated_attn=True,
        rope_type="split",
        per_modality_projections=True,
        video_hidden_dim=HEADS * VIDEO_HEAD_DIM,
        audio_hidden_dim=HEADS * AUDIO_HEAD_DIM,
        proj_bias=True,
    )


def _transformer() -> Any:
    from diffusers import LTX2VideoTransformer3DModel

    return LTX2VideoTransformer3DModel(
        num_layers=2,
        num_attention_heads=HEADS,
        attention_head_dim=VIDEO_HEAD_DIM,
        cross_attention_dim=HEADS * VIDEO_HEAD_DIM,
        gated_attn=True,
        cross_attn_mod=True,
        audio_num_attention_heads=HEADS,
        audio_attention_head_dim=AUDIO_HEAD_DIM,
        audio_cross_attention_dim=HEADS * AUDIO_HEAD_DIM,
        audio_gated_attn=True,
        audio_cross_attn_mod=True,
        caption_channels=TEXT_DIM,
        rope_type="split",
        use_prompt_embeddings=False,
        perturbed_attn=True,
    )


def _video_vae() -> Any:
    from diffusers import AutoencoderKLLTX2Video

    # No ResNet layers and patches of 8 pixels (LTX-2.3: 4, and one more block). Most of the time goes into the first
    # convolution, which costs the same at any patch size; all that follows works on a quarter of the pixels.
    return AutoencoderKLLTX2Video(
        patch_size=8,
        block_out_channels=(64, 128, 128),
        down_block_types=("LTX2VideoDownBlock3D",) * 3,
        layers_per_block=(0,) * 4,
        spatio_temporal_scaling=(True,) * 3,
        downsample_type=("temporal", "spatiotemporal", "spatiotemporal"),
        decoder_block_out_channels=(16, 32, 64),
        decoder_layers_per_block=(0,) * 4,
        decoder_spatio_temporal_scaling=(True,) * 3,
        upsample_type=("spatiotemporal", "spatiotemporal", "temporal"),
        upsample_residual=(False,) * 3,
        upsample_factor=(2, 2, 2),
        decoder_causal=False,
        decoder_spatial_padding_mode="zeros",
        spatial_compression_ratio=32,
        temporal_compression_ratio=8,
    )


def _audio_vae() -> Any:
    from diffusers import AutoencoderKLLTX2Audio

    # 128 base channels are what the latent statistics need: 8 latent channels x 16 bins
    return AutoencoderKLLTX2Audio(base_channels=128, ch_mult=(1, 1, 1), num_res_blocks=0)


def _vocoder() -> Any:
    from diffusers.pipelines.ltx2 import LTX2VocoderWithBWE

    return LTX2VocoderWithBWE(
        hidden_channels=64,
        upsample_kernel_sizes=[11, 4, 4, 4, 4, 4],
        upsample_factors=[5, 2, 2, 2, 2, 2],
        resnet_kernel_sizes=[3],
        resnet_dilations=[[1]],
        bwe_hidden_channels=32,
        bwe_upsample_kernel_sizes=[12, 11, 4, 4, 4],
        bwe_upsample_factors=[6, 5, 2, 2, 2],
        bwe_resnet_kernel_sizes=[3],
        bwe_resnet_dilations=[[1]],
    )


def _scheduler() -> Any:
    from diffusers import FlowMatchEulerDiscreteScheduler

    return FlowMatchEulerDiscreteScheduler(
        use_dynamic_shifting=True,
        base_shift=0.95,
        max_shift=2.05,
        base_image_seq_len=1024,
        max_image_seq_len=4096,
        shift_terminal=0.1,
    )
