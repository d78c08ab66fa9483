"""Exposures for raw converters: one XMP sidecar for each picture, pixels untouched."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from unflicker.errors import OutputError, UsageError
from unflicker.files.atomic import write_whole
from unflicker.files.unfinished import temporary_folder
from unflicker.files.xmp import read_sidecar, with_exposure
from unflicker.progress import Report, silent
from unflicker.settings import Settings
from unflicker.video.picture_kinds import JPEG, TIFF
from unflicker.video.picture_order import Stills
from unflicker.video.raw_pictures import RAW

if TYPE_CHECKING:
    from unflicker.recording import Record
    from unflicker.rendering.options import RunOptions

_ROWS, _COLUMNS = 6, 8


@dataclass(frozen=True, kw_only=True, eq=False)
class Sidecars:
    """The sidecars that were written."""

    record: Record
    """What was found in the pictures."""
    paths: tuple[Path, ...]
    stops: tuple[float, ...]
    """Change of exposure of each picture, in stops of linear light."""
    notes: tuple[str, ...]
    """What exposure alone does not correct."""


def write_sidecars(
    folder: Path,
    into: Path | None = None,
    *,
    settings: Settings,
    options: RunOptions,
    progress: Report = silent,
) -> Sidecars:
    """Write an XMP sidecar for each picture, with the exposure that steadies it.

    An existing sidecar of a picture is changed in its exposure alone; pictures are only read.

    Args:
        folder: Raw pictures, of which the embedded previews are read; or others.
        into: Folder for the sidecars; that of the pictures if None.
        settings: Of the analysis.
        options: Of the run.
        progress: Called with the progress; may stop the run by raising `Cancelled`.

    Raises:
        InputError: A picture or a sidecar cannot be read.
        OutputError: A sidecar exists, and existing files are not to be replaced.
        UsageError: Two pictures would have one sidecar.
    """
    from unflicker import pipeline
    from unflicker.plan import Plan

    pictures = _pictures(folder, options)
    targets = _targets(pictures, into or folder, overwrite=options.overwrite)
    given = [read_sidecar(picture.with_suffix(".xmp")) for picture in pictures]
    with temporary_folder() as place:
        path = place / "plan.npz"
        options = replace(options, save_plan=path, stills=_previews(options.stills))
        record = pipeline.analyze(folder, settings=settings, options=options, progress=progress)
        plan = Plan(path)
        stops = tuple(_exposures(plan, settings, options))
        notes = (*record.notes, *_left(plan), *_notes_on(pictures))
    for text, target, change in zip(given, targets, stops, strict=True):
        write_whole(target, with_exposure(text, change))
    return Sidecars(record=record, paths=tuple(targets), stops=stops, notes=notes)


def _pictures(folder: Path, options: RunOptions) -> list[Path]:
    """The pictures of the part that is asked for, in order, as the analysis reads them."""
    from unflicker.video import open_video

    film = open_video(
        folder,
        start_seconds=options.start_seconds,
        duration_seconds=options.duration_seconds,
        stills=_previews(options.stills),
    )
    if not film.traits.pictures or film.traits.pages:
        raise UsageError(f"{folder} is no folder of pictures; --xmp writes a sidecar for each")
    return list(film.traits.pictures)


def _previews(stills: Stills) -> Stills:
    return replace(stills, previews=True)


def _targets(pictures: list[Path], into: Path, *, overwrite: bool) -> list[Path]:
    """The names of the sidecars, once it is clear that they may be written."""
    stems = Counter(picture.stem for picture in pictures)
    alike = [stem for stem, count in stems.items() if count > 1]
    if alike:
        raise UsageError(
            f"{len(alike)} sidecars would belong to several pictures, such as {alike[0]}.xmp; "
            "put pictures of one name into folders of their own"
        )
    targets = [into / f"{picture.stem}.xmp" for picture in pictures]
    there = [target for target in targets if target.exists()]
    if there and not overwrite:
        raise OutputError(
            f"{len(there)} sidecars are there already, such as {there[0]}; pass --overwrite to "
            "change their exposure and keep all else, or another folder with -o"
        )
    return targets


def _exposures(plan, settings: Settings, options: RunOptions):  # private
    """The change of exposure of each picture, in stops of linear light, over the whole picture."""
    for frame in plan:
        shot = plan.shot_at(frame.index)
        own = plan.shots[shot].strength if plan.shots else 1.0
        share = settings.strength * options.shot_strengths.get(shot, own)
        yield share * float(np.mean(frame.grade.stops_by_place(rows=_ROWS, columns=_COLUMNS)))


def _left(plan) -> list[str]:  # private
    from unflicker.plan.keyframes import lost_in_export

    lost = lost_in_export(plan)
    return [f"exposure alone leaves: {lost}"] if lost else []


def _notes_on(pictures: list[Path]) -> list[str]:
    suffixes = {picture.suffix.lower() for picture in pictures}
    notes = []
    if suffixes & set(RAW):
        notes.append("exposure was measured in the previews inside the raw pictures")
    if suffixes & {*JPEG, *TIFF, ".png"}:
        notes.append(
            "Lightroom reads sidecars of raw pictures only, not of JPEG, TIFF or PNG; "
            "darktable imports them for all"
        )
    return notes
