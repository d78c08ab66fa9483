"""Scores in a file, `scores.jsonl`: one object a line, appended whole; later lines win.

The file may be of several runs, on several days; a run does not repeat what is in it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unflicker.errors import OutputError

SCORES, VIDEOS = "scores.jsonl", "videos"
FAILED, COST = "failed", "cost"

Row = dict[str, Any]
"""One line: see `rows_of`."""


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What has to be the same for a result to stand for another."""

    method: str
    example: str
    effort: str
    width: int
    frames: int
    version: str


def folder_name(example: str) -> str:
    """The name of an example's folder of videos, in `VIDEOS`."""
    return example.replace("/", "__").replace(" ", "-")


def read_rows(folder: Path) -> Iterator[Row]:
    """The lines of a folder's scores, in order; broken ones are left out, no file is no line."""
    try:
        lines = (folder / SCORES).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and {"method", "example", "set", "values"} <= row.keys():
            yield row


def merged(rows: Iterable[Row]) -> dict[tuple[str, str, str], Row]:
    """The rows that hold, by method, example and set.

    A failure takes the scores before it with it, and scores the failure before them.
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


def done_in(folder: Path) -> set[Mark]:
    """What need not run again: whatever has its cost, which is written last."""
    return {_mark(row) for (_, _, which), row in merged(read_rows(folder)).items() if which == COST}


def _mark(row: Row) -> Mark:
    named: Row = {name: row.get(name) for name in Mark.__dataclass_fields__}
    return Mark(**named)


def append_rows(folder: Path, rows: Iterable[Row]) -> None:
    """Add lines at the end, all at once, so that a killed run leaves whole ones.

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
