"""Laws of transparency: what is not seen has no influence."""

from dataclasses import replace

import numpy as np
import pytest

from made_clips import scene
from unflicker.frames.alpha import covered, small_seen, visible_places
from unflicker.frames.colour import from_rgb, small_rgb
from unflicker.frames.picture import ColourMeaning, Picture, PixelLayout

LAYOUTS = [
    PixelLayout(family="rgb", depth=8, alpha=True),
    PixelLayout(family="rgb", depth=16, alpha=True),
    PixelLayout(family="grey", depth=8, alpha=True),
    PixelLayout(family="yuv", depth=10, chroma_shift=(0, 0), alpha=True),
]


def see_through(layout: PixelLayout, *, under: float) -> Picture:
    """A disc of a scene; under alpha 0 all samples are a share of the peak."""
    shown = from_rgb(scene(seed=3, size=(64, 96)), layout=layout, meaning=ColourMeaning())
    y, x = np.mgrid[:64, :96]
    alpha = np.clip((24 - np.hypot(x - 40, y - 30)) / 3, 0, 1) * layout.peak
    alpha = alpha.astype(shown.planes[-1].dtype)
    junk = round(under * layout.peak)
    colour = [np.where(alpha > 0, plane, junk).astype(plane.dtype) for plane in shown.planes[:-1]]
    return replace(shown, planes=(*colour, alpha))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [(64, 96), (21, 32)])
def test_a_small_picture_is_the_same_whatever_lies_underneath(layout, size) -> None:
    one, other = (small_seen(see_through(layout, under=u), size=size) for u in (0.1, 0.9))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])
    assert small_rgb(see_through(layout, under=0.1), size=size).mean() < one[0].mean()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_opaque_picture_is_what_it_is_without_transparency(layout) -> None:
    picture = from_rgb(scene(seed=3, size=(64, 96)), layout=layout, meaning=ColourMeaning())
    pixels, opaque = small_seen(picture, size=(21, 32))
    assert opaque is None
    assert visible_places(picture) is None
    assert covered(picture) is picture
    np.testing.assert_array_equal(pixels, small_rgb(picture, size=(21, 32)))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_covering_changes_only_what_is_not_seen_and_forgets_it(layout) -> None:
    one, other = (see_through(layout, under=u) for u in (0.1, 0.9))
    seen = visible_places(one)
    for before, after, twin in zip(
        one.planes, covered(one).planes, covered(other).planes, strict=True
    ):
        np.testing.assert_array_equal(before[seen], after[seen])
        np.testing.assert_array_equal(after, twin)


def test_a_frame_of_which_nothing_is_seen_is_black_and_of_no_weight() -> None:
    picture = see_through(LAYOUTS[0], under=0.5)
    nothing = replace(picture, planes=(*picture.planes[:3], np.zeros_like(picture.planes[3])))
    pixels, opaque = small_seen(nothing, size=(21, 32))
    assert opaque is not None
    assert not opaque.any()
    assert not pixels.any()
