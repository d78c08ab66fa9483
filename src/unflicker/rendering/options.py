"""What concerns one run and not the method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from unflicker.errors import UsageError


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
    shot_strengths: Mapping[int, float] = field(default_factory=dict)
    """Share of the correction that single shots get, 0 to 1, by their number from 0; multiplied
    with the run's strength. For these shots it takes the place of what a plan says."""
    original: Path | None = None
    """The steady original of a film that was processed frame by frame."""

    def __post_init__(self) -> None:
        """Refuse strengths that make no sense."""
        for shot, strength in self.shot_strengths.items():
            if shot < 0 or not 0.0 <= strength <= 1.0:
                raise UsageError(
                    f"shot {shot} at strength {strength}; pass shots from 0 on and strengths of "
                    "0 to 1"
                )
