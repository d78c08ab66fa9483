"""Plots of a run's report, as SVG in the page's colours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from jaxtyping import Float, Float32

from unflicker.recording.record import Record
from unflicker.report import curves
from unflicker.report.style import (
    LIGHT_ADDED,
    LIGHT_TAKEN,
    STAND_INS,
    as_svg,
    figure_of,
    in_house_style,
)

_WIDTH_IN = 10.0
_PLACES = 900
_LEAST_SPAN = 0.05
"""Least range of an axis, in luma or stops."""
_GREY_STOPS = 0.02
"""A film whose colour balance never differs more from 0 is grey."""


@in_house_style()
def light_plot(record: Record) -> str:
    """Luma over time before and after; colour balance too, unless the film is grey."""
    rows: list[tuple[str, Callable[..., Any]]] = [("mean luma", curves.luma)]
    if not _is_grey(record):
        rows += [("warmth, stops", curves.warmth), ("green tint, stops", curves.tint)]
    figure = figure_of(height_in=0.5 + 1.75 * len(rows))
    axes = figure.subplots(len(rows), 1, sharex=True, squeeze=False)[:, 0]
    for ax, (label, measure) in zip(axes, rows, strict=True):
        for mean, colour, name in (
            (record.mean_before, STAND_INS.before, "before"),
            (record.mean_after, STAND_INS.after, "after"),
        ):
            seconds, values = _broken_at_cuts(record, measure(mean))
            ax.plot(seconds, values, color=colour, linewidth=1.1, label=name)
        ax.set_ylabel(label)
        _mark_shots(ax, record)
        _widen(ax)
    axes[0].legend(loc="lower right", ncols=2, frameon=False, bbox_to_anchor=(1.0, 1.0))
    axes[-1].set_xlabel("seconds")
    return as_svg(figure, name="light")


@in_house_style()
def heat_plot(record: Record) -> str:
    """The correction over time and place: down the picture, and across it."""
    figure = figure_of(height_in=3.6)
    axes = figure.subplots(2, 1, sharex=True)
    limit = strongest_stops(record)
    image = None
    for ax, axis, label in ((axes[0], 2, "top to bottom"), (axes[1], 1, "left to right")):
        stops = curves.strongest(record.correction_stops.mean(axis=axis), places=_PLACES)
        image = ax.imshow(
            stops.T,
            aspect="auto",
            cmap=_light_map(),
            vmin=-limit,
            vmax=limit,
            interpolation="nearest",
            extent=(*_span(record), stops.shape[1], 0),
        )
        ax.set_yticks([])
        ax.set_ylabel(label)
        _mark_shots(ax, record)
    axes[1].set_xlabel("seconds")
    bar = figure.colorbar(image, ax=list(axes), pad=0.01, aspect=30)
    bar.outline.set_edgecolor(STAND_INS.line)
    bar.set_label("stops of light added", color=STAND_INS.faint)
    return as_svg(figure, name="heat")


@in_house_style()
def moment_plots(record: Record, *, count: int = 8) -> str:
    """Corrections by place, at the moments of strongest correction, as SVG.

    Args:
        record: Of a run.
        count: Moments at most.
    """
    moments = curves.worst_moments(record, count=count)
    rows, columns = record.correction_stops.shape[1:]
    shape = _picture_shape(record) or (rows, columns)
    cell = _WIDTH_IN / count
    figure = figure_of(height_in=cell * shape[0] / shape[1] + 0.35)
    axes = figure.subplots(1, count, squeeze=False)[0]
    limit = strongest_stops(record)
    for ax in axes[len(moments) :]:
        ax.set_visible(False)
    for ax, index in zip(axes, moments, strict=False):
        ax.imshow(
            record.correction_stops[index],
            cmap=_light_map(),
            vmin=-limit,
            vmax=limit,
            interpolation="bicubic",
            extent=(0, shape[1], shape[0], 0),
        )
        ax.set_title(f"frame {index}", color=STAND_INS.faint, fontsize=9)
        ax.set_xticks([])
        ax.set_yticks([])
    return as_svg(figure, name="moments")


@in_house_style()
def repairs_plot(record: Record) -> str:
    """Repairs of damage: how many in each frame, and in each part of the picture."""
    figure = figure_of(height_in=2.4)
    over_time, by_place = figure.subplots(1, 2, width_ratios=(2, 1))
    counts = np.asarray(record.repaired.counts, np.float32)
    at, kept = curves.envelope(counts, places=_PLACES)
    over_time.fill_between(record.seconds[at], kept, step="mid", color=STAND_INS.after, linewidth=0)
    over_time.set_ylim(bottom=0)
    over_time.set_xlabel("seconds")
    over_time.set_ylabel("repairs in a frame")
    _mark_shots(over_time, record)
    shape = _picture_shape(record) or record.repaired.places.shape
    most = float(record.repaired.places.max())
    by_place.imshow(
        record.repaired.places,
        cmap=_light_map(),
        vmin=-most,
        vmax=most,
        interpolation="nearest",
        extent=(0, shape[1], shape[0], 0),
    )
    by_place.set_xticks([])
    by_place.set_yticks([])
    by_place.set_title("where in the picture", color=STAND_INS.faint, fontsize=9)
    return as_svg(figure, name="repairs")


def _broken_at_cuts(
    record: Record, values: Float32[np.ndarray, " time"]
) -> tuple[Float[np.ndarray, " kept"], Float[np.ndarray, " kept"]]:
    """Seconds and values of a line that is interrupted at cuts."""
    at, kept = curves.envelope(values, places=_PLACES)
    cuts = np.searchsorted(at, [shot.start for shot in record.shots[1:]])
    return np.insert(record.seconds[at], cuts, np.nan), np.insert(kept, cuts, np.nan)


def _widen(ax: Any) -> None:
    """Widen the axis of an almost constant line."""
    low, high = ax.get_ylim()
    missing = max(0.0, _LEAST_SPAN - (high - low)) / 2.0
    ax.set_ylim(low - missing, high + missing)


def strongest_stops(record: Record) -> float:
    """The limit of the colour scale in stops: the map's 99.9th percentile."""
    stops = np.abs(record.correction_stops)
    return max(0.05, float(np.quantile(stops, 0.999))) if stops.size else 0.05


