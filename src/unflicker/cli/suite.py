"""evaluate --suite: the suites of the published benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from unflicker.cli.display import shown
from unflicker.cli.interrupt import Stop
from unflicker.cli.messages import Talk
from unflicker.errors import UsageError
from unflicker.files.outputs import Written, folders_in, named

if TYPE_CHECKING:
    from unflicker.evaluation.suites.suite import Options

_NOT_FOR_SUITES = ("quick", "every_kind", "jobs", "dry_run")


def measure_suite(folder: Path | None, out: Path, given: dict[str, Any], *, stop: Stop) -> None:
    """Run a suite and print its table.

    Args:
        folder: Folder of its clips; None for a suite that needs none.
        out: Folder of the results.
        given: Values of the options of `evaluate`, by name, with `weights` and `split_file`.
        stop: Whether the user asked to stop.

    Raises:
        UnflickerError: See `evaluation.suites.run.run_suite`.
    """
    from dataclasses import replace

    from unflicker.evaluation.suites.run import run_suite, suite_of, with_settings

    suite = suite_of(given["suite"])
    options = with_settings(_options(out, given), suite, given["settings"])
    reads = [*named("the folder", folder), *named("the film", options.film)]
    files = [out / f"{suite.name}.{ending}" for ending in ("md", "json")]
    writes = [Written(path=path, what="the results", completes=True) for path in files]
    writes += folders_in(out, suite.name)
    talk = Talk.of(given, stop=stop, reads=reads, writes=writes)
    with shown(talk, title=str(out)) as report:
        told = replace(options, progress=report, tell=talk.say)
        table = run_suite(suite, folder, told)
    click.echo(table)


def refuse_options_of_suites(given: dict[str, Any]) -> None:
    """Refuse options of suites without `--suite`.

    Raises:
        UsageError: There is such an option.
    """
    names = [name for name in ("split", "settings") if given[name]]
    if names:
        option = {"split": "--split", "settings": "--set"}[names[0]]
        raise UsageError(f"{option} is for suites; name one with --suite, or leave it out")


def _options(out: Path, given: dict[str, Any]) -> Options:
    """The options of a suite."""
    from unflicker.evaluation.suites.suite import Options

    for name in _NOT_FOR_SUITES:
        if given[name]:
            raise UsageError(f"--{name.replace('_', '-')} is not for suites; leave it out")
    return Options(
        out=out,
        methods=given["methods"],
        own=given["own"],
        weights=given["weights"],
        clips=given["examples"],
        split=given["split"],
        split_file=given["split_file"],
        kinds=given["kinds"],
        width_px=given["width"],
        frames=given["frames"],
        seeds=given["seeds"],
    )
