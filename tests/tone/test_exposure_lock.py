"""Laws of the exposure lock: slow drift of a camera's exposure goes, whatever it looks at."""

import cv2
import numpy as np
import pytest

import unflicker
from made_clips import panning, scene
from unflicker.analysis.analyse_film import analyse_film
from unflicker.analysis.analyse_window import Finding
from unflicker.frames.clip import Clip
from unflicker.grade.grade import curve_inputs
from unflicker.motion import estimate_motion, match
from unflicker.settings import Settings, ToneSettings, WindowSettings
from unflicker.synthesis import sunset
from unflicker.tone import ExposureLock, course_of, drift_of, locking_curves
from unflicker.tone.anchors import View, difference, shift_between
from unflicker.tone.exposure_drift import Course
from unflicker.tone.light_graph import Equation, solved
from unflicker.video import ArraySource

FPS = 12.0
LOCKED = Settings.from_preset("fast", tone=ToneSettings(lock_exposure=True))
UNSURE = np.tile(np.eye(2), (3, 1, 1))


def pan(*, seed: int, seconds: float = 6.0, size: tuple[int, int] = (90, 160)) -> np.ndarray:
    """A camera that turns to one side and back, before it a disc that moves; float32."""
    random = np.random.default_rng(seed)
    height, width = size
    wide = 0.03 + 0.7 * scene(seed=seed, size=(height + 12, round(width * 2.2)))
    time = np.arange(round(seconds * FPS)) / (seconds * FPS)
    across = (0.5 - 0.5 * np.cos(2.0 * np.pi * time)) * (wide.shape[1] - width - 2)
    down = 5.0 + 4.0 * np.sin(9.0 * time + random.uniform(0.0, 6.0))
    colour = random.uniform(0.2, 0.6, 3).astype(np.float32)
    rows, columns = np.mgrid[:height, :width]
    frames = []
    for turn, tilt, now in zip(across, down, time, strict=True):
        shift = np.array([[1, 0, turn], [0, 1, tilt]], np.float32)
        how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        frame = cv2.warpAffine(wide, shift, (width, height), flags=how)
        middle = width * (0.5 + 0.35 * np.sin(7.0 * now)), 0.6 * height
        disc = np.hypot(columns - middle[0], rows - middle[1]) < 0.17 * height
        frame[disc] = colour
        frames.append(frame)
    return np.stack(frames)


def exposures(*, time: int, seed: int, stops: float = 1.0, tint: float = 0.2) -> np.ndarray:
    """Log gains of a camera whose exposure and white balance drift up and down."""
    random = np.random.default_rng(1000 + seed)
    way = np.arange(time)[:, None] / time
    light = stops / 2.4 * np.log(2.0) * np.sin(2.0 * np.pi * way * 1.2 + random.uniform(0.0, 6.0))
    colour = np.sin(2.0 * np.pi * way * random.uniform(0.6, 1.3, 3) + random.uniform(0.0, 6.0, 3))
    return light + 0.5 * np.log1p(tint) * colour * [1.0, 0.0, 1.0]


def exposed(steady: np.ndarray, gains: np.ndarray) -> np.ndarray:
    lit = steady * np.exp(gains)[:, None, None]
    return np.clip(lit * 255.0 + 0.5, 0.0, 255.0).astype(np.uint8)


def levels(clip: np.ndarray, steady: np.ndarray) -> np.ndarray:
    """Log light of each frame and channel over the steady clip's."""
    truth = steady * 255.0
    counts = (truth > 12.0) & (truth < 235.0)
    return np.log((clip * counts).sum(axis=(1, 2)) / (truth * counts).sum(axis=(1, 2)))


def gone(clip: np.ndarray, result: np.ndarray, steady: np.ndarray) -> float:
    """The share of the drift that is gone, of the channel that keeps most."""
    left = levels(result, steady).std(axis=0) / levels(clip, steady).std(axis=0)
    return 1.0 - float(left.max())


def drift_in(clip: np.ndarray) -> float:
    light = clip.astype(np.float32) / 255.0
    return drift_of(course_of(list(light), estimate_motion(light)), fps=FPS)


@pytest.mark.parametrize("seed", [2])
def test_drift_of_exposure_and_white_balance_is_gone(seed: int) -> None:
    steady = pan(seed=seed)
    clip = exposed(steady, exposures(time=len(steady), seed=seed))
    result = unflicker.deflicker(clip, fps=FPS, settings=LOCKED)
    assert gone(clip, result, steady) > 0.9


def test_drift_is_gone_under_flicker_and_noise() -> None:
    steady = pan(seed=3)
    random = np.random.default_rng(3)
    flicker = random.normal(0.0, 0.05, (len(steady), 1))
    noisy = np.maximum(steady + random.normal(0.0, 0.01, steady.shape).astype(np.float32), 0.0)
    clip = exposed(noisy, exposures(time=len(steady), seed=3) + flicker)
    result = unflicker.deflicker(clip, fps=FPS, settings=LOCKED)
    assert gone(clip, result, steady) > 0.85
    change = np.diff(levels(result, steady), axis=0).std()
    assert change < 0.2 * np.diff(levels(clip, steady), axis=0).std()


