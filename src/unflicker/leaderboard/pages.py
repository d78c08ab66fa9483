"""The pages of a site, as HTML."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from unflicker.evaluation.methods import FAMILIES, Method
from unflicker.evaluation.registry import method_of
from unflicker.leaderboard import measures as m
from unflicker.leaderboard.headline import Fact
from unflicker.leaderboard.leaderboards import Leaderboard, main_methods, sort_of
from unflicker.leaderboard.notes import Notes
from unflicker.leaderboard.plots import Plot
from unflicker.leaderboard.scores import INPUT, Example, Scores
from unflicker.leaderboard.tables import Row, Table
from unflicker.leaderboard.viewing import STEADY, Viewing
from unflicker.report.style import filled

CLIPS, PICTURES, PLOTS = "clips", "pictures", "plots"
_LEADING = {
    "made": m.PSNR,
    "simulated": m.LEVEL_FREE_PSNR,
    "processed": m.WARP_RATIO,
    "real": m.SEEN_LESS,
}
"""The measure by which clips of each sort are compared."""
_FOLDER = Path(__file__).parent
_CURVE_SIZE = (1000.0, 200.0)
_OF_A_CLIP = (m.PSNR, m.LEVEL_FREE_PSNR, m.WORST_PSNR, m.WARP_RATIO, m.SEEN, m.SEEN_WORST,
              m.SEEN_LESS, m.SHARPNESS, m.SHARPNESS_TO_INPUT, m.CONTRAST_TO_INPUT,
              m.SPEED)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Track:
    """A video in a player."""

    name: str
    label: str
    source: str
    """Link from the page."""
    family: str


@dataclass(frozen=True, kw_only=True)
class Player:
    """Videos of one example that play together; two of them on a stage with a slider."""

    tracks: tuple[Track, ...]
    first: str
    """Name of the track that is on the left of the slider at first."""
    second: str
    fps: float


@dataclass(frozen=True, kw_only=True)
class Curve:
    """A line over the frames of an example."""

    name: str
    label: str
    points: str
    """Coordinates as in SVG."""


@dataclass(frozen=True, kw_only=True)
class Chart:
    """Curves of all copies, on one scale."""

    title: str
    about: str
    low: str
    high: str
    last: int
    worst: float
    """Position of the worst moment, in px of the chart."""
    curves: tuple[Curve, ...]


def index_page(
    *,
    boards: Sequence[tuple[Leaderboard, Sequence[Plot]]],
    tables: Mapping[str, Sequence[Table]],
    heading: tuple[str, Sequence[Fact]],
    clips: dict[str, Any],
    notes: Notes,
) -> str:
    """The main page.

    Args:
        boards: The leaderboards, the main one first, each with its plots.
        tables: Further tables by section: "kinds", "published", "category", "ablation", "cost".
        heading: The sentence at the top, and the numbers below it.
        clips: "player" of the first example or None, "link" to its page, "rows" of `clip_rows`.
        notes: The notes at the end.
    """
    from markupsafe import Markup

    return filled(
        _FOLDER / "index.html.j2",
        boards=[
            (board, [(plot, Markup(plot.for_page)) for plot in plots]) for board, plots in boards
        ],
        tables=tables,
        headline=heading[0],
        facts=heading[1],
        clips=clips,
        notes=notes,
        sections=sections,
        lead=leading_bar,
        measures=m.MEASURES,
        **_words(),
    )


def clip_page(
    viewing: Viewing,
    scores: Scores,
    *,
    page: Path,
    neighbours: tuple[Example | None, Example | None],
) -> str:
    """The page of one example.

    Args:
        viewing: Its viewing copies.
        scores: All scores.
        page: Path of the page; links are relative to it.
        neighbours: The examples before and after it.
    """
    example = viewing.example
    tried = [name for name in scores.methods if scores.of(name, example.name)]
    columns = clip_scores(scores, example, [method_of(name) for name in tried])
    return filled(
        _FOLDER / "clip.html.j2",
        example=example,
        sort=sort_of(example.category),
        player=player_of(viewing, page=page),
        methods=[method_of(name) for name in _best_first(tried, columns)],
        scores=columns,
        charts=[chart for chart in (_light_chart(viewing), _error_chart(viewing)) if chart],
        rows=[label_of(copy.name) for copy in viewing.copies],
        viewing=viewing,
        pictures=f"../{PICTURES}/{quote(example.folder)}",
        neighbours=neighbours,
        **_words(),
    )


def _words() -> dict[str, Any]:
    return {
        "families": FAMILIES,
        "quote": quote,
        "arrows": {"high": "↑", "low": "↓", "near 1": "→ 1"},
    }


def label_of(name: str) -> str:
    """Name of a viewing copy, for people."""
    return STEADY.get(name) or method_of(name).label


def sections(table: Table) -> list[tuple[str, list[Row]]]:
    """A table's rows in sections: blind methods, guided methods, and the input."""
    groups: dict[str, list[Row]] = {"blind": [], "guided": [], "": []}
    for row in table.rows:
        name = "guided" if row.method.guided else "" if row.method.family == "input" else "blind"
        groups[name].append(row)
    if not groups["guided"]:
        return [("", [*groups["blind"], *groups[""]])]
    heads = {
        "blind": "Blind: methods that take the flickering video alone",
        "guided": "Guided: methods that also take the steady original",
        "": "For comparison",
    }
    return [(heads[name], rows) for name, rows in groups.items() if rows]


@dataclass(frozen=True, kw_only=True)
class Bar:
    """The column with bars, and their length: per cent of the cell for a value of 1."""

    measure: m.Measure
    factor: float

    def __mul__(self, value: float) -> float:
        return max(0.0, min(100.0, self.factor * value))


