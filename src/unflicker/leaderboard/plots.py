"""Plots of the leaderboard: quality against speed, warping error against sharpness, and by kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from unflicker.evaluation.methods import Method
from unflicker.evaluation.registry import method_of
from unflicker.leaderboard import measures as m
from unflicker.leaderboard.labels import Point, place_labels
from unflicker.leaderboard.leaderboards import Leaderboard, parts_of
from unflicker.report.style import (
    ON_WHITE,
    STAND_INS,
    Palette,
    as_png,
    as_svg,
    figure_of,
    in_house_style,
    standing_alone,
)

_PANELS_A_ROW = 4
_WIDTH_IN = 10.0
_LEAST_SPANS = {
    "psnr": 3.0,
    "level_free_psnr": 3.0,
    "sharpness": 0.12,
    "e_warp_ratio": 0.5,
    "visible_flicker_less": 20.0,
}
"""The smallest range of an axis, so that small differences look small."""
_MANY_DECADES = 4


@dataclass(frozen=True, kw_only=True)
class Plot:
    """A plot for the page and as separate files."""

    name: str
    """Name of its files, without suffix."""
    title: str
    about: str
    for_page: str
    """SVG in the page's colours."""
    svg: str
    """SVG on white."""
    png: bytes


def speed_plot(board: Leaderboard) -> Plot | None:
    """Quality against frames a second; None if fewer than two methods have both."""
    points = _points(board, m.SPEED, board.leading)
    if len(points) < 2:
        return None
    floor = board.comparison.estimate("input", board.leading)

    def draw(palette: Palette) -> Any:
        figure = figure_of(width_in=_WIDTH_IN, height_in=5.4)
        ax = figure.subplots()
        ax.set_xscale("log")
        _scatter(ax, points, palette)
        ax.margins(x=0.16, y=0.14)
        if floor is not None and board.leading.best == "high":
            _level(ax, _scaled(board.leading, floor.mean), "the input", palette)
        ax.set_ylim(_wide_enough(ax.get_ylim(), _LEAST_SPANS[board.leading.name]))
        ax.set_xlabel("frames a second, logarithmic (right is faster)")
        ax.set_ylabel(f"{board.leading.title} ({_direction(board.leading)})")
        _plain_ticks(ax.xaxis)
        if board.leading.best == "low":
            ax.invert_yaxis()
        place_labels(figure, ax, points, palette)
        return figure

    about = "Up and to the right is better; the scale of speed is logarithmic."
    return _drawn(draw, f"quality_against_speed_{_sort(board)}", ("Quality against speed", about))


def blur_plot(board: Leaderboard) -> Plot | None:
    """Warping error against sharpness: a method that blurs is on the left.

    Returns:
        None if fewer than two methods have both.
    """
    sharpness = m.SHARPNESS if board.sort in ("made", "simulated") else m.SHARPNESS_TO_INPUT
    points = _points(board, sharpness, m.WARP_RATIO)
    if len(points) < 2:
        return None

    def draw(palette: Palette) -> Any:
        figure = figure_of(width_in=_WIDTH_IN, height_in=5.0)
        ax = figure.subplots()
        logarithmic = min(point.y for point in points) > 0
        ax.set_yscale("log" if logarithmic else "linear")
        ax.axvline(1.0, color=palette.line, linewidth=1)
        ax.axhline(1.0, color=palette.line, linewidth=1)
        _scatter(ax, points, palette)
        ax.plot([1.0], [1.0], marker="*", markersize=15, color=palette.faint, linestyle="none")
        ax.margins(x=0.2, y=0.14)
        ax.set_xlim(_wide_enough(ax.get_xlim(), _LEAST_SPANS["sharpness"]))
        ax.set_xlabel(f"{sharpness.label} (1 keeps all detail, left of it is blur)")
        ax.set_ylabel("E_warp ratio (lower is steadier, 1 as the steady video)")
        if logarithmic:
            _plain_ticks(ax.yaxis)
        place_labels(figure, ax, points, palette)
        return figure

    about = (
        "Blur lowers the warping error too: methods that blur are on the left. "
        "The star is the steady video."
    )
    return _drawn(draw, f"warp_against_sharpness_{_sort(board)}", ("Steady, or blurred?", about))


