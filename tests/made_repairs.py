"""Films that repair is tried on: pictures of each layout, and a stage of rendering over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import numpy as np

from unflicker.frames.colour import from_rgb
from unflicker.frames.picture import ColourMeaning, Frame, Picture, PixelLayout
from unflicker.grade import Grade
from unflicker.plan import FramePlan
from unflicker.rendering.item import Item

YUV = PixelLayout(family="yuv", depth=8, chroma_shift=(1, 1))


def pictures(pixels: np.ndarray, layout: PixelLayout = YUV) -> list[Picture]:
    meaning = ColourMeaning(full_range=False)
    return [
        from_rgb(frame.astype(np.float32) / 255.0, layout=layout, meaning=meaning)
        for frame in pixels
    ]


def through(
    stage: Callable[[Iterator[Item]], Iterator[Item]],
    given: Sequence[Picture],
    *,
    repeats: Sequence[int] = (),
    cuts: Sequence[int] = (),
    **more,
) -> list[Picture]:
    """The pictures of a film after a stage of rendering."""

    def items() -> Iterator[Item]:
        for index, picture in enumerate(given):
            plan = FramePlan(
                index=index,
                grade=Grade.identity(),
                starts_shot=index == 0 or index in cuts,
                repeats=index in repeats,
            )
            frame = Frame(picture=picture, index=index, pts=index, time_base=Fraction(1, 24))
            yield Item(frame=frame, plan=plan, picture=picture, **more)

    return [item.picture for item in stage(items())]


def changed(before: Picture, after: Picture) -> np.ndarray:
    return before.planes[0] != after.planes[0]
