"""The commands on data sets: build one, list one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unflicker.cli.display import shown
from unflicker.cli.help import Command
from unflicker.cli.interrupt import Stop
from unflicker.cli.messages import Talk
from unflicker.cli.options import talk_options
from unflicker.errors import UsageError
from unflicker.files.json_text import parsed
from unflicker.files.outputs import Written, named

if TYPE_CHECKING:
    from unflicker.datasets.examples import Example

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.group(
    no_args_is_help=True,
    epilog="Example: unflicker dataset build steady/ -o data/   ·   unflicker dataset list data/",
)
def dataset() -> None:
    """Build a data set of synthetic flicker from steady films, or list the examples of one."""


@dataset.command(
    cls=Command,
    short_help="Add synthetic flicker of every kind to steady films.",
    example="unflicker dataset build steady/ -o data/ --kinds bands,film,w1 --width 320",
)
@click.argument("clean", type=_FOLDER, metavar="CLEAN")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Folder of the data set; an existing one is completed.",
)
@click.option(
    "--kinds",
    default="",
    metavar="KIND,KIND",
    help="exposure, gamma, tint, local, 'local tint', bands, film, held, or the paper's w1, w3, "
    "w10; else all.",
)
@click.option(
    "--width", type=click.IntRange(min=16), default=640, show_default=True, metavar="PX",
    help="Wider films are downscaled to this.",
)  # fmt: skip
@click.option(
    "--frames", type=click.IntRange(min=1), default=48, show_default=True, metavar="N",
    help="Frames of each film, from its beginning.",
)  # fmt: skip
@click.option(
    "--strength", type=click.FloatRange(min=0.0), default=1.0, show_default=True, metavar="N",
    help="Factor on all flicker.",
)  # fmt: skip
@click.option("--names", default="", metavar="NAME,NAME", help="Only films of these names.")
@click.option(
    "--split", default="", metavar="FILE:HALF", help="Only names that a JSON file lists as HALF."
)
@talk_options
@click.pass_obj
def build(stop: Stop, clean: Path, output: Path, **given: Any) -> None:
    """Add synthetic flicker of every kind to the films of a folder, encoded losslessly.

    Ground truth is stored too. A stopped build is resumed. Prints the name of each example.
    """
    from unflicker.datasets.load import Recipe, build_dataset

    talk = Talk.of(
        given,
        stop=stop,
        reads=named("the folder", clean) + named("the split", given["split"].rpartition(":")[0]),
        writes=[
            Written(path=output / "manifest.json", what="the manifest", completes=True),
            Written(path=output / "clips", what="the folder", folder=True, completes=True),
        ],
    )
    usual = Recipe()
    recipe = Recipe(
        kinds=_listed(given["kinds"]) or usual.kinds,
        names=_listed(given["names"]) + _of_split(given["split"]),
        width_px=given["width"],
        frames=given["frames"],
        strength=given["strength"],
    )
    with shown(talk, title=str(output)) as report:
        made = build_dataset(clean, output, recipe=recipe, progress=report)
    for example in made.examples:
        click.echo(example.name)
    talk.say(f"{output}: {len(made.examples)} examples")


@dataset.command(
    "list",
    cls=Command,
    short_help="List the examples of a data set.",
    example="unflicker dataset list data/ --json | jq '.[].name'",
)
@click.argument("folder", type=_FOLDER, metavar="FOLDER")
@click.option("--json", "as_json", is_flag=True, help="As JSON, with the files of each.")
def list_examples(folder: Path, as_json: bool) -> None:  # noqa: FBT001 - click passes it by name
    """List the examples of a data set: ours, or one in a layout of docs/data-set.md."""
    from unflicker.datasets.load import read_dataset

    found = read_dataset(folder)
    if as_json:
        rows = [_described(example) for example in found.examples]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    width = max(len(example.name) for example in found.examples) + 2
    click.echo(f"{'name':<{width}}{'category':<14}{'kind':<26}steady")
    for example in found.examples:
        known = "truth" if example.truth else "original" if example.original else "none"
        click.echo(f"{example.name:<{width}}{example.category:<14}{example.kind:<26}{known}")


def _described(example: Example) -> dict[str, str | None]:
    files = {
        name: None if path is None else str(path)
        for name, path in (
            ("video", example.video),
            ("truth", example.truth),
            ("original", example.original),
        )
    }
    words = {"name": example.name, "clip": example.clip, "category": example.category}
    return words | {"kind": example.kind} | files


def _listed(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _of_split(text: str) -> tuple[str, ...]:
    """The names of clips in FILE:HALF; none for an empty text.

    Raises:
        UsageError: The file cannot be read, or has no such half.
    """
    if not text:
        return ()
    file, _, half = text.rpartition(":")
    try:
        halves = parsed(Path(file).read_text(encoding="utf-8"))
        return tuple(str(name) for name in halves[half])
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise UsageError(
            f"--split {text} cannot be read: {fault!r}; pass FILE.json:HALF, where the file holds "
            '{"HALF": ["name", …]}'
        ) from fault
