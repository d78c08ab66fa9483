"""Stages of rendering: items in, the same items with other pictures out, in order.

    items = through(items, [Grading(device=…), Refinement(…)])

A stage is called with an iterator and returns one. Each item comes out once, in order, after at
most `look_ahead_frames` more have been read. A film is rendered in segments, so a stage that
remembers earlier items says how many: `burn_in_frames` of them precede each segment. To add a
stage, write a callable with these attributes and name it in `after_grading`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from unflicker.compute.context import RunContext
from unflicker.frames.alpha import covered
from unflicker.frames.picture import Picture, same_samples
from unflicker.grade.apply import apply_grade
from unflicker.grade.apply_cuda import apply_grade_on
from unflicker.grade.fields import apply_grades
from unflicker.motion import estimate_motion
from unflicker.refinement.mixing import within_mask
from unflicker.refinement.refine import Graded, refined
from unflicker.rendering.haired import Hairs
from unflicker.rendering.item import Item, Stage
from unflicker.rendering.rebuilt import Rebuilding
from unflicker.rendering.repairing import Repair
from unflicker.rendering.scratched import Scratches
from unflicker.rendering.steadied import Steadying
from unflicker.settings import Settings


def through(items: Iterator[Item], stages: Sequence[Stage]) -> Iterator[Item]:
    """The items after all stages.

    Args:
        items: Frames and their plans, in order.
        stages: Applied in order.
    """
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
    if settings.repair.frames:
        stages.append(Rebuilding())
    if settings.repair.scratches:
        stages.append(Scratches(degree=settings.repair.degree))
    if settings.repair.hairs:
        stages.append(Hairs(degree=settings.repair.degree))
    if settings.repair.dirt:
        stages.append(Repair(degree=settings.repair.degree))
    if settings.refinement.used:
        stages.append(Refinement(proxy_px=settings.proxy.width_px))
    if settings.stabilise.gate:
        stages.append(Steadying())
    return stages


@dataclass(frozen=True, kw_only=True)
class Grading:
    """Applies each frame's grade."""

    device: str
    """"cpu" or "cuda:n"."""
    look_ahead_frames: int = 0
    burn_in_frames: int = 0
    follows_texture: bool = False

    def __call__(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items, each with its picture graded."""
        apply: Callable[..., Picture] = apply_grade
        if self.device != "cpu":
            apply = partial(apply_grade_on, device=self.device)
        for item in items:
            grade, lower = item.plan.grade.scaled(item.strength), item.plan.lower_grade
            if lower is None:
                picture = apply(item.picture, grade, mask=item.share)
            else:
                grades = grade, lower.scaled(item.strength)
                picture = apply_grades(item.picture, *grades, mask=item.share, apply=apply)
            yield replace(item, picture=picture)


@dataclass(frozen=True, kw_only=True)
class Refinement:
    """Removes flicker of texture where the plan has any."""

    proxy_px: int
    """Longest side of the proxies on which motion is estimated."""
    look_ahead_frames: int = 1
    burn_in_frames: int = 16
    """Eight for fading in and a neighbour, with one repeat for each at most; with an original, the
    first frame's share of the memory has fallen to 0.9^16 = 0.19."""
    follows_texture: bool = True

    def __call__(self, items: Iterator[Item]) -> Iterator[Item]:
        """The items, each with its picture refined; a repeat gets the same result again."""
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
        """Each picture that does not repeat the previous one; all items are put into `waiting`."""
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
                strong=plan.texture.strong,
            )
