"""Laws of the tone stage: made flicker goes, a steady clip stays, and wanted light survives."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pytest

import unflicker
from made_clips import panning, photograph, psnr
from unflicker.analysis.analyse_film import analyse_film
from unflicker.analysis.analyse_window import Finding
from unflicker.compute.devices import limited_threads
from unflicker.frames.clip import Clip, from_float, to_float
from unflicker.grade import Grade
from unflicker.grade.apply import apply_to_light
from unflicker.grade.grade import curve_inputs
from unflicker.plan import FramePlan
from unflicker.settings import Settings
from unflicker.synthesis import KINDS, sunset, synthesise
from unflicker.tone import Diagnosis, SteadyTone, diagnose, grade_of
from unflicker.tone.flicker import Flicker
from unflicker.tone.illumination import IlluminationModel, tone_of
from unflicker.video import ArraySource

TIME = 36
LEAST_RISE_DB = dict.fromkeys(KINDS, 6.0) | {"film": 1.0, "held": 1.5}


@lru_cache(maxsize=2)
def moving() -> Clip:
    return panning(time=TIME)


@dataclass(frozen=True, kw_only=True, eq=False)
class Looked:
    """A clip, the grade of each frame, and the diagnosis."""

    pixels: np.ndarray
    grades: list[Grade]
    diagnosis: Diagnosis

    @property
    def steady(self) -> np.ndarray:
        """The clip with its grades, as floats that nothing rounded."""
        light = to_float(self.pixels)
        return np.stack([apply_to_light(*each) for each in zip(light, self.grades, strict=True)])


@lru_cache(maxsize=32)
def found(kind: str, seed: int) -> Looked:
    """What is found in `moving` under a kind of made flicker."""
    clip = moving() if kind == "steady" else synthesise(moving(), kind=kind, seed=seed).clip
    return looked_at(clip.pixels)


def looked_at(pixels: np.ndarray) -> Looked:
    with limited_threads(0):
        thoughts = list(
            analyse_film(ArraySource(Clip.at_rate(pixels, fps=24)), Settings.from_preset("fast"))
        )
    tones = [thought.tone for thought in thoughts if isinstance(thought, Finding)]
    grades = [thought.grade for thought in thoughts if isinstance(thought, FramePlan)]
    diagnosis = diagnose(tones, fps=24.0, visible_delta_e=1.0)
    return Looked(pixels=pixels, grades=grades, diagnosis=diagnosis)


def lit(clip: Clip, gains: np.ndarray) -> np.ndarray:
    """The clip under a gain for each frame, or for each frame and channel."""
    gains = np.asarray(gains, np.float32).reshape(len(clip), 1, 1, -1)
    return from_float(np.clip(clip.as_float() * gains, 0, 1), dtype=clip.pixels.dtype)


def means(pixels: np.ndarray) -> np.ndarray:
    return to_float(pixels).mean(axis=(1, 2))


@pytest.mark.parametrize(
    ("kind", "seed"), [*((kind, 1) for kind in KINDS), ("bands", 5), ("gamma", 3)]
)
def test_made_flicker_goes(kind: str, seed: int) -> None:
    looked = found(kind, seed)
    before = psnr(to_float(looked.pixels), moving().as_float())
    after = psnr(np.clip(looked.steady, 0, 1), moving().as_float())
    assert after > before + LEAST_RISE_DB[kind]


def test_made_flicker_on_a_photograph_goes() -> None:
    clip = photograph(time=TIME)
    flickering = synthesise(clip, kind="local", seed=2).clip.pixels
    assert psnr(unflicker.deflicker(flickering), clip.pixels) > psnr(flickering, clip.pixels) + 6


@pytest.mark.parametrize("speed", [(0.0, 0.0), (1.3, 0.4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_a_steady_clip_stays_bit_for_bit(speed: tuple[float, float], dtype: type) -> None:
    clip = panning(time=TIME, speed_px=speed, dtype=dtype)
    np.testing.assert_array_equal(unflicker.deflicker(clip.pixels), clip.pixels)


@pytest.mark.parametrize("speed", [(-4.0, 1.0), (6.0, 2.0)])
def test_a_steady_clip_that_moves_fast_stays(speed: tuple[float, float]) -> None:
    clip = panning(time=TIME, speed_px=speed)
    assert psnr(unflicker.deflicker(clip.pixels), clip.pixels) >= 50


def test_a_steady_photograph_stays() -> None:
    clip = photograph(time=TIME)
    assert psnr(unflicker.deflicker(clip.pixels), clip.pixels) >= 50


def test_a_steady_noisy_clip_stays() -> None:
    noise = np.random.default_rng(0).normal(0, 0.02, moving().pixels.shape).astype(np.float32)
    noisy = from_float(np.clip(moving().as_float() + noise, 0, 1), dtype=np.uint8)
    assert psnr(unflicker.deflicker(noisy), noisy) >= 50


def test_a_sunset_stays() -> None:
    evening = sunset(moving())
    assert psnr(unflicker.deflicker(evening.pixels), evening.pixels) >= 45


def test_a_sunset_under_flicker_keeps_its_light() -> None:
    evening = sunset(moving())
    flickering = synthesise(evening, kind="exposure", seed=1).clip.pixels
    out = unflicker.deflicker(flickering)
    assert psnr(out, evening.pixels) > psnr(flickering, evening.pixels) + 6
    fall = means(out)[-8:].mean(axis=0) / means(out)[:8].mean(axis=0)
    wanted = means(evening.pixels)[-8:].mean(axis=0) / means(evening.pixels)[:8].mean(axis=0)
    np.testing.assert_allclose(fall, wanted, rtol=0.12)


def test_alternating_levels_become_one() -> None:
    frames = np.full((24, 54, 96, 3), 90, np.uint8)
    frames[1::2] = 110
    levels = unflicker.deflicker(frames).mean(axis=(1, 2, 3))
    assert np.abs(np.diff(levels)).max() <= 1.0
    assert levels == pytest.approx(100, abs=3)


@pytest.mark.parametrize("period", [2, 3, 6])
def test_periodic_flicker_goes_at_any_period(period: int) -> None:
    gains = 1 + 0.1 * np.cos(2 * np.pi * np.arange(TIME) / period)
    flickering = lit(moving(), gains / gains.mean())
    assert psnr(unflicker.deflicker(flickering), moving().pixels) > 40


@pytest.mark.parametrize("white", [255, 0])
def test_a_flash_does_not_change_its_neighbours(white: int) -> None:
    frames = moving().pixels[:24].copy()
    frames[10] = white
    out = unflicker.deflicker(frames)
    others = np.arange(24) != 10
    assert np.abs(out[others].astype(int) - frames[others].astype(int)).max() <= 1


def test_a_flash_among_constant_frames_does_not_change_them() -> None:
    frames = np.full((24, 54, 96, 3), 100, np.uint8)
    frames[10] = 255
    out = unflicker.deflicker(frames)
    others = np.arange(24) != 10
    assert np.abs(out[others].astype(int) - 100).max() <= 1


@pytest.mark.parametrize("count", [1, 2, 3, 25])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_constant_clips_stay_bit_for_bit(count: int, level: int) -> None:
    frames = np.full((count, 54, 96, 3), level, np.uint8)
    np.testing.assert_array_equal(unflicker.deflicker(frames), frames)


@pytest.mark.parametrize("count", [1, 2])
def test_clips_of_one_and_two_frames_stay_whatever_they_show(count: int) -> None:
    frames = lit(Clip.at_rate(moving().pixels[:count], fps=24), np.array([1.0, 0.7])[:count])
    np.testing.assert_array_equal(unflicker.deflicker(frames), frames)


def test_hue_does_not_flicker() -> None:
    looked = found("tint", 1)
    colour = [
        np.diff(means(p)[:, [0, 2]] / means(p)[:, [1]], 2, axis=0)
        for p in (moving().pixels, looked.pixels, looked.steady)
    ]
    clean, before, after = (float(np.sqrt(np.mean(c**2))) for c in colour)
    assert after < clean + 0.15 * (before - clean)


def test_flicker_of_one_channel_leaves_the_others_alone() -> None:
    gains = np.ones((TIME, 3))
    gains[:, 2] += np.random.default_rng(3).normal(0, 0.08, TIME)
    out = unflicker.deflicker(lit(moving(), gains))
    for channel in (0, 1):
        assert psnr(out[..., channel], moving().pixels[..., channel]) > 44
    assert psnr(out[..., 2], moving().pixels[..., 2]) > 36


def test_light_of_the_whole_picture_stays_out_of_the_grid() -> None:
    random = np.random.default_rng(5)
    looked = looked_at(lit(moving(), np.exp(random.normal(0, 0.15, TIME) - 0.2)))
    by_place = np.stack([np.broadcast_to(g.log_gain, (24, 32, 6, 3)) for g in looked.grades])
    assert float(np.sqrt(np.mean(by_place**2))) < 0.004
    assert psnr(np.clip(looked.steady, 0, 1), to_float(looked.pixels)) < 30


@pytest.mark.parametrize(
    ("before", "after", "stays"),
    [(1.0, 0.5, True), (1.0, 0.9, False), (0.2, 0.1, False), (0.5, 0.36, False)],
)
def test_a_correction_must_be_seen_to_help(before: float, after: float, *, stays: bool) -> None:
    field = IlluminationModel(height=40, width=60)
    light = np.full((8, 3, field.size), 0.01)
    flicker = Flicker(coefficients=light, steps=np.zeros(0, int), flickering=0.1, drifting=0.0)
    tone = SteadyTone(field=field, coefficients=light, flicker=flicker)
    kept = tone.earned(visible_before=before, visible_after=after)
    assert bool(kept.coefficients.any()) is stays


def test_a_grade_is_never_wild_whatever_comes() -> None:
    random = np.random.default_rng(0)
    frames = random.integers(0, 256, (12, 40, 60, 3)).astype(np.uint8)
    frames[3], frames[7] = 0, 255
    looked = looked_at(frames)
    assert len(looked.grades) == len(frames)
    for grade in looked.grades:
        assert np.isfinite(grade.curves).all()
        assert np.abs(grade.log_gain).max() <= 1.6
        assert np.all(np.diff(grade.curves, axis=1) >= 0)


def test_picture_content_that_changes_is_not_light() -> None:
    """A dark thing moves across a bright wall: the mean falls and rises, the light does not."""
    frames = np.repeat(to_float(moving().pixels[:1]), TIME, axis=0).copy()
    for index in range(TIME):
        frames[index, 20:90, 4 * index : 4 * index + 40] *= 0.3
    pixels = from_float(frames, dtype=np.uint8)
    assert psnr(unflicker.deflicker(pixels), pixels) >= 45


def test_strength_is_a_share() -> None:
    field = IlluminationModel(height=40, width=60)
    light = np.random.default_rng(0).normal(0, 0.05, (3, field.size))
    first, half, none = (grade_of(light * share, field) for share in (1.0, 0.5, 0.0))
    assert none.is_identity
    inputs = curve_inputs()
    middle = np.searchsorted(inputs, 0.4)
    stops = [np.log(grade.curves[:, middle] / inputs[middle]) for grade in (first, half)]
    np.testing.assert_allclose(stops[1], stops[0] / 2, rtol=2e-3)
    short = found("exposure", 1).pixels[:12]
    np.testing.assert_array_equal(
        unflicker.deflicker(short, settings=Settings.from_preset("fast", strength=0.0)), short
    )


@pytest.mark.parametrize(
    ("kind", "seed"),
    [*((kind, 1) for kind in KINDS if kind != "film"), ("bands", 5), ("gamma", 3)],
)
def test_the_diagnosis_names_the_kind(kind: str, seed: int) -> None:
    diagnosis = found(kind, seed).diagnosis
    assert diagnosis.kind == kind
    assert diagnosis.confidence > 0.6


@pytest.mark.parametrize(
    ("kind", "models"),
    [
        ("exposure", {"curves"}),
        ("gamma", {"curves"}),
        ("tint", {"curves"}),
        ("local", {"path", "curves+path"}),
        ("bands", {"path", "curves+path"}),
    ],
)
def test_the_simplest_model_that_explains_it_is_named(kind: str, models: set[str]) -> None:
    diagnosis = found(kind, 1).diagnosis
    assert diagnosis.model in models


def test_a_steady_clip_has_no_flicker_to_name() -> None:
    looked = found("steady", 0)
    diagnosis = looked.diagnosis
    assert diagnosis.kind == "none"
    assert diagnosis.model == "nothing"
    assert diagnosis.strength_stops == 0.0
    assert diagnosis.period_frames is None
    assert diagnosis.frequency_hz is None
    assert all(grade.is_identity for grade in looked.grades)


def test_the_strength_is_that_of_the_flicker() -> None:
    gains = np.random.default_rng(0).choice([2.0**-0.2, 2.0**0.2], TIME)
    diagnosis = looked_at(lit(panning(time=TIME, dtype=np.uint16), 0.8 * gains)).diagnosis
    assert diagnosis.strength_stops == pytest.approx(2.4 * 0.2, rel=0.15)


def test_the_period_of_mains_light_is_named() -> None:
    gains = 1 + 0.12 * np.sin(2 * np.pi * np.arange(TIME) / 4.8)
    diagnosis = looked_at(lit(moving(), gains)).diagnosis
    assert diagnosis.period_frames == pytest.approx(4.8, rel=0.05)
    assert diagnosis.frequency_hz == pytest.approx(5.0, rel=0.05)


def test_random_flicker_has_no_period() -> None:
    diagnosis = found("exposure", 1).diagnosis
    assert diagnosis.period_frames is None


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (15, 90), (16, 16)])
def test_pictures_too_small_to_move_are_handled(size: tuple[int, int]) -> None:
    frames = np.random.default_rng(0).integers(40, 200, (1, *size, 3)).astype(np.uint8)
    steady = np.repeat(frames, 12, axis=0)
    np.testing.assert_array_equal(unflicker.deflicker(steady), steady)


def test_the_grade_divides_by_the_light_it_is_made_of() -> None:
    field = IlluminationModel(height=40, width=60)
    coefficients = np.zeros((3, field.size))
    coefficients[:, 0] = [0.1, -0.2, 0.0]
    grade = grade_of(coefficients, field)
    inputs = curve_inputs()
    middle = np.searchsorted(inputs, 0.4)
    ratio = np.log(grade.curves[:, middle] / inputs[middle])
    np.testing.assert_allclose(ratio, [-0.1, 0.2, 0.0], atol=1e-5)
    assert grade_of(np.zeros((3, field.size)), field).is_identity


def test_waves_are_orthogonal_over_the_picture() -> None:
    field = IlluminationModel(height=48, width=64)
    y, x = np.mgrid[0:48, 0:64]
    light, _ = field.at_places(np.stack([x, y], -1).reshape(-1, 2).astype(float))
    products = light.astype(float) @ light.T / light.shape[1]
    np.testing.assert_allclose(products, np.diag(field.wave_power), atol=1e-3)


def test_tone_is_the_logarithm_of_value_and_zero_in_the_middle() -> None:
    values = np.linspace(0.0, 1.0, 50)
    tone = tone_of(values)
    assert np.all(np.diff(tone) > 0)
    assert tone_of(np.array([0.4]))[0] == pytest.approx(0.0)
    assert np.isfinite(tone_of(np.array([-0.2, 0.0]))).all()
