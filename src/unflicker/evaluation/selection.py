"""The examples of a comparison: of an existing data set, or built from a folder."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from unflicker.datasets.build import example_name
from unflicker.datasets.examples import Example
from unflicker.datasets.load import ALL_KINDS, MADE_KINDS, Recipe, build_dataset, read_dataset
from unflicker.datasets.manifest import NAME as MANIFEST
from unflicker.datasets.reading import films_in
from unflicker.errors import InputError, MissingError, UsageError
from unflicker.evaluation.plan import QUICK_CLIPS, QUICK_KINDS, Scope
from unflicker.files.json_text import parsed
from unflicker.progress import Report, silent
from unflicker.synthesis import SIMULATED_KINDS, category_of

DATASET = "dataset"
_HELD_OUT = "held-out"
HALVES = ("development", _HELD_OUT)
"""Halves of the clean clips: for choosing settings, and for published numbers."""
_QUICK_OF_A_CATEGORY = 2


@dataclass(frozen=True, kw_only=True)
class Selection:
    """A selection of examples."""

    kinds: tuple[str, ...] = ()
    """Kinds of synthetic and simulated flicker; empty for the synthetic ones."""
    examples: tuple[str, ...] = ()
    """Names, with * for anything; empty for all."""
    seeds: int = 1
    """Draws of each kind of synthetic flicker on each clip."""
    split: Path | None = None
    """A JSON file whose "held-out" lists clean clips; if it lists any of them, only those."""

    def wants(self, name: str) -> bool:
        """Whether an example of that name is selected."""
        return not self.examples or any(fnmatchcase(name, one) for one in self.examples)


def examples_of(
    folder: Path,
    out: Path,
    *,
    scope: Scope,
    selection: Selection,
    build: bool = True,
    progress: Report = silent,
) -> tuple[Example, ...]:
    """The selected examples; synthetic ones are first built from clean clips, in `out/dataset`.

    Args:
        folder: A data set, or a folder with `clean`, `flicker` or `processed`.
        out: Folder of the results.
        scope: Size and length.
        selection: The examples to include.
        build: Whether synthetic examples are built; if not, they have no files.
        progress: Called with the progress of building; may cancel it.

    Raises:
        InputError: The folder holds no data set, or no example is selected.
        UsageError: A kind of flicker does not exist.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder; name one that holds a data set")
    clean = films_in(folder / "clean") if not (folder / MANIFEST).exists() else {}
    recipe = _recipe(clean, scope, selection)
    found: list[Example] = []
    if recipe is not None and build:
        place = out / DATASET
        found += build_dataset(folder / "clean", place, recipe=recipe, progress=progress).examples
    elif recipe is not None:
        found += _promised(recipe)
    if not clean or (folder / "flicker").is_dir() or (folder / "processed").is_dir():
        found += read_dataset(folder).examples
    return _chosen(found, folder, scope=scope, selection=selection)


def _chosen(
    found: Sequence[Example], folder: Path, *, scope: Scope, selection: Selection
) -> tuple[Example, ...]:
    wanted = [example for example in found if _wanted(example, selection)]
    if scope.quick:
        wanted = list(_few(wanted, every_kind=bool(selection.kinds)))
    if wanted:
        return tuple(wanted)
    asked, names = " ".join(selection.examples), [example.name for example in found]
    near = difflib.get_close_matches(asked, names, n=1, cutoff=0.0)
    hint = f"; did you mean {near[0]}? See" if near else "; see"
    raise InputError(f"no example of {folder} is selected{hint} --examples and --kinds")


def _wanted(example: Example, selection: Selection) -> bool:
    made = example.category in ("synthetic", "simulated") or example.kind in SIMULATED_KINDS
    of_kind = not selection.kinds or example.kind in selection.kinds
    return selection.wants(example.name) and (of_kind or not made)


