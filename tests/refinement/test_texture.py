"""Laws of the refinement's decision: flicker is told from texture that moves by itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import unflicker
from made_clips import panning, scene
from made_nature import KINDS, natural
from unflicker import Settings
from unflicker.frames.clip import Clip, from_float
from unflicker.metrics import sharpness_ratio
from unflicker.motion import estimate_motion
from unflicker.refinement.texture import Triple, middles, texture_flicker
from unflicker.settings import replaced
from unflicker.synthesis import processed, synthesise

USED = replaced(Settings.from_preset("fast"), {"refinement.used": True})
SMALL = (108, 192)


def triples(frames: np.ndarray) -> list[Triple]:
    motion = estimate_motion(frames)
    return [
        Triple(
            light=frames[t - 1 : t + 2],
            back=motion.backward[t - 1],
            forth=motion.forward[t],
            back_again=motion.forward[t - 1],
            forth_again=motion.backward[t],
        )
        for t in middles(len(frames), most=24)
    ]


def found(frames: np.ndarray, *, light_flickers: bool) -> float:
    return texture_flicker(triples(frames), light_flickers=light_flickers).amount


def still(*, time: int, size: tuple[int, int] = SMALL) -> np.ndarray:
    return np.repeat(scene(seed=2, size=size)[None], time, axis=0)


def breathing(*, time: int, size: tuple[int, int] = SMALL, seed: int = 0) -> np.ndarray:
    """A still picture whose texture is stronger or weaker in every frame, its light the same."""
    import cv2

    frames = still(time=time, size=size)
    light = np.stack([cv2.GaussianBlur(frame, (0, 0), 6.0) for frame in frames])
    strengths = np.random.default_rng(seed).uniform(0.5, 1.5, time).astype(np.float32)
    return np.clip(light + (frames - light) * strengths[:, None, None, None], 0, 1)


@pytest.mark.parametrize("kind", sorted(KINDS))
@settings(max_examples=2, deadline=None, derandomize=True)
@given(seed=st.integers(100, 10_000), fps=st.sampled_from([12.0, 24.0, 30.0]))
def test_texture_that_moves_by_itself_is_no_flicker(kind: str, seed: int, fps: float) -> None:
    clip = natural(kind, seed=seed, time=12, size=SMALL, fps=fps)
    frames = clip.as_float()
    assert found(frames, light_flickers=False) == 0.0


@pytest.mark.parametrize("kind", ["water", "rain", "crowd", "grain", "grass"])
def test_a_steady_film_with_moving_texture_comes_out_bit_for_bit(kind: str) -> None:
    clip = natural(kind, seed=21, time=12, size=SMALL, pans=False)
    result = unflicker.deflicker(clip.pixels, fps=24.0, settings=USED)
    np.testing.assert_array_equal(result, clip.pixels)


@pytest.mark.parametrize("kind", ["water", "crowd", "grain", "leaves"])
@pytest.mark.parametrize("flicker", ["exposure", "local"])
def test_moving_texture_under_flicker_stays_as_sharp(kind: str, flicker) -> None:
    clip = natural(kind, seed=22, time=16, size=SMALL, pans=False)
    made = synthesise(clip, kind=flicker, seed=4).clip
    result = unflicker.deflicker(made.pixels, fps=24.0, settings=USED)
    assert 0.97 <= sharpness_ratio(result, clip.pixels) <= 1.03


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_processed_video_flickers_in_texture(seed: int) -> None:
    clip = panning(time=16, size=SMALL, seed=seed, speed_px=(0.4, 0.1))
    made = processed(clip, seed=seed).as_float()
    assert found(clip.as_float(), light_flickers=True) == 0.0
    assert found(made, light_flickers=True) > 0.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_texture_that_breathes_as_a_whole_is_flicker_even_in_steady_light(seed: int) -> None:
    assert found(breathing(time=16, seed=seed), light_flickers=False) > 0.0
    assert found(still(time=16), light_flickers=False) == 0.0


def test_what_moves_by_itself_is_spared_beside_what_flickers() -> None:
    """The left half is processed frame by frame, a crowd moves in the right one."""
    size = (144, 256)
    crowd = natural("crowd", seed=2, time=20, size=size, pans=False)
    made = processed(panning(time=20, size=size, seed=3, speed_px=(0.2, 0.0)), seed=3)
    both = crowd.as_float()
    both[:, :, :128] = made.as_float()[:, :, :128]
    result = texture_flicker(triples(both), light_flickers=True)
    assert result.amount > 0.0
    assert result.where is not None
    columns = result.where.shape[1]
    assert result.where[:, : columns // 2 - 2].mean() > 0.8
    assert result.where[:, columns // 2 + 2 :].mean() < 0.3


def test_few_places_that_stand_still_do_not_make_the_whole_picture_boil() -> None:
    clip = natural("confetti", seed=3, time=24)
    frames = clip.as_float()
    assert not texture_flicker(triples(frames), light_flickers=True).boils


def test_smooth_light_is_no_texture_and_nothing_is_said_of_nothing() -> None:
    steady = Clip.at_rate(from_float(still(time=8), dtype=np.uint8), fps=24)
    light = synthesise(steady, kind="local", seed=1, strength=0.3)
    assert found(light.clip.as_float(), light_flickers=True) == 0.0
    assert texture_flicker([], light_flickers=True).amount == 0.0
    assert middles(2) == []
