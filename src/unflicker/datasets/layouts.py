"""Folder layouts of other data sets, and of plain folders.

docs/data-set.md describes each layout, with its source.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from unflicker.datasets.examples import CATEGORIES, Dataset, Example
from unflicker.datasets.reading import films_in, is_film
from unflicker.errors import InputError
from unflicker.files.json_text import parsed

BEGINNINGS = {
    "oldfilm_": "old movie",
    "oldmovie_": "old movie",
    "cartoon_": "old cartoon",
    "oldcartoon_": "old cartoon",
    "timelapse_": "time-lapse",
    "mains_": "slow motion",
    "lamps_": "slow motion",
    "slowmotion_": "slow motion",
    "ai_": "generated",
    "generated_": "generated",
}
"""Category by the beginning of a file's name. Lamps and mains light beat against the shutter, which
is the flicker of the paper's slow-motion videos."""
TASKS = {
    "whitebalance": "white balance",
    "spatialwhitebalance": "white balance",
    "spatialwhitebalancing": "white balance",
    "colorconstancy": "white balance",
    "dehazing": "dehazing",
    "dbl": "enhancement",
    "enhancement": "enhancement",
    "wct": "style transfer",
    "fastneuralstyle": "style transfer",
    "style": "style transfer",
    "styletransfer": "style transfer",
    "intrinsicdecomposition": "intrinsic decomposition",
    "intrinsic": "intrinsic decomposition",
    "cyclegan": "CycleGAN",
    "colorization": "colourisation",
    "colourisation": "colourisation",
}
"""The paper's seven tasks, by the names of their folders and files."""
_FOLDERS = {
    "oldmovie": "old movie",
    "oldmovies": "old movie",
    "oldfilm": "old movie",
    "oldfilms": "old movie",
    "oldcartoon": "old cartoon",
    "oldcartoons": "old cartoon",
    "cartoon": "old cartoon",
    "timelapse": "time-lapse",
    "timelapses": "time-lapse",
    "slowmotion": "slow motion",
    "slowmo": "slow motion",
    "generated": "generated",
    "generation": "generated",
    "aigc": "generated",
    "texttovideo": "generated",
}
_STEADY = ("original", "originals", "input", "inputs", "gt", "truth", "clean")
_PROCESSED, _SYNTHETIC = ("processed",), ("synthetic", "synthesized", "synthetics")
_DEPTH = 4


def plain_folder(folder: Path) -> Dataset:
    """Real and processed videos: `flicker/`, and `processed/NAME_processed` with `NAME_original`.

    Clean clips in `clean/` are not examples: build a data set from them first.

    Raises:
        InputError: A name has no known category, or there are no examples.
    """
    given = _categories(folder)
    examples = [
        Example(name=name, clip=name, category=_category(path, name, given), kind="", video=path)
        for name, path in films_in(folder / "flicker").items()
    ]
    examples += _pairs(films_in(folder / "processed"))
    return _dataset("real and processed", folder, examples)


def lai_folder(folder: Path) -> Dataset:
    """The data of Lai et al. 2018: `input/DATASET/VIDEO` and `processed/TASK/DATASET/VIDEO`.

    The folder may be that of `input` and `processed`, or one above: `test`, `data/test`.

    Raises:
        InputError: There is no processed video, or one has no input.
    """
    root = lai_root(folder)
    assert root is not None
    examples = []
    for path, parts in _films_below(root / "processed"):
        if len(parts) < 3:
            raise InputError(f"{path} is not in a folder TASK/DATASET; see docs/data-set.md")
        task, (source, name) = parts[:-2], parts[-2:]
        original = root / "input" / source / name
        if not original.exists():
            raise InputError(f"{path} has no steady video {original}; put it there")
        examples.append(
            Example(
                name=f"{source}/{name}/{' '.join(task)}",
                clip=f"{source}/{name}",
                category="processed",
                kind=_task(task[0]),
                video=path,
                original=original,
            )
        )
    return _dataset("Lai et al. 2018", folder, examples)


def lai_root(folder: Path) -> Path | None:
    """The folder that holds `input` and `processed`; None if there is none."""
    places = (folder, folder / "test", folder / "data" / "test")
    return next((p for p in places if (p / "input").is_dir() and (p / "processed").is_dir()), None)


def paper_folder(folder: Path) -> Dataset:
    """The paper's data: a folder for each category, in any usual spelling.

    Real videos are directly in their folder. `processed/TASK/VIDEO` has its steady video in
    `original/VIDEO` (or `input`), next to TASK or next to `processed`; `synthetic/w3/VIDEO` has its
    ground truth in `truth/VIDEO` (or `gt`, `clean`), next to `w3`.

    Raises:
        InputError: There are no examples.
    """
    examples: list[Example] = []
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        word = _word(place.name)
        if word in _FOLDERS:
            category = _FOLDERS[word]
            examples += [
                Example(name=name, clip=name, category=category, kind="", video=path)
                for name, path in films_in(place).items()
            ]
        elif word in (*_PROCESSED, *_SYNTHETIC):
            examples += _beside_steady(folder, place, category=_paired(word))
    return _dataset("Lei et al. 2023", folder, examples)


