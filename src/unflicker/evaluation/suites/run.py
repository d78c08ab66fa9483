"""Runs a suite: options in, rows measured one by one, rows and table written."""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import unflicker
from unflicker.errors import InputError, UsageError
from unflicker.evaluation.machine import machine
from unflicker.evaluation.suites.baselines import PAIRS
from unflicker.evaluation.suites.dirt import DIRT
from unflicker.evaluation.suites.guide import GUIDE
from unflicker.evaluation.suites.long import LONG
from unflicker.evaluation.suites.perfect_guide import PERFECT_GUIDE
from unflicker.evaluation.suites.processed import PROCESSED
from unflicker.evaluation.suites.quality import QUALITY
from unflicker.evaluation.suites.real import REAL
from unflicker.evaluation.suites.speed import SPEED
from unflicker.evaluation.suites.suite import Options, Row, Suite
from unflicker.evaluation.suites.wanted import WANTED
from unflicker.files.atomic import write_whole

_ALL = (QUALITY, REAL, PROCESSED, GUIDE, SPEED, WANTED, PAIRS, LONG, PERFECT_GUIDE, DIRT)
SUITES = {suite.name: suite for suite in _ALL}
SETTABLE = ("first", "seeds", "judge", "film", "sizes", "lengths", "runs", "by_place")
"""Options that are set as NAME=VALUE, of one suite or two."""
_TRUE, _FALSE = ("yes", "true", "1"), ("no", "false", "0")


def suite_of(name: str) -> Suite:
    """The suite of a name.

    Raises:
        UsageError: No suite has that name; the message suggests the nearest.
    """
    if name in SUITES:
        return SUITES[name]
    near = difflib.get_close_matches(name, SUITES, n=1, cutoff=0.0)
    raise UsageError(
        f"no suite is named {name}; did you mean {near[0]}? There are {', '.join(SUITES)}"
    )


def with_settings(options: Options, suite: Suite, texts: Iterable[str]) -> Options:
    """Options with those changed that are given as NAME=VALUE.

    Args:
        options: What is asked for otherwise.
        suite: Which of them mean something.
        texts: Such as `runs=5`, `lengths=300,3000`, `by_place=yes`.

    Raises:
        UsageError: The suite has no such option, or the value makes no sense.
    """
    changes: dict[str, Any] = {}
    settable = [name for name in SETTABLE if name in suite.takes]
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or name not in settable:
            near = difflib.get_close_matches(name, settable, n=1, cutoff=0.0)
            hint = f"did you mean {near[0]}?" if near else "it has none"
            raise UsageError(
                f"suite {suite.name} has no option {text!r} to set as NAME=VALUE; {hint}"
            )
        changes[name] = _read(name, value)
    return dataclasses.replace(options, **changes)


def run_suite(suite: Suite, folder: Path | None, options: Options) -> str:
    """Measure; the rows are in `NAME.json` as soon as each is there, at last the table `NAME.md`.

    Args:
        suite: What is measured.
        folder: Its clips; None for a suite that needs none.
        options: How; told of progress, which may cancel the work.

    Returns:
        The table in Markdown.

    Raises:
        UsageError: The suite needs a folder, or does not take what it is told.
        InputError: The folder is not there, or has no clips to run on.
        MissingError: A method that is asked for lacks a library or its weights.
        OutputError: The folder of the results cannot be written.
    """
    if folder is None and suite.needs_folder:
        raise UsageError(f"suite {suite.name} needs the folder of its clips; name it")
    if folder is not None and not folder.is_dir():
        raise InputError(f"{folder} is not a folder; name one that holds clips")
    _refuse_meaningless(suite, options)
    rows: list[Row] = []
    for row in suite.rows(folder or Path(), options):
        rows.append(row)
        _write_rows(suite, rows, options)
    text = suite.table(rows, options)
    write_whole(options.out / f"{suite.name}.md", text)
    return text


def _refuse_meaningless(suite: Suite, options: Options) -> None:
    """Refuse options that the suite would ignore."""
    always = ("out", "progress", "tell", "split_file", "weights")
    for field in dataclasses.fields(options):
        if field.name in (*suite.takes, *always):
            continue
        if getattr(options, field.name) != field.default:
            raise UsageError(
                f"suite {suite.name} takes no {_option(field.name)}; "
                f"it takes {', '.join(_option(name) for name in suite.takes)}"
            )


def _option(field: str) -> str:
    """How an option is given on the command line."""
    if field in SETTABLE:
        return f"--set {field}="
    return {
        "own": "--method",
        "seeds": "--seeds",
        "clips": "--examples",
        "width_px": "--width",
    }.get(field, f"--{field}")


def _write_rows(suite: Suite, rows: Sequence[Row], options: Options) -> None:
    content = {
        "suite": suite.name,
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "version": unflicker.__version__,
        "machine": machine(),
        "options": _told(suite, options),
        "rows": list(rows),
    }
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    write_whole(options.out / f"{suite.name}.json", text)


def _told(suite: Suite, options: Options) -> dict[str, Any]:
    """What was asked for, as JSON holds it; None and empty are the suite's usual."""
    values = {name: getattr(options, name) for name in suite.takes}
    return {name: str(v) if isinstance(v, Path) else v for name, v in values.items()}


def _read(name: str, value: str) -> Any:
    """The value of an option from its text."""
    words = tuple(word.strip() for word in value.split(",") if word.strip())
    try:
        if name in ("first", "seeds", "runs"):
            return _counted(value, least=0 if name == "first" else 1)
        if name == "lengths" and words:
            return tuple(_counted(word, least=2) for word in words)
        if name == "by_place":
            return {**dict.fromkeys(_TRUE, True), **dict.fromkeys(_FALSE, False)}[value.lower()]
    except (ValueError, KeyError):
        raise UsageError(
            f"{name}={value} makes no sense; runs=3, lengths=300,3000 and by_place=yes do"
        ) from None
    if not words:
        raise UsageError(f"{name} has no value; pass {name}=VALUE")
    return words if name in ("sizes", "lengths") else Path(value) if name == "film" else value


def _counted(text: str, *, least: int) -> int:
    number = int(text)
    if number < least:
        raise ValueError(text)
    return number
