"""Simulated flicker: seeded, with a ground truth that is steady, and each with its own physics."""

import numpy as np
import pytest

from made_clips import panning
from unflicker.errors import UsageError
from unflicker.frames.clip import Clip
from unflicker.metrics import level_free_psnr, psnr
from unflicker.synthesis import KINDS, SIMULATED_KINDS, category_of, simulated

MOVING = panning(time=15, size=(54, 96))
STILL = Clip.at_rate(np.repeat(panning(time=1, size=(54, 96)).pixels, 15, axis=0), fps=24.0)


def levels(clip: Clip) -> np.ndarray:
    return np.log(clip.as_float().mean(axis=(1, 2, 3)))


@pytest.mark.parametrize("kind", SIMULATED_KINDS)
def test_the_same_seed_gives_the_same_flicker_and_another_does_not(kind):
    one, same, other = (simulated(MOVING, kind=kind, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(one.clip.pixels, same.clip.pixels)
    assert np.array_equal(one.steady.pixels, same.steady.pixels)
    drawn = kind not in ("auto-contrast", "clahe")
    assert np.array_equal(one.clip.pixels, other.clip.pixels) is not drawn
    assert one.clip.pixels.shape == one.steady.pixels.shape == MOVING.pixels.shape
    assert psnr(one.clip, one.steady) < 36


@pytest.mark.parametrize("kind", SIMULATED_KINDS)
def test_without_strength_there_is_no_flicker_but_for_compression(kind):
    made = simulated(MOVING, kind=kind, seed=1, strength=0.0)
    least = 28 if kind == "complex" else 99
    assert psnr(made.clip, made.steady) > least


@pytest.mark.parametrize("kind", SIMULATED_KINDS)
def test_what_is_processed_has_the_clip_itself_as_original(kind):
    made = simulated(MOVING, kind=kind, seed=0)
    own = kind in ("lamps", "complex", "novel view")
    assert (made.steady is MOVING) is not own
    assert category_of(kind) == ("processed" if kind in SIMULATED_KINDS[4:] else "simulated")
    assert kind not in KINDS


def test_lamps_write_other_rows_in_other_frames_and_colours_by_place():
    made = simulated(STILL, kind="lamps", seed=2)
    gain = made.clip.as_float() / np.maximum(made.steady.as_float(), 0.05)
    rows = gain[..., 1].mean(axis=2)
    assert rows.std(axis=1).max() > 0.02
    assert rows.std(axis=0).max() > 0.02
    warmth = np.log(np.maximum(gain[..., 0], 0.1) / np.maximum(gain[..., 2], 0.1))
    assert (
        abs(warmth[:, :, :32].mean(axis=(1, 2)) - warmth[:, :, -32:].mean(axis=(1, 2))).max()
        > 0.002
    )
    # The ground truth of a still picture has sensor noise alone.
    assert np.diff(levels(made.steady)).std() < 0.002


def test_complex_degradation_has_fields_of_two_frames_and_equal_dirt_on_both_sides():
    made = simulated(MOVING, kind="complex", seed=5)
    frames = made.steady.as_float().mean(axis=3)
    combed = np.abs(
        frames[:, 1:-1:2]
        - (frames[:, :-2:2] + frames[:, 2::2])[:, : frames[:, 1:-1:2].shape[1]] / 2
    )
    mixed = np.isin(np.arange(15) % 5, (2, 3))
    assert combed[mixed].mean() > 1.2 * combed[~mixed].mean()
    assert level_free_psnr(made.clip, made.steady) > 15


def test_drift_of_exposure_is_slow_and_large():
    long = Clip.at_rate(np.repeat(STILL.pixels[:1, :8, :8], 240, axis=0), fps=24.0)
    path = levels(simulated(long, kind="drift", seed=1).clip)
    assert np.ptp(path) > 0.1
    assert np.abs(np.diff(path)).max() < 0.15 * np.ptp(path)


def test_novel_views_move_smoothly_and_change_their_look_from_view_to_view():
    made = simulated(MOVING, kind="novel view", seed=2)
    steps = [np.abs(np.diff(levels(clip))) for clip in (made.clip, made.steady)]
    assert steps[0].max() > 4 * steps[1].max()
    moved = np.abs(np.diff(made.steady.as_float(), axis=0)).mean(axis=(1, 2, 3))
    assert moved.min() > 0.001
    # A look lasts for some frames.
    assert (steps[0] < 0.25 * steps[0].max()).mean() > 0.5


@pytest.mark.parametrize("kind", ["auto-contrast", "clahe"])
def test_real_operators_do_not_flicker_where_nothing_changes(kind):
    still = simulated(STILL, kind=kind, seed=0).clip.pixels
    assert (still == still[:1]).all()
    moving = levels(simulated(MOVING, kind=kind, seed=0).clip) - levels(MOVING)
    assert np.ptp(moving) > 0.003


def test_an_unknown_simulation_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'lamps'"):
        simulated(MOVING, kind="lamp", seed=0)
    with pytest.raises(UsageError, match="negative strength"):
        simulated(MOVING, kind="lamps", seed=0, strength=-1.0)
