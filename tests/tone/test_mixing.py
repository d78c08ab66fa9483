"""Laws of mixed channels: saturation and hue come back steady, and nothing else gets a matrix."""

from functools import lru_cache

import numpy as np
import pytest

import unflicker
from made_clips import panning, psnr
from unflicker.analysis.analyse_film import Finding, analyse_film
from unflicker.frames.clip import Clip, to_float
from unflicker.grade.matrix import log_matrix_of, matrix_exponential
from unflicker.motion import estimate_motion
from unflicker.settings import Settings
from unflicker.synthesis import MIXED_KINDS, synthesise
from unflicker.tone import Pace, diagnose
from unflicker.tone.correspondences import correspondences
from unflicker.tone.mixing import matrix_logarithms, mixing_of, unmixed
from unflicker.video import ArraySource

TIME = 32
KEEP = 60.0


@lru_cache(maxsize=4)
def steady(seed: int) -> np.ndarray:
    return to_float(panning(time=TIME, seed=seed).pixels)


def mixed_up(
    light: np.ndarray, log_saturation: np.ndarray, hue: np.ndarray, gain: np.ndarray
) -> np.ndarray:
    """Pictures of 8 bits, mixed and lit otherwise in each frame; rows of one number or three."""
    rows = np.ones(3)
    matrices = matrix_exponential(log_matrix_of(log_saturation * rows, hue * rows))
    flickering = np.einsum("tij,thwj->thwi", matrices, light) * gain[:, None, None, None]
    return np.clip(np.rint(flickering * 255.0), 0, 255).astype(np.uint8)


def saturation_of(pixels: np.ndarray) -> np.ndarray:
    light = to_float(pixels)
    return np.log((light - light.mean(axis=3, keepdims=True)).std(axis=(1, 2, 3)))


def unsteadiness(pixels: np.ndarray, truth: np.ndarray) -> float:
    """Deviation of log saturation over the truth's."""
    return float(np.std(saturation_of(pixels) - saturation_of(truth)))


def steadied(pixels: np.ndarray) -> np.ndarray:
    return unflicker.deflicker(pixels, fps=24.0, settings=Settings.from_preset("fast"))


def found_in(pixels: np.ndarray) -> np.ndarray | None:
    light = to_float(pixels)
    return mixing_of(
        correspondences(light, estimate_motion(light)), pace=Pace(keep_slower_frames=KEEP)
    )


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("lamp", [0.0, 0.12], ids=["alone", "with exposure"])
def test_flicker_of_saturation_goes(seed: int, lamp: float) -> None:
    random, truth = np.random.default_rng(seed), steady(seed)
    saturation = random.uniform(-0.22, 0.22, (TIME, 1))
    gain = np.exp(random.normal(-0.1, lamp, TIME)) if lamp else np.ones(TIME)
    flickering = mixed_up(truth, saturation, np.zeros((TIME, 1)), gain)
    assert unsteadiness(flickering, truth) > 0.09
    assert unsteadiness(steadied(flickering), truth) <= 0.03


@pytest.mark.parametrize("seed", range(2))
def test_flicker_of_hue_goes(seed: int) -> None:
    random, truth = np.random.default_rng(seed), steady(seed)
    turn = np.deg2rad(random.normal(0, 6.0, (TIME, 1)))
    flickering = mixed_up(truth, np.zeros((TIME, 1)), turn, np.ones(TIME))
    clip = Clip.at_rate(truth, fps=24.0)
    before = psnr(Clip.at_rate(to_float(flickering), fps=24.0).pixels, clip.pixels)
    after = psnr(to_float(steadied(flickering)), clip.pixels)
    assert after > before + 5.0


@pytest.mark.parametrize("seed", range(2))
def test_channels_that_take_from_one_another_at_will_are_put_apart(seed: int) -> None:
    random, truth = np.random.default_rng(seed), steady(seed)
    saturation, turn = random.normal(0, 0.12, (TIME, 3)), random.normal(0, 0.06, (TIME, 3))
    flickering = mixed_up(truth, saturation, turn, np.ones(TIME))
    assert unsteadiness(steadied(flickering), truth) < 0.35 * unsteadiness(flickering, truth)


@pytest.mark.parametrize("step", [16, 20])
def test_a_single_step_of_saturation_goes(step: int) -> None:
    truth = steady(1)
    saturation = np.log(1.0 + 0.2 * (np.arange(TIME) >= step))[:, None]
    found = found_in(mixed_up(truth, saturation, np.zeros((TIME, 1)), np.ones(TIME)))
    assert found is not None
    jump = found[step, :, 0] - found[step - 1, :, 0]
    np.testing.assert_allclose(jump, np.log(1.2), atol=0.05)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize(
    "kind", ["exposure", "gamma", "tint", "local", "local tint", "bands", "film", "held"]
)
def test_no_other_kind_gets_a_matrix(kind: str, seed: int) -> None:
    clip = panning(time=TIME, seed=seed)
    assert found_in(synthesise(clip, kind=kind, seed=seed).clip.pixels) is None


@pytest.mark.parametrize("seed", range(3))
def test_a_steady_clip_gets_no_matrix(seed: int) -> None:
    assert found_in(panning(time=TIME, seed=seed).pixels) is None


def test_a_grey_clip_gets_no_matrix() -> None:
    light = steady(0).mean(axis=3, keepdims=True) * np.ones(3, np.float32)
    random = np.random.default_rng(5)
    gain = np.exp(random.normal(-0.1, 0.1, TIME))
    nothing = np.zeros((TIME, 1))
    assert found_in(mixed_up(light, nothing, nothing, gain)) is None


def test_too_few_frames_get_no_matrix() -> None:
    assert found_in(panning(time=3).pixels) is None


def test_unmixed_pictures_are_the_steady_ones() -> None:
    truth, random = steady(0)[:5], np.random.default_rng(0)
    mixing = random.normal(0, 0.15, (5, 3, 2))
    matrices = matrix_exponential(matrix_logarithms(mixing))
    flickering = np.einsum("tij,thwj->thwi", matrices, truth).astype(np.float32)
    np.testing.assert_allclose(np.stack(unmixed(flickering, mixing)), truth, atol=1e-5)


@pytest.mark.parametrize("kind", MIXED_KINDS)
def test_the_diagnosis_names_what_is_mixed(kind: str) -> None:
    made = synthesise(panning(time=TIME), kind=kind, seed=1)
    thoughts = analyse_film(ArraySource(made.clip), Settings.from_preset("fast"))
    tones = [thought.tone for thought in thoughts if isinstance(thought, Finding)]
    diagnosis = diagnose(tones, fps=24.0, visible_delta_e=1.0)
    assert diagnosis.kind == kind
    assert diagnosis.model.startswith("matrix")
