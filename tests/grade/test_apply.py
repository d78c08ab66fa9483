"""Laws of putting a grade on a picture: nothing for nothing, there and back, and no artefacts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_pictures import (
    FULL,
    LAYOUTS,
    VIDEO,
    YUV420,
    apply_grade,
    curve,
    equal,
    filled,
    gain,
    largest_difference,
    noise,
    nothing_but_work,
    smooth,
)
from unflicker.compute.threads import limited_to
from unflicker.frames.colour import from_rgb, small_rgb, to_rgb, to_working
from unflicker.frames.picture import ColourMeaning, Picture, PixelLayout
from unflicker.grade import Grade
from unflicker.grade.apply import apply_to_light

each_layout = pytest.mark.parametrize("name", LAYOUTS)
each_meaning = pytest.mark.parametrize("meaning", [VIDEO, FULL], ids=["video", "full"])


@each_layout
def test_the_identity_gives_the_same_object(name: str) -> None:
    picture = noise(LAYOUTS[name])
    assert apply_grade(picture, Grade.identity()) is picture
    assert apply_grade(picture, Grade.identity(rows=3, columns=4, bins=5)) is picture


@each_layout
@each_meaning
@pytest.mark.parametrize("size", [(36, 52), (37, 53), (1, 1), (2, 3)])
def test_a_gain_of_one_changes_no_sample_not_even_illegal_ones(
    name: str, meaning: ColourMeaning, size: tuple[int, int]
) -> None:
    picture = noise(LAYOUTS[name], size=size, meaning=meaning)
    graded = apply_grade(picture, nothing_but_work())
    assert graded is not picture
    assert equal(graded, picture)


@each_layout
def test_a_gain_and_its_inverse_meet_again(name: str) -> None:
    layout = LAYOUTS[name]
    y, x = np.mgrid[0:37, 0:53].astype(np.float32)
    waves = [0.45 + 0.15 * np.sin(x / 9 + y / 7 + 2 * channel) for channel in range(3)]
    picture = from_rgb(np.stack(waves, axis=-1), layout=layout, meaning=VIDEO)
    # Grey takes the mean of three gains, whose inverse is not the mean of the inverses.
    there = gain(0.2) if layout.family == "grey" else gain(0.2, -0.15, 0.1)
    back = apply_grade(apply_grade(picture, there), there.scaled(-1.0))
    assert largest_difference(back, picture) <= 2


@pytest.mark.parametrize("exponent", [0.8, 1.25])
def test_a_curve_and_its_inverse_meet_again(exponent: float) -> None:
    rgb = np.random.default_rng(2).uniform(0.1, 0.9, (36, 52, 3)).astype(np.float32)
    picture = from_rgb(rgb, layout=LAYOUTS["gbrp10"], meaning=FULL)
    back = apply_grade(apply_grade(picture, curve(exponent)), curve(1 / exponent))
    assert largest_difference(back, picture) <= 3


@settings(max_examples=40, deadline=None)
@given(
    stops=st.floats(-1.0, 1.0),
    level=st.floats(0.05, 0.45),
    name=st.sampled_from(["gbrp", "gbrp10", "grey16"]),
)
def test_a_gain_multiplies(stops: float, level: float, name: str) -> None:
    layout = LAYOUTS[name]
    value = round(level * layout.peak)
    picture = filled(layout, (value,) * layout.colour_planes, meaning=FULL)
    graded = apply_grade(picture, gain(stops))
    for plane in graded.planes:
        assert abs(float(plane.mean()) - value * 2.0**stops) < 0.2 + 1e-4 * layout.peak
        assert np.ptp(plane) <= 1


@settings(max_examples=40, deadline=None)
@given(
    colour=st.tuples(*[st.floats(0.25, 0.5)] * 3),
    stops=st.tuples(*[st.floats(-0.8, 0.8)] * 3),
    name=st.sampled_from(["yuv420p10", "yuv422p12", "yuv444p16"]),
    meaning=st.sampled_from([VIDEO, FULL, ColourMeaning(matrix="bt2020", full_range=False)]),
)
def test_a_gain_for_each_channel_multiplies_red_green_and_blue(
    colour: tuple, stops: tuple, name: str, meaning: ColourMeaning
) -> None:
    rgb = np.full((12, 18, 3), colour, np.float32)
    picture = from_rgb(rgb, layout=LAYOUTS[name], meaning=meaning)
    graded = to_rgb(apply_grade(picture, gain(*stops))).mean(axis=(0, 1))
    np.testing.assert_allclose(graded, np.array(colour) * 2.0 ** np.array(stops), atol=4e-3)


@pytest.mark.parametrize("name", ["gbrp10", "yuv444p16"])
def test_the_same_curve_holds_for_every_channel(name: str) -> None:
    rgb = np.random.default_rng(4).uniform(0.2, 0.8, (32, 48, 3)).astype(np.float32)
    picture = from_rgb(rgb, layout=LAYOUTS[name], meaning=FULL)
    graded = to_rgb(apply_grade(picture, curve(1.2)))
    np.testing.assert_allclose(graded, to_rgb(picture) ** 1.2, atol=0.002)


@each_layout
def test_transparency_is_nobodys_light(name: str) -> None:
    picture = noise(LAYOUTS[name])
    graded = apply_grade(picture, gain(-0.7))
    assert graded.layout is picture.layout
    assert graded.meaning is picture.meaning
    if picture.layout.alpha:
        assert graded.planes[-1] is picture.planes[-1]
    assert not np.array_equal(graded.planes[0], picture.planes[0])


@each_layout
def test_a_black_mask_is_no_grade_and_a_white_mask_no_mask(name: str) -> None:
    picture, grade = noise(LAYOUTS[name]), smooth()
    black, white = np.zeros(picture.size, np.float32), np.ones(picture.size, np.float32)
    assert equal(apply_grade(picture, grade, mask=black), picture)
    # Full share is one addition more, which may round the other way now and then.
    masked, whole = apply_grade(picture, grade, mask=white), apply_grade(picture, grade)
    assert largest_difference(masked, whole) <= (1 if picture.layout.depth < 16 else 2)


@each_layout
def test_a_mask_protects_where_it_is_black_alone(name: str) -> None:
    picture = noise(LAYOUTS[name], size=(36, 52))
    mask = np.zeros((36, 52), np.float32)
    mask[:, 28:] = 1.0
    graded = apply_grade(picture, smooth(), mask=mask)
    whole = apply_grade(picture, smooth())
    for plane in range(picture.layout.colour_planes):
        edge = 28 * picture.planes[plane].shape[1] // 52
        left, right = graded.planes[plane][:, :edge], graded.planes[plane][:, edge:]
        assert np.array_equal(left, picture.planes[plane][:, :edge])
        difference = np.abs(right.astype(int) - whole.planes[plane][:, edge:].astype(int))
        assert difference.max() <= 2


def test_a_mask_of_another_size_is_refused() -> None:
    picture = noise(YUV420)
    with pytest.raises(ValueError, match="mask of"):
        apply_grade(picture, gain(0.1), mask=np.ones((3, 4), np.float32))


def test_half_a_mask_is_half_the_change() -> None:
    picture = filled(LAYOUTS["gbrp10"], (400, 300, 200), meaning=FULL)
    half = np.full(picture.size, 0.5, np.float32)
    graded = apply_grade(picture, gain(-1.0), mask=half)
    means = [plane.mean() for plane in graded.planes]
    np.testing.assert_allclose(means, [300, 225, 150], atol=0.2)


@each_layout
@each_meaning
@pytest.mark.parametrize("stops", [-9.0, -1.0, 1.0, 9.0])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_black_grey_and_saturated_pictures_stay_within_their_depth(
    name: str, meaning: ColourMeaning, stops: float, share: float
) -> None:
    layout = LAYOUTS[name]
    value = round(share * layout.peak)
    planes = layout.colour_planes + layout.alpha
    picture = filled(layout, (value,) * planes, meaning=meaning)
    with np.errstate(all="raise"):
        graded = apply_grade(picture, gain(stops))
    for plane in graded.planes:
        assert plane.dtype == picture.planes[0].dtype
        assert int(plane.max()) <= layout.peak
        # Near a whole value of 16 bits, single precision may add to the dither.
        assert np.ptp(plane.astype(int)) <= (2 if layout.depth == 16 else 1)


@pytest.mark.parametrize("name", ["yuv420p", "yuv420p10", "grey", "gbrp"])
def test_black_stays_black(name: str) -> None:
    layout = LAYOUTS[name]
    black = from_rgb(np.zeros((8, 12, 3), np.float32), layout=layout, meaning=VIDEO)
    for grade in (gain(2.0), gain(-2.0), curve(0.7), curve(1.4), smooth(stops=1.0)):
        assert equal(apply_grade(black, grade), black)


def test_grey_in_video_range_is_scaled_from_its_black() -> None:
    picture = filled(LAYOUTS["grey"], (16 + 100,), meaning=VIDEO)
    graded = apply_grade(picture, gain(-1.0))
    assert float(graded.planes[0].mean()) == pytest.approx(16 + 50, abs=0.1)


def test_a_neutral_gain_leaves_neutral_greys_neutral() -> None:
    picture = filled(YUV420, (120, 128, 128))
    for plane in apply_grade(picture, gain(0.4)).planes[1:]:
        assert np.all(plane == 128)


def test_a_darkened_ramp_does_not_band() -> None:
    ramp = np.tile(np.linspace(90.0, 110.0, 640), (90, 1))
    picture = Picture(
        planes=(np.floor(ramp + 0.5).astype(np.uint8),), layout=LAYOUTS["grey"], meaning=FULL
    )
    graded = apply_grade(picture, gain(np.log2(0.93)))
    out = graded.planes[0].astype(float)
    exact = picture.planes[0] * 0.93
    # Plain rounding is off by one constant over each level's 32 columns; a noise averages out.
    columns = (out - exact).mean(axis=0)
    assert np.abs(columns).max() < 0.12
    assert abs((out - exact).mean()) < 0.01
    assert np.abs(out - exact).max() <= 1.0
    plain = (np.rint(exact) - exact).mean(axis=0)
    assert np.abs(plain).max() > 0.4


def test_the_same_picture_is_always_rounded_the_same_way() -> None:
    picture = noise(YUV420)
    assert equal(apply_grade(picture, smooth()), apply_grade(picture, smooth()))


@pytest.mark.parametrize("transfer", ["pq", "hlg", "linear"])
@pytest.mark.parametrize("name", ["yuv420p10", "gbrp10", "yuv422p12"])
def test_a_gain_is_a_gain_of_light_in_any_transfer(transfer, name) -> None:
    meaning = ColourMeaning(matrix="bt2020", full_range=False, transfer=transfer)
    rgb = np.random.default_rng(6).uniform(0.3, 0.6, (24, 36, 1)).astype(np.float32)
    picture = from_rgb(np.repeat(rgb, 3, axis=2), layout=LAYOUTS[name], meaning=meaning)
    before = to_working(to_rgb(picture), meaning)
    after = to_working(to_rgb(apply_grade(picture, gain(-0.3))), meaning)
    np.testing.assert_allclose(after, before * 2.0**-0.3, rtol=0.02)


@pytest.mark.parametrize("transfer", ["pq", "hlg", "linear"])
@pytest.mark.parametrize("name", ["yuv420p10", "gbrp10", "grey16"])
def test_a_gain_of_one_changes_hdr_by_a_code_at_most(transfer, name) -> None:
    layout = LAYOUTS[name]
    meaning = ColourMeaning(matrix="bt2020", full_range=False, transfer=transfer)
    rgb = np.linspace(0.02, 0.98, 24 * 36).reshape(24, 36, 1).astype(np.float32)
    picture = from_rgb(np.repeat(rgb, 3, axis=2), layout=layout, meaning=meaning)
    graded = apply_grade(picture, nothing_but_work())
    assert largest_difference(graded, picture) <= 1 << max(0, layout.depth - 10)


@pytest.mark.parametrize("transfer", ["pq", "hlg", "linear"])
def test_a_mask_of_nothing_leaves_hdr_bit_for_bit(transfer) -> None:
    meaning = ColourMeaning(matrix="bt2020", full_range=False, transfer=transfer)
    picture = noise(LAYOUTS["yuv420p10"], meaning=meaning)
    black = np.zeros(picture.size, np.float32)
    assert equal(apply_grade(picture, smooth(), mask=black), picture)


@pytest.mark.parametrize("bins", [1, 2, 6])
def test_light_and_pictures_take_a_grade_alike(bins: int) -> None:
    random = np.random.default_rng(7)
    rgb = random.uniform(0.02, 0.9, (40, 60, 3)).astype(np.float32)
    picture = from_rgb(rgb, layout=LAYOUTS["gbrp"], meaning=FULL)
    grade = smooth(bins=bins, stops=0.5)
    light = np.clip(apply_to_light(to_rgb(picture), grade), 0, 1)
    assert np.abs(to_rgb(apply_grade(picture, grade)) - light).max() <= 1.01 / 255


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_whole_numbers_take_a_grade_as_fractions_do_to_the_nearest_code(kind) -> None:
    peak = np.iinfo(kind).max
    codes = np.random.default_rng(0).integers(0, peak, (30, 40, 3), endpoint=True, dtype=kind)
    grade = smooth(bins=4, stops=0.5)
    wanted = apply_to_light(codes / np.float32(peak), grade) * np.float64(peak)
    graded = apply_to_light(codes, grade)
    assert graded.dtype == kind
    assert abs(graded - wanted).max() <= 0.5 + peak * 1e-6
    assert graded.max() == peak  # clipped, not wrapped around


def test_light_without_a_grade_is_the_same_object() -> None:
    light = np.zeros((4, 5, 3), np.float32)
    assert apply_to_light(light, Grade.identity()) is light


@pytest.mark.parametrize("name", ["yuv420p", "yuv444p16", "gbrp"])
def test_a_proxys_grade_fits_the_full_size(name: str) -> None:
    """Grades are found on small pictures: graded, then shrunk, must be shrunk, then graded."""
    y, x = np.mgrid[0:180, 0:320].astype(np.float32)
    waves = [0.45 + 0.2 * np.sin(x / 37 + y / 51 + channel) for channel in range(3)]
    picture = from_rgb(np.stack(waves, axis=-1), layout=LAYOUTS[name], meaning=VIDEO)
    grade = smooth(stops=0.25, bins=4)
    large = small_rgb(apply_grade(picture, grade), size=(45, 80))
    small = apply_to_light(small_rgb(picture, size=(45, 80)), grade)
    assert np.abs(large - small).max() < 0.012
    assert np.abs(large - small).mean() < 0.004


def test_a_grid_lies_over_the_picture_as_it_says() -> None:
    """Left half darker, right half brighter: cell centres at a quarter and three quarters."""
    log_gain = np.zeros((1, 2, 1, 3), np.float32)
    log_gain[:, 0], log_gain[:, 1] = -0.2, 0.2
    grade = Grade(curves=Grade.identity().curves, log_gain=log_gain)
    light = np.full((8, 400, 3), 0.4, np.float32)
    ratio = np.log(apply_to_light(light, grade)[0, :, 0] / 0.4)
    assert ratio[0] == pytest.approx(-0.2, abs=1e-4)
    assert ratio[99] == pytest.approx(-0.2, abs=3e-3)
    assert ratio[300] == pytest.approx(0.2, abs=3e-3)
    assert np.all(np.diff(ratio) >= -1e-6)


def test_rows_of_a_grid_run_from_top_to_bottom() -> None:
    log_gain = np.zeros((2, 1, 1, 3), np.float32)
    log_gain[1] = -0.5
    grade = Grade(curves=Grade.identity().curves, log_gain=log_gain)
    out = apply_to_light(np.full((40, 6, 3), 0.5, np.float32), grade)
    assert out[0, 0, 0] == pytest.approx(0.5)
    assert out[-1, 0, 0] == pytest.approx(0.5 * np.exp(-0.5), rel=1e-5)


def test_tone_bins_choose_by_luma() -> None:
    log_gain = np.zeros((1, 1, 2, 3), np.float32)
    log_gain[0, 0, 1] = -0.5
    grade = Grade(curves=Grade.identity().curves, log_gain=log_gain)
    dark = apply_to_light(np.full((4, 4, 3), 1e-4, np.float32), grade)
    bright = apply_to_light(np.ones((4, 4, 3), np.float32), grade)
    assert dark[0, 0, 0] == pytest.approx(1e-4, rel=0.01)
    assert bright[0, 0, 0] == pytest.approx(np.exp(-0.5), rel=1e-5)


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 20),
    width=st.integers(1, 20),
    shift=st.sampled_from([(0, 0), (1, 0), (1, 1), (0, 1), (2, 0), (2, 2)]),
)
def test_every_size_and_subsampling_is_graded_evenly(height, width, shift) -> None:
    layout = PixelLayout(family="yuv", depth=8, chroma_shift=shift)
    rgb = np.full((height, width, 3), (0.5, 0.4, 0.3), np.float32)
    picture = from_rgb(rgb, layout=layout, meaning=FULL)
    graded = to_rgb(apply_grade(picture, gain(-0.5)))
    np.testing.assert_allclose(graded, rgb * 2.0**-0.5, atol=0.02)


@pytest.mark.parametrize("name", ["yuv444p", "grey", "gbrp"])
@pytest.mark.parametrize("size", [(1, 64), (64, 1)])
def test_a_picture_of_one_row_or_column_is_graded_throughout(name, size) -> None:
    layout = LAYOUTS[name]
    picture = filled(layout, (100,) * layout.colour_planes, meaning=FULL)
    picture = Picture(
        planes=tuple(np.resize(plane, size) for plane in picture.planes),
        layout=layout,
        meaning=FULL,
    )
    for plane in apply_grade(picture, gain(-1.0)).planes[:1]:
        assert np.ptp(plane) <= 1


def test_chroma_belongs_to_the_pixels_it_covers() -> None:
    """4:1:1 nine pixels wide: chroma samples cover four, four and one, not three each."""
    layout = PixelLayout(family="yuv", depth=8, chroma_shift=(2, 0))
    chroma = np.array([[128, 220, 128]] * 4, np.uint8)
    planes = (np.full((4, 9), 120, np.uint8), np.full((4, 3), 128, np.uint8), chroma)
    picture = Picture(planes=planes, layout=layout, meaning=FULL)
    graded = apply_grade(picture, gain(-1.0, 0.0, 0.0))
    red = graded.planes[0].astype(int)
    assert np.ptp(red[:, 4:8]) <= 1
    assert np.ptp(red[:, :4]) <= 1
    assert red[0, 0] > red[0, 4] + 4


def test_bands_of_several_threads_give_the_pixels_of_one() -> None:
    light = np.random.default_rng(3).normal(0.0, 0.1, (4, 5, 3, 3)).astype(np.float32)
    grade = Grade(curves=curve(1.1).curves, log_gain=light)
    for name in ("yuv420p", "gbrp", "grey"):
        layout = LAYOUTS[name]
        large = noise(layout, size=(721, 720))
        with limited_to(1):
            one = apply_grade(large, grade)
        with limited_to(3):
            several = apply_grade(large, grade)
        for expected, found in zip(one.planes, several.planes, strict=True):
            np.testing.assert_array_equal(found, expected)
