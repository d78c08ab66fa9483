"""The learning curve of a training."""

from __future__ import annotations

import io
from pathlib import Path

from unflicker.files.atomic import write_whole
from unflicker.files.json_text import parsed

_WIDTH_IN, _HEIGHT_IN = 8.0, 5.5


def write_training(log: Path, path: Path) -> None:
    """Write a plot of a training's loss and validation by step, as PNG.

    Args:
        log: JSON lines with `step`, `loss` and, where there was one, `validation_db`.
        path: The file to write.

    Raises:
        OutputError: The file cannot be written.
    """
    from matplotlib import style
    from matplotlib.figure import Figure

    entries = [parsed(line) for line in log.read_text().splitlines()] if log.exists() else []
    checked = [entry for entry in entries if entry.get("validation_db") is not None]
    with style.context("default"):
        figure = Figure(figsize=(_WIDTH_IN, _HEIGHT_IN), layout="constrained")
        above, below = figure.subplots(2, 1, sharex=True)
        above.plot([entry["step"] for entry in entries], [entry["loss"] for entry in entries])
        above.set_ylabel("loss")
        below.plot(
            [entry["step"] for entry in checked], [entry["validation_db"] for entry in checked]
        )
        below.set_ylabel("validation, dB won")
        below.set_xlabel("step")
        for axes in (above, below):
            axes.spines[["top", "right"]].set_visible(False)
            axes.grid(alpha=0.3)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=110)
    write_whole(path, buffer.getvalue())
