"""The commands that say what there is: presets and devices."""

from __future__ import annotations

from importlib import import_module

import click

from unflicker.cli.help import Command
from unflicker.settings import Settings, describe

_PRESETS = {
    "fast": "light and colour corrected by curves and by place; the default",
    "standard": "not built yet",
    "best": "not built yet",
    "paper": "not built yet",
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
    import os

    click.echo(f"cpu       {os.cpu_count()} cores")
    try:
        torch = import_module("torch")
    except Exception as error:  # a torch that is there but broken is as good as none
        click.echo(f"cuda      none: torch cannot be loaded ({error})", err=True)
        click.echo("          to use a GPU: pip install 'unflicker[neural]'", err=True)
        return
    for index in range(torch.cuda.device_count()):
        click.echo(f"cuda:{index:<5}{torch.cuda.get_device_name(index)}")
