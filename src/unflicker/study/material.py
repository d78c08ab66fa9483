"""Videos of a study, from a folder of results, and which can be compared."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from unflicker.errors import InputError, UsageError
from unflicker.evaluation.results import VIDEOS, folder_name, read_rows

NO_METHODS = ("input", "truth", "original")
"""Videos in the folder of the results that are no results."""
_NO_CATEGORY = ""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two results for one example, without order: `one` comes first in the alphabet."""

    example: str
    category: str = field(compare=False)
    one: str
    other: str


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """One flickering video and the methods' results."""

    name: str
    """Of its folder."""
    category: str
    """Kind of video; empty if unknown."""
    videos: dict[str, Path]
    """Every method's result, and input, truth and original if they exist."""

    @property
    def methods(self) -> tuple[str, ...]:
        """Those that have a result, by alphabet."""
        return tuple(sorted(set(self.videos) - set(NO_METHODS)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """All examples of a folder, and the methods to compare."""

    examples: dict[str, Example]
    pairs: tuple[Pair, ...]

    def video(self, example: str, method: str) -> Path | None:
        """Path of a video; None if it does not exist.

        Args:
            example: Its name.
            method: The method's name.
        """
        known = self.examples.get(example)
        path = known.videos.get(method) if known else None
        return path if path is not None and path.is_file() else None

    @property
    def methods(self) -> tuple[str, ...]:
        """Those that are compared, by alphabet."""
        return tuple(sorted({name for pair in self.pairs for name in (pair.one, pair.other)}))

    @property
    def pairs_with_truth(self) -> tuple[str, ...]:
        """Examples in which the input can be shown against the ground truth."""
        wanted = {"input", "truth"}
        compared = {pair.example for pair in self.pairs}
        return tuple(name for name in sorted(compared) if wanted <= set(self.examples[name].videos))


def read_material(
    folder: Path, *, methods: tuple[str, ...] = (), against: str | None = None
) -> Material:
    """The videos of a folder of results, as `unflicker evaluate` writes it.

    Args:
        folder: With `videos/EXAMPLE/METHOD.mp4`, and `scores.jsonl` if categories are known.
        methods: Those to compare; all if empty.
        against: Only pairs with this method.

    Raises:
        InputError: There are no videos, or not two of one example.
        UsageError: A method that has no video, or only one.
    """
    examples = _examples(folder)
    known = sorted({name for example in examples.values() for name in example.methods})
    wanted = set(methods or known) | ({against} if against else set())
    for name in sorted(wanted):
        _refuse_unknown(name, known=known)
    if methods and len(wanted) == 1:
        raise UsageError(f"only {methods[0]} is asked for; name two methods or more, or none")
    pairs = tuple(
        Pair(example=example.name, category=example.category, one=one, other=other)
        for example in examples.values()
        for one, other in combinations([name for name in example.methods if name in wanted], 2)
        if against is None or against in (one, other)
    )
    if not pairs:
        raise InputError(
            f"nothing to compare in {folder / VIDEOS}: no example has results of two of the "
            f"methods asked for ({', '.join(sorted(wanted)) or 'there are none'}); "
            "each lies at EXAMPLE/METHOD.mp4"
        )
    return Material(examples=examples, pairs=pairs)


def _examples(folder: Path) -> dict[str, Example]:
    place = folder / VIDEOS
    if not place.is_dir():
        raise InputError(
            f"{folder} is no folder of results: {place} is not there; "
            "make one with: unflicker evaluate"
        )
    categories = {
        folder_name(row["example"]): str(row["category"])
        for row in read_rows(folder)
        if row.get("category")
    }
    return {
        path.name: _example(path, category=categories.get(path.name, _NO_CATEGORY))
        for path in sorted(place.iterdir())
        if path.is_dir() and not path.name.startswith(".")
    }


def _example(path: Path, *, category: str) -> Example:
    found = (file for file in sorted(path.glob("*.mp4")) if not file.name.startswith("."))
    videos = {file.stem: file for file in found if file.stat().st_size}
    return Example(name=path.name, category=category, videos=videos)


def _refuse_unknown(name: str, *, known: list[str]) -> None:
    if name in known:
        return
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known) or 'none'}"
    raise UsageError(f"no result is of a method named {name!r}; {hint}")
