"""The command that writes a plan for other programs: export."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from unflicker.cli.help import Command, Option
from unflicker.cli.interrupt import Stop
from unflicker.cli.messages import Talk
from unflicker.cli.options import overwrite_option, talk_options
from unflicker.files.outputs import Written, named

_FORMATS = ("csv", "json", "cube", "png")


@click.command(cls=Command, example="unflicker export film.plan --to csv -o film.csv")
@click.argument("plan", metavar="PLAN", type=click.Path(path_type=Path))
@click.option(
    "--to",
    cls=Option,
    section="Output",
    required=True,
    type=click.Choice(_FORMATS),
    metavar="FORMAT",
    help="csv or json: gains and levels of each frame; cube: look-up tables; png: a plot.",
)
@click.option(
    "-o",
    "--output",
    cls=Option,
    section="Output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The file; for cube a folder.",
)
@click.option(
    "--per",
    cls=Option,
    section="Output",
    type=click.Choice(["frame", "shot"]),
    default="frame",
    metavar="WHAT",
    help="One .cube for each frame, or for each shot (its mean).",
)
@overwrite_option
@talk_options
@click.pass_obj
def export(stop: Stop, plan: Path, to: str, output: Path, **given: Any) -> None:
    """Write a plan, from analyze --plan, for other programs.

    A .cube file has the correction of the whole picture only: no gains by place, no refinement.
    """
    from unflicker.plan import Plan, exports
    from unflicker.report.plan_curve import write_plan_curve

    folder = to == "cube"
    written = Written(path=output, what="the export", folder=folder)
    talk = Talk.of(given, stop=stop, reads=named("the plan", plan), writes=[written])
    opened = Plan(plan)
    if to == "csv":
        exports.write_csv(opened, output)
    elif to == "json":
        exports.write_json(opened, output)
    elif to == "png":
        write_plan_curve(opened, output)
    else:
        count = exports.write_cubes(opened, output, per=given["per"])
        talk.say(f"{count} tables; uncorrected frames have none")
    click.echo(output)
