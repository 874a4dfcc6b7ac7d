"""What the commands print: tables for people, plain objects for scripts."""

import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from curate.doctor import Symptom
from curate.finish import Built
from curate.proof.finding import Finding
from curate.recipe import PlanTable, Recipe, recipes
from curate.records import Build, Drop, Sample
from curate.sources.listing import Listing
from curate.train.run import fixed_noise
from curate.train.start import Trained

FILES_SHOWN = 12
STYLE = {"pass": "green", "fail": "bold red", "not_testable": "yellow", "good": "green", "note": "yellow", "bad": "bold red"}  # fmt: skip


def render(*parts: Any) -> str:
    """Rich objects as text: coloured on a terminal, plain elsewhere."""
    console = Console(width=max(80, min(140, shutil.get_terminal_size((120, 24)).columns)), highlight=False)
    with console.capture() as captured:
        for part in parts:
            console.print(part)
    return captured.get().rstrip("\n")


def table_of(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def verdict_line(build: Build) -> str:
    """The one line that says what a set is worth."""
    counts = build.counts
    name = f"{build.recipe} {build.control}" if build.control else build.recipe
    if build.control == "sweep":
        return f"{name}: {counts.kept} tones to try on targets from {counts.files} files; {_proof(build)}"
    what = "samples" if build.strategy == "text_to_video" else "pairs"
    return f"{name}: {counts.kept} {what} ({counts.train} train, {counts.heldout} held out) from {counts.files} files; {_proof(build)}"


def _proof(build: Build) -> str:
    audit = build.audit
    unexpected = [name for name in audit.failed if name.split(" ")[0] not in audit.expected_failures]
    open_on_train = [name for name in audit.not_testable if not name.endswith("(heldout)")]
    open_on_heldout = len(audit.not_testable) - len(open_on_train)
    if unexpected:
        return f"NOT SOUND, allowed to fail: {', '.join(unexpected)}"
    if audit.failed:
        return f"a control that must fail, and does: {', '.join(audit.failed)}"
    if not audit.passed:
        return "NOT PROVEN: no finding passes"
    if open_on_train:
        judged = len(audit.passed) + len(audit.not_testable)
        return f"NOT PROVEN: too small for {len(audit.not_testable)} of {judged} findings, the other {len(audit.passed)} pass"
    if open_on_heldout:
        return f"proven for training: {len(audit.passed)} findings pass; the held-out side is too small for {open_on_heldout}"
    return f"proven: all {len(audit.passed)} findings pass"


def control_line(result: Built) -> str:
    """The one line that says what a control is worth."""
    manifest = result.manifest
    what = "tones" if manifest.control == "sweep" else "pairs"
    return f"{result.folder.name}: {manifest.counts.kept} {what}; {_proof(manifest)}"


def built(result: Built) -> str:
    """The outcome of a build: verdict first, then what was dropped, the findings, where it is."""
    manifest = result.manifest
    encoder = "not encoded (--no-encode)" if manifest.encoder is None else manifest.encoder.get("model", "")
    if manifest.encoder is not None and not manifest.trained:
        encoder += ": RANDOM WEIGHTS, these latents are for trying things out only"
    return render(
        Text(verdict_line(manifest), style="bold"),
        _findings(result.findings),
        Text(""),
        _drops(manifest.counts.dropped),
        *_dropped_files(result.drops),
        *_private(result.unlicensed),
        Text(f"latents: {encoder}"),
        Text(f"set:     {result.folder} (curate check {result.folder}{_own_recipe(manifest)})"),
        *(Text(f"control: {control_line(each)}") for each in result.controls),
        *(Text(f"control: {line}", style="yellow") for line in result.left_out),
    )


def _own_recipe(build: Build) -> str:
    return "" if build.recipe in recipes() else " --recipe ITS_FILE.py"


def _findings(findings: Sequence[Finding]) -> Table:
    table = table_of("finding", "split", "verdict", "what was measured")
    for found in findings:
        verdict = Text(found.verdict, style=STYLE.get(found.verdict, ""))
        table.add_row(Text(found.name), found.split, verdict, Text(found.says))
    return table


def _drops(dropped: Mapping[str, int]) -> Text:
    if not dropped:
        return Text("dropped: none")
    reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(dropped.items(), key=lambda d: -d[1]))
    return Text(f"dropped: {sum(dropped.values())} candidates: {reasons} (each in ledger.jsonl)")


def _private(unlicensed: Sequence[str]) -> list[Text]:
    """Why a set may not be given away."""
    if not unlicensed:
        return []
    first = ", ".join(unlicensed[:3]) + (" …" if len(unlicensed) > 3 else "")
    return [Text(f"private: {len(unlicensed)} kept samples name no licence: {first}")]


