"""Laws of fine light: lamps that share a rhythm become steady; what moves by itself is left."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import unflicker
from made_clips import psnr, scene
from made_lamps import lamps
from made_nature import KINDS, natural
from unflicker import Settings
from unflicker.analysis.crossfade import Crossfade
from unflicker.analysis.fine_window import fine_window, with_fine_light
from unflicker.fine_light import KnownFlicker, cells_of, fine_light
from unflicker.fine_light.changes import LightChanges
from unflicker.fine_light.noise import decay_by_place
from unflicker.fine_light.shared import shared_by_place
from unflicker.metrics import visible_strength
from unflicker.motion import estimate_motion
from unflicker.refinement.texture import TextureFlicker

SIZE, SMALL = (144, 256), (96, 160)


@settings(max_examples=3, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_small_lamps_on_one_mains_become_steady(seed: int) -> None:
    steady, flickering = lamps(seed=seed, time=24, size=SMALL, count=5)
    given_8 = np.rint(flickering * 255).astype(np.uint8)
    plain = Settings.from_preset("fast", fine_light__used=False)
    without = unflicker.deflicker(given_8, settings=plain)
    result = unflicker.deflicker(given_8, preset="fast")
    motion = estimate_motion(steady).back(0, len(steady) - 1, size=SMALL)

    def worst(pixels: np.ndarray) -> float:
        return visible_strength(
            pixels.astype(np.float32) / 255, motion=motion, fps=24.0
        ).worst_tenth

    assert worst(result) < 0.6 * worst(without)
    truth = np.rint(steady * 255).astype(np.uint8)
    assert psnr(result, truth) > psnr(without, truth)


@pytest.mark.parametrize("kind", sorted(KINDS))
@settings(max_examples=1, deadline=None, derandomize=True)
@given(seed=st.integers(100, 10_000))
def test_what_moves_by_itself_has_no_fine_light(kind: str, seed: int) -> None:
    frames = natural(kind, seed=seed, time=24, size=SIZE).as_float()
    assert fine_window(frames, estimate_motion(frames), fps=24.0, keep_frames=48.0) is None


@settings(max_examples=3, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_lamps_that_share_no_rhythm_are_left(seed: int) -> None:
    _, flickering = lamps(seed=seed, time=24, alike=False)
    found = fine_window(flickering, estimate_motion(flickering), fps=24.0, keep_frames=48.0)
    changed = flickering.copy()
    if found is not None:
        with_fine_light(changed, found.log_gain)
    moved = np.abs(changed - flickering).std()
    assert moved < 0.15 * np.abs(np.diff(flickering, axis=0)).std()


def test_a_steady_clip_has_no_fine_light() -> None:
    still = np.repeat(scene(seed=4, size=SIZE)[None], 30, axis=0)
    assert fine_light(still, estimate_motion(still), keep_frames=48.0) is None


def still_changes(light: np.ndarray) -> LightChanges:
    """Changes of grey log light by cells, without motion."""
    steps = np.repeat(np.diff(light, axis=0)[..., None], 3, axis=3).astype(np.float32)
    flow = np.zeros((*steps.shape[:3], 2), np.float32)
    seen = np.ones(steps.shape[:3], np.float32)
    return LightChanges(change=steps, flow=flow, seen=seen)


@settings(max_examples=10, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), drift=st.sampled_from([0.02, 0.1, 0.3, 1.0]))
def test_the_average_is_as_long_as_the_noise_demands(seed: int, drift: float) -> None:
    """The decay of the local level model, by the known ratio of its variances."""
    random = np.random.default_rng(seed)
    shape = 80, 36, 64
    light = random.normal(size=shape) + drift * np.cumsum(random.normal(size=shape), axis=0)
    ratio = drift**2
    wanted = min(1 - (np.sqrt(ratio**2 + 4 * ratio) - ratio) / 2, 0.9)
    assert abs(float(np.median(decay_by_place(still_changes(light)))) - wanted) < 0.08


@settings(max_examples=5, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_drift_and_motion_are_not_averaged(seed: int) -> None:
    light = 0.05 * np.cumsum(np.random.default_rng(seed).normal(size=(60, 36, 64)), axis=0)
    assert float(np.quantile(decay_by_place(still_changes(light)), 0.9)) < 0.25


@settings(max_examples=5, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_only_changes_that_places_share_count(seed: int) -> None:
    random = np.random.default_rng(seed)
    time, cells = 60, cells_of(SIZE)
    patterns = random.normal(size=(time, 2))
    amounts = random.normal(size=(2, *cells))
    shared = 0.05 * np.einsum("tp,pyx->tyx", patterns, amounts)
    alone = 0.05 * random.normal(size=(time, *cells))
    together, apart = (shared_by_place(still_changes(light)) for light in (shared, alone))
    assert together.min() > 0.95
    assert float(np.quantile(apart, 0.99)) < 0.05


@settings(max_examples=4, deadline=None, derandomize=True)
@given(period=st.sampled_from([8, 16, 32]), seed=st.integers(0, 1000))
def test_light_that_is_slower_than_what_is_kept_stays(period: int, seed: int) -> None:
    """A lamp whose light rises and falls slowly, known to flicker or not."""
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]].astype(np.float32)
    random = np.random.default_rng(seed)
    spot = np.exp(-0.5 * ((y - 70) ** 2 + (x - 120) ** 2) / random.uniform(6, 20) ** 2)
    light = 0.2 * np.sin(2 * np.pi * np.arange(64) / period)
    frames = 0.5 * scene(seed=seed, size=SIZE) * np.exp(light[:, None, None] * spot)[..., None]
    frames = frames.astype(np.float32)
    everywhere = KnownFlicker(where=np.ones((1, 1), np.float32), decay=0.65)
    found = fine_light(frames, estimate_motion(frames), keep_frames=period / 4, known=everywhere)
    assert found is not None
    rows, columns = found.shared.shape
    centre = found.log_gain[8:-8, 70 * rows // SIZE[0], 120 * columns // SIZE[1], 1]
    assert np.abs(centre).max() < 0.25 * 0.2


def boiling(*, time: int, size: tuple[int, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A still picture, and the same with light of each small place that differs by frame."""
    random = np.random.default_rng(seed)
    steady = np.repeat(0.2 + 0.6 * scene(seed=seed, size=size)[None], time, axis=0)
    alone = random.normal(size=(time, *size)).astype(np.float32)
    soft = np.stack([cv2.GaussianBlur(one, (0, 0), 4.0) for one in alone])
    return steady, np.clip(steady * np.exp(soft / soft.std() * 0.06)[..., None], 0, 1)


