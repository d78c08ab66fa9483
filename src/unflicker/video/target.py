"""Output paths: names, checks before work starts, temporary files and their rename.

A result is written under a hidden name in the same folder, `.NAME.PID.part.EXT`, and renamed when
it is complete. A killed run leaves nothing under the final name; a later run removes its remains.
"""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

from unflicker.errors import OutputError, UsageError
from unflicker.files.outputs import (
    PICTURE_ENDINGS,
    fitting,
    hidden_name,
    is_stream,
    made_folder,
)
from unflicker.files.parts import discard, part_of, remove_leftovers
from unflicker.files.remote import RemotePath, as_path
from unflicker.files.unfinished import ended
from unflicker.video.picture_kinds import TIFF, is_stack
from unflicker.video.picture_order import is_pattern

ENDING = "_unflickered"
CONTAINERS = {
    ".mp4": "mp4",
    ".m4v": "ipod",
    ".mov": "mov",
    ".qt": "mov",
    ".3gp": "3gp",
    ".mkv": "matroska",
    ".mk3d": "matroska",
    ".webm": "webm",
    ".avi": "avi",
    ".ts": "mpegts",
    ".mts": "m2ts",
    ".m2ts": "m2ts",
    ".flv": "flv",
    ".mxf": "mxf",
    ".nut": "nut",
    ".wmv": "asf",
    ".asf": "asf",
    ".mpg": "mpeg",
    ".mpeg": "mpeg",
}
"""File endings we write, and FFmpeg's name of their container (m2ts is a mode of its mpegts)."""
_ROUGH = (".flv", ".mpg", ".mpeg")
"""Written when asked for; the default for such sources is Matroska, which holds more."""


_OTHER_PICTURES = (
    ".webp",
    ".bmp",
    ".jp2",
    ".jxl",
    ".heic",
    ".avif",
    ".cin",
    ".hdr",
    ".tga",
    ".ppm",
)
"""Kinds of pictures that users may expect, and that are not written."""
_NUMBERED = re.compile(r"%0?\d*d\.\w+$")


def default_target(source: Path) -> Path:
    """The default name, in the source's folder: `film_unflickered.mp4`, `folder_unflickered`.

    A file whose kind of container cannot be written, or that has no ending, becomes Matroska.
    """
    source = as_path(source)
    if source.is_dir():
        whole = source.resolve()
        return whole.with_name(whole.name + ENDING)
    suffix = source.suffix
    if suffix.lower() in TIFF:
        return fitting(source.with_name(source.stem), f"{ENDING}{suffix}")
    if suffix.lower() in CONTAINERS and suffix.lower() not in _ROUGH:
        return fitting(source.with_name(source.stem), f"{ENDING}{suffix}")
    return fitting(source.with_name(source.stem), f"{ENDING}.mkv")


def planned_target(source: Path, output: str | None) -> Path:
    """The file or folder for a result; nothing is created.

    Args:
        source: The film, or the folder of pictures.
        output: As the user wrote it. A trailing slash, an existing folder, or no suffix is a
            folder; the result gets its default name in it. Only for a folder of pictures, a new
            name without a slash is the result itself. None: in the source's folder.

    Raises:
        UsageError: It begins with the home of a user without a home, or is no name for a film.
    """
    beside = default_target(source)
    if not output:
        return beside
    if output == "-" or is_stream(output):
        raise UsageError(
            f"-o {output}: a result is not written to a stream, because containers are completed "
            "at their beginning; name a file"
        )
    try:
        target = Path(output).expanduser() if output.startswith("~") else as_path(output)
    except RuntimeError as fault:
        raise UsageError(
            f"{output} begins with a home that is not known: {fault}; write the path without ~"
        ) from fault
    slash = output.endswith(("/", os.sep))
    if not slash and not target.is_dir() and (target.suffix or Path(source).is_dir()):
        return target
    return target / beside.name


def refuse_name(target: Path) -> None:
    """Refuse a name of which people expect something else than a film or pictures.

    Raises:
        UsageError: It is the name of a GIF, of one picture, or of pictures that are not written.
    """
    suffix = target.suffix.lower()
    if suffix == ".gif":
        raise UsageError(
            f"{target} is not written: GIF has 256 colours and no sound; name a film that ends in "
            ".mp4 or .mkv"
        )
    if (suffix in _OTHER_PICTURES or _numbers_others(target)) and not target.is_dir():
        raise UsageError(
            f"{target} is not written: pictures become {', '.join(PICTURE_ENDINGS)}; name one of "
            f"these, such as {target.with_name('%06d.png')}"
        )
    single = suffix in PICTURE_ENDINGS and suffix not in TIFF and not is_pattern(target)
    if single and not target.is_dir():
        raise UsageError(
            f"{target} is not written: this names one picture; name all of them by a pattern, "
            f"such as {target.with_name('%06d' + suffix)}, or a film that ends in .mp4 or .mkv"
        )


