"""The nouns of a data set: examples of flicker, and where their files lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

CATEGORIES = (
    "synthetic",
    "processed",
    "old movie",
    "old cartoon",
    "time-lapse",
    "slow motion",
    "generated",
)
"""Kinds of flickering video, as the paper sorts them."""
REAL = CATEGORIES[2:]
"""Those of which no steady version exists."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """One flickering video, and what is known about it."""

    name: str
    """Unique in the data set: "apple/bands", "bedroom/white balance", "oldfilm_street"."""
    clip: str
    """The clip it was made of: "apple"."""
    category: str
    """One of `CATEGORIES`."""
    kind: str
    """Of a synthetic one the flicker ("bands", "w10"), of a processed one the task; else ""."""
    video: Path
    """What flickers: a video file, or a folder of numbered pictures."""
    truth: Path | None = None
    """The clean clip of a synthetic one."""
    original: Path | None = None
    """The steady video that was processed, frame by frame."""
    fps: float | None = None
    """Frames a second, where the data set says so; None takes the file's word."""

    def __post_init__(self) -> None:
        """Refuse a category that does not exist."""
        if self.category not in CATEGORIES:
            known = ", ".join(CATEGORIES)
            raise ValueError(f"{self.name} is of category {self.category!r}; pass one of {known}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Examples that belong together."""

    name: str
    """What the set is: "synthetic", "real and processed", "Lai et al. 2018"."""
    folder: Path
    examples: tuple[Example, ...]

    def __post_init__(self) -> None:
        """Refuse two examples of one name."""
        names = [example.name for example in self.examples]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two examples are named {twice[0]}; give each a name of its own")
