"""Help texts with options in sections and an example at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

_SECTIONS = ("Options", "Input", "Output", "Correction", "Machine", "Encoding", "Messages")


class Option(click.Option):
    """An option with its section of the help text."""

    def __init__(self, *args: Any, section: str = "Options", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class Command(click.Command):
    """A command whose help lists options by section and ends with an example."""

    def __init__(self, *args: Any, example: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.example = example

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write one block for each section, in the order of `_SECTIONS`."""
        sections: dict[str, list[tuple[str, str]]] = {name: [] for name in _SECTIONS}
        for parameter in self.get_params(ctx):
            line = parameter.get_help_record(ctx)
            if line is not None and not isinstance(parameter, click.Argument):
                usual = "Messages" if "--help" in parameter.opts else "Options"
                sections[getattr(parameter, "section", usual)].append(line)
        for name in [name for name, lines in sections.items() if lines]:
            with formatter.section(name):
                formatter.write_dl(sections[name], col_max=28)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example."""
        del ctx
        formatter.write_paragraph()
        formatter.write(f"Example: {self.example}\n")


def with_options(options: list[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    """Several options as one decorator, listed in help in the order given."""

    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate
