"""Files by URL, as `s3://archive/film.mov`: read piece by piece, written when they are complete.

The only home of fsspec (extra `remote`), which knows some thirty kinds of storage. Most of them
need another package, which the message names.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from unflicker.errors import InputError, MissingError, OutputError, UnflickerError

_URL = re.compile(r"([a-z][a-z0-9+.-]+):/+(.+)", re.IGNORECASE)
"""A scheme of two letters or more; one is a drive. `pathlib` leaves one slash of two."""
_BLOCK_BYTES = 1 << 20
"""Read at a time. Demuxers read on from where they are, and jump seldom."""
Result = TypeVar("Result")


class RemotePath(type(Path())):
    """A path of a file elsewhere. Its name, suffix and neighbours are those of any path."""

    def __str__(self) -> str:
        """The URL."""
        scheme, rest = _parts(super().__str__())
        return f"{scheme}://{rest}"

    @property
    def url(self) -> str:
        """The URL."""
        return str(self)

    def exists(self, **_: Any) -> bool:
        """Whether there is something."""
        return self._ask(lambda system, place: system.exists(place))

    def is_file(self, **_: Any) -> bool:
        """Whether it is a file."""
        return self._ask(lambda system, place: system.isfile(place))

    def is_dir(self, **_: Any) -> bool:
        """No folder elsewhere is read as a folder of pictures, or searched."""
        return False

    def stat(self, **_: Any) -> Any:
        """Its size, and a number that changes when its content does, in place of a time."""
        size, check = self._ask(lambda system, place: (system.size(place), system.ukey(place)))
        number = int(hashlib.sha256(str(check).encode()).hexdigest()[:15], 16)
        return SimpleNamespace(st_size=size or 0, st_mtime_ns=number)

    def open(self, mode: str = "rb", **_: Any) -> Any:
        """The file, opened for reading in pieces.

        Args:
            mode: Only "rb".
            _: As for other paths; of no effect.

        Raises:
            InputError: It is not there, or cannot be read.
        """
        if mode != "rb":
            raise OutputError(f"{self.url} is written when it is complete; name another place")
        file = self._ask(
            lambda system, place: system.open(
                place, "rb", block_size=_BLOCK_BYTES, cache_type="readahead"
            )
        )
        return _Pieces(file, self)

    def put(self, local: Path) -> None:
        """Copy a file of this machine there.

        Raises:
            OutputError: It cannot be written.
        """
        self._change(lambda system, place: system.put_file(str(local), place))

    def write(self, content: bytes) -> None:
        """Write a file of known content.

        Raises:
            OutputError: It cannot be written.
        """
        self._change(lambda system, place: system.pipe_file(place, content))

    def rename(self, target: Path) -> RemotePath:
        """Give it another name in the same storage, which is returned.

        Raises:
            OutputError: It cannot be renamed.
        """
        other = _parts(str(target))[1]
        self._change(lambda system, place: system.mv(place, other))
        return RemotePath(target)

    def _change(self, question: Callable[[Any, str], Any]) -> None:
        try:
            self._ask(question)
        except InputError as fault:
            raise OutputError(
                f"{self.url} cannot be written: {_one_line(fault.__cause__)}; "
                "check the name and your access"
            ) from fault

    def _ask(self, question: Callable[[Any, str], Result]) -> Result:
        """The answer of the storage.

        Raises:
            MissingError: A package for this kind of storage is not installed.
            InputError: It does not answer, or refuses.
        """
        try:
            from fsspec.core import url_to_fs

            system, place = url_to_fs(self.url)
            return question(system, place)
        except UnflickerError:
            raise
        except ImportError as fault:
            raise MissingError(
                f"{self.url} needs another package ({fault}); "
                "pip install 'unflicker[remote]', and the package for this kind of storage"
            ) from fault
        except FileNotFoundError as fault:
            raise InputError(f"no such file: {self.url}; check the name") from fault
        except Exception as fault:  # each kind of storage has its own
            raise InputError(
                f"{self.url} cannot be read: {_one_line(fault)}; check the name and your access"
            ) from fault


class _Pieces(io.RawIOBase):
    """A file elsewhere, read in pieces; whatever fails on the way is one clear line."""

    def __init__(self, file: Any, path: RemotePath) -> None:
        self._file, self._path = file, path

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill a buffer, as far as the file goes.

        Raises:
            InputError: The storage does not answer any more.
        """
        try:
            data = self._file.read(len(buffer))
        except Exception as fault:  # each kind of storage has its own
            raise InputError(
                f"{self._path.url} cannot be read on: {_one_line(fault)}; "
                "the same command continues when the connection is back"
            ) from fault
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The place."""
        return self._file.tell()

    def close(self) -> None:
        """Let it go."""
        self._file.close()
        super().close()


def as_path(name: str | Path) -> Path:
    """A path; that of a URL reads from there.

    Args:
        name: Path or URL. What exists on this machine under that name is a path.
    """
    if isinstance(name, RemotePath):
        return name
    path = Path(name)
    if _URL.fullmatch(str(name)) is None or path.exists():
        return path
    return RemotePath(str(name))


def _one_line(fault: BaseException | None) -> str:
    """The message of an exception, on one line; its kind if it has none."""
    return " ".join(str(fault).split()) or type(fault).__name__


def _parts(text: str) -> tuple[str, str]:
    match = _URL.fullmatch(text)
    assert match is not None
    return match[1], match[2]
