"""The program, its commands and its exit codes.

Commands are loaded when they are called, so that `unflicker --help` starts fast.
"""

from __future__ import annotations

import contextlib
import difflib
import errno
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem, FishComplete, add_completion_class

from unflicker.cli.deadline import Deadline
from unflicker.cli.interrupt import STOPPED, Stop, stopping_cleanly
from unflicker.cli.messages import (
    asks_for_json,
    close_logging,
    complain,
    notes_of,
    say_line,
    speak,
    tell_programs,
)
from unflicker.cli.process import (
    do_without_a_home,
    end_without_teardown,
    give_back_large_blocks,
    hush_opencv,
    open_closed_streams,
    sleep_while_waiting,
)
from unflicker.cli.stray import catch_stray_lines, stray_lines
from unflicker.errors import Cancelled, DeviceMemoryError, OutputError, UnflickerError, UsageError

_COMMANDS = {
    "run": ("run", "Remove flicker from films (the default)."),
    "analyze": ("analyze", "Measure the kind and strength of a film's flicker, as JSON."),
    "apply": ("run", "Correct a film with the plan that analyze saved."),
    "export": (
        "export",
        "Write a plan for other programs: tables, keyframes, look-up tables, a plot.",
    ),
    "atlas": ("atlas", "Write one steady picture of each shot; map drawings back to the film."),
    "studio": ("studio", "See, compare and steady films in a browser."),
    "compare": ("compare", "Write two films into one, side by side or split."),
    "synthesise": ("synthesise", "Add synthetic flicker to a steady film."),
    "metrics": ("analyze", "Measure a result, as JSON."),
    "evaluate": ("evaluate", "Compare methods on many videos: quality, time, memory."),
    "train": ("train", "Train the networks on photographs and steady films."),
    "dataset": ("dataset", "Build or list a data set of flickering films."),
    "report": ("report", "Write tables and web pages from the scores of evaluate."),
    "study": ("study", "Run a user study: which of two results do people prefer?"),
    "presets": ("about", "List presets and settings."),
    "devices": ("about", "List devices."),
}
_DISK_TROUBLE = (errno.ENOSPC, errno.EFBIG, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.EPERM)
_NO_PLACE = (errno.ENAMETOOLONG, errno.ELOOP)
_NO_MEMORY = (
    "failed to map segment",
    "annot allocate memory",
    "Insufficient memory",
    "can't start new thread",
    "unable to mmap",
)
"""What libraries say in exceptions of other kinds, where memory or its addresses end."""
_log = logging.getLogger(__name__)


