import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.cache import Cache, key_of
from curate.errors import CurateError
from curate.records import Clip

KEY = key_of(recipe="helium-v2", sample={"id": "a", "target_hz": 153.7})
TENSORS = {"audio": np.arange(800, dtype=np.float32).reshape(2, 400)}
numbers = st.floats(allow_nan=False, allow_infinity=False)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | numbers
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("äb", max_size=3), inner, max_size=3),
    max_leaves=8,
)

# Each child dies at one event later than the one before: opening, renaming or making a folder. The last one finishes.
CRASH_AT_EVERY_STEP = """
import itertools, os, sys
from pathlib import Path
import numpy as np
from curate.cache import Cache

def put_until(step, root):
    left = [step]
    def hook(event, _):
        if event in ("open", "os.mkdir", "os.rename", "os.remove"):
            left[0] -= 1
            if left[0] == 0:
                os._exit(9)
    sys.addaudithook(hook)
    Cache(root).put("example", sys.argv[2], {"step": step}, {"x": np.full(5000, step, np.int64)})
    os._exit(0)

for step in itertools.count(1):
    child = os.fork() or put_until(step, Path(sys.argv[1]) / str(step))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print(code)
    if code != 9:
        break
"""


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache")


def files(cache):
    return sorted(path for path in cache.root.rglob("*") if path.is_file())


def assert_same(entry, other):
    assert (entry.record, entry.sha256) == (other.record, other.sha256)
    assert {n: t.array().tolist() for n, t in entry.tensors().items()} == {
        n: t.array().tolist() for n, t in other.tensors().items()
    }


def test_what_was_put_comes_back(cache):
    assert cache.get("example", KEY) is None
    stored = cache.put("example", KEY, {"f0_hz": 153.7, "span": (1, 2)}, TENSORS)
    found = Cache(cache.root).get("example", KEY)
    assert_same(found, stored)
    assert found.record == {"f0_hz": 153.7, "span": [1, 2]}
    assert np.array_equal(found.tensors()["audio"].array(), TENSORS["audio"])
    assert found.tensors()["audio"].array().flags.writeable  # torch warns otherwise
    assert cache.get("latents", KEY) is None
    assert cache.get("example", key_of(recipe="helium-v1")) is None


def test_the_layout(cache):
    entry = cache.put("example", KEY, {}, TENSORS)
    folder = cache.root / "example" / KEY[:2]
    assert files(cache) == [folder / f"{KEY}-{entry.sha256[:16]}.safetensors", folder / f"{KEY}.json"]


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.text("abc", max_size=4), json_values, max_size=4))
def test_a_record_is_the_same_now_and_later(tmp_path_factory, record):
    cache = Cache(tmp_path_factory.mktemp("cache"))
    stored = cache.put("example", KEY, record)
    found = cache.get("example", KEY)
    assert found.record == stored.record == record
    assert json.dumps(found.record) == json.dumps(stored.record)  # 1 and 1.0 and True are equal, not the same


def test_a_rejection_is_an_entry_without_media(cache):
    rejected = {"rejected": {"reason": "too_short", "detail": "1.2 s of 5 s"}}
    cache.put("example", KEY, rejected)
    found = cache.get("example", KEY)
    assert (found.record, found.sha256, found.tensors()) == (rejected, None, {})


def test_putting_again_replaces(cache):
    cache.put("example", KEY, {"n": 1}, TENSORS)
    cache.put("example", KEY, {"n": 2}, {"audio": TENSORS["audio"] + 1})
    found = cache.get("example", KEY)
    assert found.record == {"n": 2}
    assert np.array_equal(found.tensors()["audio"].array(), TENSORS["audio"] + 1)


