"""One film of a batch: the run, and its papers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from unflicker.batch.jobs import FilmJob
from unflicker.errors import OutputError
from unflicker.files.outputs import made_folder
from unflicker.progress import Progress
from unflicker.settings import Settings

if TYPE_CHECKING:
    from unflicker.recording import Record
    from unflicker.rendering.options import RunOptions

State = Literal["done", "skipped", "damaged", "failed"]


@dataclass(frozen=True, kw_only=True, eq=False)
class FilmTask:
    """A film to be made."""

    job: FilmJob
    settings: Settings
    options: RunOptions
    skips: bool = False
    """Whether a film that has a whole result is skipped."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Outcome:
    """What became of a film."""

    job: FilmJob
    state: State
    notes: tuple[str, ...] = ()
    """On the film and its result; some were announced before the work."""
    says: tuple[str, ...] = ()
    """What happened, and a summary, for the user."""
    wrote: tuple[tuple[str, Path], ...] = ()
    """Files besides the result, with their names for people."""
    output: str = ""
    """The result, as the run named it."""
    frames: int = 0
    flicker: tuple[float, float] = (float("nan"), float("nan"))
    """Visible flicker before and after, ΔE."""
    kind: str = ""
    seconds: float = 0.0
    fault: BaseException | None = None


def make_film(task: FilmTask, tell: Callable[[Progress], None]) -> Outcome:
    """Run a film, and write what is asked for besides its result.

    Args:
        task: The film.
        tell: Receives the progress.

    Raises:
        UnflickerError: The run failed.
    """
    from unflicker import pipeline

    job, says = task.job, list[str]()
    if task.skips and job.place.exists():
        lack = _lack(task)
        if not lack:
            return Outcome(
                job=job, state="skipped", says=(f"{job.place} is already there: skipped",)
            )
        says.append(f"note: {job.place} is not whole: {lack}; kept as {_put_away(job.place)}")
    began = datetime.now(UTC)
    with made_folder(job.place.parent):
        record = pipeline.run(
            job.source, job.target, settings=task.settings, options=task.options, progress=tell
        )
    wrote = tuple(_papers(job, record, began=began, corrected=datetime.now(UTC)))
    return _outcome(job, record, says=says, wrote=wrote)


def _papers(
    job: FilmJob, record: Record, *, began: datetime, corrected: datetime
) -> list[tuple[str, Path]]:
    """Write the report, the picture, checksums and events of a film."""
    from unflicker import report
    from unflicker.batch import events, fixity

    wrote: list[tuple[str, Path]] = []
    if job.report is not None:
        write = report.write_json if job.report.suffix.lower() == ".json" else report.write_page
        write(record, job.report)
        wrote.append(("report", job.report))
    if job.sheet is not None:
        report.write_sheet(record, job.sheet)
        wrote.append(("before/after picture", job.sheet))
    if not (job.checksums or job.events):
        return wrote
    sums = {**fixity.file_sums(job.source), **fixity.file_sums(job.place)}
    if job.checksums:
        fixity.write_sums(job, sums)
        wrote += [("checksums", path) for path in job.sums if path.exists()]
    if job.events is not None:
        times = events.Times(began=began, corrected=corrected, digested=datetime.now(UTC))
        events.write_events(job, record, sums, times)
        wrote.append(("events", job.events))
    return wrote


def _outcome(
    job: FilmJob, record: Record, *, says: list[str], wrote: tuple[tuple[str, Path], ...]
) -> Outcome:
    from unflicker import report

    return Outcome(
        job=job,
        state="damaged" if record.damaged or record.incomplete else "done",
        notes=record.notes,
        says=(*says, f"{job.source}: {report.summary(record)}"),
        wrote=wrote,
        output=record.output,
        frames=len(record.seconds),
        flicker=(record.visible_flicker_before, record.visible_flicker_after),
        kind=report.headline(record),
        seconds=record.wall_seconds,
    )


def _lack(task: FilmTask) -> str:
    from unflicker.video import FilmFiles
    from unflicker.video.whole import lack_of

    options = task.options
    film = FilmFiles(
        source=task.job.source,
        start_seconds=options.start_seconds,
        duration_seconds=options.duration_seconds,
        stills=options.stills,
    )
    return lack_of(task.job.place, film)


def _put_away(target: Path) -> Path:
    """Give a broken result another name, which is returned."""
    names = (
        target.with_name(f"{target.stem}.broken{'' if number == 1 else number}{target.suffix}")
        for number in count(1)
    )
    place = next(name for name in names if not name.exists())
    try:
        target.rename(place)
    except OSError as fault:
        raise OutputError(
            f"{target} is not whole and cannot be renamed: {fault.strerror}; delete it"
        ) from fault
    return place
