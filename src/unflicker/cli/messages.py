"""What the command line says, and where: messages on stderr, data on stdout."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from unflicker.cli.interrupt import Stop
from unflicker.errors import OutputError
from unflicker.files.outputs import Read, Written, refuse_loss


@dataclass(kw_only=True)
class Talk:
    """How much to say, and how to show progress; one for each call of the program."""

    quiet: bool = False
    progress: str = "auto"
    stop: Stop = field(default_factory=Stop)

    def say(self, message: str) -> None:
        """A message for the user, on stderr."""
        logging.getLogger("unflicker.cli").debug("said: %s", message)
        if not self.quiet:
            click.echo(message, err=True)

    def complain(self, message: str) -> None:
        """An error, on stderr, even when quiet."""
        logging.getLogger("unflicker.cli").debug("error: %s", message)
        click.echo(f"unflicker: {message}", err=True)

    @classmethod
    def of(
        cls,
        given: dict[str, Any],
        *,
        stop: Stop,
        reads: Iterable[Read] = (),
        writes: Iterable[Written] = (),
    ) -> Talk:
        """Set up logging as the options ask for, and return how to talk.

        Args:
            given: The options by name.
            stop: Whether the user asked to stop.
            reads: Every file that the command reads.
            writes: Every file that it writes but the log.

        Raises:
            OutputError: A result, or the log, would replace something; nothing is written then.
            UsageError: Two of them would become one file.
        """
        log_file = given.get("log_file")
        everything = [*writes, *_logs(log_file)]
        refuse_loss(reads, everything, overwrite=given.get("overwrite", False))
        _set_up_logging(given.get("verbose", 0), log_file=log_file)
        return cls(
            quiet=given.get("quiet", False), progress=given.get("progress", "none"), stop=stop
        )


def _logs(path: Path | None) -> list[Written]:
    if path is None:
        return []
    return [Written(path=path, what="the log", option="--log-file", appends=True)]


class _ToStderr(logging.Handler):
    """Writes through click, so that a progress bar is not torn apart."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(self.format(record), err=True)


def close_logging() -> None:
    """Let go of the log file; log nowhere."""
    root = logging.getLogger("unflicker")
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    # Without any handler Python would print errors, and tracebacks, by itself.
    root.addHandler(logging.NullHandler())


def _set_up_logging(verbose: int, *, log_file: Path | None) -> None:
    close_logging()
    root = logging.getLogger("unflicker")
    root.setLevel(logging.DEBUG)
    if verbose:
        console = _ToStderr(logging.INFO if verbose == 1 else logging.DEBUG)
        # What `Talk` said is on the terminal already.
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
