"""Captions to text features, and back to what the transformer reads.

Stored are Gemma's projected states before the connectors, without padding: 12 kB a token instead of 12 MB a
caption. `repad` and `connect` restore, exactly, what the pipeline would have computed.
"""

from typing import Any

import torch

from curate.encode.stack import Stack
from curate.errors import CurateError

TEXT_LENGTH = 1024  # LTX-2 pads every caption to it, and the connectors attend to the padding's registers


def encode_text(stack: Stack, caption: str) -> dict[str, torch.Tensor]:
    """The text features of a caption, bfloat16 on the CPU.

    `video_text`  # (L, Dv) and `audio_text`  # (L, Da); L counts the caption's tokens and <bos>, so an empty
    caption has 1. Raises CurateError when L exceeds 1024: nothing is cut off silently.
    """
    return {name: value.to(torch.bfloat16).cpu() for name, value in project_text(stack, caption).items()}


def project_text(stack: Stack, caption: str) -> dict[str, torch.Tensor]:
    """`encode_text` before rounding, in the precision and on the device of the stack."""
    text = caption.strip()  # as the pipelines do
    count = len(stack.tokenizer(text).input_ids)
    if count > TEXT_LENGTH:
        raise CurateError(f"caption {text[:40]!r}... has {count} tokens, wanted at most {TEXT_LENGTH}")
    tokens = stack.tokenizer(
        text, padding="max_length", padding_side="left", max_length=TEXT_LENGTH, return_tensors="pt"
    ).to(stack.device)
    with stack.inference():
        # The padding too, although its states are dropped: without it, the states of the caption round differently.
        states = stack.text_encoder(**tokens, output_hidden_states=True).hidden_states
        stacked = torch.stack(states, dim=-1)  # (1, 1024, D, layers + 1)
        video, audio, _ = stack.text_projections(stacked, tokens.attention_mask, padding_side="left")
    return {"video_text": video[0, -count:], "audio_text": audio[0, -count:]}


def repad(features: torch.Tensor, length: int = TEXT_LENGTH) -> tuple[torch.Tensor, torch.Tensor]:
    """Undo the dropping of the padding: zeros on the left.  # (L, D) -> (length, D), mask (length,) int64

    The mask is 1 for the caption and 0 for padding. `length` is a multiple of the 128 registers of the connectors.
    Raises ValueError when the features are longer.
    """
    count, width = features.shape
    if count > length:
        raise ValueError(f"{count} tokens, wanted at most {length}")
    padding = features.new_zeros(length - count, width)
    mask = torch.arange(length, device=features.device) >= length - count
    return torch.cat([padding, features]), mask.long()


def connect(
    connectors: Any, video_text: torch.Tensor, audio_text: torch.Tensor, mask: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Run the connectors on re-padded features: what the transformer takes as `encoder_hidden_states`, all of it valid.

    `connectors` is a whole LTX2TextConnectors; video_text  # (B, 1024, Dv), audio_text  # (B, 1024, Da),
    mask  # (B, 1024). The second half of `LTX2TextConnectors.forward`.
    """
    bias = (mask[:, None, None].to(video_text.dtype) - 1) * torch.finfo(
        video_text.dtype
    ).max  # (B, 1, 1, 1024)
    return connectors.video_connector(video_text, bias)[0], connectors.audio_connector(audio_text, bias)[0]
