"""A comparison of methods.

    folder ─► examples ─► plan ─► processes ─► scores.jsonl, videos

A comparison can be stopped at any time and resumed; existing results are kept.
"""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path

from unflicker.compute.versions import library_versions
from unflicker.errors import OutputError, UsageError
from unflicker.evaluation import workers
from unflicker.evaluation.machine import machine
from unflicker.evaluation.methods import LeftOut, Method
from unflicker.evaluation.plan import Plan, Scope, plan
from unflicker.evaluation.results import FAILED, append_rows, done_in, read_run, write_run
from unflicker.evaluation.selection import Selection, examples_of
from unflicker.evaluation.viewing import remove_unfinished
from unflicker.evaluation.worker import MOTION, Bench
from unflicker.progress import Progress, Report, silent


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """The methods, examples and limits of a comparison."""

    folder: Path
    """A data set, or a folder with `clean`, `flicker` and `processed`."""
    out: Path
    methods: tuple[Method, ...]
    scope: Scope = field(default_factory=Scope)
    selection: Selection = field(default_factory=Selection)
    weights: Path | None = None
    """Folder of the weights of trained baselines."""
    at_once: int = 1
    """Number of parallel processes; several have one thread each, one has all."""
    limit_seconds: float = 1800.0
    """Time limit for one method on one example."""
    command: str = ""
    """The command line, to be stored with the results."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """The result of a comparison."""

    plan: Plan
    failed: tuple[str, ...]
    """One line for each job that failed."""
    left_out: tuple[LeftOut, ...]


def prepared(comparison: Comparison, *, dry: bool = False, progress: Report = silent) -> Plan:
    """The plan of a comparison; synthetic examples are built first, if they are missing.

    Args:
        comparison: Methods and examples.
        dry: Whether no file is built or written; the plan can then not be run.
        progress: Called with the progress of building; may cancel it.

    Raises:
        InputError: The folder holds no data set.
        UsageError: Existing results are of another size.
        OutputError: The disk is full or the folder cannot be written.
    """
    refuse_other_sizes(comparison)
    examples = examples_of(
        comparison.folder,
        comparison.out,
        scope=comparison.scope,
        selection=comparison.selection,
        build=not dry,
        progress=progress,
    )
    return plan(
        comparison.methods,
        examples,
        comparison.scope,
        weights=comparison.weights,
        done=done_in(comparison.out),
    )


def compare(
    comparison: Comparison,
    planned: Plan,
    *,
    progress: Report = silent,
    tell: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Run a plan; scores and viewing copies are written when each job ends.

    Args:
        comparison: Methods and examples.
        planned: From `prepared`.
        progress: Called after each job; stops the work by raising `Cancelled`.
        tell: Receives a line for each method left out and each job that failed.

    Raises:
        OutputError: The disk is full or the folder cannot be written.
    """
    _make(comparison.out)
    ledger = _Ledger(comparison.out, planned, tell=tell)
    _write_run(comparison, planned, ledger.left_out)
    threads = 1 if comparison.at_once > 1 else 0
    bench = Bench(out=comparison.out, weights=comparison.weights, threads=threads)
    progress(Progress(stage="evaluate", done=0, total=planned.jobs))
    events = workers.compared(
        planned.batches, bench, at_once=comparison.at_once, limit_seconds=comparison.limit_seconds
    )
    try:
        for event in events:
            ledger.enter(event)
            progress(Progress(stage="evaluate", done=ledger.done, total=planned.jobs))
    finally:
        events.close()
        shutil.rmtree(comparison.out / MOTION, ignore_errors=True)
        remove_unfinished(comparison.out)
    _write_run(comparison, planned, ledger.left_out)
    return Outcome(
        plan=planned, failed=tuple(ledger.failed), left_out=tuple(ledger.left_out.values())
    )


class _Ledger:
    """Records the jobs that end while a comparison runs."""

    def __init__(self, out: Path, planned: Plan, *, tell: Callable[[str], None]) -> None:
        self.left_out: dict[str, LeftOut] = {}
        self.failed: list[str] = []
        self.done = 0
        self._out, self._tell = out, tell
        for one in planned.left_out:
            self._leave_out(one)

    def enter(self, event: workers.Done | LeftOut) -> None:
        """Write a job's lines, and report failures."""
        if isinstance(event, LeftOut):
            self._leave_out(event)
            return
        append_rows(self._out, event.rows)
        self.done += 1
        for row in (row for row in event.rows if row["set"] == FAILED):
            self.failed.append(f"{row['method']} on {row['example']}: {row['error']}")
            self._tell(f"failed: {self.failed[-1]}")

    def _leave_out(self, one: LeftOut) -> None:
        if one.name not in self.left_out:
            self.left_out[one.name] = one
            self._tell(f"left out: {one.name}: {one.why}")


def refuse_other_sizes(comparison: Comparison) -> None:
    """Refuse a folder whose results cannot be compared with new ones.

    Raises:
        UsageError: They are of another width or number of frames.
    """
    try:
        said = read_run(comparison.out)["scope"]
        found = said["width_px"], said["frames"]
    except (KeyError, TypeError):
        return
    wanted = comparison.scope.width_px, comparison.scope.frames
    if found != wanted:
        raise UsageError(
            f"{comparison.out} holds results at {found[0]} px and {found[1]} frames, asked for are "
            f"{wanted[0]} px and {wanted[1]} frames; name another folder with -o, "
            f"or pass --width {found[0]} --frames {found[1]}"
        )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise OutputError(
            f"the folder {folder} cannot be made: {fault.strerror}; name another one with -o"
        ) from fault


def _write_run(comparison: Comparison, planned: Plan, left_out: Mapping[str, LeftOut]) -> None:
    """Write the options of the run, and its machine, into the folder of results."""
    content = {
        "command": comparison.command,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "data": str(comparison.folder),
        "scope": asdict(comparison.scope),
        "methods": [method.name for method in comparison.methods],
        "left_out": {name: one.why for name, one in left_out.items()},
        "processes": comparison.at_once,
        "jobs": planned.jobs + planned.done_before,
        "machine": machine(),
        "versions": library_versions(neural=find_spec("torch") is not None),
    }
    write_run(comparison.out, content)