def leading_bar(board: Leaderboard) -> Bar:
    """Bars of the board's leading measure; the longest fills its cell."""
    means = [estimate.mean for _, estimate in board.comparison.ranked(board.leading)]
    return Bar(measure=board.leading, factor=100.0 / max([*means, 1e-9]))


def player_of(viewing: Viewing, *, page: Path) -> Player:
    """The viewing copies as a player; it opens with the input and our best method, else the best.

    Args:
        viewing: An example's viewing copies.
        page: Path of the page; links are relative to it.
    """
    tracks = tuple(
        Track(
            name=copy.name,
            label=label_of(copy.name),
            source=quote(Path(os.path.relpath(copy.path, page.parent)).as_posix()),
            family="truth" if copy.name in STEADY else method_of(copy.name).family,
        )
        for copy in viewing.copies
    )
    results = [track for track in tracks if track.family not in ("input", "truth")]
    ours = [track for track in results if method_of(track.name).ours]
    second = [*ours, *results, *tracks][0].name
    return Player(tracks=tracks, first="input", second=second, fps=viewing.fps)


def clip_scores(
    scores: Scores, example: Example, methods: Sequence[Method]
) -> list[tuple[m.Measure, dict[str, float | None]]]:
    """For each measure with any scores, the number of each method; None if it has none.

    Args:
        scores: All scores.
        example: The example.
        methods: The methods to show.
    """
    columns = [
        (measure, {k.name: _value(scores, k.name, example, measure) for k in methods})
        for measure in _OF_A_CLIP
    ]
    filled_in = [pair for pair in columns if any(value is not None for value in pair[1].values())]
    known = {measure for measure, _ in filled_in}
    # One column of sharpness avoids confusion; the one against the ground truth is more accurate.
    return [p for p in filled_in if p[0] != m.SHARPNESS_TO_INPUT or m.SHARPNESS not in known]


def _best_first(
    names: Sequence[str], columns: Sequence[tuple[m.Measure, dict[str, float | None]]]
) -> list[str]:
    """Methods by the first column's numbers, then those without one, then the input."""

    def place(name: str) -> tuple[bool, float]:
        measure, found = columns[0]
        value = found.get(name)
        return name == INPUT, math.inf if value is None else measure.worse(value)

    return sorted(names, key=place) if columns else list(names)


def _value(scores: Scores, method: str, example: Example, measure: m.Measure) -> float | None:
    if measure == m.SPEED:
        if method == INPUT:
            return None
        seconds = scores.value(method, example.name, of=m.SECONDS.of, name=m.SECONDS.name)
        return 1.0 / seconds if seconds else None
    return scores.value(method, example.name, of=measure.of, name=measure.name)


def clip_rows(scores: Scores, pages: dict[str, Viewing]) -> list[dict[str, Any]]:
    """The list of examples, with their sort, page, and our best and the baselines' best number.

    Args:
        scores: All scores.
        pages: Viewing copies by name of the example, for examples that have a page.
    """
    rows = []
    for example in scores.examples.values():
        sort = sort_of(example.category)
        measure = _LEADING[sort]
        ours, rival = _bests(scores, example, measure)
        ahead = (
            ours is not None and rival is not None and measure.worse(ours) <= measure.worse(rival)
        )
        rows.append(
            {
                "example": example,
                "sort": sort,
                "has_page": example.name in pages,
                "ours": measure.shown(ours),
                "rival": measure.shown(rival),
                "ahead": ahead,
                "measure": measure,
            }
        )
    return rows


def _bests(
    scores: Scores, example: Example, measure: m.Measure
) -> tuple[float | None, float | None]:
    """Our best blind number on an example, and the best of the blind baselines."""
    sides: dict[bool, list[float]] = {True: [], False: []}
    for name in main_methods(scores):
        method, value = method_of(name), _value(scores, name, example, measure)
        if value is not None and method.family != "input" and not method.guided:
            sides[method.ours].append(value)
    ours, rival = (min(sides[side], key=measure.worse, default=None) for side in (True, False))
    return ours, rival


def _light_chart(viewing: Viewing) -> Chart | None:
    lines = {copy.name: copy.light for copy in viewing.copies}
    about = "Mean luma of each frame. Fast changes are flicker; slow ones are intended and kept."
    if "original" in lines:  # processing changed its level
        lines = {name: light - light.mean() for name, light in lines.items()}
        about = f"{about} Each relative to its own mean."
    return _chart("Light over time", about, lines, viewing)


def _error_chart(viewing: Viewing) -> Chart | None:
    lines = {c.name: c.error_db for c in viewing.copies if c.error_db is not None}
    about = "PSNR of each frame in dB, from the viewing copies; higher is better."
    return _chart("PSNR by frame", about, lines, viewing) if lines else None


def _chart(title: str, about: str, lines: dict[str, np.ndarray], viewing: Viewing) -> Chart:
    low = min(float(line.min()) for line in lines.values())
    high = max(float(line.max()) for line in lines.values())
    last = max(len(line) for line in lines.values()) - 1
    span, (width, height) = max(high - low, 1e-3), _CURVE_SIZE
    across = width / max(last, 1)
    curves = tuple(
        Curve(
            name=name,
            label=label_of(name),
            points=" ".join(
                f"{across * index:.1f},{height * (1 - (value - low) / span):.1f}"
                for index, value in enumerate(line)
            ),
        )
        for name, line in lines.items()
    )
    digits = 1 if high > 2 else 3
    shown = {"low": f"{low:.{digits}f}", "high": f"{high:.{digits}f}"}
    return Chart(
        title=title, about=about, last=last, worst=across * viewing.worst, curves=curves, **shown
    )
