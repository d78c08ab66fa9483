"""The command that writes the leaderboard: report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from unflicker.cli.display import shown
from unflicker.cli.help import Command, Option
from unflicker.cli.interrupt import Stop
from unflicker.cli.messages import Talk
from unflicker.cli.options import talk_options
from unflicker.files.outputs import folders_in, named

_FOLDER = click.Path(path_type=Path)


@click.command(cls=Command, example="unflicker report monday/ tuesday/ -o results/")
@click.argument("folders", nargs=-1, required=True, type=_FOLDER, metavar="FOLDER…")
@click.option(
    "-o",
    "--output",
    cls=Option,
    section="Output",
    type=_FOLDER,
    metavar="FOLDER",
    help="Folder of tables/ and report/; else the first FOLDER.",
)
@click.option(
    "--pack",
    cls=Option,
    section="Output",
    type=_FOLDER,
    metavar="FOLDER",
    help="Also write the scores of the first FOLDER compressed, to be published.",
)
@talk_options
@click.pass_obj
def report(stop: Stop, folders: tuple[Path, ...], output: Path | None, **given: Any) -> None:
    """Write tables and web pages from the scores of evaluate.

    Reads scores.jsonl and videos/ of each FOLDER; of equal entries the last one is used.
    Writes tables/ (Markdown, CSV, LaTeX) and report/index.html, and replaces earlier ones.
    For the page about one run of a film see `unflicker run --report`.
    """
    from unflicker.evaluation.results import pack_scores
    from unflicker.leaderboard import write_site

    out = output or folders[0]
    reads = [*named("the folder", *folders), *named("the videos", *(f / "videos" for f in folders))]
    reads += named("the scores", *(f / "scores.jsonl" for f in folders))
    talk = Talk.of(given, stop=stop, reads=reads, writes=folders_in(out, "tables", "report"))
    with shown(talk, title=str(folders[0])) as progress:
        index = write_site(out, *folders, report=progress)
        if given["pack"] is not None:
            pack_scores(folders[0], given["pack"])
    click.echo(index)
