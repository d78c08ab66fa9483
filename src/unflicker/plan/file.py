"""A plan in a file, to be inspected, edited or followed, with random access to its frames.

The file is a zip archive. `plan.json` has its version, its film and its shots. Each group of 64
frames has NumPy files, named by its first frame: curves, gains, the logarithms of the matrices if
channels are mixed, gate weave if there is any, and `frames`, a table of all other numbers. What
many frames share, the kept parts (`mask.Kept`) and the places where texture flickers, has a file
wherever it changes. The archive is written as a stream, so a film may have any length.
"""

from __future__ import annotations

import json
import zipfile
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Shaped

from unflicker.errors import InputError, OutputError
from unflicker.files.outputs import is_stream, made_folder
from unflicker.files.parts import begin, discard, part_of
from unflicker.frames.picture import ColourMeaning
from unflicker.grade.grade import KNOTS, Grade
from unflicker.grade.mask import Kept
from unflicker.plan.archive import (
    Archive,
    Changing,
    Passing,
    check_about,
    finite,
    no_plan,
    packed,
    readable,
    unpacked,
)
from unflicker.plan.plan import FramePlan, ShotPlan
from unflicker.refinement.texture import NO_FLICKER, TextureFlicker

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SCHEMA_VERSION, _BY_FIELDS, _WITH_WEAVE = 3, 4, 5
"""The second only of a plan with grades for both fields of interlaced frames, the third of one with
gate weave; no plan has both."""
_READABLE_VERSIONS = (1, 2, SCHEMA_VERSION, _BY_FIELDS, _WITH_WEAVE)
"""Versions 1 and 2 hold grades alone, the first without matrices."""
_CHUNK = 64
_LOWER = "_lower"
_KEPT, _TEXTURE = ".kept", ".texture"
_TABLE = np.dtype(
    [
        ("seconds", "<f8"),
        ("mean_before", "<f4", (3,)),
        ("mean_after", "<f4", (3,)),
        ("texture_amount", "<f8"),
        ("light_scale", "<f8"),
        ("starts_shot", "?"),
        ("repeats", "?"),
        ("keeps_light", "?"),
        ("damaged", "?"),
    ]
)
"""Numbers of a frame besides its grade, by their names in `FramePlan`."""
_LARGEST = 30.0
"""Of curves, which end at 1, and of logarithms of gains: beyond, light is infinite in a picture."""
_MOST_WEAVE = 1e4
_RANGES = {
    "seconds": (-1e9, 1e9),
    "mean_before": (-1e3, 1e3),
    "mean_after": (-1e3, 1e3),
    "texture_amount": (0.0, 1e3),
    "light_scale": (1e-6, 1e6),
}
"""Least and largest numbers of a frame; those that are not known are NaN."""
_PLAIN = [name for name in _TABLE.names or () if name != "texture_amount"]


