"""The loss curves of atlases."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Protocol, runtime_checkable

from unflicker.files.atomic import write_whole

_WIDTH_IN, _ROW_IN = 8.0, 3.0
_MOST_ROWS = 6


@runtime_checkable
class FitHistory(Protocol):
    """The part of a fit's log that is plotted."""

    steps: list[int]
    losses: list[dict[str, float]]
    seconds: list[float]


@runtime_checkable
class FittedAtlas(Protocol):
    """One atlas: its frames, the PSNR of its rendering, the losses of its fit."""

    @property
    def start(self) -> int: ...  # noqa: D102 - as in `atlas_export.files.DrawnAtlas`
    @property
    def stop(self) -> int: ...  # noqa: D102
    @property
    def psnr_db(self) -> float: ...  # noqa: D102
    @property
    def log(self) -> FitHistory: ...  # noqa: D102


def write_fit(atlases: list, path: Path) -> None:
    """Write a plot of the losses of each atlas, at most six of them, as PNG.

    Args:
        atlases: As `atlas_export.export.draw_atlases` records them.
        path: The file to write.

    Raises:
        OutputError: The file cannot be written.
    """
    from matplotlib import style
    from matplotlib.figure import Figure

    shown = atlases[:_MOST_ROWS]
    with style.context("default"):
        figure = Figure(figsize=(_WIDTH_IN, _ROW_IN * max(len(shown), 1)), layout="constrained")
        axes = figure.subplots(max(len(shown), 1), 1, squeeze=False)[:, 0]
        for ax, atlas in zip(axes, shown, strict=False):
            _draw(ax, atlas)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=110)
    write_whole(path, buffer.getvalue())


def _draw(ax, atlas: FittedAtlas) -> None:
    log = atlas.log
    names = sorted({name for entry in log.losses for name in entry})
    for name in names:
        pairs = [
            (step, entry[name])
            for step, entry in zip(log.steps, log.losses, strict=True)
            if entry.get(name, 0.0) > 0.0
        ]
        if pairs:
            ax.plot(*zip(*pairs, strict=True), label=name, linewidth=1.2)
    took = f", {log.seconds[-1]:.1f} s" if log.seconds else ""
    ax.set_title(f"frames {atlas.start} to {atlas.stop - 1}: {atlas.psnr_db:.1f} dB{took}")
    ax.set_yscale("log")
    ax.set_xlabel("step")
    ax.set_ylabel("loss, weighted")
    ax.spines[["top", "right"]].set_visible(False)
    if names:
        ax.legend(frameon=False, fontsize=8, ncols=2)
