"""What belongs to a film survives, alone and under flicker; what flickers goes at any pace."""

import numpy as np
import pytest

import unflicker
from made_clips import panning, psnr
from unflicker.frames.clip import from_float
from unflicker.settings import Settings, replaced
from unflicker.synthesis.events import EVENTS

TIME = 60
SIZE = (90, 160)
FAST = Settings.from_preset("fast")


def base(seed: int, *, time: int = TIME) -> np.ndarray:
    clip = panning(time=time, size=SIZE, seed=seed, speed_px=(0.8, 0.3))
    return clip.as_float() * np.float32(0.8)


def stored(light: np.ndarray) -> np.ndarray:
    return from_float(np.clip(light, 0, 1), dtype=np.uint8)


def flickers(random: np.random.Generator, deviation: float, *, time: int = TIME) -> np.ndarray:
    return np.exp(random.normal(0, deviation, time)).astype(np.float32)[:, None, None, None]


def means(pixels: np.ndarray) -> np.ndarray:
    return pixels.mean(axis=(1, 2, 3))


def levels(pixels: np.ndarray, truth: np.ndarray) -> np.ndarray:
    return np.log((means(pixels) + 1e-3) / (means(truth) + 1e-3))


def steadied(pixels: np.ndarray, settings: Settings = FAST, *, fps: float = 25.0) -> np.ndarray:
    return unflicker.deflicker(pixels, fps=fps, settings=settings)


QUIET = sorted(set(EVENTS) - {"fire"})


@pytest.mark.parametrize("event", QUIET)
@pytest.mark.parametrize("seed", [3])
def test_events_without_flicker_stay_bit_for_bit(event: str, seed: int) -> None:
    show = EVENTS[event](np.random.default_rng(seed), TIME, 25.0).show
    wanted = stored(show(base(seed)))
    np.testing.assert_array_equal(steadied(wanted), wanted)