class PlanWriter:
    """Writes the plans of frames one after the other; after a failure no file is left."""

    def __init__(self, path: Path, *, about: dict[str, Any]) -> None:
        """Prepare a plan; `about` is stored with it."""
        self._path = path
        self._part = path if is_stream(path) else part_of(path)
        self._open = ExitStack()
        self._about = about
        self._held: list[FramePlan] = []
        self._frames = 0
        self._kept: Kept | None = None
        self._where: np.ndarray | None = None
        self._shots: list[ShotPlan] = []
        self._schema = SCHEMA_VERSION

    def __enter__(self) -> PlanWriter:
        """Open the file under a temporary name in the same folder."""
        try:
            self._open.enter_context(made_folder(self._part.parent))
            place: Any = self._part
            if place == self._path:
                place = Passing(self._open.enter_context(place.open("wb")))
            else:
                begin(place, anew=True)
            self._archive = zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        except OSError as fault:
            self._open.__exit__(type(fault), fault, None)
            why = f"{fault.strerror}; name another place"
            raise OutputError(f"the plan {self._path} cannot be written: {why}") from fault
        return self

    def add(self, frame: FramePlan) -> None:
        """Append the next frame's plan."""
        name = f"{self._frames + len(self._held):09d}"
        if frame.kept != self._kept:
            data = b"" if frame.kept is None else frame.kept.to_bytes()
            self._put(f"{name}{_KEPT}", data)
            self._kept = frame.kept
        if frame.texture.where is not self._where:
            where = frame.texture.where
            self._put(f"{name}{_TEXTURE}", b"" if where is None else packed(where))
            self._where = where
        self._held.append(frame)
        if len(self._held) == _CHUNK:
            self._flush()

    def tell_shots(self, shots: Sequence[ShotPlan]) -> None:
        """Set the shots, once all are known."""
        self._shots = list(shots)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Rename the file to its final name; after an exception, remove it.

        Args:
            kind: Type of the exception that ended the block; None without one.
            fault: That exception.
            trace: Its traceback.

        Raises:
            OutputError: The disk is full or not available.
        """
        try:
            self._finish(whole=kind is None)
        except OSError as trouble:
            self._open.__exit__(type(trouble), trouble, None)
            why = f"{trouble.strerror}; make room or name another place"
            raise OutputError(f"the plan {self._path} cannot be written: {why}") from trouble
        self._open.__exit__(kind, fault, trace)

    def _finish(self, *, whole: bool) -> None:
        try:
            if whole:
                self._flush()
                about = {"schema": self._schema, "frames": self._frames, **self._about}
                about["shots"] = [shot.to_dict() for shot in self._shots]
                self._put("plan.json", json.dumps(about, indent=2))
            self._archive.close()
            if whole and self._part != self._path:
                self._part.replace(self._path)
        finally:
            if self._part != self._path:
                discard(self._part)

    def _flush(self) -> None:
        for start, group in _of_one_shape(self._held):
            name, lower = f"{self._frames + start:09d}", [f.lower_grade for f in group]
            self._store_grades(name, [frame.grade for frame in group])
            if lower[0] is not None:
                self._schema = _BY_FIELDS
                self._store_grades(f"{name}{_LOWER}", [grade for grade in lower if grade])
            self._store(f"{name}_frames", _table(group))
            weave = np.array([frame.weave_px for frame in group], np.float64)
            if weave.any():
                self._schema = _WITH_WEAVE
                self._store(f"{name}_weave", weave)
        self._frames += len(self._held)
        self._held = []

    def _store_grades(self, name: str, grades: list[Grade]) -> None:
        self._store(f"{name}_curves", np.stack([grade.curves for grade in grades]))
        self._store(f"{name}_gains", np.stack([g.log_gain for g in grades]).astype(np.float16))
        if any(grade.mixes for grade in grades):
            self._store(f"{name}_matrices", np.stack([grade.log_matrix for grade in grades]))

    def _store(self, name: str, array: np.ndarray) -> None:
        self._put(f"{name}.npy", packed(array))

    def _put(self, name: str, data: bytes | str) -> None:
        """Write an entry without the time of day: the same plan is the same file."""
        entry = zipfile.ZipInfo(name)
        entry.external_attr = 0o600 << 16
        self._archive.writestr(entry, data, zipfile.ZIP_DEFLATED, compresslevel=1)


def _of_one_shape(frames: list[FramePlan]) -> Iterator[tuple[int, list[FramePlan]]]:
    start = 0
    for index in range(1, len(frames) + 1):
        if index == len(frames) or _shape(frames[index]) != _shape(frames[start]):
            yield start, frames[start:index]
            start = index


def _shape(frame: FramePlan) -> tuple[tuple[int, ...], ...]:
    """The shapes of a frame's gains."""
    grades = (frame.grade, frame.lower_grade)
    return tuple(grade.log_gain.shape for grade in grades if grade is not None)


def _table(frames: Sequence[FramePlan]) -> Shaped[np.ndarray, " frames"]:
    table = np.zeros(len(frames), _TABLE)
    for name in _PLAIN:
        table[name] = [getattr(frame, name) for frame in frames]
    table["texture_amount"] = [frame.texture.amount for frame in frames]
    return table


