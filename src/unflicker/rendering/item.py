"""The noun of rendering, a frame on its way, and the interface of its stages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from unflicker.frames.picture import Frame, Picture
from unflicker.grade.mask import Share
from unflicker.plan import FramePlan
from unflicker.repair.places import NONE, Repairs


@dataclass(frozen=True, kw_only=True, eq=False)
class Item:
    """A frame on its way through the stages of rendering, and its plan."""

    frame: Frame
    """The frame of the source, uncorrected."""
    plan: FramePlan
    picture: Picture
    """The result of the stages before."""
    strength: float = 1.0
    """Strength of the correction, 0 to 1."""
    share: Share | None = None
    """Correction share of each pixel, 0 to 1; 1 everywhere if None."""
    shot: int | None = None
    """Number of its shot, from 0; None if shots are not known."""
    repairs: Repairs = NONE
    """Where damage was repaired."""
    unmoved: Picture | None = None
    """The result before gate weave was removed; None if it was not."""


@runtime_checkable
class Stage(Protocol):
    """Items in, items out: one for one, in order."""

    @property
    def look_ahead_frames(self) -> int:
        """Items that it may read ahead; more where a picture is repeated."""
        ...

    @property
    def burn_in_frames(self) -> int:
        """Earlier items that may have an effect on one that is seen."""
        ...

    @property
    def follows_texture(self) -> bool:
        """Whether it changes frames only where the plan finds flicker of texture."""
        ...

    def __call__(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items with this stage's correction."""
        ...
