"""Reads and writes the files of a folder of results.

`scores.jsonl` has one object a line, appended atomically; later lines replace earlier ones. It may
hold several runs; a run does not repeat existing jobs. `run.json` has the metadata of the last run.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unflicker.errors import InputError, OutputError
from unflicker.files.atomic import write_whole
from unflicker.files.json_text import parsed

SCORES, VIDEOS = "scores.jsonl", "videos"
PACKED = "scores.jsonl.gz"
"""Scores of a published run, compressed; read before `SCORES`."""
_RUN = "run.json"
FAILED, COST = "failed", "cost"
_ENOUGH = 0.5
"""Share of the largest number of examples of a method that another needs to be compared."""

Row = dict[str, Any]
"""One line: see `rows_of`."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The key of a job: results with equal marks are interchangeable."""

    method: str
    example: str
    effort: str
    width: int
    frames: int
    version: str


def folder_name(example: str) -> str:
    """The name of an example's folder of videos, in `VIDEOS`."""
    return example.replace("/", "__").replace(" ", "-")


@dataclass(frozen=True, kw_only=True)
class Lines:
    """The lines of a file of scores."""

    rows: tuple[Row, ...]
    """In order; each has method, example, set and values."""
    skipped: tuple[str, ...]
    """Lines that cannot be read, such as truncated ones: "line 3 of out/scores.jsonl"."""


def read_lines(folder: Path) -> Lines:
    """The lines of a folder's scores.

    Raises:
        InputError: There is no such file, or it cannot be read.
    """
    path = folder / SCORES
    try:
        lines = _packed_lines(folder)
        if path.exists() or not lines:
            lines += path.read_text(encoding="utf-8", errors="replace").splitlines()
    except (OSError, EOFError, zlib.error) as fault:
        raise InputError(
            f"cannot read scores: {path}: {getattr(fault, 'strerror', None) or fault}; "
            "name a folder that `unflicker evaluate` wrote"
        ) from fault
    found = {number: _row_in(line) for number, line in enumerate(lines, start=1) if line.strip()}
    place = f"{folder.name}/{SCORES}"
    return Lines(
        rows=tuple(row for row in found.values() if row is not None),
        skipped=tuple(f"line {number} of {place}" for number, row in found.items() if row is None),
    )


def read_rows(folder: Path) -> tuple[Row, ...]:
    """The rows of a folder's scores, in order; none if there is no file yet.

    Raises:
        InputError: The file exists and cannot be read.
    """
    there = any((folder / name).exists() for name in (SCORES, PACKED))
    return read_lines(folder).rows if there else ()


def _packed_lines(folder: Path) -> list[str]:
    """Lines of packed scores; none if there is no such file."""
    path = folder / PACKED
    if not path.exists():
        return []
    return gzip.decompress(path.read_bytes()).decode("utf-8", errors="replace").splitlines()


def pack_scores(folder: Path, out: Path) -> Path:
    """Write the valid scores of a folder, and its `run.json`, in a form small enough to keep.

    Args:
        folder: Of results.
        out: Folder of `scores.jsonl.gz`, which `read_lines` reads.

    Raises:
        InputError: The folder has no scores.
        OutputError: The other folder cannot be written.
    """
    rows = merged(read_lines(folder).rows).values()
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    write_whole(out / PACKED, gzip.compress(text.encode(), mtime=0))
    write_run(out, read_run(folder))
    return out / PACKED


def _row_in(line: str) -> Row | None:
    try:
        row = parsed(line)
    except ValueError:
        return None
    if not isinstance(row, dict) or not isinstance(row.get("values"), dict):
        return None
    named = all(isinstance(row.get(name), str) for name in ("method", "example", "set"))
    return row if named else None


def merged(rows: Iterable[Row]) -> dict[tuple[str, str, str], Row]:
    """The valid rows by method, example and set.

    A failure removes earlier scores of the same job, and scores remove an earlier failure.
    """
    found: dict[tuple[str, str, str], Row] = {}
    for row in rows:
        method, example, which = row["method"], row["example"], row["set"]
        if which == FAILED:
            for key in [key for key in found if key[:2] == (method, example)]:
                del found[key]
        else:
            found.pop((method, example, FAILED), None)
        found[method, example, which] = row
    return found


def on_enough(examples: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """The methods that have at least half as many examples as the one with most, with them.

    Args:
        examples: By method, the examples with scores.
    """
    most = max((len(names) for names in examples.values()), default=0)
    return {name: some for name, some in examples.items() if some and len(some) >= _ENOUGH * most}


def done_in(folder: Path) -> set[Mark]:
    """Marks of the jobs with results: those with a cost, which is written last."""
    return {_mark(row) for (_, _, which), row in merged(read_rows(folder)).items() if which == COST}


def _mark(row: Row) -> Mark:
    named: Row = {name: row.get(name) for name in Mark.__dataclass_fields__}
    return Mark(**named)


def append_rows(folder: Path, rows: Iterable[Row]) -> None:
    """Append lines to the scores in one write, so that a killed run leaves complete ones.

    Args:
        folder: Of the results.
        rows: One for each line.

    Raises:
        OutputError: The disk is full or the folder cannot be written.
    """
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path = folder / SCORES
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            size = os.fstat(handle).st_size
            if size and os.pread(handle, 1, size - 1) != b"\n":
                text = "\n" + text
            os.write(handle, text.encode())
        finally:
            os.close(handle)
    except OSError as fault:
        raise OutputError(
            f"{path} cannot be written: {fault.strerror}; make room, or name another folder with -o"
        ) from fault


def read_run(folder: Path) -> dict[str, Any]:
    """Metadata of the last run in a folder; empty if there is none that can be read."""
    try:
        found = parsed((folder / _RUN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_run(folder: Path, content: Mapping[str, Any]) -> None:
    """Write the metadata of a run into the folder of its scores.

    Args:
        folder: Of the results.
        content: Plain values by name.

    Raises:
        OutputError: The disk is full or the folder cannot be written.
    """
    text = json.dumps(dict(content), indent=2, ensure_ascii=False) + "\n"
    write_whole(folder / _RUN, text)