@settings(max_examples=2, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1000))
def test_where_each_place_boils_light_is_averaged_for_longer_in_smaller_cells(seed: int) -> None:
    steady, frames = boiling(time=24, size=SMALL, seed=seed)
    motion, everywhere = estimate_motion(steady), np.ones((6, 10), np.float32)
    left = []
    for boils in (False, True):
        texture = TextureFlicker(amount=0.02, where=everywhere, boils=boils)
        found = fine_window(frames, motion, fps=24.0, keep_frames=48.0, texture=texture)
        assert found is not None
        changed = frames.copy()
        with_fine_light(changed, found.log_gain)
        left.append(float(np.abs(np.diff(changed, axis=0)).mean()))
    assert left[1] < 0.75 * left[0]


def test_windows_with_other_cells_are_crossfaded_in_the_finer_ones() -> None:
    fades = Crossfade()
    fades.faded(np.ones((4, 3, 5, 3), np.float32), 2)
    faded = fades.faded(np.zeros((4, 6, 10, 3), np.float32), 0)
    assert faded.shape == (4, 6, 10, 3)
    np.testing.assert_allclose(faded[:, 0, 0, 0], [2 / 3, 1 / 3, 0.0, 0.0], atol=1e-6)


def test_too_few_frames_or_cells_are_left() -> None:
    short = np.random.default_rng(0).uniform(size=(3, 32, 32, 3)).astype(np.float32)
    assert fine_light(short, estimate_motion(short), keep_frames=48.0) is None
    tiny = np.random.default_rng(1).uniform(size=(20, 6, 5, 3)).astype(np.float32)
    found = fine_window(tiny, estimate_motion(tiny), fps=24.0, keep_frames=48.0)
    assert found is None or np.isfinite(found.log_gain).all()
