"""Notes on reduced and failed work, and on the runs, at the end of the leaderboard."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from unflicker.evaluation.registry import method_of
from unflicker.leaderboard.footnotes import reductions
from unflicker.leaderboard.leaderboards import PROCESSED, main_methods
from unflicker.leaderboard.scores import Scores

_MOST_ERRORS = 3
_LEFT_OUT = "left_out"


@dataclass(frozen=True, kw_only=True)
class Notes:
    """The notes of a leaderboard."""

    reduced: tuple[str, ...]
    left_out: tuple[str, ...]
    """Methods that could not run, and why."""
    failed: tuple[str, ...]
    skipped: tuple[str, ...]
    """Lines of the scores that could not be read."""
    runs: tuple[tuple[tuple[str, str], ...], ...]
    """Metadata of each run, by name."""
    dates: str
    machines: tuple[str, ...]
    versions: tuple[str, ...]
    """Versions of the package, without the mark of a method after a plus."""


def notes(scores: Scores) -> Notes:
    """The notes of merged runs."""
    given = list(scores.by_key.values())
    days = sorted({score.date[:10] for score in given if score.date})
    return Notes(
        reduced=tuple(_reduced(scores)),
        left_out=tuple(_left_out(scores)),
        failed=tuple(_failed(scores)),
        skipped=scores.skipped,
        runs=tuple(tuple(_flat(_without(run, _LEFT_OUT))) for run in scores.runs if run),
        dates=days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}" if days else "",
        machines=tuple(sorted({score.machine for score in given if score.machine})),
        versions=tuple(sorted({score.version.split("+")[0] for score in given if score.version})),
    )


def _reduced(scores: Scores) -> Iterator[str]:
    names = tuple(scores.examples)
    for method in scores.methods:
        for text in reductions(scores, method, names):
            yield f"{method_of(method).label}: {text}"
    for method in main_methods(scores):
        could = [name for name in names if _could_take(scores, method, name)]
        tried = sum(bool(scores.of(method, name)) for name in could)
        if 0 < tried < len(could):
            yield f"{method_of(method).label}: tried on {tried} of {len(could)} examples"


def _could_take(scores: Scores, method: str, example: str) -> bool:
    """Guided methods need a steady original."""
    return not method_of(method).guided or scores.examples[example].category == PROCESSED


def _left_out(scores: Scores) -> Iterator[str]:
    reasons: dict[str, str] = {}
    for run in scores.runs:
        if isinstance(run.get(_LEFT_OUT), dict):
            reasons.update(run[_LEFT_OUT])
    for method, why in reasons.items():
        if method not in scores.methods:
            yield f"{method_of(method).label}: {why}"


def _failed(scores: Scores) -> Iterator[str]:
    for method, errors in scores.failures().items():
        shown = [f"{name} ({error})" if error else name for name, error in errors.items()]
        more = f" and {len(shown) - _MOST_ERRORS} more" if len(shown) > _MOST_ERRORS else ""
        yield f"{method_of(method).label}: {'; '.join(shown[:_MOST_ERRORS])}{more}"


def _without(run: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in run.items() if key != name}


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Nested JSON as names and texts."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name} {key}".strip())
    elif isinstance(value, list):
        yield name, " ".join(str(part) for part in value)
    else:
        yield name, "" if value is None else str(value)
