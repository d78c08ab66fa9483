"""Laws of the first reading: one grade for every frame, in order, found on small pictures."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from made_clips import panning
from unflicker.analysis import tone_window as toning
from unflicker.analysis.analyse_film import analyse_film
from unflicker.analysis.analyse_window import Finding
from unflicker.frames.clip import Clip
from unflicker.frames.colour import proxy_size
from unflicker.grade import Grade
from unflicker.motion import estimate_motion
from unflicker.plan import FramePlan
from unflicker.settings import Settings, WindowSettings
from unflicker.synthesis import synthesise
from unflicker.tone import Pace, SteadyTone, steady_tone, steady_whole
from unflicker.video import ArraySource

SHORT_WINDOWS = Settings.from_preset("fast", window=WindowSettings(frames=16, overlap_frames=6))


def film(pixels: np.ndarray) -> ArraySource:
    return ArraySource(Clip.at_rate(pixels, fps=24))


def flickering(*, time: int, seed: int = 1) -> np.ndarray:
    clip = panning(time=time, size=(54, 96), seed=seed)
    return synthesise(clip, kind="exposure", seed=seed).clip.pixels


def stops(grade: Grade) -> float:
    """Light added to the whole picture."""
    return float(grade.stops_by_place(rows=1, columns=1)[0, 0])


class DamagedFilm(ArraySource):
    """Some frames are damaged: they show nothing but white."""

    damaged = (7, 8)

    def frames(self):
        for frame in super().frames():
            bad = frame.index in self.damaged
            yield replace(frame, damaged=bad)


@given(height=st.integers(1, 5000), width=st.integers(1, 5000), longest=st.integers(16, 512))
def test_a_proxy_keeps_the_shape_and_is_never_larger(height: int, width: int, longest: int) -> None:
    rows, columns = proxy_size((height, width), longest)
    assert 1 <= rows <= max(1, min(height, longest))
    assert 1 <= columns <= max(1, min(width, longest))
    if max(height, width) <= longest:
        assert (rows, columns) == (height, width)
    else:
        scale = longest / max(height, width)
        assert abs(rows - height * scale) <= 1
        assert abs(columns - width * scale) <= 1


@pytest.mark.parametrize("settings", [Settings.from_preset("fast"), SHORT_WINDOWS])
def test_every_frame_has_one_thought_in_order_after_its_windows_finding(settings) -> None:
    pixels = np.concatenate([flickering(time=40), flickering(time=9, seed=2)])
    indices, ends = [], 0
    window = None
    for thought in analyse_film(film(pixels), settings):
        if isinstance(thought, Finding):
            window = thought
            ends += window.ends_shot
        else:
            assert window is not None
            assert window.start <= thought.index < window.stop
            indices.append(thought.index)
    assert indices == list(range(49))
    assert ends == 2


def test_windows_fade_into_each_other() -> None:
    """Where windows overlap, no grade jumps away from those of the whole shot at once."""
    pixels = flickering(time=40)
    gains = [
        np.array(
            [
                stops(t.grade)
                for t in analyse_film(film(pixels), settings)
                if isinstance(t, FramePlan)
            ]
        )
        for settings in (Settings.from_preset("fast"), SHORT_WINDOWS)
    ]
    difference = gains[1] - gains[0]
    assert np.abs(np.diff(difference)).max() < 0.35 * np.abs(np.diff(gains[0])).max()


def test_a_damaged_frame_is_left_out_and_its_neighbours_do_not_know_it() -> None:
    pixels = flickering(time=20)
    spoilt = pixels.copy()
    spoilt[list(DamagedFilm.damaged)] = 255
    sound = [
        t.grade
        for t in analyse_film(film(pixels), Settings.from_preset("fast"))
        if isinstance(t, FramePlan)
    ]
    bad = DamagedFilm(Clip.at_rate(spoilt, fps=24))
    thoughts = [
        t for t in analyse_film(bad, Settings.from_preset("fast")) if isinstance(t, FramePlan)
    ]
    assert [t.index for t in thoughts if t.damaged] == list(DamagedFilm.damaged)
    others = [t.index for t in thoughts if not t.damaged]
    told = np.array([stops(thoughts[i].grade) for i in others])
    true = np.array([stops(sound[i]) for i in others])
    assert np.sqrt(np.mean(np.diff(told - true, 2) ** 2)) < 0.25 * np.sqrt(
        np.mean(np.diff(true, 2) ** 2)
    )


def test_what_takes_long_is_told_from_flicker_by_the_films_own_clock() -> None:
    """The same pictures shown slowly: a wave of light becomes slow, and stays."""
    clip = panning(time=48, size=(54, 96))
    wave = 1 + 0.1 * np.sin(2 * np.pi * np.arange(48) / 14)
    pixels = np.rint(np.clip(clip.pixels * wave[:, None, None, None], 0, 255)).astype(np.uint8)
    settings = replace(Settings.from_preset("fast"), keep_slower_than_seconds=0.5)
    sizes = []
    for fps in (48.0, 2.0):
        slow = ArraySource(Clip.at_rate(pixels, fps=fps))
        thoughts = [t for t in analyse_film(slow, settings) if isinstance(t, FramePlan)]
        light = [stops(t.grade) for t in thoughts]
        sizes.append(np.std(light[8:-8]))
    assert sizes[0] > 0.06
    assert sizes[1] < 0.3 * sizes[0]


def test_findings_say_how_visible_flicker_was_and_is() -> None:
    findings = [
        f
        for f in analyse_film(film(flickering(time=24)), Settings.from_preset("fast"))
        if isinstance(f, Finding)
    ]
    assert len(findings) == 1
    assert findings[0].fps == pytest.approx(24.0, rel=1e-3)
    assert findings[0].visible_after < 0.3 * findings[0].visible_before


def test_of_two_descriptions_the_plainer_is_taken_unless_the_eye_sees_more_flicker(
    monkeypatch,
) -> None:
    def findings(pixels: np.ndarray) -> list[Finding]:
        return [
            item
            for item in analyse_film(film(pixels), Settings.from_preset("fast"))
            if isinstance(item, Finding)
        ]

    pixels = flickering(time=20)
    (plain,) = findings(pixels)
    place = plain.tone.coefficients[..., 1 : plain.tone.field.shared]
    assert plain.tone.coefficients.any()
    assert not place.any()
    worse = []

    def of_no_use(_light, _motion, *, like: SteadyTone, pace: Pace, seen: object) -> SteadyTone:
        del seen
        worse.append(pace.keep_slower_frames)
        return like.unapplied()

    monkeypatch.setattr(toning, "steady_whole", of_no_use)
    (wide,) = findings(pixels)
    assert worse
    assert wide.visible_after >= plain.visible_after
    assert wide.visible_after < 0.3 * wide.visible_before


def test_a_gain_that_is_the_same_everywhere_is_found_without_places() -> None:
    clip = panning(time=20, size=(54, 96))
    random = np.random.default_rng(3)
    gains = np.exp(random.normal(0.0, 0.1, 20)).astype(np.float32)
    light = clip.as_float() * 0.6 * gains[:, None, None, None]
    motion = estimate_motion(light)
    tone = steady_tone(
        light,
        motion,
        settings=Settings.from_preset("fast").tone,
        pace=Pace(keep_slower_frames=48.0),
    )
    whole = steady_whole(light.copy(), motion, like=tone, pace=Pace(keep_slower_frames=48.0))
    assert not whole.coefficients[..., 1 : tone.field.shared].any()
    steady = light.copy()
    whole.apply(steady)
    left = np.log(steady.mean(axis=(1, 2, 3)) / (clip.as_float() * 0.6).mean(axis=(1, 2, 3)))
    assert np.std(left) < 0.1 * np.std(np.log(gains))
