"""Pass 2 for pictures in memory: arrays in, arrays of the same type out, not dithered."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from fractions import Fraction

import numpy as np
from jaxtyping import Float32, Shaped

from unflicker.analysis.analyse_film import analyse_film
from unflicker.compute.context import RunContext
from unflicker.compute.devices import torch_sharing
from unflicker.compute.threads import running_ahead
from unflicker.frames.clip import from_float, to_float
from unflicker.frames.picture import Frame, Picture, as_array, as_picture
from unflicker.grade import Grade
from unflicker.grade.apply import apply_to_light
from unflicker.grade.mask import FullShares, Share
from unflicker.jobs.pool import Pool
from unflicker.jobs.resources import Resources
from unflicker.plan import FramePlan
from unflicker.rendering.stages import Item, Stage, after_grading, through
from unflicker.settings import Settings
from unflicker.video import VideoSource

Pixels = Shaped[np.ndarray, "height width *channels"]
"""RGB or grey."""


def render_arrays(
    arrays: Iterable[Pixels],
    film: VideoSource,
    settings: Settings,
    context: RunContext,
    *,
    originals: Iterable[Picture | None] = (),
    pool: Pool | None = None,
) -> Iterator[Pixels]:
    """Pictures in order, without flicker, of the same shape and type.

    Args:
        arrays: RGB or grey; uint8, uint16 or float32 in [0, 1]; read once, in order.
        film: The same pictures as a source.
        settings: Of the run.
        context: Device and progress.
        originals: The same pictures of the steady original; may end earlier; empty without one.
        pool: Workers that analyse windows side by side; None for this process alone.
    """
    if settings.redraws:
        yield from _redrawn(arrays, film, settings, context)
        return
    analysed = analyse_film(film, settings, context, resources=Resources(pool=pool))
    with running_ahead(analysed, most=settings.window.frames) as found:
        plans = (item for item in found if isinstance(item, FramePlan))
        graded = _graded(arrays, plans, settings.strength)
        if stages := after_grading(settings):
            yield from _through(stages, graded, iter(originals), strength=settings.strength)
        else:
            yield from (array for array, _, _ in graded)


def _graded(
    arrays: Iterable[Pixels], plans: Iterator[FramePlan], strength: float
) -> Iterator[tuple[Pixels, FramePlan, Share | None]]:
    shares = FullShares(None)
    # Plans come first: a picture has been read by the analysis when its plan is there.
    for plan, array in zip(plans, arrays, strict=True):
        share = shares.of_size(array.shape[:2], plan.kept)
        grade = plan.grade.scaled(strength)
        yield (array if grade.is_identity else _with(grade, array, share=share)), plan, share


def _through(
    stages: list[Stage],
    graded: Iterator[tuple[Pixels, FramePlan, Share | None]],
    originals: Iterator[Picture | None],
    *,
    strength: float,
) -> Iterator[Pixels]:
    """Graded arrays after the later stages of rendering."""
    waiting: deque[Pixels] = deque()

    def items() -> Iterator[Item]:
        for array, plan, share in graded:
            waiting.append(array)
            picture, at = as_picture(array), plan.index
            original = next(originals, None)
            frame = Frame(
                picture=picture, index=at, pts=at, time_base=Fraction(1), original=original
            )
            yield Item(
                frame=frame,
                plan=plan,
                picture=picture,
                strength=strength,
                share=share,
            )

    for item in through(items(), stages):
        yield as_array(item.picture, like=waiting.popleft())


def _redrawn(
    arrays: Iterable[Pixels], film: VideoSource, settings: Settings, context: RunContext
) -> Iterator[Pixels]:
    """Each picture redrawn by the reference system."""
    from unflicker.paper import pipeline as paper

    networks = paper.load_networks(settings, context)
    with torch_sharing():
        redrawn = paper.redrawn(film, networks, settings, context)
        for (_, rgb), array in zip(redrawn, arrays, strict=True):
            drawn = rgb.mean(axis=-1, dtype=np.float32) if array.ndim == 2 else rgb
            yield from_float(drawn, dtype=array.dtype)


def _with(grade: Grade, array: Pixels, *, share: Share | None) -> Pixels:
    """A picture with its grade applied, in its own type."""
    if array.ndim == 3:
        graded = apply_to_light(array, grade)
    else:
        colour = np.repeat(to_float(array)[..., None], 3, axis=-1)
        grey: Float32[np.ndarray, "height width"] = apply_to_light(colour, grade).mean(axis=-1)
        graded = from_float(grey, dtype=array.dtype)
    if share is None:
        return graded
    part = share.reshape(share.shape + (1,) * (array.ndim - 2))
    mixed = array + (graded.astype(np.float32) - array) * part
    return (np.rint(mixed) if array.dtype != np.float32 else mixed).astype(array.dtype)
