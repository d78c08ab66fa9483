"""Pass 2 without segments: frames in order, for streams that are read or written once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from unflicker.analysis.analyse_film import analyse_film
from unflicker.compute.context import RunContext
from unflicker.compute.threads import running_ahead
from unflicker.grade.mask import FullShares, read_mask
from unflicker.jobs.resources import Resources
from unflicker.plan import FramePlan
from unflicker.recording import Recorder
from unflicker.rendering.options import RunOptions
from unflicker.rendering.planned import Planned, frame_by_frame, planned
from unflicker.rendering.resources import open_pool
from unflicker.rendering.stages import Item, stages_of, through
from unflicker.settings import Settings
from unflicker.video import PipeSource, VideoSource
from unflicker.video.pipe import TakenLater


@contextmanager
def rendered_in_order(
    film: VideoSource, settings: Settings, options: RunOptions, context: RunContext
) -> Iterator[Iterator[Item]]:
    """The frames of a film, each with its result, in order; a stream is read once.

    Args:
        film: A film, or a stream.
        settings: Of the run.
        options: May name a plan and a mask.
        context: Device and progress.

    Raises:
        InputError: The mask or plan is not of this film.
        UsageError: The film lacks a shot that is named.
    """
    mask = read_mask(options.mask, size=film.size) if options.mask else None
    shares = FullShares(mask)
    with open_pool(film, settings, _shared(options), context) as pool:
        if isinstance(film, PipeSource) and options.plan is None:
            later = TakenLater(film)
            with _analysed(later, settings, options, context, Resources(pool=pool)) as plan:
                items = (order.item(later.take(), shares) for order in plan.ordered())
                yield through(items, stages_of(plan.settings, context))
            return
        recorder, resources = Recorder(film, settings, output="-"), Resources(pool=pool)
        with planned(film, settings, options, recorder, context, resources=resources) as plan:
            px = plan.settings.proxy.width_px
            pairs = frame_by_frame(film, plan.ordered(), proxy_px=px)
            items = (order.item(frame, shares) for frame, order in pairs)
            yield through(items, stages_of(plan.settings, context))


@contextmanager
def _analysed(
    film: TakenLater,
    settings: Settings,
    options: RunOptions,
    context: RunContext,
    resources: Resources,
) -> Iterator[Planned]:
    """The plan of a stream; nothing of it is kept, since a stream may have no end."""
    analysed = analyse_film(film, settings, context, resources=resources)
    with running_ahead(analysed, most=settings.window.frames) as found:
        frames = (item for item in found if isinstance(item, FramePlan))
        yield Planned(frames=frames, settings=settings, shot_strengths=options.shot_strengths)


def _shared(options: RunOptions) -> RunOptions:
    """This process alone, unless more are asked for: others hold windows of their own."""
    return replace(options, jobs=options.jobs or 1)
