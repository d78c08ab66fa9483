"""The files that are written for each film of a batch."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from unflicker.batch.films import Film
from unflicker.errors import UsageError
from unflicker.files.outputs import Written, is_stream
from unflicker.files.remote import as_path
from unflicker.video import is_picture_folder, planned_target
from unflicker.video.picture_order import place_of

INDEX_ENDINGS = (".html", ".htm", ".json")


@dataclass(frozen=True, kw_only=True)
class Beside:
    """What is written besides the results, as the user asks for it."""

    report: str | None = None
    """A page or JSON; for several films a folder, or the index of their pages."""
    sheet: str | None = None
    checksums: bool = False
    events: bool = False


@dataclass(frozen=True, kw_only=True)
class FilmJob:
    """One film, and the files to write for it."""

    source: Path
    target: Path
    report: Path | None = None
    sheet: Path | None = None
    checksums: bool = False
    """Whether `sums` are written."""
    events: Path | None = None

    @property
    def place(self) -> Path:
        """The file or folder that the result becomes; `target` may be a pattern of names in it."""
        return place_of(self.target)

    @property
    def sums(self) -> tuple[Path, Path]:
        """Where checksums go: of the files, and of the result's frames."""
        place = self.place
        return place.with_name(f"{place.name}.sha256"), place.with_name(f"{place.name}.framemd5")


def plan_jobs(
    films: Sequence[Film], *, output: str | None, beside: Beside
) -> tuple[list[FilmJob], Path | None]:
    """The outputs of each film, and the index of their reports; none is written or checked yet.

    Args:
        films: All films.
        output: A file, or a folder; None for the films' own folders.
        beside: What else is written.

    Raises:
        UsageError: Several films for one file.
    """
    several = len(films) > 1
    if several and output is not None and not is_folder(output):
        raise UsageError(
            f"{len(films)} films cannot all become {output}; name a folder: -o {Path(output).stem}/"
        )
    index = _index(beside.report) if several else None
    pages = None if beside.report is None else beside.report if index is None else _around(index)
    reports = _extra(pages, films, suffix=".html")
    if index is not None and index.suffix == ".json":
        reports = [None] * len(films)
    sheets = _extra(beside.sheet, films, suffix=".png")
    jobs = []
    for film, report, sheet in zip(films, reports, sheets, strict=True):
        target = planned_target(film.path, _within(output, film.under))
        place = place_of(target)
        events = place.with_name(f"{place.name}.premis.json") if beside.events else None
        jobs.append(
            FilmJob(
                source=film.path,
                target=target,
                report=report,
                sheet=sheet,
                checksums=beside.checksums,
                events=events,
            )
        )
    return jobs, index


def written_by(
    jobs: Sequence[FilmJob], *, index: Path | None = None, skip: Sequence[Path] = ()
) -> Iterator[Written]:
    """Every file that jobs write.

    An existing result is refused when its film is run, so that one film does not stop the others.

    Args:
        jobs: All films.
        index: Of their reports.
        skip: Results of films that are skipped; they write no file.
    """
    if index is not None:
        yield Written(path=index, what="the index", option="--report")
    for job in jobs:
        if job.place in skip:
            continue
        of = job.source if len(jobs) > 1 else None
        folder = is_picture_folder(job.target, source=job.source)
        yield Written(path=job.place, what="the result", folder=folder, completes=True, of=of)
        sums = [(path, "list of checksums", "--checksums") for path in job.sums if job.checksums]
        for path, name, option in (
            (job.report, "report", "--report"),
            (job.sheet, "sheet", "--sheet"),
            (job.events, "record of events", "--events"),
            *sums,
        ):
            if path is not None:
                yield Written(path=path, what=f"the {name}", option=option, of=of)


def is_folder(path: str) -> bool:
    """Whether a path names a folder: it exists as one, has no suffix, or ends with a slash."""
    return path.endswith(("/", os.sep)) or Path(path).is_dir() or not Path(path).suffix


def _index(report: str | None) -> Path | None:
    """The index of several reports, where one is asked for."""
    if report is None or is_stream(report) or is_folder(report):
        return None
    path = as_path(report)
    if path.suffix.lower() not in INDEX_ENDINGS:
        raise UsageError(f"{report} cannot list reports; name a .html or .json file, or a folder")
    return path


def _around(index: Path) -> str:
    return f"{index.parent}{os.sep}"


def _within(output: str | None, under: Path) -> str | None:
    """The folder for the result of a film that was found in a folder."""
    if output is None or under == Path():
        return output
    return f"{output.rstrip(os.sep)}{os.sep}{under}{os.sep}"


def _extra(path: str | None, films: Sequence[Film], *, suffix: str) -> list[Path | None]:
    """The files for reports or pictures; in a folder they are named after the films."""
    if path is None:
        return [None] * len(films)
    if is_stream(path):
        return [Path(path)] * len(films)
    if is_folder(path):
        stems = [film.under / film.path.stem for film in films]
        alike = Counter(stems)
        names = [
            film.under / film.path.name if alike[stem] > 1 else stem
            for film, stem in zip(films, stems, strict=True)
        ]
        return [as_path(path) / f"{name}{suffix}" for name in names]
    if len(films) > 1:
        raise UsageError(f"{path} is one file for several films; name a folder: {Path(path).stem}/")
    return [as_path(path)]
