"""Loss functions of the paper's two networks, and of Lai et al.

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
"""Weights of the refinement's losses, ours. With equal weights of stability and similarity, every
light between a frame's own and its neighbour's would have the same loss."""
_SAME_POINT = 50.0
"""Lai et al.'s alpha: decay of a pixel's weight with its difference from the previous frame."""
_TEMPORAL, _VALUES, _TEXTURE = 100.0, 10.0, 50.0
"""Lai et al.'s weights of either temporal loss, and of similarity, used here for values; and ours
of texture, without which blur would be optimal. With more weight on values, flicker would be kept.
"""


@dataclass(frozen=True, kw_only=True, eq=False)
class FilterBatch:
    """Single photographs, degraded twice; RGB in [0, 1]."""

    clean: Float[Tensor, "batch 3 height width"]
    """The photographs X."""
    frame: Float[Tensor, "batch 3 height width"]
    """τ_a(X): with degraded light and colour, as by flicker."""
    guide: Float[Tensor, "batch 3 height width"]
    """τ_s(X): with degraded structure, as by an atlas."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ClipBatch:
    """Short clips with flicker, the same without, and their motion; RGB in [0, 1]."""

    frames: Float[Tensor, "batch time 3 height width"]
    """The network's input."""
    clean: Float[Tensor, "batch time 3 height width"]
    """The steady clips."""
    to_last: Float[Tensor, "batch pairs 2 height width"]
    """Flow from each frame but the first to the one before it, in px, x first."""
    seen_in_last: Float[Tensor, "batch pairs height width"]
    """Visibility of each of its pixels there, 0 to 1."""
    to_first: Float[Tensor, "batch pairs 2 height width"]
    """Flow from each frame but the first to the first."""
    seen_in_first: Float[Tensor, "batch pairs height width"]


def filter_loss(network: UNet, batch: FilterBatch) -> Float[Tensor, ""]:
    """Mean of ‖F(τ_a(X), τ_s(X)) − X‖².

    Args:
        network: The filter F.
        batch: Photographs X with both degradations.

    Source: Lei et al., CVPR 2023, Eq. 4.
    """
    return functional.mse_loss(network(batch.frame, batch.guide), batch.clean)


def refinement_loss(network: RefinementNetwork, batch: ClipBatch) -> Float[Tensor, ""]:
    """Loss of the refinement over all frames of clips.

    Args:
        network: The refinement.
        batch: Clips with motion.
    """
    return clip_loss(refined_clip(network, batch.frames), batch)


def clip_loss(
    outputs: Sequence[Float[Tensor, "batch 3 height width"]], batch: ClipBatch
) -> Float[Tensor, ""]:
    """Warping error to the previous and to the first output, and distance to the input.

    Args:
        outputs: Of the network, by frame.
        batch: Its clips, with motion.
    """
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
    """The loss of Lai et al.: short- and long-term warping error, and similarity to the input.

    Their similarity is a distance of VGG features, which are not available; here it is a distance
    of values and of texture. Their loss is a hundred times this.

    Args:
        outputs: Of the network, by frame.
        batch: Its clips, with motion.

    Source: Lai et al., Learning blind video temporal consistency, ECCV 2018.
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
    """The warping error to an earlier output, which has no gradient."""
    flow = flows[:, now - 1]
    seen = same_point(batch.clean[:, now], warped(batch.clean[:, before], flow))
    return warping_loss(outputs[now], outputs[before].detach(), flow, seen)


def same_point(
    frame: Float[Tensor, "batch 3 height width"], laid_over: Float[Tensor, "batch 3 height width"]
) -> Float[Tensor, "batch height width"]:
    """exp(−α ‖I_t − warp(I_s)‖²): visibility from the colours of a steady film.

    Args:
        frame: I_t.
        laid_over: warp(I_s).
    """
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
    """The frames of clips after refinement, one after the other.

    Args:
        network: Blind if it gets no originals.
        frames: Its input.
        originals: Steady originals of `frames`, if there are any.
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
    """Mean of |M ⊙ (O − warp(other))|: a loss, not a published metric.

    Args:
        output: O.
        other: Another output.
        flow: From O to the other, in px, x first.
        seen: M, visibility in the other, 0 to 1.
    """
    return (seen[:, None] * (output - warped(other, flow))).abs().mean()


def warped(
    picture: Float[Tensor, "batch 3 height width"], flow: Float[Tensor, "batch 2 height width"]
) -> Float[Tensor, "batch 3 height width"]:
    """The picture at each pixel's place plus flow, bilinear; the border is continued.

    Args:
        picture: RGB.
        flow: In px, x first.
    """
    height, width = picture.shape[2:]
    rows = torch.arange(height, dtype=flow.dtype, device=flow.device)[:, None]
    columns = torch.arange(width, dtype=flow.dtype, device=flow.device)
    x = (flow[:, 0] + columns) * (2.0 / max(width - 1, 1)) - 1.0
    y = (flow[:, 1] + rows) * (2.0 / max(height - 1, 1)) - 1.0
    places = torch.stack([x, y], dim=-1)
    return functional.grid_sample(picture, places, padding_mode="border", align_corners=True)
