"""Every pixel format is read as planes and comes back bit for bit."""

import av
import numpy as np
import pytest
from made_films import moving

from unflicker.frames.picture import ColourMeaning, Picture
from unflicker.video.pixel_formats import frame_of, planes_of, reformatted, stored_format

PLANAR = [
    "yuv420p", "yuv422p", "yuv444p", "yuv411p", "yuv410p", "yuv440p", "yuva420p", "yuva422p",
    "yuva444p", "yuv420p9le", "yuv420p10le", "yuv422p10le", "yuv444p10le", "yuv420p12le",
    "yuv444p12le", "yuv422p16le", "yuva420p10le", "yuva444p10le", "yuva422p12le",
    "yuva444p12le", "gray", "gray9le", "gray10le", "gray12le", "gray14le", "gray16le", "gbrp",
    "gbrp9le", "gbrp10le", "gbrp12le", "gbrp14le", "gbrp16le", "gbrap", "gbrap10le",
    "gbrap12le", "gbrap16le", "ya8", "ya16le",
]  # fmt: skip
PACKED = [
    "nv12", "nv21", "nv16", "nv24", "yuyv422", "uyvy422", "yvyu422", "vuya", "rgb24", "bgr24",
    "rgba", "bgra", "argb", "abgr", "rgb48le", "rgb48be", "bgr48le", "rgba64le", "bgra64le",
    "ayuv64le", "gray16be", "ya16be", "yuv420p10be", "gbrp16be",
]  # fmt: skip


PAIRS_OF_PIXELS = ("yuyv422", "uyvy422", "yvyu422")
"""Formats in which half a pair of pixels does not exist: their width is even."""
NAMES_AND_SIZES = [(name, (48, 64)) for name in PLANAR + PACKED] + [
    (name, (37, 51)) for name in PLANAR + PACKED if name not in PAIRS_OF_PIXELS
]


@pytest.mark.parametrize(("name", "size"), NAMES_AND_SIZES)
def test_there_and_back_again_changes_nothing(name, size):
    height, width = size
    frame = moving(name, width=width, height=height, index=1)
    stored = stored_format(name)
    planes = planes_of(frame)
    picture = Picture(planes=planes, layout=stored.layout, meaning=ColourMeaning())
    assert picture.size == size
    assert stored.exact
    back = reformatted(frame_of(planes, layout=stored.layout), name)
    assert back.format.name == name
    for one, other in zip(planes, planes_of(back), strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("name", ["p010le", "p210le", "p012le"])
def test_samples_in_the_high_bits_come_into_the_low_bits(name):
    frame = moving(name, width=64, height=48, index=0)
    depth = stored_format(name).layout.depth
    stored = np.frombuffer(frame.planes[0], np.uint16).reshape(48, -1)[:, :64]
    assert np.array_equal(planes_of(frame)[0], stored >> (16 - depth))


def test_planar_frames_are_views_that_nobody_can_write_into():
    frame = moving("yuv420p", width=64, height=48, index=0)
    plane = planes_of(frame)[0]
    assert np.shares_memory(plane, np.frombuffer(frame.planes[0], np.uint8))
    with pytest.raises(ValueError, match="read-only"):
        plane[0, 0] = 1


def test_planes_live_on_when_the_frame_is_gone():
    planes = planes_of(moving("yuv420p", width=64, height=48, index=3))
    again = planes_of(moving("yuv420p", width=64, height=48, index=3))
    for _ in range(20):
        moving("yuv420p", width=64, height=48, index=9)
    assert all(np.array_equal(a, b) for a, b in zip(planes, again, strict=True))


def test_planes_of_rgb_are_red_green_blue():
    pixels = np.zeros((16, 16, 3), np.uint8)
    pixels[...] = (10, 20, 30)
    for name in ("rgb24", "gbrp", "bgr24", "bgra"):
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=name)
        assert [int(plane[0, 0]) for plane in planes_of(frame)[:3]] == [10, 20, 30]


def test_what_cannot_be_exact_says_so():
    assert not stored_format("gbrpf32le").exact
    assert stored_format("yuv420p").exact
    assert stored_format("pal8").layout.alpha
