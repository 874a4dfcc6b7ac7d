import json
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from curate.encode.stack import Stack
from curate.errors import CurateError
from curate.train import lora
from curate.train.config import TrainConfig

NAME = r"diffusion_model\.transformer_blocks\.(\d+)\.(.+)\.lora_([AB])\.weight"
RANK, ALPHA = 8, 4.0
Outputs = tuple[torch.Tensor, torch.Tensor]


def full_size(layers: int) -> Any:
    """LTX-2.3 without memory. The class's own defaults are the sizes of 2.0, which are the same."""
    from diffusers import LTX2VideoTransformer3DModel

    with torch.device("meta"):
        return LTX2VideoTransformer3DModel(
            num_layers=layers,
            gated_attn=True,
            cross_attn_mod=True,
            audio_gated_attn=True,
            audio_cross_attn_mod=True,
            use_prompt_embeddings=False,
            perturbed_attn=True,
        )


def adapted(stack: Stack, alpha: float = ALPHA, **settings: Any) -> Any:
    """The miniature with an adapter whose B is not zero any more, as after some training."""
    transformer = stack.load_transformer()
    stream = torch.Generator().manual_seed(1)
    for name, parameter in lora.add_lora(transformer, TrainConfig(rank=RANK, alpha=alpha, **settings)):
        if "lora_B" in name:
            parameter.data = torch.randn(parameter.shape, generator=stream) / 10
    return transformer


def saved(transformer: Any, path: Path, alpha: float = ALPHA) -> Path:
    lora.save(path, lora.state(transformer), alpha / RANK, {"rank": str(RANK)})
    return path


@pytest.fixture(scope="module")
def outputs(stack: Stack) -> Callable[[Any], Outputs]:
    """What a transformer makes of 16 video and 20 audio tokens of noise."""
    stream, transformer, cpu = torch.Generator().manual_seed(0), stack.load_transformer(), torch.device("cpu")

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=stream)

    level = torch.tensor([500.0])
    given = {
        "hidden_states": noise(1, 16, 128),
        "audio_hidden_states": noise(1, 20, 128),
        "encoder_hidden_states": noise(1, 128, 64),
        "audio_encoder_hidden_states": noise(1, 128, 32),
        "timestep": level,
        "sigma": level,
        "audio_sigma": level,
        "video_coords": transformer.rope.prepare_video_coords(1, 1, 4, 4, cpu, fps=25.0),
        "audio_coords": transformer.audio_rope.prepare_audio_coords(1, 20, cpu),
        "use_cross_timestep": True,
        "return_dict": False,
    }

    def run(transformer: Any) -> Outputs:
        with torch.no_grad():
            video, audio = transformer(**given)
        return video, audio

    return run


def distance(a: Outputs, b: Outputs) -> float:
    return max(float((x - y).abs().max()) for x, y in zip(a, b, strict=True))


def pipeline(stack: Stack) -> Any:
    from diffusers import LTX2Pipeline

    return LTX2Pipeline.from_pretrained(stack.folder)


@pytest.mark.parametrize(
    ("targets", "layers", "tensors", "millions"),
    [
        ("audio", 48, 960, {32: 81.8}),  # helium: its card says 960
        ("video", 48, 960, {128: 654.3}),  # reference sheets
        ("video-attention", 1, 768, {16: 50.3, 32: 100.7}),  # human, VBVR; all 48 blocks are alike
        ("audio+bridge", 1, 1728, {32: 144.7}),
    ],
)
def test_on_ltx_2_3_the_tensors_are_as_many_as_the_cards_say(
    targets: str, layers: int, tensors: int, millions: dict[int, float]
) -> None:
    real, used = full_size(layers), next(iter(millions))
    with torch.device("meta"):
        lora.add_lora(real, TrainConfig(rank=used, alpha=used, targets=targets))
    adapter, times = lora.state(real), 48 // layers
    assert len(adapter) * times == tensors
    numbers = times * sum(value.numel() for value in adapter.values())
    assert {rank: round(numbers * rank / used / 1e6, 1) for rank in millions} == millions
    found = Counter[tuple[str, str]]()
    for name, value in adapter.items():
        match = re.fullmatch(NAME, lora.PREFIX + name)
        assert match, name
        found[match[2], match[3]] += 1
        assert value.dtype == torch.float32
        assert value.shape[0 if match[3] == "A" else 1] == used
    assert found == {(module, side): layers for module in lora.TARGETS[targets] for side in "AB"}


