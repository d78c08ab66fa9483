"""Results in the form that papers print: preference by category of video, against one method."""

from __future__ import annotations

from collections.abc import Iterator

from unflicker.errors import UsageError
from unflicker.metrics.preference import wilson
from unflicker.study.results import ALL, Category, Results

_NONE = "–"


def as_paper(results: Results, *, method: str = "", latex: bool = False) -> str:
    """How often one method is preferred over each other one, in per cent, by category.

    The form of the user study in Lei et al., CVPR 2023 (Table 1b), with intervals; a draw is half.

    Args:
        results: Of a study.
        method: The method of the rows; empty for the one with the highest rank.
        latex: Whether as LaTeX (booktabs) in place of Markdown.

    Raises:
        UsageError: The method has no answers, or there are none at all.
    """
    whole = next((one for one in results.categories if one.name == ALL), None)
    if whole is None or not whole.ranking:
        raise UsageError("no answers between two methods yet; ask people first")
    names = [rank.method for rank in whole.ranking]
    own = method or names[0]
    if own not in names:
        raise UsageError(f"{own} has no answers; there are {', '.join(names)}")
    others = [name for name in names if name != own]
    parts = [one for one in results.categories if one.name != ALL and one.ranking] + [whole]
    heads = ["category", *(f"over {other}" for other in others), "answers"]
    rows = [
        ["all" if part.name == ALL else part.name, *_cells(part, own, others), str(part.answers)]
        for part in parts
    ]
    about = (
        f"{own} preferred, % (95 % interval); {results.people} people, "
        f"{results.answers} answers, a draw counts as half"
    )
    return _latex(about, heads, rows) if latex else _markdown(about, heads, rows)


def _cells(part: Category, own: str, others: list[str]) -> Iterator[str]:
    for other in others:
        share = _share(part, own, other)
        if share is None:
            yield _NONE
        else:
            yield f"{100 * share[0]:.1f} ({100 * share[1]:.0f} to {100 * share[2]:.0f})"


def _share(part: Category, own: str, other: str) -> tuple[float, float, float] | None:
    """How often one method was preferred over another, with the ends of the interval."""
    for each in part.preferences:
        if {each.method, each.other} == {own, other}:
            wins = each.wins if each.method == own else each.losses
            count = each.wins + each.draws + each.losses
            found = wilson(wins + each.draws / 2, count)
            return found.share, found.low, found.high
    return None


def _markdown(about: str, heads: list[str], rows: list[list[str]]) -> str:
    lines = [f"{about}:", "", f"| {' | '.join(heads)} |", f"|---|{'---:|' * (len(heads) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def _latex(about: str, heads: list[str], rows: list[list[str]]) -> str:
    def line(cells: list[str]) -> str:
        return " & ".join(_escaped(cell) for cell in cells) + r" \\"

    body = [line(row) for row in rows]
    return "\n".join(
        [
            f"% {about}",
            rf"\begin{{tabular}}{{l{'r' * (len(heads) - 1)}}}",
            r"\toprule",
            line(heads),
            r"\midrule",
            *body[:-1],
            r"\midrule",
            body[-1],
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def _escaped(text: str) -> str:
    for sign in "&%$#_{}":
        text = text.replace(sign, f"\\{sign}")
    return text.replace(_NONE, "--")
