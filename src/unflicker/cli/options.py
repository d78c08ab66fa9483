"""Options that commands share, and their conversion to settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from unflicker.cli.help import Option, with_options
from unflicker.cli.values import (
    Device,
    Place,
    Seconds,
    changed_settings,
    cleaning,
    pairs,
    stabilising,
)
from unflicker.errors import UsageError
from unflicker.settings import (
    FLASHES,
    PRESETS,
    STAGES,
    Settings,
    replaced,
    usual_settings,
    without,
)

_DEFAULTS = Settings()
_FILE = click.Path(path_type=Path)


def option_in(section: str, *names: str, **kwargs: Any) -> Any:
    """An option in a section of the help text.

    Args:
        section: Its title.
        names: Of the option.
        kwargs: As for `click.option`.
    """
    return click.option(*names, cls=Option, section=section, **kwargs)


def after_defaults(ctx: click.Context, param: click.Parameter, value: Any) -> Any:
    """Pairs of the command line after those of files, so that the last of one name holds.

    Args:
        ctx: Of the command.
        param: An option that may come several times.
        value: Of the command line, or of files.
    """
    name = param.name or ""
    if ctx.get_parameter_source(name) != ParameterSource.COMMANDLINE:
        return value
    return (*(ctx.default_map or {}).get(name, ()), *value)


overwrite_option = option_in(
    "Output", "--overwrite", is_flag=True, help="Replace files that are already there."
)

required_output = option_in(
    "Output", "-o", "--output", required=True, type=_FILE, metavar="FILE", help="The new film."
)

range_options = with_options(
    [
        option_in("Input", "--start", type=Seconds(), default=0.0, help="Start time (90 or 1:30)."),
        option_in("Input", "--duration", type=Seconds(), help="Length; else to the end."),
    ]
)


def preset_option(default: str) -> Any:
    """The option for the preset; `default` is its default in words."""
    return option_in(
        "Correction",
        "--preset",
        type=click.Choice(list(PRESETS)),
        metavar="NAME",
        help=f"{', '.join(PRESETS)}; see `presets`.  [default: {default}]",
    )


strict_option = option_in(
    "Correction",
    "--strict",
    is_flag=True,
    help="Stop at a damaged frame, or where something would be lost.",
)

threads_option = option_in(
    "Machine",
    "--threads",
    type=click.IntRange(min=0),
    metavar="N",
    help="Threads, besides the encoder's four; 0 for one a core.",
)

_CORRECTION = (
    option_in(
        "Correction",
        "--strength",
        type=click.FloatRange(0.0, 1.0),
        metavar="0..1",
        help=f"Share of the flicker to remove.  [default: {_DEFAULTS.strength:g}]",
    ),
    option_in(
        "Correction",
        "--keep-slower-than",
        type=click.FloatRange(min=0.0, min_open=True),
        metavar="SECONDS",
        help="Light changes that take longer are kept.  "
        f"[default: {_DEFAULTS.keep_slower_than_seconds:g}]",
    ),
    option_in(
        "Correction",
        "--flashes",
        type=click.Choice(FLASHES),
        metavar="WHAT",
        help=f"keep flashes and lightning, or repair them.  [default: {_DEFAULTS.tone.flashes}]",
    ),
    option_in(
        "Correction",
        "--set",
        "changes",
        multiple=True,
        callback=after_defaults,
        metavar="NAME=VALUE",
        help="Any setting that `unflicker presets` lists; repeatable.",
    ),
    option_in(
        "Correction",
        "--without",
        metavar="STAGE,STAGE",
        help=f"Switch off: {', '.join(STAGES)}.",
    ),
    strict_option,
    option_in(
        "Machine", "--device", type=Device(), metavar="NAME", help="auto, cpu, cuda or cuda:0."
    ),
    threads_option,
)
think_options = with_options([preset_option("standard"), *_CORRECTION])
atlas_options = with_options([preset_option("fast"), *_CORRECTION])

original_option = option_in(
    "Correction",
    "--original",
    "--guide",  # the old name
    "original",
    type=_FILE,
    metavar="FILE",
    help="The steady original of a film that was processed frame by frame.",
)

clean_option = option_in(
    "Correction",
    "--clean",
    metavar="WHAT[:DEGREE]",
    help="Also repair old film: dirt, scratches, hairs, frames; light or strong.",
)

stabilise_option = option_in(
    "Correction",
    "--stabilise",
    metavar="WHAT",
    help="Also remove gate weave of film: gate; slow pans are kept.",
)

lock_option = option_in(
    "Correction",
    "--lock-exposure",
    is_flag=True,
    help="Also remove slow drift of automatic exposure and white balance.",
)

encode_options = with_options(
    [
        option_in(
            "Encoding",
            "--codec",
            metavar="NAME",
            help="Encoder by FFmpeg's name; else as the source.",
        ),
        option_in("Encoding", "--crf", type=float, metavar="N", help="Quality, lower is better."),
        option_in(
            "Encoding",
            "--pix-fmt",
            metavar="NAME",
            help="Pixel format by FFmpeg's name; else as the source.",
        ),
        option_in(
            "Encoding",
            "-e",
            "encoder_options",
            multiple=True,
            callback=after_defaults,
            metavar="KEY=VALUE",
            help="Anything else for the encoder; repeatable.",
        ),
    ]
)

write_options = with_options(
    [
        option_in(
            "Output",
            "-o",
            "--output",
            type=Place(),
            metavar="PATH",
            help="A file, or a folder (no suffix or a slash at its end); - pipes y4m.",
        ),
        overwrite_option,
        option_in(
            "Output", "--skip-existing", is_flag=True, help="Skip films that have a whole result."
        ),
        option_in(
            "Output",
            "--report",
            type=Place(),
            metavar="FILE",
            help="Also write a page about the run, or JSON; of films an index.",
        ),
        option_in(
            "Output",
            "--sheet",
            type=Place(),
            metavar="FILE.png",
            help="Also write a before/after picture.",
        ),
        option_in(
            "Output",
            "--checksums",
            is_flag=True,
            help="Also write SHA-256 of both files, and MD5 of each frame.",
        ),
        option_in(
            "Output", "--events", is_flag=True, help="Also write what was done, as PREMIS in JSON."
        ),
        option_in(
            "Output", "--xmp", is_flag=True, help="Of pictures: write exposures as XMP alone."
        ),
        option_in("Output", "--dry-run", is_flag=True, help="List the outputs, and stop."),
        option_in(
            "Output",
            "--work-dir",
            type=_FILE,
            metavar="FOLDER",
            help="Folder for finished parts of an unfinished result; else its own.",
        ),
        option_in("Output", "--keep-work", is_flag=True, help="Keep these parts when it is done."),
        option_in(
            "Machine",
            "-j",
            "--jobs",
            type=click.IntRange(min=1),
            metavar="N",
            help="Processes that share the work; else by cores and memory.",
        ),
        option_in(
            "Machine",
            "--cluster",
            default="",
            metavar="ADDRESS",
            help="Ray cluster whose machines share the work (ray://…), or local.",
        ),
        option_in(
            "Correction",
            "--mask",
            type=_FILE,
            metavar="FILE",
            help="A picture: white is corrected, black kept.",
        ),
        option_in(
            "Correction",
            "--shot",
            "shots",
            multiple=True,
            metavar="N=STRENGTH",
            help="Strength of one shot, 0 (or off) to 1; N as in the report.",
        ),
    ]
)

talk_options = with_options(
    [
        option_in("Messages", "-v", "--verbose", count=True, help="More messages; twice for all."),
        option_in("Messages", "-q", "--quiet", is_flag=True, help="Errors only."),
        option_in(
            "Messages",
            "--log-file",
            type=_FILE,
            metavar="FILE",
            help="Also write all messages to a file.",
        ),
        option_in(
            "Messages",
            "--progress",
            type=click.Choice(["auto", "bar", "json", "none"]),
            default="auto",
            metavar="HOW",
            help="auto, bar, json or none: how to show progress on stderr.",
        ),
    ]
)

PRESET_VARIABLE = "UNFLICKER_PRESET"
"""The environment variable that names the default preset."""
_FLAGS = {
    "strength": "strength",
    "keep_slower_than": "keep_slower_than_seconds",
    "flashes": "tone.flashes",
    "device": "device",
    "threads": "threads",
    "codec": "encoding.codec",
    "crf": "encoding.crf",
    "pix_fmt": "encoding.pix_fmt",
}


def named_by_environment() -> str:
    """The preset that the environment names; empty if it names none.

    Raises:
        UsageError: No preset has that name.
    """
    named = os.environ.get(PRESET_VARIABLE, "")
    if named and named not in PRESETS:
        raise UsageError(
            f"{PRESET_VARIABLE} is {named}; pass one of {', '.join(PRESETS)}, or unset it"
        )
    return named


def settings_from(given: dict[str, Any], *, preset: str = "") -> Settings:
    """The settings for the options of a command; a flag takes precedence over `--set`.

    Args:
        given: Values of the options, by name.
        preset: The command's own default; empty for the usual one.

    Raises:
        UsageError: A setting does not exist, or its value is out of range.
    """
    named = given.get("preset") or preset or named_by_environment()
    settings = Settings.from_preset(named) if named else usual_settings()
    settings = changed_settings(given.get("changes", ()), settings)
    left_out = (given.get("without") or "").split(",")
    settings = without(settings, [stage.strip() for stage in left_out if stage.strip()])
    flags = {name: given[flag] for flag, name in _FLAGS.items() if given.get(flag) is not None}
    if given.get("strict"):
        flags["strict"] = True
    if given.get("lock_exposure"):
        flags["tone.lock_exposure"] = True
    if given.get("clean"):
        flags |= cleaning(given["clean"])
    if given.get("stabilise"):
        flags |= stabilising(given["stabilise"])
    if given.get("encoder_options"):
        flags["encoding.options"] = pairs(given["encoder_options"], flag="-e")
    return replaced(settings, flags)


def serving_options(*, port: int, opens: bool) -> list[Callable[[Any], Any]]:
    """Options of commands that serve pages: `--host`, `--port`, `--open`.

    Args:
        port: The usual one.
        opens: Whether the page is opened in a browser by default.
    """
    return [
        click.option(
            "--host",
            default="127.0.0.1",
            show_default=True,
            help="Who has access: 127.0.0.1 this machine only, 0.0.0.0 the whole network.",
        ),
        click.option(
            "--port",
            type=click.IntRange(0, 65535),
            default=port,
            show_default=True,
            help="0 for any free one.",
        ),
        click.option(
            "--open/--no-open", "opens", default=opens, help="Open the page in a browser."
        ),
    ]
