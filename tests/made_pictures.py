"""Pictures in every layout a film may have, and grades to put on them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from unflicker.frames.picture import ColourMeaning, Picture, PixelLayout
from unflicker.grade import Grade, apply
from unflicker.grade.grade import curve_inputs
from unflicker.grade.matrix import log_matrix_of

YUV420 = PixelLayout(family="yuv", depth=8, chroma_shift=(1, 1))
LAYOUTS = {
    "yuv420p": YUV420,
    "yuv422p": PixelLayout(family="yuv", depth=8, chroma_shift=(1, 0)),
    "yuv444p": PixelLayout(family="yuv", depth=8),
    "yuv440p": PixelLayout(family="yuv", depth=8, chroma_shift=(0, 1)),
    "yuv411p": PixelLayout(family="yuv", depth=8, chroma_shift=(2, 0)),
    "yuv420p10": PixelLayout(family="yuv", depth=10, chroma_shift=(1, 1)),
    "yuv422p12": PixelLayout(family="yuv", depth=12, chroma_shift=(1, 0)),
    "yuv444p16": PixelLayout(family="yuv", depth=16),
    "yuva420p": PixelLayout(family="yuv", depth=8, chroma_shift=(1, 1), alpha=True),
    "grey": PixelLayout(family="grey", depth=8),
    "grey16": PixelLayout(family="grey", depth=16),
    "ya8": PixelLayout(family="grey", depth=8, alpha=True),
    "gbrp": PixelLayout(family="rgb", depth=8),
    "gbrp10": PixelLayout(family="rgb", depth=10),
    "gbrap16": PixelLayout(family="rgb", depth=16, alpha=True),
}
VIDEO = ColourMeaning(matrix="bt709", full_range=False)
FULL = ColourMeaning(matrix="bt601", full_range=True)


def noise(
    layout: PixelLayout,
    *,
    size: tuple[int, int] = (37, 53),
    meaning: ColourMeaning = VIDEO,
    seed: int = 0,
) -> Picture:
    """Samples drawn from all values the depth can hold, legal for video or not."""
    random = np.random.default_rng(seed)
    shift_x, shift_y = layout.chroma_shift
    small = (-((-size[0]) >> shift_y), -((-size[1]) >> shift_x))
    shapes = [size] if layout.family == "grey" else [size, small, small]
    shapes += [size] * layout.alpha
    sample = np.uint8 if layout.depth == 8 else np.uint16
    planes = tuple(random.integers(0, layout.peak + 1, shape).astype(sample) for shape in shapes)
    return Picture(planes=planes, layout=layout, meaning=meaning)


def filled(
    layout: PixelLayout, values: tuple[int, ...], *, meaning: ColourMeaning = VIDEO
) -> Picture:
    """A picture whose planes hold one value each."""
    blank = noise(layout, meaning=meaning)
    planes = tuple(np.full_like(p, v) for p, v in zip(blank.planes, values, strict=True))
    return Picture(planes=planes, layout=layout, meaning=meaning)


def apply_grade(picture: Picture, grade: Grade, **options: Any) -> Picture:
    """Puts a grade on a picture as a decoder gives it: nobody may write into its planes.

    Loops are compiled anew for each kind of array, so the tests of films share those of pictures.
    """
    for plane in picture.planes:
        plane.setflags(write=False)
    return apply.apply_grade(picture, grade, **options)


def gain(*stops: float) -> Grade:
    """A grade of one gain for all of the picture: one number, or one for each channel, in stops."""
    log_gain = np.zeros((1, 1, 1, 3), np.float32)
    log_gain[...] = np.log(2.0) * np.array(stops, np.float32)
    return Grade(curves=Grade.identity().curves, log_gain=log_gain)


def curve(exponent: float) -> Grade:
    """A grade that raises all channels to a power."""
    curves = np.tile(curve_inputs() ** np.float32(exponent), (3, 1)).astype(np.float32)
    return Grade(curves=curves, log_gain=np.zeros((1, 1, 1, 3), np.float32))


def mixed(saturation: float = 0.2, hue: float = 0.0, *, grade: Grade | None = None) -> Grade:
    """A grade (or another grade) whose matrix multiplies saturation by e^saturation, turns hue."""
    log_matrix = log_matrix_of(np.full(3, saturation), np.full(3, hue)).astype(np.float32)
    return replace(grade or Grade.identity(), log_matrix=log_matrix)


def nothing_but_work() -> Grade:
    """A grade whose gains are one, yet is not the identity: samples go through the kernel."""
    log_gain = np.full((3, 4, 2, 3), 1e-12, np.float32)
    return Grade(curves=Grade.identity().curves, log_gain=log_gain)


def smooth(*, seed: int = 0, stops: float = 0.3, bins: int = 3) -> Grade:
    """Another gain at each place, tone and channel, and a slight curve."""
    random = np.random.default_rng(seed)
    log_gain = random.uniform(-1, 1, (4, 5, bins, 3)) * stops * np.log(2.0)
    return Grade(curves=curve(1.1).curves, log_gain=log_gain.astype(np.float32))


def equal(one: Picture, other: Picture) -> bool:
    """Bit for bit."""
    return all(np.array_equal(a, b) for a, b in zip(one.planes, other.planes, strict=True))


def largest_difference(one: Picture, other: Picture) -> int:
    """In code values, over all planes."""
    return max(
        int(np.abs(a.astype(int) - b.astype(int)).max())
        for a, b in zip(one.planes, other.planes, strict=True)
    )