@pytest.mark.parametrize("event", QUIET)
@pytest.mark.parametrize("seed", [4])
def test_events_under_flicker_keep_their_light_and_the_flicker_goes(event: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    happening = EVENTS[event](random, TIME, 25.0)
    scene = base(seed)
    wanted = stored(happening.show(scene))
    flickering = stored(happening.show(scene * flickers(random, 0.06)))
    out = steadied(flickering)
    assert psnr(out, wanted) > psnr(flickering, wanted)
    quiet = ~happening.frames
    if quiet.sum() > 20:
        left = levels(out, wanted)[quiet].std()
        # Around a dissolve the fit is less sure: content changes everywhere at once.
        most = 0.8 if event == "dissolve" else 0.5
        assert left < most * levels(flickering, wanted)[quiet].std()


@pytest.mark.parametrize(("place", "deviation"), [("whole", 0.15), ("corner", 0.15), ("corner", 0)])
def test_light_that_rises_at_once_and_dies_away_stays(place: str, deviation: float) -> None:
    random = np.random.default_rng(11)
    late = np.arange(TIME) - int(random.integers(15, 30))
    dies = np.where(late >= 0, np.exp(-np.maximum(late, 0) / random.uniform(6, 12)), 0.0)
    across = np.linspace(0, 1, SIZE[1])[:, None] if place == "corner" else np.ones((1, 1))
    lit = (1 + 1.2 * dies[:, None, None, None] * across).astype(np.float32)
    scene = base(7) * np.float32(0.5)
    wanted, flickering = stored(scene * lit), stored(scene * lit * flickers(random, deviation))
    out = steadied(flickering)
    if not deviation:
        np.testing.assert_array_equal(out, wanted)
        return
    left, before = (np.abs(levels(pixels, wanted)) for pixels in (out, flickering))
    left, before = (one[dies > 0.05] for one in (left, before))
    assert np.sqrt((left**2).mean()) < 0.6 * np.sqrt((before**2).mean())
    assert left.max() < before.max()


def test_fire_keeps_most_of_its_own_change() -> None:
    fire = EVENTS["fire"](np.random.default_rng(5), TIME, 25.0)
    wanted = stored(fire.show(base(5)))
    glow = [
        levels(pixels, np.broadcast_to(wanted.mean(axis=0), wanted.shape))
        for pixels in (wanted, steadied(wanted))
    ]
    assert np.std(glow[1]) > 0.6 * np.std(glow[0])


@pytest.mark.parametrize(("film", "video"), [(18, 24), (16, 25)])
@pytest.mark.parametrize("preset", ["fast", "refined"])
def test_a_film_with_repeated_frames_becomes_steady_and_twins_stay_equal(
    film: int, video: int, preset: str
) -> None:
    settings = FAST if preset == "fast" else replaced(FAST, {"refinement.used": True})
    shown = np.arange(TIME) * film // video
    scene = base(6)
    truth = stored(scene)[shown]
    flickering = stored(scene * flickers(np.random.default_rng(film), 0.11))[shown]
    out = steadied(flickering, settings, fps=float(video))
    assert levels(out, truth).std() < 0.02
    twins = np.nonzero(np.diff(shown) == 0)[0]
    np.testing.assert_array_equal(out[twins], out[twins + 1])


@pytest.mark.parametrize("fps", [0.5, 3.0])
def test_a_time_lapse_stored_slowly_is_steadied(fps: float) -> None:
    scene = base(7)
    flickering = stored(scene * flickers(np.random.default_rng(7), 0.1))
    out = steadied(flickering, fps=fps)
    assert levels(out, stored(scene)).std() < 0.25 * levels(flickering, stored(scene)).std()


@pytest.mark.parametrize("shift", [4, 6])
def test_light_in_the_lowest_bits_is_steadied_as_if_it_lay_higher(shift: int) -> None:
    scene = base(8)[..., 1] * np.float32((1 << (16 - shift)) - 1)
    flickering = scene * flickers(np.random.default_rng(8), 0.1)[..., 0]
    counts = np.rint(flickering).astype(np.uint16)
    gone = []
    for moved in (0, shift):
        out = steadied(counts << moved).astype(float)
        left = np.log(out.mean(axis=(1, 2)) / scene.mean(axis=(1, 2)))
        gone.append(1.0 - left.std() / np.log(flickering.mean((1, 2)) / scene.mean((1, 2))).std())
    assert min(gone) > 0.8
    assert gone[0] == pytest.approx(gone[1], abs=0.1)


@pytest.mark.parametrize("period", [90, 120])
def test_slow_pumping_goes_where_it_is_asked_for(period: int) -> None:
    scene = base(9, time=150)
    pump = np.exp(0.1 * np.sin(np.arange(150) * 2 * np.pi / period)).astype(np.float32)
    pumping = stored(scene * pump[:, None, None, None])
    left = [
        levels(
            steadied(pumping, replaced(FAST, {"keep_slower_than_seconds": slower})), stored(scene)
        )
        for slower in (2.0, 20.0)
    ]
    assert left[0].std() > 0.06
    assert left[1].std() < 0.15 * left[0].std()


@pytest.mark.parametrize("step", [0.1, -0.12])
def test_a_window_of_generated_video_goes_over_into_the_next(step: float) -> None:
    scene = base(10, time=98) * np.float32(0.9)
    light = np.where(np.arange(98) < 49, 1.0, np.exp(step)).astype(np.float32)
    out = levels(steadied(stored(scene * light[:, None, None, None]), fps=16.0), stored(scene))
    assert abs(out[49:52].mean() - out[46:49].mean()) < 0.02


def test_a_lamp_that_is_switched_on_stays_on() -> None:
    scene = base(11) * np.float32(0.5)
    light = np.where(np.arange(TIME) < 30, 1.0, 1.7).astype(np.float32)[:, None, None, None]
    lit = stored(scene * light)
    np.testing.assert_array_equal(steadied(lit), lit)


def test_flashes_are_mended_where_that_is_asked_for() -> None:
    scene = base(12) * np.float32(0.5)
    light = np.ones(TIME, np.float32)
    light[[20, 41]] = 1.6
    flashing = stored(scene * light[:, None, None, None])
    np.testing.assert_array_equal(steadied(flashing), flashing)
    mended = steadied(flashing, replaced(FAST, {"tone.flashes": "repair"}))
    assert np.abs(levels(mended, stored(scene))).max() < 0.1
