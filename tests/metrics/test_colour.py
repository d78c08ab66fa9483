"""What colour error means: the published pairs give the published numbers, blur is no gain."""

import cv2
import numpy as np
import pytest

from unflicker.metrics import delta_e
from unflicker.metrics.colour import ciede2000, lab

# Sharma, Wu and Dalal 2005, table 1: two colours in CIELAB and their difference.
PUBLISHED = np.array(
    [
        [50.0000, 2.6772, -79.7751, 50.0000, 0.0000, -82.7485, 2.0425],
        [50.0000, 3.1571, -77.2803, 50.0000, 0.0000, -82.7485, 2.8615],
        [50.0000, 2.8361, -74.0200, 50.0000, 0.0000, -82.7485, 3.4412],
        [50.0000, -1.3802, -84.2814, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, -1.1848, -84.8006, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, -0.9009, -85.5211, 50.0000, 0.0000, -82.7485, 1.0000],
        [50.0000, 0.0000, 0.0000, 50.0000, -1.0000, 2.0000, 2.3669],
        [50.0000, -1.0000, 2.0000, 50.0000, 0.0000, 0.0000, 2.3669],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0009, 7.1792],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0010, 7.1792],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0011, 7.2195],
        [50.0000, 2.4900, -0.0010, 50.0000, -2.4900, 0.0012, 7.2195],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0009, -2.4900, 4.8045],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0010, -2.4900, 4.8045],
        [50.0000, -0.0010, 2.4900, 50.0000, 0.0011, -2.4900, 4.7461],
        [50.0000, 2.5000, 0.0000, 50.0000, 0.0000, -2.5000, 4.3065],
        [50.0000, 2.5000, 0.0000, 73.0000, 25.0000, -18.0000, 27.1492],
        [50.0000, 2.5000, 0.0000, 61.0000, -5.0000, 29.0000, 22.8977],
        [50.0000, 2.5000, 0.0000, 56.0000, -27.0000, -3.0000, 31.9030],
        [50.0000, 2.5000, 0.0000, 58.0000, 24.0000, 15.0000, 19.4535],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.1736, 0.5854, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.2972, 0.0000, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 1.8634, 0.5757, 1.0000],
        [50.0000, 2.5000, 0.0000, 50.0000, 3.2592, 0.3350, 1.0000],
        [60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644],
        [63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630],
        [61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731],
        [35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645],
        [22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373],
        [36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146],
        [90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441],
        [90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381],
        [6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377],
        [2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082],
    ]
)


@pytest.mark.parametrize("row", range(len(PUBLISHED)))
def test_the_published_pairs_give_the_published_differences(row: int):
    one, other, expected = PUBLISHED[row, None, :3], PUBLISHED[row, None, 3:6], PUBLISHED[row, 6]
    # Opposite hues have their middle on either side; pairs 10 and 14 are published for one.
    sides = [ciede2000(one, other).item(), ciede2000(other, one).item()]
    assert min(abs(side - expected) for side in sides) < 1e-4
    if row not in (9, 13):
        assert sides[0] == pytest.approx(sides[1], abs=1e-9)


def test_the_difference_hardly_depends_on_single_precision():
    one, other = (PUBLISHED[16:, s].astype(np.float32) for s in (slice(3), slice(3, 6)))
    np.testing.assert_allclose(ciede2000(one, other), PUBLISHED[16:, 6], atol=2e-3)


def test_black_for_white_is_a_hundred():
    ends = np.array([[100.0, 0, 0]]), np.array([[0.0, 0, 0]])
    assert ciede2000(*ends).item() == pytest.approx(100, abs=0.01)


def textured(size: tuple[int, int] = (48, 64)) -> np.ndarray:
    noise = np.random.default_rng(0).random((2, *size, 3), np.float32)
    return np.stack([0.2 + 0.5 * cv2.GaussianBlur(frame, (0, 0), 1.2) for frame in noise])


def test_a_clip_has_the_colours_of_itself():
    assert delta_e(textured(), textured()) == 0.0


@pytest.mark.parametrize("step", [1.0, 3.0])
def test_grey_that_is_lighter_by_a_known_step_has_that_error(step: float):
    clean, lighter = (
        np.full((2, 8, 8, 3), grey_of_lightness(lightness), np.float32)
        for lightness in (50 - step / 2, 50 + step / 2)
    )
    assert delta_e(lighter, clean) == pytest.approx(step, abs=1e-3)


def grey_of_lightness(lightness: float) -> float:
    linear = ((lightness + 16) / 116) ** 3
    return 1.055 * linear ** (1 / 2.4) - 0.055


def test_white_and_primaries_have_the_known_places_in_cielab():
    colours = np.array([[[1, 1, 1], [1, 0, 0], [0, 0, 1], [0, 0, 0]]], np.float32)
    known = [[100, 0, 0], [53.24, 80.09, 67.20], [32.30, 79.19, -107.86], [0, 0, 0]]
    np.testing.assert_allclose(lab(colours)[0], known, atol=0.03)


def test_stronger_flicker_has_a_larger_error_and_a_cast_more_than_nothing():
    clean = textured()
    errors = [delta_e(clean * np.float32(gain), clean) for gain in (0.98, 0.95, 0.85)]
    assert 0 < errors[0] < errors[1] < errors[2]
    assert delta_e(clean * np.float32([1, 0.95, 1]), clean) > errors[0]


def test_blur_does_not_lower_the_error_below_that_of_the_true_clip():
    clean = textured()
    blurred = np.stack([cv2.GaussianBlur(frame, (0, 0), 1.5) for frame in clean])
    assert delta_e(blurred, clean) > 1.0


def test_wide_pictures_are_sampled_and_not_averaged():
    clean = np.full((1, 16, 960, 3), 0.5, np.float32)
    noisy = clean + np.random.default_rng(1).normal(0, 0.05, clean.shape).astype(np.float32)
    whole = float(np.mean(ciede2000(lab(noisy[0]), lab(clean[0]))))
    assert delta_e(noisy, clean) == pytest.approx(whole, rel=0.05)
