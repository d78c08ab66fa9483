"""What the paper's two networks are asked for, and the network of Lai et al.

Source: Lei et al., Blind Video Deflickering (CVPR 2023); Lai et al., Learning Blind Video Temporal
Consistency (ECCV 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from unflicker.paper.convlstm import Memory, RefinementNetwork
from unflicker.paper.unet import UNet

LEARNING_RATE = 1e-4
"""Adam's, for both networks; theirs."""
_SHORT, _LONG, _STAY = 2.0, 2.0, 1.0
"""Weights of the refinement's losses, ours. Were steadiness worth no more than staying, every
light between a frame's own and its neighbour's would cost the same."""
_SAME_POINT = 50.0
"""Lai et al.'s alpha: how quickly a pixel that differs from the last frame's counts less."""
_TEMPORAL, _VALUES, _TEXTURE = 100.0, 10.0, 50.0
"""Lai et al.'s weights of either temporal loss, and of being alike, which we give to values; and
ours of texture, without which blur would pay. Were values worth more, flicker would be kept."""


@dataclass(frozen=True, kw_only=True, eq=False)
class FilterBatch:
    """Single photographs, spoilt twice; RGB in [0, 1]."""

    clean: Float[Tensor, "batch 3 height width"]
    """The photographs X."""
    frame: Float[Tensor, "batch 3 height width"]
    """τ_a(X): their light and colour spoilt, as flicker does."""
    guide: Float[Tensor, "batch 3 height width"]
    """τ_s(X): their structure spoilt, as an atlas does."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipBatch:
    """Short clips that flicker, the same without, and motion in them; RGB in [0, 1]."""

    frames: Float[Tensor, "batch time 3 height width"]
    """As they come in."""
    clean: Float[Tensor, "batch time 3 height width"]
    """The steady clips they were made of."""
    to_last: Float[Tensor, "batch pairs 2 height width"]
    """Flow from each frame but the first to the one before it, in px, x first."""
    seen_in_last: Float[Tensor, "batch pairs height width"]
    """How far each of its pixels is seen there, 0 to 1."""
    to_first: Float[Tensor, "batch pairs 2 height width"]
    """Flow from each frame but the first to the first."""
    seen_in_first: Float[Tensor, "batch pairs height width"]


def filter_loss(network: UNet, batch: FilterBatch) -> Float[Tensor, ""]:
    """Mean of ‖F(τ_a(X), τ_s(X)) − X‖² (Eq. 4)."""
    return functional.mse_loss(network(batch.frame, batch.guide), batch.clean)


def refinement_loss(network: RefinementNetwork, batch: ClipBatch) -> Float[Tensor, ""]:
    """What the network loses on clips, through all their frames."""
    return clip_loss(refined_clip(network, batch.frames), batch)


def clip_loss(
    outputs: Sequence[Float[Tensor, "batch 3 height width"]], batch: ClipBatch
) -> Float[Tensor, ""]:
    """Warping error to the last and to the first output, and distance to what came in."""
    pairs = range(batch.frames.shape[1] - 1)
    short = [
        warping_loss(outputs[t + 1], outputs[t], batch.to_last[:, t], batch.seen_in_last[:, t])
        for t in pairs
    ]
    long = [
        warping_loss(outputs[t + 1], outputs[0], batch.to_first[:, t], batch.seen_in_first[:, t])
        for t in pairs
    ]
    stay = [(outputs[t + 1] - batch.frames[:, t + 1]).abs().mean() for t in pairs]
    terms = ((_SHORT, short), (_LONG, long), (_STAY, stay))
    return torch.stack([weight * torch.stack(term).mean() for weight, term in terms]).sum()


def consistency_loss(
    outputs: Sequence[Float[Tensor, "batch 3 height width"]], batch: ClipBatch
) -> Float[Tensor, ""]:
    """Lai et al.'s: short- and long-term change along the motion, and being like what came in.

    Theirs of being alike is a distance of features of VGG, which are not to be had; here it is
    that of values and of texture. Theirs is a hundred times this.
    """
    count = len(outputs)
    short = [_change(outputs, batch, t, t - 1, batch.to_last) for t in range(1, count)]
    long = [_change(outputs, batch, t, 0, batch.to_first) for t in range(2, count)]
    changes = [outputs[t] - batch.frames[:, t] for t in range(1, count)]
    values, texture = [each.abs().mean() for each in changes], [textured(each) for each in changes]
    terms = ((_TEMPORAL, short), (_TEMPORAL, long), (_VALUES, values), (_TEXTURE, texture))
    weighted = [weight * torch.stack(term).mean() for weight, term in terms if term]
    return torch.stack(weighted).sum() / _TEMPORAL


def _change(
    outputs: Sequence[Float[Tensor, "batch 3 height width"]],
    batch: ClipBatch,
    now: int,
    before: int,
    flows: Float[Tensor, "batch pairs 2 height width"],
) -> Float[Tensor, ""]:
    """The warping error to an earlier output, which is held for given."""
    flow = flows[:, now - 1]
    seen = same_point(batch.clean[:, now], warped(batch.clean[:, before], flow))
    return warping_loss(outputs[now], outputs[before].detach(), flow, seen)


def same_point(
    frame: Float[Tensor, "batch 3 height width"], laid_over: Float[Tensor, "batch 3 height width"]
) -> Float[Tensor, "batch height width"]:
    """exp(−α ‖I_t − warp(I_s)‖²): how likely both pixels of a steady film are of one point."""
    return torch.exp(-_SAME_POINT * (frame - laid_over).square().sum(dim=1))


def textured(picture: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, ""]:
    """Mean difference between neighbours across, and down, added."""
    return torch.stack([picture.diff(dim=dim).abs().mean() for dim in (2, 3)]).sum()


def refined_clip(
    network: RefinementNetwork,
    frames: Float[Tensor, "batch time 3 height width"],
    *,
    originals: Float[Tensor, "batch time 3 height width"] | None = None,
) -> list[Float[Tensor, "batch 3 height width"]]:
    """The frames of clips as they come out, one after the other, nothing known before the first.

    Args:
        network: Blind where it is given no originals.
        frames: What comes in.
        originals: Steady clips that `frames` are processed versions of.
    """
    memory: Memory | None = None
    outputs = []
    for time, frame in enumerate(frames.unbind(dim=1)):
        original = None if originals is None else originals[:, time]
        output, memory = network(frame, memory, original=original)
        outputs.append(output)
    return outputs


def warping_loss(
    output: Float[Tensor, "batch 3 height width"],
    other: Float[Tensor, "batch 3 height width"],
    flow: Float[Tensor, "batch 2 height width"],
    seen: Float[Tensor, "batch height width"],
) -> Float[Tensor, ""]:
    """Mean of |M ⊙ (O − warp(other))| over all pixels, unseen ones as 0: a loss, no measure.

    The flow leads from O to the other frame.
    """
    return (seen[:, None] * (output - warped(other, flow))).abs().mean()


def warped(
    picture: Float[Tensor, "batch 3 height width"], flow: Float[Tensor, "batch 2 height width"]
) -> Float[Tensor, "batch 3 height width"]:
    """The picture seen at each pixel's place plus flow, bilinear; the border is continued."""
    height, width = picture.shape[2:]
    rows = torch.arange(height, dtype=flow.dtype, device=flow.device)[:, None]
    columns = torch.arange(width, dtype=flow.dtype, device=flow.device)
    x = (flow[:, 0] + columns) * (2.0 / max(width - 1, 1)) - 1.0
    y = (flow[:, 1] + rows) * (2.0 / max(height - 1, 1)) - 1.0
    places = torch.stack([x, y], dim=-1)
    return functional.grid_sample(picture, places, padding_mode="border", align_corners=True)
