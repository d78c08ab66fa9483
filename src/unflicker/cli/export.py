"""The command that writes a plan for other programs: export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from unflicker.cli.help import Command, Option
from unflicker.cli.interrupt import Stop
from unflicker.cli.messages import Talk
from unflicker.cli.options import overwrite_option, talk_options
from unflicker.errors import UsageError
from unflicker.files.outputs import Written, named

if TYPE_CHECKING:
    from unflicker.plan import Plan

_FORMATS = ("csv", "json", "cube", "png", "nuke", "ae", "ffmpeg")
_FOLDERS = ("cube", "ffmpeg")


@click.command(cls=Command, example="unflicker export film.plan --to csv -o film.csv")
@click.argument("plan", metavar="PLAN", type=click.Path(path_type=Path))
@click.option(
    "--to",
    cls=Option,
    section="Output",
    required=True,
    type=click.Choice(_FORMATS),
    metavar="FORMAT",
    help="csv, json: gains and levels of each frame; cube: look-up tables; png: a plot; nuke, ae "
    "(After Effects): keyframes; ffmpeg: commands for its filters.",
)
@click.option(
    "-o",
    "--output",
    cls=Option,
    section="Output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The file; for cube and ffmpeg a folder.",
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
@click.option(
    "--strength",
    cls=Option,
    section="Output",
    type=click.FloatRange(0.0, 1.0),
    default=1.0,
    metavar="0..1",
    help="Share of the correction, as for `apply`.",
)
@overwrite_option
@talk_options
@click.pass_obj
def export(stop: Stop, plan: Path, to: str, output: Path, **given: Any) -> None:
    """Write a plan, from analyze --plan, for other programs.

    All but csv, json and png hold the correction of the whole picture only: no gains by place, no
    refinement. What a film loses by that is said.
    """
    from unflicker.plan import Plan

    written = Written(path=output, what="the export", folder=to in _FOLDERS)
    talk = Talk.of(given, stop=stop, reads=named("the plan", plan), writes=[written])
    if to == "png" and given["strength"] != 1.0:
        raise UsageError("a plot shows the full strength; leave --strength away")
    opened = Plan(plan)
    note = _write(opened, output, to=to, per=given["per"], strength=given["strength"])
    if note:
        talk.say(note)
    click.echo(output)


def _write(
    plan: Plan, output: Path, *, to: str, per: Literal["frame", "shot"], strength: float
) -> str:
    """Write the export; returns a message for the user."""
    from unflicker.plan import exports, keyframes
    from unflicker.report.plan_curve import write_plan_curve

    if to == "cube":
        count = exports.write_cubes(plan, output, per=per, strength=strength)
        return f"{count} tables; uncorrected frames have none"
    if to == "png":
        write_plan_curve(plan, output)
        return ""
    if to in ("csv", "json"):
        {"csv": exports.write_csv, "json": exports.write_json}[to](plan, output, strength=strength)
        return ""
    says = []
    if to == "ffmpeg":
        filters = keyframes.write_ffmpeg(plan, output, strength=strength)
        says.append(f"in {output}: ffmpeg -i FILM -vf {filters} RESULT")
    else:
        write = {"nuke": keyframes.write_nuke, "ae": keyframes.write_after_effects}[to]
        write(plan, output, strength=strength)
    lost = keyframes.lost_in_export(plan, keeps_tones=to == "ffmpeg")
    says.append(f"left out: {lost}" if lost else "the gain of the whole picture is all of the plan")
    return "\n".join(says)
