"""Places names next to the points of a plot, where they cover neither points nor each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from unflicker.evaluation.methods import Method
from unflicker.report.style import Palette

_REACH_PT = (9.0, 16.0, 26.0, 40.0, 58.0)
"""Distances of a name from its point, the nearest first."""
_DIRECTIONS = 16
_LEADER_PT = 14.0
"""Distance above which a thin line joins name and point."""
_POINT_PT = 8.0
"""Half the side of the square around a point that names keep free."""


@dataclass(frozen=True, kw_only=True)
class Point:
    """A method in a plot of two measures."""

    method: Method
    x: float
    y: float
    marked: bool
    """Whether it has a footnote."""


def place_labels(figure: Any, ax: Any, points: Sequence[Point], palette: Palette) -> None:
    """Write each method's name at the nearest free place, ours first.

    If none is free, the name is written where it covers least.

    Args:
        figure: A figure of matplotlib.
        ax: Its axes, with the points drawn.
        points: Methods with their coordinates in the axes.
        palette: Colours.
    """
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # the axes stay where names were placed for them
    scale = figure.dpi / 72.0
    at = [ax.transData.transform((point.x, point.y)) for point in points]
    taken = [_square(place, _POINT_PT * scale) for place in at]
    taken += [np.array(text.get_window_extent().extents) for text in ax.texts]
    frame = ax.get_window_extent()
    order = sorted(range(len(points)), key=lambda k: (not points[k].method.ours, at[k][0]))
    for index in order:
        size = _text_size(ax, points[index])
        offset, box = _best_place(at[index], size=size, taken=taken, frame=frame, scale=scale)
        taken.append(box)
        gap = float(np.hypot(*np.maximum(np.abs(offset) - size / 2, 0.0))) / scale
        _write(ax, points[index], offset / scale, palette)
        if gap > _LEADER_PT:
            _join(ax, points[index], offset / scale, palette)


def _write(ax: Any, point: Point, offset_pt: np.ndarray, palette: Palette) -> None:
    ours = point.method.ours
    ax.annotate(
        point.method.label,
        (point.x, point.y),
        xytext=tuple(offset_pt),
        textcoords="offset points",
        ha="center",
        va="center",
        fontsize=_font_size(point),
        fontweight="bold" if ours else "normal",
        color=palette.after if ours else palette.ink,
        zorder=4,
    )


def _join(ax: Any, point: Point, offset_pt: np.ndarray, palette: Palette) -> None:
    """A thin line between a point and its name."""
    line = {"arrowstyle": "-", "color": palette.line, "linewidth": 0.8, "shrinkB": 6.0}
    end = {"xytext": tuple(0.7 * offset_pt), "textcoords": "offset points"}
    ax.annotate("", (point.x, point.y), **end, arrowprops=line, zorder=2)


def _best_place(
    at: np.ndarray, *, size: np.ndarray, taken: list[np.ndarray], frame: Any, scale: float
) -> tuple[np.ndarray, np.ndarray]:
    """Offset of the name's middle from its point, and the box it fills, in pixels."""
    best: tuple[float, np.ndarray, np.ndarray] | None = None
    for reach in _REACH_PT:
        for turn in range(_DIRECTIONS):
            angle = 2 * np.pi * turn / _DIRECTIONS
            way = np.array([np.cos(angle), np.sin(angle)])
            offset = way * (reach * scale + size / 2 * np.abs(way) ** 0.5)
            box = np.concatenate([at + offset - size / 2, at + offset + size / 2])
            covers = sum(_overlap(box, other) for other in taken) + _outside(box, frame)
            cost = covers + 0.001 * reach
            if best is None or cost < best[0] - 1e-9:
                best = (cost, offset, box)
        if best is not None and best[0] < 1.0:
            break
    assert best is not None
    return best[1], best[2]


def _text_size(ax: Any, point: Point) -> np.ndarray:
    weight = "bold" if point.method.ours else "normal"
    text = ax.text(
        0.5, 0.5, point.method.label, transform=ax.transAxes, fontsize=_font_size(point),
        fontweight=weight,
    )  # fmt: skip
    extent = text.get_window_extent()
    text.remove()
    return np.array([extent.width, extent.height])


def _font_size(point: Point) -> float:
    return 11.0 if point.method.ours else 9.5


def _square(place: np.ndarray, half: float) -> np.ndarray:
    return np.concatenate([place - half, place + half])


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    return float(np.prod(np.maximum(sides, 0.0)))


def _outside(box: np.ndarray, frame: Any) -> float:
    """How much of a box lies outside the axes."""
    inner = np.array([frame.x0, frame.y0, frame.x1, frame.y1])
    return float(np.prod(box[2:] - box[:2])) - _overlap(box, inner)
