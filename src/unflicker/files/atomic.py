"""Writes small files completely or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from unflicker.errors import OutputError
from unflicker.files import unfinished
from unflicker.files.outputs import is_stream
from unflicker.files.remote import RemotePath


def write_whole(path: Path, content: bytes | str) -> None:
    """Write a file of known content, completely or not at all; missing folders are made.

    Args:
        path: The file, or a URL; a stream, such as `/dev/stdout`, is written directly.
        content: The content of the file. Text becomes UTF-8, in which bytes of file names that are
            no text are spelt out.

    Raises:
        OutputError: The folder cannot be written or the disk is full.
    """
    if isinstance(content, str):
        content = content.encode(errors="backslashreplace")
    if isinstance(path, RemotePath):
        path.write(content)
        return
    with written_whole(path) as file:
        file.write(content)


@contextlib.contextmanager
def written_whole(path: Path) -> Iterator[IO[bytes]]:
    """A file under a temporary name, renamed to its final one if the block ends without exception.

    Args:
        path: The final name; missing folders are made. A stream, such as `/dev/stdout` or a pipe,
            is written directly.

    Raises:
        OutputError: The folder cannot be written or the disk is full.
    """
    beside = None
    try:
        if is_stream(path):
            with path.open("wb") as stream:
                yield stream
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        unfinished.begun(Path(beside), Path(beside).unlink)
        with os.fdopen(handle, "wb") as file:
            yield file
        os.chmod(beside, 0o666 & ~_umask())
        os.replace(beside, path)
    except OSError as error:
        message = f"cannot write {path}: {error.strerror}; name a place with room and permission"
        raise OutputError(message) from error
    finally:
        if beside is not None:
            unfinished.ended(Path(beside))
            with contextlib.suppress(FileNotFoundError):
                os.unlink(beside)


def _umask() -> int:
    """The permissions that new files do not get; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
