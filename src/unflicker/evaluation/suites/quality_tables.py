"""Tables of suite `quality` by kind of flicker, and its aims."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from unflicker.evaluation.intervals import estimated, paired, signed, with_interval
from unflicker.evaluation.suites.suite import Row
from unflicker.evaluation.suites.tables import aim, markdown, number
from unflicker.synthesis import KINDS

STEADY_CASES = ("clean", "sunset", "sunset + exposure")
"""Cases without flicker to remove; the last has flicker and a sunset, which must be kept."""
_LEAST_DB = {"clean": 50.0, "sunset": 45.0, "sunset + exposure": 36.0}
_RIVALS = ("ffmpeg-deflicker", "ffmpeg-tmidequalizer", "histogram")


def quality_table(rows: Sequence[Row], *, judge: str) -> str:
    """PSNR, level-free PSNR, steadiness, sharpness, SSIM by kind; the steady cases; the aims.

    Args:
        rows: All measurements.
        judge: Name of the method that is checked against the aims.
    """
    clips, draws = (len({row[name] for row in rows if name in row}) for name in ("clip", "seed"))
    draws = max(1, round(draws / max(clips, 1)))
    parts = [
        f"Means over {clips} clips, {draws} draw{'s' * (draws > 1)} of each flicker. In brackets: "
        "95 % intervals by bootstrap over clips.",
        _table(rows, value="psnr", title="PSNR in dB, higher is better", digits=1),
        _table(
            rows,
            value="level_free_psnr",
            title="Level-free PSNR in dB: a constant curve a channel and a constant field of gains "
            "are removed first",
            digits=1,
        ),
        _table(
            rows,
            value="warping_ratio",
            title="Warping error over the clean clip's own, clipped pixels left out; "
            "1 is as steady, the mean is without film",
            digits=2,
            apart=("film",),
        ),
        _table(rows, value="sharpness", title="Sharpness over the clean clip's", digits=3),
        _table(rows, value="ssim", title="SSIM", digits=3),
        _paired_table(rows, judge=judge),
        _steady_table(rows),
    ]
    return "\n".join([*(part for part in parts if part), _reach(rows, method=judge)])


def _reach(rows: Sequence[Row], *, method: str) -> str:
    """The aims of the project, and whether a method meets them in these measurements."""
    found = _mean_by_kind(rows, method=method, value="psnr")
    made = [found[kind] for kind in KINDS if kind in found]
    if not made:
        return ""
    mean = float(np.mean(made))
    lines = [f"Aims, for {method}:", "", aim("mean PSNR over the kinds", mean, at_least=36.0)]
    best = max(_mean_psnr(rows, method=rival) for rival in _RIVALS)
    if np.isfinite(best):
        lines.append(aim("PSNR above the best baseline", mean - best, at_least=4.5))
    lines += _single_models(rows, found)
    # Grain makes film unsteady and sharp, whatever becomes of its light.
    warping, sharpness = (
        [x for kind, x in _mean_by_kind(rows, method=method, value=value).items() if kind != "film"]
        for value in ("warping_ratio", "sharpness")
    )
    if warping:
        mean_ratio = float(np.mean(warping))
        lines.append(aim("mean warping error ratio without film", mean_ratio, at_most=1.5))
        least, most = min(sharpness), max(sharpness)
        lines.append(aim("least sharpness of a kind without film", least, at_least=0.97))
        lines.append(aim("greatest sharpness of a kind without film", most, at_most=1.05))
    for case in (case for case in STEADY_CASES if case in found):
        worst = min(_values(rows, method=method, kind=case))
        lines.append(aim(f"PSNR of {case}, mean", found[case], at_least=_LEAST_DB[case]))
        lines.append(aim(f"PSNR of {case}, worst clip", worst, at_least=_LEAST_DB[case]))
    return "\n".join(lines) + "\n"


def _single_models(rows: Sequence[Row], found: dict[str, float]) -> list[str]:
    """Whether every kind is as good as the better of the two models alone, where measured.

    They are the methods `curves` and `path` of benchmarks/ablations.py.
    """
    singles = [_mean_by_kind(rows, method=name, value="psnr") for name in ("curves", "path")]
    if not all(singles):
        return []
    gaps = {kind: found[kind] - max(s[kind] for s in singles) for kind in KINDS if kind in found}
    worst = min(gaps, key=lambda kind: gaps[kind])
    name = f"PSNR over the better single model, worst kind ({worst})"
    return [aim(name, gaps[worst], at_least=-0.3)]


def _mean_by_kind(rows: Sequence[Row], *, method: str, value: str) -> dict[str, float]:
    """The mean over clips of a value, for every kind and case measured."""
    found: dict[str, list[float]] = {}
    for row in rows:
        if row["method"] == method and value in row:
            found.setdefault(row["kind"], []).append(row[value])
    return {kind: float(np.mean(values)) for kind, values in found.items()}


def _mean_psnr(rows: Sequence[Row], *, method: str) -> float:
    found = _mean_by_kind(rows, method=method, value="psnr")
    made = [found[kind] for kind in KINDS if kind in found]
    return float(np.mean(made)) if made else -np.inf


def _values(rows: Sequence[Row], *, method: str, kind: str) -> list[float]:
    return [row["psnr"] for row in rows if row["method"] == method and row["kind"] == kind]


def _methods(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(row["method"] for row in rows))


def _table(
    rows: Sequence[Row], *, value: str, title: str, digits: int, apart: tuple[str, ...] = ()
) -> str:
    """One table: a line for each method, a column for each kind, their mean at the end.

    A dash where a method was not measured; empty if none was.
    """
    measured = {row["kind"] for row in rows if value in row}
    kinds = [kind for kind in KINDS if kind in measured]
    if not kinds:
        return ""
    body = []
    for method in _methods(rows):
        found = _mean_by_kind(rows, method=method, value=value)
        counted = [kind for kind in kinds if kind not in apart]
        whole = estimated(_examples(rows, method, value, kinds=counted), clip_of=_clip_of)
        complete = whole is not None and all(kind in found for kind in counted)
        cells = [number(found.get(kind, np.nan), digits=digits) for kind in kinds]
        cells.append(f"**{with_interval(whole if complete else None, digits=digits)}**")
        body.append([method, *cells])
    return markdown(title=title, head=["", *kinds, "mean"], body=body)


_Example = tuple[str, str, int]
"""Clip, kind and seed."""


def _examples(
    rows: Sequence[Row], method: str, value: str, *, kinds: Sequence[str]
) -> dict[_Example, float]:
    """A method's values by example."""
    return {
        (row["clip"], row["kind"], row.get("seed", 0)): row[value]
        for row in rows
        if row["method"] == method and row["kind"] in kinds and value in row
    }


