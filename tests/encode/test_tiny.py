import hashlib
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file

from curate.encode.tiny import MARKER, build_tiny
from curate.errors import CurateError

# Of all weights, by name. It must not depend on the machine or on the version of any library.
WEIGHTS_SHA = "0ce61673ab3b1a5f164480900d68769fa9585e5eaa9c872fef89e79e949e9174"


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def weights(folder):
    paths = sorted(folder.glob("*/*.safetensors"))
    return {
        f"{path.parent.name}.{name}": tensor for path in paths for name, tensor in load_file(path).items()
    }


def test_every_machine_gets_the_same_weights(stack):
    total = hashlib.sha256()
    for name, tensor in sorted(weights(stack.folder).items()):
        total.update(f"{name} {tuple(tensor.shape)}".encode() + tensor.numpy().tobytes())
    assert total.hexdigest() == WEIGHTS_SHA


def test_bfloat16_holds_the_weights_exactly(stack):
    rounded = [name for name, w in weights(stack.folder).items() if not torch.equal(w, w.bfloat16().float())]
    always_float32 = "audio_vae.encoder.conv_in.conv.bias"
    assert [name for name in rounded if not name.endswith(".filter")] == [always_float32]


def test_building_again_gives_the_same_bytes_and_leaves_the_generator_alone(stack, tmp_path):
    before = torch.random.get_rng_state()
    build_tiny(tmp_path / "again")
    assert torch.equal(before, torch.random.get_rng_state())
    assert files(tmp_path / "again") == files(stack.folder)
    assert [path.name for path in tmp_path.iterdir()] == ["again"]


def test_a_slower_builder_keeps_the_folder_of_the_faster(stack):
    inode = (stack.folder / MARKER).stat().st_ino
    build_tiny(stack.folder)
    assert (stack.folder / MARKER).stat().st_ino == inode
    assert [path.name for path in stack.folder.parent.iterdir()] == [stack.folder.name]


def test_a_place_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(CurateError, match=r"^cannot build the model .*: (Not a directory|File exists)$"):
        build_tiny(tmp_path / "file" / "tiny")


# Imports once what takes ten seconds, then builds and encodes in two processes at once.
ENCODE = """
import hashlib, os, sys
from pathlib import Path
import numpy as np, torch
from curate.encode import quiet_libraries
from curate.encode.audio import encode_audio
from curate.encode.stack import load
from curate.encode.text import encode_text
from curate.encode.video import encode_video

quiet_libraries()
from diffusers import LTX2Pipeline
from transformers import AutoTokenizer, Gemma3ForConditionalGeneration

def encoded(root, threads):
    torch.set_num_threads(threads)
    stack = load("tiny", root)
    random = np.random.default_rng(0)
    video = encode_video(stack, random.integers(0, 256, (9, 128, 128, 3), dtype=np.uint8))
    audio = encode_audio(stack, random.standard_normal(16000).astype(np.float32), None)
    texts = encode_text(stack, "A person speaks.")
    shas = [hashlib.sha256(t.view(torch.uint8).numpy().tobytes()).hexdigest() for t in (video, audio, *texts.values())]
    return [*shas, stack.fingerprint_sha]

root = Path(sys.argv[1])
for threads in (1, 2):
    if not os.fork():
        (root / f"told-{threads}").write_text("\\n".join(encoded(root, threads)))
        sys.exit()
print(*(os.wait()[1] for _ in range(2)))
"""


def test_two_processes_at_once_with_other_threads_agree_and_say_nothing(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", ENCODE, tmp_path], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("0 0\n", "")
    first, second = ((tmp_path / f"told-{threads}").read_text() for threads in (1, 2))
    assert first == second and len(first.splitlines()) == 5
    assert len(list((tmp_path / "models").iterdir())) == 1


def test_the_pipeline_samples_with_it(stack):
    from diffusers import LTX2Pipeline

    pipe = LTX2Pipeline.from_pretrained(stack.folder)
    pipe.set_progress_bar_config(disable=True)
    quick = {"guidance_scale": 1.0, "stg_scale": 0.0, "modality_scale": 1.0, "num_inference_steps": 2}
    size = {"height": 64, "width": 96, "num_frames": 17, "frame_rate": 25.0}
    with stack.inference():
        made = pipe(
            "A person speaks.", **size, **quick, output_type="pt", generator=torch.Generator().manual_seed(0)
        )
    video, audio = made.frames, made.audio
    assert video.shape == (1, 17, 3, 64, 96) and audio.shape[:2] == (1, 2)
    assert video.std() > 0.05 and 0.01 < audio.std() < 0.5
    assert torch.isfinite(video).all() and audio.abs().max() < 1
