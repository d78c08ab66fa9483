"""The command that compares methods: evaluate."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unflicker.cli.display import shown
from unflicker.cli.help import Command, Option
from unflicker.cli.interrupt import Stop
from unflicker.cli.messages import Talk
from unflicker.cli.options import talk_options
from unflicker.cli.suite import measure_suite, refuse_options_of_suites
from unflicker.errors import InputError, PartlyFailedError, UsageError
from unflicker.files.outputs import folders_in, named

if TYPE_CHECKING:
    from unflicker.evaluation.plan import Plan, Scope
    from unflicker.evaluation.run import Comparison

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
_BENCHMARKS = Path(__file__).parents[3] / "benchmarks"
"""The folder of a checkout with the weights of trained baselines, and the split of its clips."""


_WRITTEN = ("dataset", "videos", "tables", "report", ".motion")
"""Folders that a comparison writes."""


def _option(section: str, *names: str, **kwargs: Any) -> Any:
    return click.option(*names, cls=Option, section=section, **kwargs)


@click.command(cls=Command, example="unflicker evaluate data/ -o results/ --quick")
@click.argument("folder", type=_FOLDER, metavar="[FOLDER]", required=False)
@_option(
    "Output",
    "-o",
    "--output",
    "out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Scores, videos and pages; an existing comparison is resumed.",
)
@click.option(
    "--suite", default="", metavar="NAME",
    help="quality, real, processed, guide, speed, wanted, baselines, long, perfect-guide, dirt.",
)  # fmt: skip
@click.option("--quick", is_flag=True, help="A few small clips and kinds; minutes, not hours.")
@click.option(
    "--methods", default="", metavar="A,B", help="Else the usual ones; all: ablations too."
)
@click.option(
    "--method",
    "own",
    multiple=True,
    metavar="NAME=PLACE",
    help="Add a method, NAME=package.module:function; repeatable.",
)
@click.option(
    "--examples", default="", metavar="A,B", help="Only these; apple/* for all of a clip."
)
@click.option(
    "--kinds",
    default="",
    metavar="A,B",
    help="Only these kinds of flicker; simulated for all such.",
)
@click.option(
    "--effort", type=click.Choice(["reduced", "full"]), default="reduced", show_default=True,
    help="For methods fitted to each video; full takes days.",
)  # fmt: skip
@click.option(
    "--seeds", type=click.IntRange(min=1), metavar="N", help="Draws of each synthetic flicker.  [1]"
)
@click.option("--every-kind", is_flag=True, help="Run slow methods on every kind, too.")
@click.option("--width", type=click.IntRange(min=16), metavar="PX", help="Largest width.  [448]")
@click.option("--frames", type=click.IntRange(min=2), metavar="N", help="Of each video.  [30]")
@click.option(
    "--split", default="", metavar="HALF", help="Of a suite: development or held-out clips."
)
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE",
    help="Of a suite: judge, seeds, first, runs, sizes, lengths, film, by_place; repeatable.",
)  # fmt: skip
@_option("Machine", "--weights", type=_FOLDER, metavar="FOLDER", help="Of trained baselines.")
@_option(
    "Machine", "--jobs", type=click.IntRange(min=1), metavar="N", help="Processes; else the cores."
)
@_option(
    "Machine", "--time-limit", type=click.FloatRange(min=0, min_open=True), default=30.0,
    show_default=True, metavar="MINUTES", help="For one method on one video.",
)  # fmt: skip
@_option("Output", "--dry-run", is_flag=True, help="List the jobs and their time, and stop.")
@talk_options
@click.pass_obj
def evaluate(stop: Stop, folder: Path | None, out: Path, **given: Any) -> None:
    """Compare methods: quality, time and memory of each, on every video of a folder.

    FOLDER is a data set, or has clean/, flicker/ and processed/; clean clips get synthetic flicker.
    For a suite it is the folder of its clips.
    """
    sys.path.insert(0, os.getcwd())  # for added methods, as with `python -m`
    usual = _BENCHMARKS / "weights"
    given["weights"] = given["weights"] or (usual if usual.is_dir() else None)
    given["split_file"] = _BENCHMARKS / "split.json"
    given |= {name: _words(given[name]) for name in ("methods", "examples", "kinds")}
    given["kinds"] = _with_simulated(given["kinds"])
    if given["suite"]:
        measure_suite(folder, out, given, stop=stop)
        return
    refuse_options_of_suites(given)
    if folder is None:
        raise UsageError("no folder of videos is named; name one, or a suite with --suite")
    _evaluate_folder(folder, out, given, stop=stop)


def _evaluate_folder(folder: Path, out: Path, given: dict[str, Any], *, stop: Stop) -> None:
    """Compare methods on every video of a folder; print the summary and write the pages."""
    from unflicker.evaluation.results import read_rows
    from unflicker.evaluation.run import compare, prepared
    from unflicker.evaluation.summary import summary

    parts = [folder, *(folder / part for part in ("clean", "flicker", "processed", "clips"))]
    reads = named("the folder", *(part for part in parts if part.is_dir()))
    reads += named("the weights", given["weights"])
    talk = Talk.of(given, stop=stop, reads=reads, writes=folders_in(out, *_WRITTEN))
    comparison = _comparison(folder, out, given)
    with shown(talk, title=str(out)) as progress:
        planned = prepared(comparison, dry=given["dry_run"], progress=progress)
        talk.say(_announced(planned, comparison))
        if given["dry_run"]:
            click.echo(_listed(planned))
            return
        outcome = compare(comparison, planned, progress=progress, tell=talk.say)
    click.echo(summary(read_rows(out), [method.name for method in comparison.methods]))
    _write_pages(out, talk)
    if outcome.failed:
        raise PartlyFailedError(
            f"{len(outcome.failed)} of {planned.jobs} jobs failed; the others are done. "
            "Their lines are above and in scores.jsonl; the same command tries them again"
        )


def _comparison(folder: Path, out: Path, given: dict[str, Any]) -> Comparison:
    from unflicker.evaluation.methods import chosen
    from unflicker.evaluation.registry import METHODS
    from unflicker.evaluation.run import Comparison
    from unflicker.evaluation.selection import Selection

    return Comparison(
        folder=folder,
        out=out,
        methods=chosen(given["methods"], known=METHODS, added=given["own"]),
        scope=_scope(given),
        selection=Selection(
            kinds=given["kinds"],
            examples=given["examples"],
            seeds=given["seeds"] or 1,
            split=given["split_file"],
        ),
        weights=given["weights"],
        at_once=given["jobs"] or _cores(),
        limit_seconds=60 * given["time_limit"],
        command=shlex.join(["unflicker", *sys.argv[1:]]),
    )


def _scope(given: dict[str, Any]) -> Scope:
    from dataclasses import replace

    from unflicker.evaluation.plan import QUICK, Scope

    scope = QUICK if given["quick"] else Scope(effort=given["effort"])
    changes = {"width_px": given["width"], "frames": given["frames"]}
    changes = {name: value for name, value in changes.items() if value is not None}
    return replace(scope, every_kind=given["every_kind"], **changes)


def _announced(planned: Plan, comparison: Comparison) -> str:
    minutes, jobs = planned.minutes(comparison.at_once), comparison.at_once
    there = f", {planned.done_before} done before" if planned.done_before else ""
    return (
        f"{planned.jobs} jobs{there}; about {minutes:.0f} minutes with {jobs} processes "
        "(on two slow cores; --dry-run lists the jobs)"
    )


def _listed(planned: Plan) -> str:
    """The jobs of each method, and the minutes they may take."""
    found: dict[str, tuple[str, int, float]] = {}
    for batch in planned.batches:
        _, jobs, seconds = found.get(batch.method.name, ("", 0, 0.0))
        found[batch.method.name] = batch.effort, jobs + len(batch.jobs), seconds + batch.seconds
    lines = [f"{'method':<32}{'effort':<10}{'jobs':>6}{'minutes of one core':>21}"]
    lines += [
        f"{name:<32}{effort:<10}{jobs:>6}{seconds / 60:>21.1f}"
        for name, (effort, jobs, seconds) in found.items()
    ]
    return "\n".join([*lines, *(f"left out: {one.name}: {one.why}" for one in planned.left_out)])


def _write_pages(out: Path, talk: Talk) -> None:
    """Write the pages of the leaderboard."""
    try:
        from unflicker.leaderboard import write_site
    except ImportError:
        talk.say(f"scores are in {out / 'scores.jsonl'}")
        return
    try:
        with shown(talk, title=str(out)) as report:
            click.echo(write_site(out, report=report))
    except InputError as fault:  # such as scores of the input alone
        talk.say(f"no pages: {fault}")


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _with_simulated(kinds: tuple[str, ...]) -> tuple[str, ...]:
    """Kinds of flicker, with the word for all simulated ones replaced by their names."""
    if "simulated" not in kinds:
        return kinds
    from unflicker.synthesis import SIMULATED_KINDS

    return tuple(dict.fromkeys([*(k for k in kinds if k != "simulated"), *SIMULATED_KINDS]))


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())