class Commands(click.Group):
    """The commands by name; a call that names none is a `run`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order of the help text."""
        del ctx
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one command."""
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        return getattr(import_module(f"unflicker.cli.{_COMMANDS[cmd_name][0]}"), cmd_name)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `run` before arguments that name no command."""
        if args and args[0] not in _COMMANDS and args[0] not in ("-h", "--help", "-V", "--version"):
            if not args[0].startswith("-"):
                _refuse_misspelt(args[0])
            args = ["run", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; Ctrl-C is an error of ours, for which click writes no empty line."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stopped:
            raise Cancelled("stopped") from stopped

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Complete commands, and what may follow `run`: its options and files.

        Args:
            ctx: Of the program.
            incomplete: What is written so far.
        """
        found = super().shell_complete(ctx, incomplete)
        if not incomplete.startswith("-"):
            # First, because bash forgets what came before it.
            return [CompletionItem(incomplete, type="file"), *found]
        run = self.get_command(ctx, "run")
        assert run is not None
        return [*found, *run.shell_complete(click.Context(run, parent=ctx), incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, without loading them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in _COMMANDS.items()])


@add_completion_class
class _Fish(FishComplete):
    """Completion in fish, whose script ends an explanation at its first comma."""

    def format_completion(self, item: CompletionItem) -> str:
        """Write an item as the script reads it."""
        if item.help:
            item.help = item.help.replace(",", ";")
        return super().format_completion(item)


def _refuse_misspelt(word: str) -> None:
    """Refuse a first word that looks like a misspelt command and is not the name of a film."""
    near = difflib.get_close_matches(word, _COMMANDS, n=1, cutoff=0.7)
    if near and not Path(word).exists():
        raise UsageError(f"no command and no film is named {word}; did you mean {near[0]}?")


def _show_version(ctx: click.Context, _: click.Parameter, wanted: Any) -> None:
    if wanted:
        from unflicker import __version__

        click.echo(f"unflicker {__version__}")
        ctx.exit()


@click.group(
    cls=Commands,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: unflicker film.mp4 -o steady/   ·   Options: unflicker COMMAND --help.",
)
@click.option(
    "-V",
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def program() -> None:
    """Remove flicker from any video: unflicker film.mp4 writes film_unflickered.mp4."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and exit with its code; if it was stopped, at once or ten seconds later."""
    open_closed_streams()
    end_at_once = end_without_teardown()
    deadline = Deadline()
    give_back_large_blocks()
    sleep_while_waiting()
    do_without_a_home()
    hush_opencv()
    given = sys.argv[1:] if arguments is None else arguments
    if asks_for_json(given):
        catch_stray_lines()
    code = exit_code(given, deadline=deadline)
    if code in STOPPED:
        end_at_once(code)
    sys.exit(code)


def exit_code(arguments: Sequence[str], *, deadline: Deadline | None = None) -> int:
    """Run the program and return its exit code (see `errors`).

    Args:
        arguments: Of the command line.
        deadline: Ends the process if it does not end after a signal.
    """
    close_logging()
    speak(json_lines=asks_for_json(arguments))
    code = _called(arguments, deadline)
    with contextlib.suppress(OSError):
        for line in stray_lines():
            say_line(line, event="log")
        tell_programs("end", exit_code=code)
    speak(json_lines=False)
    return code


def _called(arguments: Sequence[str], deadline: Deadline | None) -> int:
    with stopping_cleanly(deadline) as stop:
        try:
            result = program.main(list(arguments), standalone_mode=False, obj=stop)
            code = result if isinstance(result, int) else 0
            # A signal that came after the last of the work, too, ends a loop of a shell.
            return stop.exit_code if stop.is_set() else code
        except click.ClickException as error:
            if asks_for_json(arguments):
                complain(error.format_message())
            else:
                error.show()
            return error.exit_code
        except (Cancelled, KeyboardInterrupt, click.Abort) as stopped:
            return _stopped(stopped, stop)
        except Exception as error:
            if stop.is_set():  # a library made another exception of the signal's
                return _stopped(error, stop)
            code = _failed(error)
            for note in notes_of(error):
                complain(note)
            return code
        finally:
            close_logging()


def _stopped(error: BaseException, stop: Stop) -> int:
    """Say that the user stopped the work, and return the exit code."""
    kept = notes_of(error)
    again = "" if kept else "; run the same command to restart"
    complain("; ".join([f"stopped; no partly written file is left{again}", *kept]))
    return stop.exit_code


def _failed(error: Exception) -> int:
    """Write the error message, and return the exit code."""
    if isinstance(error, UnflickerError):
        complain(str(error))
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        # The reader of our output has ended; buffered output must not be flushed to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    if isinstance(error, OSError) and error.errno in _DISK_TROUBLE:
        complain(f"cannot write {error.filename or 'the output'}: {error.strerror}; free it first")
        return OutputError.exit_code
    if _is_lack_of_memory(error):
        complain("there is not enough memory; free some, raise its limit, or pass --jobs 1")
        return DeviceMemoryError.exit_code
    if isinstance(error, OSError) and error.errno in _NO_PLACE:
        complain(f"{error.filename} is no usable path: {error.strerror}; name another one")
        return UsageError.exit_code
    _log.exception("unexpected")
    kind = type(error).__name__
    complain(f"internal error, {kind}: {error}; please report it with the output of -vv")
    return 1


def _is_lack_of_memory(error: BaseException | None) -> bool:
    """Whether an exception, or one that it came from, says that memory or its addresses end."""
    while error is not None:
        if isinstance(error, MemoryError) or any(words in str(error) for words in _NO_MEMORY):
            return True
        error = error.__cause__ or error.__context__
    return False