def _recipe(clean: Iterable[str], scope: Scope, selection: Selection) -> Recipe | None:
    """The examples to build from clean clips; None if there are none."""
    unknown = [kind for kind in selection.kinds if kind not in ALL_KINDS]
    if unknown and clean:
        near = difflib.get_close_matches(unknown[0], ALL_KINDS, n=1, cutoff=0.0)
        raise UsageError(
            f"unknown flicker {unknown[0]!r}; did you mean {near[0]!r}? "
            f"There are {', '.join(ALL_KINDS)}, and simulated for the last {len(SIMULATED_KINDS)}"
        )
    usual = QUICK_KINDS if scope.quick else MADE_KINDS
    names = held_out(clean, selection.split)
    names = names[:QUICK_CLIPS] if scope.quick else names
    wanted = [
        (name, kind)
        for name in names
        for kind in selection.kinds or usual
        for draw in range(selection.seeds)
        if selection.wants(example_name(name, kind, draw=draw))
    ]
    if not wanted:
        return None
    names, kinds = (tuple(dict.fromkeys(some)) for some in zip(*wanted, strict=True))
    size = {"width_px": scope.width_px, "frames": scope.frames}
    return Recipe(kinds=kinds, names=names, seeds=selection.seeds, **size)


def _promised(recipe: Recipe) -> list[Example]:
    """The examples of a recipe, before they are built."""
    return [
        Example(
            name=example_name(name, kind, draw=draw),
            clip=name,
            category=category_of(kind) if kind in SIMULATED_KINDS else "synthetic",
            kind=kind,
            video=Path(),
            truth=Path(),
            original=Path() if kind in SIMULATED_KINDS else None,
        )
        for name in recipe.names
        for kind, draw in recipe.draws
    ]


def held_out(clean: Iterable[str], split: Path | None) -> list[str]:
    """The clean clips that a split file holds out; all if it lists none, or does not exist.

    Args:
        clean: Names of clips.
        split: JSON with a list of names for each half.

    Raises:
        InputError: The file exists and cannot be read.
    """
    names = list(clean)
    if split is None or not split.is_file():
        return names
    apart = half(split, _HELD_OUT)
    return [name for name in names if name in apart] or names


def half(split_file: Path | None, name: str) -> tuple[str, ...]:
    """The names of the clips of one half of a split file.

    Args:
        split_file: JSON with a list of names for each half.
        name: One of `HALVES`.

    Raises:
        UsageError: There is no such half.
        MissingError: There is no such file.
        InputError: The file cannot be read.
    """
    if name not in HALVES:
        raise UsageError(f"no half of the clips is named {name}; there are {', '.join(HALVES)}")
    if split_file is None or not split_file.is_file():
        raise MissingError(
            f"{split_file or 'split.json'}, which lists the clips that are {name}, is missing; "
            "run in a checkout, or leave --split out"
        )
    try:
        return tuple(parsed(split_file.read_text(encoding="utf-8")).get(name, []))
    except (OSError, ValueError, AttributeError, TypeError) as fault:
        raise InputError(
            f"{split_file} cannot be read: {fault}; it is JSON with lists of names"
        ) from fault


def _few(examples: Iterable[Example], *, every_kind: bool) -> Iterable[Example]:
    """The fixed part of a data set for a quick run: the first clips, a few kinds."""
    met: dict[str, list[str]] = {}
    for example in examples:
        made = example.category == "synthetic"
        # Processed video differs by its task: the first of each.
        processed = example.category == "processed"
        group = f"{example.category} {example.kind}" if processed else example.category
        clips = met.setdefault(group, [])
        if example.clip not in clips:
            of_clips = made or example.category == "simulated"
            most = QUICK_CLIPS if of_clips else 1 if processed else _QUICK_OF_A_CATEGORY
            if len(clips) >= most:
                continue
            clips.append(example.clip)
        if made and not every_kind and example.kind not in QUICK_KINDS:
            continue
        yield example
