"""Options that say what the films of a call are: lists, pictures, streams."""

from __future__ import annotations

from pathlib import Path

import click

from unflicker.cli.help import with_options
from unflicker.cli.options import option_in
from unflicker.cli.values import Rate

_FILE = click.Path(path_type=Path)

films_options = with_options(
    [
        option_in(
            "Input",
            "--list",
            "listed",
            type=_FILE,
            metavar="FILE",
            help="More films, a line each; - for standard input.",
        ),
        option_in("Input", "--recursive", is_flag=True, help="Also films in subfolders."),
    ]
)


stills_options = with_options(
    [
        option_in("Input", "--fps", type=Rate(), metavar="N", help="Of pictures.  [default: 24]"),
        option_in(
            "Input",
            "--order",
            type=click.Choice(["number", "name", "time"]),
            metavar="HOW",
            help="Of pictures: by number, name, or time taken.  [default: number]",
        ),
    ]
)


stream_options = with_options(
    [
        option_in(
            "Input",
            "--tag",
            "tags",
            multiple=True,
            metavar="NAME=VALUE",
            help="Of a stream: rate, fields, matrix, range, transfer, primaries.",
        ),
        option_in(
            "Input",
            "--latency-seconds",
            type=click.FloatRange(min=0.0, min_open=True),
            metavar="SECONDS",
            help="Of a stream: read it ahead no further.  [default: 95 frames]",
        ),
    ]
)
