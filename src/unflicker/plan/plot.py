"""The plot of a plan: light before and after, and the gain between them (needs matplotlib)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from unflicker.errors import MissingError
from unflicker.frames.colour import SHOWN_LUMA, linear_stops
from unflicker.plan.plan import FramePlan, ShotPlan

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_SIZE_IN = (9.0, 4.5)
_BEFORE, _AFTER = "#b0611f", "#1f6fb0"


def plotted(frames: Iterable[FramePlan], shots: Sequence[ShotPlan]) -> Figure:
    """A figure with the mean luma of each frame before and after, and its gain in stops.

    It belongs to no window and to no state of pyplot: a notebook shows it, `savefig` writes it.

    Args:
        frames: Of a plan, in order.
        shots: Their shots; a line marks where each begins.

    Raises:
        MissingError: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as fault:
        raise MissingError(
            "a plot needs matplotlib, which is not installed; run: pip install matplotlib"
        ) from fault
    rows = [
        (f.seconds, SHOWN_LUMA @ f.mean_before, SHOWN_LUMA @ f.mean_after, _stops(f))
        for f in frames
    ]
    seconds, before, after, stops = np.array(rows, np.float64).reshape(-1, 4).T
    figure = Figure(figsize=_SIZE_IN, layout="constrained")
    light, gain = figure.subplots(2, 1, sharex=True)
    light.plot(seconds, before, color=_BEFORE, linewidth=1.0, label="before")
    light.plot(seconds, after, color=_AFTER, linewidth=1.0, label="after")
    light.set_ylabel("mean luma")
    light.legend(frameon=False, ncols=2)
    gain.plot(seconds, stops, color=_AFTER, linewidth=1.0)
    gain.set_ylabel("gain in stops")
    gain.set_xlabel("seconds")
    for shot in shots[1:]:
        for axes in (light, gain):
            axes.axvline(seconds[shot.start], color="0.8", linewidth=0.8)
    return figure


def _stops(frame: FramePlan) -> float:
    return float(np.mean(linear_stops(frame.grade.whole_log_gain())))
