"""The commands that list presets and devices."""

from __future__ import annotations

import click

from unflicker.cli.help import Command
from unflicker.settings import Settings, describe

_PRESETS = {
    "fast": "light and colour corrected by curves and by place",
    "standard": "fast, with a refinement of texture that flickers; the default",
    "best": "standard, with an atlas of each shot and a trained filter; needs torch",
    "paper": "the reference system as published, for comparison; needs networks that you train",
}


@click.command(cls=Command, example="unflicker presets | grep seconds")
def presets() -> None:
    """List the presets, and every setting that --set can change."""
    for name, sentence in _PRESETS.items():
        click.echo(f"{name:<10}{sentence}")
    click.echo("\nSettings (change one with --set NAME=VALUE):")
    for name, value, sentence in describe(Settings()):
        shown = "none" if value in (None, "", ()) else value
        click.echo(f"  {name} = {shown}\n      {sentence}")


@click.command(cls=Command, example="unflicker devices")
def devices() -> None:
    """List the devices that can apply grades, as --device takes them."""
    from unflicker.compute.devices import available

    found = available()
    for device in found:
        click.echo(f"{device.name:<10}{device.description}")
    if len(found) == 1:
        click.echo(
            "no GPU; NVIDIA's are used through torch: pip install 'unflicker[neural]'", err=True
        )
