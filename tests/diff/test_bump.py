"""The version bump: what each kind of difference asks for, and that more differences never ask for less."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.diff.bump import LEVELS, bump, reasons, same_content
from curate.diff.compare import compare, difference
from curate.diff.contents import Contents
from curate.proof.finding import Verdict
from tests.diff.test_compare import ENCODER, LISTS, PAIR, contents, finding, folder_of, sample, some_sets


@pytest.mark.parametrize(
    ("change", "level", "says"),
    [
        (
            {"split": "heldout"},
            "major",
            "1 source file moved across the split, first a.mp4: train -> heldout",
        ),
        ({"split": "heldout", "sources": ()}, "major", "1 sample moved across the split: a"),
        ({"caption": "other"}, "minor", "captions, labels or sources of 1 sample changed: caption (1)"),
        ({"choices": {}}, "minor", "choices.target_hz (1)"),
        ({"measured": {}}, "minor", "measured.mel (1)"),
        ({"sources": ("f" * 64,)}, "minor", "sources (1)"),
        ({"licence": None}, "patch", "metadata of 1 sample changed: licence (1)"),
        ({"attributes": {}}, "patch", "attributes.clip_s (1)"),
        ({"group": "g"}, "patch", "group (1)"),
        ({"name": "z.mp4"}, "patch", "name (1)"),
    ],
)
def test_a_changed_sample(change: dict[str, Any], level: str, says: str) -> None:
    why = reasons(difference(contents(PAIR), contents([sample("a", **change), PAIR[1]])))
    assert bump(why) == level and any(says in reason.says for reason in why)


def test_other_attributes_are_a_patch_but_not_the_same_content() -> None:
    found = difference(contents(PAIR), contents([sample("a", attributes={}), PAIR[1]]))
    assert bump(reasons(found)) == "patch" and not same_content(found)
    relicensed = difference(contents(PAIR), contents([sample("a", licence=None), PAIR[1]]))
    assert bump(reasons(relicensed)) == "patch" and same_content(relicensed)


def test_samples_added_or_removed() -> None:
    more = contents([*PAIR, sample("c")])
    first = reasons(difference(contents(PAIR), more))[0]
    assert (first.bump, first.says) == ("minor", "1 sample added: c")
    assert reasons(difference(more, contents(PAIR)))[0].says == "1 sample removed: c"


@pytest.mark.parametrize(
    ("change", "level"),
    [
        ({"recipe": "other"}, "major"),
        ({"recipe_version": 2}, "major"),
        ({"strategy": "other"}, "major"),
        ({"control": "caption-only"}, "major"),
        ({"settings": {"seed": 1}}, "patch"),
        ({"made_with": {"av": "2"}}, "patch"),
        ({"curate": "1"}, "patch"),
        ({"platform": "y"}, "patch"),
        ({"summary": "y"}, "patch"),
        ({}, "none"),
    ],
)
def test_the_manifest(change: dict[str, Any], level: str) -> None:
    found = difference(contents(PAIR), contents(PAIR, **change))
    assert bump(reasons(found)) == level
    assert same_content(found) is (level in ("none", "patch"))


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        ("pass", "fail", True),
        ("pass", "not_testable", True),
        ("pass", "constant", True),
        ("pass", None, True),
        ("not_testable", "fail", True),
        (None, "fail", True),
        ("not_testable", "pass", False),
        ("fail", "not_testable", False),
        ("constant", "not_testable", False),
        (None, "not_testable", False),
        (None, "pass", False),
    ],
)
def test_verdicts(before: Verdict | None, after: Verdict | None, worse: bool) -> None:
    was, now = ([finding("balance", verdict)] if verdict else [] for verdict in (before, after))
    found = difference(contents(PAIR, was), contents(PAIR, now))
    assert bump(reasons(found)) == ("major" if worse else "patch")
    assert not same_content(found)


def test_a_control_becomes_worse_when_it_passes_what_it_must_fail() -> None:
    """helium-v1 is right when it fails: more clips make its failure testable, and the set better."""
    said = {verdict: [finding("balance", verdict)] for verdict in ("pass", "not_testable", "fail")}
    control = {"expected_failures": ["balance"]}
    for before, after, level in (
        ("not_testable", "fail", "patch"),
        ("fail", "pass", "major"),
        ("fail", "not_testable", "major"),
    ):
        pair = (contents(PAIR, said[before], **control), contents(PAIR, said[after], **control))
        assert bump(reasons(difference(*pair))) == level


def test_numbers_of_a_finding_without_another_verdict() -> None:
    found = difference(contents(PAIR, [finding(r=0.1)]), contents(PAIR, [finding(r=0.2)]))
    assert bump(reasons(found)) == "patch" and same_content(found)


def test_encoders() -> None:
    bare, one, two = (contents(PAIR, encoder=encoder) for encoder in (None, ENCODER, ENCODER | {"vae": "2"}))
    assert [bump(reasons(difference(*pair))) for pair in ((one, two), (one, bare), (bare, one))] == [
        "major",
        "major",
        "minor",
    ]
    assert reasons(difference(one, two))[0].says == "another encoder, by vae"
    assert not any(same_content(difference(*pair)) for pair in ((one, two), (one, bare), (bare, one)))


def test_other_latents_are_data_under_other_settings_and_bytes_under_the_same(tmp_path: Path) -> None:
    a = folder_of(tmp_path / "a", PAIR, latents={"a": 1.0, "b": 2.0})
    b = folder_of(tmp_path / "b", PAIR, latents={"a": 1.0, "b": 2.5})
    c = folder_of(tmp_path / "c", PAIR, latents={"a": 1.0, "b": 2.5}, settings={"seed": 0, "size": 512})
    assert bump(reasons(compare(a, b))) == "patch" and same_content(compare(a, b))
    assert bump(reasons(compare(a, c))) == "minor" and not same_content(compare(a, c))
    relabelled = [PAIR[0], sample("b", "heldout", caption="other")]
    d = folder_of(tmp_path / "d", relabelled, latents={"a": 1.0, "b": 2.5})
    assert [r.bump for r in reasons(compare(a, d))] == ["minor"]  # the latents differ because the sample does


def test_a_file_that_nothing_else_speaks_of(tmp_path: Path) -> None:
    a, b = folder_of(tmp_path / "a", PAIR), tmp_path / "b"
    b.mkdir()
    (b / "README.md").write_text("a card")
    for name in ("ledger.jsonl", "audit.json"):
        (b / name).write_bytes((a / name).read_bytes())
    (b / "build.json").write_text(contents(PAIR, folder=b).manifest.model_dump_json())
    assert [(r.bump, r.says) for r in reasons(compare(a, b))] == [
        ("patch", "other bytes in 1 file: README.md")
    ]


@given(some_sets, some_sets, st.sets(st.sampled_from(sorted(LISTS))))
def test_fewer_differences_never_ask_for_more(a: Contents, b: Contents, forgotten: set[str]) -> None:
    whole = difference(a, b)
    less = whole.model_copy(update={name: () for name in forgotten})
    assert LEVELS.index(bump(reasons(less))) <= LEVELS.index(bump(reasons(whole)))


@given(some_sets, some_sets)
def test_the_same_content_is_what_content_id_says_and_never_more_than_a_patch(
    a: Contents, b: Contents
) -> None:
    found = difference(a, b)
    why = reasons(found)
    if same_content(found):
        assert a.manifest.content_id == b.manifest.content_id
        assert a.manifest.encoder_sha256 == b.manifest.encoder_sha256
        assert bump(why) in ("none", "patch")
    assert (bump(why) == "none") == found.identical
    assert [LEVELS.index(r.bump) for r in why] == sorted((LEVELS.index(r.bump) for r in why), reverse=True)
