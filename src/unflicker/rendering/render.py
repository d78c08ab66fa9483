"""Pass 2 for a video: frames at full resolution, corrected by plans or redrawn by networks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain, islice

from unflicker.compute.context import RunContext
from unflicker.compute.devices import torch_sharing
from unflicker.errors import UsageError
from unflicker.grade.mask import FullShares, Share, read_mask
from unflicker.jobs.resources import Resources
from unflicker.recording import Recorder
from unflicker.rendering.options import RunOptions
from unflicker.rendering.planned import Ordered, Planned, frame_by_frame, planned
from unflicker.rendering.segments import (
    Making,
    Rendered,
    Segment,
    finished,
    needs_of,
    segments_of_items,
    segments_of_results,
)
from unflicker.rendering.side_by_side import RenderTask, segments_side_by_side
from unflicker.rendering.stages import Item, Stage, stages_of
from unflicker.settings import Settings
from unflicker.video import VideoSource


@contextmanager
def render_film(
    film: VideoSource,
    task: RenderTask,
    options: RunOptions,
    recorder: Recorder,
    context: RunContext,
    resources: Resources,
) -> Iterator[Iterator[Segment]]:
    """The segments of a film in order, without flicker, and their measurements.

    Args:
        film: Read twice at the same time, by analysis and by rendering.
        task: How its segments are rendered and encoded.
        options: The part of the film to process, and other files to read and write.
        recorder: Receives every plan and finding.
        context: Device and progress.
        resources: Where finished parts are kept, and who shares the work.

    Raises:
        UsageError: A plan is named, and the method has none.
        InputError: The mask or plan is not of this film.
    """
    settings = task.settings
    mask = read_mask(task.mask, size=film.size) if task.mask else None
    tell = partial(context.tell, "render", total=film.estimated_frames)
    making = Making(form=task.form, work=resources.kept_in, tell=lambda done: tell(done=done))
    if settings.redraws:
        need_plans(settings, options)
        results = _redrawn(film, settings, mask, context)
        yield segments_of_results(results, making)
        return
    with planned(film, settings, options, recorder, context, resources=resources) as plan:
        task = replace(task, settings=plan.settings)
        if resources.pool is None:
            stages = stages_of(task.settings, context)
            yield _one_by_one(film, plan, stages, making, mask=mask)
        else:
            yield segments_side_by_side(plan, task, making, pool=resources.pool)


def need_plans(settings: Settings, options: RunOptions | None = None) -> None:
    """Refuse a method without plans where a plan is needed.

    Args:
        settings: Of the run.
        options: May name a plan; None if a plan is needed in any case.

    Raises:
        UsageError: The method redraws frames and a plan is needed.
    """
    asked = options is None or options.plan or options.save_plan or options.shot_strengths
    if settings.redraws and asked:
        raise UsageError(
            "preset paper redraws frames and has no grades to inspect, save, apply or "
            "change by shot; "
            "use --preset fast or standard"
        )


def _one_by_one(
    film: VideoSource,
    planned: Planned,
    stages: Sequence[Stage],
    making: Making,
    *,
    mask: Share | None,
) -> Iterator[Segment]:
    """The segments of a film, which is read from a little before the first that is not finished on.

    Args:
        film: Read once.
        planned: Plans, settings and strengths.
        stages: Of rendering.
        making: How and where segments are made.
        mask: Correction shares of the pixels.
    """
    orders = planned.ordered()
    # Who follows a plan from a file reads all of the film, to compare them.
    done = finished(making) if planned.is_analysed else iter(())
    if (first := next(done, None)) is None:
        return segments_of_items(_items(film, orders, planned, mask=mask), stages, making)

    def continued() -> Iterator[Segment]:
        last: deque[Ordered] = deque(maxlen=max(1, needs_of(stages).burn_in))
        passed = 0
        for segment in chain([first], done):
            last.extend(islice(orders, len(segment.measured.seconds)))
            passed += len(segment.measured.seconds)
            yield segment
        items = _items(film, chain(last, orders), planned, mask=mask)
        yield from segments_of_items(items, stages, making, since=passed)

    return continued()


def _items(
    film: VideoSource, orders: Iterator[Ordered], planned: Planned, *, mask: Share | None
) -> Iterator[Item]:
    """Each frame with its plan, strength and correction shares."""
    shares, proxy_px = FullShares(mask), planned.settings.proxy.width_px
    for frame, order in frame_by_frame(film, orders, proxy_px=proxy_px):
        yield order.item(frame, shares)


def _redrawn(
    film: VideoSource, settings: Settings, mask: Share | None, context: RunContext
) -> Iterator[Rendered]:
    """Each frame redrawn by the reference system."""
    from unflicker.paper import pipeline as paper

    networks = paper.load_networks(settings, context)
    with torch_sharing():
        for frame, rgb in paper.redrawn(film, networks, settings, context, mask=mask):
            yield Rendered(frame=frame, picture=paper.as_picture(rgb, frame.picture))