def test_the_miniature_has_the_blocks_of_ltx_2_3(stack: Stack) -> None:
    """So what a test shows of its adapter holds for the real one."""
    small = {name for name, _ in stack.load_transformer().transformer_blocks[0].named_modules()}
    assert small == {name for name, _ in full_size(1).transformer_blocks[0].named_modules()}


@pytest.mark.parametrize("targets", lora.TARGETS)
def test_the_file_gives_in_ltx2pipeline_what_was_trained(
    stack: Stack, outputs: Callable[[Any], Outputs], tmp_path: Path, targets: str
) -> None:
    transformer, pipe = adapted(stack, targets=targets), pipeline(stack)
    base, trained = outputs(pipe.transformer), outputs(transformer)
    pipe.load_lora_weights(str(saved(transformer, tmp_path / "x.safetensors")))
    for name, parameter in transformer.named_parameters():
        if ".lora_" in name:
            parameter.data = parameter.data.bfloat16().float()
    assert distance(outputs(pipe.transformer), outputs(transformer)) == 0
    assert 0 < distance(outputs(pipe.transformer), trained) < 0.01 * distance(trained, base)


def test_any_alpha_survives_in_readers_that_take_it_for_the_rank(
    stack: Stack, outputs: Callable[[Any], Outputs], tmp_path: Path
) -> None:
    transformer, pipe = adapted(stack, alpha=3.0), pipeline(stack)
    base, trained = outputs(pipe.transformer), outputs(transformer)
    path = saved(transformer, tmp_path / "x.safetensors", alpha=3.0)
    pipe.load_lora_weights(str(path))
    assert distance(outputs(pipe.transformer), trained) < 0.01 * distance(trained, base)
    assert all(name.endswith((".lora_A.weight", ".lora_B.weight")) for name in load_file(path))


def test_attached_at_a_strength_it_acts_as_in_the_pipeline(
    stack: Stack, outputs: Callable[[Any], Outputs], tmp_path: Path
) -> None:
    path, pipe = saved(adapted(stack), tmp_path / "x.safetensors"), pipeline(stack)
    adapter, _ = lora.read_file(path)
    base = outputs(pipe.transformer)
    pipe.load_lora_weights(str(path), adapter_name="x")
    effects = list[float]()
    for strength in (0.0, 0.5, 1.0):
        transformer = stack.load_transformer()
        lora.attach(transformer, adapter, strength)
        pipe.set_adapters(["x"], [strength])
        assert distance(outputs(transformer), outputs(pipe.transformer)) == 0
        assert not [name for name, value in transformer.named_parameters() if value.requires_grad]
        effects.append(distance(outputs(transformer), base))
    assert effects[0] == 0 < effects[1] < effects[2]


def test_the_file_is_bfloat16_says_what_it_is_and_has_the_same_bytes_again(
    stack: Stack, tmp_path: Path
) -> None:
    path = saved(adapted(stack), tmp_path / "lora" / "x.safetensors")
    with safe_open(path, "pt") as file:
        assert file.metadata() == {"format": "pt", "rank": str(RANK)}
    tensors = load_file(path)
    assert {value.dtype for value in tensors.values()} == {torch.bfloat16}
    assert len(tensors) == 2 * 2 * len(lora.TARGETS["video-attention"])
    state = lora.state(adapted(stack))
    names = list(state)
    random.Random(0).shuffle(names)
    shuffled = {name: state[name] for name in names}
    assert lora.to_file(shuffled, ALPHA / RANK, {"rank": str(RANK)}) == path.read_bytes()
    assert [p.name for p in path.parent.iterdir()] == ["x.safetensors"]


def test_a_new_adapter_changes_nothing_and_depends_on_the_seed_only(
    stack: Stack, outputs: Callable[[Any], Outputs]
) -> None:
    def fresh(seed: int) -> Any:
        transformer = stack.load_transformer()
        before = torch.random.get_rng_state()
        lora.add_lora(transformer, TrainConfig(rank=RANK, seed=seed))
        assert torch.equal(before, torch.random.get_rng_state())
        return transformer

    first, again, other = fresh(1), fresh(1), fresh(2)
    assert distance(outputs(first), outputs(stack.load_transformer())) == 0
    assert all(torch.equal(value, lora.state(again)[name]) for name, value in lora.state(first).items())
    assert not all(torch.equal(value, lora.state(other)[name]) for name, value in lora.state(first).items())


