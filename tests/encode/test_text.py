import json
import shutil

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.encode.stack import load
from curate.encode.text import TEXT_LENGTH, connect, encode_text, project_text, repad
from curate.errors import CurateError

CAPTIONS = ["", "A person speaking calmly in a room.", "  她说：别喝这杯茶！\n", "x" * 1023]


@pytest.fixture(scope="module")
def connectors(stack):
    from diffusers.pipelines.ltx2 import LTX2TextConnectors

    whole = LTX2TextConnectors.from_pretrained(stack.folder / "connectors").eval()
    return whole.to(stack.device, stack.dtype)


def whole_path(stack, connectors, caption):
    """What LTX2Pipeline computes for a caption: (video, audio) after the connectors."""
    from diffusers import LTX2Pipeline

    parts = {"vae": None, "audio_vae": None, "transformer": None, "vocoder": None, "scheduler": None}
    pipe = LTX2Pipeline(
        **parts, text_encoder=stack.text_encoder, tokenizer=stack.tokenizer, connectors=connectors
    )
    hidden, mask, _, _ = pipe.encode_prompt(caption, do_classifier_free_guidance=False, device=stack.device)
    video, audio, valid = connectors(hidden, mask, padding_side=stack.tokenizer.padding_side)
    assert valid.all()  # registers stand where the padding was, and the transformer reads them
    return video, audio


def short_path(features, connectors):
    (video, mask), (audio, _) = repad(features["video_text"]), repad(features["audio_text"])
    return connect(connectors, video[None], audio[None], mask[None])


@pytest.mark.parametrize("caption", CAPTIONS, ids=["empty", "english", "chinese", "longest"])
def test_repadding_restores_the_pipeline_exactly(stack, connectors, caption):
    with stack.inference():
        wanted = whole_path(stack, connectors, caption)
        found = short_path(project_text(stack, caption), connectors)
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.shape == (1, TEXT_LENGTH, ours.shape[2]) and torch.equal(ours, theirs)


def test_the_connectors_of_ltx_2_0_work_too(stack, tmp_path):
    from diffusers.pipelines.ltx2 import LTX2TextConnectors

    shutil.copytree(stack.folder, tmp_path / "old")
    shape = {"attention_head_dim": 16, "num_attention_heads": 2, "num_layers": 1}
    old = LTX2TextConnectors(
        caption_channels=32,
        text_proj_in_factor=3,
        per_modality_projections=False,
        **{
            f"{stream}_connector_{key}": value
            for stream in ("video", "audio")
            for key, value in shape.items()
        },
    ).eval()
    shutil.rmtree(tmp_path / "old" / "connectors")
    old.save_pretrained(tmp_path / "old" / "connectors")
    older = load(str(tmp_path / "old"), tmp_path)
    old.to(older.device, older.dtype)
    with older.inference():
        wanted = whole_path(older, old, CAPTIONS[1])
        found = short_path(project_text(older, CAPTIONS[1]), old)
    assert torch.equal(found[0], wanted[0]) and torch.equal(found[1], wanted[1])


@settings(deadline=None, max_examples=15)
@given(caption=st.text(max_size=60))
def test_any_text_is_one_feature_a_token_rounded_to_bfloat16(stack, caption):
    exact, stored = project_text(stack, caption), encode_text(stack, caption)
    count = len(stack.tokenizer(caption.strip()).input_ids)
    assert stored["video_text"].shape == (count, 64) and stored["audio_text"].shape == (count, 32)
    for name, value in stored.items():
        assert torch.equal(value, exact[name].to(torch.bfloat16).cpu()) and value.isfinite().all()


def test_an_empty_caption_is_the_first_token_alone(stack):
    empty = encode_text(stack, " \n")
    assert len(empty["video_text"]) == 1
    assert (
        json.loads((stack.folder / "tokenizer" / "tokenizer_config.json").read_text())["bos_token"] == "<bos>"
    )


def test_too_long_a_caption_is_refused_not_cut(stack):
    assert len(encode_text(stack, "x" * 1023)["video_text"]) == TEXT_LENGTH
    with pytest.raises(CurateError, match=r"^caption 'x{40}'\.\.\. has 1025 tokens, wanted at most 1024$"):
        encode_text(stack, "x" * 1024)


def test_captions_and_words_are_told_apart(stack):
    left, right = (
        encode_text(stack, f"A {word} person speaks")["video_text"].float() for word in ("calm", "loud")
    )
    assert (left - right).abs().max() > 0.1
    assert left.std(dim=0).mean() > 0.1 * left.std()


@given(count=st.integers(0, 256), width=st.integers(1, 5))
@settings(deadline=None)
def test_repad_puts_zeros_on_the_left(count, width):
    features = torch.arange(1.0, count * width + 1).reshape(count, width)
    padded, mask = repad(features, 256)
    assert padded.shape == (256, width) and mask.shape == (256,) and mask.dtype == torch.int64
    assert mask.tolist() == [0] * (256 - count) + [1] * count
    assert torch.equal(padded[mask.bool()], features) and not padded[~mask.bool()].any()


def test_repad_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="129 tokens, wanted at most 128"):
        repad(torch.zeros(129, 2), 128)
