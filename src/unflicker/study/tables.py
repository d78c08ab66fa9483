"""Results as text, JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from unflicker.metrics.preference import CONFIDENCE
from unflicker.study.answers import Asked
from unflicker.study.results import Category, Preference, Results, preferred

SCHEMA_VERSION = 1


def as_facts(results: Results) -> dict[str, Any]:
    """The results as plain values."""
    return {"schema_version": SCHEMA_VERSION, "confidence": CONFIDENCE, **asdict(results)}


def as_json(results: Results) -> str:
    """All numbers as JSON."""
    return json.dumps(as_facts(results), indent=2, ensure_ascii=False)


def as_csv(results: Results) -> str:
    """A line for each pair of methods, and for each method against any other; shares are 0 to 1."""
    header = ["category", "method", "other", "answers", "wins", "draws", "losses"]
    lines: list[Sequence[Any]] = [[*header, "share", "low", "high"]]
    for category in results.categories:
        lines += [
            _line(
                category.name,
                (rank.method, "any", rank.answers, "", "", ""),
                (rank.chance, rank.low, rank.high),
            )
            for rank in category.ranking
        ]
        lines += [
            _line(category.name, _counts(each), (each.share, each.low, each.high))
            for each in category.preferences
        ]
    return _csv(lines)


def raw_csv(questions: Iterable[Asked]) -> str:
    """A line for each answer, for statistics."""
    header = ["person", "place", "kind", "example", "category", "left", "right", "choice"]
    lines: list[Sequence[Any]] = [[*header, "preferred", "seconds", "answered"]]
    lines += [
        [
            *(each.person, each.place, each.kind, each.example, each.category),
            *(each.left_method, each.right_method, each.choice, preferred(each) or ""),
            *(round(each.seconds or 0.0, 2), each.answered),
        ]
        for each in questions
        if each.choice is not None
    ]
    return _csv(lines)


def as_table(results: Results) -> str:
    """The results for people to read, in lines of text."""
    blocks = ["\n".join(_summary(results))]
    for category in results.categories:
        if category.answers:
            blocks.append("\n".join(_block(category)))
    return "\n\n".join(blocks)


def _summary(results: Results) -> list[str]:
    lines = [
        f"{_people(results.people)} ({results.finished} to the end), "
        f"{results.answers} answers between two methods"
    ]
    if results.median_seconds is not None:
        lines.append(f"half of the answers took less than {results.median_seconds:.1f} s")
    if results.checks:
        lines.append(f"{results.checks_right} of {results.checks} checks were answered rightly")
    if results.left_out:
        lines.append(f"{_people(results.left_out)} who failed more than half of theirs left out")
    lines.append(
        f"intervals contain the true value {CONFIDENCE:.0%} of the time"
        + ("" if results.resampled else "; people are few, and taken as alike")
    )
    return lines


def _block(category: Category) -> list[str]:
    ranking = [
        (f"{place}", rank.method, f"{rank.answers}", *_percent(rank.chance, rank.low, rank.high))
        for place, rank in enumerate(category.ranking, start=1)
    ]
    pairs = [
        (
            *(each.method, each.other, f"{each.wins}", f"{each.draws}", f"{each.losses}"),
            *_percent(each.share, each.low, each.high),
        )
        for each in category.preferences
    ]
    return [
        f"{category.name}: {category.answers} answers",
        "",
        *_aligned([("", "method", "answers", "preferred to another", "interval"), *ranking]),
        "",
        *_aligned([("method", "over", "yes", "draw", "no", "preferred", "interval"), *pairs]),
    ]


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _percent(share: float, low: float, high: float) -> tuple[str, str]:
    return f"{share:.0%}", f"{low:.0%} to {high:.0%}"


def _counts(each: Preference) -> tuple[Any, ...]:
    answers = each.wins + each.draws + each.losses
    return (each.method, each.other, answers, each.wins, each.draws, each.losses)


def _line(category: str, cells: tuple[Any, ...], shares: tuple[float, ...]) -> list[Any]:
    return [category, *cells, *(round(share, 4) for share in shares)]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _csv(lines: Iterable[Sequence[Any]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue()
