"""Progress on stderr: a bar for people, one JSON object a second for programs, or none."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import click

from unflicker.cli.messages import Talk
from unflicker.progress import Progress, Report, silent


@runtime_checkable
class View(Protocol):
    """Progress of all films of a call."""

    def film(self, name: str, *, title: str) -> AbstractContextManager[Report]:
        """A callback for a film's progress, until the block ends.

        Args:
            name: Of the film, for programs.
            title: For people.
        """
        ...

    def paused(self) -> AbstractContextManager[None]:
        """Nothing is drawn until the block ends, in which messages are written."""
        ...


@contextmanager
def shown(talk: Talk, *, title: str) -> Iterator[Report]:
    """A callback that shows progress and notes, and stops the work if the user asked for it.

    Args:
        talk: Of the call.
        title: Name of the film, for people and in JSON.
    """
    view = viewed(talk)
    with view.film(title, title=title) as report:
        yield talk.stop.watch(noting(report, talk, view, film=title))


def noting(report: Report, talk: Talk, view: View, *, film: str, named: bool = False) -> Report:
    """A callback that writes notes before it hands the progress on.

    Args:
        report: Shows the progress.
        talk: Writes the notes.
        view: Is paused for them.
        film: The film's name.
        named: Whether notes begin with it.
    """

    def noted(progress: Progress) -> None:
        if not progress.notes:
            report(progress)
            return
        with view.paused():
            for note in progress.notes:
                talk.note(note, film=film, named=named)

    return noted


def viewed(talk: Talk) -> View:
    """A view of the progress of several films, as the call asks: bar, json or none.

    `auto` is a bar on a terminal, and none in a pipe or where quiet.
    """
    mode = talk.progress
    if mode == "auto":
        mode = "bar" if sys.stderr.isatty() and not talk.quiet else "none"
    if mode == "bar":
        return _Bars()
    return _Lines() if mode == "json" else _Nothing()


class _Nothing:
    @contextmanager
    def film(self, name: str, *, title: str) -> Iterator[Report]:
        del name, title
        yield silent

    @contextmanager
    def paused(self) -> Iterator[None]:
        yield


class _Lines(_Nothing):
    @contextmanager
    def film(self, name: str, *, title: str) -> Iterator[Report]:
        del title
        lines = JsonLines(lambda line: click.echo(line, err=True), title=name)
        yield lines
        lines.finish()


class JsonLines:
    """Writes the progress as JSON, one object a line: for each stage, then one a second."""

    def __init__(self, write: Callable[[str], None], *, title: str) -> None:
        self._write_line, self._title = write, title
        self._begun: dict[str, float] = {}
        self._last: Progress | None = None
        self._written_at = -1.0

    def __call__(self, progress: Progress) -> None:
        """Write the progress if a second has passed since it was written last."""
        now = time.monotonic()
        if progress.stage not in self._begun:
            self._begun[progress.stage] = now
            about = {"film": self._title, "stage": progress.stage}
            self._write_line(json.dumps({"event": "stage", **about}))
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
            "event": "progress",
            "film": self._title,
            "stage": progress.stage,
            "frames": progress.done,
            "total": progress.total,
            "unit": progress.unit,
            "frames_per_second": None if rate is None else round(rate, 2),
            "seconds_left": None if left is None else round(left, 1),
        }


class _Bars:
    """A line for each stage of each film in progress, below the film's title."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        columns = (
            TextColumn("{task.description:<9}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}  {task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        console = Console(stderr=True)
        # What is written to standard output must not go to the console, which is standard error.
        self._bar = Bar(*columns, console=console, transient=True, redirect_stdout=False)
        self._films = 0

    @contextmanager
    def film(self, name: str, *, title: str) -> Iterator[Report]:
        tasks: dict[str, Any] = {}
        if self._films == 0:
            self._bar.start()
        self._films += 1
        self._bar.console.print(title, markup=False, highlight=False)
        mark = f"{Path(name).name[:24]} " if self._films > 1 else ""

        def report(progress: Progress) -> None:
            if progress.stage not in tasks:
                tasks[progress.stage] = self._bar.add_task(
                    f"{mark}{progress.stage}", total=None, rate="", unit=progress.unit
                )
            task = tasks[progress.stage]
            speed = next(each.speed for each in self._bar.tasks if each.id == task)
            rate = f"{speed:6.1f}/s" if speed else ""
            self._bar.update(task, completed=progress.done, total=progress.total, rate=rate)

        try:
            yield report
        finally:
            self._films -= 1
            for task in tasks.values():
                self._bar.remove_task(task)
            if self._films == 0:
                self._bar.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        if self._films == 0:
            yield
            return
        self._bar.stop()
        try:
            yield
        finally:
            self._bar.start()
