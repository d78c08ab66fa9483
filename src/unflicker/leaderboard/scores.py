"""The scores of runs as examples, methods and numbers; later lines win."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from unflicker.errors import InputError
from unflicker.evaluation.methods import INPUT
from unflicker.evaluation.results import (
    FAILED,
    SCORES,
    VIDEOS,
    folder_name,
    merged,
    read_lines,
    read_run,
)

__all__ = ["FAILED", "INPUT", "VIDEOS", "Example", "Score", "Scores", "read_scores"]
_EQUAL_DB = 100.0
"""PSNR of a result that is its truth bit for bit, where the formula gives infinity."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """A flickering video that methods were tried on."""

    name: str
    """Unique in its data set: "apple/bands"."""
    clip: str
    """The clip that it was made of; several examples share it."""
    category: str
    kind: str
    """Of made flicker which, of processed video which task, else empty."""

    @property
    def folder(self) -> str:
        """Name of its folder of videos, and of its page."""
        return folder_name(self.name)


@dataclass(frozen=True, kw_only=True)
class Score:
    """One method's numbers of one set on one example."""

    values: dict[str, float]
    """By name of the measure; what is not a finite number is not there."""
    frames: int | None
    width: int | None
    effort: str
    """How much the method was allowed to do; empty where it was what it does by itself."""
    error: str = ""
    date: str = ""
    machine: str = ""
    version: str = ""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The merged scores of one or several runs."""

    examples: dict[str, Example]
    """By name: category by category, then as people count ("w3" before "w10")."""
    methods: tuple[str, ...]
    """In the order in which they were met."""
    by_key: dict[tuple[str, str, str], Score]
    """By method, example and set."""
    skipped: tuple[str, ...] = ()
    """Lines that could not be read, for the notes."""
    runs: tuple[dict[str, Any], ...] = ()
    """What `run.json` of each folder says."""
    _lookup: dict[tuple[str, str], dict[str, Score]] = field(default_factory=dict, repr=False)

    def of(self, method: str, example: str) -> dict[str, Score]:
        """All sets of a method on an example."""
        if not self._lookup:
            for (one, other, name), score in self.by_key.items():
                self._lookup.setdefault((one, other), {})[name] = score
        return self._lookup.get((method, example), {})

    def value(self, method: str, example: str, *, of: str, name: str) -> float | None:
        """One number, or None where it was not measured."""
        score = self.by_key.get((method, example, of))
        return None if score is None else score.values.get(name)

    def failures(self) -> dict[str, dict[str, str]]:
        """By method, the examples on which it failed and the errors."""
        found: dict[str, dict[str, str]] = {}
        for (method, example, name), score in self.by_key.items():
            if name == FAILED:
                found.setdefault(method, {})[example] = score.error
        return found


def read_scores(*folders: Path) -> Scores:
    """The scores of several folders as one; a later line for the same thing replaces an earlier.

    A method that failed on an example has no scores there; if it succeeds later, it has not failed.

    Raises:
        InputError: A folder holds no scores, or none that can be read.
    """
    read = [read_lines(folder) for folder in folders]
    rows = [row for lines in read for row in lines.rows]
    if not rows:
        places = ", ".join(str(folder / SCORES) for folder in folders)
        raise InputError(f"no scores in {places}; run `unflicker evaluate` into that folder first")
    return Scores(
        examples=_in_order({row["example"]: _example(row) for row in rows}),
        methods=tuple(dict.fromkeys(row["method"] for row in rows)),
        by_key={key: _score(row) for key, row in merged(rows).items()},
        skipped=tuple(line for lines in read for line in lines.skipped),
        runs=tuple(read_run(folder) for folder in folders),
    )


def _in_order(examples: dict[str, Example]) -> dict[str, Example]:
    """Whatever process was done first; categories as they were met."""
    categories = list(dict.fromkeys(example.category for example in examples.values()))

    def place(name: str) -> tuple[int, list[tuple[int, str]]]:
        parts = re.findall(r"\d+|\D+", name)
        counted = [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]
        return categories.index(examples[name].category), counted

    return {name: examples[name] for name in sorted(examples, key=place)}


def _example(entry: dict[str, Any]) -> Example:
    name = entry["example"]
    return Example(
        name=name,
        clip=str(entry.get("clip") or name),
        category=str(entry.get("category") or ""),
        kind=str(entry.get("kind") or ""),
    )


def _score(entry: dict[str, Any]) -> Score:
    values = {name: _number(name, value) for name, value in entry["values"].items()}
    return Score(
        values={name: value for name, value in values.items() if value is not None},
        frames=entry.get("frames"),
        width=entry.get("width"),
        **{
            name: str(entry.get(name) or "")
            for name in ("effort", "error", "date", "machine", "version")
        },
    )


def _number(name: str, value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        return None
    if math.isinf(value):
        return _EQUAL_DB if value > 0 and name.endswith("psnr") else None
    return float(value)
