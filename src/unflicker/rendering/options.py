"""What concerns one run and not the method."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Which part of a video is read, and what else a run reads and writes."""

    overwrite: bool = False
    """Whether an existing output may be replaced."""
    start_seconds: float = 0.0
    """Where in the film to begin."""
    duration_seconds: float | None = None
    """How much of it to take; None is to the end."""
    plan: Path | None = None
    """A plan to follow, from `save_plan`; then nothing is analysed."""
    save_plan: Path | None = None
    """Where to keep the plan."""
    mask: Path | None = None
    """A picture: correct only where it is white."""
    guide: Path | None = None
    """The steady original of a film that was processed frame by frame."""
