"""The plot of a plan: the luminance of a video before and after."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from unflicker.files.atomic import write_whole
from unflicker.plan import Plan
from unflicker.report import curves
from unflicker.report.style import ON_WHITE, as_png, figure_of, in_house_style

_PLACES = 2_000


@in_house_style(ON_WHITE)
def write_plan_curve(plan: Plan, path: Path) -> None:
    """Plot the mean luma of each frame before and after, at full strength, as PNG.

    Args:
        plan: Of any version that says what the frames showed.
        path: The file.

    Raises:
        OutputError: The file cannot be written.
    """
    figure = figure_of(height_in=3.0)
    ax = figure.subplots()
    seconds = np.array([frame.seconds for frame in plan], np.float32)
    means = {
        "before": (np.stack([frame.mean_before for frame in plan]), ON_WHITE.before),
        "after": (np.stack([frame.mean_after for frame in plan]), ON_WHITE.after),
    }
    for name, (mean, colour) in means.items():
        at, values = curves.envelope(curves.luma(mean), places=_PLACES)
        ax.plot(seconds[at], values, color=colour, linewidth=1.1, label=name)
    for shot in plan.shots[1:]:
        ax.axvline(seconds[shot.start], color=ON_WHITE.line, linewidth=0.8)
    ax.set_ylabel("mean luma")
    ax.set_xlabel("seconds")
    ax.legend(loc="lower right", ncols=2, frameon=False, bbox_to_anchor=(1.0, 1.0))
    write_whole(path, as_png(figure))
