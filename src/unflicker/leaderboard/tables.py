"""Tables of methods and numbers, as Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

from unflicker.evaluation.intervals import Estimate, signed
from unflicker.evaluation.methods import Method
from unflicker.leaderboard.measures import Measure

_ARROWS = {"high": "↑", "low": "↓", "near 1": "→\u00a01", "": ""}
_LATEX_ARROWS = {"high": r" $\uparrow$", "low": r" $\downarrow$", "near 1": r" $\to 1$", "": ""}
_LATEX_WORDS = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "–": "--",
    "Δ": r"$\Delta$",
    "→": r"$\to$",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


_NONE = "–"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of numbers."""

    label: str
    measure: Measure

    @property
    def title(self) -> str:
        """Its label, with an arrow in the direction of better values."""
        return f"{self.label}\u00a0{_ARROWS[self.measure.best]}".strip()


@dataclass(frozen=True, kw_only=True)
class Row:
    """A method's numbers, one for each column; None for a missing one."""

    method: Method
    cells: tuple[Estimate | None, ...]
    marks: tuple[int, ...] = ()
    """Numbers of its footnotes, from 1."""
    differences: tuple[Estimate | None, ...] = ()
    """Of each column, example by example, to the first row; empty for that and where unknown."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Methods by measures."""

    name: str
    """Name of its files, without suffix."""
    title: str
    about: str
    """Its content and number of examples, in a sentence or two."""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    sort: str = ""
    """Its sort of video (see `boards.Leaderboard`); empty if it is of several."""
    footnotes: tuple[str, ...] = ()
    leading: int | None = None
    """The column by which rows are ordered, whose differences are shown."""

    @property
    def differs(self) -> bool:
        """Whether differences to the first row are shown."""
        return self.leading is not None and any(self.difference(row) != _NONE for row in self.rows)

    @property
    def difference_title(self) -> str:
        """Head of the column of differences."""
        unit = "" if self.leading is None else self.columns[self.leading].measure.unit
        return f"to the first (95 %){f', {unit}' if unit else ''}"

    def difference(self, row: Row, index: int | None = None) -> str:
        """A row's paired difference to the first row, with its interval; a dash if unknown.

        Args:
            row: Of this table.
            index: Of a column; None for the leading one.
        """
        index = self.leading if index is None else index
        if index is None or index >= len(row.differences):
            return _NONE
        found, measure = row.differences[index], self.columns[index].measure
        if found is None:
            return _NONE
        low, high = (
            None if end is None else end * measure.factor for end in (found.low, found.high)
        )
        scaled = Estimate(mean=found.mean * measure.factor, low=low, high=high, count=found.count)
        return signed(scaled, digits=measure.digits)

    def best(self, index: int) -> float | None:
        """The best mean of a column, without the input's."""
        measure = self.columns[index].measure
        means = [
            cell.mean
            for row in self.rows
            if row.method.family != "input" and (cell := row.cells[index]) is not None
        ]
        return min(means, key=measure.worse) if means and measure.best else None

    def is_best(self, row: Row, index: int) -> bool:
        """Whether a row's number is the best of its column, to the digits shown.

        Args:
            row: Of this table.
            index: Of the column.
        """
        cell, best = row.cells[index], self.best(index)
        if cell is None or best is None or row.method.family == "input":
            return False
        shown = self.columns[index].measure.shown
        return shown(cell.mean) == shown(best)


def as_markdown(table: Table) -> str:
    """The table for a README; the best of each column is bold."""
    heads = ["method", *(column.title for column in table.columns)]
    heads += [table.difference_title] * table.differs
    lines = [
        f"**{_markdown(table.title)}.** {_markdown(table.about)}",
        "",
        f"| {' | '.join(_markdown(head) for head in heads)} |",
        f"|---|{'---:|' * (len(heads) - 1)}",
    ]
    for row in table.rows:
        cells = [_markdown(row.method.label) + "".join(f" [{mark}]" for mark in row.marks)]
        cells += _shown(table, row, bold="**{}**".format)
        cells += [table.difference(row)] * table.differs
        lines.append(f"| {' | '.join(cells)} |")
    notes = [f"[{mark}] {_markdown(note)}  " for mark, note in enumerate(table.footnotes, 1)]
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"


def as_latex(table: Table) -> str:
    """The table for a paper; needs the package booktabs."""
    heads = [f"{_latex(c.label)}{_LATEX_ARROWS[c.measure.best]}" for c in table.columns]
    heads += [_latex(table.difference_title)] * table.differs
    lines = [
        " ".join(f"% {table.title}: {table.about}".split()),
        rf"\begin{{tabular}}{{l{'r' * len(heads)}}}",
        r"\toprule",
        " & ".join(["method", *heads]) + r" \\",
        r"\midrule",
    ]
    for row in table.rows:
        marks = rf"\textsuperscript{{{','.join(map(str, row.marks))}}}" if row.marks else ""
        numbers = _shown(table, row, bold=r"\textbf{{{}}}".format)
        numbers += [table.difference(row)] * table.differs
        cells = [
            _latex(row.method.label) + marks,
            *(number.replace("–", "--") for number in numbers),
        ]
        lines.append(" & ".join(cells) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}"]
    notes = (rf"\textsuperscript{{{k}}} {_latex(n)}\\" for k, n in enumerate(table.footnotes, 1))
    return "\n".join([*lines, *notes]) + "\n"


def as_csv(table: Table) -> str:
    """The table with every digit: of each column mean, interval, number of examples, and the paired
    difference to the first row with its interval."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heads = ["method", "family", "guided"]
    for column in table.columns:
        label = column.label
        heads += [label, f"{label} low", f"{label} high", f"{label} examples"]
        heads += [f"{label} difference{end}" for end in ("", " low", " high")]
    writer.writerow([*heads, "notes"])
    for row in table.rows:
        cells: list[object] = [row.method.name, row.method.family, int(row.method.guided)]
        differences = row.differences or (None,) * len(row.cells)
        for cell, found in zip(row.cells, differences, strict=True):
            cells += [cell.mean, cell.low, cell.high, cell.count] if cell else [None, None, None, 0]
            cells += [found.mean, found.low, found.high] if found else [None, None, None]
        notes = "; ".join(table.footnotes[mark - 1] for mark in row.marks)
        writer.writerow([*cells, notes])
    return out.getvalue()


def _shown(table: Table, row: Row, *, bold: Callable[[str], str]) -> list[str]:
    shown = []
    for index, (cell, column) in enumerate(zip(row.cells, table.columns, strict=True)):
        text = column.measure.shown(None if cell is None else cell.mean)
        shown.append(bold(text) if table.is_best(row, index) else text)
    return shown


def _markdown(text: str) -> str:
    """Text with the special characters of Markdown escaped."""
    flat = " ".join(text.split())
    for sign in "\\|*_`<[":
        flat = flat.replace(sign, f"\\{sign}")
    return flat


def _latex(text: str) -> str:
    """Text with the special characters of LaTeX escaped."""
    return "".join(_LATEX_WORDS.get(sign, sign) for sign in " ".join(text.split()))
