"""Values of our own in files: numbers, arrays, and dataclasses of the package.

They are pickled, which is exact and fast, but a pickle may name any function, to be called when it
is read. Here only the package's dataclasses and NumPy's arrays are allowed, so that a file from a
stranger's folder can do no harm.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import io
import pickle
import zlib
from pathlib import Path
from typing import Any

from unflicker.files.atomic import write_whole

_MAGIC = b"unflicker stored 1\n"
_LEVEL = 1
_ARRAYS = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("numpy.core.multiarray", "scalar"),
    ("numpy._core.multiarray", "scalar"),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
    ("fractions", "Fraction"),
}


class NotOurs(pickle.UnpicklingError):
    """A file that names something else than values of the package."""


def to_bytes(value: Any) -> bytes:
    """A value as bytes, compressed, with a checksum."""
    data = zlib.compress(pickle.dumps(value, protocol=pickle.HIGHEST_PROTOCOL), _LEVEL)
    return _MAGIC + hashlib.sha256(data).digest() + data


def from_bytes(content: bytes) -> Any:
    """The value in bytes that `to_bytes` made.

    Raises:
        UnpicklingError: They are incomplete, changed, or hold something else.
    """
    head = len(_MAGIC) + 32
    magic, check, data = content[: len(_MAGIC)], content[len(_MAGIC) : head], content[head:]
    if magic != _MAGIC or hashlib.sha256(data).digest() != check:
        raise pickle.UnpicklingError("the file is not complete")
    return _Ours(io.BytesIO(zlib.decompress(data))).load()


def store(path: Path, value: Any) -> None:
    """Write a value to a file, completely or not at all.

    Args:
        path: The file; missing folders are made.
        value: What to write.

    Raises:
        OutputError: The disk is full or gone.
    """
    write_whole(path, to_bytes(value))


def load(path: Path) -> Any | None:
    """The value in a file; None if there is no such file, or nothing that can be used in it."""
    try:
        return from_bytes(path.read_bytes())
    except (OSError, pickle.UnpicklingError, AttributeError, ImportError, EOFError, TypeError):
        return None


class _Ours(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> Any:
        if (module_name, global_name) in _ARRAYS:
            return super().find_class(module_name, global_name)
        if module_name.split(".")[0] == "unflicker" and "." not in global_name:
            found = getattr(importlib.import_module(module_name), global_name, None)
            if isinstance(found, type) and dataclasses.is_dataclass(found):
                return found
        raise NotOurs(f"{module_name}.{global_name} is not a value of this package")
