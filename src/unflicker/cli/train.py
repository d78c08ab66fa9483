"""The command that trains networks: train."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from unflicker.cli.display import shown
from unflicker.cli.help import Command
from unflicker.cli.interrupt import Stop
from unflicker.cli.messages import Talk
from unflicker.cli.options import talk_options
from unflicker.cli.values import Device
from unflicker.files.outputs import Written, named
from unflicker.training.networks import NETWORKS, trainer

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


def _usual(what: str) -> str:
    """The default of each network, for help."""
    return ", ".join(f"{name} {getattr(spec, what):,}" for name, spec in NETWORKS.items())


@click.command(
    cls=Command, example="unflicker train neural-filter --data photos/ --data steady/ -o training/"
)
@click.argument("network", type=click.Choice(tuple(NETWORKS)))
@click.option(
    "--data",
    required=True,
    multiple=True,
    type=_FOLDER,
    metavar="FOLDER",
    help="Photographs and steady films; repeatable. Folders named val and test are not trained on.",
)
@click.option(
    "-o",
    "--out",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Folder of weights, log, plot and pictures; a training in it is resumed.",
)
@click.option("--steps", type=click.IntRange(min=1), help=f"{_usual('steps')}.")
@click.option("--batch", type=click.IntRange(min=1), help=f"{_usual('batch')}.")
@click.option(
    "--panned",
    type=click.IntRange(min=0),
    default=240,
    show_default=True,
    help="Of neural-filter: Ken Burns clips to make from the photographs.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0.0, min_open=True),
    help="Of the paper's networks: learning rate with cosine decay; theirs is constant.",
)
@click.option(
    "--crop",
    type=click.IntRange(min=16),
    help="Of the paper's networks: width and height of training crops, in px.",
)
@click.option(
    "--begin-with",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Of the paper's networks: initial weights, of an earlier training.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all random numbers.")
@click.option("--device", type=Device(), default="cpu", metavar="NAME", help="cpu or cuda:0.")
@click.option(
    "--leave-out",
    default="",
    metavar="NAME,NAME",
    help="Files not to use, by name without suffix.",
)
@talk_options
@click.pass_obj
def train(stop: Stop, network: str, out: Path, **given: Any) -> None:
    """Train a network; a second call with the same folder resumes a stopped training."""
    from unflicker import report
    from unflicker.compute.devices import chosen
    from unflicker.compute.weights import need_neural

    need_neural()
    from unflicker.training.loop import Training

    begin = given["begin_with"]
    talk = Talk.of(
        given,
        stop=stop,
        reads=[*named("the data", *given["data"]), *named("the weights", begin)],
        writes=_written(network, out),
    )
    spec = NETWORKS[network]
    training = Training(
        data=given["data"],
        out=out,
        steps=given["steps"] or spec.steps,
        batch=given["batch"] or spec.batch,
        panned=given["panned"],
        seed=given["seed"],
        rate=given["rate"],
        crop_px=given["crop"],
        begin_with=begin,
        device=chosen(given["device"]),
        leave_out=frozenset(name for name in given["leave_out"].split(",") if name),
    )
    with shown(talk, title=network) as tell:
        weights = trainer(network)(
            training,
            progress=tell,
            resumes=lambda step: talk.say(f"resumes {out} at step {step}"),
        )
    report.write_training(out / "log.jsonl", out / "training.png")
    click.echo(weights)


def _written(network: str, out: Path) -> list[Written]:
    """The files that a training writes; they may exist if it is resumed."""
    weights = f"{network.replace('-', '_')}.safetensors"
    names = (weights, "training.png", "validation.png", "log.jsonl", "recipe.json", "split.json")
    return [Written(path=out / name, what="the file", completes=True) for name in names]
