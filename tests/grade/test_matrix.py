"""Laws of matrices that mix channels: grey stays grey, there and back, saturation and hue."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from made_pictures import (
    FULL,
    LAYOUTS,
    VIDEO,
    apply_grade,
    curve,
    equal,
    largest_difference,
    mixed,
    noise,
    smooth,
)
from unflicker.frames.colour import from_rgb, to_rgb, to_working
from unflicker.frames.picture import ColourMeaning, PixelLayout
from unflicker.grade.apply import apply_to_light
from unflicker.grade.matrix import log_matrix_of, matrix_exponential

each_layout = pytest.mark.parametrize("name", LAYOUTS)
each_meaning = pytest.mark.parametrize("meaning", [VIDEO, FULL], ids=["video", "full"])
small = st.floats(-0.6, 0.6)


def rows(value: float) -> np.ndarray:
    return np.full(3, value)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000))
def test_grey_stays_grey(seed: int) -> None:
    random = np.random.default_rng(seed)
    matrix = matrix_exponential(log_matrix_of(random.normal(0, 0.4, 3), random.normal(0, 0.4, 3)))
    np.testing.assert_allclose(matrix @ rows(0.37), rows(0.37), atol=1e-12)


@settings(deadline=None)
@given(seed=st.integers(0, 10_000), size=st.floats(0.01, 3.0))
def test_the_exponential_of_the_negative_is_the_inverse(seed: int, size: float) -> None:
    logarithm = np.random.default_rng(seed).normal(0, size, (3, 3))
    there, back = matrix_exponential(logarithm), matrix_exponential(-logarithm)
    np.testing.assert_allclose(there @ back, np.eye(3), atol=1e-6 * np.abs(there).max())


@settings(deadline=None)
@given(saturation=small)
def test_saturation_multiplies_the_distance_from_grey(saturation: float) -> None:
    matrix = matrix_exponential(log_matrix_of(rows(saturation), rows(0.0)))
    colour = np.array([0.7, 0.2, 0.4])
    grey = colour.mean()
    np.testing.assert_allclose(matrix @ colour - grey, np.exp(saturation) * (colour - grey))


@settings(deadline=None)
@given(hue=small)
def test_hue_turns_about_grey_and_keeps_saturation(hue: float) -> None:
    matrix = matrix_exponential(log_matrix_of(rows(0.0), rows(hue)))
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    assert np.trace(matrix) == pytest.approx(1.0 + 2.0 * np.cos(hue))


def test_a_third_of_a_turn_takes_red_to_green() -> None:
    matrix = matrix_exponential(log_matrix_of(rows(0.0), rows(2.0 * np.pi / 3.0)))
    np.testing.assert_allclose(matrix @ [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], atol=1e-9)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), transfer=st.sampled_from(["power", "pq", "hlg", "linear"]))
def test_a_matrix_mixes_working_light(seed: int, transfer) -> None:
    random = np.random.default_rng(seed)
    rgb = random.uniform(0.3, 0.6, (12, 18, 3)).astype(np.float32)
    meaning = ColourMeaning(transfer=transfer)
    picture = from_rgb(rgb, layout=PixelLayout(family="rgb", depth=16), meaning=meaning)
    grade = mixed(random.uniform(-0.3, 0.2), random.uniform(-0.2, 0.2))
    graded = to_working(to_rgb(apply_grade(picture, grade)), meaning)
    wanted = to_working(to_rgb(picture), meaning) @ grade.matrix.T
    np.testing.assert_allclose(graded, wanted, atol=2e-3)


@pytest.mark.parametrize("name", ["gbrp", "yuv420p10", "yuv422p12", "yuv444p16"])
def test_a_matrix_and_its_inverse_meet_again(name: str) -> None:
    y, x = np.mgrid[0:36, 0:52].astype(np.float32)
    waves = [0.45 + 0.1 * np.sin(x / 19 + y / 17 + 2 * channel) for channel in range(3)]
    picture = from_rgb(np.stack(waves, axis=-1), layout=LAYOUTS[name], meaning=VIDEO)
    there = mixed(0.25, 0.15)
    assert not equal(apply_grade(picture, there), picture)
    back = apply_grade(apply_grade(picture, there), there.scaled(-1.0))
    assert largest_difference(back, picture) <= max(2, picture.layout.peak // 1000)


@pytest.mark.parametrize("name", LAYOUTS)
@each_meaning
def test_a_matrix_leaves_grey_alone(name: str, meaning: ColourMeaning) -> None:
    y, x = np.mgrid[0:36, 0:52].astype(np.float32)
    grey = np.repeat((0.5 + 0.3 * np.sin(x / 7 + y / 9))[..., None], 3, axis=-1)
    picture = from_rgb(grey, layout=LAYOUTS[name], meaning=meaning)
    graded = apply_grade(picture, mixed(0.3, 0.2))
    assert largest_difference(graded, picture) <= (1 if picture.layout.depth < 16 else 2)
    curved = apply_grade(picture, mixed(0.3, 0.2, grade=curve(1.2)))
    assert largest_difference(curved, apply_grade(picture, curve(1.2))) <= max(
        1, picture.layout.peak // 4000
    )


@each_layout
def test_a_matrix_of_zeros_is_none_bit_for_bit(name: str) -> None:
    picture = noise(LAYOUTS[name])
    assert equal(apply_grade(picture, mixed(0.0, grade=smooth())), apply_grade(picture, smooth()))


def test_light_in_memory_is_mixed_as_pictures_are() -> None:
    light = np.random.default_rng(6).uniform(0.3, 0.6, (12, 18, 3)).astype(np.float32)
    grade = mixed(0.2, -0.1)
    np.testing.assert_allclose(apply_to_light(light, grade), light @ grade.matrix.T, atol=1e-6)