def kind_bars(board: Leaderboard, measure: m.Measure) -> Plot | None:
    """One panel for each kind of flicker, one bar for each method, in the leaderboard's order.

    Args:
        board: Of one sort of video.
        measure: The number that bars show.

    Returns:
        None if there are fewer than two kinds, or no scores.
    """
    parts = parts_of(board.comparison, part="kind")
    methods = [row.method for row in board.table.rows]
    if len(parts) < 2 or not board.comparison.ranked(measure):
        return None

    def draw(palette: Palette) -> Any:
        rows = -(-len(parts) // _PANELS_A_ROW)
        height = rows * (0.45 + 0.21 * len(methods))
        # Set explicitly: automatic layout of so many panels takes seconds.
        figure = figure_of(width_in=_WIDTH_IN, height_in=height, layout=None)
        left = (0.2 + 0.068 * max(len(method.label) for method in methods)) / _WIDTH_IN
        edges = {"left": left, "right": 0.99, "bottom": 0.06 / height, "top": 1 - 0.3 / height}
        figure.subplots_adjust(**edges, wspace=0.06, hspace=0.45 / (0.21 * len(methods)))
        panels = figure.subplots(rows, _PANELS_A_ROW, squeeze=False).ravel()
        for panel in panels[len(parts) :]:
            panel.set_visible(False)
        for index, (kind, part) in enumerate(parts.items()):
            means = [part.estimate(method.name, measure) for method in methods]
            values = [0.0 if mean is None else mean.mean for mean in means]
            _bars(panels[index], methods, values, measure, palette)
            panels[index].set_title(kind or "other", color=palette.ink, fontsize=10, loc="left")
            if index % _PANELS_A_ROW:
                panels[index].set_yticklabels([])
        return figure

    name = f"by_kind_{_sort(board)}_{measure.name}"
    return _drawn(draw, name, (measure.title, ""))


def _bars(
    ax: Any, methods: Sequence[Method], values: list[float], measure: m.Measure, palette: Palette
) -> None:
    places = range(len(methods))
    best = min(
        (v for method, v in zip(methods, values, strict=True) if method.family != "input"),
        key=measure.worse,
        default=None,
    )
    colours = [colour_of(method, palette) for method in methods]
    ax.barh(list(places), values, color=colours, height=0.72)
    top = max([*values, 1e-9])
    for place, value in zip(places, values, strict=True):
        weight = "bold" if measure.shown(value) == measure.shown(best) else "normal"
        at = (value + 0.02 * top, place)
        ax.annotate(measure.shown(value), at, va="center", fontsize=7.5, fontweight=weight)
    ax.set_ylim(len(methods) - 0.4, -0.6)
    ax.set_xlim(0, 1.22 * top)
    ax.set_yticks(list(places), [method.label for method in methods], fontsize=8)
    ax.set_xticks([])
    ax.tick_params(length=0)
    ax.spines[["bottom"]].set_visible(False)


def colour_of(method: Method, palette: Palette) -> str:
    """Colour of a method: one for ours, one for the input, one for all others.

    Args:
        method: The method.
        palette: Colours.
    """
    if method.ours:
        return palette.after
    return palette.before if method.family == "input" else palette.faint


def _points(board: Leaderboard, x: m.Measure, y: m.Measure) -> list[Point]:
    found = []
    for row in board.table.rows:
        name = row.method.name
        across, up = board.comparison.estimate(name, x), board.comparison.estimate(name, y)
        if across is not None and up is not None:
            place = {"x": _scaled(x, across.mean), "y": _scaled(y, up.mean)}
            found.append(Point(method=method_of(name), marked=bool(row.marks), **place))
    return found


def _scaled(measure: m.Measure, value: float) -> float:
    return value * measure.factor


def _scatter(ax: Any, points: Sequence[Point], palette: Palette) -> None:
    """Ours filled and large; guided methods are squares, those with a footnote hollow."""
    for point in points:
        colour = colour_of(point.method, palette)
        ax.plot(
            [point.x],
            [point.y],
            marker="s" if point.method.guided else "o",
            markersize=11 if point.method.ours else 8,
            markeredgecolor=colour,
            markerfacecolor="none" if point.marked else colour,
            markeredgewidth=1.6,
            linestyle="none",
            zorder=3,
        )


def _level(ax: Any, value: float, label: str, palette: Palette) -> None:
    ax.axhline(value, color=palette.before, linewidth=1, dashes=(4, 3))
    at = {"xy": (0.0, value), "xycoords": ("axes fraction", "data")}
    offset = {"xytext": (4, -3), "textcoords": "offset points"}
    ax.annotate(label, **at, **offset, color=palette.before, fontsize=9, ha="left", va="top")


def _direction(measure: m.Measure) -> str:
    return {"high": "higher is better", "low": "low is good, and above"}.get(measure.best, "")


def _wide_enough(limits: tuple[float, float], least: float) -> tuple[float, float]:
    """The limits of an axis, extended to a smallest range."""
    missing = max(0.0, least - (limits[1] - limits[0])) / 2.0
    return limits[0] - missing, limits[1] + missing


def _plain_ticks(axis: Any) -> None:
    """Decimal ticks for a logarithmic axis: 0.5, 1, 2, 5, 10."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    many = high > low * 10**_MANY_DECADES
    axis.set_major_locator(LogLocator(subs=(1.0,) if many else (1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _sort(board: Leaderboard) -> str:
    return f"{board.sort}_few" if board.of_few else board.sort


def _drawn(draw: Callable[[Palette], Any], name: str, words: tuple[str, str]) -> Plot:
    """The plot in the page's colours and on white; `words` are its title and description."""
    with in_house_style():
        svg = as_svg(draw(STAND_INS), name=name)
    with in_house_style(ON_WHITE):
        png = as_png(draw(ON_WHITE))
    title, about = words
    return Plot(name=name, title=title, about=about, for_page=svg, svg=standing_alone(svg), png=png)
