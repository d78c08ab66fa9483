"""Defaults of options from files: `unflicker.toml` here, and in the user's configuration folder.

The command line and the environment take precedence over both; the file here over the user's.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from unflicker.cli.options import PRESET_VARIABLE, option_in, settings_from
from unflicker.errors import UsageError

FILE_NAME = "unflicker.toml"
KEYS = frozenset(
    [
        "preset",
        "strength",
        "keep-slower-than",
        "flashes",
        "clean",
        "stabilise",
        "lock-exposure",
        "without",
        "strict",
        "device",
        "threads",
        "jobs",
        "cluster",
        "codec",
        "crf",
        "pix-fmt",
        "skip-existing",
        "checksums",
        "events",
        "work-dir",
        "keep-work",
        "log-file",
        "progress",
        "verbose",
        "quiet",
    ]
)
"""Options that may be set for all runs, by their long names; those of one film may not."""
_TABLES = {"set": "changes", "encoder": "encoder_options"}
"""Tables of pairs, and the parameters that they become: `--set` and `-e`."""
_USED = "unflicker.config"


def default_files() -> list[Path]:
    """The files that are read, if they exist: the user's, then that of the current folder."""
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    try:
        folder = Path(home).expanduser()
    except RuntimeError:  # there is no home
        return [Path(FILE_NAME)]
    return [folder / "unflicker" / FILE_NAME, Path(FILE_NAME)]


def use_config(ctx: click.Context, param: click.Parameter, given: Path | None) -> None:
    """Make the settings of files the defaults of a command's options.

    Args:
        ctx: Of the command.
        param: The option `--config`.
        given: A file to be read instead of the usual ones.

    Raises:
        UsageError: A file is damaged, or has a key or a value that does not exist.
    """
    del param
    if ctx.resilient_parsing:
        return
    defaults: dict[str, Any] = {}
    used = []
    for path in default_files() if given is None else [given]:
        if given is not None or path.is_file():
            own = _defaults(path, ctx)
            for table in _TABLES.values():  # of pairs of one name, the last one holds
                own[table] = [*defaults.get(table, ()), *own.get(table, ())]
            defaults |= own
            used.append(str(path))
    if os.environ.get(PRESET_VARIABLE):
        defaults.pop("preset", None)
    ctx.default_map = {**(ctx.default_map or {}), **defaults}
    ctx.meta[_USED] = used


def files_used() -> tuple[str, ...]:
    """The files whose settings the current command has."""
    ctx = click.get_current_context(silent=True)
    return tuple(ctx.meta.get(_USED, ())) if ctx is not None else ()


def is_asked(name: str) -> bool:
    """Whether an option of the current command was given in the call, and not by a file."""
    ctx = click.get_current_context(silent=True)
    return ctx is None or ctx.get_parameter_source(name) != ParameterSource.DEFAULT_MAP


config_option = option_in(
    "Machine",
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    is_eager=True,
    expose_value=False,
    callback=use_config,
    help="Defaults of options; else ./unflicker.toml.",
)


def _defaults(path: Path, ctx: click.Context) -> dict[str, Any]:
    """The values of a file for the options of a command, each of which is valid."""
    parameters = {
        name.removeprefix("--"): parameter
        for parameter in ctx.command.params
        for name in parameter.opts
        if name.startswith("--")
    }
    found: dict[str, Any] = {}
    for key, value in _read(path).items():
        name = key.replace("_", "-")
        if name in _TABLES:
            found[_TABLES[name]] = _pairs(value, name, path)
        elif name not in KEYS:
            _refuse_key(key, path, is_option=name in parameters)
        elif name in parameters:
            inner = parameters[name].name or name
            if inner in found:
                raise UsageError(f"{path} has {key} twice, with - and with _; leave one out")
            found[inner] = _valid(parameters[name], value, path, ctx)
    try:
        settings_from(found)
    except UsageError as fault:
        raise UsageError(f"{path}: {fault}") from fault
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as fault:
        raise UsageError(f"{path} is no TOML: {fault}; correct that line") from fault
    except (OSError, UnicodeDecodeError) as fault:
        why = getattr(fault, "strerror", None) or "it is no text"
        raise UsageError(f"{path} cannot be read: {why}; name a file with --config") from fault


def _refuse_key(key: str, path: Path, *, is_option: bool) -> None:
    name = key.replace("_", "-")
    if is_option:
        raise UsageError(f"{path} has {key}, which belongs to a single call; pass --{name} there")
    known: Iterable[str] = sorted({*KEYS, *_TABLES})
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    raise UsageError(f"{path} has the unknown key {key}; {hint}")


def _pairs(value: Any, name: str, path: Path) -> list[str]:
    """A table, with its inner ones, as `name=value` texts."""
    if not isinstance(value, dict):
        raise UsageError(f"{path}: {name} is {value!r}; write a table, [{name}]")
    texts = []
    for key, inner in value.items():
        if isinstance(inner, dict):
            texts += [f"{key}.{text}" for text in _pairs(inner, name, path)]
        elif not isinstance(inner, (str, int, float)):
            raise UsageError(f"{path}: {name} {key} is {inner!r}; write one value")
        else:
            plain = str(inner).lower() if isinstance(inner, bool) else inner
            texts.append(f"{key}={plain}")
    return texts


def _valid(parameter: click.Parameter, value: Any, path: Path, ctx: click.Context) -> Any:
    """A value as the option has it.

    Raises:
        UsageError: The option would not take it.
    """
    name = parameter.opts[-1][2:]
    switch = getattr(parameter, "is_flag", False)
    wanted = _wanted(parameter, switch=switch)
    if not isinstance(value, wanted) or (isinstance(value, bool) and not switch) or value == "":
        kind = "true or false" if switch else "one value"
        kind = "a whole number" if isinstance(value, float) and float not in wanted else kind
        raise UsageError(f"{path}: {name} is {value!r}; write {kind}")
    try:
        return parameter.type_cast_value(ctx, value)
    except click.BadParameter as fault:
        raise UsageError(f"{path}: {name}: {fault.message}") from fault


def _wanted(parameter: click.Parameter, *, switch: bool) -> tuple[type, ...]:
    """The types of TOML that an option takes."""
    if switch:
        return (bool,)
    if isinstance(parameter.type, click.types.FloatParamType):
        return (int, float)
    return (int,) if isinstance(parameter.type, click.types.IntParamType) else (str,)
