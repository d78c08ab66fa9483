"""The command that writes atlases: atlas."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from unflicker.cli.batch import one_film
from unflicker.cli.display import shown
from unflicker.cli.help import Command, Option
from unflicker.cli.interrupt import Stop
from unflicker.cli.messages import Talk
from unflicker.cli.options import (
    atlas_options,
    encode_options,
    overwrite_option,
    range_options,
    settings_from,
    talk_options,
)
from unflicker.cli.values import Place
from unflicker.files.outputs import companions

_FILE = click.Path(path_type=Path)


@click.command(cls=Command, example="unflicker atlas film.mp4 -o atlas/ --edit drawing.png")
@click.argument("film", type=Place(), metavar="FILM")
@click.option(
    "-o",
    "--output",
    cls=Option,
    section="Output",
    required=True,
    type=_FILE,
    metavar="FOLDER",
    help="Atlas pictures, guide, alpha, a plot of the fit.",
)
@overwrite_option
@click.option(
    "--edit",
    cls=Option,
    section="Input",
    type=_FILE,
    metavar="FILE|FOLDER",
    help="A drawing on an atlas picture, to be mapped back to the film.",
)
@click.option(
    "--layer-mask",
    cls=Option,
    section="Input",
    multiple=True,
    type=_FILE,
    metavar="FILM",
    help="A film or folder, white where an object is; once for each object.",
)
@range_options
@atlas_options
@encode_options
@talk_options
@click.pass_obj
def atlas(stop: Stop, film: str, output: Path, **given: Any) -> None:
    """Write one steady picture of each shot, and map drawings on it back to the film."""
    from unflicker import report
    from unflicker.atlas_export import export, files

    settings = settings_from(given, preset="fast")
    options = export.AtlasOptions(
        overwrite=given["overwrite"],
        start_seconds=given["start"],
        duration_seconds=given["duration"],
        masks=given["layer_mask"],
        edit=given["edit"],
    )
    reads, writes = files.paths_of(Path(film), output, options)
    reads += companions(settings)
    talk = Talk.of(given, stop=stop, reads=reads, writes=writes)
    with one_film(film, str(output)), shown(talk, title=film) as tell:
        record = export.draw_atlases(
            film, output, settings=settings, options=options, progress=tell
        )
    plot = output / files.FIT
    report.write_fit(record.atlases, plot)
    for note in record.notes:
        talk.note(note, film=film)
    for drawn in record.atlases:
        talk.say(
            f"frames {drawn.start} to {drawn.stop - 1}: {drawn.psnr_db:.1f} dB, "
            f"{len(drawn.pictures)} layers, trusted for {drawn.trusted_share:.0%} of the picture"
        )
        for path in drawn.pictures:
            click.echo(path)
    for path in (record.guide, record.alpha, record.edited, plot):
        if path is not None:
            click.echo(path)
