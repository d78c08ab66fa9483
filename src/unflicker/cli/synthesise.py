"""The command that adds synthetic flicker: synthesise."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import click

from unflicker.cli.help import Command
from unflicker.cli.interrupt import Stop
from unflicker.cli.messages import Talk
from unflicker.cli.options import (
    encode_options,
    overwrite_option,
    range_options,
    required_output,
    talk_options,
)
from unflicker.cli.values import Place
from unflicker.cli.writing import write_film
from unflicker.files.outputs import Written, named


@click.command(
    cls=Command, example="unflicker synthesise steady.mp4 --kind bands --seed 3 -o bands.mp4"
)
@click.argument("film", type=Place(), metavar="FILM")
@click.option(
    "--kind",
    required=True,
    help="exposure, gamma, tint, saturation, hue, local, bands, film, held, lamps, drift ...",
)
@click.option("--seed", type=int, default=0, help="Seed of the random flicker.")
@click.option(
    "--strength", type=click.FloatRange(min=0.0), default=1.0, metavar="N", help="1 is strong."
)
@required_output
@overwrite_option
@range_options
@encode_options
@talk_options
@click.pass_obj
def synthesise(stop: Stop, film: str, output: Path, **given: Any) -> None:
    """Add synthetic flicker to a steady film; the selected part is held in memory."""
    import numpy as np

    from unflicker.frames.clip import Clip, from_float, to_float
    from unflicker.frames.colour import from_rgb, to_rgb
    from unflicker.synthesis import SIMULATED_KINDS, simulated
    from unflicker.synthesis import synthesise as add_flicker
    from unflicker.video import is_picture_folder, open_video

    folder = is_picture_folder(output, source=Path(film))
    writes = [Written(path=output, what="the new film", folder=folder)]
    talk = Talk.of(given, stop=stop, reads=named("the film", film), writes=writes)
    source = open_video(film, start_seconds=given["start"], duration_seconds=given["duration"])
    frames = [(frame.seconds, to_rgb(frame.picture)) for frame in source.frames()]
    sample = np.uint8 if source.layout.depth == 8 else np.uint16
    pixels = np.stack([from_float(rgb, dtype=sample) for _, rgb in frames])
    clip = Clip(pixels=pixels, seconds=np.array([seconds for seconds, _ in frames]))
    make = simulated if given["kind"] in SIMULATED_KINDS else add_flicker
    made = make(clip, kind=given["kind"], seed=given["seed"], strength=given.pop("strength"))
    flickering = (
        dataclasses.replace(
            frame,
            picture=from_rgb(to_float(rgb), layout=source.layout, meaning=source.meaning),
        )
        for frame, rgb in zip(source.frames(), made.clip.pixels, strict=True)
    )
    write_film(source, flickering, target=output, given=given, talk=talk)
    click.echo(output)
