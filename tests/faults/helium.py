"""Ways to spoil a helium set. Doses were written down before any of them was tried."""

from collections.abc import Callable

import numpy as np

from curate.proof.trial import Trial
from curate.recipe import Recipe, configure
from curate.records import LedgerRow, number, rng
from tests.faults.fault import Fault, fault, finished

Judged = tuple[Recipe, list[LedgerRow]]
SHARES = (0.05, 0.1, 0.2, 0.4)


def _measured(row: LedgerRow, **values: object) -> LedgerRow:
    return row.model_copy(update={"measured": {**row.measured, **values}})


def _among_kept(
    rows: list[LedgerRow], dose: float, change: Callable[[LedgerRow], LedgerRow], split: str | None = None
) -> list[LedgerRow]:
    """Change that many (from 1 on), or that share, of the kept pairs, chosen by identity."""
    kept = [row.id for row in rows if row.kept and split in (None, row.split)]
    lots = sorted(kept, key=lambda name: rng(0, name, "fault").random())
    count = round(dose) if dose >= 1 else round(dose * len(lots))
    chosen = set(lots[:count])
    return [change(row) if row.id in chosen else row for row in rows]


def _follow(
    recipe: Recipe, rows: list[LedgerRow], share: float, key: Callable[[LedgerRow], float]
) -> list[LedgerRow]:
    """Give this share of the clips the stratum that their rank in `key` says, instead of the one they drew."""
    rows = finished(recipe, rows)
    trial = Trial(recipe.seed, recipe.sketch, rows)
    moved = dict[str, bool]()
    for table in trial.sides.values():
        clips = sorted(table.eligible(trial.band), key=lambda clip: key(table.rows[clip, trial.band.start]))
        for rank, clip in enumerate(clips):
            if rng(recipe.seed, clip, "fault").random() < share:
                stratum = trial.band.start + rank * len(trial.band) // len(clips)
                moved |= {table.rows[clip, s].id: s == stratum for s in trial.band}
    return [
        row.model_copy(update={"kept": moved[row.id], "reason": None if moved[row.id] else "not_assigned"})
        if row.id in moved
        else row
        for row in rows
    ]


@fault("the target follows the speaker's own pitch", "of the clips", SHARES, ["balance", "independence"])
def own_pitch(recipe: Recipe, rows: list[LedgerRow], dose: float) -> Judged:
    return recipe, (_follow(recipe, rows, dose, lambda row: number(row.attributes, "natural_oct")))


@fault("extreme voices get high targets, middle ones low: no slope", "of the clips", SHARES, ["balance", "independence"])  # fmt: skip
def bent(recipe: Recipe, rows: list[LedgerRow], dose: float) -> Judged:
    middle = float(np.median([number(row.attributes, "natural_oct") for row in rows if row.attributes]))
    return recipe, (
        _follow(recipe, rows, dose, lambda row: abs(number(row.attributes, "natural_oct") - middle))
    )


@fault("the picture tells the target, which nothing balances", "of the clips", SHARES, ["independence"])
def picture_tells(recipe: Recipe, rows: list[LedgerRow], dose: float) -> Judged:
    return recipe, (_follow(recipe, rows, dose, lambda row: float(row.attributes["picture"][0])))  # type: ignore[index, arg-type]


@fault("a shift bound too small for the range", "semitones", (19, 15, 12, 7), ["positivity"])
def range_too_wide(recipe: Recipe, rows: list[LedgerRow], dose: float) -> Judged:
    whole = configure(type(recipe), {**recipe.model_dump(), "band": "full"})
    near = [
        row.model_copy(update={"made": False, "measured": {}, "reason": "shift_too_large"})
        if row.made and abs(number(row.measured, "shift_st")) > dose
        else row
        for row in rows
    ]
    return whole, finished(whole, near)


@fault("pairs whose speaker changed most are dropped after the assignment", "of the pairs", SHARES, ["assignment"])  # fmt: skip
def late_speaker_gate(recipe: Recipe, rows: list[LedgerRow], dose: float) -> Judged:
    rows = finished(recipe, rows)
    kept = sorted((r for r in rows if r.kept), key=lambda r: -number(r.measured, "timbre_distance_db"))
    gone = {row.id for row in kept[: round(dose * len(kept))]}
    drop = {"kept": False, "reason": "speaker_changed"}
    return recipe, ([row.model_copy(update=drop) if row.id in gone else row for row in rows])


@fault("the lot is balanced on the brightness of the RENDERED speech, an effect", "switches a pair", (1, 3, 10, 30), ["balance", "independence"])  # fmt: skip
def rendered_balance(recipe: Recipe, rows: list[LedgerRow], dose: float) -> Judged:
    rows = finished(recipe, rows)
    trial = Trial(recipe.seed, recipe.sketch, rows)
    table, band, stream = trial.sides["train"], trial.band, rng(recipe.seed, "rendered balance")
    clips = table.eligible(band)
    cells = [[table.rows[clip, s] for s in band] for clip in clips]
    target = np.array([[number(r.measured, "pitch_oct") for r in line] for line in cells])
    bright = np.array([[number(r.measured, "shifted_brightness_oct") for r in line] for line in cells])
    drawn = np.array([[r.kept for r in line].index(True) for line in cells])
    place = np.arange(len(clips))

    def tells(strata: np.ndarray) -> float:
        return abs(float(np.corrcoef(target[place, strata], bright[place, strata])[0, 1]))

    for _ in range(round(dose * len(clips))):
        one, two = stream.integers(0, len(clips), 2)
        tried = drawn.copy()
        tried[[one, two]] = tried[[two, one]]
        drawn = tried if tells(tried) < tells(drawn) else drawn
    kept = {line[s].id for line, s in zip(cells, drawn, strict=True)}
    mine = {row.id for line in cells for row in line}
    return recipe, (
        [row.model_copy(update={"kept": row.id in kept}) if row.id in mine else row for row in rows]
    )


