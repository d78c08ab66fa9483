"""Checksums of films: SHA-256 of files, as `sha256sum` writes and checks them, MD5 of frames."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

from unflicker.batch.jobs import FilmJob
from unflicker.errors import InputError
from unflicker.files.atomic import write_whole
from unflicker.files.remote import RemotePath
from unflicker.video.frame_sums import frame_sums
from unflicker.video.picture_kinds import is_stack

Sums = dict[Path, str]
"""SHA-256 of each file, in hexadecimal digits."""


def file_sums(path: Path) -> Sums:
    """The SHA-256 of a file, or of each file in a folder, by name.

    Raises:
        InputError: One of them cannot be read.
    """
    return {file: _sum(file) for file in _files(path)}


def write_sums(job: FilmJob, sums: Sums) -> None:
    """Write the checksums of a film and of its result, and of each frame of the result.

    `sha256sum -c` in the result's folder checks the files. A folder of pictures has no list of
    frames, because each is a file; neither has a TIFF with pages.

    Args:
        job: The film.
        sums: Of its source and its result.

    Raises:
        OutputError: They cannot be written.
    """
    of_files, of_frames = job.sums
    beside = of_files.parent
    lines = [f"{digest}  {_line(path, beside)}\n" for path, digest in sums.items()]
    write_whole(of_files, "".join(lines))
    if job.place.is_file() and not is_stack(job.place):
        write_whole(of_frames, frame_sums(job.place))


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    yield from sorted(f for f in path.iterdir() if f.is_file() and not f.name.startswith("."))


def _sum(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as fault:
        raise InputError(f"{path} cannot be read: {fault.strerror}; check the disk") from fault


def _line(path: Path, beside: Path) -> str:
    """A file's name as `sha256sum` writes it: on one line, from a folder on."""
    if isinstance(path, RemotePath):
        return path.url
    name = str(path.absolute() if isinstance(beside, RemotePath) else os.path.relpath(path, beside))
    return name.replace("\\", "\\\\").replace("\n", "\\n")
