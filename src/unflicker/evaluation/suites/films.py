"""Films that a suite runs on: selection, reading, contact sheets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import cv2
import numpy as np

from unflicker.datasets.reading import films_in, read_clip
from unflicker.errors import InputError
from unflicker.evaluation.selection import HALVES, half
from unflicker.evaluation.suites.suite import Options
from unflicker.files.atomic import write_whole
from unflicker.frames.clip import Clip
from unflicker.progress import Progress
from unflicker.video import open_video

SHEET_PX = 320
"""Width of a frame on a contact sheet."""
_PROCESSED, _ORIGINAL = "_processed", "_original"


@dataclass(frozen=True, kw_only=True, eq=False)
class NamedClip:
    """A clip with its name."""

    name: str
    clip: Clip
    fps: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """A video that was processed frame by frame, and its steady original, of equal length."""

    processed: NamedClip
    original: Clip


def chosen_films(folder: Path, options: Options) -> dict[str, Path]:
    """The selected films of a folder, by name.

    Args:
        folder: Of films.
        options: Names of clips, and the half of the split.

    Raises:
        InputError: No film is selected, or a named clip is missing.
        UsageError: There is no such half of the split.
        MissingError: A half is named and the file of the split is missing.
    """
    files = films_in(folder)
    if options.split:
        wanted = half(options.split_file, options.split)
        files = {name: path for name, path in files.items() if name in wanted}
    missing = [one for one in options.clips if not any(fnmatchcase(name, one) for name in files)]
    if files and missing:
        raise InputError(f"no clip {missing[0]} in {folder}; there are {', '.join(files)}")
    found = {name: path for name, path in files.items() if is_wanted(name, options)}
    if not found:
        of_half = f" of the {options.split} half" if options.split else ""
        raise InputError(f"no film{of_half} to run on in {folder}; name a folder of films")
    return found


def middle(clip: Clip, *, frames: int) -> range:
    """The indices of consecutive frames around the middle of a clip.

    Args:
        clip: The clip.
        frames: Number of frames at most.
    """
    first = max(0, len(clip) // 2 - frames // 2)
    return range(first, min(first + frames, len(clip)))


def is_wanted(name: str, options: Options) -> bool:
    """Whether a film is selected.

    Args:
        name: Of the film.
        options: Names of clips.
    """
    return not options.clips or any(fnmatchcase(name, one) for one in options.clips)


def half_of(split_file: Path | None, clip: str) -> str:
    """The half of a clip; "other" if it is in none, or there is no split file.

    Args:
        split_file: JSON with a list of names for each half.
        clip: Name of the clip.
    """
    if split_file is None or not split_file.is_file():
        return "other"
    return next((name for name in HALVES if clip in half(split_file, name)), "other")


def read(path: Path, *, width_px: int, frames: int, first: int = 0) -> NamedClip:
    """Some frames of a film with 8 bits a sample, downscaled to at most a width.

    Args:
        path: A video file, or a folder of pictures.
        width_px: Wider films are downscaled to this.
        frames: Number of frames at most.
        first: Index of the first frame.

    Raises:
        InputError: The film cannot be read, or has no frame of that index.
    """
    fps = float(open_video(path).rate)
    whole = read_clip(path, width_px=width_px, frames=first + frames, fps=fps)
    if first >= len(whole):
        raise InputError(f"{path} has {len(whole)} frames; begin before the last, not at {first}")
    clip = Clip.at_rate(whole.pixels[first:], fps=fps) if first else whole
    return NamedClip(name=path.name if path.is_dir() else path.stem, clip=clip, fps=fps)


def each(films: dict[str, Path], options: Options, *, stage: str) -> Iterator[Path]:
    """The films one by one, with progress.

    Args:
        films: By name.
        options: Receive the progress.
        stage: Name of the stage, for progress.

    Raises:
        Cancelled: The user stopped the work.
    """
    for done, (name, path) in enumerate(films.items()):
        options.progress(Progress(stage=stage, done=done, total=len(films)))
        options.tell(f"{done + 1}/{len(films)} {name}")
        yield path
    options.progress(Progress(stage=stage, done=len(films), total=len(films)))


def pair_films(folder: Path, options: Options) -> dict[str, Path]:
    """The selected processed films of a folder of pairs, by name without `_processed`.

    Args:
        folder: With pairs `NAME_processed`, `NAME_original`.
        options: Names of clips.

    Raises:
        InputError: One has no original in the folder.
    """
    films = films_in(folder)
    found = {
        name.removesuffix(_PROCESSED): path
        for name, path in films.items()
        if name.endswith(_PROCESSED) and is_wanted(name.removesuffix(_PROCESSED), options)
    }
    for name, path in found.items():
        if name + _ORIGINAL not in films:
            raise InputError(
                f"{path} has no steady video {name}{_ORIGINAL} in its folder; put it there"
            )
    return found


def read_pair(path: Path, *, width_px: int, frames: int, first: int = 0) -> Pair:
    """A processed film and its original, cut to the shorter.

    Args:
        path: The processed film.
        width_px: Wider films are downscaled to this.
        frames: Number of frames at most.
        first: Index of the first frame.

    Raises:
        InputError: One of them cannot be read.
    """
    name = path.stem.removesuffix(_PROCESSED)
    original = films_in(path.parent)[name + _ORIGINAL]
    one, other = (
        read(film, width_px=width_px, frames=frames, first=first) for film in (path, original)
    )
    length = min(len(one.clip), len(other.clip))
    given, steady = (Clip.at_rate(part.clip.pixels[:length], fps=one.fps) for part in (one, other))
    return Pair(processed=NamedClip(name=name, clip=given, fps=one.fps), original=steady)


def write_sheet(path: Path, clips: Iterable[Clip], *, frames: Sequence[int]) -> None:
    """Some frames of each clip as a PNG, a row for each clip.

    Args:
        path: The picture to write.
        clips: Of one size.
        frames: Indices; those past the end of the clips are left out.

    Raises:
        OutputError: The folder cannot be written.
    """
    rows = []
    for clip in clips:
        height, width = clip.pixels.shape[1:3]
        size = (SHEET_PX, max(1, round(SHEET_PX * height / width)))
        kept = [clip.pixels[index] for index in frames if index < len(clip)]
        shrunk = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in kept]
        rows.append(np.hstack(shrunk))
    picture = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
    write_whole(path, cv2.imencode(".png", picture)[1].tobytes())
