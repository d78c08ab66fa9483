"""Parses values of the command line: times, pairs, settings of any type."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import click
from click.shell_completion import CompletionItem

from unflicker.errors import UsageError
from unflicker.settings import DAMAGE, UNSTEADY, Settings, replaced, to_dict

_YES, _NO = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


class Seconds(click.ParamType):
    """A time: `90`, `1:30` or `0:01:30.5`, as seconds."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds, or fail with examples of a time."""
        if isinstance(value, float | int):
            return float(value)
        if not re.fullmatch(r"(\d+:){0,2}\d+(\.\d*)?", value):
            self.fail(f"{value!r} is no time; write seconds (90) or 1:30 or 0:01:30.5", param, ctx)
        seconds = 0.0
        for part in value.split(":"):
            seconds = 60.0 * seconds + float(part)
        return seconds


class Rate(click.ParamType):
    """A rate of pictures: `25`, `23.976` or `30000/1001`, as a number."""

    name = "rate"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the number, or fail with examples of a rate."""
        if isinstance(value, float | int):
            return float(value)
        if not re.fullmatch(r"\d+(\.\d*)?|\d+/0*[1-9]\d*", value):
            self.fail(f"{value!r} is no rate; write 25, 23.976 or 30000/1001", param, ctx)
        over, _, under = value.partition("/")
        return float(over) / float(under or 1)


class Device(click.ParamType):
    """A device's name: auto, cpu, cuda or cuda:n."""

    name = "device"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the name, or fail with the valid ones."""
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", value):
            self.fail(f"{value!r} is no device; write auto, cpu, cuda or cuda:0", param, ctx)
        return value


class Place(click.ParamType):
    """A path or a URL as text; shells complete files."""

    name = "path"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Have the shell complete names of files.

        Args:
            ctx: Of the command.
            param: The parameter.
            incomplete: What is written so far.
        """
        del ctx, param
        return [CompletionItem(incomplete, type="file")]


def pairs(texts: Iterable[str], *, flag: str) -> tuple[tuple[str, str], ...]:
    """`key=value` texts as pairs.

    Args:
        texts: As given on the command line.
        flag: Name of the option, for messages.

    Raises:
        UsageError: A text without a key or an equals sign.
    """
    found = []
    for text in texts:
        key, equals, value = text.partition("=")
        if not key.strip() or not equals:
            raise UsageError(f"{flag} takes name=value; got {text!r}; write {flag} name=value")
        found.append((key.strip(), value.strip()))
    return tuple(found)


def shot_strengths(texts: Iterable[str]) -> dict[int, float]:
    """`3=0.5` and `4=off` as strengths by number of the shot.

    Raises:
        UsageError: No number of a shot, or no strength.
    """
    found = {}
    for shot, strength in pairs(texts, flag="--shot"):
        try:
            found[int(shot)] = 0.0 if strength == "off" else float(strength)
        except ValueError as fault:
            raise UsageError(
                f"--shot takes N=STRENGTH, as 3=0.5 or 3=off; got {shot}={strength}"
            ) from fault
    return found


def cleaning(text: str) -> dict[str, Any]:
    """`dirt:strong` as settings of the repair.

    Raises:
        UsageError: Damage or a degree that does not exist.
    """
    names, colon, degree = text.partition(":")
    found: dict[str, Any] = {"repair.degree": degree.strip()} if colon else {}
    for name in names.split(","):
        if name.strip() not in DAMAGE:
            raise UsageError(
                f"--clean repairs {', '.join(DAMAGE)}; got {name.strip()!r}; "
                f"write --clean {','.join(DAMAGE)} or --clean {DAMAGE[0]}:light"
            )
        found[f"repair.{name.strip()}"] = True
    return found


def stabilising(text: str) -> dict[str, Any]:
    """`gate` as settings.

    Raises:
        UsageError: Nothing that can be stabilised has that name.
    """
    if text.strip() not in UNSTEADY:
        raise UsageError(
            f"--stabilise removes gate weave; got {text!r}; write --stabilise {UNSTEADY[0]}"
        )
    return {f"stabilise.{text.strip()}": True}


def changed_settings(texts: Iterable[str], start: Settings) -> Settings:
    """Settings with `name=value` texts applied, each value read as its setting's type.

    Args:
        texts: As given on the command line.
        start: The settings to change.

    Raises:
        UsageError: An unknown name (with the nearest known one) or a value of the wrong type.
    """
    defaults = to_dict(start)
    changes = {}
    for name, text in pairs(texts, flag="--set"):
        known = name in defaults
        changes[name] = _read(text, name=name, default=defaults[name]) if known else text
    return replaced(start, changes)


def _read(text: str, *, name: str, default: Any) -> Any:
    """One value, read by the type of its default; a default of None is an optional number."""
    try:
        if isinstance(default, bool):
            return _truth(text)
        if isinstance(default, tuple):
            return pairs(text.split(",") if text else (), flag=f"--set {name}")
        if isinstance(default, int):
            return int(text)
        if default is None or isinstance(default, float):
            return None if default is None and text.lower() == "none" else float(text)
    except ValueError as error:
        kind = "yes or no" if isinstance(default, bool) else "a number"
        message = f"setting {name} takes {kind}; got {text!r}; its default is {default}"
        raise UsageError(message) from error
    return text


def _truth(text: str) -> bool:
    if text.lower() not in _YES + _NO:
        raise ValueError(text)
    return text.lower() in _YES
