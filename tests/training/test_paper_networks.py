"""What the paper's networks are asked for, and that they learn it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from made_clips import scene
from unflicker.frames.flow import warp
from unflicker.paper.convlstm import RefinementNetwork
from unflicker.paper.unet import UNet
from unflicker.training.paper_networks import (
    ClipBatch,
    FilterBatch,
    consistency_loss,
    filter_loss,
    refined_clip,
    refinement_loss,
    same_point,
    textured,
    warped,
    warping_loss,
)

SIZE = (24, 32)


def photograph() -> torch.Tensor:
    picture = scene(seed=3, size=SIZE).transpose(2, 0, 1)
    return torch.from_numpy(np.ascontiguousarray(picture))[None]


def spoilt() -> FilterBatch:
    clean = photograph()
    return FilterBatch(
        clean=clean, frame=(clean * 0.7).clamp(0.0, 1.0), guide=clean.roll(2, dims=3)
    )


def flickering(time: int = 4) -> ClipBatch:
    """A still picture whose light jumps."""
    gain = torch.tensor([1.0, 0.8, 1.1, 0.9, 1.2, 0.85])[:time].view(1, -1, 1, 1, 1)
    pairs = (1, time - 1)
    return ClipBatch(
        frames=photograph()[:, None] * gain,
        clean=photograph()[:, None].expand(-1, time, -1, -1, -1),
        to_last=torch.zeros(*pairs, 2, *SIZE),
        seen_in_last=torch.ones(*pairs, *SIZE),
        to_first=torch.zeros(*pairs, 2, *SIZE),
        seen_in_first=torch.ones(*pairs, *SIZE),
    )


def losses_of(network, loss_of, batch, *, steps: int = 25, rate: float = 1e-3) -> list[float]:
    """The loss of each step of a network that learns from one batch."""
    optimiser = torch.optim.Adam(network.parameters(), lr=rate)
    losses = []
    for _ in range(steps):
        loss = loss_of(network, batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    return losses


def test_the_filter_learns():
    torch.manual_seed(0)
    losses = losses_of(UNet(), filter_loss, spoilt())
    assert losses[-1] < 0.3 * losses[0]


def test_the_refinement_learns():
    torch.manual_seed(0)
    network = RefinementNetwork()
    losses = losses_of(network, refinement_loss, flickering(), steps=40, rate=2e-4)
    assert np.mean(losses[-5:]) < 0.75 * losses[0]
    with torch.no_grad():
        levels = [float(each.mean()) for each in refined_clip(network, flickering().frames)]
    before = flickering().frames.mean(dim=(0, 2, 3, 4)).numpy()
    assert np.abs(np.diff(levels)).mean() < 0.8 * np.abs(np.diff(before)).mean()


def test_the_refinement_learns_through_its_memory():
    network = RefinementNetwork()
    frames = flickering(3).frames.clone().requires_grad_()
    refined_clip(network, frames)[2].square().sum().backward()
    assert frames.grad is not None
    assert float(frames.grad[:, 0].abs().sum()) > 0.0


def test_a_steady_clip_that_stays_as_it_is_loses_nothing():
    batch = flickering()
    steady = ClipBatch(
        frames=batch.frames[:, :1].expand_as(batch.frames),
        clean=batch.clean,
        to_last=batch.to_last,
        seen_in_last=batch.seen_in_last,
        to_first=batch.to_first,
        seen_in_first=batch.seen_in_first,
    )
    network = RefinementNetwork()
    network.forward = lambda frame, memory, original=None: (frame, memory)
    assert float(refinement_loss(network, steady)) == pytest.approx(0.0, abs=1e-6)
    assert float(refinement_loss(network, batch)) > 0.01


def test_warping_is_the_one_of_frames():
    random = np.random.default_rng(0)
    picture = random.random((9, 12, 3)).astype(np.float32)
    flow = random.normal(0.0, 2.0, (9, 12, 2)).astype(np.float32)
    ours = warped(
        torch.from_numpy(picture.transpose(2, 0, 1).copy())[None],
        torch.from_numpy(flow.transpose(2, 0, 1).copy())[None],
    )
    # OpenCV looks up at 32nds of a pixel.
    assert ours[0].permute(1, 2, 0).numpy() == pytest.approx(warp(picture, flow), abs=0.05)


def test_what_is_not_seen_does_not_count():
    one, other = torch.zeros(1, 3, 4, 4), torch.ones(1, 3, 4, 4)
    flow, half = torch.zeros(1, 2, 4, 4), torch.ones(1, 4, 4)
    half[:, :2] = 0.0
    assert float(warping_loss(one, other, flow, half)) == pytest.approx(0.5)


def test_the_rivals_learn_with_and_without_the_original():
    for guided in (False, True):
        torch.manual_seed(0)
        network, batch = RefinementNetwork(), flickering()

        def loss_of(network, batch, guided=guided):
            originals = batch.clean if guided else None
            return consistency_loss(refined_clip(network, batch.frames, originals=originals), batch)

        losses = losses_of(network, loss_of, batch, steps=15, rate=6e-4)
        assert np.mean(losses[-5:]) < 0.75 * losses[0]


def test_a_point_is_the_same_where_the_steady_film_agrees():
    frame, other = torch.full((1, 3, 4, 4), 0.5), torch.full((1, 3, 4, 4), 0.5)
    other[..., :2] += 0.1
    seen = same_point(frame, other)
    assert float(seen[..., 2:].min()) == pytest.approx(1.0)
    # Three channels that are 0.1 off: exp(-50 * 3 * 0.01).
    assert float(seen[..., :2].max()) == pytest.approx(np.exp(-1.5), rel=1e-4)


def test_to_change_light_costs_less_than_to_change_texture():
    still = flickering(3)
    frames = still.clean
    batch = replace(still, frames=frames)
    lighter, restless = torch.full_like(frames, 0.05), torch.full_like(frames, 0.05)
    restless[..., ::2] *= -1.0
    light, texture = (
        float(consistency_loss((frames + change).unbind(dim=1), batch))
        for change in (lighter, restless)
    )
    assert light == pytest.approx(0.1 * 0.05, abs=1e-3)
    assert texture > 8 * light
    assert float(textured(lighter[:, 0])) == 0.0


def test_an_earlier_output_is_held_for_given():
    batch = flickering(3)
    frames = [frame.clone().requires_grad_() for frame in batch.frames.unbind(dim=1)]
    consistency_loss(frames, batch).backward()
    assert frames[0].grad is None
    assert float(frames[2].grad.abs().sum()) > 0.0
