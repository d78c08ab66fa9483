"""The grades of a film in a file, to be looked at or applied later.

A zip archive: `plan.json` says what it is, and every 64 frames share two NumPy files, the curves
and the gains, and a third where channels are mixed: logarithms of the matrices. What is kept of
frames as it is (`mask.Kept`) has a file wherever it changes. All is written and read as a stream,
so no film is too long for it.
"""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import numpy as np

from unflicker.errors import InputError, OutputError
from unflicker.grade.grade import KNOTS, Grade
from unflicker.grade.mask import Kept
from unflicker.outputs import is_stream, made_folder

SCHEMA_VERSION = 2
_READABLE_VERSIONS = (1, 2)
"""Version 1 has no matrices; what it holds is read as it is."""
_CHUNK = 64
_KEPT = ".kept"


class PlanWriter:
    """Writes grades one after the other; nothing is left under the final name if it fails."""

    def __init__(self, path: Path, *, about: dict[str, Any]) -> None:
        """Begin a plan; `about` is stored with it (source, size, settings)."""
        self._path = path
        self._part = path if is_stream(path) else path.with_name(f".{path.name}.part")
        self._open = ExitStack()
        self._about = about
        self._held: list[Grade] = []
        self._frames = 0
        self._kept: Kept | None = None

    def __enter__(self) -> PlanWriter:
        """Open the file beside its final name."""
        try:
            self._open.enter_context(made_folder(self._part.parent))
            place: Any = self._part
            if place == self._path:
                place = _Passing(self._open.enter_context(place.open("wb")))
            self._archive = zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        except OSError as fault:
            self._open.__exit__(type(fault), fault, None)
            raise OutputError(
                f"the plan {self._path} cannot be written: {fault.strerror}; name another place"
            ) from fault
        return self

    def add(self, grade: Grade, *, kept: Kept | None = None) -> None:
        """Append the next frame's grade, and what of the frame it leaves as it is."""
        if kept != self._kept:
            name = f"{self._frames + len(self._held):09d}{_KEPT}"
            self._archive.writestr(name, b"" if kept is None else kept.to_bytes())
            self._kept = kept
        self._held.append(grade)
        if len(self._held) == _CHUNK:
            self._flush()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Name the file if all went well, else remove it.

        Raises:
            OutputError: The disk is full or gone.
        """
        try:
            self._finish(whole=kind is None)
        except OSError as trouble:
            self._open.__exit__(type(trouble), trouble, None)
            raise OutputError(
                f"the plan {self._path} cannot be written: {trouble.strerror}; "
                "make room or name another place"
            ) from trouble
        self._open.__exit__(kind, fault, trace)

    def _finish(self, *, whole: bool) -> None:
        try:
            if whole:
                self._flush()
                about = {"schema": SCHEMA_VERSION, "frames": self._frames, **self._about}
                self._archive.writestr("plan.json", json.dumps(about, indent=2))
            self._archive.close()
            if whole and self._part != self._path:
                self._part.replace(self._path)
        finally:
            if self._part != self._path:
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


class _Passing:
    """A stream to which is only written: a device says that it can go back, and does not."""

    def __init__(self, stream: IO[bytes]) -> None:
        self.write, self.flush = stream.write, stream.flush


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


def read_kept(path: Path) -> Iterator[Kept | None]:
    """What a plan keeps of each frame, in order; the last goes on for ever."""
    kept, frame = None, 0
    with _readable(path), zipfile.ZipFile(path) as archive:
        stored = sorted(name for name in archive.namelist() if name.endswith(_KEPT))
        for name in stored:
            while frame < int(name.removesuffix(_KEPT)):
                yield kept
                frame += 1
            data = archive.read(name)
            kept = Kept.from_bytes(data) if data else None
    while True:
        yield kept


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
