"""Films of before and after for the player: both stacked in one, so that they cannot drift apart.

The upper half is before, the lower half after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from unflicker.compute.context import ON_THE_CPU
from unflicker.frames.picture import Frame, Picture
from unflicker.grade.mask import FullShares
from unflicker.plan import Plan
from unflicker.progress import Progress
from unflicker.rendering.stages import Item, Stage, stages_of, through
from unflicker.settings.schema import StabiliseSettings
from unflicker.studio.look import KEYFRAME_EVERY, SMALL_FILM, look_of
from unflicker.studio.masks import mask_of
from unflicker.studio.pictures import stacked, viewable, whole_part_size
from unflicker.studio.planning import plan_file
from unflicker.studio.steering import Steering
from unflicker.video import frames_from, open_video
from unflicker.video.viewing import ViewingFilm

_PREVIEW_PX = 1280
_CRF = 23
_PREVIEW_CRF = 18
_TOLD_EVERY = 8
Pair = tuple[Picture, Picture, float]
"""Before, after, seconds."""
Tell = Callable[[Progress], None]


@dataclass(frozen=True, kw_only=True)
class ClipTask:
    """A clip of a film to be made."""

    source: Path
    folder: Path
    target: Path
    steering: Steering
    start: int = 0
    """First frame."""
    frames: int | None = None
    """Number of frames; None for all to the end."""
    result: Path | None = None
    """The finished film, to be shown as it is; None for what the plan would give."""


def small_compare(task: ClipTask, tell: Tell) -> None:
    """Before and after of a whole film in small, from its small copy.

    Args:
        task: The film; with `result`, after is the finished film.
        tell: Receives the progress.
    """
    copy = open_video(task.folder / SMALL_FILM)
    if task.result is not None:
        size = copy.size
        after = (viewable(frame.picture, size=size) for frame in open_video(task.result).frames())
        pairs = (
            (frame.picture, other, frame.seconds)
            for frame, other in zip(copy.frames(), after, strict=False)
        )
    else:
        pairs = _corrected(copy.frames(), task, size=copy.size)
    _write(pairs, task, tell, crf=_CRF, total=copy.estimated_frames)


def full_preview(task: ClipTask, tell: Tell) -> None:
    """Before and after of a few seconds, corrected at full size.

    Args:
        task: The film, and which frames.
        tell: Receives the progress.
    """
    look = look_of(task.folder)
    assert look is not None
    film, stages = open_video(task.source), _stages(task)
    ahead = min(task.start, max((stage.burn_in_frames for stage in stages), default=0))
    first = task.start - ahead
    frames = frames_from(film, first, int(look.pts[first]))
    size = whole_part_size(film.size, longest_px=_PREVIEW_PX)
    last = None if task.frames is None else ahead + task.frames
    pairs = islice(_corrected(frames, task, size=size), ahead, last)
    _write(pairs, task, tell, crf=_PREVIEW_CRF, total=task.frames)


def _corrected(frames: Iterator[Frame], task: ClipTask, *, size: tuple[int, int]) -> Iterator[Pair]:
    for item in through(_items(frames, task), _stages(task)):
        before, after = (viewable(p, size=size) for p in (item.frame.picture, item.picture))
        yield before, after, item.frame.seconds


def _items(frames: Iterator[Frame], task: ClipTask) -> Iterator[Item]:
    plan, shares, steering = Plan(plan_file(task.folder, task.steering)), None, task.steering
    for frame in frames:
        if frame.index >= len(plan):
            return
        if shares is None:
            shares = FullShares(mask_of(task.folder, steering, size=frame.picture.size))
        shot = plan.shot_at(frame.index)
        found = steering.applied(plan[frame.index], shot=shot)
        yield Item(
            frame=frame,
            plan=found,
            picture=frame.picture,
            strength=steering.strength * steering.of_shot(shot).strength,
            share=shares.of(frame.picture, found.kept),
            shot=shot,
        )


def _stages(task: ClipTask) -> list[Stage]:
    """The stages of rendering; damage and weave, in pixels of the film, are left as they are in a
    small copy."""
    settings = task.steering.settings
    if task.start == 0 and task.frames is None:
        repair, stabilise = settings.repair.only(), StabiliseSettings()
        settings = replace(settings, repair=repair, stabilise=stabilise)
    return stages_of(settings, ON_THE_CPU)


def _write(
    pairs: Iterable[Pair], task: ClipTask, tell: Tell, *, crf: int, total: int | None
) -> None:
    first = None
    with ViewingFilm(task.target, keyframe_every=KEYFRAME_EVERY, crf=crf) as film:
        for done, (before, after, seconds) in enumerate(pairs, start=1):
            first = seconds if first is None else first
            film.add(stacked(before, after), seconds=seconds - first)
            if done % _TOLD_EVERY == 0:
                tell(Progress(stage="preview", done=done, total=total))
