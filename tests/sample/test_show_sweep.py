"""The report of a sweep as people and scripts read it."""

import json

import pytest

from curate.sample.show_sweep import sweep_json, sweep_text
from curate.sample.slope import sweep_report
from tests.sample.test_slope import altered, arm, heard, take

TAKES = [
    *altered(arm(0.0, 0.0, spread_st=1), lambda t: t.seed == 1, lambda t: heard(t.tone_hz, True)),
    *altered(arm(0.3, 0.5, spread_st=1), lambda t: t.tone_hz < 80, lambda t: heard(None)),
]


def test_verdict_first_then_arms_then_tones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "140")
    text = sweep_text(sweep_report(TAKES, 0, trained=True))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0] == "tone sweep: at 0.3 not testable"
    assert any(line.startswith("0.3 not_testable 3 (source, seed) have voiced takes") for line in lines)
    base = next(line for line in lines if line.startswith("0 (base) 54 50% 0% "))
    assert "(no interval) 3 +0.5" in base and base.endswith(")") and " to " in base
    assert any(line.startswith("0.3 54 0% 11% +0.5") for line in lines)
    row = next(line for line in lines if line.startswith("76 Hz "))
    assert row.endswith("l 50% u 0% – l 0% u 100%")
    assert len([line for line in lines if " Hz l " in line]) == 9


def test_a_claim_that_holds_is_told_with_its_interval() -> None:
    text = sweep_text(
        sweep_report([*arm(0.0, 0.0, spread_st=1), *arm(0.5, 0.9, spread_st=1)], 0, trained=True)
    )
    assert text.startswith("tone sweep: at 0.5 follows\n")
    assert "octaves of voice per octave of tone, against the base model (+0." in " ".join(text.split())


def test_a_strength_that_lacks_a_tone_leaves_its_place_empty() -> None:
    takes = [t for t in TAKES if t.strength == 0 or t.tone_hz > 80]
    row = next(
        line
        for line in sweep_text(sweep_report(takes, 0, trained=True)).splitlines()
        if line.startswith("76 Hz")
    )
    assert row.rstrip().endswith("–")


def test_an_untrained_model_gets_the_words_and_no_number() -> None:
    report = sweep_report(TAKES, 0, trained=False)
    text = sweep_text(report)
    assert text.startswith("tone sweep: not applicable (untrained)\n")
    assert "… and 96 more (--json has all)" in text and "slope" not in text and "%" not in text
    few = sweep_text(sweep_report(TAKES[:3], 0, trained=False))
    assert "more (--json" not in few and few.count("prompt 0") == 3


@pytest.mark.parametrize("trained", [True, False])
def test_json_has_every_take(trained: bool) -> None:
    told = json.loads(json.dumps(sweep_json(sweep_report(TAKES, 0, trained))))
    assert len(told["takes"]) == len(TAKES) and told["trained"] is trained
    assert ("heard" in told["takes"][0]) is trained and bool(told["claims"]) is trained


def test_sources_are_text_not_markup() -> None:
    odd = take(0.5, 100.0, 0, heard(None)).model_copy(update={"source": "[/red] [bold]x"})
    assert "[/red] [bold]x" in sweep_text(sweep_report([odd], 0, trained=False))