class Plan:
    """A plan in a file: its metadata, its shots, and the plan of any frame."""

    def __init__(self, path: str | Path) -> None:
        """Open a plan.

        Raises:
            InputError: There is no such file, or it cannot be read as a plan.
        """
        path = Path(path)
        self.path = path
        self._archive = Archive(path)
        with readable(path):
            self.about = self._archive.words("plan.json")
            check_about(self.about)
        if self.about.get("schema") not in _READABLE_VERSIONS:
            raise InputError(
                f"the plan {path} has schema {self.about.get('schema')}, this version reads "
                f"1 to {_WITH_WEAVE}; make it again with `unflicker analyze --plan`"
            )
        with readable(path):
            names = self._archive.names
            self._names = set(names)
            firsts = (n for n in names if n.endswith("_curves.npy") and _LOWER not in n)
            self._starts = sorted(int(name[:9]) for name in firsts)
            self._kept = Changing(self._archive, _KEPT, Kept.from_bytes)
            self._where = Changing(self._archive, _TEXTURE, _cells)
        self._chunk: tuple[int, list[FramePlan]] = (-1, [])

    @cached_property
    def shots(self) -> tuple[ShotPlan, ...]:
        """The shots of the film; none in plans before version 3."""
        with readable(self.path):
            return tuple(ShotPlan.from_dict(shot) for shot in self.about.get("shots", []))

    @property
    def colour_meaning(self) -> ColourMeaning:
        """The meaning of its film's stored values, as far as it is stored."""
        told = self.about.get("film", {})
        return ColourMeaning(matrix="identity", transfer=told.get("transfer", "power"))

    @cached_property
    def _shot_starts(self) -> list[int]:
        return [shot.start for shot in self.shots]

    def shot_at(self, frame: int) -> int:
        """The number of a frame's shot, from 0; 0 in plans before version 3.

        Args:
            frame: Index of the frame.
        """
        return max(0, bisect_right(self._shot_starts, frame) - 1)

    def __len__(self) -> int:
        """Number of frames."""
        return self.about.get("frames", 0)

    def __getitem__(self, index: int) -> FramePlan:
        """The plan of one frame, in any order.

        Raises:
            IndexError: The plan has fewer frames.
            InputError: The file is damaged.
        """
        if not 0 <= index < len(self):
            raise IndexError(f"frame {index} of a plan of {len(self)}")
        place = bisect_right(self._starts, index) - 1
        if place < 0:
            raise no_plan(self.path, f"frame {index} is missing")
        start = self._starts[place]
        if self._chunk[0] != start:
            with readable(self.path):
                self._chunk = (start, self._frames_from(start))
        if index - start >= len(self._chunk[1]):
            raise no_plan(self.path, f"frame {index} is missing")
        return self._chunk[1][index - start]

    def __iter__(self) -> Iterator[FramePlan]:
        """All frames in order."""
        return (self[index] for index in range(len(self)))

    def plot(self) -> Figure:
        """A matplotlib figure of the light before and after, at full strength, and of the gain.

        Raises:
            MissingError: matplotlib is not installed.
        """
        from unflicker.plan.plot import plotted

        return plotted(self, self.shots)

    def _frames_from(self, start: int) -> list[FramePlan]:
        grades, lower = self._grades(f"{start:09d}"), self._lower_grades(start)
        table = self._table(start, count=len(grades))
        weave = self._weave(start, count=len(grades))
        frames = []
        rows = zip(grades, lower or [None] * len(grades), table, weave, strict=True)
        for index, (grade, other, row, moved) in enumerate(rows, start=start):
            amount, where = float(row["texture_amount"]), self._where.at(index)
            texture = TextureFlicker(amount=amount, where=where) if amount > 0.0 else NO_FLICKER
            told = {name: row[name] if row[name].ndim else row[name].item() for name in _PLAIN}
            frames.append(
                FramePlan(
                    index=index,
                    grade=grade,
                    lower_grade=other,
                    texture=texture,
                    kept=self._kept.at(index),
                    weave_px=moved,
                    **told,
                )
            )
        return frames

    def _weave(self, start: int, *, count: int) -> list[tuple[float, float]]:
        name = f"{start:09d}_weave.npy"
        if name not in self._names:
            return [(0.0, 0.0)] * count
        weave = finite(self._archive.array(name), name)
        if weave.shape != (count, 2) or np.abs(weave).max() > _MOST_WEAVE:
            raise ValueError(f"{name} is no gate weave of {count} frames")
        return [(float(right), float(down)) for right, down in weave]

    def _lower_grades(self, start: int) -> list[Grade] | None:
        """Grades of lower fields; None if frames have one grade each."""
        name = f"{start:09d}{_LOWER}"
        return self._grades(name) if f"{name}_curves.npy" in self._names else None

    def _grades(self, name: str) -> list[Grade]:
        curves, log_gains = self._array(f"{name}_curves"), self._array(f"{name}_gains")
        unmixed = np.zeros((len(curves), 3, 3), np.float32)
        has_matrices = f"{name}_matrices.npy" in self._names
        mixed = self._array(f"{name}_matrices") if has_matrices else unmixed
        if curves.shape[1:] != (3, KNOTS) or log_gains.shape[4:] != (3,):
            raise no_plan(self.path, f"curves of {curves.shape} and gains of {log_gains.shape}")
        if len(curves) != len(log_gains):
            raise no_plan(self.path, f"{len(curves)} curves for {len(log_gains)} gains")
        if mixed.shape != unmixed.shape:
            raise no_plan(self.path, f"matrices of {mixed.shape} for {len(curves)} curves")
        return [
            Grade(curves=curve, log_gain=log_gain, log_matrix=matrix)
            for curve, log_gain, matrix in zip(curves, log_gains, mixed, strict=True)
        ]

    def _table(self, start: int, *, count: int) -> Shaped[np.ndarray, " frames"]:
        name = f"{start:09d}_frames.npy"
        if name not in self._names:
            return _table([FramePlan(index=start, grade=Grade.identity())] * count)
        table = self._archive.array(name)
        if table.dtype != _TABLE or table.shape != (count,):
            raise ValueError(f"{name} is no table of {count} frames")
        for column, (least, most) in _RANGES.items():
            values = table[column][~np.isnan(table[column])]
            if ((values < least) | (values > most)).any():
                raise ValueError(f"{column} in {name} is not from {least:g} to {most:g}")
        if not np.isfinite(table["light_scale"]).all():
            raise ValueError(f"light_scale in {name} is not a number")
        return table

    def _array(self, name: str) -> np.ndarray:
        array = finite(self._archive.array(f"{name}.npy"), name)
        if np.abs(array).max() > _LARGEST:
            raise ValueError(f"{name} holds numbers beyond {_LARGEST:g}")
        return array.astype(np.float32)


def _cells(data: bytes) -> np.ndarray:
    cells = unpacked(data, "where texture flickers")
    return finite(cells, "where texture flickers").astype(np.float32)
