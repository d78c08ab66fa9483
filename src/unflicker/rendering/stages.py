"""Stages of rendering: items in, the same items with other pictures out, in order.

    items = through(items, [Grading(device=…), Refinement(…)])

A stage is called with an iterator and returns one; each item that goes in comes out once, in order,
after at most `look_ahead_frames` more have gone in. To add a stage, write a callable with that
attribute and name it in `after_grading`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from unflicker.compute.context import RunContext
from unflicker.frames.alpha import covered
from unflicker.frames.picture import Frame, Picture, same_samples
from unflicker.grade.apply import apply_grade
from unflicker.grade.apply_cuda import apply_grade_on
from unflicker.grade.mask import Share
from unflicker.motion import estimate_motion
from unflicker.plan import FramePlan
from unflicker.refinement.mixing import within_mask
from unflicker.refinement.refine import Graded, refined
from unflicker.settings import Settings


@dataclass(frozen=True, kw_only=True, eq=False)
class Item:
    """A frame on its way through the stages of rendering, and its plan."""

    frame: Frame
    """As the source has it."""
    plan: FramePlan
    picture: Picture
    """What the stages before have made of it."""
    strength: float = 1.0
    """How much of its plan is followed, 0 to 1."""
    share: Share | None = None
    """How much of a correction each pixel takes, 0 to 1; all of it where None."""


@runtime_checkable
class Stage(Protocol):
    """Items in, items out: one for one, in order."""

    @property
    def look_ahead_frames(self) -> int:
        """How many more items it may take before it gives one back; two more where a picture is
        shown again."""
        ...

    def __call__(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items with this stage's correction."""
        ...


def through(items: Iterator[Item], stages: Sequence[Stage]) -> Iterator[Item]:
    """The items after all stages, which work one after the other on each."""
    for stage in stages:
        items = stage(items)
    return items


def stages_of(settings: Settings, context: RunContext) -> list[Stage]:
    """The stages that render a video as settings say, in order.

    Args:
        settings: Of the run.
        context: Of the run.
    """
    return [Grading(device=context.device), *after_grading(settings)]


def after_grading(settings: Settings) -> list[Stage]:
    """The stages after the grade, in order; for files and for pictures in memory alike."""
    stages: list[Stage] = []
    if settings.refinement.used:
        stages.append(Refinement(proxy_px=settings.proxy.width_px))
    return stages


@dataclass(frozen=True, kw_only=True)
class Grading:
    """Applies each frame's grade."""

    device: str
    """"cpu" or "cuda:n"."""
    look_ahead_frames: int = 0

    def __call__(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items, each with its picture graded."""
        for item in items:
            grade = item.plan.grade.scaled(item.strength)
            if self.device == "cpu":
                picture = apply_grade(item.picture, grade, mask=item.share)
            else:
                picture = apply_grade_on(item.picture, grade, device=self.device, mask=item.share)
            yield replace(item, picture=picture)


@dataclass(frozen=True, kw_only=True)
class Refinement:
    """Removes flicker of texture where the plan has found any."""

    proxy_px: int
    """Longest side of the proxies on which motion is found."""
    look_ahead_frames: int = 1

    def __call__(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items, each with its picture refined; a picture that is shown again gets the same
        answer again."""
        waiting: deque[list[Item]] = deque()
        pictures = refined(
            self._new_ones(items, waiting),
            follow=estimate_motion,
            proxy_px=self.proxy_px,
        )
        for picture in pictures:
            for item in waiting.popleft():
                share = item.share
                whole = share is None
                yield replace(
                    item, picture=picture if whole else within_mask(item.picture, picture, share)
                )

    @staticmethod
    def _new_ones(items: Iterator[Item], waiting: deque[list[Item]]) -> Iterator[Graded]:
        """Each picture that is no repeat of the one before; all items go to `waiting`."""
        for item in items:
            plan = item.plan
            if waiting and plan.repeats and same_samples(item.picture, waiting[-1][0].picture):
                waiting[-1].append(item)
                continue
            waiting.append([item])
            yield Graded(
                picture=covered(item.picture),
                texture_flickers=plan.texture.amount > 0.0,
                where=plan.texture.where,
                starts_shot=plan.starts_shot,
                strength=item.strength,
                stands_alone=plan.keeps_light,
                light_scale=plan.light_scale,
                original=item.frame.original,
            )
