"""Progress of a run, and the callback that receives it and may stop the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Progress:
    """The progress of one stage."""

    stage: str
    """Name of the stage, in one or two words: "analyse", "render"."""
    done: int
    """Units done."""
    total: int | None
    """Units in total; None if not known yet."""
    unit: str = "frames"
    """Name of the unit: "frames", "steps"."""
    notes: tuple[str, ...] = ()
    """What the result will lack, and what was mended, in sentences: said once, before the work."""


Report = Callable[[Progress], None]
"""Called with a `Progress` during a run. It stops the run by raising `errors.Cancelled`."""


def silent(_: Progress) -> None:
    """Ignore the progress: the default."""
