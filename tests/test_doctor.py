"""`curate doctor` finds what is in the way."""

from pathlib import Path

from curate.doctor import examine


def test_a_sound_machine_has_nothing_bad(tmp_path: Path) -> None:
    found = {symptom.name: symptom for symptom in examine(tmp_path / "cache")}
    assert not [s for s in found.values() if s.verdict == "bad"]
    assert found["torchaudio"].verdict == "good" and found["packages"].verdict == "good"
    assert found["rubberband"].verdict == "good" or "apt install rubberband-cli" in found["rubberband"].fix


def test_a_cache_that_cannot_be_written_is_bad(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (cache,) = [s for s in examine(tmp_path / "file" / "cache") if s.name == "cache"]
    assert cache.verdict == "bad" and "CURATE_CACHE" in cache.fix
