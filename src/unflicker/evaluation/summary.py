"""Means as a text table, for the end of a run; `unflicker report` writes the pages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from unflicker.datasets.examples import REAL
from unflicker.evaluation.results import COST, FAILED, Row, merged, on_enough

_SYNTHETIC, _PROCESSED, _REAL = "synthetic", "processed", "real"


@dataclass(frozen=True, kw_only=True)
class _Column:
    head: str
    category: str
    """Its category, "real" for all without a steady version, or "" for all."""
    place: tuple[str, str]
    """Metric set and metric."""
    factor: float = 1.0
    digits: int = 2
    of_all: bool = True
    """Whether means are over the examples of all methods, or of those that ran on most."""


_COLUMNS = (
    _Column(head="PSNR dB", category=_SYNTHETIC, place=("fidelity", "psnr"), of_all=False),
    _Column(
        head="level-free dB",
        category=_SYNTHETIC,
        place=("fidelity", "level_free_psnr"),
        of_all=False,
    ),
    _Column(
        head="E_warp ratio",
        category=_SYNTHETIC,
        place=("consistency", "e_warp_ratio"),
        of_all=False,
    ),
    _Column(head="PSNR dB, on few", category=_SYNTHETIC, place=("fidelity", "psnr")),
    _Column(
        head="E_warp ratio, on few", category=_SYNTHETIC, place=("consistency", "e_warp_ratio")
    ),
    _Column(
        head="level-free dB, simulated",
        category="simulated",
        place=("fidelity", "level_free_psnr"),
    ),
    _Column(
        head="E_warp ratio, processed", category=_PROCESSED, place=("consistency", "e_warp_ratio")
    ),
    _Column(
        head="flicker removed %, real",
        category=_REAL,
        place=("visible", "visible_flicker_less"),
        factor=100.0,
        digits=0,
    ),
    _Column(head="s a frame", category="", place=(COST, "seconds_a_frame"), digits=3),
    _Column(head="MB", category="", place=(COST, "peak_mb"), digits=0),
)


def summary(rows: Iterable[Row], order: Sequence[str] = ()) -> str:
    """The means of each method, over the examples that all methods of a column have.

    Args:
        rows: Lines of `scores.jsonl`.
        order: Names of methods, in the order of the table; others follow.
    """
    table = merged(rows)
    names = list(dict.fromkeys([*order, *(method for method, _, _ in table)]))
    names = [name for name in names if any(key[0] == name for key in table)]
    cells = {column.head: _means(table, names, column) for column in _COLUMNS}
    heads = ["method", "effort", *cells, "videos"]
    lines = [
        [
            name,
            _effort(table, name),
            *(cells[head].get(name, "–") for head in cells),
            _count(table, name),
        ]
        for name in names
    ]
    return "\n".join([_aligned([heads, *lines]), *_notes(table)])


def _means(
    table: dict[tuple[str, str, str], Row], names: Sequence[str], column: _Column
) -> dict[str, str]:
    which, metric = column.place
    values: dict[str, dict[str, float]] = {}
    for (method, example, found), row in table.items():
        value = row["values"].get(metric)
        if found == which and _belongs(row, column.category) and value is not None:
            values.setdefault(method, {})[example] = value
    if not column.of_all:
        enough = on_enough({name: set(one) for name, one in values.items()})
        values = {name: one for name, one in values.items() if name in enough}
    shared = set.intersection(*(set(one) for one in values.values())) if values else set()
    if not column.category:
        # The cost of a method does not depend on the methods it is compared with.
        return {name: _shown(list(one.values()), column) for name, one in values.items()}
    return {
        name: _shown([one[example] for example in shared], column)
        for name, one in values.items()
        if name in names and shared
    }


def _belongs(row: Row, category: str) -> bool:
    if category == _REAL:
        return row.get("category") in REAL
    return not category or row.get("category") == category


def _shown(values: Sequence[float], column: _Column) -> str:
    return f"{fmean(values) * column.factor:.{column.digits}f}"


def _effort(table: dict[tuple[str, str, str], Row], name: str) -> str:
    efforts = {str(row.get("effort", "")) for key, row in table.items() if key[0] == name}
    return ", ".join(sorted(efforts))


def _count(table: dict[tuple[str, str, str], Row], name: str) -> str:
    return str(sum(key[0] == name and key[2] == COST for key in table))


def _notes(table: dict[tuple[str, str, str], Row]) -> list[str]:
    notes = [
        "Means over the videos that all methods with a number in the column have; synthetic flicker"
    ]
    notes[0] += " first for methods that ran on most, then for all on the few that all have."
    failed = [f"{key[0]} on {key[1]}" for key in table if key[2] == FAILED]
    if failed:
        notes.append(f"Failed: {', '.join(failed)}.")
    return notes


def _aligned(lines: Sequence[Sequence[str]]) -> str:
    """Columns of text, the first two aligned left, numbers aligned right."""
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place < 2 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    )
