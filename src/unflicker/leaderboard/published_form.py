"""The table of Lei et al. 2023 in its own form: warping error and PSNR by hold time of the flicker.

The distribution of its additive flicker is not published, so numbers compare methods in one table,
and not this table with theirs.
"""

from __future__ import annotations

from unflicker.leaderboard import measures as m
from unflicker.leaderboard.comparison import compared
from unflicker.leaderboard.footnotes import Footnotes, marks
from unflicker.leaderboard.leaderboards import differences, main_methods, ordered, parts_of
from unflicker.leaderboard.scores import Scores
from unflicker.leaderboard.tables import Column, Row, Table
from unflicker.synthesis import ADDED_KINDS

_MEASURES = (m.WARP, m.PSNR)
_ABOUT = (
    "E_warp and PSNR (dB) on I = G + F, F held for W frames: {} examples. Blur lowers E_warp. The "
    "paper does not say how F is drawn: compare methods here, not numbers with the paper's."
)


def published_table(scores: Scores) -> Table | None:
    """E_warp and PSNR of each method by hold time W; None without such examples.

    The first row has the lowest E_warp; differences to it are of the mean over all.
    """
    examples = [one.name for one in scores.examples.values() if one.kind in ADDED_KINDS]
    comparison = compared(scores, methods=main_methods(scores), examples=examples, of="fidelity")
    if not comparison.ranked(m.WARP):
        return None
    parts = parts_of(comparison, part="kind")
    kinds = [kind for kind in ADDED_KINDS if kind in parts]
    groups = {**{f"W = {kind[1:]}": parts[kind] for kind in kinds}, "all": comparison}
    pairs = [(measure, name, some) for measure in _MEASURES for name, some in groups.items()]
    notes, methods = Footnotes(), ordered(comparison, m.WARP)
    rows = []
    for method in methods:
        found = [differences(some, method, methods[0], (measure,)) for measure, _, some in pairs]
        rows.append(
            Row(
                method=method,
                cells=tuple(some.estimate(method.name, measure) for measure, _, some in pairs),
                marks=notes.of(marks(scores, method.name, comparison.examples)),
                differences=tuple(each[0] for each in found if each),
            )
        )
    return Table(
        name="published_form",
        title="In the paper's form",
        about=_ABOUT.format(len(comparison.examples)),
        columns=tuple(
            Column(label=f"{measure.label}, {name}", measure=measure) for measure, name, _ in pairs
        ),
        rows=tuple(rows),
        sort="made",
        footnotes=notes.texts,
        leading=len(groups) - 1,
    )