def test_windows_agree_and_a_place_seen_again_has_its_level() -> None:
    steady = pan(seed=4)
    clip = exposed(steady, exposures(time=len(steady), seed=4))
    short = Settings.from_preset(
        "fast",
        tone=ToneSettings(lock_exposure=True),
        window=WindowSettings(frames=24, overlap_frames=6),
    )
    result = unflicker.deflicker(clip, fps=FPS, settings=short)
    level = levels(result, steady)
    assert np.abs(level[-6:].mean(axis=0) - level[:6].mean(axis=0)).max() < 0.01
    assert np.abs(np.diff(level, axis=0)).max() < 0.03


def test_without_the_option_nothing_is_locked() -> None:
    """The twin: the same clip keeps its drift."""
    steady = pan(seed=1)
    clip = exposed(steady, exposures(time=len(steady), seed=1))
    result = unflicker.deflicker(clip, fps=FPS, settings=Settings.from_preset("fast"))
    assert gone(clip, result, steady) < 0.5


def test_a_steady_pan_hardly_changes() -> None:
    clip = panning(time=40, speed_px=(2.5, 0.3)).pixels
    result = unflicker.deflicker(clip, fps=FPS, settings=LOCKED)
    assert np.abs(result.astype(int) - clip).mean() < 0.5


def test_a_shot_has_a_level_of_its_own() -> None:
    """Nothing crosses a cut: each shot's level is its own, whatever the other's is."""
    bright, dark = pan(seed=5, seconds=3.0), 0.4 * pan(seed=6, seconds=3.0)
    both = exposed(np.concatenate([bright, dark]), np.zeros((len(bright) + len(dark), 3)))
    result = unflicker.deflicker(both, fps=FPS, settings=LOCKED)
    assert np.abs(result.astype(int) - both).mean() < 1.0


def test_a_single_flash_is_not_exposure() -> None:
    steady = pan(seed=7, seconds=4.0)
    gains = np.zeros((len(steady), 3))
    gains[20] = 0.25
    lock = ExposureLock(match=match)
    clip = exposed(steady, gains).astype(np.float32) / 255.0
    found = lock.exposure_of(list(clip), fps=FPS, overlap=0)
    assert np.abs(found[:, :, 0]).max() < 0.02


def test_a_fade_to_black_stays_a_fade() -> None:
    steady = pan(seed=8, seconds=4.0)
    gains = np.zeros((len(steady), 3))
    gains[-12:] = np.log(np.linspace(1.0, 0.02, 12))[:, None]
    lock = ExposureLock(match=match)
    clip = exposed(steady, gains).astype(np.float32) / 255.0
    found = lock.exposure_of(list(clip), fps=FPS, overlap=0)
    assert np.abs(found[:, :, 0]).max() < 0.15


def test_few_and_tiny_and_flat_frames_are_handled() -> None:
    for shape in ((1, 40, 60, 3), (2, 3, 4, 3), (5, 60, 40, 3), (9, 1, 1, 3)):
        flat = np.full(shape, 90, np.uint8)
        assert np.array_equal(unflicker.deflicker(flat, settings=LOCKED), flat)
    for value in (0, 255):
        same = np.full((6, 48, 64, 3), value, np.uint8)
        assert np.array_equal(unflicker.deflicker(same, settings=LOCKED), same)


def test_strength_zero_copies() -> None:
    steady = pan(seed=1, seconds=2.0)
    clip = exposed(steady, exposures(time=len(steady), seed=1))
    nothing = Settings.from_preset("fast", strength=0.0, tone=ToneSettings(lock_exposure=True))
    assert np.array_equal(unflicker.deflicker(clip, fps=FPS, settings=nothing), clip)


@pytest.mark.parametrize("shift", [(0, 24), (-9, -30), (12, 5)])
def test_a_shifted_picture_is_found_under_another_light(shift: tuple[int, int]) -> None:
    wide = scene(seed=2, size=(140, 220))
    first = wide[30:102, 40:168]
    second = wide[30 - shift[0] : 102 - shift[0], 40 - shift[1] : 168 - shift[1]]
    one, two = View(light=first), View(light=np.ascontiguousarray(0.7 * second))
    found, alike = shift_between(one, two)
    assert np.abs(np.subtract(found, shift)).max() <= 2
    assert alike > 0.8
    seen = difference(one, two, match, shift=found, error=0.001)
    assert seen is not None
    assert np.abs(seen.light[:, 0] - np.log(0.7)).max() < 0.01
    assert np.abs(seen.light[:, 1]).max() < 0.03


def test_a_gain_and_a_power_are_told_apart() -> None:
    light = scene(seed=3, size=(72, 128))
    powered = (0.4 * (light / 0.4) ** 1.1 * 0.8).astype(np.float32)
    found = difference(View(light=light), View(light=powered), match, error=0.001)
    assert found is not None
    # change = log 0.8 + 0.1 tone before, said of the tone midway between before and after.
    midway = np.array([np.log(0.8) - 0.05 * np.log(0.8) / 1.05, 0.1 / 1.05])
    assert np.abs(found.light - midway).max() < 0.015


