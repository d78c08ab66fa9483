"""The commands that write steady films: run and apply."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unflicker.batch import (
    Beside,
    FilmJob,
    FilmTask,
    Outcome,
    films_of,
    outcomes,
    plan_jobs,
    written_by,
)
from unflicker.cli.batch import check, tell, write_index
from unflicker.cli.config import config_option, files_used
from unflicker.cli.display import noting, viewed
from unflicker.cli.help import Command
from unflicker.cli.input_options import films_options, stills_options, stream_options
from unflicker.cli.interrupt import Stop
from unflicker.cli.messages import Talk, tell_batch
from unflicker.cli.options import (
    clean_option,
    encode_options,
    lock_option,
    original_option,
    range_options,
    settings_from,
    stabilise_option,
    talk_options,
    think_options,
    write_options,
)
from unflicker.cli.pipe import is_piped, refuse_stream_options, run_piped
from unflicker.cli.process import keep_blocks_of_repair
from unflicker.cli.sidecars import write_exposures
from unflicker.cli.values import Place, shot_strengths
from unflicker.errors import Cancelled, UsageError
from unflicker.files.outputs import companions, named
from unflicker.progress import Report

if TYPE_CHECKING:
    from unflicker.rendering.options import RunOptions


@click.command(
    cls=Command, example="unflicker film.mp4 -o steady/ --strength 0.9 --report steady/film.html"
)
@click.argument("films", type=Place(), nargs=-1, metavar="FILM...")
@films_options
@range_options
@stills_options
@stream_options
@write_options
@original_option
@lock_option
@clean_option
@stabilise_option
@think_options
@config_option
@encode_options
@talk_options
@click.pass_obj
def run(stop: Stop, films: tuple[str, ...], **given: Any) -> None:
    """Remove flicker from films; `unflicker film.mp4` does the same.

    FILM: a file, a folder of pictures or of films, or - for y4m. Result: film_unflickered.mp4.
    """
    if given["clean"]:
        keep_blocks_of_repair()
    if given["xmp"]:
        write_exposures(
            films, given, settings=settings_from(given), options=_options(given), stop=stop
        )
    elif not _piped(films, given, stop=stop):
        _steady(_planned(films, given, stop=stop))


@click.command(cls=Command, example="unflicker apply film.mp4 --plan film.npz -o steady/")
@click.argument("film", type=Place(), metavar="FILM")
@click.option("--plan", required=True, type=click.Path(path_type=Path), help="From analyze --plan.")
@range_options
@stills_options
@stream_options
@original_option
@write_options
@think_options
@config_option
@encode_options
@talk_options
@click.pass_obj
def apply(stop: Stop, film: str, **given: Any) -> None:
    """Correct a film with the plan that `unflicker analyze --plan` saved."""
    if not _piped([film], given, stop=stop):
        _steady(_planned([film], given, stop=stop))


@dataclass(frozen=True, kw_only=True, eq=False)
class _Batch:
    """The films of a call, once it is clear that all of them may be written."""

    tasks: Sequence[FilmTask]
    index: Path | None
    talk: Talk
    is_dry: bool


def _piped(names: Sequence[str], given: dict[str, Any], *, stop: Stop) -> bool:
    """Run the one film or stream of a pipe; returns whether the call is of that kind."""
    if not is_piped(names, given["output"]):
        refuse_stream_options(given)
        return False
    run_piped(names, given, settings=settings_from(given), options=_options(given), stop=stop)
    return True


def _planned(names: Sequence[str], given: dict[str, Any], *, stop: Stop) -> _Batch:
    """Check all inputs and outputs of a call."""
    settings = settings_from(given)
    if given["overwrite"] and given["skip_existing"]:
        raise UsageError("--overwrite and --skip-existing contradict each other; give one of them")
    output, listed = given["output"], given.get("listed")
    films = films_of(names, listed=listed, recursive=given.get("recursive", False), output=output)
    if given.get("original") and len(films) > 1:
        raise UsageError(
            f"an original belongs to one film, and {len(films)} films were named; "
            "run them one by one, each with its own --original"
        )
    beside = Beside(**{name: given[name] for name in ("report", "sheet", "checksums", "events")})
    jobs, index = plan_jobs(films, output=output, beside=beside)
    reads = {name: given.get(name) for name in ("mask", "original", "plan")}
    there = [job.place for job in jobs if given["skip_existing"] and job.place.exists()]
    talk = Talk.of(
        given,
        stop=stop,
        reads=[
            *named("the film", *(film.path for film in films)),
            *named("the list", listed),
            *companions(settings, **reads),
        ],
        writes=written_by(jobs, index=index, skip=there),
    )
    for path in files_used():
        talk.say(f"defaults of options from {path}")
    options = _options(given)
    tasks = [
        FilmTask(job=job, settings=settings, options=options, skips=given["skip_existing"])
        for job in jobs
    ]
    return _Batch(tasks=tasks, index=index, talk=talk, is_dry=given["dry_run"])


def _steady(batch: _Batch) -> None:
    """Run each film and say what became of it."""
    tasks, talk = batch.tasks, batch.talk
    if batch.is_dry:
        for job in (task.job for task in tasks):
            click.echo(f"{job.source} -> {job.target}{' (is there)' * job.place.exists()}")
        return
    tell_batch([(str(task.job.source), str(task.job.target)) for task in tasks])
    every: list[Outcome] = []
    places = {id(task.job): number for number, task in enumerate(tasks, start=1)}
    view = viewed(talk)

    @contextmanager
    def report_of(job: FilmJob) -> Iterator[Report]:
        number, count = places[id(job)], len(tasks)
        title = f"film {number} of {count}: {job.source}" if count > 1 else str(job.source)
        film = str(job.source)
        with view.film(film, title=title) as report:
            yield talk.stop.watch(noting(report, talk, view, film=film, named=count > 1))

    try:
        with closing(outcomes(tasks, report_of=report_of)) as made:
            for outcome in made:
                tell(outcome, films=len(tasks), talk=talk, view=view)
                every.append(outcome)
    except (Cancelled, KeyboardInterrupt) as stopped:
        if len(tasks) > 1:
            stopped.add_note("the same command with --skip-existing continues the batch")
        raise
    if batch.index is not None:
        write_index(every, batch.index)
        talk.say(f"index: {batch.index}")
    check(every)


def _options(given: dict[str, Any]) -> RunOptions:
    from unflicker import pipeline
    from unflicker.video.picture_order import Stills

    return pipeline.RunOptions(
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
        cluster=given["cluster"],
        stills=Stills.of(fps=given.get("fps"), order=given.get("order")),
    )
