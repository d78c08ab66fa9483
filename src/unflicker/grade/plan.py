"""The grades of a film in a file, to be looked at or applied later.

A zip archive: `plan.json` says what it is, and every 64 frames share two NumPy files, the curves
and the gains, and a third where channels are mixed: logarithms of the matrices. It is written and
read as a stream, so no film is too long for it.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from unflicker.errors import InputError, OutputError
from unflicker.grade.grade import KNOTS, Grade

SCHEMA_VERSION = 2
_READABLE_VERSIONS = (1, 2)
"""Version 1 has no matrices; what it holds is read as it is."""
_CHUNK = 64


class PlanWriter:
    """Writes grades one after the other; nothing is left under the final name if it fails."""

    def __init__(self, path: Path, *, about: dict[str, Any]) -> None:
        """Begin a plan; `about` is stored with it (source, size, settings)."""
        self._path = path
        self._part = path.with_name(f".{path.name}.part")
        self._about = about
        self._held: list[Grade] = []
        self._frames = 0

    def __enter__(self) -> PlanWriter:
        """Open the file beside its final name."""
        try:
            self._part.parent.mkdir(parents=True, exist_ok=True)
            self._archive = zipfile.ZipFile(self._part, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        except OSError as fault:
            raise OutputError(
                f"the plan {self._path} cannot be written: {fault.strerror}; name another place"
            ) from fault
        return self

    def add(self, grade: Grade) -> None:
        """Append the next frame's grade."""
        self._held.append(grade)
        if len(self._held) == _CHUNK:
            self._flush()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Name the file if all went well, else remove it."""
        if kind is None:
            self._flush()
            about = {"schema": SCHEMA_VERSION, "frames": self._frames, **self._about}
            self._archive.writestr("plan.json", json.dumps(about, indent=2))
        self._archive.close()
        if kind is None:
            self._part.replace(self._path)
        else:
            self._part.unlink(missing_ok=True)

    def _flush(self) -> None:
        for start, group in _of_one_shape(self._held):
            name = f"{self._frames + start:09d}"
            self._store(f"{name}_curves", np.stack([grade.curves for grade in group]))
            self._store(f"{name}_gains", np.stack([g.log_gain for g in group]).astype(np.float16))
            if any(grade.mixes for grade in group):
                self._store(f"{name}_matrices", np.stack([grade.log_matrix for grade in group]))
        self._frames += len(self._held)
        self._held = []

    def _store(self, name: str, array: np.ndarray) -> None:
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        self._archive.writestr(f"{name}.npy", buffer.getvalue())


def _of_one_shape(grades: list[Grade]) -> Iterator[tuple[int, list[Grade]]]:
    start = 0
    for index in range(1, len(grades) + 1):
        ends = index == len(grades)
        if ends or grades[index].log_gain.shape != grades[start].log_gain.shape:
            yield start, grades[start:index]
            start = index


def read_plan(path: Path) -> tuple[dict[str, Any], Iterator[Grade]]:
    """What a plan says of itself, and its grades in order.

    Raises:
        InputError: It is not there, or is no plan of this version.
    """
    with _readable(path), zipfile.ZipFile(path) as archive:
        about = json.loads(archive.read("plan.json"))
    if not isinstance(about, dict):
        raise _no_plan(path, "plan.json is not an object")
    if about.get("schema") not in _READABLE_VERSIONS:
        raise InputError(
            f"the plan {path} has schema {about.get('schema')}, this version reads "
            f"1 and {SCHEMA_VERSION}; make it again with `unflicker analyze --plan`"
        )
    return about, _grades(path)


def _grades(path: Path) -> Iterator[Grade]:
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        for name in sorted(name for name in names if name.endswith("_curves.npy")):
            with _readable(path):
                curves = _array(archive, name)
                log_gains = _array(archive, name.replace("_curves", "_gains"))
                matrices = name.replace("_curves", "_matrices")
                unmixed = np.zeros((len(curves), 3, 3), np.float32)
                mixed = _array(archive, matrices) if matrices in names else unmixed
            if curves.shape[1:] != (3, KNOTS) or log_gains.shape[4:] != (3,):
                raise _no_plan(path, f"curves of {curves.shape} and gains of {log_gains.shape}")
            if len(curves) != len(log_gains):
                raise _no_plan(path, f"{len(curves)} curves for {len(log_gains)} gains")
            if mixed.shape != unmixed.shape:
                raise _no_plan(path, f"matrices of {mixed.shape} for {len(curves)} curves")
            for curve, log_gain, matrix in zip(curves, log_gains, mixed, strict=True):
                yield Grade(curves=curve, log_gain=log_gain, log_matrix=matrix)


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    array = np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
    if array.dtype.kind != "f" or not array.size or not np.isfinite(array).all():
        raise ValueError(f"{name} holds no finite numbers")
    return array.astype(np.float32)


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """What goes wrong inside becomes one clear line."""
    try:
        yield
    except (OSError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError) as fault:
        raise _no_plan(path, str(fault)) from fault


def _no_plan(path: Path, why: str) -> InputError:
    return InputError(
        f"{path} is not a whole plan of grades ({why}); make one with `unflicker analyze --plan`"
    )