@fault("the tone's loudness follows its pitch", "dB per octave", (0.5, 1, 2, 4), ["reference_proxies"])
def tone_loudness(recipe: Recipe, rows: list[LedgerRow], dose: float) -> Judged:
    def louder(row: LedgerRow) -> LedgerRow:
        gain_db = dose * (number(row.measured, "pitch_oct") - 7)
        return _measured(row, **{k: number(row.measured, k) + gain_db for k in ("tone_rms_db", "tone_lufs")})

    return recipe, ([louder(row) if row.kept else row for row in finished(recipe, rows)])


@fault("the tone's breath follows its pitch", "standard deviations per octave", (0.25, 0.5, 1, 2), ["reference_parameters"])  # fmt: skip
def timbre_follows(recipe: Recipe, rows: list[LedgerRow], dose: float) -> Judged:
    rows = finished(recipe, rows)
    spread = float(np.std([number(row.measured, "timbre_breath_db") for row in rows if row.kept]))

    def breathier(row: LedgerRow) -> LedgerRow:
        more = dose * spread * (number(row.measured, "pitch_oct") - 7)
        return _measured(row, timbre_breath_db=number(row.measured, "timbre_breath_db") + more)

    return recipe, ([breathier(row) if row.kept else row for row in rows])


@fault("tones that do not carry the pitch", "of the pairs", (0.1, 0.2, 0.4, 0.8), ["reference_controls"])
def deaf_tones(recipe: Recipe, rows: list[LedgerRow], dose: float) -> Judged:
    rows = finished(recipe, rows)
    mels = [row.measured["tone_mel"] for row in rows if row.kept]
    return recipe, (
        _among_kept(
            rows,
            dose,
            lambda row: _measured(row, tone_mel=mels[int(rng(0, row.id, "mel").integers(len(mels)))]),
        )
    )


@fault("an identity on both sides of the split", "identities", (1, 2, 4), ["groups"])
def leaked_identity(recipe: Recipe, rows: list[LedgerRow], dose: float) -> Judged:
    rows = finished(recipe, rows)
    theirs = sorted({str(row.group) for row in rows if row.kept and row.split == "heldout"})
    lent = iter(theirs[: round(dose)])
    return recipe, (
        _among_kept(rows, dose, lambda row: row.model_copy(update={"group": next(lent, row.group)}), "train")
    )


@fault("a caption that tells the pitch", "pairs", (1, 4, 16), ["caption"])
def telling_caption(recipe: Recipe, rows: list[LedgerRow], dose: float) -> Judged:
    def telling(row: LedgerRow) -> LedgerRow:
        kind = "high" if number(row.measured, "pitch_oct") > np.log2(160) else "low"
        return row.model_copy(update={"caption": f"a person speaking in a {kind} voice"})

    return recipe, (_among_kept(finished(recipe, rows), dose, telling))


@fault("two captions", "pairs", (1, 4, 16), ["caption"])
def two_captions(recipe: Recipe, rows: list[LedgerRow], dose: float) -> Judged:
    other = {"caption": "someone is speaking"}
    return recipe, (_among_kept(finished(recipe, rows), dose, lambda row: row.model_copy(update=other)))


@fault("one clip re-timed: its sound runs late, the more the longer", "percent", (0.25, 0.5, 1, 2), ["lips"])
def retimed(recipe: Recipe, rows: list[LedgerRow], dose: float) -> Judged:
    late_s = dose / 100 * 4.84 * 2 / 3  # between the middles of the first and the last third
    return recipe, (
        _among_kept(
            finished(recipe, rows), 1, lambda row: _measured(row, drift_s=round(late_s / 0.005) * 0.005)
        )
    )


@fault("one tone off its speech", "cents", (5, 20, 50, 100), ["tone_pitch", "tone_judge_two"])
def tone_off(recipe: Recipe, rows: list[LedgerRow], dose: float) -> Judged:
    def off(row: LedgerRow) -> LedgerRow:
        both = ("tone_hz", "tone_judge_two_hz")
        return _measured(row, **{k: number(row.measured, k) * 2 ** (dose / 1200) for k in both})

    return recipe, (_among_kept(finished(recipe, rows), 1, off))


@fault(
    "one label that only the instrument that made it believes", "cents", (25, 50, 100, 1200), ["target_pitch"]
)
def one_judge_only(recipe: Recipe, rows: list[LedgerRow], dose: float) -> Judged:
    def off(row: LedgerRow) -> LedgerRow:
        return _measured(
            row, pitch_judge_two_hz=number(row.measured, "pitch_judge_two_hz") * 2 ** (dose / 1200)
        )

    return recipe, (_among_kept(finished(recipe, rows), 1, off))


FAULTS: tuple[Fault, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Fault))
