"""What a run may use besides its own process."""

from __future__ import annotations

from dataclasses import dataclass

from unflicker.files.workspace import Workspace
from unflicker.jobs.pool import Pool


@dataclass(frozen=True, kw_only=True, eq=False)
class Resources:
    """Where finished parts of a run are kept, and who shares its work."""

    work: Workspace | None = None
    """Finished parts are put into it, and taken from it; None keeps nothing."""
    pool: Pool | None = None
    """Processes that do parts side by side; None does all in this one."""

    @property
    def kept_in(self) -> Workspace:
        """The workspace, which a run that makes a film always has."""
        assert self.work is not None
        return self.work


ALONE = Resources()
