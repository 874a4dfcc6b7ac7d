import json
import os
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import load_file, save_file

from curate.encode.stack import PARTS, load
from curate.encode.tiny import MARKER
from curate.errors import CurateError
from curate.records import sha256_of


@pytest.fixture
def folder(stack, tmp_path):
    """A copy of the miniature that a test may spoil."""
    shutil.copytree(stack.folder, tmp_path / "copy")
    return tmp_path / "copy"


def edit_index(folder, **changes):
    path = folder / "model_index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_naming_the_package_loads_no_torch():
    code = "import sys, curate.encode; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_tiny_is_untrained_by_whatever_path(stack, folder, cache_root):
    copied = load(str(folder), cache_root)
    assert (stack.trained, copied.trained) == (False, False)
    assert copied.name == "tiny" and copied.fingerprint == stack.fingerprint
    (folder / MARKER).unlink()
    assert (load(str(folder), cache_root).trained, load(str(folder), cache_root).name) == (True, "copy")


def test_the_parts_are_real_classes_in_the_promised_precision(stack):
    assert stack.vae.config.latent_channels == 128
    assert {p.dtype for p in stack.audio_vae.parameters()} == {torch.float32}
    assert {p.dtype for p in stack.vae.parameters()} == {stack.dtype}
    assert not any(part.training for part in (stack.vae, stack.audio_vae, stack.text_encoder))
    assert type(stack.text_encoder).__name__ == "Gemma3ForConditionalGeneration"
    assert sum(p.numel() for p in stack.text_projections.video_connector.parameters()) == 0


