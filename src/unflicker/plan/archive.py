"""The archive of a plan, read within bounds: it may come from a stranger."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Generic, TypeVar

import numpy as np

from unflicker.errors import InputError
from unflicker.files.json_text import parsed

Shared = TypeVar("Shared")
_MOST_FRAMES = 1_000_000_000
_MOST_ENTRIES = 2_000_000
"""A film of a day at 60 frames a second has half as many."""
_MOST_BYTES = 256 * 1024 * 1024
"""Of an entry, unpacked: gains of 64 frames on the finest grid take a tenth of it."""
_MOST_WORDS_BYTES = 64 * 1024 * 1024
"""Of `plan.json`: a film of 100,000 shots takes half of it."""
_ENCRYPTED = 1
"""The flag of such an entry in a zip archive (APPNOTE 4.4.4)."""
_FAULTS = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    KeyError,
    TypeError,
    AttributeError,
    ValueError,
    EOFError,
    OverflowError,
    RuntimeError,  # nested too deeply, an unknown compression
    SyntaxError,  # an array's description
    MemoryError,
)


class Archive:
    """The entries of a plan's file, each bounded before it is read."""

    def __init__(self, path: Path) -> None:
        """Open an archive.

        Raises:
            InputError: It is none.
        """
        self.path = path
        with readable(path):
            if not path.is_file():
                raise ValueError("no such file" if not path.exists() else "it is not a file")
            self._file = zipfile.ZipFile(path)
            self.names = self._file.namelist()
            if len(self.names) > _MOST_ENTRIES:
                raise ValueError(f"{len(self.names)} entries")

    def words(self, name: str) -> Any:
        """The values of an entry in JSON.

        Raises:
            ValueError: It is none, or too large; other exceptions: see `readable`.
        """
        return parsed(self.content(name, most=_MOST_WORDS_BYTES))

    def array(self, name: str) -> np.ndarray:
        """The array of an entry; its size is that of its data.

        Raises:
            ValueError: It is none, or too large; other exceptions: see `readable`.
        """
        return unpacked(self.content(name), name)

    def content(self, name: str, *, most: int = _MOST_BYTES) -> bytes:
        """The bytes of an entry.

        Args:
            name: Of the entry.
            most: Bytes allowed.

        Raises:
            KeyError: There is no such entry.
            ValueError: It is encrypted, or larger.
        """
        entry = self._file.getinfo(name)
        if entry.flag_bits & _ENCRYPTED:
            raise ValueError(f"{name} is encrypted")
        if entry.file_size > most:
            raise ValueError(f"{name} has {entry.file_size} bytes, more than {most}")
        # It gives no more than the size that was just compared.
        return self._file.read(entry)


def unpacked(data: bytes, name: str) -> np.ndarray:
    """The array in bytes as NumPy saves it.

    Args:
        data: The bytes.
        name: What they are, for messages.

    Raises:
        ValueError: Their length is not what their description says.
    """
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    reader = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }.get(version)
    if reader is None:
        raise ValueError(f"{name} is an array of version {version}")
    shape, _, kind = reader(stream)
    if kind.hasobject or math.prod(shape) * kind.itemsize != len(data) - stream.tell():
        raise ValueError(f"{name} does not hold the numbers that it describes")
    return np.load(io.BytesIO(data), allow_pickle=False)


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn any fault of reading a plan into an `InputError`."""
    try:
        yield
    except _FAULTS as fault:
        raise no_plan(path, str(fault) or type(fault).__name__) from fault


def no_plan(path: Path, why: str) -> InputError:
    """The error for a file that is no plan.

    Args:
        path: The file.
        why: In some words.
    """
    return InputError(
        f"{path} is not a whole plan ({why}); make one with `unflicker analyze --plan`"
    )


def check_about(about: Any) -> None:
    """Refuse a description of a plan whose parts are of other types.

    Args:
        about: As read from JSON.

    Raises:
        TypeError: A part has another type.
        ValueError: Its number of frames is none.
    """
    if not isinstance(about, dict):
        raise TypeError("plan.json is not an object")
    for name, kind in (("film", dict), ("settings", dict), ("shots", list), ("frames", int)):
        if not isinstance(about.get(name, kind()), kind):
            raise TypeError(f"{name} in plan.json is {about[name]!r:.40}")
    if not 0 <= about.get("frames", 0) <= _MOST_FRAMES:
        raise ValueError(f"{about['frames']} frames")


class Passing:
    """A stream without seeking: a device claims to be seekable, and is not."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.write, self.flush = stream.write, stream.flush


def packed(array: np.ndarray) -> bytes:
    """The bytes of an entry that holds an array."""
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


def finite(array: np.ndarray, name: str) -> np.ndarray:
    """An array, if it holds finite numbers.

    Args:
        array: As read.
        name: Of its entry.

    Raises:
        ValueError: It does not.
    """
    if array.dtype.kind != "f" or not array.size or not np.isfinite(array).all():
        raise ValueError(f"{name} holds no finite numbers")
    return array


class Changing(Generic[Shared]):
    """A value shared by many frames and stored wherever it changes; one object for all of them."""

    def __init__(self, archive: Archive, ending: str, read: Callable[[bytes], Shared]) -> None:
        self._archive, self._ending, self._read = archive, ending, read
        names = (name for name in archive.names if name.endswith(ending))
        self._starts = sorted(int(name.removesuffix(ending)) for name in names)
        self._last: tuple[int, Shared | None] = (-1, None)

    def at(self, index: int) -> Shared | None:
        """The value of a frame, by its index; None if it has none."""
        place = bisect_right(self._starts, index) - 1
        if place < 0:
            return None
        start = self._starts[place]
        if self._last[0] != start:
            data = self._archive.content(f"{start:09d}{self._ending}")
            self._last = (start, self._read(data) if data else None)
        return self._last[1]
