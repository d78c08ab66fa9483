"""The commands that measure films: analyze and metrics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unflicker.cli.batch import one_film
from unflicker.cli.config import config_option
from unflicker.cli.display import shown
from unflicker.cli.help import Command
from unflicker.cli.input_options import stills_options
from unflicker.cli.interrupt import Stop
from unflicker.cli.messages import Talk
from unflicker.cli.options import (
    clean_option,
    lock_option,
    original_option,
    overwrite_option,
    range_options,
    settings_from,
    stabilise_option,
    strict_option,
    talk_options,
    think_options,
    threads_option,
)
from unflicker.cli.values import Place
from unflicker.errors import PartlyFailedError
from unflicker.files.outputs import Read, Written, companions, named

if TYPE_CHECKING:
    from unflicker.recording.record import Record

_FILE = click.Path(path_type=Path)
_PART = ("start_seconds", "duration_seconds")


@click.command(
    cls=Command, example="unflicker analyze film.mp4 --plan film.npz | jq '.shots[].kind'"
)
@click.argument("film", type=Place(), metavar="FILM")
@click.option("-o", "--output", type=_FILE, metavar="FILE", help="Write the JSON to a file.")
@click.option("--plan", type=_FILE, metavar="FILE.npz", help="Save the plan, for `apply`.")
@overwrite_option
@range_options
@stills_options
@original_option
@lock_option
@clean_option
@stabilise_option
@think_options
@config_option
@talk_options
@click.pass_obj
def analyze(stop: Stop, film: str, **given: Any) -> None:
    """Measure kind, strength and period of a film's flicker, as JSON; no film is written."""
    from unflicker import report

    writes = [("the JSON", "-o", given["output"]), ("the plan", "--plan", given["plan"])]
    talk = Talk.of(
        given,
        stop=stop,
        reads=_read(film, given),
        writes=[
            Written(path=path, what=what, option=option)
            for what, option, path in writes
            if path is not None
        ],
    )
    with one_film(film, given["output"] and str(given["output"])) as done:
        record = _analyzed(film, given, talk=talk)
        done.frames = len(record.seconds)
        if given["output"] is None:
            click.echo(report.as_json(record))
        else:
            report.write_json(record, given["output"])
        for note in record.notes:
            talk.note(note, film=film)
        talk.say(f"{film}: {report.headline(record)}")
        for one in report.advice(record):
            if not one.is_noted:
                talk.say(f"{film}: {one.line}")
        _refuse_damage(film, record)


def _refuse_damage(film: str, record: Record) -> None:
    if record.incomplete and not record.damaged:
        raise PartlyFailedError(
            f"{film} is not complete (see the note); what is there was analysed"
        )
    if record.damaged:
        raise PartlyFailedError(
            f"{len(record.damaged)} damaged frames in {film} were left out; "
            "the others are done; --strict stops at the first instead"
        )


@click.command(
    cls=Command, example="unflicker metrics film_unflickered.mp4 --reference original.mp4"
)
@click.argument("film", type=Place(), metavar="FILM")
@click.option(
    "--reference", type=Place(), metavar="FILM", help="A steady reference; adds PSNR and others."
)
@range_options
@strict_option
@threads_option
@config_option
@talk_options
@click.pass_obj
def metrics(stop: Stop, film: str, **given: Any) -> None:
    """Measure visible flicker of a film, and its distance to a steady reference, as JSON."""
    from unflicker.cli.measure import measured, nearness
    from unflicker.compute.context import run_context
    from unflicker.video import open_video

    reference = given["reference"]
    reads = [*named("the film", film), *named("the reference", reference)]
    talk = Talk.of(given, stop=stop, reads=reads)
    part = {name: given[name.removesuffix("_seconds")] for name in _PART}
    numbers: dict[str, Any] = {"film": film}
    with one_film(film) as done:
        opened = open_video(film, **part, strict=given["strict"])
        with (
            shown(talk, title=film) as report,
            run_context(device="cpu", threads=given["threads"] or 0, report=report) as context,
        ):
            context.announce(opened.notes)
            numbers |= measured(opened, context)
            if reference is not None:
                numbers["reference"] = reference
                numbers |= nearness(opened, open_video(reference, **part))
        done.frames = numbers["frames"]
    click.echo(json.dumps(numbers, indent=2, ensure_ascii=False))


def _read(film: str, given: dict[str, Any]) -> list[Read]:
    """The film and its companion files."""
    beside = companions(settings_from(given), original=given.get("original"))
    return [*named("the film", film), *beside]


def _analyzed(film: str, given: dict[str, Any], *, talk: Talk) -> Record:
    from unflicker import pipeline
    from unflicker.video.picture_order import Stills

    options = pipeline.RunOptions(
        start_seconds=given["start"],
        duration_seconds=given["duration"],
        save_plan=given.get("plan"),
        original=given.get("original"),
        stills=Stills.of(fps=given.get("fps"), order=given.get("order")),
    )
    with shown(talk, title=film) as report:
        return pipeline.analyze(
            Path(film),
            settings=settings_from(given),
            options=options,
            progress=report,
        )
