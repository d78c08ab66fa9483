"""Laws of what is not the scene: it is left as it is, and has no influence on the rest."""

import cv2
import numpy as np
import pytest

from made_overlays import KINDS, overlaid
from unflicker import RunOptions, analyze, deflicker, run
from unflicker.settings import Settings
from unflicker.video import open_video

FAST = Settings.from_preset("fast")


@pytest.mark.parametrize("kind", KINDS)
def test_what_lies_over_the_scene_stays_while_the_scene_is_steadied(kind: str) -> None:
    made = overlaid(kind, seed=len(kind))
    steady = deflicker(made.frames, fps=25.0, settings=FAST)
    assert made.overlay_deviation(steady) <= 1.5
    assert made.level_rms(steady) <= 0.1 * made.level_rms(made.frames)


def test_the_twin_without_a_search_for_overlays_makes_them_pulse(monkeypatch) -> None:
    made = overlaid("logo", seed=4, time=24)
    monkeypatch.setattr("unflicker.analysis.analyse_window.not_scene", lambda *_: (None, None))
    assert made.overlay_deviation(deflicker(made.frames, fps=25.0, settings=FAST)) > 3.0


def test_bars_stay_to_the_bit_and_the_film_between_them_is_what_it_is_alone() -> None:
    made = overlaid("none", seed=7, time=16, size=(120, 200))
    framed = np.zeros((len(made.frames), 160, 200, 3), np.uint8)
    framed[:, :20] = framed[:, 140:] = 17
    framed[:, 20:140] = made.frames
    steady = deflicker(framed, fps=25.0, settings=FAST)
    alone = deflicker(made.frames, fps=25.0, settings=FAST)
    np.testing.assert_array_equal(steady[:, :20], framed[:, :20])
    np.testing.assert_array_equal(steady[:, 140:], framed[:, 140:])
    apart = steady[:, 22:138].astype(float) - alone[:, 2:118]
    assert np.sqrt((apart**2).mean()) < 1.0


def test_a_subtitle_is_kept_as_long_as_it_is_shown_and_no_longer() -> None:
    made = overlaid("subtitle", seed=3, time=32)
    bare = overlaid("none", seed=3, time=32)
    shown = np.zeros(32, bool)
    shown[6:24] = True
    frames = np.where(shown[:, None, None, None], made.frames, bare.frames)
    steady = deflicker(frames, fps=25.0, settings=FAST)
    ink, off = made.over[14], steady.astype(float) - frames
    assert np.abs(off[shown][:, ink]).mean() < 1.0
    assert np.abs(off[~shown][:, ink]).mean() > 2.0


def test_a_logo_is_known_again_in_a_shot_that_is_too_short_to_show_it() -> None:
    first, second = (overlaid("logo", seed=s, time=t) for s, t in ((5, 24), (16, 8)))
    frames = np.concatenate([first.frames, second.frames])
    steady = deflicker(frames, fps=25.0, settings=FAST)
    off = (steady.astype(float) - frames)[24:]
    place = np.zeros(frames.shape[1:3], bool)
    place[14:32, 170:198] = True
    assert np.abs(off[:, place]).max() <= 1.0


@pytest.mark.parametrize("seed", [1, 2])
def test_a_film_with_nothing_over_it_comes_out_as_without_a_search(monkeypatch, seed) -> None:
    made = overlaid("none", seed=seed, time=20, flicker=0.06, pan=[0.0, 1.5][seed - 1])
    searched = deflicker(made.frames, fps=25.0, settings=FAST)
    monkeypatch.setattr("unflicker.analysis.analyse_window.not_scene", lambda *_: (None, None))
    np.testing.assert_array_equal(searched, deflicker(made.frames, fps=25.0, settings=FAST))


def test_a_plan_keeps_what_is_kept(tmp_path) -> None:
    made = overlaid("clock", seed=9, time=16)
    source = stills(tmp_path / "in", made.frames)
    run(source, tmp_path / "run", settings=FAST)
    analyze(source, settings=FAST, options=RunOptions(save_plan=tmp_path / "film.plan"))
    run(
        source, tmp_path / "applied", settings=FAST, options=RunOptions(plan=tmp_path / "film.plan")
    )
    one, other = (colours(tmp_path / name) for name in ("run", "applied"))
    np.testing.assert_array_equal(one, other)
    assert made.overlay_deviation(one) <= 1.5


def test_what_lies_under_transparency_has_no_influence_and_stays(tmp_path) -> None:
    random = np.random.default_rng(2)
    made = overlaid("none", seed=6, time=16, size=(96, 128), flicker=0.1)
    y, x = np.mgrid[:96, :128]
    alpha = np.stack([np.clip(30 - np.hypot(x - 40 - 2 * t, y - 48), 0, 1) for t in range(16)])
    alpha = np.rint(alpha * 255).astype(np.uint8)[..., None]
    results = []
    for name in ("dull", "wild"):
        junk = random.integers(0, 256, (16, 1, 1, 3)) if name == "wild" else np.full(3, 90)
        under = np.broadcast_to(junk, made.frames.shape).astype(np.uint8)
        frames = np.where(alpha > 0, made.frames, under)
        stored = np.concatenate([frames, alpha], axis=-1)
        run(stills(tmp_path / name, stored), tmp_path / f"{name} out", settings=FAST)
        result = colours(tmp_path / f"{name} out")
        np.testing.assert_array_equal(result[..., 3:], alpha)
        hidden = alpha[..., 0] == 0
        np.testing.assert_array_equal(result[hidden][:, :3], frames[hidden])
        results.append(np.where(alpha > 0, result[..., :3], 0))
    np.testing.assert_array_equal(*results)
    figure = alpha[..., 0] == 255
    levels = [
        np.log(r[place].mean() / t[place].mean())
        for r, t, place in zip(results[0].astype(float), made.truth, figure, strict=True)
    ]
    assert np.std(levels) <= 0.01


def stills(folder, frames: np.ndarray):
    folder.mkdir()
    for t, frame in enumerate(frames):
        order = [2, 1, 0, 3][: frame.shape[-1]]
        cv2.imwrite(str(folder / f"{t:04d}.png"), frame[..., order])
    return folder


def colours(folder) -> np.ndarray:
    return np.stack(
        [np.stack(frame.picture.planes, axis=-1) for frame in open_video(folder).frames()]
    )
