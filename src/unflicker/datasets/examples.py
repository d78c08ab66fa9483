"""Types of a data set: examples of flicker and their files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

REAL = ("old movie", "old cartoon", "time-lapse", "slow motion", "generated")
"""The categories without a steady version, as in the paper."""
CATEGORIES = ("synthetic", "processed", "simulated", *REAL)
"""Categories of flickering video: the paper's, and flicker whose cause is simulated."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Example:
    """One flickering video, with its ground truth or original if there is one."""

    name: str
    """Unique in the data set: "apple/bands", "bedroom/white balance", "oldfilm_street"."""
    clip: str
    """The clip it was made from: "apple"."""
    category: str
    """One of `CATEGORIES`."""
    kind: str
    """Flicker of a synthetic example ("bands", "w10"), task of a processed one; else ""."""
    video: Path
    """The flickering video: a file, or a folder of numbered pictures."""
    truth: Path | None = None
    """Ground truth of a synthetic or simulated example."""
    original: Path | None = None
    """The steady video that was processed frame by frame."""
    fps: float | None = None
    """Frames a second, if the data set has it; None for that of the file."""

    def __post_init__(self) -> None:
        """Refuse a category that does not exist."""
        if self.category not in CATEGORIES:
            known = ", ".join(CATEGORIES)
            raise ValueError(f"{self.name} is of category {self.category!r}; pass one of {known}")


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """The examples of one folder."""

    name: str
    """Name of the set: "synthetic", "real and processed", "Lai et al. 2018"."""
    folder: Path
    examples: tuple[Example, ...]

    def __post_init__(self) -> None:
        """Refuse two examples of one name."""
        names = [example.name for example in self.examples]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two examples are named {twice[0]}; give each a name of its own")
