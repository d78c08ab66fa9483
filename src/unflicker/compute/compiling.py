"""Compiles inner loops to machine code, cached on disk where this user may write.

numba's own cache stops the program where no folder can be written or a file is damaged, and two
processes that compile at the same time can corrupt its index. Here each compilation has one file:
its name is a hash of all that the code depends on, and its first bytes are the checksum of the
others. Code that cannot be read is compiled again; code that cannot be written stays in memory.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import inspect
import logging
import os
import pickle
import sys
import uuid
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numba
from numba.core import config
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from unflicker.compute.announcing import compiles
from unflicker.compute.caches import cache_folder, is_usable
from unflicker.errors import UsageError

_CHECK_BYTES = hashlib.sha256().digest_size
_log = logging.getLogger(__name__)


def compiled(**options: Any) -> Callable[[Callable], Any]:
    """A decorator that compiles a function to machine code, which releases Python's lock.

    Divisions by zero are not looked for: they give infinity, as with numpy.

    Args:
        options: Options of numba, such as `fastmath` and `inline`.

    Raises:
        UsageError: A parallel function, which takes more than twice as long to compile, and whose
            first version is not the one that later processes read from the cache (decision 40).
    """
    if options.get("parallel"):
        raise UsageError("parallel loops are not compiled here; call it with rows by `in_bands`")

    def compile_when_called(function: Callable) -> Any:
        made = numba.njit(nogil=True, error_model="numpy", **options)(function)
        # With compilation switched off by the user, numba returns the function itself.
        if made is not function:
            made._cache = _Kept(function)  # pyright: ignore - as its `enable_caching` does
            made.compile = _uncollected(made.compile)
        return made

    return compile_when_called


def _uncollected(compile_it: Callable) -> Callable:
    """Compilation without Python's search for unused objects, which takes a tenth of its time."""

    def compile_uncollected(signature: Any) -> Any:
        collects = gc.isenabled()
        gc.disable()
        try:
            return compile_it(signature)
        finally:
            if collects:
                gc.enable()

    return compile_uncollected


def part_of_compiled(function: Callable) -> Any:
    """A function that compiled functions alone can call: compiled without what Python would need.

    Inlined by numba (`inline="always"`), parts would take three times as long to compile, and loops
    would run no faster.
    """
    return compiled(no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)


class _Kept(NullCache):
    """A cache with the interface of numba's, and one file for each compilation of a function."""

    def __init__(self, function: Callable) -> None:
        self._function = function
        self._source = Path(inspect.getfile(function))

    @property
    def cache_path(self) -> str | None:
        """The folder of written code, for numba's statistics."""
        folder = _written(self._source)
        return None if folder is None else str(folder)

    def load_overload(self, sig: Any, target_context: Any) -> CompileResult | None:
        """The code for a signature from its file; None if there is no intact file."""
        target_context.refresh()
        for folder, _ in _places(self._source):
            # After any fault of a file the code is compiled again and the file replaced.
            try:
                path = folder / self._name(sig, target_context.codegen())
                content = _checked(path.read_bytes())
                return CompileResult._rebuild(target_context, *pickle.loads(content))
            except FileNotFoundError:
                continue
            except Exception as fault:
                _log.debug("compiled code in %s cannot be used: %r", folder, fault)
        compiles()
        return None

    def save_overload(self, sig: Any, data: CompileResult) -> None:
        """Write the code for a signature, if the folder can be written."""
        folder = _written(self._source)
        if folder is None or data.lifted or data.library.has_dynamic_globals:
            return
        # After any fault, such as a full disk, the code is still in memory.
        try:
            name = self._name(sig, data.codegen)
            _write(folder / name, dumps(data._reduce()))
            self._remove_older(folder, name)
        except Exception as fault:
            _log.debug("compiled code cannot be kept in %s: %r", folder, fault)

    def _name(self, sig: Any, codegen: Any) -> str:
        """A file's name: the function, and hashes of its source and of what else it depends on."""
        depends = (
            str(sig),
            codegen.magic_tuple(),
            sys.implementation.cache_tag,
            self._function.__code__.co_code,
        )
        return f"{self._stem()}-{_stamp(self._source)}-{_short(repr(depends).encode())}.nbc"

    def _stem(self) -> str:
        return f"{self._source.stem}.{self._function.__qualname__}"

    def _remove_older(self, folder: Path, name: str) -> None:
        """Remove code of the same function that was compiled from another source."""
        current = name.rpartition("-")[0]
        for file in folder.glob(f"{self._stem()}-*.nbc"):
            if not file.name.startswith(f"{current}-"):
                file.unlink(missing_ok=True)


def _written(source: Path) -> Path | None:
    """The folder to which code of a source file is written; None if there is none."""
    folder, usable = _places(source)[-1]
    return folder if usable else None


@lru_cache
def _places(source: Path) -> tuple[tuple[Path, bool], ...]:
    """Folders that may hold code of a source file, up to the first that can be written.

    A folder that cannot be written may hold code that an administrator has put there.
    """
    found = []
    for folder, usable in _candidates(source):
        found.append((folder, usable))
        if usable:
            break
    return tuple(found)


def _candidates(source: Path) -> Iterator[tuple[Path, bool]]:
    """Folders in order of preference, and whether each can be written.

    The folder of `NUMBA_CACHE_DIR` is the first, as with numba itself, then the source's
    `__pycache__`.
    """
    own = f"{source.parent.name}_{_short(os.fsencode(source.parent.resolve()))}"
    asked = getattr(config, "CACHE_DIR", "")
    if asked:
        yield Path(asked) / own, is_usable(Path(asked) / own, shared=True)
    beside = source.parent / "__pycache__"
    yield beside, source.parent.is_dir() and is_usable(beside, shared=True)
    kept = cache_folder()
    if kept is not None:
        yield kept / own, is_usable(kept / own)


@lru_cache
def _stamp(source: Path) -> str:
    """A hash of a source file and of those in its folder, from which it may have parts."""
    sources = {source, *source.parent.glob("*.py")}
    content = b"".join(path.read_bytes() for path in sorted(sources))
    return _short(content + numba.__version__.encode())


def _short(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]


def _checked(content: bytes) -> bytes:
    check, rest = content[:_CHECK_BYTES], content[_CHECK_BYTES:]
    if hashlib.sha256(rest).digest() != check:
        raise ValueError("the file is damaged")
    return rest


def _write(path: Path, content: bytes) -> None:
    """Write a file under a temporary name and rename it, so that none reads it half-written."""
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        part.write_bytes(hashlib.sha256(content).digest() + content)
        part.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