def has_paper_folders(folder: Path) -> bool:
    """Whether there are folders with the names of the paper's categories."""
    words = {_word(path.name) for path in folder.iterdir() if path.is_dir()}
    return bool(words & {*_FOLDERS, *_SYNTHETIC, *_PROCESSED})


def _beside_steady(folder: Path, place: Path, *, category: str) -> Iterator[Example]:
    """Videos in folders by task or flicker, whose steady version has the same name elsewhere."""
    for group in sorted(path for path in place.iterdir() if path.is_dir()):
        if _word(group.name) in _STEADY:
            continue
        for name, path in films_in(group).items():
            steady = _steady(name, (group, place, folder))
            synthetic = category == "synthetic"
            kind = group.name.lower() if synthetic else _task(group.name)
            yield Example(
                name=f"{name}/{group.name}",
                clip=name,
                category=category,
                kind=kind,
                video=path,
                truth=steady if synthetic else None,
                original=None if synthetic else steady,
            )


def _steady(name: str, places: tuple[Path, ...]) -> Path | None:
    for place in places:
        for folder in sorted(place.iterdir()):
            if folder.is_dir() and _word(folder.name) in _STEADY:
                found = films_in(folder).get(name)
                if found is not None:
                    return found
    return None


def _pairs(films: dict[str, Path]) -> Iterator[Example]:
    """Examples from files named TASK_CLIP_processed and TASK_CLIP_original."""
    for name, path in films.items():
        if not name.endswith("_processed"):
            continue
        stem = name.removesuffix("_processed")
        original = films.get(f"{stem}_original")
        if original is None:
            raise InputError(
                f"{path} has no steady video {stem}_original in its folder; put it there"
            )
        task, _, clip = stem.partition("_")
        clip = clip or task
        yield Example(
            name=f"{clip}/{_task(task)}",
            clip=clip,
            category="processed",
            kind=_task(task),
            video=path,
            original=original,
        )


def _films_below(folder: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Every film under a folder, with the names of the folders down to it and its own."""
    waiting = [(folder, ())]
    while waiting:
        place, parts = waiting.pop(0)
        films = films_in(place)
        for name, path in films.items():
            yield path, (*parts, name)
        if len(parts) < _DEPTH:
            deeper = [path for path in sorted(place.iterdir()) if path.is_dir()]
            waiting += [(path, (*parts, path.name)) for path in deeper if not is_film(path)]


def _categories(folder: Path) -> dict[str, str]:
    """Categories by name, from `categories.json` in the folder or in its `flicker`."""
    for place in (folder / "flicker" / "categories.json", folder / "categories.json"):
        if not place.exists():
            continue
        try:
            found = parsed(place.read_text(encoding="utf-8"))
            wrong = [name for name, category in found.items() if category not in CATEGORIES]
        except (OSError, ValueError, AttributeError) as fault:
            raise InputError(
                f'{place} cannot be read: {fault}; write {{"name": "category"}} into it'
            ) from fault
        if wrong:
            raise InputError(
                f"{place}: {wrong[0]} is of no category there is, {found[wrong[0]]!r}; "
                f"take one of {', '.join(CATEGORIES)}"
            )
        return found
    return {}


def _category(path: Path, name: str, given: dict[str, str]) -> str:
    if name in given:
        return given[name]
    for beginning, category in BEGINNINGS.items():
        if name.lower().startswith(beginning):
            return category
    raise InputError(
        f"{path} does not say what kind of video it is; begin its name with one of "
        f"{', '.join(BEGINNINGS)}, or name it in {path.parent / 'categories.json'}"
    )


def _dataset(name: str, folder: Path, examples: list[Example]) -> Dataset:
    if not examples:
        raise InputError(
            f"{folder} has no flickering video in a layout that is known (docs/data-set.md); "
            "of steady clips, build a data set first: unflicker dataset build"
        )
    named = _named_apart(examples)
    names = [example.name for example in named]
    twice = next((one for one in named if names.count(one.name) > 1), None)
    if twice is not None:
        raise InputError(
            f"two examples of {folder} are named {twice.name}, one of them {twice.video}; "
            "rename its file"
        )
    return Dataset(name=name, folder=folder, examples=named)


def _named_apart(examples: list[Example]) -> tuple[Example, ...]:
    """The examples; those of one name in several categories get the category's name before it."""
    names = [example.name for example in examples]
    return tuple(
        replace(
            example,
            name=f"{example.category}/{example.name}",
            clip=f"{example.category}/{example.clip}",
        )
        if names.count(example.name) > 1
        else example
        for example in examples
    )


def _paired(word: str) -> str:
    return "synthetic" if word in _SYNTHETIC else "processed"


def _task(folder: str) -> str:
    """The task in plain words; an unknown one keeps the name of its folder."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|[_-]+", " ", folder).lower().strip()
    return TASKS.get(_word(folder), spaced)


def _word(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
