"""The command that writes two films into one: compare."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from unflicker.cli.help import Command
from unflicker.cli.interrupt import Stop
from unflicker.cli.messages import Talk
from unflicker.cli.options import (
    encode_options,
    overwrite_option,
    range_options,
    required_output,
    talk_options,
)
from unflicker.cli.values import Place
from unflicker.cli.writing import write_film
from unflicker.files.outputs import Written, named


@click.command(
    cls=Command, example="unflicker compare film.mp4 film_unflickered.mp4 --split -o both.mp4"
)
@click.argument("first", type=Place(), metavar="FILM")
@click.argument("second", type=Place(), metavar="FILM")
@required_output
@click.option("--split", is_flag=True, help="Half of each picture in place of both.")
@click.option("--labels", nargs=2, metavar="TEXT TEXT", help="Labels; else the file names.")
@overwrite_option
@range_options
@encode_options
@talk_options
@click.pass_obj
def compare(stop: Stop, first: str, second: str, output: Path, **given: Any) -> None:
    """Write two films into one, side by side or split, with labels."""
    from unflicker.report.compare import ComparedSource
    from unflicker.video import open_video

    reads, writes = named("the film", first, second), [Written(path=output, what="the new film")]
    talk = Talk.of(given, stop=stop, reads=reads, writes=writes)
    part = {"start_seconds": given["start"], "duration_seconds": given["duration"]}
    film = ComparedSource(
        open_video(first, **part),
        open_video(second, **part),
        labels=given["labels"] or (Path(first).name, Path(second).name),
        split=given["split"],
    )
    write_film(film, film.frames(), target=output, given=given, talk=talk)
    click.echo(output)
