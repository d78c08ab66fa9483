"""Tables of methods and numbers, as Markdown, CSV and LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

from unflicker.evaluation.methods import Method
from unflicker.leaderboard.comparison import Estimate
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
    lines = [
        f"**{_markdown(table.title)}.** {_markdown(table.about)}",
        "",
        f"| {' | '.join(_markdown(head) for head in heads)} |",
        f"|---|{'---:|' * len(table.columns)}",
    ]
    for row in table.rows:
        cells = [_markdown(row.method.label) + "".join(f" [{mark}]" for mark in row.marks)]
        cells += _shown(table, row, bold="**{}**".format)
        lines.append(f"| {' | '.join(cells)} |")
    notes = [f"[{mark}] {_markdown(note)}  " for mark, note in enumerate(table.footnotes, 1)]
    return "\n".join([*lines, *([""] if notes else []), *notes]) + "\n"


def as_latex(table: Table) -> str:
    """The table for a paper; needs the package booktabs."""
    heads = [f"{_latex(c.label)}{_LATEX_ARROWS[c.measure.best]}" for c in table.columns]
    lines = [
        " ".join(f"% {table.title}: {table.about}".split()),
        rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}",
        r"\toprule",
        " & ".join(["method", *heads]) + r" \\",
        r"\midrule",
    ]
    for row in table.rows:
        marks = rf"\textsuperscript{{{','.join(map(str, row.marks))}}}" if row.marks else ""
        numbers = _shown(table, row, bold=r"\textbf{{{}}}".format)
        cells = [
            _latex(row.method.label) + marks,
            *(number.replace("–", "--") for number in numbers),
        ]
        lines.append(" & ".join(cells) + r" \\")
    lines += [r"\bottomrule", r"\end{tabular}"]
    notes = (rf"\textsuperscript{{{k}}} {_latex(n)}\\" for k, n in enumerate(table.footnotes, 1))
    return "\n".join([*lines, *notes]) + "\n"


def as_csv(table: Table) -> str:
    """The table with every digit: mean, interval and number of examples of each column."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heads = ["method", "family", "guided"]
    for column in table.columns:
        label = column.label
        heads += [label, f"{label} low", f"{label} high", f"{label} examples"]
    writer.writerow([*heads, "notes"])
    for row in table.rows:
        cells: list[object] = [row.method.name, row.method.family, int(row.method.guided)]
        for cell in row.cells:
            cells += [cell.mean, cell.low, cell.high, cell.count] if cell else [None, None, None, 0]
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