def _numbers_others(target: Path) -> bool:
    """Whether a path names pictures by number that are of no kind we write."""
    return bool(_NUMBERED.search(target.name)) and target.suffix.lower() not in (
        *CONTAINERS,
        *PICTURE_ENDINGS,
    )


def resolve_target(source: Path, output: str | None) -> Path:
    """The file or folder a result is written to (see `planned_target`); its folder is made.

    Args:
        source: The film.
        output: File or folder that the user named; None for the default.

    Raises:
        OutputError: The folder cannot be made.
    """
    target = planned_target(source, output)
    if output:
        with made_folder(target.parent):
            pass
    return target


def is_picture_folder(
    target: Path, *, source: Path | None = None, pictures: bool | None = None
) -> bool:
    """Whether the result of a film is a folder of pictures.

    Args:
        target: Path of the result, or a pattern of names.
        source: The film.
        pictures: Whether the film is pictures; None to look at `source`.
    """
    if is_pattern(target):
        return True
    if pictures is None:
        pictures = source is not None and (source.is_dir() or is_stack(source))
    suffix = target.suffix.lower()
    return pictures and suffix not in CONTAINERS and (suffix not in TIFF or target.is_dir())


def check_target(target: Path, *, source: Path | None, overwrite: bool, needed_bytes: int) -> None:
    """Refuse a target that cannot be written, before any work.

    Args:
        target: Path of the result.
        source: The film, if it is a file.
        overwrite: Whether the target may exist.
        needed_bytes: Free space that the result needs.

    Raises:
        OutputError: It exists, is the source, cannot be written, or the disk is too small.
    """
    here = source is not None and not isinstance(source, RemotePath)
    if source is not None and here and target.exists() and os.path.samefile(source, target):
        raise OutputError(f"{target} is the input itself; choose another name with -o")
    if target.exists() and not overwrite and not _is_empty_folder(target):
        raise OutputError(
            f"{target} exists already; pass --overwrite to replace it, or another name with -o"
        )
    folder = target.parent
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "does not exist"
        raise OutputError(f"{folder} {what}; name a folder that exists with -o")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"no permission to write in {folder}; choose another place with -o")
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise OutputError(
            f"not enough room in {folder}: about {_megabytes(needed_bytes)} MB are needed, "
            f"{_megabytes(free)} MB are free; free some, or choose another disk with -o"
        )


def segment_of(target: Path) -> Path:
    """The hidden name of a result's segment in progress."""
    return hidden_name(target, f".{os.getpid()}.segment")


def remove_remains(target: Path) -> None:
    """Remove the remains of killed runs on the same target, but not files of a running one."""
    remove_leftovers(part_of(target), segment_of(target))


def settle(part: Path, target: Path, *, overwrite: bool) -> None:
    """Rename a complete result to its final name, after flushing it to disk.

    Args:
        part: Its temporary path.
        target: Its final path.
        overwrite: Whether an existing target is replaced.

    Raises:
        OutputError: The name was taken in the meantime, or the disk refuses.
    """
    if target.exists() and not overwrite and not _is_empty_folder(target):
        discard(part)
        raise OutputError(f"{target} appeared while working; move it away and run again")
    try:
        if part.is_dir() and target.is_dir() and not _is_empty_folder(target):
            for file in part.iterdir():
                os.replace(file, target / file.name)
            part.rmdir()
        else:
            sync(part)
            os.replace(part, target)
        ended(part)
        sync(target.parent)
    except OSError as fault:
        discard(part)
        raise disk_error(target, fault) from fault


def sync(place: Path) -> None:
    """Wait until a file, or a folder's list of names, is on the disk."""
    handle = os.open(place, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def disk_error(target: Path, fault: Exception) -> OutputError:
    """An error of the operating system, or of the muxer, as an `OutputError`.

    Args:
        target: Path of the result.
        fault: The exception.
    """
    reason = getattr(fault, "strerror", None) or str(fault)
    return OutputError(
        f"{target} cannot be written: {reason}; there is no file of that name now, "
        "make room or choose another place with -o"
    )


def _is_empty_folder(place: Path) -> bool:
    return place.is_dir() and not any(place.iterdir())


def _megabytes(count: int) -> int:
    return -(-count // 1_000_000)