def _is_grey(record: Record) -> bool:
    mean = record.mean_before
    balance = np.abs(np.concatenate([curves.warmth(mean), curves.tint(mean)]))
    return bool((balance < _GREY_STOPS).all())


def _picture_shape(record: Record) -> tuple[int, int] | None:
    return record.stills[0].before.shape[:2] if record.stills else None


def _span(record: Record) -> tuple[float, float]:
    first, last = float(record.seconds[0]), float(record.seconds[-1])
    return first, last if last > first else first + 1.0


def _mark_shots(ax: Any, record: Record) -> None:
    """A thin line at each cut, its shot's number at the top."""
    ax.set_xlim(*_span(record))
    ax.margins(y=0.12)
    many = len(record.shots) > 40
    for place, shot in enumerate(record.shots[1:], start=1):
        if shot.start >= len(record.seconds):
            continue
        at = float(record.seconds[shot.start])
        ax.axvline(at, color=STAND_INS.faint, linewidth=0.7, dashes=(3, 2))
        if not many and ax.get_subplotspec().is_first_row():
            ax.annotate(
                f"{place}",
                (at, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(2, 2),
                textcoords="offset points",
                color=STAND_INS.faint,
                fontsize=8,
            )


def _light_map() -> Any:
    """Warm where light was added, blue where it was removed, clear where nothing changed."""
    from matplotlib.colors import LinearSegmentedColormap, to_rgba

    taken, added = to_rgba(LIGHT_TAKEN), to_rgba(LIGHT_ADDED)
    steps = [(0.0, taken), (0.5, (*taken[:3], 0.0)), (0.5, (*added[:3], 0.0)), (1.0, added)]
    return LinearSegmentedColormap.from_list("light", steps)
