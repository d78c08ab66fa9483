"""The tables of the leaderboard: their methods, examples and measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from unflicker.evaluation.methods import Method
from unflicker.evaluation.registry import method_of
from unflicker.leaderboard import measures as m
from unflicker.leaderboard.comparison import (
    Comparison,
    Estimate,
    compared,
    compared_all,
    mean_ranks,
)
from unflicker.leaderboard.footnotes import Footnotes, marks
from unflicker.leaderboard.scores import INPUT, Scores
from unflicker.leaderboard.tables import Column, Row, Table

MADE, PROCESSED, SIMULATED = "synthetic", "processed", "simulated"
_RANK = m.Measure(of="", name="rank", label="mean place", best="low", digits=1)
_WHAT = {
    "made": "synthetic flicker, with ground truth",
    "simulated": "flicker whose cause is simulated, with ground truth",
    "processed": "video that was processed frame by frame, with its steady original",
    "real": "real flickering film, without ground truth",
}


@dataclass(frozen=True, kw_only=True)
class Leaderboard:
    """Methods compared on one sort of video."""

    sort: str
    """"made", "simulated", "processed" or "real"."""
    leading: m.Measure
    """The measure by which its rows are ordered."""
    comparison: Comparison
    table: Table
    of_few: bool
    """Whether it is the second board, with methods that ran on few examples."""


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """The definition of a board."""

    sort: str
    of: str
    """The set of metrics that a method needs to have for an example."""
    leading: m.Measure
    columns: tuple[m.Measure, ...]


_PLANS = (
    _Plan(
        sort="made",
        of="fidelity",
        leading=m.PSNR,
        columns=(m.PSNR, m.LEVEL_FREE_PSNR, m.WARP_RATIO, m.SEEN_LESS, m.SEEN_WORST, m.SSIM,
                 m.DELTA_E, m.SHARPNESS, m.LPIPS, m.VMAF, m.SPEED, m.MEMORY),
    ),
    _Plan(
        sort="simulated",
        of="fidelity",
        leading=m.LEVEL_FREE_PSNR,
        columns=(m.LEVEL_FREE_PSNR, m.PSNR, m.WARP_RATIO, m.SEEN_LESS, m.SEEN_WORST, m.SSIM,
                 m.SHARPNESS, m.SPEED, m.MEMORY),
    ),
    _Plan(
        sort="processed",
        of="consistency",
        leading=m.WARP_RATIO,
        columns=(m.WARP_RATIO, m.LAI_RATIO, m.SEEN_LESS, m.SEEN_WORST, m.VBENCH_GAIN,
                 m.SHARPNESS_TO_INPUT, m.CONTRAST_TO_INPUT, m.SPEED, m.MEMORY),
    ),
    _Plan(
        sort="real",
        of="visible",
        leading=m.SEEN_LESS,
        columns=(m.SEEN_LESS, m.SEEN, m.SEEN_WORST, m.VBENCH_GAIN, m.FLASHES, m.SHARPNESS_TO_INPUT,
                 m.CONTRAST_TO_INPUT, m.SPEED, m.MEMORY),
    ),
)  # fmt: skip


def boards(scores: Scores) -> list[Leaderboard]:
    """A board for each sort of video with scores.

    If some methods have too few examples for it, a second board follows, of all methods on the
    examples that all have.
    """
    made = []
    for plan in _PLANS:
        made.append(_board(scores, plan, fewer=False))
        if _compared(scores, plan).fewer:
            made.append(_board(scores, plan, fewer=True))
    return [board for board in made if board is not None]


def sort_of(category: str) -> str:
    """The sort of video of a category: made, simulated, processed or real."""
    sorts = {MADE: "made", SIMULATED: "simulated", PROCESSED: "processed"}
    return sorts.get(category, "real")


def main_methods(scores: Scores) -> list[str]:
    """All methods without ablations."""
    return [name for name in scores.methods if method_of(name).family != "ablation"]


def kind_table(board: Leaderboard, measure: m.Measure) -> Table | None:
    """Methods by kind of flicker, with the mean over examples and the mean rank.

    Args:
        board: Of one sort of video.
        measure: The number in the table.

    Returns:
        None if there are fewer than two kinds, or no scores.
    """
    return _parts_table(board.comparison, measure, part="kind", sort=board.sort)


def category_table(scores: Scores) -> Table | None:
    """Reduction of visible flicker, by category of video."""
    comparison = compared(
        scores, methods=main_methods(scores), examples=list(scores.examples), of="visible"
    )
    return _parts_table(comparison, m.SEEN_LESS, part="category", sort="all")


def ablation_table(scores: Scores) -> Table | None:
    """Ablations of presets, with the complete presets; None if there are none."""
    parts = [name for name in scores.methods if method_of(name).family == "ablation"]
    if not parts:
        return None
    wholes = [name for name in scores.methods if any(part.startswith(name) for part in parts)]
    methods = [name for name in scores.methods if name in (*wholes, *parts, INPUT)]
    plan = _PLANS[0]
    comparison = compared_all(scores, methods=methods, examples=list(scores.examples), of=plan.of)
    columns = (m.PSNR, m.LEVEL_FREE_PSNR, m.WARP_RATIO, m.SEEN_LESS, m.SHARPNESS, m.SPEED)
    about = f"Ablation of each part, on the same {_examples(comparison)}."
    return _table("ablation", "Parts left out", about, comparison, columns, order=m.PSNR)


def cost_table(scores: Scores) -> Table | None:
    """Time and memory of every method, on the examples that all have."""
    methods = [name for name in scores.methods if name != INPUT]
    comparison = compared(scores, methods=methods, examples=list(scores.examples), of="cost")
    if not comparison.methods:
        return None
    about = f"Measured in the same run, on {_examples(comparison)} of every sort."
    columns = (m.SPEED, m.SECONDS, m.SETUP, m.MEMORY)
    return _table("cost", "Time and memory", about, comparison, columns, order=m.SPEED)


def board_title(sort: str) -> str:
    """A heading in plain words."""
    return {
        "made": "Synthetic flicker",
        "simulated": "Simulated flicker",
        "processed": "Processed video",
        "real": "Real film",
        "all": "All sorts",
    }[sort]


def _compared(scores: Scores, plan: _Plan) -> Comparison:
    examples = [e.name for e in scores.examples.values() if sort_of(e.category) == plan.sort]
    return compared(scores, methods=main_methods(scores), examples=examples, of=plan.of)


def _board(scores: Scores, plan: _Plan, *, fewer: bool) -> Leaderboard | None:
    comparison = _compared(scores, plan)
    name, title = f"leaderboard_{plan.sort}", board_title(plan.sort)
    if fewer:
        examples = [e.name for e in scores.examples.values() if sort_of(e.category) == plan.sort]
        methods = [*comparison.methods, *comparison.fewer]
        comparison = compared_all(scores, methods=methods, examples=examples, of=plan.of)
        name, title = f"{name}_few", f"{title}, with those tried on few"
    if not [method for method in comparison.methods if method != INPUT]:
        return None
    about = f"Means over {_examples(comparison)} of {_WHAT[plan.sort]}."
    if comparison.fewer:
        about += f" Tried on fewer, so not here: {_few(comparison)}."
    table = _table(name, title, about, comparison, plan.columns, order=plan.leading)
    return Leaderboard(
        sort=plan.sort, leading=plan.leading, comparison=comparison, table=table, of_few=fewer
    )


def _few(comparison: Comparison) -> str:
    pairs = comparison.fewer.items()
    return ", ".join(f"{method_of(name).label} ({count})" for name, count in pairs)


def _examples(comparison: Comparison) -> str:
    clips = {comparison.scores.examples[name].clip for name in comparison.examples}
    count = len(comparison.examples)
    text = f"{count} example{'s' if count != 1 else ''}"
    return text if len(clips) == count else f"{text} of {len(clips)} clip{'s' * (len(clips) != 1)}"


def _table(
    name: str,
    title: str,
    about: str,
    comparison: Comparison,
    columns: Sequence[m.Measure],
    *,
    order: m.Measure,
) -> Table:
    """The measures with any scores, the best method first, the input last."""
    notes = Footnotes()
    cells = {
        method: {column: comparison.estimate(method, column) for column in columns}
        for method in comparison.methods
    }
    kept = [column for column in columns if any(row[column] for row in cells.values())]
    methods = ordered(comparison, order)
    rows = tuple(
        Row(
            method=method,
            cells=tuple(cells[method.name][column] for column in kept),
            marks=notes.of(marks(comparison.scores, method.name, comparison.examples)),
            differences=differences(comparison, method, methods[0], kept),
        )
        for method in methods
    )
    heads = tuple(Column(label=column.title, measure=column) for column in kept)
    return Table(
        name=name,
        title=title,
        about=about,
        columns=heads,
        rows=rows,
        footnotes=notes.texts,
        leading=kept.index(order) if order in kept else None,
    )


def differences(
    comparison: Comparison, method: Method, first: Method, columns: Sequence[m.Measure]
) -> tuple[Estimate | None, ...]:
    """Paired differences of a method to the first of a table; none for that itself.

    Args:
        comparison: Of the examples.
        method: To compare.
        first: The method of the first row.
        columns: The measures.
    """
    if method.name == first.name:
        return ()
    return tuple(comparison.difference(method.name, first.name, column) for column in columns)


def ordered(comparison: Comparison, order: m.Measure) -> list[Method]:
    """The methods of a comparison, the best first, the input last.

    Args:
        comparison: Gives the methods.
        order: By which they are ranked.
    """
    ranked = [method for method, _ in comparison.ranked(order)]
    rest = [method for method in comparison.methods if method not in ranked]
    names = [name for name in (*ranked, *rest) if name != INPUT]
    return [method_of(name) for name in (*names, *([INPUT] * (INPUT in comparison.methods)))]


def _parts_table(
    comparison: Comparison, measure: m.Measure, *, part: str, sort: str
) -> Table | None:
    """Methods by kind or category: their mean in each, over all, and their mean rank."""
    parts = parts_of(comparison, part=part)
    if len(parts) < 2 or not comparison.ranked(measure):
        return None
    ranks = mean_ranks(list(parts.values()), measure)
    columns = [Column(label=name or "other", measure=measure) for name in parts]
    columns += [Column(label="mean", measure=measure), Column(label=_RANK.label, measure=_RANK)]
    notes, rows, methods = Footnotes(), [], ordered(comparison, measure)
    for method in methods:
        means: list[Estimate | None] = [s.estimate(method.name, measure) for s in parts.values()]
        place = ranks.get(method.name)
        rank = (
            None if place is None else Estimate(mean=place, low=None, high=None, count=len(parts))
        )
        mark = notes.of(marks(comparison.scores, method.name, comparison.examples))
        cells = (*means, comparison.estimate(method.name, measure), rank)
        found = [
            differences(some, method, methods[0], (measure,))
            for some in (*parts.values(), comparison)
        ]
        gaps = tuple(each[0] for each in found if each)
        gaps += (None,) * bool(gaps)
        rows.append(Row(method=method, cells=cells, marks=mark, differences=gaps))
    counts = ", ".join(f"{name or 'other'} {len(some.examples)}" for name, some in parts.items())
    return Table(
        name=f"{part}_{sort}_{measure.name}",
        title=f"{board_title(sort)} by {part}: {measure.title}",
        sort=sort,
        about=f"Means over {_examples(comparison)}, by {part}: {counts}.",
        columns=tuple(columns),
        rows=tuple(rows),
        footnotes=notes.texts,
        leading=len(columns) - 2,
    )


def parts_of(comparison: Comparison, *, part: str) -> dict[str, Comparison]:
    """The comparison for each kind or each category, in order of first appearance.

    Args:
        comparison: Of all examples.
        part: "kind" or "category".
    """
    names: dict[str, list[str]] = {}
    for name in comparison.examples:
        names.setdefault(getattr(comparison.scores.examples[name], part), []).append(name)
    return {value: comparison.narrowed(some) for value, some in names.items()}
