"""Several films, one after the other: their outputs, and failures of single films."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unflicker.cli.messages import Talk, notes_of
from unflicker.errors import Cancelled, PartlyFailedError, UnflickerError, UsageError
from unflicker.files.outputs import Written, is_stream

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One film, and the files to write for it."""

    source: Path
    target: Path
    report: Path | None = None
    sheet: Path | None = None


def plan_jobs(films: Sequence[str], given: dict[str, Any]) -> list[Job]:
    """The outputs of each film; none is written or checked yet (see `written_by`).

    Args:
        films: Paths of the films.
        given: Values of the command's options, by name.

    Raises:
        UsageError: Several films for one file, or options that contradict each other.
    """
    from unflicker.video import planned_target

    if given["overwrite"] and given["skip_existing"]:
        raise UsageError("--overwrite and --skip-existing contradict each other; give one of them")
    output = given.get("output")
    several = len(films) > 1
    if several and output is not None and not is_folder(output):
        raise UsageError(
            f"{len(films)} films cannot all become {output}; name a folder: -o {Path(output).stem}/"
        )
    return [
        Job(
            source=Path(film),
            target=planned_target(Path(film), output),
            report=_extra(given.get("report"), film, several=several, suffix=".html"),
            sheet=_extra(given.get("sheet"), film, several=several, suffix=".png"),
        )
        for film in films
    ]


def written_by(jobs: Sequence[Job], *, skip_existing: bool) -> Iterator[Written]:
    """Every file that jobs write.

    An existing result is refused when its film is run, so that one film does not stop the others.

    Args:
        jobs: All films.
        skip_existing: Whether films with a result are skipped; they write no file.
    """
    from unflicker.video import is_picture_folder

    for job in jobs:
        if skip_existing and job.target.exists():
            continue
        of = job.source if len(jobs) > 1 else None
        folder = is_picture_folder(job.target, source=job.source)
        yield Written(path=job.target, what="the result", folder=folder, completes=True, of=of)
        for path, name in ((job.report, "report"), (job.sheet, "sheet")):
            if path is not None:
                yield Written(path=path, what=f"the {name}", option=f"--{name}", of=of)


def is_folder(path: str) -> bool:
    """Whether a path names a folder: it exists as one, has no suffix, or ends with a slash."""
    return path.endswith(("/", os.sep)) or Path(path).is_dir() or not Path(path).suffix


def _extra(path: str | None, film: str, *, several: bool, suffix: str) -> Path | None:
    """The file for a film's report or picture; in a folder it is named after the film."""
    if path is None:
        return None
    if is_stream(path):
        return Path(path)
    if is_folder(path):
        return Path(path) / f"{Path(film).stem}{suffix}"
    if several:
        raise UsageError(f"{path} is one file for several films; name a folder: {Path(path).stem}/")
    return Path(path)


def work_through(jobs: Sequence[Job], *, work: Callable[[Job], bool], talk: Talk) -> None:
    """Run each job; one that fails is reported and does not stop the others.

    Args:
        jobs: In order.
        work: Runs one job; returns whether all its frames were intact.
        talk: Receives a message for each failure.

    Raises:
        UnflickerError: The only job failed.
        PartlyFailedError: Some of several failed, or some frames were damaged.
        Cancelled: The user stopped the work.
    """
    failed, damaged = [], []
    for job in jobs:
        try:
            if not work(job):
                damaged.append(job)
        except Cancelled:
            raise
        except Exception as error:
            if len(jobs) == 1:
                raise
            if not isinstance(error, UnflickerError):
                _log.exception("%s failed", job.source)
            named = str(job.source) in str(error)
            talk.complain(str(error) if named else f"{job.source}: {error}")
            for note in notes_of(error):
                talk.complain(note)
            failed.append(job)
    if failed:
        names = ", ".join(str(job.source) for job in failed)
        raise PartlyFailedError(f"{len(failed)} of {len(jobs)} films failed; see above: {names}")
    if damaged:
        names = ", ".join(str(job.source) for job in damaged)
        raise PartlyFailedError(
            f"damaged or missing frames in {names}; the others are done, each at its time; "
            "--strict stops at the first instead"
        )