def test_a_death_at_any_step_leaves_all_or_nothing(tmp_path):
    command = [sys.executable, "-c", CRASH_AT_EVERY_STEP, str(tmp_path), KEY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    codes = [int(line) for line in done.stdout.split()]
    assert codes == [*[9] * (len(codes) - 1), 0]
    assert len(codes) > 6  # folders, two files opened, two renamed
    whole = []
    for step in range(1, len(codes) + 1):
        found = Cache(tmp_path / str(step)).get("example", KEY)
        if found is not None:
            assert found.record == {"step": step}
            assert found.tensors()["x"].array().tolist() == [step] * 5000
        whole.append(found is not None)
    assert whole == sorted(whole)
    assert whole[-1]
    assert sum(whole) <= 2  # the last step only tidies up
    for step in range(1, len(codes) + 1):  # whatever was left behind, the next run succeeds
        cache = Cache(tmp_path / str(step))
        assert_same(cache.put("example", KEY, {"again": 1}, TENSORS), cache.get("example", KEY))


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b"\xff", b"null", b'{"record":{}}', b'{"record":1,"media":null}']
)
def test_an_unreadable_record_is_as_if_absent(cache, damage):
    cache.put("example", KEY, {})
    files(cache)[0].write_bytes(damage)
    assert cache.get("example", KEY) is None


def test_a_record_without_its_media_or_with_other_media_is_as_if_absent(cache):
    cache.put("example", KEY, {}, TENSORS)
    media = files(cache)[0]
    os.truncate(media, media.stat().st_size - 1)
    assert cache.get("example", KEY) is None
    media.unlink()
    assert cache.get("example", KEY) is None


def test_damaged_media_are_named_and_removed(cache):
    cache.put("example", KEY, {}, TENSORS)
    media = files(cache)[0]
    data = bytearray(media.read_bytes())
    data[-1] ^= 1
    media.write_bytes(data)
    with pytest.raises(CurateError, match=f"^{media}: damaged"):
        cache.get("example", KEY).tensors()
    assert files(cache) == []
    assert cache.get("example", KEY) is None


def test_writers_of_one_key_do_not_mix(cache):
    def work(n):
        cache.put("example", KEY, {"n": n}, {"x": np.full(3000, n)})
        found = cache.get("example", KEY)
        return set(found.tensors()["x"].array().tolist()) == {found.record["n"]}

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(100)))
    assert not [path for path in files(cache) if path.suffix == ".tmp"]


def test_a_failed_put_leaves_no_entry(cache):
    with pytest.raises(TypeError):
        cache.put("example", KEY, {"x": object()}, TENSORS)
    with pytest.raises(CurateError, match=f"^example {KEY}: tensor 'x': dtype"):
        cache.put("example", KEY, {}, {"x": np.array(["a"])})
    assert files(cache) == []
    cache.root.mkdir()
    (cache.root / "example").write_bytes(b"in the way")
    with pytest.raises(CurateError, match=r"^cannot write .*\.safetensors: Not a directory"):
        cache.put("example", KEY, {}, TENSORS)
    with pytest.raises(CurateError, match=r"^cannot read .*\.json: Not a directory"):
        cache.get("example", KEY)


def test_keys_know_their_parts():
    clip = Clip(
        id="a",
        name="a.mp4",
        sha256="0" * 64,
        seconds=1,
        width=2,
        height=2,
        fps=24,
        sample_rate_hz=None,
        path="here",
    )
    keys = [
        key_of(),
        key_of(a=1),
        key_of(a="1"),
        key_of(b=1),
        key_of(a=1, b=1),
        key_of(a=[1]),
        key_of(a=clip),
        key_of(a=clip.model_copy(update={"fps": 25.0})),
    ]
    assert len(set(keys)) == len(keys)
    assert key_of(a=1, b=clip) == key_of(b=clip.model_copy(update={"path": "elsewhere"}), a=1)


@pytest.mark.parametrize("part", [object(), {1, 2}, b"bytes", np.float32(1), np.arange(2), {(1, 2): 3}])
def test_keys_refuse_what_json_cannot_spell(part):
    with pytest.raises(TypeError):
        key_of(part=part)


def test_keys_refuse_nan():
    with pytest.raises(ValueError, match="not JSON compliant"):
        key_of(part=float("nan"))


def test_a_record_with_a_flipped_digit_is_as_if_absent(tmp_path: Path) -> None:
    cache, key = Cache(tmp_path), key_of(clip="a")
    cache.put("examples", key, {"pitch_hz": 123.4})
    (path,) = tmp_path.rglob("*.json")
    path.write_text(path.read_text().replace("123.4", "133.4"))
    assert cache.get("examples", key) is None
    assert cache.put("examples", key, {"pitch_hz": 123.4}) == cache.get("examples", key)
