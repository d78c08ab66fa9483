"""Writes the tables and pages of the leaderboard."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from unflicker.errors import InputError
from unflicker.files.atomic import write_whole
from unflicker.leaderboard import leaderboards as b
from unflicker.leaderboard import measures as m
from unflicker.leaderboard.headline import facts, headline
from unflicker.leaderboard.notes import notes
from unflicker.leaderboard.pages import (
    CLIPS,
    PICTURES,
    PLOTS,
    clip_page,
    clip_rows,
    index_page,
    player_of,
)
from unflicker.leaderboard.plots import Plot, blur_plot, kind_bars, speed_plot
from unflicker.leaderboard.published_form import published_table
from unflicker.leaderboard.scores import Example, Scores, read_scores
from unflicker.leaderboard.tables import Table, as_csv, as_latex, as_markdown
from unflicker.leaderboard.viewing import STEADY, Viewing, copies_of, view
from unflicker.progress import Progress, Report, silent

REPORT, TABLES = "report", "tables"
_KIND_MEASURES = {
    "made": (m.PSNR, m.LEVEL_FREE_PSNR, m.WARP_RATIO),
    "simulated": (m.LEVEL_FREE_PSNR,),
    "processed": (m.WARP_RATIO, m.WARP),
    "real": (m.SEEN_LESS,),
}


def write_site(out: Path, *folders: Path, report: Report = silent) -> Path:
    """Write the tables (`out/tables`) and the site (`out/report`) of one or several runs.

    Args:
        out: Folder to write to; videos are linked, not copied.
        folders: Outputs of `unflicker evaluate`, each with `scores.jsonl` and possibly `videos`; of
            equal entries the last one is used. Without any: `out` itself.
        report: Called with the progress, in examples.

    Returns:
        The main page, `out/report/index.html`.

    Raises:
        InputError: There are no scores, or a viewing copy cannot be read.
        OutputError: A file cannot be written.
    """
    sources = folders or (out,)
    scores = read_scores(*sources)
    boards = b.boards(scores)
    if not boards:
        raise InputError(
            "there are scores of the input, but of no other method; evaluate some with --methods"
        )
    tables = _tables(scores, boards)
    plots = [(board, _plots(board)) for board in boards]
    _write_tables([*(board.table for board in boards), *chain(*tables.values())], out / TABLES)
    write_whole(out / TABLES / "scores.csv", _every_number(scores))
    _write_plots(chain(*(some for _, some in plots)), out / REPORT / PLOTS)
    pages = _write_clips(scores, boards, sources, out / REPORT, report)
    index = out / REPORT / "index.html"
    page = index_page(
        boards=plots,
        tables=tables,
        heading=(headline(boards[0]), facts(boards[0])),
        clips=_clips(scores, pages, index),
        notes=notes(scores),
    )
    write_whole(index, page)
    return index


def _tables(scores: Scores, boards: Sequence[b.Leaderboard]) -> dict[str, list[Table]]:
    kinds = [
        b.kind_table(board, measure)
        for board in boards
        if not board.of_few
        for measure in _KIND_MEASURES[board.sort]
    ]
    found = {
        "kinds": kinds,
        "category": [b.category_table(scores)],
        "published": [published_table(scores)],
        "ablation": [b.ablation_table(scores)],
        "cost": [b.cost_table(scores)],
    }
    return {place: [table for table in some if table] for place, some in found.items()}


def _write_tables(tables: Iterable[Table], folder: Path) -> None:
    for table in tables:
        for ending, written in ((".md", as_markdown), (".csv", as_csv), (".tex", as_latex)):
            write_whole(folder / f"{table.name}{ending}", written(table))


def _write_plots(plots: Iterable[Plot], folder: Path) -> None:
    for plot in plots:
        write_whole(folder / f"{plot.name}.svg", plot.svg)
        write_whole(folder / f"{plot.name}.png", plot.png)


def _every_number(scores: Scores) -> str:
    """All scores as CSV, one number a line."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    heads = ["method", "example", "clip", "category", "kind", "set", "name", "value"]
    writer.writerow([*heads, "frames", "width", "effort", "date", "version", "machine"])
    for (method, name, of), score in scores.by_key.items():
        example = scores.examples[name]
        place = [method, name, example.clip, example.category, example.kind, of]
        how = [score.frames, score.width, score.effort, score.date, score.version, score.machine]
        for measure, value in score.values.items():
            writer.writerow([*place, measure, value, *how])
    return out.getvalue()


def _plots(board: b.Leaderboard) -> list[Plot]:
    measures = () if board.of_few else _KIND_MEASURES[board.sort]
    bars = [kind_bars(board, measure) for measure in measures]
    made = [speed_plot(board), blur_plot(board), *bars]
    return [plot for plot in made if plot is not None]


def _write_clips(
    scores: Scores,
    boards: Sequence[b.Leaderboard],
    folders: Sequence[Path],
    site: Path,
    report: Report,
) -> dict[str, Viewing]:
    """A page for each example that has viewing copies of its input and of a result."""
    found = {name: copies_of(example, folders) for name, example in scores.examples.items()}
    shown = [name for name, paths in found.items() if "input" in paths and len(paths) > 1]
    pages: dict[str, Viewing] = {}
    for index, name in enumerate(shown):
        report(Progress(stage="pictures", done=index, total=len(shown)))
        example = scores.examples[name]
        viewing = view(example, _ordered(found[name], boards, example))
        page = site / CLIPS / f"{example.folder}.html"
        around = (_at(scores, shown, index - 1), _at(scores, shown, index + 1))
        write_whole(page, clip_page(viewing, scores, page=page, neighbours=around))
        for kind in ("strip", "slices", "thumbnail"):
            picture = site / PICTURES / f"{example.folder}-{kind}.jpg"
            write_whole(picture, getattr(viewing, kind))
        pages[name] = viewing
    report(Progress(stage="pictures", done=len(shown), total=len(shown)))
    return pages


def _at(scores: Scores, shown: Sequence[str], index: int) -> Example | None:
    return scores.examples[shown[index]] if 0 <= index < len(shown) else None


def _ordered(
    paths: dict[str, Path], boards: Sequence[b.Leaderboard], example: Example
) -> dict[str, Path]:
    """The input, the methods in the order of their board, others, then the steady video."""
    sort = b.sort_of(example.category)
    board = next((board for board in boards if board.sort == sort), None)
    ranked = [row.method.name for row in board.table.rows] if board else []
    others = [name for name in paths if name not in ranked and name not in STEADY]
    order = dict.fromkeys(["input", *ranked, *others, *STEADY])
    return {name: paths[name] for name in order if name in paths}


def _clips(scores: Scores, pages: dict[str, Viewing], index: Path) -> dict[str, object]:
    """What the main page shows of the examples; it opens with a real film if there is one."""
    order = {"real": 0, "made": 1, "processed": 2}
    first = min(pages.values(), key=lambda v: order[b.sort_of(v.example.category)], default=None)
    return {
        "player": None if first is None else player_of(first, page=index),
        "example": None if first is None else first.example,
        "rows": clip_rows(scores, pages),
    }
