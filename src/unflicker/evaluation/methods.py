"""What a method is, how it is chosen by name, and how its function is loaded and called.

A method is a function from a clip to a clip of the same size and length; a guided one also takes
the steady original. One of your own joins as `name=package.module:function`.
`evaluation.registry` lists those that are known.
"""

from __future__ import annotations

import difflib
import hashlib
import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import unflicker
from unflicker.errors import MissingError, UsageError

INPUT = "input"
EFFORTS = ("full", "reduced", "quick")
"""How much methods may do that are fitted to each video: as published, or less."""
Family = Literal["input", "ours", "blind", "guided", "ablation"]
FAMILIES: dict[Family, str] = {
    "ours": "ours",
    "blind": "blind: gets the flickering video alone",
    "guided": "guided: also gets the steady original",
    "ablation": "ours or the paper's with a part left out",
    "input": "nothing done",
}
"""What methods have in common, for people."""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How a method is called at one effort."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """Passed to it by keyword."""
    seconds_a_video: float = 0.0
    """What a fit costs, whatever the length; on one core of the machine of docs/benchmark.md."""
    width_px: int | None = None
    """Videos are shrunk to this for it; None is as for the others."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """A way to steady a clip, and how it is called."""

    name: str
    """As in scores and on the command line."""
    label: str
    """Its name for people."""
    family: Family = "blind"
    about: str = ""
    """One line for people."""
    place: str = ""
    """Where the function is: "package.module:function"; empty if only its results are known."""
    guided: bool = False
    """Whether it also gets the steady original; then it runs on processed video only."""
    source: str = ""
    """Who published it, and when."""
    weights: Mapping[str, str] = field(default_factory=dict)
    """Files of weights it needs, by the keyword under which it is given their paths."""
    needs: tuple[str, ...] = ()
    """Libraries it needs beyond the package's own."""
    efforts: Mapping[str, Effort] = field(default_factory=lambda: {"full": Effort()})
    """How it is called, by effort; one without the effort asked for takes its full one."""
    seconds_a_frame: float = 0.1
    """At 480 x 270, on one core of the machine of docs/benchmark.md."""
    few_kinds: tuple[str, ...] = ()
    """Kinds of made flicker on which it runs, being slow, unless asked for all; none is all."""
    usual: bool = True
    """Whether it runs unless others are asked for."""

    @property
    def ours(self) -> bool:
        """Whether it is one of this project's own presets."""
        return self.family == "ours"

    def effort(self, asked: str) -> str:
        """The effort it has for one that is asked for."""
        return asked if asked in self.efforts else "full"

    def seconds(self, *, effort: str, frames: int, width_px: int) -> float:
        """What a video costs, roughly."""
        size = (min(width_px, self.efforts[effort].width_px or width_px) / 480) ** 2
        return self.efforts[effort].seconds_a_video + frames * self.seconds_a_frame * size


@dataclass(frozen=True, kw_only=True)
class LeftOut:
    """A method that cannot run here."""

    name: str
    why: str


def chosen(
    words: Iterable[str], *, known: Mapping[str, Method], added: Iterable[str] = ()
) -> tuple[Method, ...]:
    """The methods that are named, `input` first; the usual ones where none is.

    Args:
        words: Names of known methods, or "all".
        known: By name.
        added: Others, as `name=package.module:function`.

    Raises:
        UsageError: A name that does not exist; the message suggests the nearest.
        MissingError: A function of one's own that cannot be loaded.
    """
    own = [parsed(text) for text in added]
    words = list(words)
    wanted = [known[INPUT]]
    if "all" in words:
        wanted += known.values()
    elif words or not own:
        usual = [name for name, method in known.items() if method.usual]
        wanted += [named(word, known=known) for word in words or usual]
    return tuple({method.name: method for method in [*wanted, *own]}.values())


def named(word: str, *, known: Mapping[str, Method]) -> Method:
    """The method of a name.

    Args:
        word: Its name.
        known: By name.

    Raises:
        UsageError: There is none; the message suggests the nearest.
    """
    if word in known:
        return known[word]
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.0)
    raise UsageError(
        f"no method is named {word}; did you mean {near[0]}? There are {', '.join(known)}; "
        "add your own with --method name=package.module:function"
    )


def parsed(text: str) -> Method:
    """A method of one's own from `name=package.module:function`.

    It is guided if its function cannot be called without a second clip.

    Raises:
        UsageError: The text says something else.
        MissingError: There is no such function.
    """
    name, equals, place = text.partition("=")
    if not (name and equals and ":" in place):
        raise UsageError(
            f"a method of one's own is given as name=package.module:function; got {text!r}"
        )
    function = loaded(place)
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [
        parameter
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind in kinds and parameter.default is inspect.Parameter.empty
    ]
    guided = len(needed) > 1
    return Method(
        name=name,
        label=name,
        family="guided" if guided else "blind",
        about="your own",
        place=place,
        guided=guided,
        source="your own",
    )


def loaded(place: str) -> Callable[..., Any]:
    """The function at "package.module:function".

    Raises:
        MissingError: The module or the function is not there.
    """
    module, _, function = place.partition(":")
    try:
        return getattr(import_module(module), function)
    except (ImportError, AttributeError) as fault:
        raise MissingError(
            f"no function {place}: {fault}; check its name, and that its folder is in PYTHONPATH"
        ) from fault


def callable_for(method: Method, *, effort: str, weights: Path | None) -> Callable[..., Any]:
    """The function of a method, told its options and where its weights are.

    Raises:
        MissingError: See `why_not`, or the function is not there.
    """
    why = why_not(method, weights=weights)
    if why:
        raise MissingError(f"{method.name} cannot run: {why}")
    files = {key: _file(weights, name) for key, name in method.weights.items()}
    return partial(loaded(method.place), **method.efforts[effort].options, **files)


def why_not(method: Method, *, weights: Path | None) -> str:
    """Why a method cannot run here; empty where nothing is known to be in its way."""
    module = method.place.partition(":")[0]
    try:
        there = find_spec(module) is not None
    except ImportError:
        there = False
    if not there:
        return f"its code, {module}, is not there"
    for library in method.needs:
        if find_spec(library) is None:
            return f"it needs {library}; install it with: pip install 'unflicker[neural]'"
    for name in method.weights.values():
        if not _file(weights, name).is_file():
            where = weights or "any folder that is known"
            return f"its weights {name} are not in {where}; name the folder with --weights"
    return ""


def version_of(method: Method, *, effort: str, weights: Path | None) -> str:
    """The package's version, and a mark that changes with options, weights, and code of one's own.

    Results of another version are not taken for this one's.
    """
    mark = hashlib.sha256(repr(sorted(method.efforts[effort].options.items())).encode())
    for name in method.weights.values():
        mark.update(_file(weights, name).read_bytes())
    module = method.place.partition(":")[0]
    spec = find_spec(module)
    if not module.startswith("unflicker.") and spec is not None and spec.has_location:
        mark.update(Path(str(spec.origin)).read_bytes())
    return f"{unflicker.__version__}+{mark.hexdigest()[:8]}"


def _file(weights: Path | None, name: str) -> Path:
    return (weights or Path()) / name