def test_the_fingerprint_names_what_changed(stack, folder, cache_root):
    assert stack.fingerprint_sha == sha256_of(stack.fingerprint)
    assert {*PARTS, "torch", "diffusers", "transformers", "mel", "dtype", "code"} < stack.fingerprint.keys()
    assert str(stack.folder) not in str(stack.fingerprint)
    weights = next((folder / "vae").glob("*.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    changed = load(str(folder), cache_root).fingerprint
    assert {key for key in changed if changed[key] != stack.fingerprint[key]} == {"vae"}


def test_files_are_hashed_once(folder, tmp_path):
    first = load(str(folder), tmp_path).fingerprint
    config = folder / "vae" / "config.json"
    state, text = config.stat(), config.read_text()
    config.write_text(text.swapcase())
    os.utime(config, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert load(str(folder), tmp_path).fingerprint == first
    os.utime(config, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert load(str(folder), tmp_path).fingerprint != first


def settings():
    return torch.get_num_threads(), torch.are_deterministic_algorithms_enabled(), torch.is_grad_enabled()


def test_inference_gives_the_settings_back_even_after_an_error(stack):
    before = settings()
    try:
        torch.set_num_threads(2)
        torch.use_deterministic_algorithms(False)
        with pytest.raises(KeyError), stack.inference():
            if stack.device.type == "cpu":
                assert settings() == (1, True, False)
            raise KeyError
        assert settings() == (2, False, True)
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1])


def error_of(call) -> str:
    with pytest.raises(CurateError) as caught:
        call()
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_single_file_wants_diffusers_layout(tmp_path):
    assert "diffusers layout" in error_of(lambda: load("ltx-2.3-22b.safetensors", tmp_path))


def test_a_name_that_is_neither_folder_nor_hub_id(tmp_path):
    for name in ("./nowhere", "tinny", "a/b/c"):
        assert f"{name!r}: no such folder" in error_of(lambda name=name: load(name, tmp_path))


def test_a_folder_without_the_parts_says_which(folder, tmp_path):
    (folder / "vae" / "config.json").unlink()
    assert error_of(lambda: load(str(folder), tmp_path)).endswith("layout, missing vae/config.json")
    assert "model_index.json, vae/config.json, audio_vae" in error_of(lambda: load(str(tmp_path), tmp_path))


def test_another_model_is_refused(folder, tmp_path):
    edit_index(folder, vae=["diffusers", "AutoencoderKLWan"])
    message = error_of(lambda: load(str(folder), tmp_path))
    assert message.endswith("vae is a AutoencoderKLWan, wanted LTX-2's AutoencoderKLLTX2Video")
    edit_index(folder, vae=None)
    assert "model_index.json cannot be read" in error_of(lambda: load(str(folder), tmp_path))


def test_missing_weights_are_an_error_not_noise(folder, tmp_path):
    path = next((folder / "audio_vae").glob("*.safetensors"))
    weights = load_file(path)
    del weights["encoder.conv_in.conv.weight"]
    save_file(weights, path, {"format": "pt"})
    message = error_of(lambda: load(str(folder), tmp_path).audio_vae)
    assert "1 weights are missing (encoder.conv_in.conv.weight" in message


def test_a_model_without_a_vocoder_is_the_same_encoder(stack, folder, tmp_path):
    shutil.rmtree(folder / "vocoder")
    mute = load(str(folder), tmp_path)
    assert mute.vocoder is None and mute.fingerprint == stack.fingerprint
    assert mute.audio_vae is not None


def test_the_vocoder_is_a_real_class_of_either_generation(stack, folder, tmp_path):
    from diffusers.pipelines.ltx2 import LTX2Vocoder, LTX2VocoderWithBWE

    assert type(stack.vocoder) is LTX2VocoderWithBWE and not stack.vocoder.training
    assert {p.dtype for p in stack.vocoder.parameters()} == {torch.float32}
    older = LTX2Vocoder(hidden_channels=64, resnet_kernel_sizes=[3], resnet_dilations=[[1]])
    shutil.rmtree(folder / "vocoder")
    older.save_pretrained(folder / "vocoder")
    edit_index(folder, vocoder=["ltx2", "LTX2Vocoder"])
    assert load(str(folder), tmp_path).vocoder.config.output_sampling_rate == 24_000


def test_another_vocoder_is_refused(folder, tmp_path):
    for named in (["ltx2", "SomeVocoder"], [None, None], None):
        edit_index(folder, vocoder=named)
        message = error_of(lambda: load(str(folder), tmp_path).vocoder)
        assert message.endswith(
            f"vocoder is a {named and named[1]}, wanted LTX2Vocoder or LTX2VocoderWithBWE"
        )


@pytest.mark.parametrize("part", ["vae", "audio_vae", "vocoder", "text_encoder", "text_projections"])
def test_damaged_weights_are_one_line(folder, tmp_path, part):
    path = next((folder / part.replace("text_projections", "connectors")).glob("*.safetensors"))
    path.write_bytes(path.read_bytes()[:-100])
    assert "cannot be loaded" in error_of(lambda: getattr(load(str(folder), tmp_path), part))


class Hub(BaseHTTPRequestHandler):
    """As much of the Hub as a download needs, from the miniature's folder."""

    protocol_version = "HTTP/1.1"
    asked: list[str]
    folder = None

    def log_message(self, *_):
        pass

    def answer(self, code, body=b"", **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0]
        if "/gated/" in path:
            return self.answer(403, X_Error_Code="GatedRepo")
        if "/org/tiny" not in path:
            return self.answer(404, X_Error_Code="RepoNotFound")
        files = [p for p in sorted(self.folder.rglob("*")) if p.is_file()]
        names = [p.relative_to(self.folder).as_posix() for p in files]
        if "/revision/" in path:
            listed = [{"rfilename": name} for name in names]
            return self.answer(
                200, json.dumps({"id": "org/tiny", "sha": "0" * 40, "siblings": listed}).encode()
            )
        if "/tree/" in path:
            pairs = zip(names, files, strict=True)
            tree = [{"type": "file", "path": n, "size": f.stat().st_size, "oid": n} for n, f in pairs]
            return self.answer(200, json.dumps(tree).encode())
        name = path.split("/resolve/")[1].split("/", 1)[1]
        self.asked.append(name)
        body = (self.folder / name).read_bytes()
        return self.answer(200, body, ETag=f'"{sha256_of(name)}"', X_Repo_Commit="0" * 40)

    do_HEAD = do_GET


@pytest.fixture
def hub(stack, tmp_path, monkeypatch):
    Hub.folder, Hub.asked = stack.folder, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, args=[0.01]).start()
    here = f"http://127.0.0.1:{server.server_port}"
    settings = {
        "ENDPOINT": here,
        "HUGGINGFACE_CO_URL_TEMPLATE": here + "/{repo_id}/resolve/{revision}/{filename}",
        "HF_HUB_CACHE": str(tmp_path / "hub"),
        "HF_HUB_OFFLINE": False,
    }
    for name, value in settings.items():
        monkeypatch.setattr(huggingface_hub.constants, name, value)
    yield server
    server.shutdown()
    server.server_close()


def test_a_hub_repository_is_the_same_model_and_only_what_is_needed_comes(hub, stack, tmp_path, capfd):
    fetched = load("org/tiny", tmp_path)
    assert fetched.fingerprint == stack.fingerprint
    assert {name.split("/")[0] for name in Hub.asked} == {*PARTS, "vocoder", "model_index.json", MARKER}
    assert capfd.readouterr() == ("", "")


def test_hub_failures_are_one_line(hub, tmp_path, monkeypatch):
    assert "no such repository" in error_of(lambda: load("org/nothing", tmp_path))
    assert "gated; accept its terms" in error_of(lambda: load("gated/model", tmp_path))
    assert "wanted a connection" in error_of(lambda: load("org/tiny..", tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    assert "wanted a connection, a folder" in error_of(lambda: load("org/tiny", tmp_path))
