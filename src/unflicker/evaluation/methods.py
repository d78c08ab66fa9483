"""Definition of a method, selection by name, and loading of its function.

A method is a function from a clip to a clip of the same size and length; a guided one also takes
the steady original. A method is added as `name=package.module:function`. `evaluation.registry` has
the list of known methods.
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
"""Efforts of methods that are fitted to each video: as published, or less."""
_FOLDER = "folder:"
FINISHED = "unflicker.evaluation.finished"
FINISHED_EFFORT = "finished film"
"""Effort of results that were made elsewhere, by which scores tell them."""
Family = Literal["input", "ours", "blind", "guided", "ablation"]
FAMILIES: dict[Family, str] = {
    "ours": "ours",
    "blind": "blind: gets the flickering video alone",
    "guided": "guided: also gets the steady original",
    "ablation": "ours or the paper's with a part left out",
    "input": "nothing done",
}
"""Families of methods, with their descriptions for people."""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """Options and cost of a method at one effort."""

    options: Mapping[str, Any] = field(default_factory=dict)
    """Keyword arguments of its function."""
    seconds_a_video: float = 0.0
    """Cost of the fit, for any length; on one core of the machine of docs/benchmark.md."""
    width_px: int | None = None
    """Videos are downscaled to this; None for the width of the other methods."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method that removes flicker from a clip."""

    name: str
    """Name in scores and on the command line."""
    label: str
    """Name for people."""
    family: Family = "blind"
    about: str = ""
    """One line for people."""
    place: str = ""
    """Its function, "package.module:function"; empty if only its results are known."""
    guided: bool = False
    """Whether it also takes the steady original; it then runs on processed video only."""
    source: str = ""
    """Authors and year of publication."""
    weights: Mapping[str, str] = field(default_factory=dict)
    """Files of weights that it needs, by the keyword argument that gets the path."""
    needs: tuple[str, ...] = ()
    """Libraries that it needs besides those of the package."""
    efforts: Mapping[str, Effort] = field(default_factory=lambda: {"full": Effort()})
    """Its efforts; "full" replaces an effort that it does not have."""
    seconds_a_frame: float = 0.1
    """Cost at 480 x 270, on one core of the machine of docs/benchmark.md."""
    few_kinds: tuple[str, ...] = ()
    """Kinds of synthetic flicker on which a slow method runs by default; empty for all."""
    usual: bool = True
    """Whether it runs if no methods are named."""
    folder: Path | None = None
    """Of finished films, for results that were made elsewhere; None for a function."""

    @property
    def ours(self) -> bool:
        """Whether it is one of this project's own presets."""
        return self.family == "ours"

    def effort(self, asked: str) -> str:
        """The given effort, or its first, usually "full", if it does not have that one."""
        return asked if asked in self.efforts else next(iter(self.efforts))

    def seconds(self, *, effort: str, frames: int, width_px: int) -> float:
        """Estimated cost of a video, in seconds.

        Args:
            effort: One of its efforts.
            frames: Of the video.
            width_px: Of the video.
        """
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
    """The named methods, `input` first; the usual ones if none is named.

    Args:
        words: Names of known methods, or "all".
        known: Known methods by name.
        added: Other methods, as `name=package.module:function` or `name=folder:PATH`.

    Raises:
        UsageError: No method has that name; the message suggests the nearest.
        MissingError: The function or folder of an added method is missing.
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
        word: The name.
        known: Known methods by name.

    Raises:
        UsageError: No method has that name; the message suggests the nearest.
    """
    if word in known:
        return known[word]
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.0)
    raise UsageError(
        f"no method is named {word}; did you mean {near[0]}? There are {', '.join(known)}; "
        "add your own with --method name=package.module:function"
    )


def parsed(text: str) -> Method:
    """An added method, from `name=package.module:function`, or from `name=folder:PATH`.

    It is guided if its function has two required arguments.

    Raises:
        UsageError: The text has another form, or a known method has that name.
        MissingError: There is no such function or folder.
    """
    name, equals, place = text.partition("=")
    if not (name and equals and ":" in place):
        raise UsageError(
            f"a method is added as name=package.module:function or name=folder:PATH; got {text!r}"
        )
    if place.startswith(_FOLDER):
        return _of_folder(name, Path(place.removeprefix(_FOLDER)))
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


def _of_folder(name: str, folder: Path) -> Method:
    """Finished films as a method."""
    if not folder.is_dir():
        raise MissingError(f"{folder} is not a folder; name one that holds the finished films")
    return Method(
        name=name,
        label=name,
        about=f"finished films of {folder.name}",
        place=f"{FINISHED}:finished",
        source="made elsewhere",
        efforts={FINISHED_EFFORT: Effort()},
        seconds_a_frame=0.0,
        folder=folder.resolve(),
    )


def loaded(place: str) -> Callable[..., Any]:
    """The function at "package.module:function".

    Raises:
        MissingError: There is no such module or function.
    """
    module, _, function = place.partition(":")
    try:
        return getattr(import_module(module), function)
    except (ImportError, AttributeError) as fault:
        raise MissingError(
            f"no function {place}: {fault}; check its name, and that its folder is in PYTHONPATH"
        ) from fault


def callable_for(method: Method, *, effort: str, weights: Path | None) -> Callable[..., Any]:
    """The function of a method, with its options and the paths of its weights bound.

    Args:
        method: The method.
        effort: One of its efforts.
        weights: Folder of weights; None if there is none.

    Raises:
        MissingError: The method cannot run here (`why_not`), or has no such function.
    """
    why = why_not(method, weights=weights)
    if why:
        raise MissingError(f"{method.name} cannot run: {why}")
    files = {key: _file(weights, name) for key, name in method.weights.items()}
    return partial(loaded(method.place), **method.efforts[effort].options, **files)


def why_not(method: Method, *, weights: Path | None) -> str:
    """The reason why a method cannot run here; empty if it can.

    Args:
        method: The method.
        weights: Folder of weights; None if there is none.
    """
    module = method.place.partition(":")[0]
    try:
        there = find_spec(module) is not None
    except ImportError:
        there = False
    if not there:
        return f"its code, {module}, is not installed"
    for library in method.needs:
        if find_spec(library) is None:
            return f"it needs {library}; install it with: pip install 'unflicker[neural]'"
    for name in method.weights.values():
        if not _file(weights, name).is_file():
            where = weights or "any known folder"
            return f"its weights {name} are not in {where}; name the folder with --weights"
    return ""


def version_of(method: Method, *, effort: str, weights: Path | None) -> str:
    """The package's version, with a hash of the options, the weights, and the code of an added
    method, so that results of different versions are not mixed.

    Args:
        method: The method.
        effort: One of its efforts.
        weights: Folder of weights; None if there is none.
    """
    mark = hashlib.sha256(repr(sorted(method.efforts[effort].options.items())).encode())
    for name in method.weights.values():
        mark.update(_file(weights, name).read_bytes())
    if method.folder is not None:
        mark.update(import_module(FINISHED).signature(method.folder).encode())
    module = method.place.partition(":")[0]
    spec = find_spec(module)
    if not module.startswith("unflicker.") and spec is not None and spec.has_location:
        mark.update(Path(str(spec.origin)).read_bytes())
    return f"{unflicker.__version__}+{mark.hexdigest()[:8]}"


def _file(weights: Path | None, name: str) -> Path:
    return (weights or Path()) / name