def test_pictures_of_different_places_say_little_and_those_of_one_place_much() -> None:
    places = [View(light=scene(seed=seed, size=(72, 128))) for seed in range(4, 10)]
    apart = [seen_of(one, other) for one, other in zip(places[::2], places[1::2], strict=True)]
    darker = [View(light=0.8 * place.light) for place in places[:2]]
    alike = [seen_of(one, other) for one, other in zip(places, darker, strict=False)]
    assert max(apart) < 0.25
    assert np.mean(apart) < 0.1
    assert min(alike) > 0.8


def seen_of(one: View, other: View) -> float:
    """The share of the picture that both show; 0 if they have nothing to say of each other."""
    found = difference(one, other, match, error=0.01)
    return 0.0 if found is None else found.seen


def test_a_wrong_equation_is_outvoted() -> None:
    steps = [Equation(to=0, light=np.zeros((3, 2)), information=1e8 * UNSURE)]
    for t in range(9):
        steps.append(
            Equation(since=t, to=t + 1, light=np.full((3, 2), 0.02), information=1e6 * UNSURE)
        )
    steps += [
        Equation(to=t, light=np.full((3, 2), 0.02 * t), information=1e4 * UNSURE) for t in (4, 9)
    ]
    wrong = Equation(to=6, light=np.full((3, 2), 0.7), information=1e4 * UNSURE)
    found = solved([*steps, wrong], frames=10)
    assert np.abs(found.light[:, 0, 0] - 0.02 * np.arange(10)).max() < 0.005


def test_curves_undo_an_exposure_and_rise_everywhere() -> None:
    random = np.random.default_rng(9)
    inputs = curve_inputs()
    middle = (inputs > 0.1) & (inputs < 0.5)
    for _ in range(20):
        gain, power = random.uniform(-0.5, 0.5), random.uniform(-0.15, 0.15)
        curves = locking_curves(np.tile([gain, power, 0.0], (3, 1)))
        assert (np.diff(curves, axis=1) >= 0.0).all()
        tone, back = np.log(inputs[middle] / 0.4), np.log(curves[0, middle] / 0.4)
        assert np.abs(tone - back - gain - power * 0.5 * (tone + back)).max() < 0.05


def test_clipped_white_stays_white_and_noise_near_black_is_not_lifted() -> None:
    darker = locking_curves(np.tile([0.6, 0.0, 0.0], (3, 1)))
    assert darker[:, -1].min() == pytest.approx(1.0)
    lighter = locking_curves(np.tile([-1.0, 0.0, 0.0], (3, 1)))
    near_black = np.searchsorted(curve_inputs(), 0.006)
    assert lighter[0, near_black] < 1.2 * curve_inputs()[near_black]


def test_gains_are_bounded() -> None:
    curves = locking_curves(np.tile([-9.0, 0.0, 0.0], (3, 1)))
    assert (curves[:, 1:] / curve_inputs()[1:]).max() < np.exp(1.5)


def test_automatic_exposure_is_named_and_a_sunset_is_not() -> None:
    steady = pan(seed=10)
    gains = exposures(time=len(steady), seed=10)
    assert drift_in(exposed(steady, gains)) > 0.25
    as_eight = exposed(steady, np.zeros_like(gains))
    assert drift_in(as_eight) == 0.0
    assert drift_in(sunset(Clip.at_rate(as_eight, fps=FPS)).pixels) == 0.0
    still = np.repeat(steady[:1], len(steady), axis=0)
    assert drift_in(exposed(still, gains)) == 0.0


def test_exposure_that_answers_the_scene_is_named_though_it_goes_one_way() -> None:
    time = np.linspace(0.0, 1.0, 100)
    view = np.stack([time, 0.0 * time], axis=1)
    light = np.tile(-0.4 * time[:, None], (1, 3))
    answering = Course(light=light, content=0.1 * time, view=view)
    assert drift_of(answering, fps=FPS) > 0.4
    darkening = Course(light=light, content=light[:, 0], view=view)
    assert drift_of(darkening, fps=FPS) == 0.0


def test_courses_of_windows_join() -> None:
    steady = pan(seed=11, seconds=4.0)
    clip = list(exposed(steady, exposures(time=len(steady), seed=11)).astype(np.float32) / 255.0)

    def course(start: int, stop: int) -> Course:
        return course_of(clip[start:stop], estimate_motion(np.stack(clip[start:stop])))

    whole, joined = course(0, 48), course(0, 30).followed_by(course(24, 48), 6)
    assert np.allclose(whole.light, joined.light, atol=1e-6)
    assert np.allclose(whole.view, joined.view, atol=1e-6)
    assert np.allclose(whole.content, joined.content)


def test_a_finding_carries_its_course() -> None:
    film = ArraySource(panning(time=12))
    finding = next(
        item
        for item in analyse_film(film, Settings.from_preset("fast"))
        if isinstance(item, Finding)
    )
    assert finding.course is not None
    assert len(finding.course.light) == 12
