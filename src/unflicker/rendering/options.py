"""Options of one run that are not settings of the method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from unflicker.errors import UsageError
from unflicker.jobs.pool import Pool
from unflicker.video.picture_order import AS_NUMBERED, Stills


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """The part of a video to process, and the other files to read and write."""

    overwrite: bool = False
    """Whether an existing output may be replaced."""
    start_seconds: float = 0.0
    """Time in the film at which to start."""
    duration_seconds: float | None = None
    """Length of the part to process; None for all to the end."""
    plan: Path | None = None
    """A plan to follow, from `save_plan`; the film is then not analysed."""
    save_plan: Path | None = None
    """File in which to save the plan."""
    mask: Path | None = None
    """A picture of correction shares: white is corrected, black is not."""
    shot_strengths: Mapping[int, float] = field(default_factory=dict)
    """Share of the correction that single shots get, 0 to 1, by their number from 0; multiplied
    by the run's strength. It replaces the strengths that a plan has for these shots."""
    original: Path | None = None
    """The steady original of a film that was processed frame by frame."""
    work_dir: Path | None = None
    """Folder for the workspace, in which finished parts wait; that of the result if None."""
    keep_work: bool = False
    """Whether the workspace is kept when the film is done."""
    jobs: int | None = None
    """Processes that share the work; 1 is this one alone; None for as many as pay."""
    cluster: str = ""
    """Address of a Ray cluster whose machines share the work; "local" is this machine; "" none."""
    stills: Stills = AS_NUMBERED
    """Rate and order of pictures that are read as a film."""
    measures_gate: bool = False
    """Whether gate weave is measured though it stays, for `analyze`."""
    pool: Pool | None = None
    """Workers that are open already, which several runs may share; `jobs` and `cluster` are not
    used then."""

    def __post_init__(self) -> None:
        """Take paths as text, too; refuse numbers out of range."""
        for name in ("plan", "save_plan", "mask", "original", "work_dir"):
            if isinstance(path := getattr(self, name), str):
                object.__setattr__(self, name, Path(path))
        if self.jobs is not None and self.jobs < 1:
            raise UsageError(f"{self.jobs} jobs; pass 1 or more")
        for shot, strength in self.shot_strengths.items():
            if shot < 0 or not 0.0 <= strength <= 1.0:
                raise UsageError(
                    f"shot {shot} at strength {strength}; pass shots from 0 on and strengths of "
                    "0 to 1"
                )
