"""The round trip with the real encoder classes: sound latents pass, and each finding trips on what it is for."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate import decoded
from curate.errors import CurateError
from curate.files import map_file
from curate.media.audio import read_audio, to_float, to_int16
from curate.proof.finding import Finding
from curate.records import Build, VideoRef
from curate.roundtrip import (
    NAMES,
    SAMPLED,
    RoundTripItem,
    drawn,
    recorded_faults,
    round_trip,
    shipped,
    values,
)
from curate.shard import pack
from curate.tensors import TensorBytes, pack_tensors
from tests.media.test_pitch import pulses

FRAMES, FPS = 17, 25.0
Tensors = dict[str, TensorBytes]
Change = Callable[[TensorBytes], TensorBytes]


@pytest.fixture(scope="module")
def stack(shared_cache: Path) -> Any:
    from curate.encode.stack import load

    return load("tiny", shared_cache)


def encoded(path: Path, ref: VideoRef, waves: dict[str, np.ndarray], stack: Any) -> Tensors:
    """The latents of one sample, as a build makes them."""
    from curate.encode.audio import encode_audio
    from curate.encode.plain import as_bytes
    from curate.encode.video import encode_video
    from curate.media.video import read_frames

    size = {"frames": ref.frames, "width": ref.width, "height": ref.height}
    frames = read_frames(path, start_s=ref.start_s, fps=ref.fps, **size)
    steps = {"audio": round(25 * ref.frames / ref.fps), "reference_audio": None}
    sounds = {role: encode_audio(stack, to_float(wave), steps[role]) for role, wave in waves.items()}
    return {
        "video_latents": as_bytes(encode_video(stack, frames)),
        **{f"{role}_latents": as_bytes(latents) for role, latents in sounds.items()},
    }


@pytest.fixture(scope="module")
def items(heads: Path, stack: Any, tmp_path_factory: pytest.TempPathFactory) -> list[RoundTripItem]:
    """Three samples of three clips, packed and read back."""
    paths = sorted(heads.glob("*.mp4"))[:3]
    made = list[RoundTripItem]()
    for number, path in enumerate(paths):
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        ref = VideoRef(sha256=sha256, start_s=0.0, frames=FRAMES, fps=FPS, width=64, height=64)
        speech = to_int16(0.5 * read_audio(path, 0.0, FRAMES / FPS))
        waves = {"audio": speech, "reference_audio": to_int16(pulses(150.0 + 20 * number, 1.0))}
        latents = encoded(path, ref, waves, stack)
        made.append(
            RoundTripItem(f"clip-{number}", latents, waves, {"reference_audio": 150.0}, ref, str(path))
        )
    shards = tmp_path_factory.mktemp("shards")
    members = (
        {"json": json.dumps({"id": i.id}).encode(), "safetensors": pack_tensors(i.latents, {})} for i in made
    )
    back = dict(shipped(shards, pack(shards, "train", members), {item.id for item in made}))
    return [replace(item, latents=back[item.id]) for item in made]


@pytest.fixture
def posing(stack: Any, shared_cache: Path, tmp_path: Path) -> Any:
    """The miniature without the mark that says it is untrained."""
    from curate.encode.stack import load
    from curate.encode.tiny import MARKER

    shutil.copytree(stack.folder, tmp_path / "posing")
    (tmp_path / "posing" / MARKER).unlink()
    return load(str(tmp_path / "posing"), shared_cache)


def judged(items: list[RoundTripItem], stack: Any) -> dict[str, Finding]:
    findings = round_trip(items, stack)
    assert tuple(found.name for found in findings) == NAMES
    return {found.name: found for found in findings}


def failed(items: list[RoundTripItem], stack: Any) -> set[str]:
    return {name for name, found in judged(items, stack).items() if found.verdict == "fail"}


def spoiled(items: list[RoundTripItem], name: str, change: Change) -> list[RoundTripItem]:
    """The first sample with one tensor changed."""
    first = items[0]
    return [replace(first, latents={**first.latents, name: change(first.latents[name])}), *items[1:]]


def of_values(like: TensorBytes, changed: np.ndarray) -> TensorBytes:
    """A tensor of the dtype of `like`; bfloat16 by cutting, which is as good for damage."""
    plain = np.ascontiguousarray(changed, np.float32)
    bits = (plain.view(np.uint32) >> 16).astype(np.uint16) if like.dtype == "BF16" else plain
    return TensorBytes(like.dtype, plain.shape, bits.tobytes())


def test_sound_latents_pass_and_untrained_weights_are_no_measurement(
    items: list[RoundTripItem], stack: Any
) -> None:
    found = judged(items, stack)
    aside = {*decoded.NAMES, "latent_first_frame"}  # no picture stands in place of a first frame here
    assert {name for name, one in found.items() if one.verdict == "pass"} == set(NAMES) - aside
    assert found["latent_first_frame"].verdict == "not_applicable"
    for name in decoded.NAMES:
        assert (found[name].verdict, found[name].says) == ("not_applicable", decoded.UNTRAINED_SAYS)
        assert not found[name].measured
    assert {one.pairs for one in found.values()} == {3}


def test_weights_that_pose_as_trained_are_found_out(items: list[RoundTripItem], posing: Any) -> None:
    heard = [replace(item, pitch_hz={"audio": 120.0, "reference_audio": 150.0}) for item in items]
    found = judged(heard, posing)
    assert posing.trained
    assert {n for n, f in found.items() if f.verdict == "fail"} == {
        "decoded_pitch",
        "decoded_offset",
        "decoded_psnr",
    }
    assert found["decoded_psnr"].measured["least"] < 15
    assert (
        found["decoded_timbre"].verdict == "not_applicable" and found["decoded_timbre"].measured["median"] > 5
    )


def test_a_trained_model_without_a_vocoder_judges_the_pictures(
    items: list[RoundTripItem], posing: Any
) -> None:
    shutil.rmtree(posing.folder / "vocoder")
    found = judged(items[:2], posing)
    assert found["decoded_psnr"].verdict == "fail"
    for name in ("decoded_pitch", "decoded_offset", "decoded_timbre"):
        assert found[name].verdict == "not_applicable" and "no vocoder" in found[name].says


@pytest.mark.parametrize("name", ["video_latents", "audio_latents", "reference_audio_latents"])
def test_swapped_latents_trip_reencode_and_nearest(name: str, items: list[RoundTripItem], stack: Any) -> None:
    one, two, three = items
    swapped = [
        replace(one, latents={**one.latents, name: two.latents[name]}),
        replace(two, latents={**two.latents, name: one.latents[name]}),
        three,
    ]
    found = judged(swapped, stack)
    assert found["latent_reencode"].measured == found["latent_nearest"].measured == {"offenders": 2}
    assert (
        f"clip-0 {name}" in found["latent_nearest"].says and f"clip-1 {name}" in found["latent_nearest"].says
    )
    assert found["latent_shapes"].verdict == "pass"


@pytest.mark.parametrize("name", ["video_latents", "audio_latents", "reference_audio_latents"])
def test_unnormalised_latents_trip_normalisation(name: str, items: list[RoundTripItem], stack: Any) -> None:
    from curate.encode.decode import denormalised_audio, denormalised_video

    undo = denormalised_video if name == "video_latents" else denormalised_audio
    raw = spoiled(items, name, lambda t: of_values(t, undo(stack, values(t))))
    found = judged(raw, stack)
    assert (
        found["latent_normalisation"].verdict == "fail"
        and f"clip-0 {name}" in found["latent_normalisation"].says
    )
    assert found["latent_nearest"].verdict == "pass"  # so it is not the wrong media


@pytest.mark.parametrize("name", ["video_latents", "audio_latents"])
def test_one_flipped_bit_trips_reencode_alone(name: str, items: list[RoundTripItem], stack: Any) -> None:
    def flip(tensor: TensorBytes) -> TensorBytes:
        content = bytearray(tensor.data)
        content[-2 if tensor.dtype == "BF16" else -4] ^= 1
        return replace(tensor, data=bytes(content))

    assert failed(spoiled(items, name, flip), stack) == {"latent_reencode"}


@pytest.mark.parametrize(
    ("name", "bad"), [("video_latents", np.nan), ("video_latents", -np.inf), ("audio_latents", np.nan)]
)
def test_a_value_that_is_not_finite_trips_shapes(
    name: str, bad: float, items: list[RoundTripItem], stack: Any
) -> None:
    def poison(tensor: TensorBytes) -> TensorBytes:
        changed = values(tensor).copy()
        changed.flat[7] = bad
        return of_values(tensor, changed)

    found = judged(spoiled(items[:2], name, poison), stack)
    assert found["latent_shapes"].says.endswith(f"first clip-0 {name}: values that are not finite")
    assert found["latent_shapes"].verdict == "fail" and found["latent_reencode"].pairs == 1


def cut(tensor: TensorBytes) -> TensorBytes:
    return of_values(tensor, values(tensor)[:, :-1])


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("video_latents", "BF16 [128, 2, 2, 2], wanted BF16 [128, 3, 2, 2]"),
        ("audio_latents", "F32 [8, 16, 16], wanted F32 [8, 17, 16]"),
        ("reference_audio_latents", "F32 [8, 25, 16], wanted F32 [8, 26, 16]"),
    ],
)
def test_another_shape_trips_shapes(name: str, says: str, items: list[RoundTripItem], stack: Any) -> None:
    found = judged(spoiled(items[:1], name, cut), stack)
    assert found["latent_shapes"].says.endswith(f"first clip-0 {name}: {says}")
    rest = {found[other].verdict for other in NAMES[1:5]}
    assert rest == {"not_testable"}  # nothing was left to judge


def test_a_tensor_too_many_and_one_too_few_trip_shapes(items: list[RoundTripItem], stack: Any) -> None:
    first = items[0]
    others = {
        "image_latents": first.latents["video_latents"],
        "audio_latents": first.latents["audio_latents"],
    }
    found = judged([replace(first, latents=others)], stack)["latent_shapes"]
    assert found.measured == {"offenders": 3} and "clip-0 image_latents: not asked for" in found.says


def test_a_decoder_that_gives_another_length_trips_decoded_shapes(
    items: list[RoundTripItem], posing: Any, tmp_path: Path
) -> None:
    from diffusers.pipelines.ltx2 import LTX2Vocoder

    shutil.rmtree(posing.folder / "vocoder")
    wrong = LTX2Vocoder(
        128,
        16,
        upsample_kernel_sizes=[16, 15, 8],
        upsample_factors=[6, 5, 8],
        resnet_kernel_sizes=[3],
        resnet_dilations=[[1]],
        output_sampling_rate=16_000,
    )
    wrong.save_pretrained(posing.folder / "vocoder")  # makes 240 samples a mel step, and says 16 kHz
    index = posing.folder / "model_index.json"
    index.write_text(json.dumps(json.loads(index.read_text()) | {"vocoder": ["ltx2", "LTX2Vocoder"]}))
    posing = type(posing)("posing", posing.folder, tmp_path)
    found = judged(items[:1], posing)
    assert found["decoded_shapes"].verdict == "fail" and "clip-0 audio: " in found["decoded_shapes"].says


def test_one_source_is_not_enough_for_nearest(items: list[RoundTripItem], stack: Any) -> None:
    twice = [items[0], replace(items[0], id="again")]
    for few in (items[:1], twice):
        found = judged(few, stack)["latent_nearest"]
        assert (found.verdict, found.needed_pairs) == ("not_testable", 2)


def test_sound_alone_and_pictures_alone_are_judged(items: list[RoundTripItem], stack: Any) -> None:
    tones = [
        replace(i, video=None, waves={"reference_audio": i.waves["reference_audio"]},
                latents={"reference_audio_latents": i.latents["reference_audio_latents"]}) for i in items[:2]
    ]  # fmt: skip
    films = [replace(i, waves={}, latents={"video_latents": i.latents["video_latents"]}) for i in items[:2]]
    for few in (tones, films):
        found = judged(few, stack)
        assert {found[name].verdict for name in NAMES[:5]} == {"pass"}


def test_a_sample_without_media_is_not_applicable(stack: Any) -> None:
    found = judged([RoundTripItem("text-0", {}, {}, {})], stack)
    assert found["latent_normalisation"].says == "nothing was encoded"
    assert "fail" not in {one.verdict for one in found.values()}


def test_no_samples_show_nothing(stack: Any) -> None:
    found = judged([], stack)
    assert {found[name].verdict for name in NAMES[:5]} == {"not_testable"}
    assert {found[name].verdict for name in decoded.NAMES} == {"not_applicable"}


def test_a_video_that_is_gone_is_one_line(items: list[RoundTripItem], stack: Any, tmp_path: Path) -> None:
    (tmp_path / "empty.mp4").write_bytes(b"")
    gone = [replace(items[0], video_path=str(tmp_path / "empty.mp4"))]
    with pytest.raises(CurateError, match=r"empty\.mp4: its frames cannot be read any more: [^\n]+$"):
        round_trip(gone, stack)


@settings(max_examples=30)
@given(ids=st.sets(st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True), max_size=12), seed=st.integers(0, 99))
def test_the_lot_does_not_hang_on_order(ids: set[str], seed: int) -> None:
    some = drawn(ids, seed)
    assert some == drawn(sorted(ids, reverse=True), seed)
    assert len(some) == min(SAMPLED, len(ids)) and set(some) <= ids
    kept_out = ids - set(some)
    assert drawn(set(some) | set(sorted(kept_out)[:1]), seed) == some  # who is out changes nothing


def test_the_lot_falls_otherwise_with_another_seed() -> None:
    ids = [f"clip-{n}" for n in range(50)]
    assert len({tuple(drawn(ids, seed)) for seed in range(8)}) == 8


def test_a_damaged_shard_is_one_line(items: list[RoundTripItem], tmp_path: Path) -> None:
    members = [{"json": b'{"id": "clip-0"}', "safetensors": pack_tensors(items[0].latents, {})}]
    cards = pack(tmp_path, "train", members)
    assert [name for name, _ in shipped(tmp_path, cards, {"clip-0"})] == ["clip-0"]
    assert list(shipped(tmp_path, cards, {"clip-1"})) == []
    path = tmp_path / "train-00000.tar"
    path.write_bytes(bytes(map_file(path))[:-512])
    with pytest.raises(CurateError, match="bytes, the index says"):
        list(shipped(tmp_path, cards, {"clip-0"}))


def manifest(encoder: dict[str, str] | None, trained: bool, control: str | None = None) -> Build:
    return Build.model_construct(encoder=encoder, trained=trained, control=control)


def test_what_a_set_records_is_believed_as_far_as_it_agrees_with_itself(
    items: list[RoundTripItem], stack: Any
) -> None:
    untrained, sound = manifest({"model": "tiny"}, False), round_trip(items[:2], stack)
    assert list(recorded_faults(sound, untrained)) == []
    assert list(recorded_faults([], manifest(None, False))) == []
    assert list(recorded_faults([], manifest({"model": "tiny"}, False, "caption-only"))) == []
    for findings, of in ((sound[1:], untrained), ([], untrained), (sound, manifest(None, False))):
        (fault,) = recorded_faults(findings, of)
        assert "not the findings latent_shapes" in fault
    claimed = sound[-1].model_copy(
        update={"says": "median 1.00, at most 2.00 dB", "measured": {"median": 1.0}}
    )
    (fault,) = recorded_faults([*sound[:-1], claimed], untrained)
    assert fault.endswith("untrained weights measure nothing")


@pytest.mark.parametrize(
    ("place", "change"),
    [
        (0, {"verdict": "fail"}),
        (0, {"measured": {"offenders": 1}}),
        (0, {"measured": {}}),
        (1, {"measured": {"largest": 0.03}}),
    ],
)
def test_a_verdict_that_its_numbers_deny_is_a_fault(
    place: int, change: dict[str, Any], items: list[RoundTripItem], stack: Any
) -> None:
    findings = round_trip(items[:2], stack)
    findings[place] = findings[place].model_copy(update=change)
    (fault,) = recorded_faults(findings, manifest({"model": "tiny"}, False))
    assert fault.startswith(NAMES[place]) and fault.endswith("its own numbers say otherwise")
