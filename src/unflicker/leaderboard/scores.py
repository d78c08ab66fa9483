"""The scores of runs, merged, as examples, methods and numbers; later lines replace earlier."""

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
"""PSNR of a result that equals its ground truth, for which the formula gives infinity."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """A flickering video on which methods ran."""

    name: str
    """Unique in its data set: "apple/bands"."""
    clip: str
    """The clip from which it was made; several examples share it."""
    category: str
    kind: str
    """Kind of synthetic flicker, or task of processed video; else empty."""

    @property
    def folder(self) -> str:
        """Name of its folder of videos, and of its page."""
        return folder_name(self.name)


@dataclass(frozen=True, kw_only=True)
class Score:
    """One method's numbers of one set on one example."""

    values: dict[str, float]
    """By name of the measure; finite numbers only."""
    frames: int | None
    width: int | None
    effort: str
    """Effort of a method that is fitted to each video; else empty."""
    error: str = ""
    date: str = ""
    machine: str = ""
    version: str = ""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The merged scores of one or several runs."""

    examples: dict[str, Example]
    """By name, sorted by category, then naturally ("w3" before "w10")."""
    methods: tuple[str, ...]
    """In order of first appearance."""
    by_key: dict[tuple[str, str, str], Score]
    """By method, example and set."""
    skipped: tuple[str, ...] = ()
    """Lines that could not be read, for the notes."""
    runs: tuple[dict[str, Any], ...] = ()
    """Content of each folder's `run.json`."""
    _lookup: dict[tuple[str, str], dict[str, Score]] = field(default_factory=dict, repr=False)

    def of(self, method: str, example: str) -> dict[str, Score]:
        """All scores of a method on an example, by set.

        Args:
            method: Name of the method.
            example: Name of the example.
        """
        if not self._lookup:
            for (one, other, name), score in self.by_key.items():
                self._lookup.setdefault((one, other), {})[name] = score
        return self._lookup.get((method, example), {})

    def value(self, method: str, example: str, *, of: str, name: str) -> float | None:
        """One number; None if it was not measured.

        Args:
            method: Name of the method.
            example: Name of the example.
            of: The set of metrics.
            name: Name of the number in the set.
        """
        score = self.by_key.get((method, example, of))
        return None if score is None else score.values.get(name)

    def failures(self) -> dict[str, dict[str, str]]:
        """The examples on which each method failed, with the errors."""
        found: dict[str, dict[str, str]] = {}
        for (method, example, name), score in self.by_key.items():
            if name == FAILED:
                found.setdefault(method, {})[example] = score.error
        return found


def read_scores(*folders: Path) -> Scores:
    """The scores of several folders, merged; a later line with the same key replaces an earlier.

    A failure on an example removes its earlier scores; a later success removes the failure.

    Raises:
        InputError: A folder has no scores, or none that can be read.
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
    """The examples sorted by category, in order of first appearance, then by name."""
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
