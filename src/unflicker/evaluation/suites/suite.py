"""Definition of a suite: a benchmark with its own protocol, as rows of numbers and a table.

folder, options ─► rows ─► table
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unflicker.errors import UsageError
from unflicker.evaluation.adapters import settings_of
from unflicker.evaluation.methods import Method, callable_for, named, parsed, why_not
from unflicker.evaluation.registry import METHODS
from unflicker.frames.clip import Clip
from unflicker.progress import Report, silent
from unflicker.settings import Settings

Row = dict[str, Any]
"""One measurement, as JSON holds it."""
Blind = Callable[[Clip], Clip]
Performer = Blind | Path
"""A method that gets the flickering clip alone, or a folder of finished films."""
_EFFORT = "reduced"


@dataclass(frozen=True, kw_only=True, eq=False)
class Options:
    """Options of suites; each suite takes some of them (`Suite.takes`)."""

    out: Path
    """Folder of the results; contact sheets go into a folder there named after the suite."""
    methods: tuple[str, ...] = ()
    """Names from the registry; none is the suite's usual ones."""
    own: tuple[str, ...] = ()
    """Methods of one's own, as `name=package.module:function`."""
    weights: Path | None = None
    """Folder of the weights of trained baselines."""
    clips: tuple[str, ...] = ()
    """File names without ending, `*` for anything; none is all."""
    split: str = ""
    """"development" or "held-out"; empty is all clips."""
    split_file: Path | None = None
    """JSON with the names of the clips of both halves."""
    kinds: tuple[str, ...] = ()
    """Kinds of synthetic flicker, and cases that must stay as they are; none is all."""
    width_px: int | None = None
    """Wider films are shrunk to this; None is the suite's usual width."""
    frames: int | None = None
    """At most so many of each film; None is the suite's usual number."""
    first: int = 0
    """Frame of a processed pair at which it begins."""
    seeds: int | None = None
    """Draws of each synthetic flicker or event; None is the suite's usual number."""
    judge: str = "fast"
    """Name of the method that is checked against the aims."""
    film: Path | None = None
    """The film whose pictures are sped through; None draws a landscape."""
    sizes: tuple[str, ...] = ("1080p", "480p")
    lengths: tuple[int, ...] = (300,)
    """Frames of each film made to measure speed."""
    runs: int = 3
    """Of which the median is taken."""
    by_place: bool = False
    """Whether light flickers by place."""
    progress: Report = silent
    tell: Callable[[str], None] = lambda _: None
    """Receives a line for people now and then."""


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A benchmark that can be asked for by name."""

    name: str
    about: str
    """One line for people."""
    takes: tuple[str, ...]
    """The options that mean something to it, by the names of their fields."""
    rows: Callable[[Path, Options], Iterator[Row]]
    """Measures, one row after the other; the folder is that of its clips."""
    table: Callable[[Sequence[Row], Options], str]
    """All rows as Markdown, with the aims held against them."""
    needs_folder: bool = True


def blind_methods(options: Options, *, usual: Sequence[str]) -> dict[str, Blind]:
    """The methods that are asked for, by name, ready to be called with a clip.

    Args:
        options: Which; where none is named, the usual ones that can run here.
        usual: Names from the registry.

    Raises:
        UsageError: A name that does not exist, or a method that needs a steady original.
        MissingError: A method that is asked for lacks a library, its weights or its function.
    """
    return {method.name: _callable(method, options) for method in asked_for(options, usual=usual)}


def performers(options: Options, *, usual: Sequence[str]) -> dict[str, Performer]:
    """The same as `blind_methods`, folders of finished films among them.

    Args:
        options: Which; where none is named, the usual ones that can run here.
        usual: Names from the registry.

    Raises:
        UsageError: A name that does not exist, or a method that needs a steady original.
        MissingError: A method that is asked for lacks a library, its weights or its function.
    """
    return {
        method.name: method.folder or _callable(method, options)
        for method in asked_for(options, usual=usual, finished=True)
    }


def asked_for(
    options: Options, *, usual: Sequence[str], guided: bool = False, finished: bool = False
) -> list[Method]:
    """The methods that are asked for.

    Args:
        options: Which; where none is named, the usual ones that can run here.
        usual: Names from the registry.
        guided: Whether methods that take a steady original are welcome.
        finished: Whether folders of finished films are.

    Raises:
        UsageError: A name that does not exist, or a method that needs what the suite lacks.
        MissingError: A function of one's own that cannot be loaded.
    """
    own = [parsed(text) for text in options.own]
    known = [named(name, known=METHODS) for name in options.methods]
    if not own and not known:
        known = [METHODS[name] for name in usual if not _left_out(METHODS[name], options)]
    for method in [*known, *own]:
        if method.folder is not None and not finished:
            raise UsageError(
                f"{method.name} is a folder of finished films, and this suite makes its own; "
                "suites real and baselines compare them, and evaluate without --suite"
            )
        if method.guided and not guided:
            raise UsageError(
                f"{method.name} needs a steady original, which this suite has not; "
                "--suite baselines runs it on processed pairs"
            )
    return [*known, *own]


def asked_kinds(
    options: Options, *, known: Sequence[str], usual: Sequence[str] = ()
) -> tuple[str, ...]:
    """The kinds of synthetic flicker, and cases, that are asked for.

    Args:
        options: Which.
        known: Those of the suite.
        usual: Where none is asked for; empty for all that are known.

    Raises:
        UsageError: A kind that the suite does not have.
    """
    for kind in options.kinds:
        if kind not in known:
            raise UsageError(f"no kind of this suite is named {kind!r}; it has {', '.join(known)}")
    return options.kinds or tuple(usual or known)


def presets(options: Options, *, usual: Sequence[str]) -> dict[str, Settings]:
    """The settings of the presets and ablations of ours that are asked for, by name.

    Args:
        options: Which.
        usual: Their names where none is asked for.

    Raises:
        UsageError: A name that does not exist, or a method that is no preset of ours.
    """
    found = {}
    for name in options.methods or usual:
        method = named(name, known=METHODS)
        given = method.efforts["full"].options
        if "preset" not in given or method.guided:
            raise UsageError(
                f"{name} is no preset of ours; this suite takes fast, standard, best, "
                "best-without-atlas and their like"
            )
        found[name] = settings_of(given["preset"], left_out=given.get("without", ""))
    return found


def _callable(method: Method, options: Options) -> Blind:
    return callable_for(method, effort=method.effort(_EFFORT), weights=options.weights)


def _left_out(method: Method, options: Options) -> bool:
    why = why_not(method, weights=options.weights)
    if why:
        options.tell(f"left out: {method.name}: {why}")
    return bool(why)
