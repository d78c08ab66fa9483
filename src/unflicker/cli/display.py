"""Progress on stderr: a bar for people, one JSON object a second for programs, or none."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click

from unflicker.progress import Progress, Report, silent


@contextmanager
def shown(mode: str, *, title: str, quiet: bool) -> Iterator[Report]:
    """A callback that shows progress.

    Args:
        mode: auto, bar, json or none; `auto` is a bar on a terminal and none in a pipe.
        title: Name of the film, for people and in JSON.
        quiet: Whether `auto` shows no bar.
    """
    if mode == "auto":
        mode = "bar" if sys.stderr.isatty() and not quiet else "none"
    if mode == "bar":
        with _bar(title) as report:
            yield report
    elif mode == "json":
        lines = JsonLines(lambda line: click.echo(line, err=True), title=title)
        yield lines
        lines.finish()
    else:
        yield silent


class JsonLines:
    """Writes the progress as JSON, one object a line, at most one a second."""

    def __init__(self, write: Callable[[str], None], *, title: str) -> None:
        self._write_line, self._title = write, title
        self._begun: dict[str, float] = {}
        self._last: Progress | None = None
        self._written_at = -1.0

    def __call__(self, progress: Progress) -> None:
        """Write the progress if a second has passed since the last line."""
        now = time.monotonic()
        self._begun.setdefault(progress.stage, now)
        self._last = progress
        if self._written_at < 0.0 or now - self._written_at >= 1.0:
            self._write(now)

    def finish(self) -> None:
        """Write the last progress."""
        if self._last is not None:
            self._write(time.monotonic())

    def _write(self, now: float) -> None:
        assert self._last is not None
        self._written_at = now
        passed = now - self._begun[self._last.stage]
        self._write_line(json.dumps(self._line(self._last, passed)))

    def _line(self, progress: Progress, passed: float) -> dict[str, Any]:
        rate = progress.done / passed if passed > 0.0 else None
        left = (progress.total - progress.done) / rate if progress.total and rate else None
        return {
            "film": self._title,
            "stage": progress.stage,
            "frames": progress.done,
            "total": progress.total,
            "unit": progress.unit,
            "frames_per_second": None if rate is None else round(rate, 2),
            "seconds_left": None if left is None else round(left, 1),
        }


@contextmanager
def _bar(title: str) -> Iterator[Report]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TaskID,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description:<9}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}  {task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    tasks: dict[str, TaskID] = {}
    console = Console(stderr=True)
    with Bar(*columns, console=console, transient=True) as bar:
        console.print(title, markup=False, highlight=False)

        def report(progress: Progress) -> None:
            if progress.stage not in tasks:
                tasks[progress.stage] = bar.add_task(
                    progress.stage, total=None, rate="", unit=progress.unit
                )
            task = tasks[progress.stage]
            speed = bar.tasks[task].speed
            rate = f"{speed:6.1f}/s" if speed else ""
            bar.update(task, completed=progress.done, total=progress.total, rate=rate)

        yield report
