"""The manual page, made from the help of all commands: `python -m unflicker.cli.manual`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import click

from unflicker.cli.config import KEYS
from unflicker.cli.help import Command
from unflicker.cli.main import program
from unflicker.errors import UnflickerError

_FILES = (
    (
        "./unflicker.toml",
        "Defaults of options for films that are steadied from this folder. Keys are "
        f"{', '.join(sorted(KEYS))}; tables are set (as --set) and encoder (as -e).",
    ),
    ("~/.config/unflicker/unflicker.toml", "Defaults of options of the user (XDG_CONFIG_HOME)."),
)
_STOPPED = 128
"""Exit codes of stopped programs begin here."""
_ENVIRONMENT = (
    ("UNFLICKER_PRESET", "The default preset; takes precedence over files."),
    ("NO_COLOR", "No colours in messages."),
    ("XDG_CONFIG_HOME", "Folder of the user's configuration; else ~/.config."),
    ("XDG_CACHE_HOME", "Folder of compiled code and measured motion; else ~/.cache."),
    ("XDG_DATA_HOME", "Folder of the studio's decisions; else ~/.local/share."),
    ("NUMBA_CACHE_DIR", "Folder of compiled code; takes precedence over all others."),
)


def manual() -> str:
    """The page in the language of man(7)."""
    with click.Context(program, info_name="unflicker", **program.context_settings) as ctx:
        lines = list(_page(ctx))
    return "\n".join(lines) + "\n"


def _page(ctx: click.Context) -> Iterator[str]:
    yield '.TH UNFLICKER 1 "" "unflicker" "User commands"'
    yield ".SH NAME"
    yield "unflicker \\- remove flicker from any video"
    yield ".SH SYNOPSIS"
    yield "\\fBunflicker\\fR [\\fICOMMAND\\fR] [\\fIOPTION\\fR]... \\fIFILM\\fR..."
    yield ".SH DESCRIPTION"
    yield from _prose(program.help or "")
    yield "Without a command, \\fBrun\\fR is meant."
    yield ".SH OPTIONS"
    yield from _options(program, ctx)
    yield ".SH COMMANDS"
    for name in program.list_commands(ctx):
        yield from _command(program, name, ctx)
    for title, entries in (("FILES", _FILES), ("ENVIRONMENT", _ENVIRONMENT)):
        yield f".SH {title}"
        for name, text in entries:
            yield from (".TP", f"\\fB{_escaped(name)}\\fR", _escaped(text))
    yield ".SH EXIT STATUS"
    yield from (".TP", "\\fB0\\fR", "Success.")
    for code, text in sorted(_exit_codes().items()):
        yield from (".TP", f"\\fB{code}\\fR", _escaped(text))
    yield from (".TP", "\\fB130, 143\\fR", "Stopped by Ctrl\\-C, by SIGTERM; resumable.")


def _command(group: click.Group, name: str, ctx: click.Context) -> Iterator[str]:
    """A command, and those that it has itself."""
    command = group.get_command(ctx, name)
    assert command is not None
    with click.Context(command, info_name=name, parent=ctx) as inner:
        arguments = [p for p in command.params if isinstance(p, click.Argument)]
        usage = " ".join(argument.make_metavar(inner) for argument in arguments)
        yield f".SS {inner.command_path} [OPTIONS] {_escaped(usage)}".rstrip()
        yield from _prose(command.help or "")
        yield from _options(command, inner)
        if isinstance(command, click.Group):
            for one in command.list_commands(inner):
                yield from _command(command, one, inner)
    if isinstance(command, Command):
        yield from (".PP", "Example:", ".PP", ".nf", f"  {_escaped(command.example)}", ".fi")


def _options(command: click.Command, ctx: click.Context) -> Iterator[str]:
    for parameter in command.params:
        found = parameter.get_help_record(ctx)
        if found is not None and not isinstance(parameter, click.Argument):
            option, text = found
            yield from (".TP", f"\\fB{_escaped(option)}\\fR", _escaped(text))


def _prose(text: str) -> Iterator[str]:
    for paragraph in text.strip().split("\n\n"):
        yield ".PP"
        yield _escaped(" ".join(paragraph.split()))


def _exit_codes() -> dict[int, str]:
    """What each exit code means, by the first lines of the errors' descriptions."""
    kinds = [UnflickerError, *UnflickerError.__subclasses__()]
    found = {kind.exit_code: (kind.__doc__ or "").strip().split("\n")[0] for kind in kinds}
    found[UnflickerError.exit_code] = "An internal error; please report it."
    return {code: text for code, text in found.items() if code < _STOPPED}


def _escaped(text: str) -> str:
    """Text in which no letter has a meaning for the formatter."""
    plain = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", plain)


if __name__ == "__main__":
    sys.stdout.write(manual())
