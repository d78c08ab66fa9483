"""The last table of a suite: means over films with intervals, and what separates two methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from unflicker.evaluation.intervals import LEAST_CLIPS, estimated, paired, signed, with_interval
from unflicker.evaluation.suites.suite import Row
from unflicker.evaluation.suites.tables import markdown


def paired_means(
    rows: Sequence[Row], values: Mapping[str, tuple[str, int]], *, by: str = "method"
) -> str:
    """Means of each method over films, and its paired difference to the first method.

    Args:
        rows: With `clip`, the method, and values; a row may lack some.
        values: Title and digits after the point of each value that is shown.
        by: Name of what is compared in the rows.
    """
    names = list(dict.fromkeys(row[by] for row in rows))
    body = []
    for name in names:
        cells = [name, str(len({row["clip"] for row in rows if row[by] == name}))]
        for value, (_, digits) in values.items():
            ours, first = (_by_film(rows, value, by=by, name=one) for one in (name, names[0]))
            cells += mean_and_difference(ours, first if name != names[0] else None, digits=digits)
        body.append(cells)
    head = [by, "films"]
    for title, _ in values.values():
        head += [title, f"less {names[0]}"]
    about = f"fewer than {LEAST_CLIPS} films have no interval"
    title = f"Means over films, and paired differences; 95 % by bootstrap over films, {about}"
    return markdown(title=title, head=head, body=body)


def mean_and_difference(
    ours: Mapping[str, float], first: Mapping[str, float] | None, *, digits: int
) -> list[str]:
    """The mean of a method over films, and its paired difference to the first one, as cells.

    Args:
        ours: Values by film.
        first: Those of the first method; None for that method itself.
        digits: After the point.
    """
    difference = None if first is None else paired(ours, first, clip_of=str)
    mean = with_interval(estimated(ours, clip_of=str), digits=digits)
    return [mean, signed(difference, digits=digits)]


def _by_film(rows: Sequence[Row], value: str, *, by: str, name: str) -> dict[str, float]:
    return {row["clip"]: row[value] for row in rows if row[by] == name and value in row}
