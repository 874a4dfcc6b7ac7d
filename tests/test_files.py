import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from curate.errors import CurateError
from curate.files import atomic_writer, map_file, remove, write_atomic

FILL_A_TINY_DISK = """
import sys
from pathlib import Path
from curate.errors import CurateError
from curate.files import write_atomic
folder = Path(sys.argv[1])
write_atomic(folder / "first", bytes(20_000))
try:
    write_atomic(folder / "second", bytes(200_000))
except CurateError as error:
    print(error)
print(sorted(path.name for path in folder.iterdir()))
"""


def test_write_makes_folders_and_replaces(tmp_path):
    path = tmp_path / "a" / "b" / "file"
    write_atomic(path, b"one")
    write_atomic(path, memoryview(b"two"))
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("durable", [False, True])
def test_nothing_is_there_until_the_block_ends(tmp_path, durable):
    path = tmp_path / "file"
    with atomic_writer(path, durable=durable) as write:
        write(b"one")
        assert not path.exists()
        write(b"")
        write(b"two")
    assert path.read_bytes() == b"onetwo"
    assert os.listdir(tmp_path) == ["file"]


def test_a_failing_block_keeps_the_old_file_and_passes_its_error_on(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(FileNotFoundError), atomic_writer(path) as write:
        write(b"new")
        (tmp_path / "absent").read_bytes()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_write_that_breaks_off_leaves_nothing(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(CurateError, match=r"^cannot write .*/file: File too large$"):
            write_atomic(tmp_path / "file", bytes(150_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_named_and_cleaned(tmp_path):
    if not shutil.which("unshare"):
        pytest.skip("no unshare to mount a tiny disk with")
    inside = f'mount -t tmpfs -o size=64k tmpfs {tmp_path} || exit 9; exec "$@"'
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", inside, "sh"]
    script = [sys.executable, "-c", FILL_A_TINY_DISK, str(tmp_path)]
    done = subprocess.run(command + script, check=False, capture_output=True, text=True)
    if done.returncode and "Traceback" not in done.stderr:
        pytest.skip(f"no tiny disk here: {done.stderr}")
    assert done.stdout.splitlines() == [
        f"disk full while writing {tmp_path}/second: free space and run again; finished samples are kept",
        "['first']",
    ]


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CurateError, match=r"^cannot write .*/file/inside: (Not a directory|File exists)$"):
        write_atomic(tmp_path / "file" / "inside", b"a")
    (tmp_path / "folder").mkdir()
    with pytest.raises(CurateError, match=r"^cannot write .*/folder: Is a directory$"):
        write_atomic(tmp_path / "folder", b"a")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_named(tmp_path):
    tmp_path.chmod(0o555)
    with pytest.raises(CurateError, match="Permission denied"):
        write_atomic(tmp_path / "file", b"a")
    tmp_path.chmod(0o755)


def test_a_map_is_writable_memory_that_never_reaches_the_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    view = map_file(path)
    view[0] = ord("x")
    assert bytes(view) == b"xbc"
    assert path.read_bytes() == b"abc"


def test_an_empty_and_a_missing_file_when_mapped_or_removed(tmp_path):
    path = tmp_path / "file"
    with pytest.raises(CurateError, match=r"^cannot read .*/file: No such file"):
        map_file(path)
    remove(path)
    path.write_bytes(b"")
    assert bytes(map_file(path)) == b""
    remove(path)
    assert not path.exists()
    with pytest.raises(CurateError, match=f"^cannot remove {Path('/proc/self/status')}: "):
        remove(Path("/proc/self/status"))
