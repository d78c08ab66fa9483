"""What a run computes on and how it tells how far it is, resolved once at the edge."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from unflicker.compute.devices import chosen, limited_threads
from unflicker.compute.threads import check_stopped
from unflicker.progress import Progress, Report, silent


@dataclass(frozen=True, kw_only=True, eq=False)
class RunContext:
    """What every stage of a run is handed."""

    device: str = "cpu"
    """"cpu" or "cuda:n": a device that works."""
    report: Report = silent
    """Receives progress, from one thread at a time; stops the run by raising `Cancelled`."""
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, stage: str, *, done: int, total: int | None, unit: str = "frames") -> None:
        """Say how far a stage is.

        Args:
            stage: In one or two words, as "analyse" or "render".
            done: So many units.
            total: Units in all; None where nobody knows yet.
            unit: What is counted.

        Raises:
            Cancelled: The run is to stop.
        """
        check_stopped()
        with self._turn:
            self.report(Progress(stage=stage, done=done, total=total, unit=unit))

    def steps_of(self, stage: str) -> Callable[[int, int], None]:
        """A function of steps done and steps in all that tells how far a stage is."""
        return lambda done, total: self.tell(stage, done=done, total=total, unit="steps")


ON_THE_CPU = RunContext()
"""Where nobody waits for progress, and nobody has a GPU."""


@contextmanager
def run_context(*, device: str, threads: int, report: Report = silent) -> Iterator[RunContext]:
    """Resolve once what a run computes on.

    Args:
        device: As the setting `device`.
        threads: As the setting `threads`, which holds until the block ends.
        report: Receives progress.

    Raises:
        UsageError: No device has that name.
        MissingError: The device is not there, or torch is not.
        DeviceMemoryError: The device is full.
    """
    with limited_threads(threads):
        yield RunContext(device=chosen(device), report=report)
