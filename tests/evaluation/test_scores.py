"""What scores mean: the truth is best, the input no gain, blur shows, paths are kept."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from made_clips import panning
from unflicker.datasets import motion_cache
from unflicker.datasets.load import Example, Loaded, load, read_dataset
from unflicker.datasets.motion_cache import paths_of, shot_starts
from unflicker.evaluation.scores import SETS, scores
from unflicker.frames.clip import Clip
from unflicker.synthesis import synthesise

FPS = 24.0


def synthetic(*, kind: str = "exposure", time: int = 8) -> Loaded:
    truth = panning(time=time, size=(72, 128))
    video = synthesise(truth, kind=kind, seed=3).clip
    example = Example(
        name=f"made/{kind}", clip="made", category="synthetic", kind=kind, video=Path("made.mkv")
    )
    return Loaded(example=example, video=video, truth=truth, original=None, fps=FPS)


def blurred(clip: Clip, deviation: float = 1.5) -> Clip:
    return Clip.at_rate(
        np.stack([cv2.GaussianBlur(frame, (0, 0), deviation) for frame in clip.pixels]), fps=FPS
    )


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return synthetic()


@pytest.fixture(scope="module")
def found(loaded) -> dict:
    clips = {"truth": loaded.truth, "input": loaded.video, "blurred": blurred(loaded.truth)}
    return {name: scores(clip, loaded) for name, clip in clips.items()}


def test_the_truth_scores_best_in_everything(found):
    truth = found["truth"]
    assert truth["fidelity"]["psnr"] == truth["fidelity"]["worst_psnr"] == 100.0
    assert truth["fidelity"]["delta_e"] == 0.0
    assert truth["fidelity"]["ssim"] == pytest.approx(1.0)
    for name in ("e_warp_ratio", "lai_warp_ratio"):
        assert truth["consistency"][name] == pytest.approx(1.0, abs=1e-6)
    assert truth["fidelity"]["level_free_psnr"] == 100.0
    assert truth["visible"]["visible_flicker_less"] > 0.7
    assert (
        truth["visible"]["worst_tenth_flicker"] < found["input"]["visible"]["worst_tenth_flicker"]
    )
    assert truth["visible"]["vbench_flickering_gain"] > 0
    for name in ("psnr", "pooled_psnr", "level_free_psnr", "worst_psnr", "ssim"):
        assert truth["fidelity"][name] > found["input"]["fidelity"][name]
    for name in ("e_warp", "lai_warp"):
        assert truth["consistency"][name] < found["input"]["consistency"][name]


def test_the_input_is_no_gain_over_itself(found):
    visible = found["input"]["visible"]
    assert visible["visible_flicker_less"] == pytest.approx(0.0, abs=1e-9)
    assert visible["vbench_flickering_gain"] == 0.0
    assert visible["worst_tenth_flicker"] >= visible["visible_flicker"]
    for name in ("sharpness_to_input", "contrast_to_input"):
        assert visible[name] == pytest.approx(1.0, abs=1e-9)
    assert found["input"]["consistency"]["e_warp_ratio"] > 2


def test_blur_raises_no_score_but_the_warping_errors_and_shows_in_sharpness(found):
    blur, truth = found["blurred"], found["truth"]
    for name in ("psnr", "pooled_psnr", "level_free_psnr", "worst_psnr", "ssim", "sharpness"):
        assert blur["fidelity"][name] < truth["fidelity"][name]
    assert blur["fidelity"]["delta_e"] > truth["fidelity"]["delta_e"]
    # The warping errors can be gamed: below the steady clip's own is the warning.
    assert blur["consistency"]["e_warp_ratio"] < 1
    assert blur["fidelity"]["sharpness"] < 0.8


def test_stronger_flicker_has_larger_errors(loaded):
    truth = loaded.truth
    weak, strong = (
        scores(synthesise(truth, kind="exposure", seed=3, strength=strength).clip, loaded)
        for strength in (0.2, 0.6)
    )
    assert weak["fidelity"]["psnr"] > strong["fidelity"]["psnr"]
    assert weak["consistency"]["e_warp"] < strong["consistency"]["e_warp"]
    assert weak["visible"]["visible_flicker"] < strong["visible"]["visible_flicker"]


def test_which_sets_there_are_depends_on_what_is_known(loaded):
    real = Loaded(example=loaded.example, video=loaded.video, truth=None, original=None, fps=FPS)
    processed = Loaded(
        example=loaded.example, video=loaded.video, truth=None, original=loaded.truth, fps=FPS
    )
    assert set(scores(loaded.video, real)) == {"visible"}
    assert set(scores(loaded.video, processed)) == {"visible", "consistency"}
    assert {"visible", "consistency", "fidelity"} <= set(scores(loaded.video, loaded)) <= set(SETS)


def test_pixels_that_the_flicker_drove_to_white_are_not_judged(loaded):
    video = loaded.video.pixels.copy()
    video[2, 10:40, 20:60] = 255
    lost = Loaded(
        example=loaded.example,
        video=Clip.at_rate(video, fps=FPS),
        truth=loaded.truth,
        original=None,
        fps=FPS,
    )
    assert lost.valid is not None
    assert not lost.valid[2, 10:40, 20:60].any()
    result = loaded.truth.pixels.copy()
    result[2, 10:40, 20:60] = 255
    found = scores(Clip.at_rate(result, fps=FPS), lost)
    assert found["consistency"]["e_warp_ratio"] == pytest.approx(1.0, abs=0.05)


def test_a_result_of_another_length_is_refused(loaded):
    short = Clip.at_rate(loaded.video.pixels[:-1], fps=FPS)
    with pytest.raises(ValueError, match="keep size and number"):
        scores(short, loaded)


def test_paths_follow_the_known_motion_to_the_frame_before_and_to_the_first():
    clip = panning(time=4, size=(72, 128), speed_px=(2.0, 0.0))
    paths = paths_of(clip)
    assert paths.first == (0, 0, 0)
    for pair in range(3):
        near, far = paths.back[pair][paths.seen[pair]], paths.to_first[pair]
        assert np.median(near, axis=0) == pytest.approx([2.0, 0.0], abs=0.1)
        there = far[paths.seen_in_first[pair]]
        assert np.median(there, axis=0) == pytest.approx([2.0 * (pair + 1), 0.0], abs=0.2)
        assert paths.seen[pair].mean() > 0.85


def test_paths_do_not_cross_a_cut():
    one, other = (panning(time=5, size=(72, 128), seed=seed).pixels for seed in (0, 5))
    clip = Clip.at_rate(np.concatenate([one, other]), fps=FPS)
    assert shot_starts(clip) == [0, 5]
    paths = paths_of(clip)
    assert paths.first == (0, 0, 0, 0, 5, 5, 5, 5, 5)
    assert not paths.seen[4].any()
    assert not paths.seen_in_first[4].any()
    assert paths.seen_in_first[6].any()


def test_paths_are_found_once_and_kept(tmp_path, monkeypatch):
    clip = panning(time=4, size=(72, 128))
    first = paths_of(clip, keep_in=tmp_path / "paths")
    monkeypatch.setattr(motion_cache, "estimate_motion", None)
    again = paths_of(clip, keep_in=tmp_path / "paths")
    np.testing.assert_array_equal(first.back, again.back)
    np.testing.assert_array_equal(first.to_first, again.to_first)
    np.testing.assert_array_equal(first.seen, again.seen)
    assert len(list((tmp_path / "paths").iterdir())) == 1
    with pytest.raises(TypeError):
        paths_of(panning(time=4, size=(72, 128), seed=1), keep_in=tmp_path / "paths")


def test_paths_that_are_handed_over_are_not_found_again(loaded, monkeypatch):
    fresh = Loaded(
        example=loaded.example, video=loaded.video, truth=loaded.truth, original=None, fps=FPS
    )
    known = paths_of(loaded.truth)
    monkeypatch.setattr(motion_cache, "estimate_motion", None)
    assert "consistency" in scores(loaded.video, fresh, paths=known, sets=("consistency",))


def test_kept_paths_score_as_those_just_found(loaded, tmp_path):
    kept = paths_of(loaded.truth, keep_in=tmp_path)
    one = scores(loaded.video, loaded)["consistency"]
    other = scores(loaded.video, loaded, paths=kept)["consistency"]
    assert one
    for name, value in one.items():
        assert other[name] == pytest.approx(value, rel=0.02)


def test_only_the_sets_asked_for_are_measured(loaded):
    assert set(scores(loaded.video, loaded, sets=("fidelity",))) == {"fidelity"}
    with pytest.raises(ValueError, match="no set of metrics is named fidelty"):
        scores(loaded.video, loaded, sets=("fidelty",))


@pytest.mark.skipif("UNFLICKER_DATA" not in os.environ, reason="wants real clips: UNFLICKER_DATA")
def test_real_pairs_are_steadier_as_they_were_before_processing():
    examples = read_dataset(Path(os.environ["UNFLICKER_DATA"])).examples
    # Depth in false colours shows other things than its source: their errors cannot be compared.
    pairs = [
        example
        for example in examples
        if example.category == "processed" and "depth" not in example.name
    ]
    assert pairs
    for example in pairs:
        pair = load(example, width_px=192, frames=12)
        assert pair.original is not None
        assert scores(pair.video, pair, sets=("consistency",))["consistency"]["e_warp_ratio"] > 1.2
