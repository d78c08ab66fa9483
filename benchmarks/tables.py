"""Tables of measurements in Markdown, and the aims held against them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from unflicker.synthesis import KINDS

Rows = list[dict[str, Any]]


def tables(rows: Rows) -> str:
    """Signal to noise, steadiness and sharpness by kind of flicker; then what must stay."""
    clips = len({row["clip"] for row in rows})
    parts = [
        f"Means over {clips} clips.",
        _table(rows, value="psnr", title="PSNR in dB, higher is better", digits=1),
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
        _steady_table(rows),
    ]
    return "\n".join(part for part in parts if part)


def mean_by_kind(rows: Rows, *, method: str, value: str) -> dict[str, float]:
    """The mean over clips of a value, for every kind and case measured."""
    found: dict[str, list[float]] = {}
    for row in rows:
        if row["method"] == method and value in row:
            found.setdefault(row["kind"], []).append(row[value])
    return {kind: float(np.mean(values)) for kind, values in found.items()}


def reach(rows: Rows, *, method: str) -> str:
    """The aims of the project, and whether a method meets them in these measurements."""
    found = mean_by_kind(rows, method=method, value="psnr")
    made = [found[kind] for kind in KINDS if kind in found]
    if not made:
        return ""
    lines = [f"Aims, for {method}:", ""]
    lines.append(_aim("mean PSNR over the kinds", np.mean(made), at_least=36.0))
    rivals = ("ffmpeg-deflicker", "ffmpeg-tmidequalizer", "histogram")
    best = max((_mean_psnr(rows, method=rival) for rival in rivals), default=-np.inf)
    if np.isfinite(best):
        lines.append(_aim("PSNR above the best rival", np.mean(made) - best, at_least=4.5))
    lines += _single_models(rows, found)
    # Grain makes film unsteady and sharp, whatever becomes of its light.
    warping, sharpness = (
        [x for kind, x in mean_by_kind(rows, method=method, value=value).items() if kind != "film"]
        for value in ("warping_ratio", "sharpness")
    )
    lines.append(_aim("mean warping error ratio without film", np.mean(warping), at_most=1.5))
    lines.append(_aim("least sharpness of a kind without film", min(sharpness), at_least=0.97))
    lines.append(_aim("greatest sharpness of a kind without film", max(sharpness), at_most=1.05))
    for case, least in (("clean", 50.0), ("sunset", 45.0), ("sunset + exposure", 36.0)):
        if case in found:
            worst = min(_values(rows, method=method, kind=case))
            lines.append(_aim(f"PSNR of {case}, mean", found[case], at_least=least))
            lines.append(_aim(f"PSNR of {case}, worst clip", worst, at_least=least))
    return "\n".join(lines) + "\n"


def _single_models(rows: Rows, found: dict[str, float]) -> list[str]:
    """Whether every kind is as good as the better of the two models alone, where measured."""
    singles = [mean_by_kind(rows, method=name, value="psnr") for name in ("curves", "path")]
    if not all(singles):
        return []
    gaps = {kind: found[kind] - max(s[kind] for s in singles) for kind in KINDS if kind in found}
    worst = min(gaps, key=lambda kind: gaps[kind])
    return [
        _aim(f"PSNR over the better single model, worst kind ({worst})", gaps[worst], at_least=-0.3)
    ]


def _aim(
    name: str,
    value: float | np.floating,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
) -> str:
    if at_least is not None:
        return f"- {name}: {value:.2f} (at least {at_least}): {_word(value >= at_least)}"
    assert at_most is not None
    return f"- {name}: {value:.2f} (at most {at_most}): {_word(value <= at_most)}"


def _word(met: bool | np.bool_) -> str:  # noqa: FBT001 - the one thing it is told
    return "met" if met else "**not met**"


def _mean_psnr(rows: Rows, *, method: str) -> float:
    found = mean_by_kind(rows, method=method, value="psnr")
    made = [found[kind] for kind in KINDS if kind in found]
    return float(np.mean(made)) if made else -np.inf


def _values(rows: Rows, *, method: str, kind: str) -> list[float]:
    return [row["psnr"] for row in rows if row["method"] == method and row["kind"] == kind]


def _methods(rows: Rows) -> list[str]:
    return list(dict.fromkeys(row["method"] for row in rows))


def _table(rows: Rows, *, value: str, title: str, digits: int, apart: tuple[str, ...] = ()) -> str:
    """One table: a line for each method, a column for each kind, their mean at the end."""
    kinds = [kind for kind in KINDS if any(row["kind"] == kind for row in rows)]
    if not kinds:
        return ""
    body = []
    for method in _methods(rows):
        found = mean_by_kind(rows, method=method, value=value)
        mean = np.mean([found[kind] for kind in kinds if kind not in apart] or [np.nan])
        cells = [f"{found[kind]:.{digits}f}" for kind in kinds]
        body.append([method, *cells, f"**{mean:.{digits}f}**"])
    return markdown(title, head=["", *kinds, "mean"], body=body)


def _steady_table(rows: Rows) -> str:
    """Signal to noise of what should stay as it is: mean, and the worst clip."""
    cases = list(dict.fromkeys(row["kind"] for row in rows if row["kind"] not in KINDS))
    if not cases:
        return ""
    summary: Callable[[list[float]], str] = lambda v: f"{np.mean(v):.1f} ({min(v):.1f})"  # noqa: E731
    body = [
        [method, *(summary(_values(rows, method=method, kind=case)) for case in cases)]
        for method in _methods(rows)
        if _values(rows, method=method, kind=cases[0])
    ]
    title = "PSNR in dB to the clip as it should be, mean (worst clip); 100 is bit for bit"
    return markdown(title, head=["", *cases], body=body)


def markdown(title: str, *, head: list[str], body: Iterable[list[str]]) -> str:
    """A titled table."""
    lines = [f"{title}:", "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(cells)} |" for cells in body]
    return "\n".join(lines) + "\n"
