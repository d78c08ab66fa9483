"""Device and progress callback of a run, resolved once before it starts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from unflicker.compute.devices import chosen, limited_threads
from unflicker.compute.threads import check_stopped
from unflicker.progress import Progress, Report, silent


@dataclass(frozen=True, kw_only=True, eq=False)
class RunContext:
    """Device and progress callback, passed to every stage of a run."""

    device: str = "cpu"
    """"cpu" or "cuda:n"; a device that was tested."""
    report: Report = silent
    """Called with the progress by one thread at a time; stops the run by raising `Cancelled`."""
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, stage: str, *, done: int, total: int | None, unit: str = "frames") -> None:
        """Report the progress of a stage.

        Args:
            stage: Name of the stage in one or two words, as "analyse" or "render".
            done: Units done.
            total: Units in total; None if not known yet.
            unit: Name of the unit.

        Raises:
            Cancelled: The run is to stop.
        """
        check_stopped()
        with self._turn:
            self.report(Progress(stage=stage, done=done, total=total, unit=unit))

    def announce(self, notes: Sequence[str]) -> None:
        """Report notes for the user before the work starts.

        Raises:
            Cancelled: The run is to stop.
        """
        if notes:
            with self._turn:
                self.report(Progress(stage="prepare", done=0, total=None, notes=tuple(notes)))

    def steps_of(self, stage: str) -> Callable[[int, int], None]:
        """A function that reports a stage's progress from the steps done and the steps in total."""
        return lambda done, total: self.tell(stage, done=done, total=total, unit="steps")


ON_THE_CPU = RunContext()
"""The default context: the processor, without a progress callback."""


@contextmanager
def run_context(*, device: str, threads: int, report: Report = silent) -> Iterator[RunContext]:
    """The context of a run: its device resolved, its threads limited until the block ends.

    Args:
        device: As the setting `device`: auto, cpu, cuda or cuda:n.
        threads: As the setting `threads`: threads of all libraries together; 0 for one a core.
        report: Called with the progress.

    Raises:
        UsageError: No device has that name.
        MissingError: The device is not available, or torch is not installed.
        DeviceMemoryError: The device's memory is full.
    """
    with limited_threads(threads):
        yield RunContext(device=chosen(device), report=report)
