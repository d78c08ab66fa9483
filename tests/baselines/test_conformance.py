"""What every method against flicker keeps, blind or guided: one law a test, all methods under it.

A new method joins with a line in `CONDUCT`. Where a published method breaks a law, the line names
the law and why; the test then fails should the fault ever be gone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, partial

import numpy as np
import pytest

from made_clips import panning, psnr
from unflicker.baselines import BASELINES, GUIDED, Effort
from unflicker.frames.clip import Clip, from_float

SHORT_FIT = Effort(epochs=12, width=4, window_px=0, rate=3e-3)
"""Of the video prior: enough to learn."""
BRIEF_FIT = replace(SHORT_FIT, epochs=2)
"""Of the video prior where what it learns does not matter."""


@dataclass(frozen=True, kw_only=True)
class Conduct:
    """What a method does beyond the laws that hold for all."""

    options: dict = field(default_factory=dict)
    """With what it is called here."""
    brief: dict = field(default_factory=dict)
    """And where only shapes, ranges and bytes are looked at."""
    steady_db: float
    """How near to itself a steady clip comes back."""
    level_codes: int = 1
    """How far, in 8 bits, the level of a constant clip may move."""
    faults: dict[str, str] = field(default_factory=dict)
    """Laws that it is known to break, and why."""


CONDUCT = {
    "ffmpeg-deflicker": Conduct(
        steady_db=45, faults={"one frame": "it counts frames beyond the ends of a clip as black"}
    ),
    "ffmpeg-tmidequalizer": Conduct(steady_db=42),
    "ffmpeg-tmix": Conduct(steady_db=20),
    "ffmpeg-minterpolate": Conduct(steady_db=20),
    "histogram": Conduct(steady_db=37),
    "local-stabilization": Conduct(steady_db=34),
    "singular-frames": Conduct(steady_db=37),
    "average": Conduct(steady_db=45),
    "bonneel": Conduct(steady_db=45),
    "video_prior": Conduct(
        options={"effort": SHORT_FIT},
        brief={"effort": BRIEF_FIT},
        steady_db=18,
        level_codes=40,
        faults={"one frame": "the fit of one frame has too few steps to learn it"},
    ),
}


def methods(law: str = "") -> list:
    """All methods by name; those known to break a law are expected to."""
    found = []
    for name, conduct in CONDUCT.items():
        fault = conduct.faults.get(law)
        marks = [pytest.mark.xfail(strict=True, reason=fault)] if fault else []
        found.append(pytest.param(name, marks=marks))
    return found


def method(name: str, *, brief: bool = False) -> Callable[[Clip, Clip], Clip]:
    """A method that takes the clip and its steady original; blind ones do not look at that."""
    options = CONDUCT[name].brief if brief else CONDUCT[name].options
    if name in GUIDED:
        return partial(GUIDED[name], **options)
    blind = BASELINES[name]
    return lambda clip, _: blind(clip, **options)


def flickering(*, time: int = 8, dtype: type = np.uint8) -> tuple[Clip, Clip]:
    """A clip whose exposure flickers, at uneven times, and its steady original."""
    steady = panning(time=time, size=(40, 56))
    gain = np.random.default_rng(0).uniform(0.8, 1.2, time).astype(np.float32)
    values = np.clip(steady.as_float() * gain[:, None, None, None], 0, 1)
    seconds = np.arange(time) ** 1.1 / 24
    return (
        Clip(pixels=from_float(values, dtype=dtype), seconds=seconds),
        Clip(pixels=from_float(steady.as_float(), dtype=dtype), seconds=seconds),
    )


@cache
def of_a_constant(name: str, level: int) -> np.ndarray:
    """What a method makes of a clip of one level."""
    clip = Clip.at_rate(np.full((8, 32, 48, 3), level, np.uint8), fps=24)
    return method(name)(clip, clip).pixels.astype(int)


def test_every_method_is_under_these_laws():
    assert set(CONDUCT) == {*BASELINES, *GUIDED}


@pytest.mark.parametrize("name", methods())
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("time", [0, 1, 2, 8])
def test_count_size_samples_and_times_stay(name, dtype, time):
    clip, original = (
        Clip(pixels=each.pixels[:time], seconds=each.seconds[:time])
        for each in flickering(dtype=dtype)
    )
    result = method(name, brief=True)(clip, original)
    assert result.pixels.shape == clip.pixels.shape
    assert result.pixels.dtype == clip.pixels.dtype
    np.testing.assert_array_equal(result.seconds, clip.seconds)
    if time:
        light = result.as_float()
        assert np.isfinite(light).all()
        assert 0 <= light.min() <= light.max() <= 1


@pytest.mark.parametrize("name", methods("one frame"))
def test_one_frame_comes_back(name):
    clip, original = flickering(time=1)
    assert psnr(method(name)(clip, original).pixels, clip.pixels) > CONDUCT[name].steady_db


@pytest.mark.parametrize("name", methods("level"))
def test_a_constant_clip_keeps_its_level(name):
    for level in (0, 128, 255):
        result = of_a_constant(name, level)
        assert np.abs(result.mean(axis=(1, 2, 3)) - level).max() <= CONDUCT[name].level_codes


@pytest.mark.parametrize("name", methods())
def test_a_constant_clip_stays_even(name):
    for level in (0, 128, 255):
        result = of_a_constant(name, level)
        assert np.ptp(result, axis=(1, 2)).max() <= CONDUCT[name].level_codes


@pytest.mark.parametrize("name", methods())
def test_black_frames_and_flashes_leave_whole_numbers(name):
    clip, original = flickering(dtype=np.float32)
    clip.pixels[3], clip.pixels[5] = 0.0, 1.0
    light = method(name, brief=True)(clip, original).pixels
    assert np.isfinite(light).all()
    assert 0 <= light.min() <= light.max() <= 1


@pytest.mark.parametrize("name", methods())
def test_a_steady_clip_stays_near_itself(name):
    steady = panning(time=10, size=(64, 96))
    result = method(name)(steady, steady)
    assert psnr(result.pixels, steady.pixels) > CONDUCT[name].steady_db


@pytest.mark.parametrize("name", methods())
def test_flicker_becomes_less(name):
    still = panning(time=16, size=(48, 64), speed_px=(0.0, 0.0))
    gain = np.random.default_rng(1).uniform(0.85, 1.15, 16).astype(np.float32)
    pixels = from_float(np.clip(still.as_float() * gain[:, None, None, None], 0, 1), dtype=np.uint8)
    clip = Clip.at_rate(pixels, fps=24)
    given, left = (
        each.pixels[3:-3].mean(axis=(1, 2, 3)).std() for each in (clip, method(name)(clip, still))
    )
    assert left < 0.7 * given


@pytest.mark.parametrize("name", methods())
def test_what_is_given_is_left_alone(name):
    clip, original = flickering()
    before = clip.pixels.copy(), original.pixels.copy()
    method(name, brief=True)(clip, original)
    np.testing.assert_array_equal(clip.pixels, before[0])
    np.testing.assert_array_equal(original.pixels, before[1])


@pytest.mark.parametrize("name", methods())
def test_the_same_clip_gives_the_same_bytes(name):
    clip, original = flickering(dtype=np.float32)
    results = [method(name, brief=True)(clip, original).pixels.tobytes() for _ in range(2)]
    assert results[0] == results[1]
