"""The honest notes at the end of a site: what was done, what was reduced, what failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from unflicker.report.site.boards import main_methods
from unflicker.report.site.marks import reductions
from unflicker.report.site.methods import method_of
from unflicker.report.site.scores import Scores

_MOST_ERRORS = 3


@dataclass(frozen=True, kw_only=True)
class Notes:
    """What a reader must know."""

    reduced: tuple[str, ...]
    failed: tuple[str, ...]
    skipped: tuple[str, ...]
    """Lines of the scores that could not be read."""
    runs: tuple[tuple[tuple[str, str], ...], ...]
    """Of each run, what it says of itself, by name."""
    dates: str
    machines: tuple[str, ...]
    versions: tuple[str, ...]
    """Of the package; what scores say after a plus is of one method."""


def notes(scores: Scores) -> Notes:
    """The notes of merged runs."""
    given = list(scores.by_key.values())
    days = sorted({score.date[:10] for score in given if score.date})
    return Notes(
        reduced=tuple(_reduced(scores)),
        failed=tuple(_failed(scores)),
        skipped=scores.skipped,
        runs=tuple(tuple(_flat(run)) for run in scores.runs if run),
        dates=days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}" if days else "",
        machines=tuple(sorted({score.machine for score in given if score.machine})),
        versions=tuple(sorted({score.version.split("+")[0] for score in given if score.version})),
    )


def _reduced(scores: Scores) -> Iterator[str]:
    names = tuple(scores.examples)
    for method in scores.methods:
        for text in reductions(scores, method, names):
            yield f"{method_of(method).label}: {text}"
    most = {
        method: sum(bool(scores.of(method, name)) for name in names)
        for method in main_methods(scores)
    }
    for method, count in most.items():
        if 0 < count < max(most.values()):
            yield f"{method_of(method).label}: tried on {count} of {len(names)} examples"


def _failed(scores: Scores) -> Iterator[str]:
    for method, errors in scores.failures().items():
        shown = [f"{name} ({error})" if error else name for name, error in errors.items()]
        more = f" and {len(shown) - _MOST_ERRORS} more" if len(shown) > _MOST_ERRORS else ""
        yield f"{method_of(method).label}: {'; '.join(shown[:_MOST_ERRORS])}{more}"


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Nested JSON as names and texts."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name} {key}".strip())
    elif isinstance(value, list):
        yield name, " ".join(str(part) for part in value)
    else:
        yield name, "" if value is None else str(value)