def _clip_of(example: _Example) -> str:
    return example[0]


def _paired_table(rows: Sequence[Row], *, judge: str) -> str:
    """What the judged method has above each other one, example by example; empty without it."""
    methods = _methods(rows)
    others = [method for method in methods if method != judge]
    if judge not in methods or not others:
        return ""
    values = (("psnr", 1), ("level_free_psnr", 1), ("warping_ratio", 2))
    body = []
    for method in others:
        cells = []
        for value, digits in values:
            one, other = (_examples(rows, name, value, kinds=KINDS) for name in (judge, method))
            cells.append(signed(paired(one, other, clip_of=_clip_of), digits=digits))
        body.append([method, *cells])
    head = ["to", "PSNR, dB", "level-free PSNR, dB", "warping error ratio"]
    return markdown(
        title=f"{judge} less each other method, example by example", head=head, body=body
    )


def _steady_table(rows: Sequence[Row]) -> str:
    """PSNR of what should stay as it is: mean, and the worst clip."""
    cases = list(dict.fromkeys(row["kind"] for row in rows if row["kind"] not in KINDS))
    if not cases:
        return ""
    body = []
    for method in _methods(rows):
        found = [_values(rows, method=method, kind=case) for case in cases]
        if all(found):
            cells = (f"{np.mean(values):.1f} ({min(values):.1f})" for values in found)
            body.append([method, *cells])
    title = "PSNR in dB to the clip as it should be, mean (worst clip); 100 is bit for bit"
    return markdown(title=title, head=["", *cases], body=body)
