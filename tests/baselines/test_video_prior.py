"""The deep video prior: one mode is the middle, two modes are told apart, and a seed is a fit."""

import numpy as np
import pytest
import torch

from made_clips import panning
from unflicker.baselines import EFFORTS, Effort, video_prior
from unflicker.baselines.video_prior_fit import fit_loss, start_loss
from unflicker.errors import MissingError, UsageError
from unflicker.frames.clip import Clip
from unflicker.progress import Progress

SHORT = Effort(epochs=24, width=4, window_px=0, rate=4e-3)
WARM, COLD = np.array([1.0, 0.75, 0.5], np.float32), np.array([0.5, 0.75, 1.0], np.float32)


def in_two_ways() -> tuple[Clip, Clip]:
    """A clip whose frames turn warm or cold by turns, the first warm, and its steady original."""
    steady = panning(time=8, size=(32, 48), dtype=np.float32)
    looks = np.stack([WARM if index % 2 == 0 else COLD for index in range(8)])
    return Clip(pixels=steady.pixels * looks[:, None, None], seconds=steady.seconds), steady


def far(result: Clip, steady: Clip, look: np.ndarray) -> np.ndarray:
    """How far each frame is from the steady clip in one look."""
    return np.abs(result.pixels - steady.pixels * look).mean(axis=(1, 2, 3))


def test_with_two_modes_every_frame_takes_the_same_of_the_two_looks():
    clip, steady = in_two_ways()
    result = video_prior(clip, steady, effort=SHORT, two_modes=True)
    warm, cold = (far(result, steady, look) for look in (WARM, COLD))
    assert (warm < 0.5 * cold).all() or (cold < 0.5 * warm).all()


def test_frames_that_turn_by_turns_come_out_alike():
    clip, steady = in_two_ways()
    result = video_prior(clip, steady, effort=SHORT)
    given, left = (
        (each.pixels[..., 0] - each.pixels[..., 2]).mean(axis=(1, 2)).std()
        for each in (clip, result)
    )
    assert left < 0.25 * given


def test_of_two_pictures_the_nearer_learns_at_each_pixel():
    frame, processed = torch.full((1, 3, 1, 2), 0.5), torch.zeros(1, 3, 1, 2)
    pictures = torch.tensor([[0.1, 0.6]] * 3 + [[0.5, 0.2]] * 3)[None, :, None]
    pictures.requires_grad_()
    loss = fit_loss(pictures, processed, frame)
    loss.backward()
    assert loss.item() == pytest.approx((0.1 + 0.2) / 2)
    assert (pictures.grad[0, :, 0] != 0).tolist() == [[True, False]] * 3 + [[False, True]] * 3


def test_one_picture_learns_by_plain_differences():
    picture, processed = torch.full((1, 3, 2, 2), 0.25), torch.full((1, 3, 2, 2), 0.75)
    assert fit_loss(picture, processed, picture).item() == pytest.approx(0.5)


def test_at_the_start_both_learn_the_same_and_the_second_less():
    processed = torch.zeros(1, 3, 2, 2)
    for first, second, loss in ((0.5, 0.0, 0.5), (0.0, 0.5, 0.45)):
        pictures = torch.cat([torch.full_like(processed, each) for each in (first, second)], dim=1)
        assert start_loss(pictures, processed, processed).item() == pytest.approx(loss)


def test_a_seed_is_a_fit():
    clip, steady = in_two_ways()
    brief = Effort(epochs=1, width=2, window_px=16, rate=1e-3)
    fits = [video_prior(clip, steady, effort=brief, seed=seed).pixels for seed in (1, 1, 2)]
    np.testing.assert_array_equal(fits[0], fits[1])
    assert (fits[0] != fits[2]).any()


def test_chance_elsewhere_is_neither_used_nor_changed():
    clip, steady = in_two_ways()
    brief = Effort(epochs=1, width=2, window_px=0, rate=1e-3)
    torch.manual_seed(5)
    want = torch.rand(2)
    torch.manual_seed(5)
    video_prior(clip, steady, effort=brief)
    torch.testing.assert_close(torch.rand(2), want)


def test_it_tells_of_each_epoch():
    clip, steady = in_two_ways()
    told: list[Progress] = []
    brief = Effort(epochs=2, width=2, window_px=0, rate=1e-3)
    video_prior(clip, steady, effort=brief, report=told.append)
    assert [(each.done, each.total) for each in told] == [(8, 16), (16, 16)]


def test_efforts_grow_from_quick_to_published():
    quick, reduced, published = (EFFORTS[name] for name in ("quick", "reduced", "published"))
    assert quick.width < reduced.width < published.width
    assert published.window_px == 0
    with pytest.raises(UsageError, match="no fit can have"):
        Effort(epochs=0, width=8, window_px=0, rate=1e-3)


def test_without_torch_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr("unflicker.compute.weights.find_spec", lambda _: None)
    clip, steady = in_two_ways()
    with pytest.raises(MissingError, match="pip install"):
        video_prior(clip, steady)


def test_clips_that_do_not_belong_together_are_refused():
    clip, steady = in_two_ways()
    with pytest.raises(UsageError, match="pass two alike"):
        video_prior(clip, Clip(pixels=steady.pixels[:, :16], seconds=steady.seconds))
