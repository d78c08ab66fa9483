"""The commands that write steady films: run and apply."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unflicker.cli.batch import Job, plan_jobs, work_through, written_by
from unflicker.cli.display import shown
from unflicker.cli.help import Command
from unflicker.cli.interrupt import Stop
from unflicker.cli.messages import Talk
from unflicker.cli.options import (
    clean_option,
    encode_options,
    lock_option,
    original_option,
    range_options,
    settings_from,
    talk_options,
    think_options,
    write_options,
)
from unflicker.cli.values import shot_strengths
from unflicker.errors import UsageError
from unflicker.files.outputs import companions, made_folder, named
from unflicker.settings import Settings

if TYPE_CHECKING:
    from unflicker.recording.record import Record


@click.command(
    cls=Command, example="unflicker film.mp4 -o steady/ --strength 0.9 --report steady/film.html"
)
@click.argument("films", nargs=-1, required=True, metavar="FILM...")
@range_options
@write_options
@original_option
@lock_option
@clean_option
@think_options
@encode_options
@talk_options
@click.pass_obj
def run(stop: Stop, films: tuple[str, ...], **given: Any) -> None:
    """Remove flicker from films; `unflicker film.mp4` does the same.

    The result of film.mp4 is film_unflickered.mp4, with the same sound, times and colours.
    """
    _steady(films, given, stop=stop)


@click.command(cls=Command, example="unflicker apply film.mp4 --plan film.npz -o steady/")
@click.argument("film", metavar="FILM")
@click.option("--plan", required=True, type=click.Path(path_type=Path), help="From analyze --plan.")
@range_options
@original_option
@write_options
@think_options
@encode_options
@talk_options
@click.pass_obj
def apply(stop: Stop, film: str, **given: Any) -> None:
    """Correct a film with the plan that `unflicker analyze --plan` saved."""
    _steady([film], given, stop=stop)


def _steady(films: Sequence[str], given: dict[str, Any], *, stop: Stop) -> None:
    """Check all outputs, then run each film and print a summary."""
    settings = settings_from(given)
    if given.get("original") and len(films) > 1:
        raise UsageError(
            f"an original belongs to one film, and {len(films)} films were named; "
            "run them one by one, each with its own --original"
        )
    jobs = plan_jobs(films, given)
    beside = {name: given.get(name) for name in ("mask", "original", "plan")}
    talk = Talk.of(
        given,
        stop=stop,
        reads=[*named("the film", *films), *companions(settings, **beside)],
        writes=written_by(jobs, skip_existing=given["skip_existing"]),
    )
    if given["dry_run"]:
        for job in jobs:
            click.echo(f"{job.source} -> {job.target}{' (is there)' * job.target.exists()}")
        return
    work_through(
        jobs, work=lambda job: _one(job, settings=settings, given=given, talk=talk), talk=talk
    )


def _one(job: Job, *, settings: Settings, given: dict[str, Any], talk: Talk) -> bool:
    """Run one film; returns whether all its frames were intact."""
    if given["skip_existing"] and job.target.exists():
        talk.say(f"{job.target} is already there: skipped")
        return True
    from unflicker import pipeline

    options = pipeline.RunOptions(
        overwrite=given["overwrite"],
        start_seconds=given["start"],
        duration_seconds=given["duration"],
        plan=given.get("plan"),
        mask=given["mask"],
        shot_strengths=shot_strengths(given["shots"]),
        original=given.get("original"),
        work_dir=given["work_dir"],
        keep_work=given["keep_work"],
        jobs=given["jobs"],
    )
    with (
        made_folder(job.target.parent),
        shown(talk.progress, title=str(job.source), quiet=talk.quiet) as report,
    ):
        record = pipeline.run(
            job.source,
            job.target,
            settings=settings,
            options=options,
            progress=talk.stop.watch(report),
        )
    _tell(record, job=job, talk=talk)
    return not record.damaged


def _tell(record: Record, *, job: Job, talk: Talk) -> None:
    """Print a summary of the run, and write its report and before/after picture if asked for."""
    from unflicker import report

    for note in record.notes:
        talk.say(f"note: {note}")
    talk.say(f"{job.source}: {report.summary(record)}")
    click.echo(record.output)
    if job.report is not None:
        report.write_page(record, job.report)
        talk.say(f"report: {job.report}")
    if job.sheet is not None:
        report.write_sheet(record, job.sheet)
        talk.say(f"before/after picture: {job.sheet}")