def test_only_the_adapter_is_trained_in_float32_whatever_the_base(stack: Stack) -> None:
    transformer = stack.load_transformer().bfloat16()
    named = lora.add_lora(transformer, TrainConfig(rank=RANK))
    trained = [name for name, value in transformer.named_parameters() if value.requires_grad]
    assert [name for name, _ in named] == trained and len(trained) == 32
    assert {value.dtype for _, value in named} == {torch.float32}
    assert all(".lora_" in name for name in trained)


def test_bare_names_reach_all_six_attentions_of_a_block(stack: Stack) -> None:
    transformer = stack.load_transformer()
    targets = ("to_q", "to_k", "to_v", "to_out.0")
    assert len(lora.add_lora(transformer, TrainConfig(rank=RANK, targets=targets))) == 2 * 6 * 4 * 2


@pytest.mark.parametrize(
    "name", ["attn3.to_q", "q", "attn1", "proj_in", "linear_1"]
)  # the last two: not in a block
def test_an_unknown_module_is_named(stack: Stack, name: str) -> None:
    with pytest.raises(CurateError, match=f"no linear module '{name}'$"):
        lora.add_lora(stack.load_transformer(), TrainConfig(rank=RANK, targets=("attn1.to_q", name)))


def test_a_rank_that_does_not_fit_names_the_module_and_the_largest(stack: Stack) -> None:
    with pytest.raises(CurateError, match=r"^rank 33: wanted at most 32, the width of .*audio_attn1\.to_k$"):
        lora.add_lora(stack.load_transformer(), TrainConfig(rank=33, targets="audio"))
    lora.add_lora(stack.load_transformer(), TrainConfig(rank=32, targets="audio"))


def test_a_state_goes_back_only_into_an_adapter_of_its_own(stack: Stack) -> None:
    state, other = lora.state(adapted(stack)), stack.load_transformer()
    lora.add_lora(other, TrainConfig(rank=RANK, targets="audio"))
    with pytest.raises(CurateError, match="an adapter of 32 tensors, wanted the 40 of this configuration"):
        lora.load_state(other, state)
    mine = stack.load_transformer()
    lora.add_lora(mine, TrainConfig(rank=RANK, seed=9))
    lora.load_state(mine, state)
    assert all(torch.equal(value, lora.state(mine)[name]) for name, value in state.items())


def test_what_is_no_lora_file_is_one_line(stack: Stack, tmp_path: Path) -> None:
    good = saved(adapted(stack), tmp_path / "good.safetensors").read_bytes()
    header = json.dumps(
        {"transformer.x.lora_A.weight": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}
    )
    wrong = {
        "truncated": (good[:-1], "begins at|take|up to"),
        "empty": (b"", "truncated"),
        "text": (b"not a tensor file", "truncated"),
        "foreign": (len(header).to_bytes(8, "little") + header.encode() + b"\0\0", "holds 'transformer.x"),
    }
    for name, (data, says) in wrong.items():
        path = tmp_path / f"{name}.safetensors"
        path.write_bytes(data)
        with pytest.raises(CurateError, match=says) as caught:
            lora.read_file(path)
        assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)
    with pytest.raises(CurateError, match=r"cannot read .*none\.safetensors: No such file"):
        lora.read_file(tmp_path / "none.safetensors")


def test_an_adapter_of_another_model_is_not_attached(stack: Stack, tmp_path: Path) -> None:
    adapter, _ = lora.read_file(saved(adapted(stack), tmp_path / "x.safetensors"))
    first = "transformer_blocks.0.attn1.to_q.lora_"

    def refused(changed: dict[str, torch.Tensor], says: str) -> None:
        with pytest.raises(CurateError, match=says):
            lora.attach(stack.load_transformer(), changed, 1.0)

    refused({}, "without any tensor")
    refused(
        {k.replace("blocks.1.", "blocks.7."): v for k, v in adapter.items()}, r"blocks\.7\.\S+ is not there"
    )
    refused(
        adapter | {f"{first}B.weight": torch.zeros(128, RANK)},
        r"is \(64, 64\) in this one, in the LoRA \(128, 64\)",
    )
    refused(
        {k: v for k, v in adapter.items() if k != f"{first}A.weight"},
        "one half of transformer_blocks.0.attn1.to_q",
    )
    smaller = {f"{first}A.weight": torch.zeros(2, 64), f"{first}B.weight": torch.zeros(64, 2)}
    refused(adapter | smaller, r"several ranks: \[2, 8\]")
