"""Laws of the neural filter, with weights as they ship or by chance."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from unflicker.grade import Grade  # noqa: E402
from unflicker.grade.apply import apply_to_light  # noqa: E402
from unflicker.neural_filter.apply import Window, filtered_gain, on_grid  # noqa: E402
from unflicker.neural_filter.network import (  # noqa: E402
    BINS,
    GridFilter,
    Pictures,
    graded,
    removed_light,
    seen_size,
    tone_shares,
)


def by_chance(seed: int = 0) -> GridFilter:
    """A network that says something: as it begins, it says almost nothing."""
    torch.manual_seed(seed)
    network = GridFilter().eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    return network


def window(size=(90, 130), frames=3, *, trusted=1.0) -> Window:
    random = np.random.default_rng(1)
    pictures = random.random((3, frames, *size, 3), np.float32)
    trust = np.full((frames, *size), trusted, np.float32)
    return Window(flickering=pictures[0], corrected=pictures[1], guides=pictures[2], trust=trust)


def test_it_is_as_small_as_promised():
    assert sum(parameter.numel() for parameter in GridFilter().parameters()) <= 1_500_000


@pytest.mark.parametrize("size", [(90, 130), (144, 256), (256, 144), (7, 5), (1, 1)])
def test_any_size_of_proxy_has_a_grid(size):
    gain = filtered_gain(window(size), by_chance())
    rows, columns = (side // 4 for side in seen_size(size))
    assert gain.shape == (3, rows, columns, BINS, 3)
    assert np.isfinite(gain).all()


def test_without_trust_nothing_is_changed():
    assert np.abs(filtered_gain(window(trusted=0.0), by_chance())).max() == 0.0


def test_with_trust_a_network_by_chance_does_change_it():
    assert np.abs(filtered_gain(window(trusted=1.0), by_chance())).max() > 1e-3


def test_frames_do_not_know_of_each_other():
    pictures, network = window(frames=6), by_chance()
    together = filtered_gain(pictures, network)
    pictures.guides[3] = 0.0
    after = filtered_gain(pictures, network)
    assert np.allclose(together[:3], after[:3], atol=1e-6)
    assert not np.allclose(together[3], after[3], atol=1e-4)


def test_training_grades_as_the_product_does():
    random = np.random.default_rng(3)
    light = random.random((64, 96, 3), np.float32)
    nodes = random.normal(0.0, 0.2, (4, 6, BINS * 3)).astype(np.float32)
    log_gain = cv2.resize(nodes, (32, 24)).reshape(24, 32, BINS, 3)
    product = apply_to_light(light, Grade.identity().followed_by(log_gain))
    frame = torch.from_numpy(light.transpose(2, 0, 1))[None]
    planes = torch.from_numpy(log_gain.transpose(3, 2, 0, 1))[None]
    trained = graded(frame, planes)[0].numpy().transpose(1, 2, 0)
    assert np.abs(product - trained.clip(0.0, 1.0)).max() < 0.06
    assert np.abs(product - trained.clip(0.0, 1.0)).mean() < 0.003


def test_every_tone_is_shared_out_in_full():
    luma = torch.linspace(0.0, 1.0, 64)[None, None, None]
    shares = tone_shares(luma)
    assert torch.allclose(shares.sum(dim=1), torch.ones(1, 1, 64))
    assert float(shares.min()) >= 0.0


def test_what_tone_removed_is_told_with_its_sign():
    corrected = torch.full((4, 3, 16, 16), 0.4)
    gains = torch.tensor([0.8, 1.0, 1.2, 1.0])[:, None, None, None]
    removed, spread = removed_light(corrected * gains, corrected)
    assert removed[0].max() < 0.0 < removed[2].min()
    assert torch.allclose(spread, removed.std(dim=0, correction=0).expand_as(spread))


def test_a_grid_moved_to_another_keeps_what_is_even():
    even = np.full((5, 7, BINS, 3), 0.25, np.float32)
    assert np.allclose(on_grid(even, cells=(24, 32, 6)), 0.25)


def test_a_grid_moved_to_another_keeps_its_slope_in_tone():
    slope = np.zeros((5, 7, BINS, 3), np.float32)
    slope[:] = np.linspace(0.0, 1.0, BINS)[:, None]
    moved = on_grid(slope, cells=(24, 32, 6))
    assert moved[..., 0, :].max() == pytest.approx(0.0, abs=1e-6)
    assert moved[..., -1, :].min() == pytest.approx(1.0, abs=1e-6)
    assert (np.diff(moved, axis=2) > 0).all()


def test_gradients_reach_every_weight():
    torch.manual_seed(0)
    network = by_chance()
    size = (1, 3, 32, 48)
    pictures = Pictures(
        frame=torch.rand(size),
        guide=torch.rand(size),
        trust=torch.rand(1, 1, 32, 48),
        removed=torch.rand(1, 3, 8, 12),
        spread=torch.rand(1, 3, 8, 12),
    )
    graded(pictures.frame, network(pictures)).square().mean().backward()
    assert all(
        parameter.grad is not None and float(parameter.grad.abs().max()) > 0
        for parameter in network.parameters()
    )
