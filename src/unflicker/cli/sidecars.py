"""A run that writes exposures for raw converters: `--xmp`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unflicker.cli.batch import one_film
from unflicker.cli.config import is_asked
from unflicker.cli.display import shown
from unflicker.cli.interrupt import Stop
from unflicker.cli.messages import Talk, tell_batch
from unflicker.errors import PartlyFailedError, UsageError
from unflicker.files.outputs import named
from unflicker.settings import Settings

if TYPE_CHECKING:
    from unflicker.rendering.options import RunOptions

_OF_FILMS = (
    *("skip_existing", "report", "sheet", "checksums", "events", "dry_run", "work_dir"),
    *("keep_work", "mask", "original", "listed", "recursive", "codec", "crf", "pix_fmt"),
)


def write_exposures(
    names: Sequence[str],
    given: dict[str, Any],
    *,
    settings: Settings,
    options: RunOptions,
    stop: Stop,
) -> None:
    """Write XMP sidecars for the pictures of folders, and print where they are.

    Args:
        names: Folders of pictures.
        given: Values of the options, by name.
        settings: Of the analysis.
        options: Of the run.
        stop: Whether the user asked to stop.

    Raises:
        UsageError: No folder of pictures is named, or an option is for films.
        PartlyFailedError: Some pictures could not be read.
    """
    _refuse(names, given)
    output = given["output"]
    talk = Talk.of(given, stop=stop, reads=named("the pictures", *names), writes=[])
    into = None if output is None else Path(output)
    tell_batch([(name, output) for name in names])
    for name in names:
        with one_film(name, output, begins=False) as done:
            done.frames = _write(name, into, settings, options, talk)


def _write(
    name: str, into: Path | None, settings: Settings, options: RunOptions, talk: Talk
) -> int:
    """Write the sidecars of one folder; returns how many."""
    from unflicker.batch.sidecars import write_sidecars

    with shown(talk, title=name) as report:
        written = write_sidecars(
            Path(name), into, settings=settings, options=options, progress=report
        )
    for note in written.notes:
        talk.note(note, film=name)
    least, most = min(written.stops), max(written.stops)
    talk.say(f"{name}: {len(written.paths)} sidecars, exposure {least:+.2f} to {most:+.2f} EV")
    click.echo(written.paths[0].parent)
    if written.record.damaged:
        raise PartlyFailedError(
            f"{len(written.record.damaged)} pictures in {name} could not be read; their "
            "sidecars have the exposure of the picture before"
        )
    return len(written.paths)


def _refuse(names: Sequence[str], given: dict[str, Any]) -> None:
    useless = [name for name in _OF_FILMS if given.get(name) and is_asked(name)]
    if useless:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in useless)
        raise UsageError(f"{flags}: not with --xmp, which writes no pictures; leave it away")
    if not names or (given["output"] is not None and len(names) > 1):
        raise UsageError("--xmp takes folders of pictures, and with -o one of them; name it")
