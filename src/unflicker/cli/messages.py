"""Output of the command line: messages on stderr, data on stdout."""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile
from pathlib import Path
from typing import Any

import click

from unflicker.cli.interrupt import Stop
from unflicker.compute.announcing import when_compiling
from unflicker.errors import OutputError
from unflicker.files.outputs import Read, Written, refuse_loss

_COMPILING = "compiling inner loops, once after installation: some seconds, up to half a minute"
_AS_JSON = [False]
"""Whether every line on stderr is one JSON object, as `--progress json` asks for."""
_ONLY_FILM: list[str | None] = [None]
"""The film of a call that has one, for its errors."""
_SHOW_WARNING, _LAST_RESORT = warnings.showwarning, logging.lastResort
"""How Python shows warnings, and messages of libraries that have no handler."""


def speak(*, json_lines: bool) -> None:
    """Write messages as JSON from now on, or as text; those of Python and of libraries, too."""
    _AS_JSON[0] = json_lines
    _ONLY_FILM[0] = None
    warnings.showwarning = _warned if json_lines else _SHOW_WARNING
    logging.lastResort = _ToStderr(logging.WARNING) if json_lines else _LAST_RESORT


def asks_for_json(arguments: Sequence[str]) -> bool:
    """Whether a call wants JSON on stderr: known before its options are read, which may fail."""
    options = list(takewhile(lambda each: each != "--", arguments))
    asked = [value for name, value in pairwise(options) if name == "--progress"]
    asked += [each.partition("=")[2] for each in options if each.startswith("--progress=")]
    return "json" in asked


def tell_programs(event: str, **facts: Any) -> None:
    """Write an event without a sentence to stderr, in a call that wants JSON.

    Args:
        event: Its kind.
        facts: Numbers, texts and lists.
    """
    if _AS_JSON[0]:
        click.echo(json.dumps({"event": event, **facts}), err=True)


def tell_batch(films: Sequence[tuple[str, str | None]]) -> None:
    """Tell programs that work on films begins; errors name the film from now on if it is one.

    Args:
        films: The name of each, and of its result; None where no result is written.
    """
    _ONLY_FILM[0] = films[0][0] if len(films) == 1 else None
    tell_programs("batch", films=[{"film": film, "output": output} for film, output in films])


def say_line(text: str, *, event: str, film: str | None = None) -> None:
    """Write a message to stderr: a line of text, or an object of JSON in a call that wants those.

    Args:
        text: For people.
        event: For programs: note, message, error or log.
        film: The film that it is about, for programs.
    """
    if not _AS_JSON[0]:
        click.echo(printable(text), err=True)
        return
    about = {} if film is None else {"film": film}
    click.echo(json.dumps({"event": event, **about, "text": text}), err=True)


def _warned(message: Any, category: type[Warning], *_: Any, **__: Any) -> None:
    say_line(f"{category.__name__}: {message}", event="log")


_SPACES = "\n\t\u00a0"
"""Python calls them not printable; the last one stands before a per cent sign of ours."""


def printable(text: str) -> str:
    """Text that a terminal shows as it is: its control characters are spelt out.

    Names of files and titles come from strangers, and could move the cursor or change its colours.
    """
    return "".join(
        each if each.isprintable() or each in _SPACES else each.encode("unicode_escape").decode()
        for each in text
    )


@dataclass(kw_only=True)
class Talk:
    """Messages and progress of one call of the program."""

    quiet: bool = False
    progress: str = "auto"
    stop: Stop = field(default_factory=Stop)
    _noted: set[tuple[str, str]] = field(default_factory=set)
    """Films, each with a note that was written."""

    def say(self, message: str) -> None:
        """Write a message for the user to stderr, unless quiet."""
        logging.getLogger("unflicker.cli").debug("said: %s", message)
        if not self.quiet:
            say_line(message, event="message")

    def note(self, note: str, *, film: str, named: bool = False) -> None:
        """Write a note on a film to stderr, unless quiet; each once.

        Args:
            note: A sentence.
            film: The film.
            named: Whether its name is written, too, because there are several.
        """
        if (film, note) in self._noted:
            return
        self._noted.add((film, note))
        logging.getLogger("unflicker.cli").debug("note on %s: %s", film, note)
        if not self.quiet:
            text = note if _AS_JSON[0] else f"{f'{film}: ' * named}note: {note}"
            say_line(text, event="note", film=film)

    def complain(self, message: str, *, film: str | None = None) -> None:
        """Write an error to stderr, even if quiet.

        Args:
            message: A sentence that names the film, if it is about one of several.
            film: The film, for programs.
        """
        logging.getLogger("unflicker.cli").debug("error: %s", message)
        complain(message, film=film)

    @classmethod
    def of(
        cls,
        given: dict[str, Any],
        *,
        stop: Stop,
        reads: Iterable[Read] = (),
        writes: Iterable[Written] = (),
    ) -> Talk:
        """Check the outputs of a command and set up logging by its options.

        Args:
            given: Values of the options, by name.
            stop: Whether the user asked to stop.
            reads: Every file that the command reads.
            writes: Every file that it writes, without the log.

        Raises:
            OutputError: An output, or the log, would replace a file; none is written then.
            UsageError: Two outputs would become one file.
        """
        speak(json_lines=given.get("progress") == "json")
        log_file = given.get("log_file")
        everything = [*writes, *_logs(log_file)]
        refuse_loss(reads, everything, overwrite=given.get("overwrite", False))
        _set_up_logging(given.get("verbose", 0), log_file=log_file)
        talk = cls(
            quiet=given.get("quiet", False), progress=given.get("progress", "none"), stop=stop
        )
        if sys.stderr.isatty():
            when_compiling(lambda: talk.say(_COMPILING))
        return talk


def _logs(path: Path | None) -> list[Written]:
    if path is None:
        return []
    return [Written(path=path, what="the log", option="--log-file", appends=True)]


class _ToStderr(logging.Handler):
    """Writes through click, so that messages do not interrupt a progress bar."""

    def emit(self, record: logging.LogRecord) -> None:
        say_line(self.format(record), event="log")


def complain(message: str, *, film: str | None = None) -> None:
    """Write an error to stderr.

    Args:
        message: A sentence.
        film: The film that it is about, for programs; the only one of the call if None.
    """
    text = message if _AS_JSON[0] else f"unflicker: {message}"
    say_line(text, event="error", film=film or _ONLY_FILM[0])


def notes_of(error: BaseException | None) -> list[str]:
    """The notes of an exception, and of those that it came from."""
    found: list[str] = []
    while error is not None:
        found += getattr(error, "__notes__", [])
        error = error.__cause__ or error.__context__
    return found


def close_logging() -> None:
    """Close the log file; no messages are logged after it."""
    root = logging.getLogger("unflicker")
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    # Without any handler Python would print errors, and tracebacks, on its own.
    root.addHandler(logging.NullHandler())


def _set_up_logging(verbose: int, *, log_file: Path | None) -> None:
    close_logging()
    root = logging.getLogger("unflicker")
    root.setLevel(logging.DEBUG)
    if verbose:
        console = _ToStderr(logging.INFO if verbose == 1 else logging.DEBUG)
        # The messages of `Talk` are on the terminal already.
        console.addFilter(lambda record: record.name != "unflicker.cli")
        console.setFormatter(logging.Formatter("%(name)s: %(message)s"))
        root.addHandler(console)
    if log_file is not None:
        root.addHandler(_file_handler(log_file))


def _file_handler(path: Path) -> logging.Handler:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handler = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        message = f"cannot write the log {path}: {error.strerror}; name another --log-file"
        raise OutputError(message) from error
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    return handler
