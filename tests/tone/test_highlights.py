"""Clipped white: as bright as it usually is, and nothing else lighter for it."""

import numpy as np
import pytest

import unflicker
from unflicker.frames.clip import from_float
from unflicker.tone import estimate as steady
from unflicker.tone.grading import grade_of
from unflicker.tone.highlights import with_highlights
from unflicker.tone.illumination import IlluminationModel

TIME, SKY = 24, 0.9
FIELD = IlluminationModel(height=48, width=64)
_LAST = ((0, 0), (0, 0), (0, 1))
GAINS = np.random.default_rng(3).uniform(0.75, 1.3, TIME)


def scene(sky: float = SKY) -> np.ndarray:
    """A sky above a textured ground, in [0, 1]."""
    ground = np.random.default_rng(0).uniform(0.1, 0.6, (48, 64, 3))
    picture = ground.repeat(2, axis=0)[:48].astype(np.float32)
    picture[:20] = sky
    return picture


def exposed(sky: float = SKY) -> np.ndarray:
    """The scene under light that flickers: the sky clips in every frame that is much too light."""
    return np.clip(scene(sky) * GAINS[:, None, None, None], 0.0, 1.0).astype(np.float32)


def known_light() -> np.ndarray:
    """What flickers, as coefficients."""
    light = np.zeros((TIME, 3, FIELD.size))
    light[..., 0] = np.log(GAINS)[:, None]
    return light


def white(coefficients: np.ndarray) -> np.ndarray:
    """What each frame's grade makes of white."""
    return np.array([grade_of(each, FIELD).curves[:, -1] for each in coefficients])


def test_a_sky_that_clips_now_and_then_does_not_turn_grey() -> None:
    clips = GAINS * SKY > 1.0
    assert 3 < clips.sum() < TIME - 3
    light = known_light()
    assert white(light)[clips].min() < 0.85
    assert white(with_highlights(light, exposed(), FIELD))[clips] == pytest.approx(SKY, abs=0.03)


def test_the_whole_way_through_the_sky_is_steadier_for_it(monkeypatch) -> None:
    def change() -> float:
        out = unflicker.deflicker(from_float(exposed(), dtype=np.uint8), fps=24.0)
        return float(np.diff(out[:, 4:16].mean(axis=(1, 2, 3))).std())

    kept = change()
    monkeypatch.setattr(steady, "with_highlights", lambda light, *_, **__: np.pad(light, _LAST))
    assert kept < 0.8 * change()


def test_what_did_not_clip_is_graded_as_before() -> None:
    light, dim = known_light(), exposed(sky=0.6)
    after = with_highlights(light, dim, FIELD)
    assert not after[..., -1].any()
    for before, graded in zip(light, after, strict=True):
        first, second = grade_of(before, FIELD), grade_of(graded, FIELD)
        np.testing.assert_array_equal(first.curves, second.curves)


def test_only_the_last_knots_of_a_curve_are_lifted() -> None:
    light = known_light()
    after = with_highlights(light, exposed(), FIELD)
    frame = int(np.argmax(GAINS))
    before, lifted = (grade_of(each[frame], FIELD).curves for each in (light, after))
    np.testing.assert_array_equal(before[:, :126], lifted[:, :126])
    assert (lifted[:, -1] > before[:, -1] + 0.1).all()


def test_what_clips_in_every_frame_is_as_white_as_it_ever_comes_out() -> None:
    light, always = known_light(), exposed(sky=2.0)
    after = white(with_highlights(light, always, FIELD))
    assert after == pytest.approx(np.maximum(white(light), 1.0))


def test_frames_without_flicker_stay() -> None:
    nothing = np.zeros((TIME, 3, FIELD.size))
    assert not with_highlights(nothing, exposed(), FIELD).any()
