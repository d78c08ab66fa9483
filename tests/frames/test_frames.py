"""Laws of pictures, clips, colour and flow: conversions go there and back again."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_pictures import FULL, LAYOUTS, VIDEO, YUV420, noise
from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.frames.colour import from_rgb, small_rgb, to_rgb, to_working, yuv_to_rgb_matrix
from unflicker.frames.flow import pixel_places, warp
from unflicker.frames.picture import ColourMeaning, Frame, Picture

MATRICES = ["bt601", "bt709", "bt2020", "smpte240m", "fcc", "ycgco"]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_integer_goes_to_float_and_back(dtype: type) -> None:
    values = np.arange(np.iinfo(dtype).max + 1, dtype=dtype).reshape(1, -1, 1, 1)
    np.testing.assert_array_equal(from_float(to_float(values), dtype=dtype), values)


def test_floats_outside_black_and_white_become_black_and_white() -> None:
    values = np.array([-0.5, 0.0, 1.0, 1.5], np.float32)
    np.testing.assert_array_equal(from_float(values, dtype=np.uint8), [0, 0, 255, 255])


def test_floats_stay_the_same_object() -> None:
    values = np.zeros((2, 2, 2, 3), np.float32)
    assert to_float(values) is values


def test_a_clip_refuses_wrong_times_and_types() -> None:
    # With shape checks on, as in these tests, the annotation may be the first to refuse.
    with pytest.raises((ValueError, TypeError), match=r"2 times for 3 frames|seconds"):
        Clip(pixels=np.zeros((3, 4, 5, 3), np.uint8), seconds=np.arange(2.0))
    with pytest.raises(ValueError, match="float64"):
        Clip(pixels=np.zeros((1, 4, 5, 3)), seconds=np.arange(1.0))


def test_a_picture_refuses_planes_that_contradict_its_layout() -> None:
    luma, chroma = np.zeros((5, 7), np.uint8), np.zeros((3, 4), np.uint8)
    Picture(planes=(luma, chroma, chroma), layout=YUV420, meaning=VIDEO)
    with pytest.raises(ValueError, match="planes for"):
        Picture(planes=(luma,), layout=YUV420, meaning=VIDEO)
    with pytest.raises(ValueError, match="chroma of"):
        Picture(planes=(luma, luma, luma), layout=YUV420, meaning=VIDEO)
    wide = tuple(plane.astype(np.uint16) for plane in (luma, chroma, chroma))
    with pytest.raises(ValueError, match="samples of"):
        Picture(planes=wide, layout=YUV420, meaning=VIDEO)


def test_a_frame_knows_its_time_exactly() -> None:
    frame = Frame(picture=noise(YUV420), index=3, pts=1001, time_base=Fraction(1, 24000))
    assert frame.seconds == pytest.approx(1001 / 24000)


@pytest.mark.parametrize("matrix", MATRICES)
def test_white_is_white_and_grey_has_no_colour(matrix) -> None:
    to_colour = yuv_to_rgb_matrix(ColourMeaning(matrix=matrix))
    np.testing.assert_allclose(to_colour @ [1.0, 0.0, 0.0], 1.0, atol=1e-6)
    if matrix != "ycgco":
        back = np.linalg.inv(to_colour)
        np.testing.assert_allclose(back.sum(axis=1), [1, 0, 0], atol=1e-6)
        # Pure blue and red reach the ends of the chroma axes.
        assert (back @ [0, 0, 1.0])[1] == pytest.approx(0.5, abs=1e-6)
        assert (back @ [1.0, 0, 0])[2] == pytest.approx(0.5, abs=1e-6)


def test_known_colours_of_bt709_video() -> None:
    """Values of 75 % colour bars, as any test-card generator gives them."""
    bars = {(180, 128, 128): 0.7489, (16, 128, 128): 0.0, (235, 128, 128): 1.0}
    for (y, u, v), level in bars.items():
        planes = tuple(np.full((2, 2), value, np.uint8) for value in (y, u, v))
        picture = Picture(planes=planes, layout=LAYOUTS["yuv444p"], meaning=VIDEO)
        np.testing.assert_allclose(to_rgb(picture), level, atol=1e-3)
    planes = tuple(np.full((2, 2), value, np.uint8) for value in (63, 102, 240))
    red = to_rgb(Picture(planes=planes, layout=LAYOUTS["yuv444p"], meaning=VIDEO))
    np.testing.assert_allclose(red[0, 0], [1.0, 0.0, 0.0], atol=0.01)


@settings(max_examples=60, deadline=None)
@given(
    colour=st.tuples(*[st.floats(0.0, 1.0)] * 3),
    name=st.sampled_from(sorted(set(LAYOUTS) - {"grey", "grey16", "ya8"})),
    matrix=st.sampled_from(MATRICES),
    full=st.booleans(),
)
def test_colours_go_into_planes_and_back(colour, name, matrix, full) -> None:
    layout = LAYOUTS[name]
    meaning = ColourMeaning(matrix=matrix, full_range=full)
    rgb = np.full((6, 10, 3), colour, np.float32)
    back = to_rgb(from_rgb(rgb, layout=layout, meaning=meaning))
    # Rounding of luma and of both chroma planes adds up.
    np.testing.assert_allclose(back, rgb, atol=2.2 / layout.peak)


@pytest.mark.parametrize("name", LAYOUTS)
def test_shrinking_keeps_the_mean(name: str) -> None:
    picture = from_rgb(
        np.random.default_rng(0).uniform(0.3, 0.7, (40, 64, 3)).astype(np.float32),
        layout=LAYOUTS[name],
        meaning=FULL,
    )
    small = small_rgb(picture, size=(10, 16))
    np.testing.assert_allclose(small.mean((0, 1)), to_rgb(picture).mean((0, 1)), atol=3e-3)


@pytest.mark.parametrize("name", LAYOUTS)
def test_any_samples_give_colours_between_black_and_white(name: str) -> None:
    for size in [(37, 53), (5, 7), (90, 60)]:
        colours = small_rgb(noise(LAYOUTS[name]), size=size)
        assert colours.shape == (*size, 3)
        assert colours.dtype == np.float32
        assert colours.min() >= 0.0
        assert colours.max() <= 1.0


@pytest.mark.parametrize("transfer", ["power", "log"])
def test_ordinary_video_is_working_light_already(transfer) -> None:
    values = np.linspace(0, 1, 9, dtype=np.float32)
    assert to_working(values, ColourMeaning(transfer=transfer)) is values


@pytest.mark.parametrize("transfer", ["pq", "hlg", "linear"])
def test_working_light_rises_from_black_to_white(transfer) -> None:
    light = to_working(np.linspace(0, 1, 1000, dtype=np.float32), ColourMeaning(transfer=transfer))
    assert light[0] == pytest.approx(0.0, abs=1e-3)
    assert light[-1] == pytest.approx(1.0, abs=1e-3)
    assert np.all(np.diff(light) >= 0)


def test_known_points_of_pq_and_hlg() -> None:
    """100 cd/m² is 0.508 in PQ (ST 2084), a twelfth of the peak is ½ in HLG (BT.2100)."""
    pq = to_working(np.array([0.5081], np.float32), ColourMeaning(transfer="pq"))
    assert pq[0] ** 2.4 == pytest.approx(0.01, rel=0.01)
    hlg = to_working(np.array([0.5], np.float32), ColourMeaning(transfer="hlg"))
    assert hlg[0] ** 2.4 == pytest.approx(1 / 12, rel=1e-4)


@given(x=st.integers(-5, 5), y=st.integers(-5, 5))
def test_warping_by_whole_pixels_moves_pixels(x: int, y: int) -> None:
    picture = np.random.default_rng(0).random((16, 20, 3), np.float32)
    flow = np.broadcast_to(np.array([x, y], np.float32), (16, 20, 2)).copy()
    rows = np.clip(np.arange(16) + y, 0, 15)
    columns = np.clip(np.arange(20) + x, 0, 19)
    np.testing.assert_allclose(warp(picture, flow), picture[rows][:, columns], atol=1e-6)


def test_places_are_x_first_and_cannot_be_changed() -> None:
    places = pixel_places(3, 5)
    assert places.shape == (3, 5, 2)
    np.testing.assert_array_equal(places[2, 4], [4, 2])
    with pytest.raises(ValueError, match="read-only"):
        places[0, 0] = 1
