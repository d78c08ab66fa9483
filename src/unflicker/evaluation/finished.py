"""Finished films as a method: results of other programs, of people, of publications.

`--method NAME=folder:PATH` compares the films of a folder, found by the names of the examples.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from unflicker.datasets.examples import Example
from unflicker.datasets.load import Loaded
from unflicker.datasets.reading import films_in, read_clip
from unflicker.errors import InputError
from unflicker.evaluation.alignment import MOST_OFFSET_FRAMES, Alignment, Box, align
from unflicker.evaluation.results import folder_name
from unflicker.frames.clip import Clip
from unflicker.video import open_video

_SEPARATORS = ("_", "-", ".", " ")
_PROCESSED = "_processed"
_WHOLE_PX = 0.02
"""Distance from a whole pixel below which a film is laid without resampling."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Finished:
    """A finished film on the part that it shares with its example."""

    result: Clip
    loaded: Loaded
    """The example, cut to that part."""
    alignment: Alignment
    share: float
    """Of the picture that both show."""

    def as_numbers(self) -> dict[str, float]:
        """What was found, for the scores."""
        return {
            "aligned_offset_frames": float(self.alignment.offset_frames),
            "aligned_share": round(self.share, 4),
            "aligned_correlation": round(self.alignment.correlation, 4),
            "aligned_frames": float(len(self.result)),
        }


def film_of(folder: Path, example: Example) -> Path | None:
    """The finished film of an example; None if there is none.

    Names that are tried, without regard to case: `apple__bands`, `apple/bands`, `apple_bands`; of
    real and processed videos also that of the video's file, without `_processed`. Each may be
    continued, after an underscore, hyphen, point or space.

    Args:
        folder: Of finished films.
        example: The example.

    Raises:
        InputError: Several films have such a name.
    """
    films = {name.lower(): path for name, path in films_in(folder).items()}
    inside = films_in(folder / example.clip)
    kind = example.name.removeprefix(f"{example.clip}/")
    nested = {name.lower(): path for name, path in inside.items()}
    if kind != example.name and kind.lower() in nested:
        return nested[kind.lower()]
    names = [name.lower() for name in _names(example)]
    for name in names:
        if name in films and not _same(films[name], example.video):
            return films[name]
    for name in names:
        found = [path for film, path in films.items() if _continues(film, name)]
        found = [path for path in found if not _same(path, example.video)]
        if len(found) > 1:
            raise InputError(
                f"both {found[0].name} and {found[1].name} of {folder} may be {example.name}; "
                f"name the right one {names[0]}{found[0].suffix}"
            )
        if found:
            return found[0]
    return None


def signature(folder: Path) -> str:
    """A hash of names, sizes and times of a folder's films, which changes when one is replaced."""
    mark = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            facts = path.stat()
            mark.update(f"{path.relative_to(folder)} {facts.st_size} {facts.st_mtime_ns}".encode())
    return mark.hexdigest()[:8]


def finished(loaded: Loaded, folder: Path) -> Finished:
    """The finished film of an example, aligned, with the example cut to what both show.

    Args:
        loaded: The example.
        folder: Of finished films.

    Raises:
        InputError: There is no such film, or it shows something else.
    """
    path = film_of(folder, loaded.example)
    if path is None:
        names = ", ".join(_names(loaded.example))
        raise InputError(f"{folder} has no film named {names}; see docs/others.md")
    video = loaded.video
    size = video.pixels.shape[1:3]
    frames = len(video) + MOST_OFFSET_FRAMES
    film = read_clip(path, size=size, frames=frames, fps=loaded.fps)
    found = align(
        film,
        video,
        film_size=open_video(path).size,
        video_size=open_video(loaded.example.video).size,
    )
    if found.box != Box(top=0.0, left=0.0, height=float(size[0]), width=float(size[1])):
        film = _relaid(path, found.box, size, frames=frames, fps=loaded.fps)
    return _on_common_part(film, loaded, found)


def _on_common_part(film: Clip, loaded: Loaded, found: Alignment) -> Finished:
    """A film that is laid on its example, and the example, cut to what both show."""
    size = loaded.video.pixels.shape[1:3]
    times = _common_frames(found.offset_frames, film=len(film), video=len(loaded.video))
    if len(times) < 2:
        raise InputError(
            f"the finished film shares {len(times)} frames with {loaded.example.name}; "
            "two are needed"
        )
    rows = _common_part(found.box.top, found.box.height, size[0])
    columns = _common_part(found.box.left, found.box.width, size[1])
    picked = slice(times.start + found.offset_frames, times.stop + found.offset_frames)
    share = (rows.stop - rows.start) * (columns.stop - columns.start) / (size[0] * size[1])
    return Finished(
        result=Clip.at_rate(film.pixels[picked, rows, columns], fps=loaded.fps),
        loaded=_cut(loaded, (slice(times.start, times.stop), rows, columns)),
        alignment=found,
        share=share,
    )


def _names(example: Example) -> Iterator[str]:
    """Names under which a finished film is looked for, the best first."""
    yield folder_name(example.name)
    yield example.name.replace("/", "_")
    if example.clip in example.video.stem:  # in a data set that we built it is the kind's name
        yield example.video.stem
        yield example.video.stem.removesuffix(_PROCESSED)


def _continues(film: str, name: str) -> bool:
    return film.startswith(name) and film[len(name) :].startswith(_SEPARATORS)


def _same(one: Path, other: Path) -> bool:
    return other.exists() and one.samefile(other)


def _common_frames(offset: int, *, film: int, video: int) -> range:
    """Frames of the video that the film has as well."""
    return range(max(0, -offset), min(video, film - offset))


def _common_part(begin: float, length: float, whole: int) -> slice:
    """Whole pixels of an axis that a box covers."""
    first = max(0, int(np.ceil(begin - _WHOLE_PX)))
    last = min(whole, int(np.floor(begin + length + _WHOLE_PX)))
    return slice(first, max(last, first + 1))


def _relaid(path: Path, box: Box, size: tuple[int, int], *, frames: int, fps: float) -> Clip:
    """The film read at the video's scale and laid where it belongs."""
    own = max(1, round(box.height)), max(1, round(box.width))
    clip = read_clip(path, size=own, frames=frames, fps=fps)
    # A pixel of the video at x shows the film's at (x + 0.5 - left) * scale - 0.5.
    across, down = own[1] / box.width, own[0] / box.height
    to_film = np.array(
        [
            [across, 0.0, (0.5 - box.left) * across - 0.5],
            [0.0, down, (0.5 - box.top) * down - 0.5],
        ]
    )
    whole = np.abs(to_film - to_film.round()).max() < _WHOLE_PX
    how = cv2.WARP_INVERSE_MAP | (cv2.INTER_NEAREST if whole else cv2.INTER_CUBIC)
    pixels = np.stack(
        [
            cv2.warpAffine(frame, to_film, size[::-1], flags=how, borderMode=cv2.BORDER_REPLICATE)
            for frame in clip.pixels
        ]
    )
    return replace(clip, pixels=pixels)


def _cut(loaded: Loaded, part: Sequence[slice]) -> Loaded:
    """An example cut in time and place."""
    clips = {
        name: Clip.at_rate(clip.pixels[tuple(part)], fps=loaded.fps)
        for name in ("video", "truth", "original")
        if (clip := getattr(loaded, name)) is not None
    }
    return replace(loaded, **clips)
