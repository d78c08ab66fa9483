"""Tables of suites in Markdown, and verdicts on aims."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def markdown(*, head: Sequence[str], body: Iterable[Sequence[str]], title: str = "") -> str:
    """A table in Markdown, under its title where it has one.

    Args:
        head: Titles of the columns.
        body: A text for each cell, row by row.
        title: What the table shows.
    """
    lines = [f"{title}:", ""] if title else []
    lines += [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(cells)} |" for cells in body]
    return "\n".join(lines) + "\n"


def number(value: float, *, digits: int = 2) -> str:
    """A number for a cell; a dash for NaN, which stands for what was not measured.

    Args:
        value: Any.
        digits: After the point.
    """
    return "–" if math.isnan(value) else f"{value:.{digits}f}"


def verdict(*, met: bool) -> str:
    """Whether an aim is met, in words."""
    return "met" if met else "**not met**"


def aim(
    name: str, value: float, *, at_least: float | None = None, at_most: float | None = None
) -> str:
    """A line about one aim.

    Args:
        name: What is measured.
        value: What was measured.
        at_least: The aim, where more is better.
        at_most: The aim, where less is better.
    """
    if at_least is not None:
        return f"- {name}: {value:.2f} (at least {at_least}): {verdict(met=value >= at_least)}"
    assert at_most is not None
    return f"- {name}: {value:.2f} (at most {at_most}): {verdict(met=value <= at_most)}"