def _dropped_files(drops: Sequence[Drop]) -> list[Any]:
    """The files that gave nothing, each with its reason."""
    if not drops:
        return []
    table = table_of("file dropped", "reason", "")
    for drop in sorted(drops, key=lambda d: d.name)[:FILES_SHOWN]:
        table.add_row(Text(drop.name), Text(drop.reason), Text(drop.detail))
    more = len(drops) - FILES_SHOWN
    return [table, *([Text(f"… and {more} more")] if more > 0 else []), Text("")]


def built_json(result: Built) -> dict[str, Any]:
    """The manifest, the findings, and the verdict in words; the same of each control beside it."""
    told = {
        "verdict": verdict_line(result.manifest),
        "set": str(result.folder),
        "build": result.manifest.model_dump(mode="json", exclude={"files"}),
        "findings": [found.model_dump(mode="json") for found in result.findings],
    }
    if result.controls or result.left_out:
        controls = [built_json(each) for each in result.controls]
        told |= {"controls": controls, "controls_left_out": list(result.left_out)}
    return told


def planned(
    recipe: str,
    listing: Listing,
    samples: Sequence[Sample],
    drops: Sequence[Drop],
    tables: Sequence[PlanTable],
) -> str:
    """What the recipe tells of its plan, or a row per clip: its side, its group, how many candidates; then the drops."""
    of_clip = Counter(sample.clips[0].id for sample in samples)
    head = f"{recipe}: {len(samples)} candidates of {len(of_clip)} clips, {len(drops)} of {listing.card.files} files dropped"
    parts: list[Any] = [Text(head, style="bold")]
    for each in tables:
        table = table_of(*each.columns)
        for row in each.rows:
            table.add_row(*map(Text, row))
        parts += [Text(""), Text(each.title, style="bold"), table]
    if not tables:
        parts.append(_planned_clips(samples, of_clip))
    reasons = Counter(drop.reason for drop in drops)
    return render(*parts, Text(""), *([_drops(reasons)] if tables else []), *_dropped_files(drops))


def _planned_clips(samples: Sequence[Sample], of_clip: Mapping[str, int]) -> Table:
    table = table_of("clip", "split", "group", "candidates")
    for sample in sorted({s.clips[0].id: s for s in samples}.values(), key=lambda s: s.clips[0].name):
        clip = sample.clips[0]
        table.add_row(Text(clip.name), sample.split, Text(sample.group), str(of_clip[clip.id]))
    return table


def planned_json(samples: Sequence[Sample], drops: Sequence[Drop]) -> dict[str, Any]:
    """Every sample and every drop."""
    return {
        "samples": [sample.model_dump(mode="json") for sample in samples],
        "dropped": [drop.model_dump(mode="json") for drop in drops],
    }


def recipes_table(known: Mapping[str, type[Recipe]]) -> str:
    """Names, what they are for, and their settings with defaults."""
    parts: list[Any] = []
    for recipe in known.values():
        parts.append(Text(f"{recipe.name} (version {recipe.version}): {recipe.summary}", style="bold"))
        settings = table_of("  setting", "default", "")
        for name, info in recipe.model_fields.items():
            settings.add_row(f"  {name}", str(info.default), info.description or "")
        parts += [settings, Text("")]
    return render(*parts)


def recipes_json(known: Mapping[str, type[Recipe]]) -> list[dict[str, Any]]:
    """Name, version, summary and the JSON Schema of the settings."""
    return [
        {
            "name": r.name,
            "version": r.version,
            "summary": r.summary,
            "settings": r.model_json_schema()["properties"],
        }
        for r in known.values()
    ]


def doctor_table(symptoms: Sequence[Symptom]) -> str:
    """A row per thing looked at, with a fix where one is needed."""
    table = table_of("", "verdict", "found", "what to do")
    for symptom in symptoms:
        table.add_row(
            symptom.name, Text(symptom.verdict, style=STYLE[symptom.verdict]), symptom.found, symptom.fix
        )
    return render(table)


def trained(result: Trained) -> str:
    """Where the LoRA is, and how to go on when there is more to do."""
    if result.steps < result.wanted:
        return f"stopped after {result.steps} of {result.wanted} steps; go on with --resume\n{result.lora}"
    first, last = (row["fixed_noise"] for row in fixed_noise(result.folder))
    told = ", ".join(f"{split} {first[split]:.4f} -> {last[split]:.4f}" for split in first)
    return f"{result.steps} steps; loss at fixed noise: {told}\n{result.lora}"


def trained_json(result: Trained) -> dict[str, Any]:
    """The same as an object."""
    return {
        "run": str(result.folder),
        "lora": str(result.lora),
        "steps": result.steps,
        "wanted": result.wanted,
        "fixed_noise": [row["fixed_noise"] for row in fixed_noise(result.folder)],
    }
